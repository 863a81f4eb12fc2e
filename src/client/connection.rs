//! A small HTTP/1.1 client for one registry: kept connections, timeouts, redirects, retries, and the token.
//!
//! Owns what holds for every request. Order of one request: a slot, a connection, the exchange, redirects, retries.
//! The token goes to the registry's own origin alone, and to no other that a redirect names.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, LOCATION, PROXY_AUTHORIZATION, RETRY_AFTER, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsConnector;

use super::body::Response;
use super::error::{Failure, RequestError};
use super::limits::Limits;
use super::proxy::{InvalidProxy, Proxies, Proxy};
use super::tls;
use super::token::Token;
use super::transport::Connection;
use super::upload::{Outgoing, Payload, Sending};
use super::url::{Origin, Url};

/// A body over this many bytes first asks whether it is welcome (RFC 9110 section 10.1.1).
const EXPECT_BYTES_MIN: u64 = 64 << 10;

/// How a client is set up.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Sent with every request to the registry itself.
    pub token: Option<Token>,
    /// Certificate authorities to trust besides the system's, in PEM form.
    pub ca_file: Option<PathBuf>,
    /// Proxies on the way, or why the settings name none.
    pub proxies: Result<Proxies, InvalidProxy>,
    /// Bounds.
    pub limits: Limits,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { token: None, ca_file: None, proxies: Ok(Proxies::default()), limits: Limits::default() }
    }
}

/// Requests made and body bytes moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent, redirects and repetitions included.
    pub requests: u64,
    /// Bytes of answers' bodies, as they came.
    pub received_bytes: u64,
}

/// Speaks to one origin. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    origin: Origin,
    options: ClientOptions,
    limits: Arc<Limits>,
    tls: OnceCell<TlsConnector>,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    requests: AtomicU64,
    received_bytes: Arc<AtomicU64>,
}

/// A request that can be made more than once.
#[derive(Clone)]
pub struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    payload: Payload,
    repeatable: bool,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        // RFC 9110 section 9.2.2.
        let repeatable = method.is_idempotent();
        Self { method, url, headers: HeaderMap::new(), payload: Payload::Empty, repeatable }
    }

    /// A GET.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// With a header field.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// With a body.
    #[must_use]
    pub fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    /// Which may be made again though its method does not say so, because it states a result and not a change.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.header(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .payload(Payload::Bytes(value.to_string().into()))
    }

    /// Where it goes.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}

/// A connection in use and the slot it takes.
pub(crate) struct Lease {
    connection: Connection,
    shared: Option<Arc<Shared>>,
    _slot: OwnedSemaphorePermit,
}

impl Lease {
    /// Keeps the connection for the next request, if its exchange was one that leaves it usable.
    pub(crate) fn give_back(self) {
        if let Some(shared) = self.shared {
            shared.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.connection);
        }
    }
}

/// Whether this says that there is nothing at an address, or nothing any more.
pub(crate) fn is_gone(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE)
}

impl Client {
    /// A client for the registry at `base`. Opens nothing yet.
    #[must_use]
    pub fn new(base: &Url, options: ClientOptions) -> Self {
        let limits = Arc::new(options.limits.clone());
        Self {
            shared: Arc::new(Shared {
                origin: base.origin().clone(),
                tls: OnceCell::new(),
                slots: Arc::new(Semaphore::new(limits.connections.max(1))),
                idle: Mutex::default(),
                requests: AtomicU64::new(0),
                received_bytes: Arc::default(),
                options,
                limits,
            }),
        }
    }

