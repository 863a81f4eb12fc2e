//! Makes the next registry and summaries from those that are here and what changed, in place of fetching them.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SyncError;
use super::changes::Changes;
use super::fetch::Arrivals;
use super::limits::SyncLimits;
use super::registry::{IndexFile, Registry};
use super::source::View;
use crate::model::Crc32;

/// Name of the summaries while they are made.
const PART: &str = "part-summaries";

/// Name of a package's text while it is written.
const TEXT_PART: &str = "part-text";

/// The state that changes are applied to.
pub(crate) struct Base {
    pub(crate) registry: Arc<Registry>,
    pub(crate) text: BaseText,
    /// Where its summaries are, and the checksum of what is there. They may be of a later state than the registry: what
    /// did not change since then is the same in both.
    pub(crate) summaries: Option<(PathBuf, Crc32)>,
}

/// The text of `registry.json`.
pub(crate) enum BaseText {
    /// In this file.
    File(PathBuf),
    /// In memory.
    Bytes(Vec<u8>),
}

/// The view after `changes`, its summaries and the texts of packages that came along among the arrivals; or why it
/// cannot be made. That the summaries match their checksum says that `base` is what the server takes it for: where they
/// don't, nothing of it is believed.
///
/// # Errors
/// If the disk fails.
pub(crate) fn apply(
    changes: &Changes,
    base: &Base,
    arrivals: &Arrivals,
    limits: &SyncLimits,
) -> Result<Result<Box<View>, String>, SyncError> {
    let text = match &base.text {
        BaseText::File(path) => Cow::Owned(read(path, limits.registry_bytes_max)?.unwrap_or_default()),
        BaseText::Bytes(text) => Cow::Borrowed(text.as_slice()),
    };
    let (registry, text) = match changes.registry(&base.registry, &text) {
        Ok((registry, _)) if registry.files.len() > limits.files_max => {
            return Ok(Err("there are too many files".to_owned()));
        }
        Ok(made) => made,
        Err(why) => return Ok(Err(why)),
    };
    if let Some(listed) = registry.files.get(&IndexFile::Summaries).copied()
        && base.summaries.as_ref().is_none_or(|(_, crc)| *crc != listed)
    {
        let made = match &base.summaries {
            Some((old, _)) => make_summaries(changes, old, listed, arrivals, limits.summaries_bytes_max)?,
            None => false,
        };
        if !made {
            return Ok(Err("they do not lead to the summaries of the server".to_owned()));
        }
    }
    for (name, text) in &changes.texts {
        let part = arrivals.folder.join(TEXT_PART);
        let disk = &arrivals.disk;
        let written = disk.create(&part).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(SyncError::disk(&part))?;
        let path = arrivals.path(&IndexFile::Package(name.clone()), Crc32::of(text.as_bytes()));
        disk.rename(&part, &path).map_err(SyncError::disk(&path))?;
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
