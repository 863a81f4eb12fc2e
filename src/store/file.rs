//! One open redb file with one writer: a thread that commits waiting jobs in groups.
//!
//! Owns the handle, its reopening after a failure, and the promise that a job once accepted is committed or
//! answered with an error, whether or not anybody still waits for it. Knows no table but its own count of commits.

mod error;
mod every_table;
mod job;
mod queue;
mod transaction;
mod wait;
mod writer;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};

pub use error::{StorageError, WriteError};
pub(crate) use every_table::{Copy, EveryTable, Make};
pub use job::{Observer, Pending, Scratch, Touched};
use job::{Queued, TypedJob};
pub use queue::Lane;
use queue::Queue;
pub use transaction::{OpenTable, Shelved, Transaction};
pub use wait::block_on;
use writer::Writer;
pub(crate) use writer::every_table as own_tables;

use super::media::{Media, OpenMode};
use crate::model::Durations;

/// What follows the name of a file whose making was interrupted.
pub(crate) const UNFINISHED: &str = ".new";

/// How long a reader whose handle failed under it waits for a new one.
const REOPEN_WAIT: Duration = Duration::from_secs(2);

/// How a [`RedbFile`] is opened.
#[derive(Debug, Clone, Copy)]
pub struct FileOptions {
    /// The most memory for pages, read and written, in bytes.
    pub cache_bytes: usize,
    /// Creates the file's tables; runs once at opening, in a transaction of its own.
    pub create_tables: fn(&WriteTransaction) -> Result<(), StorageError>,
}

/// One open redb file. `C` is what the jobs of one commit tell the observer together.
pub struct RedbFile<C> {
    shared: Arc<Shared<C>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared<C> {
    name: String,
    media: Arc<dyn Media>,
    cache_bytes: usize,
    handle: RwLock<Handle>,
    /// How often the file was reopened; readers wait for it to change.
    generation: Mutex<u64>,
    reopened: Condvar,
    queue: Queue<C>,
    /// How long groups of jobs took, from the first job's run to the last one's answer.
    commits: Mutex<Durations>,
}

#[derive(Debug)]
enum Handle {
    Open(Database),
    Broken(StorageError),
    Closed,
}

impl<C: Scratch> RedbFile<C> {
    /// Opens the file `name` of `media`, making it if it is missing, and starts its writer. `observer` gets the
    /// context of every commit, in order, before anybody is told of the commit.
    ///
    /// # Errors
    /// [`StorageError`], where the file is left as it was.
    pub fn open(
        media: Arc<dyn Media>,
        name: &str,
        options: FileOptions,
        observer: impl Observer<C> + 'static,
    ) -> Result<Self, StorageError> {
        let (database, commits) = open_or_create(&*media, name, options)?;
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            media,
            cache_bytes: options.cache_bytes,
            handle: RwLock::new(Handle::Open(database)),
            generation: Mutex::new(0),
            reopened: Condvar::new(),
            queue: Queue::new(),
            commits: Mutex::default(),
        });
        let writer = Writer::new(Arc::clone(&shared), commits, Box::new(observer));
        let thread = thread::Builder::new().name(format!("write {name}")).spawn(move || writer.run());
        let thread = thread.map_err(|error| StorageError::from_io(&error))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// The file's name in its medium.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// How long commits took, and how many jobs wait in the lanes, small ones first.
    #[must_use]
    pub fn pace(&self) -> (Durations, [usize; 2]) {
        (*self.shared.commits.lock().unwrap_or_else(PoisonError::into_inner), self.shared.queue.waiting())
    }

    /// A snapshot of the last commit. It stays readable while the file is written, but not when it is reopened.
    ///
    /// # Errors
    /// [`StorageError::Closed`] after [`Self::close`]; the reason while the file cannot be reopened.
    pub fn read(&self) -> Result<ReadTransaction, StorageError> {
        self.shared.read()
    }

