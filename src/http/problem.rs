//! [`Problem`]: errors as clients see them (RFC 9457, `application/problem+json`).
//!
//! Owns the wording of titles and the shape of the document. What went wrong, and what would be right, is for the caller
//! to say in the detail. A 5xx says only an id, under which the log has the cause.

use std::error::Error;
use std::fmt;

use http::header::{ALLOW, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::random::hex_id;
use super::request_body::RequestBodyError;
use super::{Body, security_headers};

/// What the `type` of every problem begins with; the problem's kind follows.
pub const TYPE_PREFIX: &str = "/problems/";

/// An error response that is still being put together.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    field: Option<String>,
    members: Map<String, Value>,
    headers: HeaderMap,
}

impl Problem {
    /// A problem of a kind of its own. Prefer the constructors below, so that equal problems read alike.
    #[must_use]
    pub fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            kind,
            title,
            detail: detail.into(),
            field: None,
            members: Map::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// Names the one input that is at fault.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// Adds a member beside the standard ones.
    #[must_use]
    pub fn with_member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.into(), value.into());
        self
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The sentence about what was wrong and what would be right.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The response.
    #[must_use]
    pub fn into_response(self) -> Response<Body> {
        let Parts { status, kind, title, detail, field, members, headers } = *self.0;
        let mut document = Map::new();
        document.insert("type".into(), format!("{TYPE_PREFIX}{kind}").into());
        document.insert("title".into(), title.into());
        document.insert("status".into(), status.as_u16().into());
        document.insert("detail".into(), detail.into());
        if let Some(field) = field {
            document.insert("field".into(), field.into());
        }
        for (name, value) in members {
            // The standard members are not up for replacement.
            document.entry(name).or_insert(value);
        }
        let mut response = Response::new(Body::full(Value::Object(document).to_string()));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        security_headers::set_common(response.headers_mut());
        response
    }

    /// 400: the request itself is not well-formed, e.g. bad JSON.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request is malformed", detail)
    }

    /// 401: nobody is signed in, or the token is unknown.
    #[must_use]
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Authentication is needed", detail)
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"packhouse\""))
    }

    /// 403: whoever asks may not do this.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// 404: there is no such thing, or none that the caller may know of.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// 405: the path is there, with the methods in `allow` (comma-separated).
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let detail = format!("this path answers {allow}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
            .with_header(ALLOW, HeaderValue::from_static(allow))
    }

    /// 408: the request body came too slowly.
    #[must_use]
    pub fn request_timeout(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "request-timeout", "The request took too long", detail)
    }

    /// 409: the name is taken, or the state of things does not allow it.
    #[must_use]
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "Conflict", detail)
    }

    /// 410: it was there and is no more.
    #[must_use]
    pub fn gone(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "gone", "Gone", detail)
    }

    /// 412: a precondition of the request (`If-Match` …) does not hold.
    #[must_use]
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "precondition-failed", "A precondition does not hold", detail)
    }

    /// 413: the body, or a file in it, is too large.
    #[must_use]
    pub fn too_large(limit_bytes: u64) -> Self {
        let detail = format!("at most {limit_bytes} bytes are accepted here");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail).with_member("limit", limit_bytes)
    }

    /// 411: the request says neither how long its content is nor that it comes in chunks.
    #[must_use]
    pub fn length_required(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::LENGTH_REQUIRED, "length-required", "A length is required", detail)
    }

    /// 415: another media type is needed.
    #[must_use]
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type", detail)
    }

    /// 416: none of the ranges asked for is in a representation of `len_bytes`.
    #[must_use]
    pub fn range_not_satisfiable(len_bytes: u64) -> Self {
        let detail =
            format!("the content has {len_bytes} bytes; each range begins inside it, and at most two overlap others");
        let problem =
            Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "range-not-satisfiable", "Range not satisfiable", detail);
        match HeaderValue::try_from(format!("bytes */{len_bytes}")) {
            Ok(value) => problem.with_header(CONTENT_RANGE, value),
            Err(_) => problem,
        }
    }

    /// 422: well-formed, but against a rule; `field` is the input at fault.
    #[must_use]
    pub fn unprocessable(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", "A rule is broken", detail).with_field(field)
    }

    /// 429: too many of these from this caller; worth another try in `retry_after_seconds`.
    #[must_use]
    pub fn too_many_requests(retry_after_seconds: u64, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", detail)
            .with_header(RETRY_AFTER, HeaderValue::from(retry_after_seconds))
    }

    /// 500: our fault. The cause goes to the log, together with the id that the client sees.
    #[must_use]
    pub fn internal(cause: &(dyn Error + 'static)) -> Self {
        Self::internal_because(&Chain(cause))
    }

    /// 500 for a cause that is no error value, such as a panic's message.
    #[must_use]
    pub fn internal_because(cause: &dyn fmt::Display) -> Self {
        Self::logged(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", cause)
    }

    /// 503: not now; worth another try in `retry_after_seconds`. The cause goes to the log.
    #[must_use]
    pub fn unavailable(retry_after_seconds: u64, cause: &dyn fmt::Display) -> Self {
        Self::logged(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available at the moment", cause)
            .with_header(RETRY_AFTER, HeaderValue::from(retry_after_seconds))
    }

    /// 507: the disk is full. The cause goes to the log.
    #[must_use]
    pub fn insufficient_storage(cause: &dyn fmt::Display) -> Self {
        Self::logged(StatusCode::INSUFFICIENT_STORAGE, "insufficient-storage", "The server has no space left", cause)
    }

    /// 507: it would not fit what the caller was granted (RFC 4918, section 11.5; RFC 4331, section 6). Nothing is wrong
    /// with the server, and nothing is logged.
    #[must_use]
    pub fn over_quota(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "quota-exceeded", "The quota is used up", detail)
    }

    fn logged(status: StatusCode, kind: &'static str, title: &'static str, cause: &dyn fmt::Display) -> Self {
        let id = hex_id::<6>();
        tracing::error!(id, status = status.as_u16(), "{cause}");
        Self::new(status, kind, title, format!("the server's log has the cause under {id}")).with_member("id", id)
    }
}

/// An error and what caused it, on one line.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut error = self.0;
        while let Some(source) = error.source() {
            write!(f, ": {source}")?;
            error = source;
        }
        Ok(())
    }
}

