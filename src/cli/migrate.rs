//! `packhouse migrate`: a stopped server's directory copied to another place, verified there.

use super::args::MigrateArgs;
use super::output::Output;
use super::{Failure, connect, in_process, restore};
use crate::client::progress::Task;
use crate::store::backup::BackupReader;

/// Copies.
///
/// # Errors
/// Why it failed: the new directory is then as it was, and the old one is in any case.
pub fn run(args: &MigrateArgs, output: &Output) -> Result<(), Failure> {
    in_process::require_directory(&args.from_dir)?;
    let progress = output.progress();
    let copied = restore::into(&args.data, &*progress, |sink| {
        in_process::with_registry(&args.from_dir, |registry| {
            connect::block_on(async {
                let mut backup = registry.begin_own_backup(Default::default()).await.map_err(Failure::of)?;
                progress.begin(Task::Copy { bytes: backup.len_bytes() });
                let mut reader = BackupReader::new(sink);
                let mut done = 0;
                while let Some(bytes) = backup.next().await.map_err(Failure::of)? {
                    reader.take(&bytes).map_err(Failure::of)?;
                    done += bytes.len() as u64;
                    progress.reached(done);
                }
                reader.finish().map_err(Failure::of)
            })
        })
    })?;
    drop(progress);
    restore::tell("copied into", &copied, &args.data, output)
}
