//! The pipeline of a request, from its head to its answer.
//!
//! ```text
//! limits (the server's) -> token in the path -> route -> caller -> same origin -> handler -> finish (headers, log)
//! ```
//!
//! Later steps add to what earlier ones found and never take away. What routes do is for the handlers.

use std::borrow::Cow;
use std::fmt::Display;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::{ArcSwap, Guard};
use futures_util::future::Either;
use http::header::{AUTHORIZATION, HeaderMap};
use http::{HeaderValue, Method, Request, Response};

use super::access_log::{AccessLog, Entry};
use super::forwarded::{Outside, TrustedProxies};
use super::handlers;
use super::metrics::Metrics;
use super::problem::Problem;
use super::query::Query;
use super::request_id::{RequestIds, X_REQUEST_ID};
use super::route::{self, Access, NoRoute, Route};
use super::server::Peer;
use super::traffic::Traffic;
use super::{Body, RequestBody, base64, cookie, same_origin, security_headers, tus};
use crate::service::{Caller, Credentials, Identity, Refusal, Registry, Settings};

/// The name of the cookie that holds a session's secret.
pub const SESSION_COOKIE: &str = "packhouse_session";

/// The route whose errors old clients read too.
const UPDATE_CHECK: &str = "updates";

/// What the pipeline is told by the operator, and may be told anew while it answers.
#[derive(Debug, Clone, Default)]
pub struct AppSettings {
    /// Scheme and host under which clients reach the server, where requests do not say it right.
    pub public_url: Option<String>,
    /// Proxies whose headers say who the client is.
    pub trusted_proxies: TrustedProxies,
    /// Largest file that is taken, in bytes.
    pub file_bytes_max: u64,
    /// All settings with which the program runs, for those who ask.
    pub all: Settings,
}

/// What the pipeline works with.
#[derive(Debug, Clone, Default)]
pub struct AppConfig {
    /// Where a line for each request goes; nowhere by default.
    pub access_log: Arc<AccessLog>,
    /// What goes on at the sockets: the servers count it.
    pub traffic: Arc<Traffic>,
    /// Whether the servers speak HTTPS themselves.
    pub tls: bool,
}

/// Answers requests.
pub struct App {
    pub(super) registry: Arc<Registry>,
    pub(super) config: AppConfig,
    settings: ArcSwap<AppSettings>,
    pub(super) metrics: Metrics,
    request_ids: RequestIds,
}

/// A request as handlers see it.
pub(super) struct Ask {
    pub(super) app: Arc<App>,
    pub(super) caller: Caller,
    pub(super) outside: Outside,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) query: Query,
    pub(super) body: RequestBody,
    /// What was shown to say who asks, for answers that go on for longer than a right may last.
    pub(super) credentials: Credentials,
    path_token: Option<String>,
}

impl Ask {
    /// The use cases.
    pub(super) fn registry(&self) -> &Arc<Registry> {
        &self.app.registry
    }

    /// What paths in answers begin with, so that a caller whose token came in the path gets it there again.
    pub(super) fn path_token_prefix(&self) -> String {
        self.path_token.as_ref().map_or_else(String::new, |token| format!("/t/{token}"))
    }
}

/// What a handler answers.
pub(super) type Answer = Result<Response<Body>, Problem>;

/// What comes of a request: an answer that is there at once, or the work on one. Most requests are for what is at hand,
/// and those do not pay for the state of the others.
pub(super) enum Reply {
    Now(Answer),
    Later(Pin<Box<dyn Future<Output = Answer> + Send>>),
}

impl Reply {
    /// The work that `make` begins. It is on the heap, and made in a frame of its own, which is as large as it is.
    #[inline(never)]
    pub(super) fn later<F>(make: impl FnOnce() -> F) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self::Later(Box::pin(make()))
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Now(answer)
    }
}

impl From<Result<Self, Problem>> for Reply {
    fn from(result: Result<Self, Problem>) -> Self {
        result.unwrap_or_else(|problem| Self::Now(Err(problem)))
    }
}

/// The response to a request, as it is finished or as it comes.
pub type Answering = Either<Ready<Response<Body>>, Pin<Box<dyn Future<Output = Response<Body>> + Send>>>;

