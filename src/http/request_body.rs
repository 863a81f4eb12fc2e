//! [`RequestBody`]: a request's content, never more and never slower than it may be.
//!
//! Owns the size limit, the demand for progress and the kinds of failure. Parsing the content is the handlers' matter.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use super::Limits;
use super::body::BoxError;

/// A request's content, read chunk by chunk or at once.
///
/// Nothing is read from the client, and no `100 Continue` is sent, before the first chunk is asked for. Dropping it
/// unread is fine: the answer still reaches the client.
pub struct RequestBody {
    source: Source,
    end: EndMark,
    limit_bytes: u64,
    received_bytes: u64,
    progress: Progress,
}

enum Source {
    Nothing,
    Connection(Incoming),
    Other(UnsyncBoxBody<Bytes, BoxError>),
}

/// Why the rest of a request's content cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RequestBodyError {
    /// It is, or says it is, larger than allowed here.
    #[error("the request body is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// It does not get on.
    #[error("the request body did not bring {bytes_min} bytes in {} s", window.as_secs_f32())]
    TooSlow {
        /// How long was waited.
        window: Duration,
        /// For how much.
        bytes_min: u64,
    },
    /// The connection ended before the content did.
    #[error("the connection ended before the request body did")]
    Cut(#[source] BoxError),
    /// The content's framing is broken (RFC 9112 section 7.1).
    #[error("the request body's chunked framing is broken")]
    Malformed(#[source] BoxError),
}

/// Tells the connection whether a request's content was read to its end.
#[derive(Clone, Default)]
pub(super) struct EndMark(Option<Arc<AtomicBool>>);

impl EndMark {
    /// Whether there is nothing left that the client might still be sending.
    pub(super) fn is_reached(&self) -> bool {
        self.0.as_ref().is_none_or(|reached| reached.load(Ordering::Acquire))
    }

    fn reach(&self) {
        if let Some(reached) = &self.0 {
            reached.store(true, Ordering::Release);
        }
    }
}

impl RequestBody {
    /// The content of a request on a connection.
    pub(super) fn new(incoming: Incoming, limits: &Limits) -> Self {
        if incoming.is_end_stream() {
            return Self::with_source(Source::Nothing, limits);
        }
        let mut body = Self::with_source(Source::Connection(incoming), limits);
        body.end = EndMark(Some(Arc::default()));
        body
    }

    /// Content from somewhere else, e.g. to call a handler without a connection.
    #[must_use]
    pub fn from_body<B>(body: B, limits: &Limits) -> Self
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self::with_source(Source::Other(body.map_err(Into::into).boxed_unsync()), limits)
    }

    fn with_source(source: Source, limits: &Limits) -> Self {
        Self {
            source,
            end: EndMark::default(),
            limit_bytes: limits.body_bytes_max,
            received_bytes: 0,
            progress: Progress::new(limits),
        }
    }

    pub(super) fn end_mark(&self) -> EndMark {
        self.end.clone()
    }

    /// What `Content-Length` says, less what has been read; `None` if it is not said.
    #[must_use]
    pub fn expected_bytes(&self) -> Option<u64> {
        match &self.source {
            Source::Nothing => Some(0),
            Source::Connection(incoming) => incoming.size_hint().exact(),
            Source::Other(body) => body.size_hint().exact(),
        }
    }

    /// Replaces the size limit, which is [`Limits::body_bytes_max`] to begin with.
    ///
    /// # Errors
    /// `TooLarge` at once if `Content-Length` is already above it; nothing has been read then.
    pub fn limit(mut self, limit_bytes: u64) -> Result<Self, RequestBodyError> {
        self.limit_bytes = limit_bytes;
        self.check_expected()?;
        Ok(self)
    }

    /// The next bytes, or `None` at the end. Not to be called again after an error.
    ///
    /// Only the time spent in here counts against the client; a caller may take its time between two chunks.
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// See [`RequestBodyError`].
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, RequestBodyError> {
        if self.received_bytes == 0 {
            self.check_expected()?;
        }
        loop {
            let Some(result) = self.progress.wait(next_frame(&mut self.source)).await? else {
                self.source = Source::Nothing;
                self.end.reach();
                return Ok(None);
            };
            // Trailers mean nothing to us.
            let Ok(chunk) = result.map_err(classify)?.into_data() else { continue };
            self.received_bytes += chunk.len() as u64;
            self.progress.made(chunk.len() as u64);
            if self.received_bytes > self.limit_bytes {
                return Err(self.too_large());
            }
            if self.expected_bytes() == Some(0) {
                self.end.reach();
            }
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
        }
    }

    /// All of it, for content that is small.
    ///
    /// # Errors
    /// See [`RequestBodyError`].
    pub async fn collect_limited(self, limit_bytes: u64) -> Result<Bytes, RequestBodyError> {
        let mut body = self.limit(limit_bytes)?;
        let Some(first) = body.next_chunk().await? else { return Ok(Bytes::new()) };
        let Some(second) = body.next_chunk().await? else { return Ok(first) };
        // What `Content-Length` says is within the limit here, but still only a promise: no more than a little ahead.
        let mut all = BytesMut::with_capacity((first.len() + second.len()) * 2);
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(chunk) = body.next_chunk().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    fn check_expected(&self) -> Result<(), RequestBodyError> {
        match self.expected_bytes() {
            Some(expected_bytes) if expected_bytes > self.limit_bytes => Err(self.too_large()),
            _ => Ok(()),
        }
    }

    fn too_large(&self) -> RequestBodyError {
        RequestBodyError::TooLarge { limit_bytes: self.limit_bytes }
    }
}

async fn next_frame(source: &mut Source) -> Option<Result<http_body::Frame<Bytes>, BoxError>> {
    match source {
        Source::Nothing => None,
        Source::Connection(incoming) => incoming.frame().await.map(|result| result.map_err(Into::into)),
        Source::Other(body) => Pin::new(body).frame().await,
    }
}

fn classify(error: BoxError) -> RequestBodyError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&*error);
    while let Some(source) = cause {
        if let Some(io) = source.downcast_ref::<io::Error>() {
            return match io.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => RequestBodyError::Malformed(error),
                _ => RequestBodyError::Cut(error),
            };
        }
        cause = source.source();
    }
    RequestBodyError::Cut(error)
}

