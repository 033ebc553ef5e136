//! Extended attributes.

use std::{
    ffi::{CStr, CString},
    os::fd::AsFd,
    path::Path,
};

use nix::errno::Errno;

use super::rooted;

/// The beginning of an attribute's value; `None`: there is none, or none that we may see.
#[expect(unsafe_code, reason = "getxattr has no wrapper")]
pub(crate) fn get(of: impl AsFd, name: &CStr) -> Option<Vec<u8>> {
    let path = CString::new(rooted::through(of).into_os_string().into_encoded_bytes()).ok()?;
    let mut value = [0_u8; 256];
    // SAFETY: both texts end with NUL, and the kernel writes at most as many bytes as the buffer holds.
    let length =
        unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast::<libc::c_void>(), value.len()) };
    match Errno::result(length) {
        Ok(length) => value.get(..usize::try_from(length).ok()?).map(<[u8]>::to_vec),
        // A longer one is one all the same.
        Err(Errno::ERANGE) => Some(value.to_vec()),
        Err(_) => None,
    }
}

/// Sets an attribute of what `path` names.
#[expect(unsafe_code, reason = "setxattr has no wrapper")]
pub(crate) fn set(path: &Path, name: &CStr, value: &[u8]) -> nix::Result<()> {
    let path = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: both texts end with NUL, and the kernel reads as many bytes as the value has.
    let set =
        unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast::<libc::c_void>(), value.len(), 0) };
    Errno::result(set).map(|_| ())
}