impl App {
    /// An app that serves a registry.
    #[must_use]
    pub fn new(registry: Arc<Registry>, config: AppConfig, settings: AppSettings) -> Self {
        let settings = ArcSwap::from_pointee(settings);
        Self { registry, config, settings, metrics: Metrics::default(), request_ids: RequestIds::default() }
    }

    /// From the next request on, these settings count.
    pub fn set(&self, settings: AppSettings) {
        self.settings.store(Arc::new(settings));
    }

    /// What counts at the moment. Not to be held for long.
    pub(super) fn settings(&self) -> Guard<Arc<AppSettings>> {
        self.settings.load()
    }

    /// When the program started, in seconds since 1970.
    pub(super) fn started_s(&self) -> u64 {
        self.settings().all.started.as_micros().unsigned_abs() / 1_000_000
    }

    /// Answers a request.
    pub fn answer(self: &Arc<Self>, request: Request<RequestBody>, peer: Peer) -> Answering {
        let begun = Instant::now();
        let (id, outside) = {
            let trusted = &self.settings().trusted_proxies;
            let id = self.request_ids.of(request.headers(), trusted.contains(peer.address.ip()));
            (id, Outside::of(peer, request.uri(), request.headers(), trusted))
        };
        let mut line = Line {
            begun,
            id,
            client: outside.client,
            method: request.method().clone(),
            route: "none",
            caller: Cow::Borrowed("-"),
        };
        let asked = self.ask(request, outside, &mut line);
        match asked.map(|(route, ask)| handlers::answer(route, ask)).into() {
            Reply::Now(answer) => Answering::Left(ready(self.finish(answer, line))),
            Reply::Later(work) => {
                let app = Arc::clone(self);
                Answering::Right(Box::pin(async move { app.finish(work.await, line) }))
            }
        }
    }

    /// What every answer has, and what is noted about each.
    fn finish(&self, answer: Answer, line: Line) -> Response<Body> {
        let failed = answer.is_err();
        let mut response = answer.unwrap_or_else(|problem| {
            let is_update_check = line.route == UPDATE_CHECK;
            if is_update_check { handlers::in_both_dialects(problem) } else { problem }.into_response()
        });
        security_headers::set_common(response.headers_mut());
        if failed {
            response.headers_mut().entry(http::header::CACHE_CONTROL).or_insert(handlers::NO_STORE);
        }
        let duration = line.begun.elapsed();
        self.metrics.count(line.route, response.status(), duration);
        self.config.access_log.note(&Entry {
            // It was checked, or made of digits.
            id: line.id.to_str().unwrap_or_default(),
            client: line.client,
            method: &line.method,
            route: line.route,
            caller: &line.caller,
            status: response.status().as_u16(),
            len_bytes: response.body().len_bytes(),
            duration,
        });
        response.headers_mut().insert(X_REQUEST_ID, line.id);
        response
    }

    /// Finds out what is asked and who asks it, and refuses what needs no look at the matter.
    fn ask(
        self: &Arc<Self>,
        request: Request<RequestBody>,
        outside: Outside,
        line: &mut Line,
    ) -> Result<(Route, Box<Ask>), Problem> {
        let (head, body) = request.into_parts();
        let (path_token, path) = match route::split_token(head.uri.path()) {
            Some((token, path)) => (Some(token), path),
            None => (None, head.uri.path()),
        };
        let method = tus::meant_method(&head.method, path, &head.headers);
        let route = route::route(&method, path)?;
        line.route = route.name();
        let query = Query::parse(head.uri.query().unwrap_or_default())?;
        let credentials = credentials(&head.headers, path_token, &route, &query)?;
        let identity = match self.registry.identify(&credentials) {
            // The page shows what the token's refusal means; it holds nothing but itself.
            Err(Refusal::NotSignedIn(_)) if route.is_for_reading() => Identity::Anonymous,
            identity => identity?,
        };
        let origin = self.origin(&outside);
        let caller = Caller { identity, origin, address: Some(outside.client) };
        line.caller = caller.label();
        if caller.is_session() && !same_origin::allows(&head.method, &head.headers, &outside) {
            return Err(Problem::forbidden(
                "a signed-in browser may change things only from this site's own pages; programs send an API token, or an Origin header that names this site",
            ));
        }
        if route.access() == Access::Known && matches!(caller.identity, Identity::Anonymous) {
            return Err(Problem::unauthorized("sign in, or send an API token as Authorization: Bearer ph_api_…"));
        }
        let path_token = path_token.map(str::to_owned);
        let app = Arc::clone(self);
        let headers = head.headers;
        Ok((route, Box::new(Ask { app, caller, outside, method, headers, query, body, credentials, path_token })))
    }

