//! The seam to the file system: every change a sync makes to it goes through [`Disk`], so that tests can let any of
//! them fail, or be the last.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Changes to the file system.
pub(crate) trait Disk: Send + Sync {
    /// Makes a new file to be written; it must not exist.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Write + Send>>;
    /// Makes a folder; it must not exist.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Gives the file `from` the second name `to`, which must not exist.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes a symbolic link at `at`, which must not exist.
    fn symlink(&self, target: &Path, at: &Path) -> io::Result<()>;
    /// Renames in one step; replaces a file or symbolic link of the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file or symbolic link.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a folder with what is in it.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
    /// Makes files and folders durable.
    fn persist(&self, paths: &[PathBuf]) -> io::Result<()>;
}

/// The file system of this machine.
pub(crate) struct LocalDisk;

/// From so many paths on, the whole file system is synced at once, which is then cheaper than each by itself.
const SYNC_EACH_MAX: usize = 64;

impl Disk for LocalDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Write + Send>> {
        Ok(Box::new(OpenOptions::new().write(true).create_new(true).open(path)?))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        match fs::hard_link(from, to) {
            // File systems without hard links get a copy.
            Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
                fs::copy(from, to).map(drop)
            }
            result => result,
        }
    }

    fn symlink(&self, target: &Path, at: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, at)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn persist(&self, paths: &[PathBuf]) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let (true, Some(first)) = (paths.len() > SYNC_EACH_MAX, paths.first()) {
            return Ok(rustix::fs::syncfs(File::open(first)?)?);
        }
        paths.iter().try_for_each(|path| File::open(path)?.sync_all())
    }
}
