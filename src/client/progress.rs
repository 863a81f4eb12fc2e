//! How a long operation tells what it is doing, to whoever started it. Knows no terminal.

/// A stretch of work with a known end, in the order in which an operation passes through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The file is read for its digest; counts bytes.
    Digest {
        /// Its size.
        bytes: u64,
    },
    /// The file is sent; counts bytes. A broken connection makes it begin again.
    Upload {
        /// Its size.
        bytes: u64,
    },
    /// The server is asked what there is; counts nothing.
    Compare,
    /// Changed index files are fetched; counts files.
    Fetch {
        /// How many.
        files: u64,
    },
    /// The new state is put together and switched to; counts files.
    Install {
        /// How many.
        files: u64,
    },
    /// Everything is copied; counts bytes.
    Copy {
        /// How many.
        bytes: u64,
    },
    /// Packages are written as static files, or published from such; counts packages.
    Transfer {
        /// How many.
        packages: u64,
    },
}

/// Hears of progress. Called often and from several threads, so it must be quick and must not block.
pub trait Progress: Send + Sync {
    /// A task begins; the one before it has ended.
    fn begin(&self, task: Task);

    /// So much of the task is done, in the unit the task counts in. It falls back where work is repeated.
    fn reached(&self, done: u64);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: Task) {}

    fn reached(&self, _: u64) {}
}
