//! What the client accepts and how long it waits: every bound of a request in one place.
//!
//! Bounds of a sync (counts, sizes of index files) are beside the sync.

use std::time::Duration;

/// Bounds of every request. The defaults suit a registry on the other side of a slow line.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections open at the same time, and so requests under way. More would gain little and look like an attack.
    pub connections: usize,
    /// Finding the host and opening the TCP connection.
    pub connect_timeout: Duration,
    /// The TLS handshake.
    pub handshake_timeout: Duration,
    /// Between the last byte taken of a request and the head of its response. A server may hash and sync a big file
    /// in this time.
    pub response_timeout: Duration,
    /// Between two pieces of a body.
    pub progress_timeout: Duration,
    /// A body that has not reached this average rate (bytes per second) after `progress_timeout` is given up: a server
    /// that sends a byte now and then would otherwise hold the client forever.
    pub rate_bytes_min: u64,
    /// How long a request with a body waits for `100 Continue` before it sends the body all the same (RFC 9110
    /// section 10.1.1: a client must not wait without limit).
    pub continue_timeout: Duration,
    /// Redirects followed for one request.
    pub redirects_max: u32,
    /// Tries of one request, the first included.
    pub attempts_max: u32,
    /// Wait before the second try; it doubles with each further one.
    pub backoff: Duration,
    /// The longest wait between two tries, also where the server's `Retry-After` asks for more.
    pub backoff_max: Duration,
    /// Bytes of a response's head.
    pub head_bytes_max: usize,
    /// Bytes of a small JSON answer or an error.
    pub answer_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8,
            connect_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(60),
            progress_timeout: Duration::from_secs(30),
            rate_bytes_min: 256,
            continue_timeout: Duration::from_secs(1),
            redirects_max: 5,
            attempts_max: 4,
            backoff: Duration::from_millis(200),
            backoff_max: Duration::from_secs(10),
            head_bytes_max: 64 << 10,
            answer_bytes_max: 4 << 20,
        }
    }
}

impl Limits {
    /// The wait before try number `attempt` (the second is 1), without regard to what the server asked for.
    #[must_use]
    pub fn backoff_before(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(16);
        self.backoff.saturating_mul(1 << doublings).min(self.backoff_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_doubles_up_to_its_cap() {
        let limits = Limits::default();
        let waits: Vec<_> = (1..9).map(|attempt| limits.backoff_before(attempt).as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(limits.backoff_before(u32::MAX), limits.backoff_max);
    }
}
