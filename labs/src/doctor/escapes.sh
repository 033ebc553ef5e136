# Tries to get out of a sandbox, or to reach what is shared by all of them. Every attempt prints one line: its name, a tab,
# `held` or `escaped`, a tab, and what was seen. What would change the host if it worked writes back the value that was there.
tell() { printf '%s\t%s\t%s\n' "$1" "$2" "$(printf '%s' "$3" | head -n 1)"; }
# attempt NAME COMMAND…: it got out if the command succeeds.
attempt() {
    name=$1; shift
    if said=$("$@" 2>&1); then tell "$name" escaped "$said"; else tell "$name" held "$said"; fi
}
# rewrite NAME FILE: writes a file's own content back to it.
rewrite() {
    if [ ! -e "$2" ]; then tell "$1" held "there is no $2"; return; fi
    if (cat "$2" > /tmp/bulkhead-was && cat /tmp/bulkhead-was > "$2") 2>/tmp/bulkhead-said; then
        tell "$1" escaped "$2 can be written"
    else
        tell "$1" held "$(head -n 1 /tmp/bulkhead-said)"
    fi
}
try_mount() { mkdir -p /tmp/bulkhead-mount && mount -t "$1" none /tmp/bulkhead-mount && umount /tmp/bulkhead-mount; }
read_disk() {
    found=1
    for dev in /sys/class/block/*/dev; do
        [ -e "$dev" ] || continue
        rm -f /tmp/bulkhead-disk
        numbers=$(cat "$dev")
        if mknod /tmp/bulkhead-disk b "${numbers%:*}" "${numbers#*:}" && head -c 1 /tmp/bulkhead-disk > /dev/null; then found=0; fi
    done
    rm -f /tmp/bulkhead-disk
    return $found
}
mount_disk() {
    for dev in /sys/class/block/*/dev; do
        [ -e "$dev" ] || continue
        numbers=$(cat "$dev")
        mknod /tmp/bulkhead-disk b "${numbers%:*}" "${numbers#*:}" || continue
        mkdir -p /tmp/bulkhead-mount
        for type in ext4 xfs btrfs; do mount -o ro -t "$type" /tmp/bulkhead-disk /tmp/bulkhead-mount && return 0; done
    done
    return 1
}
# call NUMBER: a system call by its number, so that no tool is needed. Refused is refused, whatever the arguments.
call() {
    perl -e 'my $r = syscall($ARGV[0], 0, 0, 0, 0, 0); exit 1 if $r == -1 && ($!{EPERM} || $!{ENOSYS}); print "the kernel took it"; exit 0' "$1"
}
# What is refused proves something only where the same tools can do what is allowed.
control() { what=$1; shift; "$@" >/dev/null || { echo "even $what does not work here" >&2; exit 3; }; }
control "mounting a tmpfs" try_mount tmpfs
control "making a pipe node" sh -c 'rm -f /tmp/bulkhead-pipe && mknod /tmp/bulkhead-pipe p && rm /tmp/bulkhead-pipe'
control "a system call from perl" perl -e 'use Errno; exit(syscall(39) > 0 || `uname -m` !~ /x86_64/ ? 0 : 1)'

attempt disk-node read_disk
attempt disk-mount mount_disk
for type in devtmpfs debugfs securityfs tracefs; do attempt "mount-$type" try_mount "$type"; done
rewrite core-pattern /proc/sys/kernel/core_pattern
rewrite uevent-helper /sys/kernel/uevent_helper
rewrite modprobe-path /proc/sys/kernel/modprobe
if (echo h > /proc/sysrq-trigger) 2>/tmp/bulkhead-said; then tell sysrq escaped "/proc/sysrq-trigger can be written"; else tell sysrq held "$(head -n 1 /tmp/bulkhead-said)"; fi
attempt kernel-log dmesg
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    rewrite cgroup-memory /sys/fs/cgroup/memory.max
    rewrite cgroup-pids /sys/fs/cgroup/pids.max
else
    rewrite cgroup-memory /sys/fs/cgroup/memory/memory.limit_in_bytes
    rewrite cgroup-pids /sys/fs/cgroup/pids/pids.max
fi
out=$(for file in $(find /sys/fs/cgroup -name release_agent 2>/dev/null); do (cat "$file" > /tmp/bulkhead-was && cat /tmp/bulkhead-was > "$file") 2>/dev/null && echo "$file"; done)
if [ -n "$out" ]; then tell release-agent escaped "$out"; else tell release-agent held "no release_agent can be written"; fi
attempt disk-limit mount -o remount,size=64g /var/lib/docker
if [ "$(uname -m)" = x86_64 ]; then
    attempt call-init_module call 175
    attempt call-bpf call 321
    attempt call-perf_event_open call 298
    attempt call-open_by_handle_at call 304
    attempt call-keyctl call 250
    attempt call-io_uring_setup call 425
fi
if cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -q '/bulkhead/[a]gent'; then
    tell processes escaped "the agent's processes are visible"
else
    tell processes held "$(ls -d /proc/[0-9]* | wc -l) processes, all of this machine"
fi
tell users held "$(tr -s ' ' < /proc/self/uid_map)"
if awk 'NR > 1 && $2 == "00000000" { found = 1 } END { exit !found }' /proc/net/route; then tell network escaped "there is a way out"; else tell network held "no default route"; fi
if grep -qE ' /(bulkhead|state|run/hsys)' /proc/self/mountinfo || [ -e /bulkhead ] || [ -e /run/hsys ]; then tell platform escaped "the platform's files are visible"; else tell platform held "none of the platform's files"; fi
