//! `packhouse restore`: a backup into a directory that holds nothing, and what came of it into words.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::args::RestoreArgs;
use super::export::count;
use super::output::Output;
use super::units::human_bytes;
use super::{Failure, connect};
use crate::client::progress::{Progress, Task};
use crate::store::backup::{BackupReader, Manifest, Restore, newest_backup, read_folder};
use crate::store::media::DirMedia;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 512 << 10;

/// Restores.
///
/// # Errors
/// Why it failed: the directory is then as it was.
pub fn run(args: &RestoreArgs, output: &Output) -> Result<(), Failure> {
    let was_there = args.data.exists();
    let restored = restore(args, output);
    if restored.is_err() && !was_there {
        // Of a directory that was made for this, nothing is left. What else may be in it meanwhile stays.
        let _ = std::fs::remove_file(args.data.join("lock"));
        let _ = std::fs::remove_dir(args.data.join("blobs"));
        let _ = std::fs::remove_dir(&args.data);
    }
    let (manifest, blobs) =
        restored.map_err(|failure| failure.and(&format!("; nothing was restored into {}", args.data.display())))?;
    let words = format!(
        "restored {} as of serial {}, backed up {}: {}, {} verified",
        args.data.display(),
        manifest.serial,
        manifest.made,
        human_bytes(manifest.whole_bytes()),
        count(blobs, "content"),
    );
    let value = json!({
        "data": args.data.display().to_string(),
        "serial": manifest.serial,
        "made": manifest.made,
        "restored_bytes": manifest.whole_bytes(),
        "blobs_verified": blobs,
    });
    output.result(&words, &value)
}

fn restore(args: &RestoreArgs, output: &Output) -> Result<(Manifest, u64), Failure> {
    let media = Arc::new(DirMedia::open(&args.data).map_err(Failure::of)?);
    let sink =
        Restore::into_media(media).map_err(|error| Failure::Failed(format!("{}: {error}", args.data.display())))?;
    let progress = output.progress();
    let (sink, manifest) = if args.from == "-" {
        read_stream(&mut std::io::stdin().lock(), "standard input", sink, &*progress)?
    } else {
        let path = Path::new(&args.from);
        let failed = |error| Failure::Failed(format!("{}: {error}", path.display()));
        if path.is_dir() {
            let folder = newest_backup(path).map_err(Failure::of)?;
            let reached = |manifest: &Manifest, done: u64| {
                if done == 0 {
                    progress.begin(Task::Copy { bytes: manifest.whole_bytes() });
                }
                progress.reached(done);
            };
            read_folder(&folder, sink, reached).map_err(Failure::of)?
        } else {
            let mut file = File::open(path).map_err(failed)?;
            read_stream(&mut file, &args.from, sink, &*progress)?
        }
    };
    let reached = |done, all| {
        if done == 0 {
            progress.begin(Task::Digest { bytes: all });
        }
        progress.reached(done);
    };
    let blobs = connect::block_on(async { sink.verify(&reached).await.map_err(Failure::of) })?;
    sink.commit().map_err(Failure::of)?;
    Ok((manifest, blobs))
}

fn read_stream(
    from: &mut dyn Read,
    name: &str,
    sink: Restore,
    progress: &dyn Progress,
) -> Result<(Restore, Manifest), Failure> {
    let mut reader = BackupReader::new(sink);
    let mut buffer = vec![0; PIECE_BYTES];
    let (mut done, mut began) = (0, false);
    loop {
        let count = from.read(&mut buffer).map_err(|error| Failure::Failed(format!("{name}: {error}")))?;
        if count == 0 {
            break;
        }
        reader.take(&buffer[..count]).map_err(|error| Failure::Failed(format!("{name}: {error}")))?;
        done += count as u64;
        if let Some(manifest) = reader.manifest().filter(|_| !began) {
            progress.begin(Task::Copy { bytes: manifest.size_bytes() });
            began = true;
        }
        progress.reached(done);
    }
    reader.finish().map_err(|error| Failure::Failed(format!("{name}: {error}")))
}
