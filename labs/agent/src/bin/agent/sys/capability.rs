//! Capability sets of this process.

use nix::errno::Errno;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const VERSION_3: u32 = 0x2008_0522;
/// More than any kernel has; a number it does not know is refused, and that ends the loop.
const HIGHEST: u8 = 63;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sets {
    pub(crate) effective: u64,
    pub(crate) permitted: u64,
    pub(crate) inheritable: u64,
}

#[expect(unsafe_code, reason = "capget has no wrapper")]
pub(crate) fn get() -> nix::Result<Sets> {
    let header = Header { version: VERSION_3, pid: 0 };
    let mut halves = [Half::default(); 2];
    // SAFETY: version 3 reads a header and writes two halves.
    Errno::result(unsafe { libc::syscall(libc::SYS_capget, &raw const header, halves.as_mut_ptr()) })?;
    let whole = |of: fn(&Half) -> u32| u64::from(of(&halves[0])) | u64::from(of(&halves[1])) << 32;
    Ok(Sets {
        effective: whole(|h| h.effective),
        permitted: whole(|h| h.permitted),
        inheritable: whole(|h| h.inheritable),
    })
}

#[expect(unsafe_code, reason = "capset has no wrapper")]
pub(crate) fn set(sets: Sets) -> nix::Result<()> {
    let header = Header { version: VERSION_3, pid: 0 };
    let half = |shift: u32| {
        let low = |value: u64| u32::try_from(value >> shift & u64::from(u32::MAX)).unwrap_or_default();
        Half { effective: low(sets.effective), permitted: low(sets.permitted), inheritable: low(sets.inheritable) }
    };
    let halves = [half(0), half(32)];
    // SAFETY: version 3 reads a header and two halves.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw const header, halves.as_ptr()) }).map(|_| ())
}

/// Makes everything permitted effective; a change of user id has cleared it.
pub(crate) fn raise() -> nix::Result<()> {
    let sets = get()?;
    set(Sets { effective: sets.permitted, ..sets })
}

/// Gives up every capability, for good.
pub(crate) fn drop_all() -> nix::Result<()> {
    bound(0)?;
    set(Sets::default())
}

/// Takes every capability that is not in `keep` out of the bounding set.
pub(crate) fn bound(keep: u64) -> nix::Result<()> {
    for number in (0..=HIGHEST).filter(|number| keep >> number & 1 == 0) {
        match control(libc::PR_CAPBSET_DROP, libc::c_ulong::from(number), 0) {
            Err(Errno::EINVAL) => break,
            // Without CAP_SETPCAP there is nothing that could be regained through an exec of ours either.
            Err(Errno::EPERM) | Ok(()) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

/// Makes exactly `ambient` ambient. Each must be permitted and inheritable.
pub(crate) fn ambient(ambient: u64) -> nix::Result<()> {
    control(libc::PR_CAP_AMBIENT, clear_all(), 0)?;
    for number in (0..=HIGHEST).filter(|number| ambient >> number & 1 == 1) {
        control(libc::PR_CAP_AMBIENT, raise_ambient(), libc::c_ulong::from(number))?;
    }
    Ok(())
}

fn clear_all() -> libc::c_ulong {
    libc::c_ulong::try_from(libc::PR_CAP_AMBIENT_CLEAR_ALL).unwrap_or_default()
}

fn raise_ambient() -> libc::c_ulong {
    libc::c_ulong::try_from(libc::PR_CAP_AMBIENT_RAISE).unwrap_or_default()
}

#[expect(unsafe_code, reason = "prctl options without a wrapper")]
fn control(option: libc::c_int, first: libc::c_ulong, second: libc::c_ulong) -> nix::Result<()> {
    // SAFETY: the options above take numbers, no pointers.
    Errno::result(unsafe { libc::prctl(option, first, second, 0 as libc::c_ulong, 0 as libc::c_ulong) }).map(|_| ())
}