    /// What went over the wire so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.shared.requests.load(Ordering::Relaxed),
            received_bytes: self.shared.received_bytes.load(Ordering::Relaxed),
        }
    }

    /// The bounds it keeps.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Makes a request, again where that is harmless and may help, and answers its final response, whatever its status.
    ///
    /// # Errors
    /// If there was no answer, or redirects led nowhere.
    pub async fn send(&self, request: &Request) -> Result<Response, RequestError> {
        let limits = &self.shared.limits;
        let mut attempt = 1;
        loop {
            let result = self.follow(request).await;
            let wait = match &result {
                Ok(response) if request.repeatable => busy_wait(response),
                Err(error) if error.is_connection() && (request.repeatable || error.is_unsent()) => {
                    Some(Duration::ZERO)
                }
                _ => None,
            };
            let Some(wait) = wait.filter(|_| attempt < limits.attempts_max) else { return result };
            // An answer not used holds a connection: let it go before waiting.
            drop(result);
            tokio::time::sleep(wait.max(limits.backoff_before(attempt)).min(limits.backoff_max)).await;
            attempt += 1;
        }
    }

    /// Makes a request that must succeed.
    ///
    /// # Errors
    /// As [`Client::send`], and [`Failure::Status`] with what the server said.
    pub async fn ask(&self, request: &Request) -> Result<Response, RequestError> {
        self.send(request).await?.or_refusal().await
    }

    /// Makes a request that must succeed with JSON.
    ///
    /// # Errors
    /// As [`Client::ask`], and if the answer has another shape.
    pub async fn ask_json<T: DeserializeOwned>(&self, request: &Request) -> Result<T, RequestError> {
        self.ask(request).await?.json().await
    }

    /// A small file, or nothing where the server has none. Begins again where the connection breaks within it.
    ///
    /// # Errors
    /// As [`Client::ask`], and if it has more than `bytes_max` bytes.
    pub(crate) async fn find(&self, url: Url, bytes_max: u64) -> Result<Option<Vec<u8>>, RequestError> {
        let limits = self.limits();
        let request = Request::get(url);
        let mut attempt = 1;
        loop {
            let got = async {
                let response = self.send(&request).await?;
                if is_gone(response.status) {
                    return Ok(None);
                }
                response.or_refusal().await?.body.collect(bytes_max).await.map(Some)
            };
            match got.await {
                Err(error) if error.is_connection() && attempt < limits.attempts_max => {
                    tokio::time::sleep(limits.backoff_before(attempt)).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn follow(&self, request: &Request) -> Result<Response, RequestError> {
        let mut url = request.url.clone();
        for _ in 0..=self.shared.limits.redirects_max {
            let response = self.exchange(request, &url).await?;
            if !matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let refuse = |why: String| RequestError::new(&request.method, &url, Failure::Declined(why));
            let location = response.header(LOCATION).ok_or_else(|| refuse("a redirect that names no target".into()))?;
            let target = url.resolve(location).map_err(|why| refuse(format!("a redirect to no address: {why}")))?;
            if !matches!(request.method, Method::GET | Method::HEAD) {
                return Err(refuse(format!("the server redirects to {target}; use that address")));
            }
            if url.origin().tls && !target.origin().tls {
                return Err(refuse(format!("a redirect from HTTPS to {target}, which is not followed")));
            }
            url = target;
        }
        Err(RequestError::new(&request.method, &request.url, Failure::Declined("redirects without end".into())))
    }

    /// One request and its answer. A kept connection may have been closed at the other end in the same moment: what
    /// can be repeated is then sent once more on a new one.
    async fn exchange(&self, request: &Request, url: &Url) -> Result<Response, RequestError> {
        let shared = &self.shared;
        let fail = |failure| RequestError::new(&request.method, url, failure);
        let slots = Arc::clone(&shared.slots);
        let mut slot = slots.acquire_owned().await.map_err(|closed| {
            // Nobody closes it; if somebody did, the client could not be used.
            fail(Failure::Declined(closed.to_string()))
        })?;
        let is_own = *url.origin() == shared.origin;
        if is_own && let Some(connection) = self.kept().await {
            let lease = Lease { connection, shared: Some(Arc::clone(shared)), _slot: slot };
            match self.exchange_on(lease, request, url).await {
                Err((failure @ Failure::Broken { .. }, returned)) => {
                    let error = fail(failure);
                    if !(request.repeatable || error.is_unsent()) {
                        return Err(error);
                    }
                    slot = returned;
                }
                Err((failure, _)) => return Err(fail(failure)),
                Ok(response) => return Ok(response),
            }
        }
        let tls = if url.origin().tls { Some(self.tls().await.map_err(fail)?) } else { None };
        let proxy = proxy(&shared.options, url.origin()).map_err(fail)?;
        let connection = Connection::open(url.origin(), tls, proxy, &shared.limits).await.map_err(fail)?;
        let lease = Lease { connection, shared: is_own.then(|| Arc::clone(shared)), _slot: slot };
        self.exchange_on(lease, request, url).await.map_err(|(failure, _)| fail(failure))
    }

    /// A connection of an earlier request that is still good.
    async fn kept(&self) -> Option<Connection> {
        loop {
            let mut connection = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if connection.is_usable().await {
                return Some(connection);
            }
        }
    }

    async fn exchange_on(
        &self,
        mut lease: Lease,
        request: &Request,
        url: &Url,
    ) -> Result<Response, (Failure, OwnedSemaphorePermit)> {
        let shared = &self.shared;
        let (body, sending) = request.payload.open();
        let message = match message(request, url, body, &shared.options, &shared.origin) {
            Ok(message) => message,
            Err(failure) => return Err((failure, lease._slot)),
        };
        shared.requests.fetch_add(1, Ordering::Relaxed);
        let answer = answer(&mut lease.connection, message, &sending, shared.limits.response_timeout).await;
        match answer {
            Ok(response) => {
                if !sending.is_finished() {
                    // The answer came before the body had gone out: what follows on this connection is undefined.
                    lease.shared = None;
                }
                let received = Arc::clone(&shared.received_bytes);
                let on_bytes = Arc::new(move |bytes| {
                    received.fetch_add(bytes, Ordering::Relaxed);
                });
                Ok(Response::new((&request.method, url), response, lease, Arc::clone(&shared.limits), on_bytes))
            }
            Err(failure) => Err((failure, lease._slot)),
        }
    }

    async fn tls(&self) -> Result<&TlsConnector, Failure> {
        let make = || async {
            let ca_file = self.shared.options.ca_file.clone();
            let made = tokio::task::spawn_blocking(move || tls::connector(ca_file.as_deref())).await;
            made.map_err(std::io::Error::other)?.map_err(std::io::Error::from)
        };
        self.shared.tls.get_or_try_init(make).await.map_err(Failure::Tls)
    }
}

/// The proxy for an origin, if there is one.
fn proxy<'a>(options: &'a ClientOptions, origin: &Origin) -> Result<Option<&'a Proxy>, Failure> {
    let proxies = options.proxies.as_ref().map_err(|problem| Failure::Declined(problem.to_string()))?;
    Ok(proxies.of(origin))
}

/// How long a server that is only busy asks to be left alone; nothing if it is not.
fn busy_wait(response: &Response) -> Option<Duration> {
    let is_busy = matches!(response.status.as_u16(), 429 | 502..=504);
    let asked = || response.header(RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    is_busy.then(|| asked().unwrap_or(Duration::ZERO))
}

fn message(
    request: &Request,
    url: &Url,
    mut body: Outgoing,
    options: &ClientOptions,
    own: &Origin,
) -> Result<http::Request<Outgoing>, Failure> {
    let unsendable = |error: http::Error| Failure::Declined(format!("this address cannot be asked: {error}"));
    let host = HeaderValue::from_str(&url.origin().authority()).map_err(|error| unsendable(error.into()))?;
    let mut headers = request.headers.clone();
    headers.insert(HOST, host);
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("packhouse/", env!("CARGO_PKG_VERSION"))));
    if let Some(token) = options.token.as_ref().filter(|_| url.origin() == own) {
        headers.insert(AUTHORIZATION, token.authorization());
    }
    // A proxy takes the whole address; within a tunnel, it is not there.
    let mut target = url.target().to_owned();
    if let Some(proxy) = proxy(options, url.origin())?.filter(|_| !url.origin().tls) {
        target = url.exposed();
        headers.extend(proxy.authorization.clone().map(|value| (PROXY_AUTHORIZATION, value)));
    }
    let size_bytes = request.payload.size_bytes();
    if !matches!(request.payload, Payload::Empty) {
        headers.insert(CONTENT_LENGTH, size_bytes.into());
    }
    let go = Arc::new(Notify::new());
    let asks_first = size_bytes >= EXPECT_BYTES_MIN;
    if asks_first {
        headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
        body.hold_until(Arc::clone(&go), options.limits.continue_timeout);
    }
    let mut message =
        http::Request::builder().method(request.method.clone()).uri(target).body(body).map_err(unsendable)?;
    *message.headers_mut() = headers;
    if asks_first {
        hyper::ext::on_informational(&mut message, move |response| {
            if response.status() == StatusCode::CONTINUE {
                go.notify_one();
            }
        });
    }
    Ok(message)
}

/// Sends and waits for the head of the answer, for as long as the body keeps going out and `after` beyond.
async fn answer(
    connection: &mut Connection,
    message: http::Request<Outgoing>,
    sending: &Sending,
    after: Duration,
) -> Result<http::Response<hyper::body::Incoming>, Failure> {
    let mut exchange = pin!(connection.send(message));
    loop {
        let sent_bytes = sending.bytes();
        match tokio::time::timeout(after, &mut exchange).await {
            Ok(answer) => return answer,
            Err(_) if sending.bytes() != sent_bytes => {}
            Err(_) => return Err(Failure::Timeout { waiting_for: "an answer", after }),
        }
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
