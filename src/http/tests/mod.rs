//! The server as a whole, over real sockets: what belongs to no single file.
//!
//! Owns the server under test and a client that can misbehave. Timeouts that should strike are short, those that should
//! not are long, so nothing depends on how fast the machine is.

mod connections;
mod heads;
mod requests;
mod responses;
mod shutdown;
mod tls;
mod unread_bodies;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::forwarded::TrustedProxies;
use super::server::Stopped;
use super::tls::Tls;
use super::{Body, Bounds, Limits, Peer, Problem, RequestBody, Server, ServerConfig, Workers};

/// A time that strikes.
const SHORT: Duration = Duration::from_millis(200);

/// Nothing here takes that long unless it hangs.
const HANG: Duration = Duration::from_secs(20);

struct TestServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    run: JoinHandle<Stopped>,
}

impl TestServer {
    /// One that answers as [`handle`] does.
    async fn start(limits: Limits) -> Self {
        Self::start_with(limits, None, TrustedProxies::default(), handle).await
    }

    async fn start_with<H, F>(
        limits: Limits,
        tls: Option<Arc<Tls>>,
        trusted_proxies: TrustedProxies,
        handler: H,
    ) -> Self
    where
        H: Fn(Request<RequestBody>, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let workers = Arc::new(Workers::start().unwrap());
        let bounds = tokio::sync::watch::Sender::new(Bounds { limits, trusted_proxies }).subscribe();
        let config = ServerConfig { tls, bounds, workers, traffic: Arc::default() };
        let server = Server::bind(listen, config).await.unwrap();
        let address = server.local_address().unwrap();
        let (stop, stopped) = oneshot::channel();
        let run = tokio::spawn(server.run(handler, async move {
            let _ = stopped.await;
        }));
        Self { address, stop: Some(stop), run }
    }

    fn ask_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    async fn stopped(self) -> Stopped {
        timeout(HANG, self.run).await.expect("the server does not stop").unwrap()
    }

    async fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).await.unwrap())
    }
}

/// Answers by path: what it read from the body, a panic, an error without reading the body, or the request line.
async fn handle(request: Request<RequestBody>, _: Peer) -> Response<Body> {
    let line = format!("{} {}", request.method(), request.uri());
    match request.uri().path() {
        "/body" => match request.into_body().collect_limited(1000).await {
            Ok(bytes) => Response::new(Body::full(bytes)),
            Err(error) => Problem::from(error).into_response(),
        },
        "/panic" => panic!("as asked"),
        "/unread" => Problem::unauthorized("sign in first").into_response(),
        _ => Response::new(Body::from(line)),
    }
}

/// A client that sends what it is told, byte for byte.
struct Client(BufReader<TcpStream>);

struct Answer {
    status: StatusCode,
    /// The lines of the head after the first, in lower case.
    headers: Vec<String>,
    body: Bytes,
}

impl Answer {
    fn has_header(&self, line: &str) -> bool {
        self.headers.iter().any(|header| header == line)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        Self(BufReader::new(stream))
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.unwrap();
    }

    async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        timeout(HANG, self.0.get_mut().write_all(bytes.as_ref())).await.expect("sending hangs")
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        self.answer().await
    }

    /// Reads an answer with `Content-Length`.
    async fn answer(&mut self) -> Answer {
        let (status, headers) = self.head().await;
        let len = headers.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        let mut body = vec![0; len.parse().unwrap()];
        timeout(HANG, self.0.read_exact(&mut body)).await.expect("reading hangs").unwrap();
        Answer { status, headers, body: body.into() }
    }

    async fn head(&mut self) -> (StatusCode, Vec<String>) {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            timeout(HANG, self.0.read_line(&mut line)).await.expect("reading hangs").unwrap();
            assert!(line.ends_with("\r\n"), "the answer ends inside its head: {lines:?} {line:?}");
            if line.trim_end().is_empty() {
                break;
            }
            lines.push(line.trim_end().to_ascii_lowercase());
        }
        let status = lines.remove(0).split(' ').nth(1).unwrap().parse().unwrap();
        (status, lines)
    }

    /// Waits for the server to end the connection; gives what came before, and whether it was reset.
    async fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut rest = Vec::new();
        let result = timeout(HANG, self.0.read_to_end(&mut rest)).await.expect("the connection is kept open");
        (rest, result.is_err())
    }

    async fn assert_closed(&mut self) {
        assert_eq!(self.rest().await, (vec![], false));
    }
}

/// Notes when it is dropped.
struct DropNote(Option<oneshot::Sender<()>>);

impl DropNote {
    fn new() -> (Self, oneshot::Receiver<()>) {
        let (sender, dropped) = oneshot::channel();
        (Self(Some(sender)), dropped)
    }
}

impl Drop for DropNote {
    fn drop(&mut self) {
        let _ = self.0.take().unwrap().send(());
    }
}

/// A stream of zeros that ends only when nobody wants it any more.
fn endless(note: DropNote) -> Body {
    Body::stream(
        None,
        futures_util::stream::unfold(note, |note| async { Some((Ok(Bytes::from(vec![0; 256 * 1024])), note)) }),
    )
}