    /// Where the caller reaches the server, without a slash at its end.
    fn origin(&self, outside: &Outside) -> Arc<str> {
        match &self.settings().public_url {
            Some(public_url) => public_url.trim_end_matches('/').into(),
            None => outside.base_url().unwrap_or_default(),
        }
    }
}

/// What of a request the log line needs.
struct Line {
    begun: Instant,
    id: HeaderValue,
    client: IpAddr,
    method: Method,
    route: &'static str,
    caller: Cow<'static, str>,
}

/// What the request shows of who makes it. The token may come in the path, in the header, or, for update checks, in
/// the query; a token decides before a cookie does.
fn credentials(
    headers: &HeaderMap,
    path_token: Option<&str>,
    route: &Route,
    query: &Query,
) -> Result<Credentials, Problem> {
    let query_token = match route {
        Route::Updates | Route::Requirements => query.exact("token").filter(|token| !token.is_empty()),
        _ => None,
    };
    let token = match path_token.or(query_token) {
        Some(token) => Some(token.to_owned()),
        None => authorization(headers)?,
    };
    let session = cookie::read(headers, SESSION_COOKIE).map(str::to_owned);
    Ok(Credentials { token, session })
}

/// The token of `Authorization: Bearer` (RFC 6750, section 2.1), or the password of `Basic` (RFC 7617).
fn authorization(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let malformed = || Problem::unauthorized("Authorization is Bearer TOKEN, or Basic with the token as password");
    let (scheme, rest) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(malformed)?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Some(rest.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = base64::decode(rest).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(malformed)?;
    let (_, password) = decoded.split_once(':').ok_or_else(malformed)?;
    Ok(Some(password.to_owned()))
}

impl From<NoRoute> for Problem {
    fn from(none: NoRoute) -> Self {
        match none {
            NoRoute::NotFound => Self::not_found("there is nothing at this path"),
            NoRoute::MethodNotAllowed(allow) => Self::method_not_allowed(allow),
            NoRoute::Malformed(problem) => Self::bad_request(problem),
            NoRoute::Invalid { field, problem } => Self::unprocessable(field, problem),
        }
    }
}

/// The one place where a refused use case becomes a status.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid { field, message } => Self::unprocessable(field, message),
            Refusal::NotFound(message) => Self::not_found(message),
            Refusal::Gone(message) => Self::gone(message),
            Refusal::Changed(message) => Self::precondition_failed(message),
            Refusal::Conflict { field: Some(field), message } => Self::conflict(message).with_field(field),
            Refusal::Conflict { field: None, message } => Self::conflict(message),
            Refusal::NotSignedIn(message) => Self::unauthorized(message),
            Refusal::Forbidden(message) => Self::forbidden(message),
            Refusal::TooManyTries { retry_after_s } => Self::too_many_requests(retry_after_s, refusal.to_string()),
            Refusal::TooLarge { limit_bytes } => Self::too_large(limit_bytes),
            Refusal::OverQuota { quota_bytes, stored_bytes, awaited_bytes, .. } => {
                Self::over_quota(refusal.to_string())
                    .with_member("quota_bytes", quota_bytes)
                    .with_member("stored_bytes", stored_bytes)
                    .with_member("awaited_bytes", awaited_bytes)
            }
            Refusal::DiskFull => Self::insufficient_storage(&refusal as &dyn Display),
            Refusal::Unavailable(message) => Self::unavailable(5, &message),
            Refusal::Store(error) => Self::internal(&error),
        }
    }
}
