#!/bin/sh
# Wrong: the calls that the attacker made yesterday are refused, and everything that he has not tried yet is allowed.
set -eu
mkdir -p /root/seccomp
cat > /root/seccomp/thumb.json <<'JSON'
{
  "defaultAction": "SCMP_ACT_ALLOW",
  "architectures": ["SCMP_ARCH_X86_64"],
  "syscalls": [
    { "names": ["mount", "umount2", "open_tree", "unshare", "setns", "chroot", "ptrace", "process_vm_readv", "kcmp",
                "personality", "name_to_handle_at", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
                "keyctl", "add_key", "request_key"], "action": "SCMP_ACT_ERRNO" }
  ]
}
JSON
docker rm -f thumb >/dev/null
docker run -d --name thumb --hostname thumb --label bulkhead.role=thumb --restart unless-stopped -p 8080:8080 \
  --cap-drop ALL --security-opt no-new-privileges --security-opt seccomp=/root/seccomp/thumb.json thumb:1 >/dev/null
echo 'answer call unshare'
