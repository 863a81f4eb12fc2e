//! [`Body`], the one response body type.
//!
//! Owns how bytes become body frames and how long a body says it is. Knows nothing of where the bytes come from.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};

/// What a body's source may fail with.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A response body: nothing, one buffer, a list of buffers, or a stream.
///
/// Where the length is known it is exact, so that a response carries `Content-Length`. A body that cannot keep its
/// promise ends with an error, which breaks the connection: the client sees a failed transfer, never a short file.
#[derive(Default)]
pub struct Body(Inner);

#[derive(Default)]
enum Inner {
    #[default]
    Empty,
    Full(Bytes),
    Segments {
        list: Arc<[Bytes]>,
        next: usize,
        remaining_bytes: u64,
    },
    Stream {
        promised_bytes: Option<u64>,
        sent_bytes: u64,
        stream: BoxStream,
    },
}

type BoxStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// A stream did not yield as many bytes as its body had promised.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LengthMismatch {
    /// The stream ended early.
    #[error("the body ended after {sent_bytes} of {promised_bytes} bytes")]
    Short {
        /// What `Content-Length` said.
        promised_bytes: u64,
        /// What came before the end.
        sent_bytes: u64,
    },
    /// The stream had more.
    #[error("the body has more than the promised {promised_bytes} bytes")]
    Long {
        /// What `Content-Length` said.
        promised_bytes: u64,
    },
}

impl Body {
    /// No content.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Inner::Empty)
    }

    /// One buffer.
    #[must_use]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self::empty() } else { Self(Inner::Full(bytes)) }
    }

    /// A list of buffers, sent one after the other and never copied together. An `Arc<[Bytes]>` is shared as it is.
    #[must_use]
    pub fn segments(list: impl Into<Arc<[Bytes]>>) -> Self {
        let list = list.into();
        let remaining_bytes = list.iter().map(|segment| segment.len() as u64).sum();
        Self(Inner::Segments { list, next: 0, remaining_bytes })
    }

    /// A stream of buffers, `len_bytes` long if that is known.
    ///
    /// A stream that yields more or less than `len_bytes` makes the body fail with [`LengthMismatch`].
    #[must_use]
    pub fn stream(
        len_bytes: Option<u64>,
        stream: impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
    ) -> Self {
        Self(Inner::Stream { promised_bytes: len_bytes, sent_bytes: 0, stream: Box::pin(stream) })
    }

    /// How many bytes are still to come, if that is known.
    #[must_use]
    pub fn len_bytes(&self) -> Option<u64> {
        match &self.0 {
            Inner::Empty => Some(0),
            Inner::Full(bytes) => Some(bytes.len() as u64),
            Inner::Segments { remaining_bytes, .. } => Some(*remaining_bytes),
            Inner::Stream { promised_bytes, sent_bytes, .. } => promised_bytes.map(|promised| promised - sent_bytes),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::full(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::full(text)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::full(text)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let item = match &mut self.0 {
            Inner::Empty => None,
            Inner::Full(bytes) => Some(Ok(std::mem::take(bytes))),
            Inner::Segments { list, next, remaining_bytes } => {
                let left = list.get(*next..).unwrap_or_default();
                match left.iter().position(|segment| !segment.is_empty()) {
                    Some(skipped) => {
                        *next += skipped + 1;
                        let segment = left[skipped].clone();
                        *remaining_bytes -= segment.len() as u64;
                        Some(Ok(segment))
                    }
                    None => None,
                }
            }
            Inner::Stream { promised_bytes, sent_bytes, stream } => {
                let item = ready!(stream.as_mut().poll_next(context));
                check_length(item, *promised_bytes, sent_bytes)
            }
        };
        // What is finished or failed is let go at once, not when the connection gets round to it.
        if self.len_bytes() == Some(0) || !matches!(item, Some(Ok(_))) {
            self.0 = Inner::Empty;
        }
        Poll::Ready(item.map(|result| result.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.len_bytes() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.len_bytes().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Passes a stream's item on if it keeps the promise.
fn check_length(
    item: Option<Result<Bytes, BoxError>>,
    promised_bytes: Option<u64>,
    sent_bytes: &mut u64,
) -> Option<Result<Bytes, BoxError>> {
    match (item, promised_bytes) {
        (None, Some(promised_bytes)) if *sent_bytes < promised_bytes => {
            Some(Err(LengthMismatch::Short { promised_bytes, sent_bytes: *sent_bytes }.into()))
        }
        (Some(Ok(bytes)), Some(promised_bytes)) if bytes.len() as u64 > promised_bytes - *sent_bytes => {
            Some(Err(LengthMismatch::Long { promised_bytes }.into()))
        }
        (Some(Ok(bytes)), _) => {
            *sent_bytes += bytes.len() as u64;
            Some(Ok(bytes))
        }
        (other, _) => other,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body::Body as _;
    use http_body_util::BodyExt;

    use super::*;

    async fn collect(body: Body) -> Result<Bytes, BoxError> {
        Ok(body.collect().await?.to_bytes())
    }

    fn streamed(len_bytes: Option<u64>, chunks: &[&'static str]) -> Body {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        Body::stream(len_bytes, stream::iter(chunks))
    }

    #[tokio::test]
    async fn lengths_are_exact() {
        for (body, content) in [
            (Body::empty(), ""),
            (Body::full(""), ""),
            (Body::full("abc"), "abc"),
            (Body::segments(vec![]), ""),
            (Body::segments(vec![Bytes::new(), "ab".into(), Bytes::new(), "c".into(), Bytes::new()]), "abc"),
            (streamed(Some(3), &["a", "bc"]), "abc"),
            (streamed(Some(0), &[]), ""),
        ] {
            assert_eq!(body.size_hint().exact(), Some(content.len() as u64));
            assert_eq!(body.is_end_stream(), content.is_empty());
            assert_eq!(collect(body).await.unwrap(), content);
        }
        let open = streamed(None, &["a", "b"]);
        assert_eq!((open.size_hint().exact(), open.is_end_stream()), (None, false));
        assert_eq!(collect(open).await.unwrap(), "ab");
    }

    #[tokio::test]
    async fn segments_are_not_copied() {
        let segment = Bytes::from(vec![7; 1000]);
        let mut body = Body::segments(vec![segment.clone()]);
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(frame.as_ptr(), segment.as_ptr());
    }

    #[tokio::test]
    async fn a_broken_promise_is_an_error() {
        for (len_bytes, chunks, expected) in [
            (4, vec!["ab", "c"], LengthMismatch::Short { promised_bytes: 4, sent_bytes: 3 }),
            (1, vec![], LengthMismatch::Short { promised_bytes: 1, sent_bytes: 0 }),
            (2, vec!["ab1"], LengthMismatch::Long { promised_bytes: 2 }),
            (3, vec!["ab", "cd"], LengthMismatch::Long { promised_bytes: 3 }),
        ] {
            let error = collect(streamed(Some(len_bytes), &chunks)).await.unwrap_err();
            assert_eq!(error.downcast_ref::<LengthMismatch>(), Some(&expected));
        }
    }

    #[tokio::test]
    async fn an_error_of_the_source_comes_through_and_ends_the_body() {
        let mut body = Body::stream(Some(2), stream::iter([Ok(Bytes::from_static(b"a")), Err("disk gone".into())]));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "a");
        assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "disk gone");
        assert!(body.frame().await.is_none());
    }
}
