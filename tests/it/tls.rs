//! HTTPS as the binary serves it: both versions of HTTP by ALPN, the commands, and a renewed certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Cli, Scope, Start, TestServer};

struct Certificate {
    folder: tempfile::TempDir,
}

impl Certificate {
    fn new() -> Self {
        let certificate = Self { folder: tempfile::tempdir().unwrap() };
        certificate.renew();
        certificate
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Another certificate and key in the same files, as programs that renew them write them.
    fn renew(&self) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        for (name, text) in [("key.pem", made.signing_key.serialize_pem()), ("cert.pem", made.cert.pem())] {
            std::fs::write(self.path("new"), text).unwrap();
            std::fs::rename(self.path("new"), self.path(name)).unwrap();
        }
    }

    fn start(&self) -> TestServer {
        self.start_on(TestServer::with())
    }

    fn start_on(&self, start: Start<'_>) -> TestServer {
        let (cert, key) = (self.path("cert.pem"), self.path("key.pem"));
        start.flags(&["--tls-cert", text(&cert), "--tls-key", text(&key)]).start()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

/// A connection that trusts the certificate in the file and offers these protocols.
async fn connect(server: &TestServer, ca: &Path, alpn: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(server.address()).await?;
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await
}

async fn ask(stream: TlsStream<TcpStream>, request: Request<Full<Bytes>>) -> (Response<()>, Bytes) {
    let answer = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        }
        _ => {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        }
    };
    let (head, body) = answer.into_parts();
    (Response::from_parts(head, ()), body.collect().await.unwrap().to_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_http_are_spoken() {
    let certificate = Certificate::new();
    let server = certificate.start();
    assert!(server.origin().starts_with("https://"));
    let ca = certificate.path("cert.pem");
    for (alpn, version) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&["h2"], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        let stream = connect(&server, &ca, alpn).await.unwrap();
        let body = json!({ "name": "omni", "password": crate::support::PASSWORD }).to_string();
        let uri = match version {
            Version::HTTP_2 => "https://localhost/api/v1/session",
            _ => "/api/v1/session",
        };
        let request = Request::post(uri).header("host", "localhost").body(Full::new(body.into())).unwrap();
        let (head, body) = ask(stream, request).await;
        assert_eq!((head.status().as_u16(), head.version()), (200, version), "{body:?}");
        let cookie = head.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("; Secure"), "{cookie}");
    }
    assert!(connect(&server, &ca, &["gopher"]).await.is_err(), "nothing else is");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_on_the_same_port_ends_without_harm() {
    let certificate = Certificate::new();
    let server = certificate.start();
    let mut wire = server.connect();
    wire.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert!(!wire.read_to_end().unwrap_or_default().starts_with(b"HTTP/1.1 200"));
    connect(&server, &certificate.path("cert.pem"), &["h2"]).await.unwrap();
}

#[test]
fn the_commands_trust_a_given_authority_alone() {
    let certificate = Certificate::new();
    let mut plain = TestServer::start();
    plain.omni().make_package("kit", "public");
    plain.stop();
    let server = certificate.start_on(TestServer::with().on(plain.data()));
    let ca = certificate.path("cert.pem");
    let folder = tempfile::tempdir().unwrap();
    let sync = || Cli::new(&["sync", &server.origin(), text(folder.path())]);
    let refused = sync().exits(1);
    assert!(refused.err.contains("certificate") || refused.err.contains("TLS"), "{refused}");
    sync().and(&["--ca-file", text(&ca)]).exits(0);
    sync().env("PACKHOUSE_CA_FILE", text(&ca)).exits(0);
    let file = folder.path().join("kit.zip");
    std::fs::write(&file, vec![7; 3 << 20]).unwrap();
    let words =
        ["publish", &server.origin(), text(&file), "--package", "omni.kit", "--version", "1", "--ca-file", text(&ca)];
    let published = Cli::new(&words).token(server.secret("omni", Scope::Publish)).exits(0);
    assert!(published.out.contains(&format!("{}/api/v1/packages/omni/kit/", server.origin())), "{published}");
    assert!(sync().and(&["--ca-file", text(&ca)]).exits(0).out.contains("+ omni.kit"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_picked_up() {
    let certificate = Certificate::new();
    let mut server = certificate.start();
    // It says what is wrong with the files.
    server.may_fail();
    let first = certificate.path("first.pem");
    std::fs::copy(certificate.path("cert.pem"), &first).unwrap();
    connect(&server, &first, &["h2"]).await.unwrap();
    // What is no certificate is not taken over.
    std::fs::write(certificate.path("cert.pem"), "nonsense").unwrap();
    tokio::task::block_in_place(|| server.wait_for_log("cert.pem"));
    connect(&server, &first, &["h2"]).await.unwrap();
    certificate.renew();
    let patience = Instant::now() + Duration::from_secs(30);
    while connect(&server, &certificate.path("cert.pem"), &["h2"]).await.is_err() {
        assert!(Instant::now() < patience, "the new certificate is never shown");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(connect(&server, &first, &["h2"]).await.is_err(), "the old one is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_files_are_taken_by_a_reload() {
    let (first, second) = (Certificate::new(), Certificate::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("packhouse.toml");
    let write =
        |cert: &Path, key: &Path| std::fs::write(&file, format!("tls_cert = {cert:?}\ntls_key = {key:?}\n")).unwrap();
    write(&first.path("cert.pem"), &first.path("key.pem"));
    let mut server = TestServer::with().flags(&["--config", text(&file)]).start();
    connect(&server, &first.path("cert.pem"), &["h2"]).await.unwrap();
    write(&second.path("cert.pem"), &second.path("key.pem"));
    server.reload();
    tokio::task::block_in_place(|| server.wait_for_log("changed=\"tls-cert, tls-key\""));
    connect(&server, &second.path("cert.pem"), &["h2"]).await.unwrap();
    assert!(connect(&server, &first.path("cert.pem"), &["h2"]).await.is_err());
    // A pair that does not fit changes nothing else either.
    server.may_fail();
    write(&first.path("cert.pem"), &second.path("key.pem"));
    let written = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, written + "max_connections = 9\n").unwrap();
    server.reload();
    tokio::task::block_in_place(|| server.wait_for_log("cannot be used with the certificate"));
    connect(&server, &second.path("cert.pem"), &["h2"]).await.unwrap();
    assert!(!server.log().contains("max-connections"), "{}", server.log());
}

#[test]
fn wrong_files_are_told_before_anything_starts() {
    let certificate = Certificate::new();
    let other = Certificate::new();
    let (cert, key) = (certificate.path("cert.pem"), certificate.path("key.pem"));
    let missing = certificate.path("missing.pem");
    for (cert, key) in [(&cert, &missing), (&missing, &key), (&key, &cert), (&cert, &other.path("key.pem"))] {
        let data = certificate.path("data");
        let words = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            text(&data),
            "--tls-cert",
            text(cert),
            "--tls-key",
            text(key),
        ];
        let ran = Cli::new(&words).exits(1);
        assert!(ran.err.contains(".pem"), "{ran}");
        assert!(!data.exists(), "nothing was made");
    }
}
