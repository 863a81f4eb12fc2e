//! Requests on a connection: keep-alive, pipelining, bodies, panics.

use std::sync::Arc;

use super::*;
use crate::http::app::{App, AppConfig, AppSettings};
use crate::http::front::Front;
use crate::service::{Clock, DataDirectory, RegistryConfig};

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = TestServer::start(Limits::DEFAULT).await;
    let mut client = server.connect().await;
    for path in ["/1", "/2"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, &*format!("GET {path}")));
    }
    client.send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\nPOST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    for expected in ["GET /3", "hi", "GET /4"] {
        assert_eq!(client.answer().await.text(), expected);
    }
    client.assert_closed().await;
}

#[tokio::test]
async fn a_head_request_gets_no_content() {
    let server = TestServer::start(Limits::DEFAULT).await;
    let mut client = server.connect().await;
    client.send("HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (status, headers) = client.head().await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers.contains(&"content-length: 9".to_owned()), "{headers:?}");
    assert_eq!(client.get("/next").await.text(), "GET /next");
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_server_goes_on() {
    let server = TestServer::start(Limits::DEFAULT).await;
    let mut client = server.connect().await;
    let answer = client.get("/panic").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.has_header("content-type: application/problem+json"));
    assert!(answer.text().contains("\"id\":") && !answer.text().contains("as asked"), "{}", answer.text());
    assert_eq!(client.get("/next").await.text(), "GET /next");
}

#[tokio::test]
async fn a_slow_body_is_a_408() {
    let limits = Limits { body_window: SHORT, ..Limits::DEFAULT };
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    client.send("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfive!").await;
    let answer = client.answer().await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    assert!(answer.has_header("connection: close"));
    drop(client);
}

#[tokio::test]
async fn a_body_is_read_only_when_it_is_wanted() {
    let server = TestServer::start(Limits::DEFAULT).await;
    let head = |path| format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    let mut client = server.connect().await;
    client.send(head("/body")).await;
    assert_eq!(client.head().await.0, StatusCode::CONTINUE);
    client.send("hi").await;
    assert_eq!(client.answer().await.text(), "hi");
    client.send(head("/unread")).await;
    assert_eq!(client.answer().await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_not_read() {
    let server = TestServer::start(Limits::DEFAULT).await;
    let mut client = server.connect().await;
    client.send("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n").await;
    assert_eq!(client.answer().await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn broken_framing_is_a_400() {
    let server = TestServer::start(Limits::DEFAULT).await;
    let mut client = server.connect().await;
    client.send("POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nzz\r\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("framing"), "{}", answer.text());
}

#[tokio::test]
async fn an_upload_that_is_cut_off_is_told_from_a_complete_one() {
    let (sender, mut ended) = tokio::sync::mpsc::unbounded_channel();
    let handler = move |request: Request<RequestBody>, _| {
        let sender = sender.clone();
        // As handlers do that must not be dropped with their connection.
        tokio::spawn(async move {
            sender.send(request.into_body().collect_limited(1000).await).unwrap();
        });
        std::future::pending()
    };
    let server = TestServer::start_with(Limits::DEFAULT, None, TrustedProxies::default(), handler).await;
    for head in ["Content-Length: 10\r\n\r\nfive!", "Transfer-Encoding: chunked\r\n\r\n5\r\nfive!\r\n"] {
        let mut client = server.connect().await;
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{head}")).await;
        drop(client);
        let result = timeout(HANG, ended.recv()).await.unwrap().unwrap();
        assert!(matches!(result, Err(crate::http::RequestBodyError::Cut(_))), "{result:?}");
    }
}

/// The server used to listen only when everything was loaded, so that nobody could ask how far it was.
#[tokio::test]
async fn until_the_registry_is_open_only_health_is_told() {
    let front = Arc::new(Front::default());
    let handler = {
        let front = Arc::clone(&front);
        move |request, peer| front.answer(request, peer)
    };
    let server = TestServer::start_with(Limits::DEFAULT, None, TrustedProxies::default(), handler).await;
    let mut client = server.connect().await;
    assert_eq!(client.get("/healthz").await.status, StatusCode::OK);
    let answer = client.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.text(), r#"{"ready":false,"packages_loaded":0,"packages":0}"#);
    assert!(answer.has_header("retry-after: 1") && answer.has_header("cache-control: no-store"));
    let answer = client.get("/v2/registry.gz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("/readyz says how far it is"), "{}", answer.text());

    // The app may come while connections are open.
    let dir = tempfile::tempdir().unwrap();
    let held = DataDirectory::hold(dir.path()).unwrap();
    let opening = {
        let front = Arc::clone(&front);
        move || held.open(RegistryConfig::default(), Clock::System, front.progress()).unwrap()
    };
    let registry = tokio::task::spawn_blocking(opening).await.unwrap();
    front.open(Arc::new(App::new(Arc::new(registry), AppConfig::default(), AppSettings::default())));
    assert!(client.get("/readyz").await.text().contains("\"ready\":true"));
    assert_eq!(client.get("/v2/registry.gz").await.status, StatusCode::OK);
}
