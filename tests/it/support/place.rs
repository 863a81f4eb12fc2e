//! Where the tests stand: the project's folder and the programs of this machine.

use std::path::Path;
use std::process::{Command, Stdio};

/// The top folder of the project.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether a program is installed; where it is not, says that the test skips.
pub(crate) fn is_there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        println!("SKIPPED: {program} is not installed here");
    }
    found
}
