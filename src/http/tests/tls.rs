//! HTTPS: what is agreed on, and HTTP/2 with the same rules as HTTP/1.

use std::sync::Arc;

use futures_util::future::join_all;
use http::Version;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;

type Sender = SendRequest<Full<Bytes>>;

struct TlsServer {
    server: TestServer,
    roots: RootCertStore,
}

impl TlsServer {
    async fn start<H, F>(limits: Limits, handler: H) -> Self
    where
        H: Fn(Request<RequestBody>, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let folder = tempfile::tempdir().unwrap();
        let (files, certificate) = crate::http::tls::tests::self_signed(folder.path());
        let tls = Arc::new(Tls::load(files).unwrap());
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let server = TestServer::start_with(limits, Some(tls), TrustedProxies::default(), handler).await;
        Self { server, roots }
    }

    async fn connect(&self, alpn: &[&str]) -> TlsStream<TcpStream> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(self.server.address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        timeout(HANG, TlsConnector::from(Arc::new(config)).connect(name, stream)).await.unwrap().unwrap()
    }

    /// An HTTP/2 connection, and its end.
    async fn http2(&self) -> (Sender, JoinHandle<hyper::Result<()>>) {
        let stream = self.connect(&["h2", "http/1.1"]).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        (sender, tokio::spawn(connection))
    }
}

async fn ask(sender: &Sender, method: &str, path: &str, body: impl Into<Bytes>) -> Response<Incoming> {
    let uri = format!("https://localhost{path}");
    let request = Request::builder().method(method).uri(uri).body(Full::new(body.into())).unwrap();
    timeout(HANG, sender.clone().send_request(request)).await.expect("no answer").unwrap()
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn http2_serves_requests_side_by_side() {
    let server = TlsServer::start(Limits::DEFAULT, handle).await;
    let (sender, _connection) = server.http2().await;
    let answers = join_all((0..50).map(|n| {
        let sender = &sender;
        async move { text(ask(sender, "POST", "/body", n.to_string()).await).await }
    }))
    .await;
    assert_eq!(answers, (0..50).map(|n| n.to_string()).collect::<Vec<_>>());

    let head = ask(&sender, "HEAD", "/abc", "").await;
    assert_eq!(head.version(), Version::HTTP_2);
    assert_eq!(head.headers()["content-length"], "26");
    assert_eq!(text(head).await, "");
    assert_eq!(ask(&sender, "GET", "/panic", "").await.status(), 500);
    let unread = ask(&sender, "POST", "/unread", vec![b'x'; 10_000_000]).await;
    assert_eq!(unread.status(), 401);
    assert!(text(unread).await.contains("sign in first"));
    assert_eq!(ask(&sender, "GET", "/next", "").await.status(), 200);
}

#[tokio::test]
async fn http1_over_tls() {
    let server = TlsServer::start(Limits::DEFAULT, |_, peer: Peer| {
        std::future::ready(Response::new(Body::from(if peer.tls { "tls" } else { "plain" })))
    })
    .await;
    for alpn in [&["http/1.1"][..], &[]] {
        let stream = server.connect(alpn).await;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("/").header("host", "localhost").body(Empty::<Bytes>::new()).unwrap();
        assert_eq!(text(sender.send_request(request).await.unwrap()).await, "tls");
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_get_on_is_cut() {
    let limits = Limits { tls_handshake_timeout: SHORT, ..Limits::DEFAULT };
    let server = TlsServer::start(limits, handle).await;
    for text in ["", "\x16\x03\x01"] {
        let mut client = server.server.connect().await;
        client.send(text).await;
        client.rest().await;
    }
}

#[tokio::test]
async fn an_idle_http2_connection_is_closed() {
    let limits = Limits { idle_timeout: SHORT, ..Limits::DEFAULT };
    let server = TlsServer::start(limits, handle).await;
    let (sender, connection) = server.http2().await;
    assert_eq!(ask(&sender, "GET", "/", "").await.status(), 200);
    timeout(HANG, connection).await.expect("the connection is kept open").unwrap().unwrap();
    drop(sender);
}

#[tokio::test]
async fn an_http2_response_that_nobody_takes_is_given_up() {
    let limits = Limits { write_timeout: SHORT, ..Limits::DEFAULT };
    let (sender, mut notes) = tokio::sync::mpsc::unbounded_channel();
    let server = TlsServer::start(limits, move |_, _| {
        let (note, dropped) = DropNote::new();
        sender.send(dropped).unwrap();
        std::future::ready(Response::new(endless(note)))
    })
    .await;
    let (sender, _connection) = server.http2().await;
    let _not_read = ask(&sender, "GET", "/", "").await;
    let dropped = timeout(HANG, notes.recv()).await.unwrap().unwrap();
    timeout(HANG, dropped).await.expect("the response is kept").unwrap();
}

#[tokio::test]
async fn shutdown_lets_http2_requests_finish() {
    let (asked, go_on) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let signals = (Arc::clone(&asked), Arc::clone(&go_on));
    let mut server = TlsServer::start(Limits::DEFAULT, move |_, _| {
        let (asked, go_on) = signals.clone();
        async move {
            asked.notify_one();
            go_on.notified().await;
            Response::new(Body::from("done"))
        }
    })
    .await;
    let (sender, connection) = server.http2().await;
    let (_idle, idle_connection) = server.http2().await;
    let running = tokio::spawn(async move { text(ask(&sender, "GET", "/", "").await).await });
    asked.notified().await;
    server.server.ask_to_stop();
    timeout(HANG, idle_connection).await.expect("the idle connection is kept open").unwrap().unwrap();
    go_on.notify_one();
    assert_eq!(running.await.unwrap(), "done");
    timeout(HANG, connection).await.unwrap().unwrap().unwrap();
    assert_eq!(server.server.stopped().await, Stopped { cut_connections: 0 });
}
