//! V: our program where the engine's `exec` started it. Whatever it finds there is hostile, and so may the filter be under
//! which it runs: it begins before Rust's own start-up, which gives up where `poll` is refused.

use std::{
    ffi::CStr,
    fs::{File, OpenOptions},
    io::{Read, Write},
};

use bulkhead_agent::look::errand::Errand;

use super::{MOST_REPORT, errands, hold::Way};
use crate::sys::fork;

/// Runs before `main`, with its arguments: as a visitor it never comes back, else it does nothing.
#[expect(unsafe_code, reason = "a function that the loader calls before `main` has no safe form")]
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn(libc::c_int, *const *const libc::c_char) = before_main;

extern "C" fn before_main(count: libc::c_int, arguments: *const *const libc::c_char) {
    if count == 5 && argument(arguments, 1) == Some("visit") {
        let number = |at| argument(arguments, at).and_then(|text| text.parse().ok());
        let way = (|| Some(Way { pid: number(2)?, errands: number(3)?, report: number(4)? }))();
        fork::end(if way.and_then(visit).is_some() { 0 } else { 70 });
    }
}

#[expect(unsafe_code, reason = "arguments come as C has them")]
fn argument<'a>(arguments: *const *const libc::c_char, at: usize) -> Option<&'a str> {
    // SAFETY: the loader passes what `main` will get: as many pointers to texts as it says, and the caller has looked at
    // that number.
    let text = unsafe { CStr::from_ptr(*arguments.add(at)) };
    text.to_str().ok()
}

fn visit(way: Way) -> Option<()> {
    let path = |fd: i32| format!("/proc/{}/fd/{fd}", way.pid);
    let mut report = OpenOptions::new().write(true).open(path(way.report)).ok()?;
    let from = File::open(path(way.errands)).ok()?;
    writeln!(report, "{}", std::process::id()).ok()?;
    // They come once the platform has seen who we are.
    let mut text = Vec::new();
    from.take(MOST_REPORT).read_to_end(&mut text).ok()?;
    let errands: Vec<Errand> = serde_json::from_slice(&text).ok()?;
    errands::perform(&errands, &mut report).ok()
}
