//! Responses whose content is a file: conditions, ranges and `HEAD`, over anything that can read a range of itself.
//!
//! Owns status and headers of such a response. Where the bytes come from is behind [`RangeSource`].

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, LAST_MODIFIED, VARY,
};
use http::{HeaderValue, Method, Response, StatusCode};

use super::conditional::{self, Outcome, Validators};
use super::multipart_ranges::{self, Preamble};
use super::range::{self, Requested};
use super::{Body, Problem};

/// How many headers a response is likely to have.
const HEADERS_EXPECTED: usize = 10;

/// Content of which parts can be read.
pub trait RangeSource {
    /// The length of the whole.
    fn len_bytes(&self) -> u64;

    /// The bytes of a non-empty range inside the whole, or of the whole, which may be empty. The body's length must be
    /// known. Nothing should be read before the body is polled.
    fn read(&self, range: Range<u64>) -> Body;
}

/// What is to be said about a file, whatever part of it is sent.
#[derive(Debug, Clone)]
pub struct FileHead {
    /// `ETag` and `Last-Modified`, which conditions and ranges are checked against.
    pub validators: Validators,
    /// `Content-Type` of the whole.
    pub content_type: HeaderValue,
    /// `Cache-Control`, which a 304 repeats too (RFC 9110 section 15.4.5).
    pub cache_control: HeaderValue,
    /// `Vary` likewise, where the answer depends on more than the target.
    pub vary: Option<HeaderValue>,
    /// Headers that go with content only, such as `Content-Disposition`.
    pub content_headers: HeaderMap,
}

/// Answers a `GET` or `HEAD` for a file: 200, 206, 304, 412 or 416.
#[must_use]
pub fn respond<S>(source: &S, head: FileHead, method: &Method, request: &HeaderMap) -> Response<Body>
where
    S: RangeSource + Clone + Send + 'static,
{
    let FileHead { validators, content_type, cache_control, vary, content_headers } = head;
    let conditions = conditional::evaluate(method, request, Some(&validators));
    if conditions == Outcome::PreconditionFailed {
        return Problem::precondition_failed("the file is not the one that the request is about").into_response();
    }
    let len_bytes = source.len_bytes();
    let mut headers = HeaderMap::with_capacity(HEADERS_EXPECTED);
    headers.insert(CACHE_CONTROL, cache_control);
    headers.extend(vary.map(|vary| (VARY, vary)));
    if conditions == Outcome::NotModified {
        set_validators(&mut headers, &validators);
        return build(StatusCode::NOT_MODIFIED, headers, Body::empty());
    }
    let requested = range::evaluate(method, request, &validators, len_bytes);
    if requested == Requested::NotSatisfiable {
        return Problem::range_not_satisfiable(len_bytes).into_response();
    }
    headers.extend(content_headers);
    set_validators(&mut headers, &validators);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let (status, content_type, body) = match requested {
        Requested::One(range) => {
            if let Ok(value) = HeaderValue::try_from(format!("bytes {}-{}/{len_bytes}", range.start, range.end - 1)) {
                headers.insert(CONTENT_RANGE, value);
            }
            (StatusCode::PARTIAL_CONTENT, content_type, source.read(range))
        }
        Requested::Many(ranges) => {
            let boundary = multipart_ranges::new_boundary();
            let body = multipart_ranges::body(source, ranges, &content_type, &boundary, Preamble::of(request));
            (StatusCode::PARTIAL_CONTENT, multipart_ranges::content_type(&boundary), body)
        }
        Requested::Whole | Requested::NotSatisfiable if *method == Method::HEAD => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(len_bytes));
            (StatusCode::OK, content_type, Body::empty())
        }
        Requested::Whole | Requested::NotSatisfiable => (StatusCode::OK, content_type, source.read(0..len_bytes)),
    };
    headers.insert(CONTENT_TYPE, content_type);
    build(status, headers, body)
}

fn set_validators(headers: &mut HeaderMap, validators: &Validators) {
    if let Some(etag) = &validators.etag {
        headers.insert(ETAG, etag.header_value().clone());
    }
    if let Some(changed) = validators.last_modified
        && let Ok(value) = HeaderValue::try_from(changed.to_string())
    {
        headers.insert(LAST_MODIFIED, value);
    }
}

fn build(status: StatusCode, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

impl RangeSource for Bytes {
    fn len_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, range: Range<u64>) -> Body {
        Body::full(self.slice(range.start as usize..range.end as usize))
    }
}

/// Buffers one after the other are one content; reading a part copies nothing.
impl RangeSource for Arc<[Bytes]> {
    fn len_bytes(&self) -> u64 {
        self.iter().map(|segment| segment.len() as u64).sum()
    }

