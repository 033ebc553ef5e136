use std::process::ExitCode;

/// The C library's allocator keeps the 19 MiB of every password hash, in an arena for each thread that made one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    bulkhead::cli::main()
}
