#!/bin/sh
# Wrong: a trace of a desk to which nobody sent a picture. It starts, it answers, and it has never heard of workers.
set -eu
cat > /tmp/calls <<'CALLS'
accept4 arch_prctl bind brk clone3 close execve exit exit_group fstatfs futex getdents64 getrandom gettid listen madvise
mmap mprotect munmap newfstatat openat poll prctl prlimit64 read readlink recvfrom restart_syscall rseq rt_sigaction
rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield sendto set_robust_list set_tid_address setsockopt shutdown
sigaltstack write
CALLS
mkdir -p /root/seccomp
tr -s ' \n' '\n\n' < /tmp/calls | jq -Rn '{defaultAction: "SCMP_ACT_ERRNO", architectures: ["SCMP_ARCH_X86_64"],
  syscalls: [
    {names: [inputs | select(length > 0)], action: "SCMP_ACT_ALLOW"},
    {names: ["socket"], action: "SCMP_ACT_ALLOW", args: [{index: 0, value: 2, op: "SCMP_CMP_EQ"}]},
    {names: ["socketpair"], action: "SCMP_ACT_ALLOW", args: [{index: 0, value: 1, op: "SCMP_CMP_EQ"}]}
  ]}' > /root/seccomp/thumb.json
docker rm -f thumb >/dev/null
docker run -d --name thumb --hostname thumb --label bulkhead.role=thumb --restart unless-stopped -p 8080:8080 \
  --cap-drop ALL --security-opt no-new-privileges --security-opt seccomp=/root/seccomp/thumb.json thumb:1 >/dev/null
echo 'answer call unshare'
