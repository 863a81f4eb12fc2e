//! A backup becomes a data directory: in a place that holds nothing, all of it or nothing.
//!
//! The entities get their name last. Until then the place is no data directory, which the unfinished name says to
//! whoever opens it, and a later attempt may start over.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::StorageBackend;

use super::BackupError;
use super::manifest::{ENTITIES, Manifest, ManifestFile};
use super::read::{Sink, refuse_left_out};
use crate::model::Sha256;
use crate::store::StorageError;
use crate::store::check::{CheckDepth, check};
use crate::store::media::{Backend, Media, OpenMode};

/// The name of the entities until all is there and verified.
pub(crate) const UNFINISHED: &str = "packhouse.redb.restore";
/// What an empty place may hold.
const NOTHING: [&str; 2] = ["lock", "lost+found"];

/// A data directory that is being restored. Dropped before [`Restore::commit`], it leaves nothing.
#[derive(Debug)]
pub struct Restore {
    media: Arc<dyn Media>,
    written: Vec<String>,
    writing: Option<(Backend, u64)>,
    committed: bool,
}

impl Restore {
    /// Begins in a place that must hold nothing but what an interrupted attempt left there.
    ///
    /// # Errors
    /// If it holds something.
    pub fn into_media(media: Arc<dyn Media>) -> Result<Self, BackupError> {
        let io = |error| StorageError::from_io(&error);
        let held = |name: &str| {
            BackupError::Refused(format!("it holds {name} already; a backup is restored into an empty directory"))
        };
        if media.exists(ENTITIES).map_err(io)? {
            return Err(held(ENTITIES));
        }
        let was_begun = media.exists(UNFINISHED).map_err(io)?;
        for name in media.list("").map_err(io)? {
            let is_ours = was_begun && (name == UNFINISHED || name == "blobs");
            if !is_ours && !NOTHING.contains(&name.as_str()) {
                return Err(held(&name));
            }
        }
        let blobs = media.list("blobs").map_err(io)?;
        if let Some(name) = blobs.first().filter(|_| !was_begun) {
            return Err(held(&format!("blobs/{name}")));
        }
        for name in blobs {
            media.remove(&format!("blobs/{name}")).map_err(io)?;
        }
        media.remove(UNFINISHED).map_err(io)?;
        Ok(Self { media, written: Vec::new(), writing: None, committed: false })
    }

    /// Verifies what was written as a data directory, all content included, and answers how many contents that were.
    /// `reached` hears of how many of their bytes are read, and how many there are.
    ///
    /// # Errors
    /// [`BackupError::Unsound`], and if it cannot be read.
    pub async fn verify(&self, reached: &(dyn Fn(u64, u64) + Sync)) -> Result<u64, BackupError> {
        let media = Arc::clone(&self.media);
        let report = check(media, Some((ENTITIES, UNFINISHED)), CheckDepth::Content, reached).await?;
        if report.is_sound() { Ok(report.blobs) } else { Err(BackupError::Unsound(Box::new(report))) }
    }

    /// Makes what was written a data directory.
    ///
    /// # Errors
    /// Those of the medium.
    pub fn commit(mut self) -> Result<(), BackupError> {
        self.media.rename(UNFINISHED, ENTITIES).map_err(|error| StorageError::from_io(&error))?;
        self.committed = true;
        Ok(())
    }
}

impl Sink for Restore {
    fn begin(&mut self, manifest: &Manifest) -> Result<(), BackupError> {
        refuse_left_out(manifest)?;
        let free_bytes = self.media.free_bytes().map_err(|error| StorageError::from_io(&error))?;
        if free_bytes < manifest.size_bytes() {
            return Err(BackupError::Storage(StorageError::DiskFull));
        }
        Ok(())
    }

    fn begin_file(&mut self, file: &ManifestFile) -> Result<(), BackupError> {
        let name = if file.name == ENTITIES { UNFINISHED } else { &file.name };
        let opened = self.media.open(name, OpenMode::Create).map_err(|error| StorageError::from_io(&error))?;
        self.written.push(name.to_owned());
        self.writing = Some((opened, 0));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        let Some((file, at)) = &mut self.writing else { return Ok(()) };
        file.write(*at, bytes).map_err(|error| StorageError::from_io(&error))?;
        *at += bytes.len() as u64;
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), BackupError> {
        let Some((file, _)) = self.writing.take() else { return Ok(()) };
        Ok(file.sync_data().map_err(|error| StorageError::from_io(&error))?)
    }

    fn end(&mut self, _: &Manifest, _: &BTreeMap<String, Sha256>) -> Result<(), BackupError> {
        Ok(())
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        if self.committed {
            return;
        }
        self.writing = None;
        // The entities last: their unfinished name says that the rest is of no use.
        for name in self.written.iter().rev() {
            if let Err(error) = self.media.remove(name) {
                tracing::error!(name, %error, "what was restored in vain could not be removed");
            }
        }
    }
}
