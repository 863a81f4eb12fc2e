//! A folder of backups: each is a folder of its own with all the files of a data directory, and sealed volumes that two
//! of them have in common are one file with two names.
//!
//! Owns the names, the files' ways onto the disk, and what is removed. A backup gets its name when it is whole: until
//! then, and whatever happens, those before it stay as they are.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::BackupError;
use super::manifest::{DIGESTS, Digests, MANIFEST, Manifest, ManifestFile, json};
use super::read::{Sink, read_json};
use crate::model::{Sha256, Timestamp};
use crate::store::StorageError;

/// Holds what is being written.
const UNFINISHED: &str = "unfinished";
/// Space on the disk that backups leave free, in bytes: it may be the one on which the server works.
const FLOOR_BYTES: u64 = 64 << 20;
/// Is locked by who writes.
const LOCK: &str = "lock";

/// A folder of backups, held by who adds to it.
#[derive(Debug)]
pub struct BackupFolder {
    dir: PathBuf,
    _lock: File,
    /// The newest backup and what it is.
    newest: Option<(PathBuf, Manifest, BTreeMap<String, Sha256>)>,
    writing: Option<File>,
    written_bytes: u64,
    finished: Option<PathBuf>,
}

/// What a folder holds after a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where the new backup is.
    pub backup: PathBuf,
    /// How many there are.
    pub kept: usize,
    /// How many old ones were removed.
    pub removed: usize,
}

impl BackupFolder {
    /// Takes hold of a folder, which is made if it is missing, and removes what an interrupted backup left in it.
    ///
    /// # Errors
    /// If it cannot be used, or somebody else adds to it now.
    pub fn open(dir: &Path) -> Result<Self, BackupError> {
        let failed = |source| BackupError::file(dir.display(), source);
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
        let lock = new_file(OpenOptions::new().create(true).truncate(false), &dir.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(BackupError::Refused(format!("another backup is being written to {}", dir.display())));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        remove_folder(&dir.join(UNFINISHED)).map_err(failed)?;
        let newest = names(dir).map_err(failed)?.into_iter().rev().find_map(|name| {
            let path = dir.join(name);
            // What cannot be read is not built upon.
            let (manifest, digests) = describe(&path).ok()?;
            Some((path, manifest, digests))
        });
        Ok(Self { dir: dir.to_owned(), _lock: lock, newest, writing: None, written_bytes: 0, finished: None })
    }

    /// The sealed volumes that the newest backup has, with their digests: a new one may leave them out.
    #[must_use]
    pub fn known(&self) -> BTreeMap<u32, Sha256> {
        let Some((path, manifest, digests)) = &self.newest else { return BTreeMap::new() };
        // The last file is a copy of the volume that was written.
        let sealed = manifest.files.split_last().map_or(&[][..], |(_, rest)| rest);
        let there = |file: &&ManifestFile| {
            fs::metadata(path.join(&file.name)).is_ok_and(|found| found.len() == file.size_bytes)
        };
        let volumes = sealed.iter().filter(there);
        volumes.filter_map(|file| Some((file.volume_number()?, *digests.get(&file.name)?))).collect()
    }

    /// Ends a backup: keeps the newest `keep` of all, and removes the others.
    ///
    /// # Errors
    /// If there was no backup, or an old one cannot be removed.
    pub fn keep(self, keep: Option<usize>) -> Result<Kept, BackupError> {
        let failed = |source| BackupError::file(self.dir.display(), source);
        let backup = self.finished.clone().ok_or_else(|| BackupError::Refused("no backup was made".to_owned()))?;
        let names = names(&self.dir).map_err(failed)?;
        let old = keep.map_or(0, |keep| names.len().saturating_sub(keep.max(1)));
        for name in &names[..old] {
            // Under this name nobody takes it for a backup, should its removal be interrupted.
            let unfinished = self.dir.join(UNFINISHED);
            fs::rename(self.dir.join(name), &unfinished).map_err(failed)?;
            remove_folder(&unfinished).map_err(failed)?;
        }
        Ok(Kept { backup, kept: names.len() - old, removed: old })
    }

    /// Bytes that were written, those not counted that are shared with an earlier backup.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    fn unfinished(&self, name: &str) -> PathBuf {
        self.dir.join(UNFINISHED).join(name)
    }

