//! Makes a backup: copies what changes, then gives out the bytes piece by piece.
//!
//! Owns the order that makes it consistent: nothing is removed any more, then the entities are copied as of one commit,
//! then the volume that is written, which has everything they refer to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use redb::{ReadableDatabase, StorageBackend};

use super::manifest::{self, DIGESTS, Digests, ENTITIES, MANIFEST, Manifest, ManifestFile, json};
use super::spool::Spool;
use super::tar::{self, BLOCK_BYTES, END_BYTES, Header};
use crate::model::{Sha256, Timestamp};
use crate::store::blobs::volumes_of_backup::{every_table as every_table_of_volume, file_name, number_of_file};
use crate::store::blobs::{Blobs, Hold, ledger};
use crate::store::file::{Copy, StorageError};
use crate::store::media::{Backend, Media, OpenMode};
use crate::store::open::{Store, every_table};
use crate::store::rows::Rows;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 512 << 10;

/// A backup that is being given out. Nothing is removed from the store as long as this lives.
#[derive(Debug)]
pub struct Backup {
    manifest: Manifest,
    manifest_sha256: Sha256,
    media: Arc<dyn Media>,
    blobs: Blobs,
    copies: BTreeMap<String, Arc<Backend>>,
    steps: VecDeque<Step>,
    reading: Option<Reading>,
    digests: BTreeMap<String, Sha256>,
    _hold: Hold,
}

/// What comes next.
#[derive(Debug)]
enum Step {
    Bytes(Bytes),
    /// The content of the file with that index.
    File(usize),
    Digests,
}

struct Reading {
    index: usize,
    file: Arc<Backend>,
    at: u64,
    sha256: ring::digest::Context,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("index", &self.index).field("at", &self.at).finish_non_exhaustive()
    }
}

impl Store {
    /// Begins a backup of this moment. Sealed volumes that are in `known` with their digests are left out. Blocks while
    /// the entities and the volume that is written are copied, at the speed of the disk; nobody else waits.
    ///
    /// # Errors
    /// Those of the files; [`StorageError::DiskFull`] if there is no room for the copies.
    pub fn begin_backup(&self, known: &BTreeMap<u32, Sha256>, made: Timestamp) -> Result<Backup, StorageError> {
        let io = |error| StorageError::from_io(&error);
        let blobs = self.blobs().clone();
        let media = Arc::clone(self.media());
        let hold = blobs.hold();
        blobs.seal_if_large()?;
        let entities_bytes = media.file_bytes(ENTITIES).map_err(io)?;
        let _room = blobs.reserve(entities_bytes.saturating_add(blobs.active_bytes()))?;

        let (entities, seen) = self.look(|snapshot| {
            let spool = Spool::new(&*media)?;
            let mut database = spool.database()?;
            let mut copy = Copy::new(snapshot, &database);
            crate::store::file::own_tables(&mut copy)?;
            every_table(&mut copy)?;
            copy.finish()?;
            let copied = database.begin_read()?;
            let seen = (ledger::live_bytes(&copied)?, ledger::volume_digests(&copied)?, Rows::new(copied).serial()?);
            compact(&mut database)?;
            Ok((spool, seen))
        })?;
        let (live, digests, serial) = seen;
        let (active, written) = blobs.copy_active(|snapshot| {
            let spool = Spool::new(&*media)?;
            let mut database = spool.database()?;
            let mut copy = Copy::new(snapshot, &database);
            crate::store::file::own_tables(&mut copy)?;
            every_table_of_volume(&mut copy)?;
            copy.finish()?;
            compact(&mut database)?;
            Ok(spool)
        })?;

        let mut copies = BTreeMap::new();
        let mut files = Vec::new();
        let mut add_copy = |name: String, spool: Spool| {
            let file = spool.into_file();
            let size_bytes = file.len().map_err(io)?;
            copies.insert(name.clone(), file);
            Ok::<_, StorageError>(ManifestFile { name, size_bytes, sha256: None, left_out: false })
        };
        files.push(add_copy(ENTITIES.to_owned(), entities)?);
        let sealed = live.into_iter().filter(|(number, bytes)| *number < active && *bytes > 0);
        for (number, _) in sealed {
            let size_bytes = media.open(&file_name(number), OpenMode::Existing).and_then(|file| file.len());
            let digest = digests.get(&number);
            files.push(ManifestFile {
                sha256: digest.map(ToString::to_string),
                left_out: digest.is_some() && digest == known.get(&number),
                ..ManifestFile::volume(number, size_bytes.map_err(io)?)
            });
        }
        files.push(add_copy(file_name(active), written)?);

        let manifest = Manifest {
            packhouse_backup: manifest::BACKUP_FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            serial,
            made: made.floor_seconds().to_string(),
            files,
        };
        Backup::new(manifest, media, blobs, copies, hold)
    }
}

