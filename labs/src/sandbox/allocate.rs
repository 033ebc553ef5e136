//! Owner ids. The kernel counts a user's inotify instances, keys and namespaces over all sandboxes of the same owner, so
//! each gets one of its own.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

/// Free by convention: systemd hands out container ids below, and nothing above 2^31.
const FIRST: u32 = 0x7000_0000;
const COUNT: u32 = 0x1000_0000;

/// The same for the same sandbox, unless another has it already.
pub(super) fn owner_uid(instance: &str, sandbox: &str, taken: &BTreeSet<u32>) -> u32 {
    let hash = Sha256::new().chain_update(instance).chain_update([0]).chain_update(sandbox).finalize();
    let start = hash.iter().take(4).fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) % COUNT;
    // `taken` is far smaller than the range, so a free one comes soon.
    (0..COUNT).map(|step| FIRST + (start + step) % COUNT).find(|uid| !taken.contains(uid)).unwrap_or(FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_stable_in_range_and_tells_installations_apart() {
        let free = BTreeSet::new();
        let uid = owner_uid("one", "s1", &free);
        assert_eq!(uid, owner_uid("one", "s1", &free));
        assert!((FIRST..FIRST + COUNT).contains(&uid));
        assert_ne!(uid, owner_uid("two", "s1", &free));
        assert_ne!(owner_uid("a", "bc", &free), owner_uid("ab", "c", &free));
    }

    #[test]
    fn gives_way_to_one_that_is_taken() {
        let first = owner_uid("one", "s1", &BTreeSet::new());
        let second = owner_uid("one", "s1", &BTreeSet::from([first]));
        assert_eq!(second, owner_uid("one", "s1", &BTreeSet::from([first, 1, 2])));
        assert_ne!(first, second);
    }
}
