//! What a request carries: nothing, some bytes, or a file streamed from disk, always with its exact length.
//!
//! A [`Payload`] can be sent again, which is what makes a request with a body repeatable; an `Outgoing` is one
//! sending of it.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{Notify, mpsc};

use super::progress::Progress;

/// Bytes read from a file at a time: large enough that the system calls do not count.
const PIECE_BYTES: usize = 256 << 10;

/// Pieces read ahead of the network.
const PIECES_AHEAD: usize = 2;

/// The body of a request, sendable more than once.
#[derive(Clone)]
pub enum Payload {
    /// No body.
    Empty,
    /// Bytes at hand.
    Bytes(Bytes),
    /// A file, never whole in memory.
    File(FilePayload),
}

/// A file as a body.
#[derive(Clone)]
pub struct FilePayload {
    /// Where it is.
    pub path: PathBuf,
    /// Where in it the body begins.
    pub offset_bytes: u64,
    /// How long it was when its digest was taken; another length at sending time is an error.
    pub size_bytes: u64,
    /// Hears how many bytes have gone out.
    pub progress: Arc<dyn Progress>,
}

impl Payload {
    /// Exact length in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.size_bytes.saturating_sub(file.offset_bytes),
        }
    }

    /// Begins one sending.
    pub(crate) fn open(&self) -> (Outgoing, Arc<Sending>) {
        let state = Arc::new(Sending::default());
        let source = match self {
            Self::Empty => Source::Bytes(None),
            Self::Bytes(bytes) => Source::Bytes(Some(bytes.clone()).filter(|bytes| !bytes.is_empty())),
            Self::File(file) => {
                let (pieces, receiver) = mpsc::channel(PIECES_AHEAD);
                let (path, offset_bytes, size_bytes) = (file.path.clone(), file.offset_bytes, file.size_bytes);
                // Ends by itself when the receiver is gone.
                tokio::task::spawn_blocking(move || read_pieces(&path, offset_bytes, size_bytes, &pieces));
                Source::File { pieces: receiver, offset_bytes, progress: Arc::clone(&file.progress) }
            }
        };
        let left_bytes = self.size_bytes();
        state.finished.store(left_bytes == 0, Ordering::Release);
        let size_bytes = left_bytes;
        (Outgoing { source, gate: None, left_bytes, size_bytes, state: Arc::clone(&state) }, state)
    }
}

/// Reads the file into `pieces`, and an error in place of the rest if its length is not `size_bytes`.
fn read_pieces(path: &std::path::Path, offset_bytes: u64, size_bytes: u64, pieces: &mpsc::Sender<io::Result<Bytes>>) {
    let changed = || io::Error::other("it changed while it was being sent; try again when nothing writes to it");
    let read = || -> io::Result<()> {
        let mut file = std::fs::File::open(path)?;
        file.seek(SeekFrom::Start(offset_bytes))?;
        let mut left_bytes = size_bytes.saturating_sub(offset_bytes);
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let n = file.read(&mut piece)?;
            left_bytes = left_bytes.checked_sub(n as u64).ok_or_else(changed)?;
            if n == 0 {
                return if left_bytes == 0 { Ok(()) } else { Err(changed()) };
            }
            piece.truncate(n);
            if pieces.blocking_send(Ok(piece.into())).is_err() {
                return Ok(());
            }
        }
    };
    if let Err(error) = read() {
        let named = io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        // Nobody listens any more: then nobody needs it.
        let _ = pieces.blocking_send(Err(named));
    }
}

/// What the sender of a request sees of its body.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    bytes: AtomicU64,
    finished: AtomicBool,
}

impl Sending {
    /// Bytes handed to the connection so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// Whether the whole body was handed over. If not when the answer is there, the connection cannot be used again.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }
}

enum Source {
    Bytes(Option<Bytes>),
    File { pieces: mpsc::Receiver<io::Result<Bytes>>, offset_bytes: u64, progress: Arc<dyn Progress> },
}

/// One sending of a [`Payload`].
pub(crate) struct Outgoing {
    source: Source,
    gate: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    size_bytes: u64,
    left_bytes: u64,
    state: Arc<Sending>,
}

impl Outgoing {
    /// Holds the body back until `go` is notified, or for `at_most` (RFC 9110 section 10.1.1).
    pub(crate) fn hold_until(&mut self, go: Arc<Notify>, at_most: Duration) {
        self.gate = Some(Box::pin(async move {
            // Silence means that the server knows nothing of 100-continue: then the body goes out.
            let _ = tokio::time::timeout(at_most, go.notified()).await;
        }));
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        if let Some(gate) = &mut this.gate {
            ready!(gate.as_mut().poll(cx));
            this.gate = None;
        }
        let piece = match &mut this.source {
            Source::Bytes(bytes) => bytes.take().map(Ok),
            Source::File { pieces, .. } => ready!(pieces.poll_recv(cx)),
        };
        let Some(piece) = piece else { return Poll::Ready(None) };
        let piece = piece?;
        this.left_bytes = this.left_bytes.saturating_sub(piece.len() as u64);
        let sent_bytes = this.size_bytes - this.left_bytes;
        this.state.bytes.store(sent_bytes, Ordering::Release);
        this.state.finished.store(this.left_bytes == 0, Ordering::Release);
        if let Source::File { progress, offset_bytes, .. } = &this.source {
            progress.reached(offset_bytes + sent_bytes);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::super::progress::Silent;
    use super::*;

    fn file(path: &std::path::Path, size_bytes: u64) -> Payload {
        Payload::File(FilePayload { path: path.into(), offset_bytes: 0, size_bytes, progress: Arc::new(Silent) })
    }

    #[tokio::test]
    async fn a_file_is_sent_whole_and_more_than_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let bytes: Vec<u8> = (0..PIECE_BYTES * 3 + 7).map(|n| n as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let payload = file(&path, bytes.len() as u64);
        for _ in 0..2 {
            let (body, state) = payload.open();
            assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
            assert!(!state.is_finished());
            assert_eq!(body.collect().await.unwrap().to_bytes(), bytes);
            assert!(state.is_finished());
        }
    }

    #[tokio::test]
    async fn a_file_of_another_length_or_none_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, b"12345").unwrap();
        for size_bytes in [4, 6] {
            let error = file(&path, size_bytes).open().0.collect().await.unwrap_err();
            assert!(error.to_string().contains("changed while"), "{error}");
        }
        let error = file(&folder.path().join("none"), 1).open().0.collect().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn a_held_body_goes_out_when_told_or_after_a_while() {
        let payload = Payload::Bytes(Bytes::from_static(b"x"));
        let go = Arc::new(Notify::new());
        let (mut body, _) = payload.open();
        body.hold_until(Arc::clone(&go), Duration::from_secs(3600));
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut body).poll_frame(&mut context).is_pending());
        go.notify_one();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "x");
        let (mut body, _) = payload.open();
        body.hold_until(Arc::new(Notify::new()), Duration::from_millis(1));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "x");
    }
}