    /// Runs `look` on a snapshot, and once more on a new one if the handle failed under it and was reopened.
    ///
    /// # Errors
    /// Those of `look` and of [`Self::read`]. Blocks for at most two seconds while the file is reopened.
    pub fn view<T>(
        &self,
        mut look: impl FnMut(&ReadTransaction) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let generation = self.shared.generation();
        let result = match self.read() {
            Ok(snapshot) => look(&snapshot),
            Err(StorageError::Closed) => return Err(StorageError::Closed),
            // The reason belongs to whoever made the file fail; reading needs no more than a new handle.
            Err(_) => Err(StorageError::Latched),
        };
        match result {
            Err(StorageError::Latched | StorageError::Io { .. }) => {
                self.shared.queue.ask_to_reopen(generation);
                self.shared.wait_reopened(generation);
                look(&self.read()?)
            }
            result => result,
        }
    }

    /// Hands `job` to the writer, waiting while its lane is full. Once this returns, the job runs to its end even
    /// if the [`Pending`] is dropped. `job` may run several times, of which only the last counts; it must not wait
    /// for anything. A job that fails must have written nothing, or say in `C` that it wrote.
    ///
    /// `weight_bytes` is about how much the job writes; it bounds the queue and the size of a commit.
    ///
    /// # Errors
    /// [`StorageError::Closed`] when the file takes no more jobs; `job` has not run and will not.
    pub async fn submit<T, E, F>(&self, lane: Lane, weight_bytes: usize, job: F) -> Result<Pending<T, E>, StorageError>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnMut(&Transaction<'_>, &mut C) -> Result<T, WriteError<E>> + Send + 'static,
    {
        let permit = self.shared.queue.reserve(lane, weight_bytes).await?;
        let (job, pending) = TypedJob::boxed(job);
        self.shared.queue.push(lane, Queued::new(job, weight_bytes, Some(permit)))?;
        Ok(pending)
    }

    /// Like [`Self::submit`], but goes past the queue's bound, for work that must be left behind without waiting
    /// and whose number something else bounds, such as discarding what a dropped upload had stored.
    ///
    /// # Errors
    /// [`StorageError::Closed`] as for [`Self::submit`].
    pub fn submit_now<T, E, F>(&self, lane: Lane, weight_bytes: usize, job: F) -> Result<Pending<T, E>, StorageError>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnMut(&Transaction<'_>, &mut C) -> Result<T, WriteError<E>> + Send + 'static,
    {
        let (job, pending) = TypedJob::boxed(job);
        self.shared.queue.push(lane, Queued::new(job, weight_bytes, None))?;
        Ok(pending)
    }

    /// Submits `job` and waits for its answer.
    ///
    /// # Errors
    /// The job's own, or [`WriteError::Storage`].
    pub async fn write<T, E, F>(&self, lane: Lane, weight_bytes: usize, job: F) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnMut(&Transaction<'_>, &mut C) -> Result<T, WriteError<E>> + Send + 'static,
    {
        self.submit(lane, weight_bytes, job).await?.await
    }

    /// Takes no more jobs, runs those accepted, and ends the writer. Reading goes on.
    pub fn drain(&self) {
        self.shared.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            // The last owner may be a job; its thread ends by itself, and could not wait for itself.
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!(file = self.name(), "the writer thread panicked");
        }
    }

    /// Drains the queue and closes the file cleanly. Later calls of any method answer [`StorageError::Closed`].
    pub fn close(&self) {
        self.drain();
        self.shared.set_handle(Handle::Closed);
    }
}

impl<C> fmt::Debug for RedbFile<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbFile").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

impl<C> Drop for RedbFile<C> {
    fn drop(&mut self) {
        self.shared.queue.close();
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != thread::current().id()
        {
            // A panic of the writer thread was already reported by its hook.
            let _ = thread.join();
        }
    }
}

impl<C> Shared<C> {
    fn read(&self) -> Result<ReadTransaction, StorageError> {
        match &*self.handle.read().unwrap_or_else(PoisonError::into_inner) {
            Handle::Open(database) => Ok(database.begin_read()?),
            Handle::Broken(error) => Err(error.clone()),
            Handle::Closed => Err(StorageError::Closed),
        }
    }

    fn begin_write(&self) -> Result<WriteTransaction, StorageError> {
        match &*self.handle.read().unwrap_or_else(PoisonError::into_inner) {
            Handle::Open(database) => Ok(database.begin_write()?),
            Handle::Broken(error) => Err(error.clone()),
            Handle::Closed => Err(StorageError::Closed),
        }
    }

    /// Replaces the handle. The old one is closed first: two handles of one file would write over each other.
    fn set_handle(&self, handle: Handle) {
        *self.handle.write().unwrap_or_else(PoisonError::into_inner) = handle;
    }

    /// Closes the handle and opens the file anew, as redb asks for after any failure.
    fn reopen(&self) -> Result<(), StorageError> {
        let result = {
            let mut handle = self.handle.write().unwrap_or_else(PoisonError::into_inner);
            *handle = Handle::Closed;
            match open_database(&*self.media, &self.name, OpenMode::Existing, self.cache_bytes) {
                Ok(database) => {
                    *handle = Handle::Open(database);
                    Ok(())
                }
                Err(error) => {
                    *handle = Handle::Broken(error.clone());
                    Err(error)
                }
            }
        };
        *self.generation.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.reopened.notify_all();
        result
    }

    fn is_broken(&self) -> bool {
        matches!(*self.handle.read().unwrap_or_else(PoisonError::into_inner), Handle::Broken(_))
    }

    fn generation(&self) -> u64 {
        *self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_reopened(&self, generation: u64) {
        let guard = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        // A poisoned or expired wait ends like a good one: the caller looks again and gets the handle's error.
        drop(self.reopened.wait_timeout_while(guard, REOPEN_WAIT, |now| *now == generation));
    }
}

/// Opens the file with its tables, and answers how many commits it has seen.
///
/// A new file gets its name when it is complete: redb cannot open one whose making was interrupted.
fn open_or_create(media: &dyn Media, name: &str, options: FileOptions) -> Result<(Database, u64), StorageError> {
    let io = |error| StorageError::from_io(&error);
    if media.exists(name).map_err(io)? {
        let database = open_database(media, name, OpenMode::Existing, options.cache_bytes)?;
        let commits = writer::prepare(&database, options.create_tables)?;
        return Ok((database, commits));
    }
    let unfinished = format!("{name}{UNFINISHED}");
    media.remove(&unfinished).map_err(io)?;
    let make = || {
        let database = open_database(media, &unfinished, OpenMode::Create, options.cache_bytes)?;
        let commits = writer::prepare(&database, options.create_tables)?;
        media.rename(&unfinished, name).map_err(io)?;
        Ok((database, commits))
    };
    make().inspect_err(|_| {
        // What cannot be removed either is removed by the next attempt.
        let _ = media.remove(&unfinished);
    })
}

fn open_database(media: &dyn Media, name: &str, mode: OpenMode, cache_bytes: usize) -> Result<Database, StorageError> {
    let backend = media.open(name, mode).map_err(|error| StorageError::from_io(&error))?;
    database_on(backend, name, cache_bytes)
}

/// Opens redb on a backend. A file damaged beyond what redb foresees makes it panic, which is an error here.
pub(crate) fn database_on(
    backend: impl redb::StorageBackend,
    name: &str,
    cache_bytes: usize,
) -> Result<Database, StorageError> {
    let open = || redb::Builder::new().set_cache_size(cache_bytes).create_with_backend(backend);
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(open)) {
        Ok(result) => Ok(result?),
        Err(_) => Err(StorageError::Corrupt { detail: format!("{name} cannot be opened") }),
    }
}

#[cfg(test)]
mod tests;
