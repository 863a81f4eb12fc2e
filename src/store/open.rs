//! The open store: entities and blobs of one data directory, read by snapshots and changed by jobs.
//!
//! A job runs inside a commit that many jobs may share; what it answers reaches its submitter only when the commit is
//! durable and the observer has seen it.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use redb::{ReadTransaction, WriteTransaction};

use super::StorageError;
use super::blobs::{
    BeginError, BlobOptions, BlobReader, BlobWriter, Blobs, Collected, Packed, ReadError, Survey, Usage, ledger,
};
use super::edit::{Changes, Edit, Scratchpad};
use super::file::{EveryTable, FileOptions, Lane, Make, Observer, RedbFile, Transaction, WriteError};
use super::index_rows::IndexEdit;
use super::media::{DirMedia, Media, OpenDirError};
use super::rows::Rows;
use super::tables;
use crate::model::{Durations, Sha256};

/// The version of the layout that this program writes, and the newest that it reads.
const FORMAT: u64 = 5;
/// The first version that counts what users store.
const FORMAT_WITH_STORED_BYTES: u64 = 2;
/// The first version whose sort keys know dates and PEP 440.
const FORMAT_WITH_KEYS_OF_DATES: u64 = 5;
/// The first version whose files have roles.
const FORMAT_WITH_FILE_ROLES: u64 = 5;
/// The name of the entity file.
pub(super) const ENTITIES: &str = "packhouse.redb";
/// About what the job of one request writes, in bytes; it bounds the queue.
const JOB_WEIGHT_BYTES: usize = 4096;

/// How a store is opened.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// The most memory for pages of the entity file, in bytes.
    pub cache_bytes: usize,
    /// How blobs are kept.
    pub blobs: BlobOptions,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { cache_bytes: 32 << 20, blobs: BlobOptions::default() }
    }
}

/// Why a store could not be opened. The directory is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be used, or another process holds it.
    #[error(transparent)]
    Directory(#[from] OpenDirError),
    /// A file in it cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A restore has not ended.
    #[error("a backup was being restored into this directory, and that has not ended: run `packhouse restore` again")]
    UnfinishedRestore,
    /// It is a backup.
    #[error("this is a backup and no data directory: `packhouse restore` makes one of it")]
    Backup,
    /// A newer program wrote it.
    #[error("this data directory has format {found}; this Packhouse reads up to {FORMAT}: use a newer one")]
    NewerFormat {
        /// The format found.
        found: u64,
    },
}

/// A state of the entities that nothing changes any more.
pub type Snapshot = Rows<ReadTransaction>;

/// Who follows what commits change.
pub trait Follower: Send {
    /// Adds what follows from the changes to their commit. A commit that fails is followed by another call, or by none.
    ///
    /// # Errors
    /// If the file fails; the whole commit then fails.
    fn complete(&mut self, edit: &mut IndexEdit<'_, '_>, changes: &Changes) -> Result<(), StorageError>;

    /// Hears of a durable commit, before anybody is told of it.
    fn committed(&mut self, changes: Changes);
}

/// Who follows nothing.
pub(super) struct Nobody;

impl Follower for Nobody {
    fn complete(&mut self, _: &mut IndexEdit<'_, '_>, _: &Changes) -> Result<(), StorageError> {
        Ok(())
    }

    fn committed(&mut self, _: Changes) {}
}

/// A follower as the file knows it.
struct Following<F>(F);

impl<F: Follower> Observer<Scratchpad> for Following<F> {
    fn complete(&mut self, tx: &Transaction<'_>, scratchpad: &Scratchpad) -> Result<(), StorageError> {
        self.0.complete(&mut IndexEdit::new(tx), &scratchpad.changes)
    }

    fn committed(&mut self, scratchpad: Scratchpad) {
        self.0.committed(scratchpad.changes);
    }
}

/// The entities and blobs of one data directory.
#[derive(Debug)]
pub struct Store {
    entities: Arc<RedbFile<Scratchpad>>,
    blobs: Blobs,
    media: Arc<dyn Media>,
}

impl Store {
    /// Opens a data directory, making it if it is missing. `follower` follows what commits change.
    ///
    /// # Errors
    /// If another process holds the directory, it is damaged, or a newer program wrote it.
    pub fn open(dir: &Path, options: StoreOptions, follower: impl Follower + 'static) -> Result<Self, OpenError> {
        Self::open_media(Arc::new(DirMedia::open(dir)?), options, follower)
    }