impl Backup {
    fn new(
        manifest: Manifest,
        media: Arc<dyn Media>,
        blobs: Blobs,
        copies: BTreeMap<String, Arc<Backend>>,
        hold: Hold,
    ) -> Result<Self, StorageError> {
        let text = json(&manifest)?;
        let modified_s = manifest.made().as_seconds();
        let mut steps = VecDeque::new();
        let begin = |name: &str, size_bytes: u64| {
            let header = Header { name: name.to_owned(), size_bytes };
            Step::Bytes(Bytes::copy_from_slice(&header.block(modified_s)))
        };
        steps.push_back(begin(MANIFEST, text.len() as u64));
        let manifest_sha256 = Sha256::of(&text);
        steps.push_back(padded(text));
        let mut digests = BTreeMap::new();
        for (index, file) in manifest.files.iter().enumerate() {
            match file.digest().filter(|_| file.left_out) {
                Some(sha256) => drop(digests.insert(file.name.clone(), sha256)),
                None => {
                    steps.push_back(begin(&file.name, file.size_bytes));
                    steps.push_back(Step::File(index));
                }
            }
        }
        steps.push_back(begin(DIGESTS, digests_bytes(&manifest)?));
        steps.push_back(Step::Digests);
        steps.push_back(Step::Bytes(Bytes::from_static(&[0; END_BYTES])));
        Ok(Self { manifest, manifest_sha256, media, blobs, copies, steps, reading: None, digests, _hold: hold })
    }

    /// What is in it.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The bytes of the whole stream.
    ///
    /// # Errors
    /// None but a bug.
    pub fn len_bytes(&self) -> Result<u64, StorageError> {
        let files = self.manifest.files.iter().filter(|file| !file.left_out).map(|file| tar::taken(file.size_bytes));
        let manifest_bytes = json(&self.manifest)?.len() as u64;
        let ends = tar::taken(manifest_bytes) + tar::taken(digests_bytes(&self.manifest)?) + END_BYTES as u64;
        Ok(files.sum::<u64>() + ends)
    }

    /// The next bytes, or nothing at the end. Blocks.
    ///
    /// # Errors
    /// Those of the files; the backup is then not whole.
    pub fn next_piece(&mut self) -> Result<Option<Bytes>, StorageError> {
        loop {
            if let Some(reading) = &mut self.reading {
                let file = &self.manifest.files[reading.index];
                let left = file.size_bytes - reading.at;
                if left > 0 {
                    // The lesser of both fits.
                    let mut bytes = vec![0; left.min(PIECE_BYTES as u64) as usize];
                    reading.file.read(reading.at, &mut bytes).map_err(|error| StorageError::from_io(&error))?;
                    reading.sha256.update(&bytes);
                    reading.at += bytes.len() as u64;
                    return Ok(Some(bytes.into()));
                }
                self.end_file();
                continue;
            }
            match self.steps.pop_front() {
                None => return Ok(None),
                Some(Step::Bytes(bytes)) if bytes.is_empty() => {}
                Some(Step::Bytes(bytes)) => return Ok(Some(bytes)),
                Some(Step::File(index)) => self.begin_file(index)?,
                Some(Step::Digests) => {
                    let digests = digests(self.manifest_sha256, &self.digests);
                    self.steps.push_front(padded(json(&digests)?));
                    self.note_digests()?;
                }
            }
        }
    }

    fn begin_file(&mut self, index: usize) -> Result<(), StorageError> {
        let name = &self.manifest.files[index].name;
        let file = match self.copies.remove(name) {
            Some(copy) => copy,
            None => {
                let file = self.media.open(name, OpenMode::Existing);
                Arc::new(file.map_err(|error| StorageError::from_io(&error))?)
            }
        };
        let sha256 = ring::digest::Context::new(&ring::digest::SHA256);
        self.reading = Some(Reading { index, file, at: 0, sha256 });
        Ok(())
    }

    fn end_file(&mut self) {
        let Some(reading) = self.reading.take() else { return };
        let file = &self.manifest.files[reading.index];
        let sha256 = Sha256::from_ring(&reading.sha256.finish());
        if file.digest().is_some_and(|former| former != sha256) {
            let name = &file.name;
            tracing::error!(name, "this volume is not what it was at an earlier backup; `packhouse check` says more");
        }
        self.digests.insert(file.name.clone(), sha256);
        self.steps
            .push_front(Step::Bytes(Bytes::from_static(&[0; BLOCK_BYTES]).slice(..tar::padding(file.size_bytes))));
    }

    /// Remembers the digests of sealed volumes, so that the next backup may leave them out.
    fn note_digests(&self) -> Result<(), StorageError> {
        // The last volume was written.
        let sealed = self.manifest.files.split_last().map_or(&[][..], |(_, rest)| rest);
        let read = sealed.iter().filter(|file| file.sha256.is_none()).filter_map(|file| {
            let number = number_of_file(&file.name)?;
            Some((number, *self.digests.get(&file.name)?))
        });
        self.blobs.note_volume_digests(read.collect())
    }
}

/// Cuts off the room that redb makes in advance.
fn compact(database: &mut redb::Database) -> Result<(), StorageError> {
    database.compact().map_err(|error| match error {
        redb::CompactionError::Storage(error) => error.into(),
        error => StorageError::Internal { detail: error.to_string() },
    })?;
    Ok(())
}

/// Bytes with what follows them up to the next block.
fn padded(mut bytes: Vec<u8>) -> Step {
    let padding = tar::padding(bytes.len() as u64);
    bytes.resize(bytes.len() + padding, 0);
    Step::Bytes(bytes.into())
}

fn digests(manifest: Sha256, files: &BTreeMap<String, Sha256>) -> Digests {
    let files = files.iter().map(|(name, sha256)| (name.clone(), sha256.to_string()));
    Digests { manifest: manifest.to_string(), files: files.collect() }
}

/// How long the last file will be: all digests have the same length.
fn digests_bytes(manifest: &Manifest) -> Result<u64, StorageError> {
    let some = Sha256::from_bytes([0; 32]);
    let files = manifest.files.iter().map(|file| (file.name.clone(), some));
    Ok(json(&digests(some, &files.collect()))?.len() as u64)
}
