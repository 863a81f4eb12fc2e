//! A scripted HTTP/1.1 server for tests: it answers what a closure says, misbehaves on request, and remembers all it saw.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::{Client, ClientOptions, Limits, Url};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Method and target.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What to answer.
pub(crate) enum Reply {
    /// A well-formed answer; the connection stays.
    Http(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes, then nothing for ever.
    Hang(Vec<u8>),
    /// These bytes, then the last ones again and again.
    Endless(Vec<u8>, Vec<u8>),
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::Http(200, Vec::new(), body.into())
    }

    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        let kind = if status < 400 { "application/json" } else { "application/problem+json" };
        Self::Http(status, vec![("content-type", kind.to_owned())], value.to_string().into_bytes())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Http(status, Vec::new(), Vec::new())
    }
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

/// A running server; it ends with this value.
pub(crate) struct TestServer {
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl TestServer {
    pub(crate) async fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(script), None, "http://127.0.0.1").await
    }

    /// Over TLS, with a certificate from [`ca_file`].
    pub(crate) async fn start_tls(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let certificate = CertificateDer::from_pem_slice(include_bytes!("test_certificates/leaf.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("test_certificates/leaf.key")).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::listen(Arc::new(script), Some(TlsAcceptor::from(Arc::new(config))), "https://localhost").await
    }

    async fn listen(script: Arc<Script>, tls: Option<TlsAcceptor>, origin: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (log, count) = (Arc::clone(&seen), Arc::clone(&connections));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let (script, log, tls) = (Arc::clone(&script), Arc::clone(&log), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &*script, &log).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &*script, &log).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        let url = Url::parse_base(&format!("{origin}:{port}/")).unwrap();
        Self { url, seen, connections, accepting: accepting.abort_handle() }
    }

    /// A client for it that loses no time.
    pub(crate) fn client(&self) -> Client {
        self.client_with(|_| {})
    }

    pub(crate) fn client_with(&self, change: impl FnOnce(&mut ClientOptions)) -> Client {
        let limits = Limits {
            backoff: Duration::from_millis(1),
            backoff_max: Duration::from_millis(5),
            continue_timeout: Duration::from_millis(200),
            ..Limits::default()
        };
        let mut options = ClientOptions { limits, ..ClientOptions::default() };
        change(&mut options);
        Client::new(&self.url, options)
    }

    /// Method and target of all requests since the last call, in the order they arrived.
    pub(crate) fn take_lines(&self) -> Vec<String> {
        self.take_seen().iter().map(Seen::line).collect()
    }

    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// The authority of the test server's certificate.
pub(crate) fn ca_file() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/src/client/test_certificates/ca.pem").into()
}

/// Serves one connection; ends when either side has had enough.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    script: &Script,
    log: &Mutex<Vec<Seen>>,
) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let fields = lines.filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let mut seen = Seen { method, target, fields, body: Vec::new() };
        let length: usize = seen.field("content-length").map_or(0, |text| text.parse().unwrap());
        // `/refuse` answers from the head alone, as a server does that takes no such body.
        if !seen.target.contains("/refuse") {
            if seen.field("expect").is_some() {
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.ok()?;
            }
            seen.body = vec![0; length];
            stream.read_exact(&mut seen.body).await.ok()?;
        }
        let is_head = seen.method == "HEAD";
        let reply = script(&seen);
        log.lock().unwrap().push(seen);
        match reply {
            Reply::Http(status, fields, body) => {
                let mut head = format!("HTTP/1.1 {status} X\r\n");
                for (name, value) in &fields {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                if status != 304 {
                    head.push_str(&format!("content-length: {}\r\n", body.len()));
                }
                head.push_str("\r\n");
                stream.write_all(head.as_bytes()).await.ok()?;
                if !is_head {
                    stream.write_all(&body).await.ok()?;
                }
                stream.flush().await.ok()?;
            }
            Reply::Raw(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                stream.shutdown().await.ok()?;
                return None;
            }
            Reply::Hang(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                stream.flush().await.ok()?;
                // Until the client leaves.
                while stream.read_u8().await.is_ok() {}
                return None;
            }
            Reply::Endless(bytes, more) => {
                stream.write_all(&bytes).await.ok()?;
                loop {
                    stream.write_all(&more).await.ok()?;
                }
            }
        }
    }
}
