# The machine's first process, in namespaces of its own, on its way to become systemd.
#
#   sh -c "$(cat boot.sh)" boot FOLDER
set -eu
folder=$1
disk=$folder/disk
# Its id as the test sees it: this /proc is the test's still.
read -r process _ </proc/self/stat
exec 3>"$folder/first"

# The test's own root below, the machine's writes above, which outlive a reboot. The mount of the last boot may take an
# instant to go.
tries=0
until mount -t overlay -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" machine "$disk/root"; do
    tries=$((tries + 1))
    [ $tries -lt 500 ]
    sleep 0.02
done
cd "$disk/root"

mount -t proc proc proc
mount -t tmpfs -o mode=0755 tmpfs run
cat /proc/sys/kernel/random/uuid >run/boot-id
# Nothing inside changes the kernel's settings; each boot has an id of its own.
for path in sys sysrq-trigger irq bus fs; do
    [ ! -e "proc/$path" ] || mount -o bind,ro "proc/$path" "proc/$path"
done
mount -o bind,ro run/boot-id proc/sys/kernel/random/boot_id
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup

mount -t tmpfs -o mode=0755 tmpfs dev
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
: >dev/console
mount --bind /dev/null dev/console
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir -p mnt/share
mount --bind "$folder/share" mnt/share

# A new machine: of the units and generators of the test's host it starts none but these.
if [ ! -e "$folder/furnished" ]; then
    rm -rf etc/systemd/system etc/systemd/system-generators etc/systemd/*.conf.d usr/lib/systemd/system/*.wants \
        usr/lib/systemd/system-generators/* usr/local/lib/systemd var/log/journal var/lib/systemd/timers \
        etc/fstab etc/machine-id usr/sbin/policy-rc.d
    units=etc/systemd/system
    for want in sysinit:systemd-journald.service sysinit:systemd-journal-flush.service \
        sysinit:systemd-tmpfiles-setup.service sysinit:systemd-sysusers.service \
        sockets:systemd-journald.socket sockets:systemd-journald-dev-log.socket \
        sockets:dbus.socket multi-user:dbus.service; do
        [ -e "usr/lib/systemd/system/${want#*:}" ] || continue
        mkdir -p "$units/${want%%:*}.target.wants"
        ln -s "/usr/lib/systemd/system/${want#*:}" "$units/${want%%:*}.target.wants/"
    done
    ln -s /usr/lib/systemd/system/multi-user.target $units/default.target
    mkdir -p etc/systemd/system-generators etc/systemd/journald.conf.d var/log/journal
    printf '[Journal]\nStorage=persistent\nSystemMaxUse=64M\nRateLimitIntervalSec=0\nAudit=\n' \
        >etc/systemd/journald.conf.d/machine.conf
    tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
    # In a container these are mounts of their own, which an overlay does not show.
    for file in hosts resolv.conf; do
        [ ! -e "/etc/$file" ] || cat "/etc/$file" >"run/$file"
        rm -f "etc/$file"
        [ ! -e "run/$file" ] || mv "run/$file" "etc/$file"
    done
    echo machine >etc/hostname
    echo 127.0.1.1 machine >>etc/hosts
    : >"$folder/furnished"
fi

mkdir run/old
pivot_root . run/old
umount -l /run/old
rmdir /run/old
# Without it, LoadCredential leaves the folder empty, and nothing says so.
mount --make-rshared /
echo "$process" >&3
# The clock and the modules are the test's host's.
exec 3>&- setpriv --bounding-set=-sys_time,-sys_module \
    env -i container=machine PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/lib/systemd/systemd --system --log-target=journal --show-status=no
