//! `packhouse compact`: a stopped server's directory made small, and what came of it into words.

use std::sync::Arc;

use serde_json::json;

use super::Failure;
use super::args::CompactArgs;
use super::in_process::require_directory;
use super::output::Output;
use super::units::human_bytes;
use crate::store::StoreOptions;
use crate::store::compact::compact;
use crate::store::media::{DirMedia, Media};

/// Compacts a directory.
///
/// # Errors
/// If the directory is in use, damaged, or the disk is full. It is whole in any case.
pub fn run(args: &CompactArgs, output: &Output) -> Result<(), Failure> {
    require_directory(&args.data)?;
    let media: Arc<dyn Media> = Arc::new(DirMedia::open(&args.data).map_err(Failure::of)?);
    let done = compact(&media, StoreOptions::default()).map_err(Failure::of)?;
    let words = format!(
        "{}: {} before, {} now",
        args.data.display(),
        human_bytes(done.before_bytes),
        human_bytes(done.after_bytes)
    );
    output.result(&words, &json!({ "before_bytes": done.before_bytes, "after_bytes": done.after_bytes }))
}
