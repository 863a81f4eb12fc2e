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

/// What was restored.
pub(super) struct Restored {
    manifest: Manifest,
    /// Contents that were read and compared with their digests.
    blobs: u64,
}

/// Restores.
///
/// # Errors
/// Why it failed: the directory is then as it was.
pub fn run(args: &RestoreArgs, output: &Output) -> Result<(), Failure> {
    let progress = output.progress();
    let restored = into(&args.data, &*progress, |sink| read(&args.from, sink, &*progress))?;
    drop(progress);
    tell("restored", &restored, &args.data, output)
}

/// Makes a data directory of what `fill` brings, if all of it is right.
///
/// # Errors
/// Why it is none: the directory is then as it was.
pub(super) fn into(
    data: &Path,
    progress: &dyn Progress,
    fill: impl FnOnce(Restore) -> Result<(Restore, Manifest), Failure>,
) -> Result<Restored, Failure> {
    let was_there = data.exists();
    let restored = fill_and_verify(data, progress, fill);
    if restored.is_err() && !was_there {
        // Of a directory that was made for this, nothing is left. What else may be in it meanwhile stays.
        let _ = std::fs::remove_file(data.join("lock"));
        let _ = std::fs::remove_dir(data.join("blobs"));
        let _ = std::fs::remove_dir(data);
    }
    restored.map_err(|failure| failure.and(&format!("; nothing was restored into {}", data.display())))
}

fn fill_and_verify(
    data: &Path,
    progress: &dyn Progress,
    fill: impl FnOnce(Restore) -> Result<(Restore, Manifest), Failure>,
) -> Result<Restored, Failure> {
    let media = Arc::new(DirMedia::open(data).map_err(Failure::of)?);
    let sink = Restore::into_media(media);
    let sink = sink.map_err(|error| Failure::Failed(format!("{}: {error}", data.display())))?;
    let (sink, manifest) = fill(sink)?;
    let reached = |done, all| {
        if done == 0 {
            progress.begin(Task::Digest { bytes: all });
        }
        progress.reached(done);
    };
    let blobs = connect::block_on(async { sink.verify(&reached).await.map_err(Failure::of) })?;
    sink.commit().map_err(Failure::of)?;
    Ok(Restored { manifest, blobs })
}

/// Tells what was restored, or copied.
///
/// # Errors
/// If it cannot be told.
pub(super) fn tell(done: &str, restored: &Restored, data: &Path, output: &Output) -> Result<(), Failure> {
    let Restored { manifest, blobs } = restored;
    let words = format!(
        "{done} {} as of serial {}, {}: {}, {} verified",
        data.display(),
        manifest.serial,
        manifest.made,
        human_bytes(manifest.whole_bytes()),
        count(*blobs, "content"),
    );
    let value = json!({
        "data": data.display().to_string(),
        "serial": manifest.serial,
        "made": manifest.made,
        "restored_bytes": manifest.whole_bytes(),
        "blobs_verified": blobs,
    });
    output.result(&words, &value)
}

fn read(from: &str, sink: Restore, progress: &dyn Progress) -> Result<(Restore, Manifest), Failure> {
    if from == "-" {
        return read_stream(&mut std::io::stdin().lock(), "standard input", sink, progress);
    }
    let path = Path::new(from);
    if path.is_dir() {
        let folder = newest_backup(path).map_err(Failure::of)?;
        let reached = |manifest: &Manifest, done: u64| {
            if done == 0 {
                progress.begin(Task::Copy { bytes: manifest.whole_bytes() });
            }
            progress.reached(done);
        };
        return read_folder(&folder, sink, reached).map_err(Failure::of);
    }
    let mut file = File::open(path).map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
    read_stream(&mut file, from, sink, progress)
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
