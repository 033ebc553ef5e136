//! Thin wrappers over system calls that `nix` lacks or that belong together. All `unsafe` of the agent is below here.
//!
//! `fork` and siblings · `descriptor`s · `ids` and `capability` sets · `namespace`s · `mount` · `terminal` · `xattr` · `netlink`
//! and `interface` for the switch.

pub(crate) mod capability;
pub(crate) mod descriptor;
pub(crate) mod fork;
pub(crate) mod ids;
pub(crate) mod interface;
pub(crate) mod mount;
pub(crate) mod namespace;
pub(crate) mod netlink;
pub(crate) mod rooted;
pub(crate) mod terminal;
pub(crate) mod xattr;
