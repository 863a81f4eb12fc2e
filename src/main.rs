//! The command `packhouse`: hands over to the library.

use std::process::ExitCode;

/// musl's own allocator makes a handler several times slower.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    packhouse::cli::run(&words)
}
