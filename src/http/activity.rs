//! [`Activity`]: what a connection is doing, noted down by its parts and read by its supervisor.
//!
//! Owns the counters and what they add up to. Knows no clock: how long a phase may last is `supervise`'s matter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Notes about one connection. Counters wrap; only their change matters.
///
/// HTTP/1 writes them from the connection's own task. HTTP/2 runs a task per request, hence atomics; a note that is seen
/// a moment late only makes a timeout a moment late.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Requests begun so far.
    requests: AtomicU32,
    /// Requests whose response has not been handed over to its end.
    in_flight: AtomicU32,
    /// Of these, the ones for whose response the peer has to take something first (HTTP/2 flow control).
    awaiting_peer: AtomicU32,
    /// Pieces of HTTP/2 responses handed over.
    pieces: AtomicU32,
    /// Bytes came while no request was running: the head of the next one.
    head_begun: AtomicBool,
    /// Part of a request was left unread, so the peer may still be sending it.
    unread: AtomicBool,
    /// The last write found no room.
    write_blocked: AtomicBool,
    writes: AtomicU32,
    /// We are finished and throw away what still comes.
    lingering: AtomicBool,
    discards: AtomicU32,
}

/// What a connection is doing at a moment, as far as it decides how long it may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Agreeing on TLS; a phase that only `connection` knows.
    Handshake,
    /// Waiting for a request head to be complete.
    Head,
    /// Between requests.
    Idle,
    /// Working on a request. Its handler and its body have limits of their own.
    Busy,
    /// Waiting for the socket to take bytes.
    Blocked,
    /// Every running request waits for the peer to take some of its response (HTTP/2 only).
    Stalled,
    /// Answered and closed, waiting for the peer to stop sending.
    Lingering,
}

/// Which protocol a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

impl Activity {
    /// The phase, and a mark that changes with every bit of progress inside it.
    pub(super) fn phase(&self, protocol: Protocol) -> (Phase, u32) {
        let get = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        if self.lingering.load(Ordering::Relaxed) {
            return (Phase::Lingering, get(&self.discards));
        }
        if self.write_blocked.load(Ordering::Relaxed) {
            return (Phase::Blocked, get(&self.writes));
        }
        let (requests, in_flight) = (get(&self.requests), get(&self.in_flight));
        match protocol {
            Protocol::Http1 if in_flight == 0 && (requests == 0 || self.head_begun.load(Ordering::Relaxed)) => {
                (Phase::Head, requests)
            }
            // An idle HTTP/2 connection still has pings and window updates; they are no request heads.
            _ if in_flight == 0 => (Phase::Idle, requests),
            Protocol::Http2 if get(&self.awaiting_peer) >= in_flight => (Phase::Stalled, get(&self.pieces)),
            _ => (Phase::Busy, 0),
        }
    }

    /// Notes a request, until its guard is dropped.
    pub(super) fn begin_request(self: &Arc<Self>) -> InFlight {
        self.head_begun.store(false, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { activity: Arc::clone(self), awaiting_peer: false }
    }

    pub(super) fn note_read(&self) {
        if self.in_flight.load(Ordering::Relaxed) == 0 {
            self.head_begun.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn note_write(&self, blocked: bool) {
        if self.write_blocked.load(Ordering::Relaxed) != blocked {
            self.write_blocked.store(blocked, Ordering::Relaxed);
        }
        if !blocked {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes that the rest of a request's body is not wanted.
    pub(super) fn note_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// Whether the peer may still be sending something that nobody will read.
    pub(super) fn expects_input(&self) -> bool {
        self.unread.load(Ordering::Relaxed) || self.head_begun.load(Ordering::Relaxed)
    }

    pub(super) fn note_discard(&self) {
        self.lingering.store(true, Ordering::Relaxed);
        self.discards.fetch_add(1, Ordering::Relaxed);
    }
}

/// A request from its head to the end of its response.
#[derive(Debug)]
pub(super) struct InFlight {
    activity: Arc<Activity>,
    awaiting_peer: bool,
}

impl InFlight {
    /// Notes that the rest of the request's body is not wanted.
    pub(super) fn note_unread(&self) {
        self.activity.note_unread();
    }

    /// Notes whether it is the peer that has to do something next.
    pub(super) fn set_awaiting_peer(&mut self, awaiting: bool) {
        if awaiting != self.awaiting_peer {
            self.awaiting_peer = awaiting;
            if awaiting {
                self.activity.awaiting_peer.fetch_add(1, Ordering::Relaxed);
            } else {
                self.activity.awaiting_peer.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn note_piece(&self) {
        self.activity.pieces.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.set_awaiting_peer(false);
        self.activity.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Protocol::{Http1, Http2};
    use super::*;

    #[test]
    fn a_connection_from_its_begin_to_its_end() {
        let activity = Arc::new(Activity::default());
        assert_eq!(activity.phase(Http1), (Phase::Head, 0));
        assert_eq!(activity.phase(Http2), (Phase::Idle, 0));
        activity.note_read();
        let first = activity.begin_request();
        assert_eq!(activity.phase(Http1).0, Phase::Busy);
        activity.note_read();
        activity.note_write(true);
        let blocked = activity.phase(Http1);
        assert_eq!(blocked.0, Phase::Blocked);
        activity.note_write(false);
        activity.note_write(true);
        assert_ne!(activity.phase(Http1), blocked, "a write in between is progress");
        activity.note_write(false);
        drop(first);
        assert_eq!(activity.phase(Http1), (Phase::Idle, 1));
        assert!(!activity.expects_input());
        activity.note_read();
        assert_eq!((activity.phase(Http1).0, activity.phase(Http2).0), (Phase::Head, Phase::Idle));
        assert!(activity.expects_input());
        activity.note_discard();
        let lingering = activity.phase(Http1);
        assert_eq!(lingering.0, Phase::Lingering);
        activity.note_discard();
        assert_ne!(activity.phase(Http1), lingering);
    }

    #[test]
    fn stalled_only_when_all_wait_for_the_peer() {
        let activity = Arc::new(Activity::default());
        let (mut first, mut second) = (activity.begin_request(), activity.begin_request());
        first.set_awaiting_peer(true);
        assert_eq!(activity.phase(Http2).0, Phase::Busy);
        second.set_awaiting_peer(true);
        second.set_awaiting_peer(true);
        let stalled = activity.phase(Http2);
        assert_eq!((stalled.0, activity.phase(Http1).0), (Phase::Stalled, Phase::Busy));
        second.note_piece();
        assert_ne!(activity.phase(Http2), stalled);
        drop(second);
        assert_eq!(activity.phase(Http2).0, Phase::Stalled);
        first.set_awaiting_peer(false);
        assert_eq!(activity.phase(Http2).0, Phase::Busy);
    }
}
