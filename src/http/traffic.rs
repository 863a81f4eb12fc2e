//! [`Traffic`]: what goes on at the sockets of all servers together, counted for those who watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::workers::PerWorker;

/// Counts of the sockets, shared by those who count and those who read.
#[derive(Debug, Default)]
pub struct Traffic {
    connections: AtomicU64,
    bytes: PerWorker<Bytes>,
}

#[derive(Debug, Default)]
struct Bytes {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    /// Connections that are open.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Bytes that came, with all that belongs to the protocols, since the start.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        self.bytes.all().map(|bytes| bytes.received.load(Ordering::Relaxed)).sum()
    }

    /// Bytes that were handed to the system to be sent, with all that belongs to the protocols, since the start.
    #[must_use]
    pub fn sent_bytes(&self) -> u64 {
        self.bytes.all().map(|bytes| bytes.sent.load(Ordering::Relaxed)).sum()
    }

    pub(super) fn note_received(&self, bytes: usize) {
        self.bytes.own().received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn note_sent(&self, bytes: usize) {
        self.bytes.own().sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// A connection in the count of those that are open.
pub(super) struct Counted(Arc<Traffic>);

impl Counted {
    pub(super) fn new(traffic: &Arc<Traffic>) -> Self {
        traffic.connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(traffic))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
