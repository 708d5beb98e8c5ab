# Keeps a machine: its disk, its control group, and the process that its manager is a child of.
#
#   sh -c "$(cat keeper.sh)" keeper FOLDER BOOT      (as root, in a mount namespace of its own)
#
# One command a line on standard input, an answer to each on standard output. The end of the input is the end of the test,
# however that ended: the machine is killed then, and nothing of it is left. If this process itself is killed, its mounts
# go with its namespace and the machine with its parent; the next keeper takes away the empty control group.
folder=$1 boot=$2
disk=$folder/disk
group='' parent=''
umask 022

# A control group and those in it; they hold no process, or will not for long. So many tries, of 20 ms.
remove() {
    tries=0
    while [ -d "$1" ] && [ $tries -lt "$2" ]; do
        find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.02
        tries=$((tries + 1))
    done
}

# Whether that process runs. One that has ended and whose parent has not asked yet (Z) does not.
runs() {
    read -r _ _ state _ 2>/dev/null <"/proc/$1/stat" && [ "$state" != Z ]
}

# Ends the machine at once. When its first process has been waited for, all others are gone as well.
end() {
    [ -n "$parent" ] || return 0
    first=$(cat "$folder/first" 2>/dev/null)
    # Where the parent has ended, the machine has, and its first process's id may be another's.
    ! runs "$parent" || kill -KILL "${first:-$parent}" 2>/dev/null
    wait "$parent" 2>/dev/null
    parent=''
}

clean() {
    end
    [ -z "$group" ] || remove "$group" 500
    umount -R -l "$disk" 2>/dev/null
    rm -rf --one-file-system "$folder"
}

start() {
    : >"$folder/first"
    # The manager alone is in the group: a group with processes of its own can give no controllers to those in it.
    # shellcheck disable=SC2016
    setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount --propagation private --uts --ipc \
        sh -c 'echo 0 >"$2/cgroup.procs" && exec unshare --cgroup sh -c "$3" boot "$1"' enter "$folder" "$group" "$boot" \
        >"$folder/console" 2>&1 </dev/null &
    parent=$!
}

trap clean EXIT
trap '' HUP INT TERM
mkdir "$disk" && mount -t tmpfs -o mode=0755 machine "$disk" &&
    mkdir "$disk/upper" "$disk/work" "$disk/root" "$disk/groups" &&
    mount -t cgroup2 cgroup2 "$disk/groups" || exit 1
for left in "$disk"/groups/tidemark-systemd-*; do
    [ ! -d "$left" ] || runs "${left##*-}" || remove "$left" 500
done
group=$disk/groups/tidemark-systemd-$$
mkdir "$group" || exit 1
echo ready

while read -r command; do
    case $command in
    start) start && echo "start $parent" ;;
    end) end && echo end ;;
    esac
done
