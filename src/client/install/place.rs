//! The folder that is installed into: what is there already, and how something new takes its place.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::unpack::{Kind, UnpackError, UnpackLimits, unpack};
use super::{InstallError, sha256_of_file};
use crate::model::Sha256;

const HOME: &str = ".packhouse";
const INSTALLED: &str = "installed";
const INCOMING: &str = "incoming";
const LOCK: &str = "lock";

/// What a folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// Digest of the archive.
    pub(super) sha256: Sha256,
    /// Its content rather than itself.
    pub(super) unpacked: bool,
}

#[derive(Serialize, Deserialize)]
struct Mark {
    sha256: String,
    unpacked: bool,
}

/// The folder, held by this process.
pub(super) struct OutFolder {
    out: PathBuf,
    home: PathBuf,
    _lock: File,
}

impl OutFolder {
    /// Takes hold of a folder, which is made if it is not there, and removes what a run that was killed left behind.
    pub(super) fn open(out: &Path) -> Result<Self, InstallError> {
        let home = out.join(HOME);
        let installed = home.join(INSTALLED);
        fs::create_dir_all(&installed).map_err(InstallError::disk(&installed))?;
        let path = home.join(LOCK);
        let opened = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = opened.map_err(InstallError::disk(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(InstallError::Busy { out: out.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(InstallError::disk(&path)(error)),
        }
        let incoming = home.join(INCOMING);
        remove(&incoming)?;
        fs::create_dir(&incoming).map_err(InstallError::disk(&incoming))?;
        Ok(Self { out: out.to_owned(), home, _lock: lock })
    }

    /// Where the archive of a folder is put while it comes.
    pub(super) fn incoming(&self, folder: &str) -> PathBuf {
        self.home.join(INCOMING).join(format!("{folder}.archive"))
    }

    /// Whether a folder holds this already. A file is read for that; content that was unpacked belongs to whoever uses
    /// it, so only what was put there is known.
    pub(super) fn holds(&self, folder: &str, file_name: &str, state: State) -> Result<bool, InstallError> {
        let path = self.out.join(folder);
        let Some(mark) = self.mark(folder) else {
            return if path.symlink_metadata().is_ok() { Err(InstallError::Foreign { path }) } else { Ok(false) };
        };
        if mark.sha256 != state.sha256.to_string() || mark.unpacked != state.unpacked {
            return Ok(false);
        }
        if state.unpacked {
            return Ok(path.is_dir());
        }
        let path = path.join(file_name);
        match sha256_of_file(&path) {
            Ok(sha256) => Ok(sha256 == state.sha256),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(InstallError::disk(&path)(error)),
        }
    }

    /// Makes the folder's new content of a verified archive, beside the old one.
    pub(super) fn stage(
        &self,
        folder: &str,
        archive: &Path,
        kind: Option<(Kind, &UnpackLimits)>,
        file_name: &str,
        package: &str,
    ) -> Result<PathBuf, InstallError> {
        let staged = self.home.join(INCOMING).join(folder);
        fs::create_dir(&staged).map_err(InstallError::disk(&staged))?;
        match kind {
            None => fs::rename(archive, staged.join(file_name)).map_err(InstallError::disk(&staged))?,
            Some((kind, limits)) => {
                let file = File::open(archive).map_err(InstallError::disk(archive))?;
                unpack(&file, kind, &staged, limits).map_err(|error| match error {
                    UnpackError::Disk(error) => InstallError::disk(&staged)(error),
                    source => InstallError::Unpack { package: package.to_owned(), source },
                })?;
                fs::remove_file(archive).map_err(InstallError::disk(archive))?;
            }
        }
        Ok(staged)
    }

    /// Puts new content in the place of the old. If the process ends in between, the next run begins this anew.
    pub(super) fn place(&self, folder: &str, staged: &Path, state: State) -> Result<(), InstallError> {
        let (path, mark_path) = (self.out.join(folder), self.mark_path(folder));
        let disk = || InstallError::disk(&path);
        if path.symlink_metadata().is_ok() {
            let old = self.home.join(INCOMING).join(format!("{folder}.old"));
            fs::rename(&path, &old).map_err(disk())?;
            fs::rename(staged, &path).map_err(disk())?;
            remove(&old)?;
        } else {
            // Before the folder, so that it never stands there as somebody else's. It holds nothing until it is there.
            self.write_mark(&mark_path, state)?;
            fs::rename(staged, &path).map_err(disk())?;
        }
        self.write_mark(&mark_path, state)?;
        File::open(&self.out).and_then(|out| out.sync_all()).map_err(InstallError::disk(&self.out))
    }

    fn mark_path(&self, folder: &str) -> PathBuf {
        self.home.join(INSTALLED).join(format!("{folder}.json"))
    }

    fn mark(&self, folder: &str) -> Option<Mark> {
        serde_json::from_slice(&fs::read(self.mark_path(folder)).ok()?).ok()
    }

    fn write_mark(&self, path: &Path, state: State) -> Result<(), InstallError> {
        let mark = Mark { sha256: state.sha256.to_string(), unpacked: state.unpacked };
        let text = serde_json::to_vec(&mark).map_err(|error| InstallError::disk(path)(error.into()))?;
        let new = self.home.join(INCOMING).join(path.file_name().unwrap_or_default());
        fs::write(&new, text).and_then(|()| fs::rename(&new, path)).map_err(InstallError::disk(path))
    }
}

impl Drop for OutFolder {
    /// What did not find its place is of no use to anybody, and may be large.
    fn drop(&mut self) {
        // The next run removes it otherwise.
        let _ = remove(&self.home.join(INCOMING));
    }
}

fn remove(folder: &Path) -> Result<(), InstallError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(InstallError::disk(folder)(error)),
        _ => Ok(()),
    }
}
