//! The body of an answer: read piece by piece, within a size, a pace and a silence that are bearable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

use super::connection::Lease;
use super::error::{Failure, RequestError};
use super::limits::Limits;
use super::problem::Problem;
use super::url::Url;

/// The head of an answer, and its body to be read.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// A body still to be read. Read to its end, its connection serves the next request; dropped before, it is closed.
pub struct Body {
    method: Method,
    url: Url,
    incoming: Incoming,
    lease: Option<Lease>,
    limits: Arc<Limits>,
    started: Instant,
    received_bytes: u64,
    on_bytes: Arc<dyn Fn(u64) + Send + Sync>,
}

impl Response {
    pub(crate) fn new(
        (method, url): (&Method, &Url),
        response: http::Response<Incoming>,
        lease: Lease,
        limits: Arc<Limits>,
        on_bytes: Arc<dyn Fn(u64) + Send + Sync>,
    ) -> Self {
        let (head, incoming) = response.into_parts();
        let mut body = Body {
            method: method.clone(),
            url: url.clone(),
            incoming,
            lease: Some(lease),
            limits,
            started: Instant::now(),
            received_bytes: 0,
            on_bytes,
        };
        body.end_if_complete();
        Self { status: head.status, headers: head.headers, body }
    }

    /// A header field as text, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: http::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header field that are text.
    pub fn headers_of(&self, name: &http::HeaderName) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// This answer if it is a success (2xx) or 304; else what the server said.
    ///
    /// # Errors
    /// [`Failure::Status`].
    pub async fn or_refusal(self) -> Result<Self, RequestError> {
        if self.status.is_success() || self.status == StatusCode::NOT_MODIFIED {
            return Ok(self);
        }
        let (status, method, url) = (self.status, self.body.method.clone(), self.body.url.clone());
        let content_type = self.header(http::header::CONTENT_TYPE).map(str::to_owned);
        let limit = self.body.limits.answer_bytes_max;
        // The refusal is the news; that its text was cut off is not.
        let text = self.body.collect(limit).await.unwrap_or_default();
        let problem = Problem::read(content_type.as_deref(), &text);
        Err(RequestError::new(&method, &url, Failure::Status { status, problem }))
    }

    /// Reads a JSON answer of moderate size.
    ///
    /// # Errors
    /// As reading it, and [`Failure::Unreadable`] if it has another shape.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, RequestError> {
        let limit = self.body.limits.answer_bytes_max;
        self.json_within(limit).await
    }

    /// Reads a JSON answer of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// As [`Response::json`].
    pub async fn json_within<T: DeserializeOwned>(self, bytes_max: u64) -> Result<T, RequestError> {
        let (method, url) = (self.body.method.clone(), self.body.url.clone());
        let text = self.body.collect(bytes_max).await?;
        serde_json::from_slice(&text)
            .map_err(|error| RequestError::new(&method, &url, Failure::Unreadable(error.to_string())))
    }
}

impl Body {
    /// The next piece, or nothing at the end.
    ///
    /// # Errors
    /// If the connection breaks, is silent for too long, or is too slow.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, RequestError> {
        loop {
            let after = self.limits.progress_timeout;
            let frame = match tokio::time::timeout(after, self.incoming.frame()).await {
                Err(_) => return Err(self.error(Failure::Timeout { waiting_for: "the rest of the answer", after })),
                Ok(None) => {
                    self.end_if_complete();
                    return Ok(None);
                }
                Ok(Some(Err(source))) => return Err(self.error(Failure::Broken { source, unsent: false })),
                Ok(Some(Ok(frame))) => frame,
            };
            // Trailers say nothing the client needs.
            let Ok(bytes) = frame.into_data() else { continue };
            self.received_bytes += bytes.len() as u64;
            (self.on_bytes)(bytes.len() as u64);
            self.end_if_complete();
            if is_too_slow(self.received_bytes, self.started.elapsed(), &self.limits) {
                return Err(self.error(Failure::TooSlow));
            }
            return Ok(Some(bytes));
        }
    }

    /// The whole body in memory, if it has at most `bytes_max` bytes. A declared length over that is refused before
    /// anything is read.
    ///
    /// # Errors
    /// As [`Body::piece`], and [`Failure::TooLarge`].
    pub async fn collect(mut self, bytes_max: u64) -> Result<Vec<u8>, RequestError> {
        self.check_declared(bytes_max)?;
        let mut whole = Vec::new();
        while let Some(piece) = self.piece().await? {
            if (whole.len() + piece.len()) as u64 > bytes_max {
                return Err(self.error(Failure::TooLarge { bytes_max }));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// Refuses a body that declares more than `bytes_max`.
    ///
    /// # Errors
    /// [`Failure::TooLarge`].
    pub fn check_declared(&self, bytes_max: u64) -> Result<(), RequestError> {
        let declared = self.incoming.size_hint().lower();
        if declared > bytes_max { Err(self.error(Failure::TooLarge { bytes_max })) } else { Ok(()) }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    pub(crate) fn error(&self, failure: Failure) -> RequestError {
        RequestError::new(&self.method, &self.url, failure)
    }

    fn end_if_complete(&mut self) {
        if self.incoming.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.give_back();
        }
    }
}

/// Whether a body that has been coming for `elapsed` is not worth waiting for.
fn is_too_slow(received_bytes: u64, elapsed: Duration, limits: &Limits) -> bool {
    elapsed > limits.progress_timeout && received_bytes < limits.rate_bytes_min.saturating_mul(elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowness_is_judged_only_after_a_while() {
        let limits = Limits { progress_timeout: Duration::from_secs(10), rate_bytes_min: 100, ..Limits::default() };
        assert!(!is_too_slow(1, Duration::from_secs(9), &limits));
        assert!(is_too_slow(1, Duration::from_secs(11), &limits));
        assert!(!is_too_slow(1100, Duration::from_secs(11), &limits));
    }
}