    /// Opens the store on any medium.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub fn open_media(
        media: Arc<dyn Media>,
        options: StoreOptions,
        follower: impl Follower + 'static,
    ) -> Result<Self, OpenError> {
        let io = |error| StorageError::from_io(&error);
        if media.exists(super::backup::restore::UNFINISHED).map_err(io)? {
            return Err(OpenError::UnfinishedRestore);
        }
        if media.exists(super::backup::MANIFEST).map_err(io)? {
            return Err(OpenError::Backup);
        }
        let file = FileOptions { cache_bytes: options.cache_bytes, create_tables };
        let entities = Arc::new(RedbFile::open(Arc::clone(&media), ENTITIES, file, Following(follower))?);
        let found = Rows::new(entities.read()?).format()?;
        if let Some(found) = found.filter(|found| *found > FORMAT) {
            return Err(OpenError::NewerFormat { found });
        }
        if found != Some(FORMAT) {
            let bring_up = move |tx: &Transaction<'_>, scratch: &mut Scratchpad| {
                let mut edit = Edit::new(tx, scratch);
                if found.is_some_and(|found| found < FORMAT_WITH_STORED_BYTES) {
                    edit.count_all_stored()?;
                }
                if found.is_some_and(|found| found < FORMAT_WITH_KEYS_OF_DATES) {
                    edit.order_all_releases()?;
                    edit.bury_deleted_files()?;
                }
                if found.is_some_and(|found| found < FORMAT_WITH_FILE_ROLES) {
                    edit.keep_sidecar_archives()?;
                }
                Ok(edit.set_format(FORMAT)?)
            };
            entities
                .submit_now::<(), std::convert::Infallible, _>(Lane::Small, 0, bring_up)?
                .wait()
                .map_err(WriteError::into_storage)?;
        }
        let blobs = Blobs::open(Arc::clone(&media), options.blobs, Arc::clone(&entities) as _)?;
        Ok(Self { entities, blobs, media })
    }

    /// Everything as of the last commit.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(&self) -> Result<Snapshot, StorageError> {
        Ok(Rows::new(self.entities.read()?))
    }

    /// Runs `job` in the next commit. The job checks its rules and edits; if it refuses after having edited, what it
    /// did is undone. It may run more than once, of which the last counts. Dropping the future does not stop the job.
    ///
    /// # Errors
    /// The job's own, or those of the file.
    pub async fn write<T, E>(&self, job: impl FnMut(&mut Edit<'_, '_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        self.write_content(0, job).await
    }

    /// The same for a job that adopts content, of which it writes as much itself as [`StoredBlob::row_bytes`] says.
    ///
    /// # Errors
    /// The job's own, or those of the file.
    ///
    /// [`StoredBlob::row_bytes`]: super::StoredBlob::row_bytes
    pub async fn write_content<T, E>(
        &self,
        row_bytes: usize,
        mut job: impl FnMut(&mut Edit<'_, '_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let run = move |tx: &Transaction<'_>, scratch: &mut Scratchpad| {
            job(&mut Edit::new(tx, scratch)).map_err(WriteError::Rule)
        };
        self.entities.write(Lane::Small, JOB_WEIGHT_BYTES + row_bytes, run).await.map_err(|error| match error {
            WriteError::Rule(error) => error,
            WriteError::Storage(error) => E::from(error),
        })
    }

    /// Runs a job that has no rules, and blocks until it is durable.
    ///
    /// # Errors
    /// Those of the file.
    pub fn write_and_wait<T: Send + 'static>(
        &self,
        mut job: impl FnMut(&mut Edit<'_, '_>) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let run = move |tx: &Transaction<'_>, scratch: &mut Scratchpad| {
            job(&mut Edit::new(tx, scratch)).map_err(WriteError::<std::convert::Infallible>::Storage)
        };
        self.entities.submit_now(Lane::Small, JOB_WEIGHT_BYTES, run)?.wait().map_err(WriteError::into_storage)
    }

    /// Runs a job that nobody waits for, if the queue takes it.
    pub fn write_unawaited(&self, mut job: impl FnMut(&mut Edit<'_, '_>) -> Result<(), StorageError> + Send + 'static) {
        let run = move |tx: &Transaction<'_>, scratch: &mut Scratchpad| {
            job(&mut Edit::new(tx, scratch)).map_err(WriteError::<std::convert::Infallible>::Storage)
        };
        // Nobody waits: where the file takes no more work, such a job is dropped by design.
        drop(self.entities.submit_now(Lane::Small, JOB_WEIGHT_BYTES, run));
    }

    /// Begins to store content of that size, if it is known.
    ///
    /// # Errors
    /// If the disk has no room for it.
    pub fn begin_blob(&self, size_bytes: Option<u64>) -> Result<BlobWriter, StorageError> {
        self.blobs.begin(size_bytes).map_err(|error| match error {
            BeginError::DiskFull => StorageError::DiskFull,
            BeginError::Storage(error) => error,
        })
    }

    /// Takes up content of which parts were kept, as the only one who does: reads all of it once.
    ///
    /// # Errors
    /// If it is not there, is damaged, or the disk has no room for `left_bytes` more.
    pub async fn reopen_blob(&self, blob_id: u64, left_bytes: u64) -> Result<BlobWriter, ReadError> {
        self.blobs.reopen(blob_id, Some(left_bytes)).await
    }

    /// Finds the blob of that digest for reading, as `rows` see it.
    ///
    /// # Errors
    /// If it is not there.
    pub fn open_blob(&self, rows: &Snapshot, sha256: &Sha256) -> Result<BlobSource, StorageError> {
        let info = ledger::find(rows.source(), *sha256)?;
        let info = info.ok_or_else(|| StorageError::damaged("blob", format!("{sha256} is missing")))?;
        let size_bytes = info.size_bytes;
        let content = match ledger::row(rows.source(), info)? {
            Some(bytes) => SourceContent::AtHand(bytes),
            None => SourceContent::Stored { blobs: self.blobs.clone(), blob_id: info.blob_id },
        };
        Ok(BlobSource { content, size_bytes })
    }

    /// Waits until there is enough small content to be packed, or for some seconds.
    pub async fn packing_due(&self) {
        self.blobs.packing_due().await;
    }

    /// Moves small content out of the entity file, as far as it fills packs. Blocks, while there is more of it.
    ///
    /// # Errors
    /// If a file fails; the rest is left to the next call.
    pub fn pack(&self) -> Result<Packed, StorageError> {
        self.blobs.pack()
    }

    /// Removes what nobody refers to, and gives the space of mostly dead volumes back. Blocks, perhaps for minutes.
    ///
    /// # Errors
    /// If a file fails; the rest is left to the next call.
    pub fn collect(&self) -> Result<Collected, StorageError> {
        self.blobs.collect()
    }

    /// Counts all content and where it is. Blocks, for about a second per million blobs.
    ///
    /// # Errors
    /// If a file cannot be read or contradicts itself.
    pub fn survey(&self) -> Result<Survey, StorageError> {
        self.blobs.survey()
    }

    /// Says what takes room on the disk, with the number of blobs if `counts_blobs`. Blocks, for moments or for about a
    /// second per million blobs.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn usage(&self, counts_blobs: bool) -> Result<Usage, StorageError> {
        let mut usage = self.blobs.usage(&*self.media, counts_blobs)?;
        let entities_bytes = self.media.file_bytes(ENTITIES).map_err(|error| StorageError::from_io(&error))?;
        usage.entities_bytes = entities_bytes;
        Ok(usage)
    }

    /// How long commits of entities took, and how many jobs wait for one: small ones, and bulk.
    #[must_use]
    pub fn pace(&self) -> (Durations, [usize; 2]) {
        self.entities.pace()
    }

    pub(super) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    pub(super) fn media(&self) -> &Arc<dyn Media> {
        &self.media
    }

    /// Runs `look` on a snapshot of the entity file, perhaps twice.
    pub(super) fn look<T>(
        &self,
        look: impl FnMut(&ReadTransaction) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        self.entities.view(look)
    }

    /// How many volumes hold blobs.
    #[must_use]
    pub fn volume_count(&self) -> usize {
        self.blobs.volume_count()
    }

    /// Finishes accepted jobs and closes all files cleanly, so that the next start has nothing to repair. Blocks.
    pub fn close(&self) {
        // Blobs first: what they discard asks the ledger.
        self.blobs.close();
        self.entities.close();
    }
}