/// The demand that each window of waiting brings some bytes.
struct Progress {
    window: Duration,
    bytes_min: u64,
    waited: Duration,
    brought_bytes: u64,
}

impl Progress {
    fn new(limits: &Limits) -> Self {
        Self {
            window: limits.body_window,
            bytes_min: limits.body_window_bytes_min,
            waited: Duration::ZERO,
            brought_bytes: 0,
        }
    }

    async fn wait<T>(&mut self, next: impl Future<Output = T>) -> Result<T, RequestBodyError> {
        let begin = Instant::now();
        let result = timeout(self.window.saturating_sub(self.waited), next).await;
        self.waited += begin.elapsed();
        result.map_err(|_| RequestBodyError::TooSlow { window: self.window, bytes_min: self.bytes_min })
    }

    fn made(&mut self, bytes: u64) {
        self.brought_bytes += bytes;
        if self.brought_bytes >= self.bytes_min {
            self.brought_bytes = 0;
            self.waited = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;
    use crate::http::Body as ResponseBody;

    const LIMITS: Limits = Limits { body_bytes_max: 10, body_window_bytes_min: 4, ..Limits::DEFAULT };

    /// Chunks that each come some seconds after the one before.
    fn timed(chunks: &'static [(u64, &'static str)]) -> RequestBody {
        let stream = stream::iter(chunks).then(|(seconds, chunk)| async move {
            tokio::time::sleep(Duration::from_secs(*seconds)).await;
            Ok(Bytes::from_static(chunk.as_bytes()))
        });
        RequestBody::from_body(ResponseBody::stream(None, stream), &LIMITS)
    }

    #[tokio::test]
    async fn collecting() {
        for chunks in [&[][..], &[(0, "abc")], &[(0, "ab"), (0, "c")], &[(0, "a"), (0, ""), (0, "b"), (0, "c")]] {
            let expected: String = chunks.iter().map(|(_, chunk)| *chunk).collect();
            assert_eq!(timed(chunks).collect_limited(3).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn too_large_up_front() {
        let body = RequestBody::from_body(ResponseBody::full("0123456789a"), &LIMITS);
        assert!(matches!(body.limit(5), Err(RequestBodyError::TooLarge { limit_bytes: 5 })));
        let mut body = RequestBody::from_body(ResponseBody::full("0123456789a"), &LIMITS);
        assert!(matches!(body.next_chunk().await, Err(RequestBodyError::TooLarge { limit_bytes: 10 })));
        let body = RequestBody::from_body(ResponseBody::full("0123456789a"), &LIMITS).limit(11).unwrap();
        assert_eq!(body.expected_bytes(), Some(11));
    }

    #[tokio::test]
    async fn too_large_on_the_way() {
        let mut body = timed(&[(0, "01234"), (0, "56789"), (0, "a")]);
        assert!(body.next_chunk().await.unwrap().is_some());
        assert!(body.next_chunk().await.unwrap().is_some());
        assert!(matches!(body.next_chunk().await, Err(RequestBodyError::TooLarge { limit_bytes: 10 })));
    }

    #[tokio::test(start_paused = true)]
    async fn each_window_must_bring_something() {
        let fast_enough = timed(&[(20, "ab"), (9, "cd"), (29, "efgh"), (29, "i")]);
        assert_eq!(fast_enough.collect_limited(10).await.unwrap(), "abcdefghi");
        let dribble = timed(&[(10, "a"), (10, "b"), (11, "c"), (0, "d")]);
        let begin = Instant::now();
        assert!(matches!(dribble.collect_limited(10).await, Err(RequestBodyError::TooSlow { .. })));
        assert_eq!(begin.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn the_readers_own_time_does_not_count() {
        let mut body = timed(&[(1, "a"), (1, "b"), (1, "c")]);
        while body.next_chunk().await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_secs(100)).await;
        }
    }

    #[tokio::test]
    async fn a_broken_source_is_cut() {
        let stream = stream::iter([Ok(Bytes::from_static(b"a")), Err("reset".into())]);
        let body = RequestBody::from_body(ResponseBody::stream(None, stream), &LIMITS);
        assert!(matches!(body.collect_limited(9).await, Err(RequestBodyError::Cut(_))));
    }
}
