//! [`Workers`]: the threads that serve connections, each with an event loop of its own.
//!
//! Owns which connection is served by which thread. A connection stays where it began: a loop that shares nothing wakes
//! no other thread for an answer that is at hand, which is half the cost of a small one. What takes long leaves the
//! loop as it would leave any other, by `spawn_blocking`.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The threads, which end when this is dropped; what still runs on them is dropped too.
#[derive(Debug)]
pub struct Workers(Vec<Worker>);

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    /// Shared by the connections that are served here, to be counted.
    load: Arc<()>,
    /// The loop ends when this is dropped.
    _running: oneshot::Sender<()>,
}

impl Workers {
    /// Starts a thread for each processor.
    ///
    /// # Errors
    /// If the system refuses a thread or an event loop.
    pub fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        (0..count).map(Worker::start).collect::<io::Result<_>>().map(Self)
    }

    /// Whether all threads take up new work within `patience`.
    pub async fn respond(&self, patience: Duration) -> bool {
        let asked: Vec<_> = self.0.iter().map(|worker| worker.runtime.spawn(async {})).collect();
        let answers = async {
            for asked in asked {
                // Fails only when the thread ends.
                let _ = asked.await;
            }
        };
        tokio::time::timeout(patience, answers).await.is_ok()
    }

    /// Has the thread with the fewest connections run what `connection` makes there.
    pub(super) fn spawn<F>(&self, connection: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let Some(worker) = self.0.iter().min_by_key(|worker| Arc::strong_count(&worker.load)) else { return };
        let load = Arc::clone(&worker.load);
        worker.runtime.spawn(async move {
            connection().await;
            drop(load);
        });
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().thread_name("blocking").build()?;
        let (running, ended) = oneshot::channel();
        let handle = runtime.handle().clone();
        thread::Builder::new().name(format!("serve {number}")).spawn(move || {
            // The sender is never used: it is dropped when the loop is to end.
            let _ = runtime.block_on(ended);
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, load: Arc::default(), _running: running })
    }
}

/// Places of a [`PerWorker`]: as many threads as write to one without ever meeting.
const PLACES: usize = 16;

thread_local! {
    static PLACE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Something that many threads write and few read: each thread has its own, as far as there are enough. Two processors
/// that write to one line of memory wait for it to come from the other, each time.
#[derive(Debug, Default)]
pub(super) struct PerWorker<T>([Apart<T>; PLACES]);

/// Shares no line of memory with anything, nor the next one, which processors fetch along.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

impl<T> PerWorker<T> {
    /// The one of this thread.
    pub(super) fn own(&self) -> &T {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        let place = PLACE.get().unwrap_or_else(|| {
            let place = THREADS.fetch_add(1, Ordering::Relaxed) % PLACES;
            PLACE.set(Some(place));
            place
        });
        &self.0[place].0
    }

    /// Those of all threads.
    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|place| &place.0)
    }
}
