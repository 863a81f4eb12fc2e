//! Who receives which upload at the moment, and the writers that wait for more.
//!
//! Owns the rule that one request at a time goes on with an upload, and keeps a few writers with the state of their
//! digests, so that the next request need not read again what is stored. Knows nothing of what uploads become.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::model::UploadId;
use crate::store::BlobWriter;

/// Writers that are kept while nobody sends: each holds less than half a MiB.
const IDLE_MAX: usize = 64;
/// How long a writer is kept so, with the room on the disk that it was promised.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// Uploads that are received at once.
pub(super) const RECEIVED_MAX: u32 = 256;
/// A request that has brought nothing for so long gives way to the next: its client may have gone without a word.
const SILENCE: Duration = Duration::from_secs(1);
/// How long the next one waits for it, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(100);

/// All uploads that are received or wait in memory.
#[derive(Debug)]
pub(in crate::service) struct Slots {
    slots: Mutex<HashMap<UploadId, Slot>>,
    released: Notify,
    /// A permit for each upload that is being received.
    pub(super) places: Arc<Semaphore>,
}

#[derive(Debug)]
enum Slot {
    Taken(Arc<Taken>),
    Idle { writer: Box<BlobWriter>, since: Instant },
}

/// An upload that is being received.
#[derive(Debug)]
pub(super) struct Taken {
    begun: Instant,
    /// When bytes last came, in milliseconds after `begun`.
    last_ms: AtomicU64,
    received_bytes: AtomicU64,
    /// Tells the receiver to stop and to keep what it has.
    pub(super) interrupt: Notify,
}

impl Taken {
    pub(super) fn note(&self, received_bytes: u64) {
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(elapsed, Ordering::Relaxed);
        self.received_bytes.store(received_bytes, Ordering::Relaxed);
    }

    fn silence(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_millis(self.last_ms.load(Ordering::Relaxed)))
    }
}

/// The right to go on with an upload, given back when dropped.
pub(super) struct Lease {
    slots: Arc<Slots>,
    id: UploadId,
    pub(super) taken: Arc<Taken>,
    /// The writer that waited in memory, and is to wait there again.
    pub(super) writer: Option<Box<BlobWriter>>,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            slots: Mutex::default(),
            released: Notify::new(),
            places: Arc::new(Semaphore::new(RECEIVED_MAX as usize)),
        }
    }
}

impl Slots {
    fn lock(&self) -> MutexGuard<'_, HashMap<UploadId, Slot>> {
        // The map is valid between any two statements.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an upload, or says who has it.
    pub(super) fn take(self: &Arc<Self>, id: UploadId) -> Result<Lease, Arc<Taken>> {
        let mut slots = self.lock();
        let writer = match slots.remove(&id) {
            Some(Slot::Taken(taken)) => {
                slots.insert(id, Slot::Taken(Arc::clone(&taken)));
                return Err(taken);
            }
            Some(Slot::Idle { writer, .. }) => Some(writer),
            None => None,
        };
        let taken = Arc::new(Taken {
            begun: Instant::now(),
            last_ms: AtomicU64::new(0),
            received_bytes: AtomicU64::new(0),
            interrupt: Notify::new(),
        });
        slots.insert(id, Slot::Taken(Arc::clone(&taken)));
        Ok(Lease { slots: Arc::clone(self), id, taken, writer })
    }

    /// Takes an upload. Who has it is sent away after a second of silence, or at once where it is not wanted any more;
    /// answers nothing if it goes on.
    pub(super) async fn take_over(self: &Arc<Self>, id: UploadId, at_once: bool) -> Option<Lease> {
        let end = Instant::now() + PATIENCE;
        loop {
            let mut released = std::pin::pin!(self.released.notified());
            released.as_mut().enable();
            let taken = match self.take(id) {
                Ok(lease) => return Some(lease),
                Err(taken) => taken,
            };
            if at_once || taken.silence() >= SILENCE {
                taken.interrupt.notify_one();
            }
            if Instant::now() >= end {
                return None;
            }
            let _ = timeout(LOOK, released).await;
        }
    }

    /// How much of an upload that is being received has come.
    pub(super) fn received_bytes(&self, id: UploadId) -> Option<u64> {
        match self.lock().get(&id) {
            Some(Slot::Taken(taken)) => Some(taken.received_bytes.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0),
            _ => None,
        }
    }

    /// Lets writers go that have waited long.
    pub(super) fn drop_idle(&self) {
        let old = |slot: &Slot| matches!(slot, Slot::Idle { since, .. } if since.elapsed() >= IDLE);
        let dropped: Vec<_> = self.lock().extract_if(|_, slot| old(slot)).collect();
        drop(dropped);
    }

    /// Waits until nothing is being received.
    pub(in crate::service) async fn all_ended(&self) {
        let _ = self.places.acquire_many(RECEIVED_MAX).await;
    }

    /// Lets all writers go that wait for more.
    pub(in crate::service) fn close(&self) {
        let dropped: Vec<_> = self.lock().extract_if(|_, slot| matches!(slot, Slot::Idle { .. })).collect();
        drop(dropped);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut slots = self.slots.lock();
        slots.remove(&self.id);
        let mut surplus = None;
        if let Some(writer) = self.writer.take() {
            let idle = slots.iter().filter_map(|(id, slot)| match slot {
                Slot::Idle { since, .. } => Some((*since, *id)),
                Slot::Taken(_) => None,
            });
            let idle: Vec<_> = idle.collect();
            if idle.len() >= IDLE_MAX
                && let Some((_, oldest)) = idle.iter().min()
            {
                surplus = slots.remove(oldest);
            }
            slots.insert(self.id, Slot::Idle { writer, since: Instant::now() });
        }
        drop(slots);
        // A writer gives back what it holds without the lock.
        drop(surplus);
        self.slots.released.notify_waiters();
    }
}