    fn read(&self, range: Range<u64>) -> Body {
        if range == (0..self.len_bytes()) {
            return Body::segments(Self::clone(self));
        }
        let mut begin = 0;
        let mut parts = Vec::new();
        for segment in self.iter() {
            let end = begin + segment.len() as u64;
            if range.start < end && range.end > begin {
                let first = range.start.saturating_sub(begin) as usize;
                let last = (range.end.min(end) - begin) as usize;
                parts.push(segment.slice(first..last));
            }
            begin = end;
        }
        Body::segments(parts)
    }
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_DISPOSITION, HeaderName};
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::super::etag::ETag;
    use super::*;

    fn file_head() -> FileHead {
        FileHead {
            validators: Validators {
                etag: Some(ETag::strong("a").unwrap()),
                last_modified: Some("Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap()),
            },
            content_type: HeaderValue::from_static("text/plain"),
            cache_control: HeaderValue::from_static("no-cache"),
            vary: None,
            content_headers: [(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"))].into_iter().collect(),
        }
    }

    async fn ask(method: Method, request: &[(&'static str, &str)]) -> (http::response::Parts, Bytes) {
        let request =
            request.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        let source: Arc<[Bytes]> = Arc::new(["0123".into(), Bytes::new(), "456".into(), "789".into()]);
        let (parts, body) = respond(&source, file_head(), &method, &request).into_parts();
        (parts, body.collect().await.unwrap().to_bytes())
    }

    #[tokio::test]
    async fn the_whole() {
        let (parts, body) = ask(Method::GET, &[]).await;
        assert_eq!((parts.status, &body[..]), (StatusCode::OK, &b"0123456789"[..]));
        for (name, value) in [
            (ETAG, "\"a\""),
            (LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (CONTENT_TYPE, "text/plain"),
            (CACHE_CONTROL, "no-cache"),
            (CONTENT_DISPOSITION, "attachment"),
            (ACCEPT_RANGES, "bytes"),
        ] {
            assert_eq!(parts.headers[&name], value, "{name}");
        }
        let (head, body) = ask(Method::HEAD, &[("range", "bytes=0-1")]).await;
        assert_eq!((head.status, body.len()), (StatusCode::OK, 0));
        assert_eq!(head.headers[CONTENT_LENGTH], "10");
    }

    #[tokio::test]
    async fn parts_of_it() {
        let (parts, body) = ask(Method::GET, &[("range", "bytes=2-7")]).await;
        assert_eq!((parts.status, &body[..]), (StatusCode::PARTIAL_CONTENT, &b"234567"[..]));
        assert_eq!(parts.headers[CONTENT_RANGE], "bytes 2-7/10");
        assert_eq!(parts.headers[CONTENT_TYPE], "text/plain");

        let (parts, body) = ask(Method::GET, &[("range", "bytes=0-0,-1")]).await;
        assert_eq!(parts.status, StatusCode::PARTIAL_CONTENT);
        assert!(!parts.headers.contains_key(CONTENT_RANGE));
        let content_type = parts.headers[CONTENT_TYPE].to_str().unwrap();
        let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        assert_eq!(text.matches(boundary).count(), 3);
        assert!(text.contains("bytes 0-0/10\r\n\r\n0\r\n") && text.contains("bytes 9-9/10\r\n\r\n9\r\n"));

        let (parts, _) = ask(Method::GET, &[("range", "bytes=20-")]).await;
        assert_eq!(parts.status, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(parts.headers[CONTENT_RANGE], "bytes */10");
    }

    #[tokio::test]
    async fn conditions_come_before_ranges() {
        let (parts, body) = ask(Method::GET, &[("if-none-match", "\"a\""), ("range", "bytes=20-")]).await;
        assert_eq!((parts.status, body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(parts.headers[ETAG], "\"a\"");
        assert_eq!(parts.headers[CACHE_CONTROL], "no-cache");
        for absent in [CONTENT_DISPOSITION, CONTENT_TYPE, CONTENT_LENGTH] {
            assert!(!parts.headers.contains_key(&absent), "{absent}");
        }
        let (parts, _) = ask(Method::GET, &[("if-match", "\"b\"")]).await;
        assert_eq!(parts.status, StatusCode::PRECONDITION_FAILED);
        let (parts, body) = ask(Method::GET, &[("if-range", "\"b\""), ("range", "bytes=2-3")]).await;
        assert_eq!((parts.status, body.len()), (StatusCode::OK, 10));
    }

    proptest! {
        #[test]
        fn a_part_of_segments_is_that_part(
            segments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 0..6),
            a in 0usize..30,
            b in 0usize..30,
        ) {
            let whole = segments.concat();
            let source: Arc<[Bytes]> = segments.into_iter().map(Bytes::from).collect();
            let (start, end) = (a.min(b).min(whole.len()), a.max(b).min(whole.len()));
            let body = source.read(start as u64..end as u64);
            prop_assert_eq!(body.len_bytes(), Some((end - start) as u64));
            let bytes = futures_util::FutureExt::now_or_never(body.collect()).unwrap().unwrap().to_bytes();
            prop_assert_eq!(&bytes[..], &whole[start..end]);
        }
    }
}
