//! Makes the next registry and summaries from those that are here and what changed, in place of fetching them.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::SyncError;
use super::changes::Changes;
use super::fetch::Arrivals;
use super::limits::SyncLimits;
use super::registry::{IndexFile, Registry};
use super::source::View;
use crate::model::Crc32;

/// Name of the summaries while they are made.
const PART: &str = "part-summaries";

/// The state that changes are applied to.
pub(crate) struct Base<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) registry: &'a Registry,
}

/// The view after `changes`, its summaries among the arrivals; or why it cannot be made. That the summaries match their
/// checksum says that `base` is what the server takes it for: where they don't, nothing of it is believed.
///
/// # Errors
/// If the disk fails.
pub(crate) fn apply(
    changes: &Changes,
    base: &Base<'_>,
    arrivals: &Arrivals,
    limits: &SyncLimits,
) -> Result<Result<Box<View>, String>, SyncError> {
    let text = read(&base.folder.join("registry.json"), limits.registry_bytes_max)?.unwrap_or_default();
    let (registry, text) = match changes.registry(base.registry, &text) {
        Ok((registry, _)) if registry.files.len() > limits.files_max => {
            return Ok(Err("there are too many files".to_owned()));
        }
        Ok(made) => made,
        Err(why) => return Ok(Err(why)),
    };
    let summaries = |registry: &Registry| registry.files.get(&IndexFile::Summaries).copied();
    if let Some(listed) = summaries(&registry)
        && summaries(base.registry) != Some(listed)
    {
        let old = base.folder.join(IndexFile::Summaries.local_path());
        if !make_summaries(changes, &old, listed, arrivals, limits.summaries_bytes_max)? {
            return Ok(Err("they do not lead to the summaries of the server".to_owned()));
        }
    }
    Ok(Ok(Box::new(View { registry, text, etag: None, is_public: changes.is_public })))
}

/// Lets the summaries with the checksum `listed` arrive, made from the file at `old`, which is read into memory if it
/// has at most `bytes_max` bytes. Answers whether they did: `false` if what `changes` tells leads elsewhere.
///
/// # Errors
/// If the disk fails.
fn make_summaries(
    changes: &Changes,
    old: &Path,
    listed: Crc32,
    arrivals: &Arrivals,
    bytes_max: u64,
) -> Result<bool, SyncError> {
    let Some(text) = read(old, bytes_max)? else { return Ok(false) };
    let Some(pieces) = changes.summaries(&text) else { return Ok(false) };
    let mut crc = crc32fast::Hasher::new();
    pieces.iter().for_each(|piece| crc.update(piece));
    if Crc32(crc.finalize()) != listed {
        return Ok(false);
    }
    let part = arrivals.folder.join(PART);
    let disk = &arrivals.disk;
    let written = disk.create(&part).and_then(|file| {
        let mut file = BufWriter::with_capacity(64 << 10, file);
        pieces.iter().try_for_each(|piece| file.write_all(piece))?;
        file.flush()
    });
    written.map_err(SyncError::disk(&part))?;
    let path = arrivals.path(&IndexFile::Summaries, listed);
    disk.rename(&part, &path).map_err(SyncError::disk(&path))?;
    Ok(true)
}

/// The text of a file, if it is there and has at most `bytes_max` bytes.
fn read(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, SyncError> {
    let is_bearable = std::fs::metadata(path).map(|metadata| metadata.len() <= bytes_max);
    match is_bearable.and_then(|is_bearable| is_bearable.then(|| std::fs::read(path)).transpose()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(SyncError::disk(path)(error)),
        text => Ok(text.ok().flatten()),
    }
}
