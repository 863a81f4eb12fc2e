//! The seam between the store and the disk: the files of one data directory.
//!
//! Owns the trait [`Media`], through which every byte of the store passes, and [`Backend`], the form in which redb
//! takes a file. [`DirMedia`] is the real directory, [`FaultMedia`] a simulated disk that fails as told. Nothing
//! here knows what the files contain.

mod dir;
mod fault;
mod layer;

use std::cell::Cell;
use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use redb::StorageBackend;

pub use dir::{DirMedia, OpenDirError, remove_unused};
pub use fault::{Fault, FaultMedia};
pub use layer::{Layer, ReadOnlyMedia};

/// The files of one data directory. Names are relative to it, with `/` between a folder and its file, and are made
/// by the store, never by a caller from outside.
pub trait Media: Debug + Send + Sync + 'static {
    /// Opens the file `name` for redb.
    ///
    /// With [`OpenMode::Create`], a missing file and its folder are made, and durable, before this returns.
    ///
    /// # Errors
    /// Those of the system; [`io::ErrorKind::NotFound`] for a missing file in mode [`OpenMode::Existing`].
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Backend>;

    /// Opens the file `name` for reading from the system's cache alone.
    ///
    /// # Errors
    /// Those of the system; [`io::ErrorKind::NotFound`] for a missing file.
    fn open_cached(&self, name: &str) -> io::Result<Arc<dyn CachedFile>>;

    /// Whether the file `name` exists.
    ///
    /// # Errors
    /// Those of the system.
    fn exists(&self, name: &str) -> io::Result<bool>;

    /// The names of the files in `folder`, without the folder, in no order. A missing folder has none.
    ///
    /// # Errors
    /// Those of the system.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Gives the file `from` the name `to`, which must be free. It has one of the two names after any crash, and
    /// the new one for good when this returns. Open handles stay valid.
    ///
    /// # Errors
    /// Those of the system.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes the file `name` for good: when this returns, no crash brings it back. A missing file is no error.
    ///
    /// # Errors
    /// Those of the system.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// How many bytes may still be written by this process's user.
    ///
    /// # Errors
    /// Those of the system.
    fn free_bytes(&self) -> io::Result<u64>;

    /// How many bytes the disk has.
    ///
    /// # Errors
    /// Those of the system.
    fn total_bytes(&self) -> io::Result<u64>;

    /// How many bytes of the disk the file `name` takes; none if it is missing.
    ///
    /// # Errors
    /// Those of the system.
    fn file_bytes(&self, name: &str) -> io::Result<u64>;
}

/// What [`Media::open`] does about a missing file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Make it.
    Create,
    /// Fail.
    Existing,
}

/// A file of which only that is read which the system has in memory.
pub trait CachedFile: Debug + Send + Sync {
    /// Fills `out` from `offset` on without waiting for the disk, or answers false, with anything in `out`.
    ///
    /// # Errors
    /// Those of the system.
    fn read_cached(&self, offset: u64, out: &mut [u8]) -> io::Result<bool>;
}

/// The last read of a thread: from where in its file, and to which addresses.
#[derive(Debug, Clone, Copy)]
struct LastRead {
    offset: u64,
    address: usize,
    len: usize,
}

thread_local! {
    static LAST_READ: Cell<Option<LastRead>> = const { Cell::new(None) };
}

/// Runs `look`, and says at which offset of its file the bytes lie that it found, if they were read for it just now.
///
/// redb does not tell where it keeps a value. This is what the bytes' address says, since they stay where they were read
/// to; it is a hint to be checked.
pub fn with_place<T: AsRef<[u8]>, E>(
    look: impl FnOnce() -> Result<Option<T>, E>,
) -> Result<Option<(T, Option<u64>)>, E> {
    LAST_READ.set(None);
    let found = look()?;
    Ok(found.map(|value| {
        let bytes = value.as_ref();
        let place = LAST_READ.take().and_then(|read| {
            let begin = bytes.as_ptr().addr().checked_sub(read.address)?;
            (begin + bytes.len() <= read.len).then(|| read.offset + begin as u64)
        });
        (value, place)
    }))
}

/// A file as redb takes it. It has no lock of its own: the data directory as a whole is locked instead, so that a
/// file can be reopened in the process while readers of the old handle are alive.
#[derive(Debug)]
pub struct Backend(Box<dyn StorageBackend>);

impl Backend {
    /// Wraps what a medium opened.
    pub fn new(backend: impl StorageBackend) -> Self {
        Self(Box::new(backend))
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)?;
        LAST_READ.set(Some(LastRead { offset, address: out.as_ptr().addr(), len: out.len() }));
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}