/// The content of one blob.
#[derive(Debug, Clone)]
pub struct BlobSource {
    content: SourceContent,
    size_bytes: u64,
}

#[derive(Debug, Clone)]
enum SourceContent {
    /// Small, and read with the entities.
    AtHand(Bytes),
    /// To be read by its name in the volumes.
    Stored { blobs: Blobs, blob_id: u64 },
}

impl BlobSource {
    /// Its length in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// A stream of the bytes in `range`.
    ///
    /// # Errors
    /// If the blob has been deleted meanwhile.
    pub fn reader(&self, range: Range<u64>) -> Result<BlobReader, ReadError> {
        match &self.content {
            SourceContent::AtHand(bytes) => Ok(BlobReader::of_bytes(bytes.clone(), range)),
            SourceContent::Stored { blobs, blob_id } => blobs.reader(*blob_id, range),
        }
    }
}

/// Shows all tables of the entity file, to be made or copied.
pub(super) fn every_table(tables: &mut impl EveryTable) -> Result<(), StorageError> {
    ledger::every_table(tables)?;
    tables::every_table(tables)
}

fn create_tables(tx: &WriteTransaction) -> Result<(), StorageError> {
    every_table(&mut Make(tx))
}

#[cfg(test)]
mod tests {
    use super::super::media::FaultMedia;
    use super::*;

    #[test]
    fn a_newer_format_is_refused_in_words_and_left_alone() {
        let media = FaultMedia::new();
        let open = || Store::open_media(Arc::new(media.clone()), StoreOptions::default(), Nobody);
        let store = open().unwrap();
        store.write_and_wait(|edit| edit.set_format(FORMAT + 7)).unwrap();
        store.close();
        let error = open().expect_err("a newer format").to_string();
        let found = FORMAT + 7;
        let words =
            format!("this data directory has format {found}; this Packhouse reads up to {FORMAT}: use a newer one");
        assert_eq!(error, words);
        assert_eq!(open().unwrap_err().to_string(), words, "it is still as new");
    }
}
