//! Dying on purpose, for the crash tests: a debug build told so by its environment ends there as `kill -9` would end it.

/// Ends the process here if `BULKHEAD_TEST_CRASH_AT` names this point. Release builds do not look.
pub(crate) fn point(name: &str) {
    #[cfg(debug_assertions)]
    if std::env::var_os("BULKHEAD_TEST_CRASH_AT").is_some_and(|at| at == name) {
        std::process::abort();
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
