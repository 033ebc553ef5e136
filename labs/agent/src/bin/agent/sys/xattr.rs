//! Extended attributes.

use std::{ffi::CStr, os::fd::AsFd};

use nix::errno::Errno;

use super::rooted;

/// The beginning of an attribute's value; `None`: there is none, or none that we may see.
#[expect(unsafe_code, reason = "getxattr has no wrapper")]
pub(crate) fn get(of: impl AsFd, name: &CStr) -> Option<Vec<u8>> {
    let path = std::ffi::CString::new(rooted::through(of).into_os_string().into_encoded_bytes()).ok()?;
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
