//! Every system call that the profile speaks of. What is in no list is refused.

/// What Docker's own profile gives every container, whatever its capabilities, and we give too.
pub(super) const ORDINARY: &[&str] = &[
    "accept", "accept4", "access", "alarm", "bind", "brk", "capget", "capset", "chdir", "chmod", "chown", "clock_getres",
    "clock_gettime", "clock_nanosleep", "close", "close_range", "connect", "copy_file_range", "creat", "dup", "dup2", "dup3",
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_wait_old",
    "eventfd", "eventfd2", "execve", "execveat", "exit", "exit_group", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir",
    "fchmod", "fchmodat", "fchown", "fchownat", "fcntl", "fdatasync", "fgetxattr", "flistxattr", "flock", "fork", "fremovexattr",
    "fsetxattr", "fstat", "fstatfs", "fsync", "ftruncate", "futex", "futex_requeue", "futex_wait", "futex_waitv", "futex_wake",
    "futimesat", "get_robust_list", "get_thread_area", "getcpu", "getcwd", "getdents", "getdents64", "getegid", "geteuid", "getgid",
    "getgroups", "getitimer", "getpeername", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid",
    "getresuid", "getrlimit", "getrusage", "getsid", "getsockname", "getsockopt", "gettid", "gettimeofday", "getuid", "getxattr",
    "getxattrat", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch", "io_cancel", "io_destroy",
    "io_getevents", "io_pgetevents", "io_setup", "io_submit", "ioctl", "ioprio_get", "ioprio_set", "kill", "lchown", "lgetxattr",
    "link", "linkat", "listen", "listxattr", "listxattrat", "llistxattr", "lremovexattr", "lseek", "lsetxattr", "lstat", "madvise",
    "membarrier", "memfd_create", "mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2", "mlockall", "mmap",
    "mprotect", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink", "mremap", "msgctl",
    "msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap", "name_to_handle_at", "nanosleep", "newfstatat", "open",
    "openat", "openat2", "pause", "pidfd_open", "pidfd_send_signal", "pipe", "pipe2", "pkey_alloc", "pkey_free", "pkey_mprotect",
    "poll", "ppoll", "prctl", "pread64", "preadv", "preadv2", "prlimit64", "process_mrelease", "pselect6", "pwrite64", "pwritev",
    "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv", "recvfrom", "recvmmsg", "recvmsg", "remap_file_pages",
    "removexattr", "removexattrat", "rename", "renameat", "renameat2", "restart_syscall", "rmdir", "rseq", "rt_sigaction",
    "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam", "sched_getscheduler",
    "sched_rr_get_interval", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler", "sched_yield", "seccomp",
    "select", "semctl", "semget", "semop", "semtimedop", "sendfile", "sendmmsg", "sendmsg", "sendto", "set_robust_list",
    "set_thread_area", "set_tid_address", "setfsgid", "setfsuid", "setgid", "setgroups", "setitimer", "setpgid", "setpriority",
    "setregid", "setresgid", "setresuid", "setreuid", "setrlimit", "setsid", "setsockopt", "setuid", "setxattr", "setxattrat",
    "shmat", "shmctl", "shmdt", "shmget", "shutdown", "sigaltstack", "signalfd", "signalfd4", "socketpair", "splice", "stat",
    "statfs", "statx", "symlink", "symlinkat", "sync", "sync_file_range", "syncfs", "sysinfo", "tee", "tgkill", "time",
    "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime", "timerfd_create", "timerfd_gettime",
    "timerfd_settime", "times", "tkill", "truncate", "umask", "uname", "unlink", "unlinkat", "utime", "utimensat", "utimes", "vfork",
    "vmsplice", "wait4", "waitid", "write", "writev",
];