    fn write_json(&self, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
        let path = self.unfinished(name);
        let write = || {
            let mut file = new_file(OpenOptions::new().create_new(true), &path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|error| BackupError::file(path.display(), error))
    }
}

impl Sink for BackupFolder {
    fn begin(&mut self, manifest: &Manifest) -> Result<(), BackupError> {
        let stat =
            rustix::fs::statvfs(&self.dir).map_err(|error| BackupError::file(self.dir.display(), error.into()))?;
        if stat.f_bavail.saturating_mul(stat.f_frsize) < manifest.size_bytes().saturating_add(FLOOR_BYTES) {
            return Err(BackupError::Storage(StorageError::DiskFull));
        }
        let blobs = self.unfinished("blobs");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&blobs);
        made.map_err(|error| BackupError::file(blobs.display(), error))?;
        for file in manifest.files.iter().filter(|file| file.left_out) {
            let (folder, ..) = self.newest.as_ref().ok_or_else(|| {
                BackupError::Refused(format!("{} is left out, and there is no earlier backup", file.name))
            })?;
            let (from, to) = (folder.join(&file.name), self.unfinished(&file.name));
            // Some file systems have no second names.
            fs::hard_link(&from, &to)
                .or_else(|_| fs::copy(&from, &to).and_then(|_| File::open(&to)?.sync_all()))
                .map_err(|error| BackupError::file(from.display(), error))?;
        }
        Ok(())
    }

    fn begin_file(&mut self, file: &ManifestFile) -> Result<(), BackupError> {
        let path = self.unfinished(&file.name);
        let opened = new_file(OpenOptions::new().create_new(true), &path);
        self.writing = Some(opened.map_err(|error| BackupError::file(path.display(), error))?);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.written_bytes += bytes.len() as u64;
        let Some(file) = &mut self.writing else { return Ok(()) };
        file.write_all(bytes).map_err(|error| BackupError::file(self.dir.display(), error))
    }

    fn end_file(&mut self) -> Result<(), BackupError> {
        let Some(file) = self.writing.take() else { return Ok(()) };
        file.sync_all().map_err(|error| BackupError::file(self.dir.display(), error))
    }

    fn end(&mut self, manifest: &Manifest, digests: &BTreeMap<String, Sha256>) -> Result<(), BackupError> {
        let failed = |source| BackupError::file(self.dir.display(), source);
        // Here nothing is left out.
        let files = manifest.files.iter().map(|file| ManifestFile {
            sha256: digests.get(&file.name).map(ToString::to_string),
            left_out: false,
            ..file.clone()
        });
        let text = json(&Manifest { files: files.collect(), ..manifest.clone() })?;
        let files = digests.iter().map(|(name, sha256)| (name.clone(), sha256.to_string()));
        let digests = Digests { manifest: Sha256::of(&text).to_string(), files: files.collect() };
        self.write_json(MANIFEST, &text)?;
        self.write_json(DIGESTS, &json(&digests)?)?;
        for folder in ["blobs", ""] {
            File::open(self.unfinished(folder)).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        let day = manifest.made.replace(':', "");
        let mut name = day.clone();
        for number in 2.. {
            if !self.dir.join(&name).exists() {
                break;
            }
            name = format!("{day}-{number:03}");
        }
        let backup = self.dir.join(name);
        fs::rename(self.dir.join(UNFINISHED), &backup).map_err(failed)?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
        self.finished = Some(backup);
        Ok(())
    }
}

impl Drop for BackupFolder {
    fn drop(&mut self) {
        self.writing = None;
        // What cannot be removed is removed by the next backup.
        let _ = remove_folder(&self.dir.join(UNFINISHED));
    }
}

/// The newest backup of a folder of backups.
///
/// # Errors
/// If there is none.
pub fn newest_backup(dir: &Path) -> Result<PathBuf, BackupError> {
    if dir.join(MANIFEST).exists() {
        return Ok(dir.to_owned());
    }
    let names = names(dir).map_err(|error| BackupError::file(dir.display(), error))?;
    let newest = names.last().map(|name| dir.join(name));
    newest.ok_or_else(|| BackupError::NoBackup(format!("there is none in {}", dir.display())))
}

/// When the newest backup of a folder was made, if there is one.
///
/// # Errors
/// If the folder cannot be read.
pub fn newest_made(dir: &Path) -> Result<Option<Timestamp>, BackupError> {
    match names(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BackupError::file(dir.display(), error)),
        Ok(names) => match names.last() {
            Some(name) => Ok(Some(Manifest::read(&read_json(&dir.join(name).join(MANIFEST))?)?.made())),
            None => Ok(None),
        },
    }
}

/// What a backup in a folder says of itself.
fn describe(path: &Path) -> Result<(Manifest, BTreeMap<String, Sha256>), BackupError> {
    let text = read_json(&path.join(MANIFEST))?;
    let manifest = Manifest::read(&text)?;
    let files = manifest.files.iter().filter_map(|file| Some((file.name.clone(), file.digest()?))).collect();
    Digests::check(&read_json(&path.join(DIGESTS))?, Sha256::of(&text), &files)?;
    Ok((manifest, files))
}

/// The names of the backups in a folder, oldest first.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().filter(|name| name.starts_with(|c: char| c.is_ascii_digit()));
        names.extend(name.filter(|_| entry.path().join(DIGESTS).exists()));
    }
    names.sort_unstable();
    Ok(names)
}

fn new_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.write(true).mode(0o600).open(path)
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
