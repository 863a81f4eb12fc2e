//! One request: from the protocol to the handler and its response back.
//!
//! Owns what holds for every request whatever its route: a panic becomes a 500, `HEAD` has no content, a body that was
//! left unread ends an HTTP/1 connection, and the connection's supervisor learns what is going on.

use std::any::Any;
use std::convert::Infallible;
use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::Either;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;

use super::activity::{Activity, InFlight};
use super::body::BoxError;
use super::{Body, Limits, Peer, Problem, RequestBody, forwarded};

/// What an HTTP/2 response hands over at a time, so that a slow peer shows progress while it takes a large buffer.
const PIECE_BYTES_MAX: usize = 32 * 1024;

/// Has `handler` answer a request. What it does before its future is there is done in here, and nothing of this is an
/// `async fn`: the connection moves the future about, and so it is as small as the handler's own.
pub(super) fn answer<H, F>(
    handler: &H,
    peer: Peer,
    activity: &Arc<Activity>,
    limits: &Limits,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<TrackedBody>, Infallible>> + use<H, F>
where
    H: Fn(Request<RequestBody>, Peer) -> F,
    F: Future<Output = Response<Body>>,
{
    let in_flight = activity.begin_request();
    let http2 = request.version() == Version::HTTP_2;
    let head_only = request.method() == Method::HEAD;
    let request = request.map(|incoming| RequestBody::new(incoming, limits));
    let request_end = request.body().end_mark();

    let answering = match malformed(&request) {
        Some(problem) => Either::Left(ready(problem.into_response())),
        // The handler's own state may be inconsistent after a panic; it must guard what it shares, as with any task.
        None => match catch_unwind(AssertUnwindSafe(|| handler(request, peer))) {
            Ok(answering) => Either::Right(
                AssertUnwindSafe(answering)
                    .catch_unwind()
                    .map(|answered| answered.unwrap_or_else(|panic| panicked(&*panic))),
            ),
            Err(panic) => Either::Left(ready(panicked(&*panic))),
        },
    };
    answering.map(move |mut response| {
        if !http2 && !request_end.is_reached() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            in_flight.note_unread();
        }
        if head_only {
            leave_content_out(&mut response);
        }
        Ok(response.map(|body| TrackedBody::new(body, in_flight, http2)))
    })
}

/// Why a request is refused whatever it asks for.
fn malformed(request: &Request<RequestBody>) -> Option<Problem> {
    if is_coded(request.headers()) {
        return Some(Problem::bad_request("the only transfer encoding that is understood is chunked, once"));
    }
    (request.version() == Version::HTTP_11 && !has_host(request.headers()))
        .then(|| Problem::bad_request("a request has one Host header, with a host and perhaps a port"))
}

fn panicked(panic: &(dyn Any + Send)) -> Response<Body> {
    let message = panic_message(panic);
    Problem::internal_because(&format_args!("a handler panicked: {message}")).into_response()
}

/// Whether a body has codings below `chunked` (RFC 9112, section 6.1), which hyper takes off alone: what is left would
/// be taken for the content.
fn is_coded(headers: &HeaderMap) -> bool {
    headers.get_all(TRANSFER_ENCODING).iter().enumerate().any(|(at, coding)| {
        let is_chunked = coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
        at > 0 || !is_chunked
    })
}

/// Whether there is the one well-formed `Host` that HTTP/1.1 asks for (RFC 9112, section 3.2). It may be empty.
fn has_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    host.is_empty()
        || forwarded::was_read_last(host.as_bytes())
        || Authority::try_from(host.as_bytes()).is_ok_and(|host| !host.as_str().contains('@'))
}

/// Keeps what the headers of a response say about content that is not sent.
fn leave_content_out(response: &mut Response<Body>) {
    let body = std::mem::take(response.body_mut());
    if let Some(len_bytes) = body.len_bytes().filter(|len_bytes| *len_bytes > 0) {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from(len_bytes));
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// A response body that tells the supervisor how far it is.
pub(super) struct TrackedBody {
    body: Body,
    /// What was taken from the body and not handed over yet; HTTP/2 only.
    rest: Bytes,
    in_flight: InFlight,
    http2: bool,
}

impl TrackedBody {
    fn new(body: Body, mut in_flight: InFlight, http2: bool) -> Self {
        // Nothing is asked of an HTTP/2 body before the peer has room for it.
        in_flight.set_awaiting_peer(http2);
        Self { body, rest: Bytes::new(), in_flight, http2 }
    }
}

impl http_body::Body for TrackedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if !this.http2 {
            return Pin::new(&mut this.body).poll_frame(context);
        }
        // Now it is for the source to bring something.
        this.in_flight.set_awaiting_peer(false);
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => this.rest = frame.into_data().unwrap_or_default(),
                end_or_error => return Poll::Ready(end_or_error),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE_BYTES_MAX));
        this.in_flight.note_piece();
        this.in_flight.set_awaiting_peer(true);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest_bytes = self.rest.len() as u64;
        self.body.len_bytes().map_or_else(SizeHint::default, |len_bytes| SizeHint::with_exact(len_bytes + rest_bytes))
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::BodyExt;

    use super::super::activity::{Phase, Protocol};
    use super::*;

    #[tokio::test]
    async fn large_buffers_go_to_http2_in_pieces() {
        let activity = Arc::new(Activity::default());
        let content = Bytes::from(vec![7; 2 * PIECE_BYTES_MAX + 1]);
        let mut body = TrackedBody::new(Body::full(content.clone()), activity.begin_request(), true);
        let mut lens = Vec::new();
        while let Some(frame) = body.frame().await {
            assert_eq!(activity.phase(Protocol::Http2).0, Phase::Stalled);
            lens.push(frame.unwrap().into_data().unwrap().len());
            let left = content.len() - lens.iter().sum::<usize>();
            assert_eq!(body.size_hint().exact(), Some(left as u64));
            assert_eq!(body.is_end_stream(), left == 0);
        }
        assert_eq!(lens, [PIECE_BYTES_MAX, PIECE_BYTES_MAX, 1]);
        drop(body);
        assert_eq!(activity.phase(Protocol::Http2).0, Phase::Idle);
    }

    #[tokio::test]
    async fn a_source_that_takes_its_time_is_not_the_peers_fault() {
        let activity = Arc::new(Activity::default());
        let never = Body::stream(None, futures_util::stream::pending());
        let mut body = TrackedBody::new(never, activity.begin_request(), true);
        assert_eq!(activity.phase(Protocol::Http2).0, Phase::Stalled);
        assert!(body.frame().now_or_never().is_none());
        assert_eq!(activity.phase(Protocol::Http2).0, Phase::Busy);
    }
}