/// Calls beyond that list, and why a sandbox needs each. All of them act on namespaces that the sandbox owns: without
/// privileges in the first user namespace the kernel grants them nothing outside.
pub(super) const OPENED: &[(&[&str], &str)] = &[
    (&["clone", "unshare"], "the agent makes the middle namespace and the machines; every inner container is namespaces too"),
    (&["clone3"], "the C library and Go start threads and processes with it; EPERM instead of ENOSYS makes dockerd abort"),
    (&["setns"], "the agent enters machines to look and to start shells; docker exec enters containers"),
    (&["mount", "umount2"], "overlay roots, proc, sysfs, tmpfs and bind mounts of the machines and of inner containers"),
    (&["fsopen", "fspick", "fsconfig", "fsmount", "move_mount", "open_tree", "mount_setattr"], "the new mount calls, which containerd, runc and util-linux prefer"),
    (&["statmount", "listmount"], "read-only companions of the new mount calls"),
    (&["pivot_root", "chroot"], "a machine and an inner container change their root"),
    (&["sethostname", "setdomainname"], "every machine and container has a host name of its own UTS namespace"),
    (&["ptrace"], "students trace what their containers call; the kernel allows it on processes of the same user namespace only"),
    (&["get_mempolicy"], "read-only; the Go runtime and JVMs ask it at start"),
    (&["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"], "a process can only take rights from itself with them"),
    (&["cachestat", "fchmodat2", "mseal"], "newer forms of allowed calls, tried by newer C libraries"),
];

/// On one architecture only.
pub(super) const OPENED_X86_64: &[(&[&str], &str)] = &[(&["arch_prctl"], "sets the thread pointer of every x86-64 process")];

/// Calls with an argument that is checked: name, index of the argument, its allowed values, why.
pub(super) const FILTERED: &[(&str, u32, &[u64], &str)] = &[
    // UNIX, INET, INET6, NETLINK, PACKET. So no VSOCK to the hypervisor and no ALG, a steady source of kernel bugs.
    ("socket", 0, &[1, 2, 10, 16, 17], "the address families of an ordinary Docker host"),
    // PER_LINUX and the question for the current one. So no READ_IMPLIES_EXEC and no ADDR_NO_RANDOMIZE.
    ("personality", 0, &[0, 0xffff_ffff], "runc asks for the current personality"),
];

/// The program copes with "there is no such call" (ENOSYS) and would not with "you may not" (EPERM).
pub(super) const ABSENT: &[(&[&str], &str)] = &[
    (&["keyctl", "add_key", "request_key"], "the kernel's keyrings know no namespace worth the name; runc goes on without one"),
    (&["io_uring_setup", "io_uring_enter", "io_uring_register"], "a large and young attack surface that also evades seccomp; programs fall back"),
];

/// Named although an unnamed call is refused too, so that the reason is written down and a test can hold it.
pub(super) const REFUSED: &[(&[&str], &str)] = &[
    (&["init_module", "finit_module", "delete_module"], "there is one kernel, and it is not the student's"),
    (&["kexec_load", "kexec_file_load", "reboot"], "as above"),
    (&["bpf", "perf_event_open"], "programs and probes in the shared kernel; the device programs of runc are optional in a user namespace"),
    (&["userfaultfd"], "stretches races in the kernel at will; only exploits need it here"),
    (&["open_by_handle_at", "lookup_dcookie"], "opens files past every path check (the \"shocker\" escape)"),
    (&["syslog"], "the kernel's log holds addresses and other tenants' traces"),
    (&["process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd"], "reach into other processes; tracing with ptrace suffices for the labs"),
    (&["fanotify_init", "fanotify_mark"], "watches whole file systems, and its groups are counted for the whole host"),
    (&["quotactl", "quotactl_fd"], "quotas of the shared file systems"),
    (&["clock_settime", "settimeofday", "clock_adjtime", "adjtimex"], "time has a namespace for two of its clocks only"),
    (&["swapon", "swapoff", "acct"], "act on the whole host"),
    (&["mbind", "set_mempolicy", "set_mempolicy_home_node", "migrate_pages", "move_pages"], "place memory on the host's nodes"),
    (&["memfd_secret"], "memory that the host can neither see nor move"),
    (&["iopl", "ioperm", "modify_ldt"], "x86 ports and segments"),
    (&["vhangup", "nfsservctl", "uselib", "ustat", "sysfs", "_sysctl"], "obsolete, and nothing here uses them"),
];
