//! [`Limits`]: every bound on what clients may take of the server, with its default and the reason for it.
//!
//! Owns the numbers and their relations. Who enforces one is named beside it.

use std::time::Duration;

/// Bounds on connections, requests and waiting. The defaults suit a small machine on the open internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time; further ones wait in the system's queue (`server`). Each costs about 20 KB while it is
    /// idle and one file descriptor.
    pub connections_max: u32,
    /// Connections at one time from one IPv4 address or IPv6 /64; more are answered 429 and closed (`server`). An
    /// office or a CI farm behind one address fits, and nobody alone reaches `connections_max`. Trusted proxies are exempt.
    pub connections_per_address_max: u32,
    /// How long accepting pauses when the process is out of descriptors or memory (`server`): long enough not to spin,
    /// short enough not to be noticed.
    pub accept_pause: Duration,
    /// From connection to the end of the TLS handshake (`connection`). Two round trips on a bad line.
    pub tls_handshake_timeout: Duration,
    /// From the first byte of a request head, or from connection, to the head's end (`supervise`). A head is a packet or
    /// two; whoever dribbles it holds a connection for nothing.
    pub header_timeout: Duration,
    /// How long a connection may be kept alive between requests (`supervise`). Clients that poll do so in longer
    /// intervals, those that fetch many files in shorter ones.
    pub idle_timeout: Duration,
    /// How long the peer may take nothing of a response that is being sent (`supervise`).
    pub write_timeout: Duration,
    /// Bytes of a request head (`connection`): tokens and long cookies fit, and it bounds memory per silent connection.
    pub header_bytes_max: usize,
    /// Buffer of an HTTP/1 connection for each direction (`connection`): the size of reads during an upload.
    pub buffer_bytes_max: usize,
    /// Concurrent requests of an HTTP/2 connection (`connection`). Browsers and sync clients use fewer.
    pub http2_streams_max: u32,
    /// Streams that a client may reset before they were answered (`connection`), against floods of resets.
    pub http2_pending_resets_max: usize,
    /// Bytes that a client may send on all HTTP/2 streams of a connection before we took them (`connection`): memory
    /// against upload speed (this per round trip).
    pub http2_window_bytes: u32,
    /// What of an HTTP/2 response is buffered while the client does not take it, per stream (`connection`).
    pub http2_send_buffer_bytes_max: usize,
    /// How often a silent HTTP/2 peer is asked whether it is still there (`connection`).
    pub http2_ping_interval: Duration,
    /// How long it may take to say so (`connection`).
    pub http2_ping_timeout: Duration,
    /// Default size of a request body (`request_body`): JSON. Handlers that take files set their own.
    pub body_bytes_max: u64,
    /// A request body must bring `body_window_bytes_min`, or its end, in every such time of waiting for it
    /// (`request_body`).
    pub body_window: Duration,
    /// See `body_window`. 4 KiB in 30 s is slower than any line that could finish an upload.
    pub body_window_bytes_min: u64,
    /// What of an unwanted request body is still taken, so that the client comes to read the answer instead of a reset
    /// connection (`watched_io`).
    pub linger_bytes_max: u64,
    /// How long such a client may be silent before the connection is closed for good (`supervise`).
    pub linger_idle_timeout: Duration,
    /// How long taking an unwanted body may last altogether (`supervise`).
    pub linger_timeout: Duration,
    /// How long running requests may go on after shutdown was asked for (`server`). Service managers kill after 90 s.
    pub shutdown_timeout: Duration,
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        connections_max: 2_000,
        connections_per_address_max: 256,
        accept_pause: Duration::from_millis(100),
        tls_handshake_timeout: Duration::from_secs(10),
        header_timeout: Duration::from_secs(15),
        idle_timeout: Duration::from_secs(60),
        write_timeout: Duration::from_secs(60),
        header_bytes_max: 32 * 1024,
        buffer_bytes_max: 256 * 1024,
        http2_streams_max: 100,
        http2_pending_resets_max: 20,
        http2_window_bytes: 1024 * 1024,
        http2_send_buffer_bytes_max: 128 * 1024,
        http2_ping_interval: Duration::from_secs(20),
        http2_ping_timeout: Duration::from_secs(20),
        body_bytes_max: 1024 * 1024,
        body_window: Duration::from_secs(30),
        body_window_bytes_min: 4 * 1024,
        linger_bytes_max: 64 * 1024 * 1024,
        linger_idle_timeout: Duration::from_secs(3),
        linger_timeout: Duration::from_secs(30),
        shutdown_timeout: Duration::from_secs(30),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Hyper refuses a smaller buffer.
const HYPER_BUFFER_BYTES_MIN: usize = 8 * 1024;

const _: () = {
    const L: Limits = Limits::DEFAULT;
    assert!(
        L.connections_per_address_max * 2 <= L.connections_max,
        "one address must not be able to lock out all others"
    );
    assert!(L.header_timeout.as_secs() < L.idle_timeout.as_secs(), "a half request is no better than none");
    assert!(L.header_bytes_max <= L.buffer_bytes_max, "a head must fit the buffer it is read into");
    assert!(L.buffer_bytes_max >= HYPER_BUFFER_BYTES_MIN);
    assert!(L.linger_idle_timeout.as_secs() < L.linger_timeout.as_secs());
    assert!(
        L.linger_timeout.as_secs() <= L.shutdown_timeout.as_secs(),
        "a lingering connection must not outlast a shutdown"
    );
    assert!(
        L.http2_ping_interval.as_secs() + L.http2_ping_timeout.as_secs() <= L.idle_timeout.as_secs(),
        "a dead peer is found before an idle one is sent away"
    );
    assert!(L.body_window_bytes_min <= L.body_bytes_max);
    assert!(
        L.linger_bytes_max > L.body_bytes_max,
        "an oversized body that is not much too big is answered in any case"
    );
};