impl From<RequestBodyError> for Problem {
    fn from(error: RequestBodyError) -> Self {
        match error {
            RequestBodyError::TooLarge { limit_bytes } => Self::too_large(limit_bytes),
            RequestBodyError::TooSlow { .. } => Self::request_timeout(error.to_string()),
            // Nobody is left to read the answer to a connection that was cut, but the log line gets its status.
            RequestBodyError::Cut(_) | RequestBodyError::Malformed(_) => Self::bad_request(error.to_string()),
        }
    }
}

impl From<Problem> for Response<Body> {
    fn from(problem: Problem) -> Self {
        problem.into_response()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn document(problem: Problem) -> (http::response::Parts, Value) {
        let (parts, body) = problem.into_response().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn the_document_is_complete_and_in_order() {
        let problem = Problem::unprocessable("name", "a name begins with a letter")
            .with_member("allowed", "a-z")
            .with_member("status", 200);
        let (parts, document) = document(problem).await;
        assert_eq!(parts.status, 422);
        assert_eq!(parts.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(
            document.to_string(),
            r#"{"type":"/problems/unprocessable","title":"A rule is broken","status":422,"detail":"a name begins with a letter","field":"name","allowed":"a-z"}"#
        );
    }

    #[tokio::test]
    async fn a_5xx_says_an_id_and_nothing_of_the_cause() {
        let cause = std::io::Error::other("/secret/path: no");
        let (parts, document) = document(Problem::internal(&cause)).await;
        assert_eq!(parts.status, 500);
        let id = document["id"].as_str().unwrap();
        assert_eq!(id.len(), 12);
        assert!(document["detail"].as_str().unwrap().contains(id));
        assert!(!document.to_string().contains("secret"));
    }

    #[tokio::test]
    async fn headers_that_belong_to_a_status() {
        for (problem, name, value) in [
            (Problem::method_not_allowed("GET, HEAD"), ALLOW, "GET, HEAD"),
            (Problem::range_not_satisfiable(7), CONTENT_RANGE, "bytes */7"),
            (Problem::too_many_requests(9, ""), RETRY_AFTER, "9"),
            (Problem::unavailable(9, &"starting"), RETRY_AFTER, "9"),
            (Problem::unauthorized(""), WWW_AUTHENTICATE, "Bearer realm=\"packhouse\""),
        ] {
            let (parts, document) = document(problem).await;
            assert_eq!(parts.headers[name], value);
            assert_eq!(document["status"].as_u64(), Some(u64::from(parts.status.as_u16())));
        }
    }

    #[test]
    fn body_errors_have_their_status() {
        let cut = || "reset".into();
        let window = std::time::Duration::from_secs(1);
        for (error, status) in [
            (RequestBodyError::TooLarge { limit_bytes: 1 }, 413),
            (RequestBodyError::TooSlow { window, bytes_min: 1 }, 408),
            (RequestBodyError::Cut(cut()), 400),
            (RequestBodyError::Malformed(cut()), 400),
        ] {
            assert_eq!(Problem::from(error).status(), status);
        }
    }

    #[test]
    fn causes_are_told_to_the_end() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot open the volume")]
        struct Outer(#[source] std::io::Error);
        assert_eq!(Chain(&Outer(std::io::Error::other("no space"))).to_string(), "cannot open the volume: no space");
    }
}
