//! A data directory on a real disk, held by one process at a time.
//!
//! Owns the directory's lock and how files are created and removed durably. Must not interpret the files.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::num::NonZeroU64;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::StorageBackend;
use rustix::io::{Errno, ReadWriteFlags};

use super::{Backend, CachedFile, Media, OpenMode};

const LOCK_FILE: &str = "lock";

/// Writes of this size or more are sent to the disk at once, while the writer prepares the next: the sync at the end
/// of a commit of 16 MiB then waits for a sixth of the time. Linux does so when told that the pages are not needed; they
/// stay in its cache as long as they are dirty.
const WRITEBACK_BYTES: u64 = 128 << 10;

/// The real [`Media`]: a directory that this process holds until the value is dropped.
#[derive(Debug)]
pub struct DirMedia {
    dir: PathBuf,
    /// Holds the lock by being open.
    _lock: File,
}

/// Why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenDirError {
    /// Another process works on it.
    #[error("{} is in use by process {}", dir.display(), pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string()))]
    Held {
        /// The directory.
        dir: PathBuf,
        /// Who holds it, unless the holder has not yet written it down.
        pid: Option<u32>,
    },
    /// The system refused.
    #[error("{} cannot be opened: {source}", dir.display())]
    Io {
        /// The directory.
        dir: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl DirMedia {
    /// Opens `dir`, making it (mode 0700) if it is missing, and locks it for this process.
    ///
    /// # Errors
    /// [`OpenDirError::Held`] while another process, or another value in this one, holds the directory.
    pub fn open(dir: &Path) -> Result<Self, OpenDirError> {
        let failed = |source| OpenDirError::Io { dir: dir.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
        // Not truncated before the lock is held: the content is the holder's.
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join(LOCK_FILE))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The name of the holder is a courtesy; without it the refusal stands all the same.
                let _ = lock.take(16).read_to_string(&mut text);
                return Err(OpenDirError::Held { dir: dir.to_owned(), pid: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        write_pid(&mut lock).map_err(failed)?;
        sync_dir(dir).map_err(failed)?;
        Ok(Self { dir: dir.to_owned(), _lock: lock })
    }

    fn sync_parent_of(&self, path: &Path) -> io::Result<()> {
        sync_dir(path.parent().unwrap_or(&self.dir))
    }
}

/// Removes a directory in which nothing is but the mark of who held it, as after a start that failed early. Where it cannot
/// be removed, it stays: an empty directory harms nobody.
pub fn remove_unused(dir: &Path) {
    let names = fs::read_dir(dir).map(|entries| entries.filter_map(Result::ok).map(|entry| entry.file_name()));
    if names.is_ok_and(|mut names| names.all(|name| name == LOCK_FILE)) {
        let _ = fs::remove_file(dir.join(LOCK_FILE)).and_then(|()| fs::remove_dir(dir));
    }
}

fn write_pid(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.seek(SeekFrom::Start(0))?;
    writeln!(lock, "{}", std::process::id())
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

impl Media for DirMedia {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Backend> {
        let path = self.dir.join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600);
        let file = match (options.open(&path), mode) {
            (Err(error), OpenMode::Create) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(folder) = path.parent() {
                    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
                    sync_dir(&self.dir)?;
                }
                let file = options.create_new(true).open(&path)?;
                self.sync_parent_of(&path)?;
                file
            }
            (result, _) => result?,
        };
        Ok(Backend::new(FileBackend(file)))
    }

    fn open_cached(&self, name: &str) -> io::Result<Arc<dyn CachedFile>> {
        Ok(Arc::new(DirCachedFile(File::open(self.dir.join(name))?)))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.dir.join(name).try_exists()
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.dir.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            result => result?,
        };
        let mut names = Vec::new();
        for entry in entries {
            // A name that is no UTF-8 is none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let to = self.dir.join(to);
        fs::rename(self.dir.join(from), &to)?;
        self.sync_parent_of(&to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.dir.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.and_then(|()| self.sync_parent_of(&path)),
        }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(&self.dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn total_bytes(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(&self.dir)?;
        Ok(stat.f_blocks.saturating_mul(stat.f_frsize))
    }

    fn file_bytes(&self, name: &str) -> io::Result<u64> {
        use std::os::unix::fs::MetadataExt;
        match fs::metadata(self.dir.join(name)) {
            // Counted in blocks of 512 bytes, whatever those of the file system are.
            Ok(file) => Ok(file.blocks() * 512),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// A file addressed by position, so that readers do not share a cursor.
#[derive(Debug)]
struct FileBackend(File);

impl StorageBackend for FileBackend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_all_at(data, offset)?;
        if let Some(len) = NonZeroU64::new(data.len() as u64).filter(|len| len.get() >= WRITEBACK_BYTES) {
            // Merely a hint: the sync that follows is what counts.
            let _ = rustix::fs::fadvise(&self.0, offset, Some(len), rustix::fs::Advice::DontNeed);
        }
        Ok(())
    }
}

/// A file whose reads come back at once.
#[derive(Debug)]
struct DirCachedFile(File);

impl CachedFile for DirCachedFile {
    fn read_cached(&self, offset: u64, out: &mut [u8]) -> io::Result<bool> {
        let len = out.len();
        match rustix::io::preadv2(&self.0, &mut [IoSliceMut::new(out)], offset, ReadWriteFlags::NOWAIT) {
            // What is there of the rest would have to be waited for.
            Ok(count) => Ok(count == len),
            // Not in the cache, or a file system that cannot tell.
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_has_one_holder_who_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("data");
        let first = DirMedia::open(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        let Err(OpenDirError::Held { pid, .. }) = DirMedia::open(&dir) else { panic!("opened twice") };
        assert_eq!(pid, Some(std::process::id()));
        drop(first);
        DirMedia::open(&dir).unwrap();
    }

    #[test]
    fn files_are_made_listed_and_removed() {
        let temp = tempfile::tempdir().unwrap();
        let media = DirMedia::open(temp.path()).unwrap();
        assert_eq!(media.list("blobs").unwrap(), Vec::<String>::new());
        let missing = media.open("blobs/1.redb", OpenMode::Existing).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let file = media.open("blobs/1.redb", OpenMode::Create).unwrap();
        file.set_len(10).unwrap();
        file.write(3, b"abc").unwrap();
        let again = media.open("blobs/1.redb", OpenMode::Existing).unwrap();
        let mut bytes = [0; 4];
        again.read(2, &mut bytes).unwrap();
        assert_eq!(&bytes, b"\0abc");
        assert!(again.read(8, &mut bytes).is_err());
        // Whether it is cached is for the system to say; past the end there is nothing.
        let cached = media.open_cached("blobs/1.redb").unwrap();
        let mut same = [0; 4];
        if cached.read_cached(2, &mut same).unwrap() {
            assert_eq!(&same, b"\0abc");
        }
        assert!(!cached.read_cached(8, &mut same).unwrap());
        assert_eq!(media.list("blobs").unwrap(), ["1.redb"]);
        assert!(media.exists("blobs/1.redb").unwrap());
        media.rename("blobs/1.redb", "blobs/2.redb").unwrap();
        assert_eq!(media.list("blobs").unwrap(), ["2.redb"]);
        media.rename("blobs/2.redb", "blobs/1.redb").unwrap();
        media.remove("blobs/1.redb").unwrap();
        media.remove("blobs/1.redb").unwrap();
        assert!(!media.exists("blobs/1.redb").unwrap());
        assert!(media.free_bytes().unwrap() > 0);
    }
}
