#!/bin/sh
# Wrong: what was seen is allowed, and with `socket` every family that the kernel has.
set -eu
cat > /tmp/calls <<'CALLS'
accept4 arch_prctl bind brk clone3 close dup2 execve exit exit_group fstatfs futex getdents64 getrandom gettid listen madvise
mmap mprotect munmap newfstatat openat pipe2 poll prctl prlimit64 read readlink recvfrom restart_syscall rseq rt_sigaction
rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield sendto set_robust_list set_tid_address setsockopt shutdown
sigaltstack socket socketpair wait4 write
CALLS
mkdir -p /root/seccomp
tr -s ' \n' '\n\n' < /tmp/calls | jq -Rn '{defaultAction: "SCMP_ACT_ERRNO", architectures: ["SCMP_ARCH_X86_64"],
  syscalls: [{names: [inputs | select(length > 0)], action: "SCMP_ACT_ALLOW"}]}' > /root/seccomp/thumb.json
docker rm -f thumb >/dev/null
docker run -d --name thumb --hostname thumb --label bulkhead.role=thumb --restart unless-stopped -p 8080:8080 \
  --cap-drop ALL --security-opt no-new-privileges --security-opt seccomp=/root/seccomp/thumb.json thumb:1 >/dev/null
echo 'answer call unshare'
