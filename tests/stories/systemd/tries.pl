# Tries what no collector needs, and says of each whether it was let. Above it: the process of the same user that it looks
# at, and the port that it connects to, as `$process` and `$port`.
use strict;
use warnings;
use POSIX;
use Socket;

our ($process, $port);
my $state = $ENV{STATE_DIRECTORY};
# The numbers of system calls that perl has no words for.
my %calls = (
    x86_64  => { clock_settime => 227, memfd_create => 319, mmap => 9,   mount => 165, ptrace => 101, sethostname => 170 },
    aarch64 => { clock_settime => 112, memfd_create => 279, mmap => 222, mount => 40,  ptrace => 117, sethostname => 161 },
);
my $call = $calls{(POSIX::uname())[4]};

sub content {
    open my $file, '<', $_[0] or return 0;
    return defined(readline $file);
}

sub copy {
    my ($from, $to) = @_;
    local $/;
    open my $in, '<:raw', $from or return 0;
    open my $out, '>:raw', $to or return 0;
    return print($out readline $in) && close($out) && chmod(0755, $to);
}

my @tries = (
    'keep its own state'          => sub { open my $file, '>', "$state/kept" },
    'write to /etc'               => sub { open my $file, '>', '/etc/written' },
    'read from /root'             => sub { content('/root/secret') },
    'read the state of others'    => sub { content('/var/lib/other/state') },
    'enter a folder of another'   => sub { content('/home/other/secret') },
    'connect'                     => sub {
        socket my $socket, AF_INET, SOCK_STREAM, 0 or return 0;
        connect $socket, sockaddr_in($port, INADDR_LOOPBACK);
    },
    'ask the bus'                 => sub {
        socket my $socket, AF_UNIX, SOCK_STREAM, 0 or return 0;
        connect $socket, sockaddr_un('/run/dbus/system_bus_socket');
    },
    'open a raw socket'           => sub { socket my $socket, AF_INET, SOCK_RAW, 1 },
    'open a packet socket'        => sub { socket my $socket, 17, SOCK_RAW, 0 },
    'gain privileges'             => sub { `/usr/local/bin/gain -u` eq "0\n" },
    'make a program that gains'   => sub { copy('/bin/true', "$state/gain") && chmod(04755, "$state/gain") },
    'look at another process'     => sub { content("/proc/$process/environ") },
    'look at the first process'   => sub { content('/proc/1/environ') },
    'trace another process'       => sub { syscall($call->{ptrace}, 16, $process, 0, 0) == 0 },
    'signal another process'      => sub { kill 'CONT', $process },
    'execute from /tmp'           => sub { copy('/bin/true', '/tmp/true') && exec '/tmp/true' },
    'execute from the state'      => sub { copy('/bin/true', "$state/true") && exec "$state/true" },
    'execute from memory'         => sub {
        my $name = 'memory';
        my $file = syscall($call->{memfd_create}, $name, 0);
        # What is open for writing cannot be executed.
        my $path = "/proc/self/fd/$file";
        $file >= 0 && copy('/bin/true', $path) && open my $again, '<', $path or return 0;
        POSIX::close($file) && exec '/proc/self/fd/' . fileno($again);
    },
    'write code as it runs'       => sub { syscall($call->{mmap}, 0, 4096, 7, 0x22, -1, 0) != -1 },
    'mount'                       => sub {
        my ($type, $folder) = ('tmpfs', '/media');
        syscall($call->{mount}, $type, $folder, $type, 0, 0) == 0;
    },
    'make a user namespace'       => sub { system('unshare', '--user', 'true') == 0 },
    'make a control group'        => sub { mkdir '/sys/fs/cgroup/made' },
    'rename the machine'          => sub {
        my $name = 'machine';
        syscall($call->{sethostname}, $name, length $name) == 0;
    },
    # A machine of the tests cannot set the clock. Who gets as far as the kernel hears that there is no time at 0 (EFAULT).
    'set the clock'               => sub { syscall($call->{clock_settime}, 0, 0); $! == EFAULT },
    "write to the kernel's log"   => sub { open my $file, '>>', '/dev/kmsg' or return 0; print($file 'hello') && close $file },
);

$| = 1;
while (my ($what, $try) = splice @tries, 0, 2) {
    my $child = fork // die "fork: $!";
    if ($child == 0) {
        open STDERR, '>', '/dev/null';
        POSIX::_exit($try->() ? 0 : 1);
    }
    waitpid $child, 0;
    print $? == 0 ? 'let' : 'refused', ": $what\n";
}
