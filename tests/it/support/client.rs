//! [`Client`] and [`Request`]: who asks and what, over one connection per request.

use std::io::{Cursor, Read};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::answer::Answer;
use super::contract;
use super::wire::{Body, Wire};

/// Where a server is, and what was last said to it. It may move when it is restarted.
#[derive(Default)]
pub(super) struct Site {
    place: Mutex<Option<(SocketAddr, String)>>,
    last_exchange: Mutex<String>,
}

impl Site {
    pub(super) fn moved_to(&self, address: SocketAddr, origin: &str) {
        *self.place.lock().unwrap() = Some((address, origin.to_owned()));
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.place.lock().unwrap().as_ref().expect("it has started").0
    }

    pub(super) fn origin(&self) -> String {
        self.place.lock().unwrap().as_ref().expect("it has started").1.clone()
    }

    pub(super) fn last_exchange(&self) -> String {
        self.last_exchange.lock().unwrap().clone()
    }
}

/// What a client shows of who it is.
#[derive(Debug, Clone)]
pub(super) enum Credentials {
    None,
    Cookie(String),
    Bearer(String),
}

/// Somebody who asks.
#[derive(Clone)]
pub(crate) struct Client {
    site: Arc<Site>,
    credentials: Credentials,
}

impl Client {
    pub(super) fn new(site: Arc<Site>, credentials: Credentials) -> Self {
        Self { site, credentials }
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// A request to be completed and sent.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let mut request = Request {
            site: Arc::clone(&self.site),
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
            shown_body: String::new(),
        };
        match &self.credentials {
            Credentials::None => {}
            Credentials::Cookie(cookie) => {
                request = request.header("cookie", cookie);
                if !matches!(method, "GET" | "HEAD") {
                    let origin = self.site.origin();
                    request = request.header("origin", &origin);
                }
            }
            Credentials::Bearer(token) => request = request.header("authorization", &format!("Bearer {token}")),
        }
        request
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub(crate) fn head(&self, path: &str) -> Request {
        self.request("HEAD", path)
    }

    pub(crate) fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    pub(crate) fn put(&self, path: &str) -> Request {
        self.request("PUT", path)
    }

    pub(crate) fn patch(&self, path: &str) -> Request {
        self.request("PATCH", path)
    }

    pub(crate) fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }
}

/// A request that is being put together.
pub(crate) struct Request {
    site: Arc<Site>,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<(u64, Box<dyn Read + Send>)>,
    shown_body: String,
}

impl Request {
    /// Adds a header, or puts another value in its place.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a header away.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// With a JSON body.
    pub(crate) fn json(self, value: &Value) -> Self {
        self.header("content-type", "application/json").body(value.to_string())
    }

    /// With these bytes as the body.
    pub(crate) fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        self.shown_body = String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
        self.reader(bytes.len() as u64, Cursor::new(bytes))
    }

    /// With a body of that many bytes which is read as it is sent.
    pub(crate) fn reader(mut self, len_bytes: u64, reader: impl Read + Send + 'static) -> Self {
        self.body = Some((len_bytes, Box::new(reader)));
        self
    }

    /// Sends it and reads the whole answer.
    #[track_caller]
    pub(crate) fn send(self) -> Answer {
        match self.try_send() {
            Ok(answer) => answer,
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends it to a server that may be gone.
    #[track_caller]
    pub(crate) fn try_send(self) -> Result<Answer, String> {
        let site = Arc::clone(&self.site);
        let (method, path, sent) = (self.method.clone(), self.path.clone(), self.shown_body.clone());
        let (mut answer, mut body) = self.try_open()?;
        if let Err(error) = body.read_to_end(&mut answer.body) {
            return Err(format!("the answer's body broke off: {error}\n{answer}"));
        }
        let wrong = contract::judge(&method, &path, sent.as_bytes(), &answer);
        assert!(wrong.is_empty(), "not as the API's description says:\n{}\n{answer}", wrong.join("\n"));
        *site.last_exchange.lock().unwrap() = answer.to_string();
        Ok(answer)
    }

    /// Sends it and expects a status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Answer {
        self.send().is(status)
    }

    /// Sends it and expects a problem whose detail holds a text.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, detail: &str) -> Value {
        self.send().problem(status, detail)
    }

    /// Sends it and reads the answer's head; its body is read from the second part.
    #[track_caller]
    pub(crate) fn open(self) -> (Answer, Body) {
        match self.try_open() {
            Ok(opened) => opened,
            Err(error) => panic!("{error}"),
        }
    }

    fn try_open(self) -> Result<(Answer, Body), String> {
        let mut wire = Wire::try_connect(self.site.address()).map_err(|error| format!("no connection: {error}"))?;
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.push_str(&format!("host: {}\r\n", self.site.address()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let request = format!("{head}\r\n{}", self.shown_body);
        *self.site.last_exchange.lock().unwrap() = request.clone();
        if let Some((len_bytes, _)) = &self.body {
            head.push_str(&format!("content-length: {len_bytes}\r\n"));
        } else if !matches!(self.method.as_str(), "GET" | "HEAD" | "DELETE") {
            head.push_str("content-length: 0\r\n");
        }
        head.push_str("connection: close\r\n\r\n");
        // A server may answer and close before it has read everything, so that a failed write is no failure yet.
        let mut written = wire.write(head.as_bytes());
        if let Some((len_bytes, reader)) = self.body {
            let copied = std::io::copy(&mut reader.take(len_bytes), &mut wire.stream);
            written = written.and(copied.map(|_| ()));
        }
        match wire.read_head(self.method == "HEAD") {
            Ok((head, body)) => Ok((Answer::new(request, head), body)),
            Err(error) => Err(format!("no answer: {error} (written: {written:?})\n{request}")),
        }
    }
}
