//! Where the tests stand: the project's folder.

use std::path::Path;

/// The top folder of the project.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
