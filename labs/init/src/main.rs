//! The first process of the student's machine, and the tools that speak to it.
//!
//! Debian's own unit files are what it reads, so that a student finds (and hardens, and overrides with drop-ins) the
//! files that he would find on any Debian host. It has the student's privileges and no others.
//!
//! # What must be in the student's tree
//!
//! | path | what |
//! |---|---|
//! | `/usr/lib/bulkhead/init` | this program, mode 0755, root |
//! | `/usr/sbin/init` | symbolic link to it (`/sbin` is a link to `usr/sbin`); the agent executes `/sbin/init` |
//! | `/usr/bin/systemctl`, `/usr/bin/journalctl`, `/usr/sbin/service` | symbolic links to it, in place of what packages put there |
//! | `/usr/sbin/{reboot,shutdown,poweroff,halt}` | symbolic links to it |
//! | `/usr/lib/systemd/system/{docker,containerd,ssh,cron}.service` | as the packages ship them, unchanged |
//! | `/etc/systemd/system/multi-user.target.wants/…` | as the packages enable them, unchanged: what starts at boot |
//!
//! Nothing else: no unit files of our own. `/run`, `/dev`, `/proc`, `/sys` are mounted by the agent before; the agent
//! also writes `/etc/hosts` and `/etc/hostname`. An engine that starts alone, without containerd beside it, takes
//! its own: what is not enabled is not started.

fn main() {}
