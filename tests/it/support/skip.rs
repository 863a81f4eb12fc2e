//! Skipping: a test that cannot run on this machine says why, and `tests/run` counts it as skipped.
//!
//! With `CI=true`, a test never skips for something that `tests/run` installs: the test fails instead.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Command, Stdio};

/// Whether a program is installed. `tests/run` installs every program that the tests name. Without the program, the
/// calling test must skip.
///
/// # Panics
/// With `CI=true`, if the program is missing.
pub(crate) fn is_there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        skip_installable(&format!("{program} is not installed here"));
    }
    found
}

/// Records that the running test skips for want of something that `tests/run` installs.
///
/// # Panics
/// With `CI=true`.
pub(crate) fn skip_installable(reason: &str) {
    assert!(!is_ci(), "{reason}; tests/run installs it, and with CI=true nothing installable is skipped");
    skip(reason);
}

/// Records that the running test skips for want of something that nobody can install, such as data or room on the disk.
/// The file that `IT_SKIPS` names gets a line per skip, for the output of a test that passes is not shown.
pub(crate) fn skip(reason: &str) {
    let thread = std::thread::current();
    let line = format!("SKIPPED: {}: {reason}\n", thread.name().unwrap_or("a test"));
    print!("{line}");
    if let Some(path) = std::env::var_os("IT_SKIPS") {
        let mut file =
            OpenOptions::new().create(true).append(true).open(path).expect("the list of skips can be written");
        file.write_all(line.as_bytes()).expect("the list of skips can be written");
    }
}

fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}
