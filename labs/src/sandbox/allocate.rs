//! Owner ids, and the ids of a sandbox's machines.
//!
//! The kernel counts a user's inotify instances, keys and namespaces over all sandboxes of the same owner, so each gets one
//! of its own. Machines' ids are the same in every sandbox: the trees in its image are written with them.

use std::collections::BTreeSet;

use bulkhead_agent::boot::MachineKind;
use sha2::{Digest, Sha256};

/// Free by convention: systemd hands out container ids below, and nothing above 2^31.
const FIRST: u32 = 0x7000_0000;
const COUNT: u32 = 0x1000_0000;

/// Between the first ids of two machines; more than a machine has.
const APART: u32 = 100_000;

/// First id of the `number`th machine without an engine, from 0.
pub(crate) fn plain_id_base(number: usize) -> u32 {
    u32::try_from(number).map_or(u32::MAX, |number| (number + 3) * APART)
}

/// First ids of machines of these kinds, in this order: the Docker host's and the (first) probe's are always the same, and so
/// are those of the first, second, … plain machine. Other probes have what is left.
pub(crate) fn id_bases(kinds: impl Iterator<Item = MachineKind>) -> Vec<u32> {
    let kinds: Vec<MachineKind> = kinds.collect();
    let mut others = kinds.iter().filter(|kind| kind.is_plain()).count();
    let (mut plain, mut host, mut probe) = (0, Some(APART), Some(2 * APART));
    let next = |count: &mut usize| {
        *count += 1;
        plain_id_base(*count - 1)
    };
    let id_base = |kind: MachineKind| match kind {
        MachineKind::DockerHost => host.take().unwrap_or_else(|| next(&mut others)),
        MachineKind::Probe => probe.take().unwrap_or_else(|| next(&mut others)),
        _ => next(&mut plain),
    };
    kinds.into_iter().map(id_base).collect()
}

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
    fn machines_of_a_kind_have_the_same_ids_in_every_lab() {
        use MachineKind::{Attacker, DockerHost, Plain, Probe, Registry};
        let ids = |kinds: &[MachineKind]| id_bases(kinds.iter().copied());
        assert_eq!(ids(&[DockerHost, Probe]), [100_000, 200_000]);
        assert_eq!(ids(&[Plain, Probe, DockerHost, Registry]), [300_000, 200_000, 100_000, 400_000]);
        assert_eq!(ids(&[Probe, Probe, Attacker]), [200_000, 400_000, 300_000]);
        let all = ids(&[Plain, Probe, Plain, DockerHost, Probe, Attacker, Probe, Registry]);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 8, "{all:?}");
    }

    #[test]
    fn gives_way_to_one_that_is_taken() {
        let first = owner_uid("one", "s1", &BTreeSet::new());
        let second = owner_uid("one", "s1", &BTreeSet::from([first]));
        assert_eq!(second, owner_uid("one", "s1", &BTreeSet::from([first, 1, 2])));
        assert_ne!(first, second);
    }
}
