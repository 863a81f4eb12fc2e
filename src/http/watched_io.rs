//! [`WatchedIo`]: a socket that notes what happens on it and closes without cutting the last answer off.
//!
//! Owns lingering: a socket closed with unread input resets the connection, and the reset can overtake the answer. So
//! after the end is sent, input is thrown away until the peer ends too or `linger_bytes_max` is reached; time is limited
//! by the supervisor.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;
use super::traffic::Traffic;

/// What is thrown away at a time; on the stack.
const DISCARD_BYTES: usize = 16 * 1024;

pub(super) struct WatchedIo<S> {
    inner: S,
    activity: Arc<Activity>,
    traffic: Arc<Traffic>,
    end_sent: bool,
    discarded_bytes: u64,
    linger_bytes_max: u64,
}

impl<S> WatchedIo<S> {
    pub(super) fn new(inner: S, activity: Arc<Activity>, traffic: Arc<Traffic>, linger_bytes_max: u64) -> Self {
        Self { inner, activity, traffic, end_sent: false, discarded_bytes: 0, linger_bytes_max }
    }

    fn note_written(&self, result: &Poll<io::Result<usize>>) {
        self.activity.note_write(result.is_pending());
        if let Poll::Ready(Ok(bytes)) = result {
            self.traffic.note_sent(*bytes);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedIo<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        let came = buf.filled().len() - before;
        if came > 0 {
            self.activity.note_read();
            self.traffic.note_received(came);
        }
        result
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WatchedIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.note_written(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut filled = buffers.iter().filter(|buffer| !buffer.is_empty());
        let result = match (filled.next(), filled.next()) {
            // The system takes one buffer more quickly than a list of one.
            (Some(only), None) => Pin::new(&mut self.inner).poll_write(cx, only),
            _ => Pin::new(&mut self.inner).poll_write_vectored(cx, buffers),
        };
        self.note_written(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    /// Sends the end, then lingers if the peer is, or may be, still sending.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.end_sent {
            ready!(Pin::new(&mut this.inner).poll_shutdown(cx))?;
            this.end_sent = true;
        }
        let mut memory = [const { MaybeUninit::uninit() }; DISCARD_BYTES];
        while this.discarded_bytes < this.linger_bytes_max {
            let mut buffer = ReadBuf::uninit(&mut memory);
            match Pin::new(&mut this.inner).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    this.discarded_bytes += buffer.filled().len() as u64;
                    this.activity.note_discard();
                }
                Poll::Pending if this.discarded_bytes > 0 || this.activity.expects_input() => {
                    if this.discarded_bytes == 0 {
                        this.activity.note_discard();
                    }
                    return Poll::Pending;
                }
                // The end, an error, or nothing there and nothing expected.
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::super::activity::{Phase, Protocol};
    use super::*;

    fn watched(linger_bytes_max: u64) -> (WatchedIo<DuplexStream>, DuplexStream, Arc<Activity>) {
        let (ours, theirs) = tokio::io::duplex(64);
        let activity = Arc::new(Activity::default());
        (WatchedIo::new(ours, Arc::clone(&activity), Arc::default(), linger_bytes_max), theirs, activity)
    }

    #[tokio::test]
    async fn writes_without_room_are_noted() {
        let (mut ours, mut theirs, activity) = watched(0);
        assert!(ours.write_all(&[0; 100]).now_or_never().is_none());
        assert_eq!(activity.phase(Protocol::Http1).0, Phase::Blocked);
        theirs.read_exact(&mut [0; 64]).await.unwrap();
        ours.write_all(&[0; 36]).await.unwrap();
        assert_ne!(activity.phase(Protocol::Http1).0, Phase::Blocked);
    }

    #[tokio::test]
    async fn nothing_expected_closes_at_once() {
        let (mut ours, _theirs, activity) = watched(100);
        ours.shutdown().now_or_never().unwrap().unwrap();
        assert_ne!(activity.phase(Protocol::Http1).0, Phase::Lingering);
    }

    #[tokio::test]
    async fn lingers_until_the_peer_ends() {
        let (mut ours, mut theirs, activity) = watched(100);
        activity.note_unread();
        assert!(ours.shutdown().now_or_never().is_none());
        let waiting = activity.phase(Protocol::Http1);
        assert_eq!(waiting.0, Phase::Lingering);
        theirs.write_all(b"more").await.unwrap();
        assert!(ours.shutdown().now_or_never().is_none());
        assert_ne!(activity.phase(Protocol::Http1), waiting);
        drop(theirs);
        ours.shutdown().now_or_never().unwrap().unwrap();
    }

    #[tokio::test]
    async fn lingers_for_so_many_bytes() {
        let (mut ours, mut theirs, _) = watched(100);
        theirs.write_all(&[0; 60]).await.unwrap();
        assert!(ours.shutdown().now_or_never().is_none());
        theirs.write_all(&[0; 60]).await.unwrap();
        ours.shutdown().now_or_never().unwrap().unwrap();
    }
}
