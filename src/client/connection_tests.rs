//! The client against a scripted server: what is kept, repeated, followed, refused, and what it never does.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use super::super::progress::Silent;
use super::super::test_server::{Reply, Seen, TestServer, ca_file};
use super::super::upload::FilePayload;
use super::*;

fn get(server: &TestServer, path: &str) -> Request {
    Request::get(server.url.join(path))
}

async fn text(client: &Client, request: &Request) -> Result<String, String> {
    let response = client.ask(request).await.map_err(|error| error.to_string())?;
    let body = response.body.collect(1 << 20).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(body).unwrap())
}

fn token() -> Option<Token> {
    Some("ph_api_secret".parse().unwrap())
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = TestServer::start(|seen| Reply::ok(seen.target.clone())).await;
    let client = server.client();
    for n in 0..20 {
        assert_eq!(text(&client, &get(&server, &n.to_string())).await.unwrap(), format!("/{n}"));
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(client.traffic().requests, 20);
    assert_eq!(client.traffic().received_bytes, 10 * 2 + 10 * 3);
}

#[tokio::test]
async fn no_more_connections_than_allowed() {
    let server = TestServer::start(|_| Reply::ok("x")).await;
    let client = server.client_with(|options| options.limits.connections = 3);
    let all = (0..50).map(|n| {
        let (client, request) = (client.clone(), get(&server, &n.to_string()));
        async move { text(&client, &request).await.unwrap() }
    });
    assert_eq!(futures_util::future::join_all(all).await.len(), 50);
    assert!(server.connections() <= 3, "{}", server.connections());
}

#[tokio::test]
async fn a_kept_connection_closed_by_the_server_is_replaced_without_a_word() {
    let close = |seen: &Seen| {
        let body = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", seen.target.len(), seen.target);
        Reply::Raw(body.into_bytes())
    };
    let server = TestServer::start(close).await;
    let client = server.client_with(|options| options.limits.attempts_max = 1);
    for path in ["a", "b", "c"] {
        assert_eq!(text(&client, &get(&server, path)).await.unwrap(), format!("/{path}"));
    }
}

#[tokio::test]
async fn the_token_goes_to_its_origin_alone() {
    let other = TestServer::start(|_| Reply::ok("there")).await;
    let location = other.url.join("file").exposed();
    let server = TestServer::start(move |_| Reply::Http(302, vec![("location", location.clone())], vec![])).await;
    let client = server.client_with(|options| options.token = token());
    assert_eq!(text(&client, &get(&server, "download")).await.unwrap(), "there");
    assert_eq!(server.take_seen()[0].field("authorization"), Some("Bearer ph_api_secret"));
    let seen = other.take_seen();
    assert_eq!(seen[0].field("authorization"), None);
    assert_eq!(seen[0].field("host"), Some(other.url.origin().authority().as_str()));
}

#[tokio::test]
async fn redirects_end() {
    let server = TestServer::start(|_| Reply::Http(302, vec![("location", "/again".into())], vec![])).await;
    let error = text(&server.client(), &get(&server, "x")).await.unwrap_err();
    assert!(error.contains("redirects without end"), "{error}");
    assert_eq!(server.take_lines().len(), 6);
}

#[tokio::test]
async fn a_redirect_of_a_change_is_told_and_not_followed() {
    let server = TestServer::start(|_| Reply::Http(308, vec![("location", "/t/SECRET/x".into())], vec![])).await;
    let request = Request::new(Method::PUT, server.url.join("y")).json(&json!({}));
    let error = text(&server.client(), &request).await.unwrap_err();
    assert!(error.contains("use that address") && !error.contains("SECRET"), "{error}");
}

#[tokio::test]
async fn a_redirect_away_from_https_is_refused() {
    let server =
        TestServer::start_tls(|_| Reply::Http(302, vec![("location", "http://127.0.0.1:1/".into())], vec![])).await;
    let client = server.client_with(|options| options.ca_file = Some(ca_file()));
    let error = text(&client, &get(&server, "x")).await.unwrap_err();
    assert!(error.contains("not followed"), "{error}");
}

#[tokio::test]
async fn https_is_spoken_with_those_one_trusts() {
    let server = TestServer::start_tls(|_| Reply::ok("secret")).await;
    let trusting = server.client_with(|options| options.ca_file = Some(ca_file()));
    assert_eq!(text(&trusting, &get(&server, "")).await.unwrap(), "secret");
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let error =
        text(&server.client_with(|options| options.ca_file = Some(empty)), &get(&server, "")).await.unwrap_err();
    assert!(error.contains("empty.pem: no certificate in it"), "{error}");
    let error = text(&server.client(), &get(&server, "")).await.unwrap_err();
    assert!(error.contains("--ca-file"), "{error}");
}

#[tokio::test]
async fn broken_answers_are_asked_for_again_but_not_for_ever() {
    let left = AtomicU32::new(3);
    let server = TestServer::start(move |_| match left.fetch_sub(1, Ordering::SeqCst) {
        1 => Reply::ok("at last"),
        _ => Reply::Raw(b"HTTP/1.1 200 OK\r\ncont".to_vec()),
    })
    .await;
    let client = server.client();
    assert_eq!(text(&client, &get(&server, "x")).await.unwrap(), "at last");
    assert_eq!(server.take_lines().len(), 3);
    let server = TestServer::start(|_| Reply::Raw(Vec::new())).await;
    let error = text(&server.client(), &get(&server, "x")).await.unwrap_err();
    assert!(error.contains("the connection broke"), "{error}");
    assert_eq!(server.take_lines().len(), 4);
}

#[tokio::test]
async fn what_is_not_idempotent_is_sent_once() {
    let server = TestServer::start(|_| Reply::Raw(Vec::new())).await;
    let request = Request::new(Method::PATCH, server.url.join("x")).json(&json!({"active": true}));
    assert!(text(&server.client(), &request).await.is_err());
    assert_eq!(server.take_lines().len(), 1);
    assert!(text(&server.client(), &request.repeatable()).await.is_err());
    assert_eq!(server.take_lines().len(), 4);
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let left = AtomicU32::new(2);
    let server = TestServer::start(move |_| match left.fetch_sub(1, Ordering::SeqCst) {
        0 | 1 => Reply::ok("now"),
        _ => Reply::Http(503, vec![("retry-after", "0".into())], vec![]),
    })
    .await;
    assert_eq!(text(&server.client(), &get(&server, "x")).await.unwrap(), "now");
}

#[tokio::test]
async fn nobody_there_is_told_as_such() {
    let url = TestServer::start(|_| Reply::ok("")).await.url.clone();
    // The listener is gone as soon as its task has been aborted.
    tokio::task::yield_now().await;
    let options = ClientOptions { limits: Limits { attempts_max: 1, ..Limits::default() }, ..ClientOptions::default() };
    let error = text(&Client::new(&url, options), &Request::get(url.join("x"))).await.unwrap_err();
    assert!(error.contains("is the server running there?"), "{error}");
}

#[tokio::test]
async fn silence_is_given_up() {
    for bytes in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
        let server = TestServer::start(|_| Reply::Hang(bytes.into())).await;
        let client = server.client_with(|options| {
            options.limits.response_timeout = Duration::from_millis(50);
            options.limits.progress_timeout = Duration::from_millis(50);
            options.limits.attempts_max = 1;
        });
        let error = text(&client, &get(&server, "x")).await.unwrap_err();
        assert!(error.contains("gave up after 0.05 s of waiting for"), "{error}");
    }
}

#[tokio::test]
async fn answers_have_an_end() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"4000\r\n".to_vec(), vec![b'x'; 0x4000], b"\r\n".to_vec()].concat();
    let server = TestServer::start(move |_| Reply::Endless(head.clone(), chunk.clone())).await;
    let error = text(&server.client(), &get(&server, "x")).await.unwrap_err();
    assert!(error.contains("larger than the 1048576 bytes"), "{error}");

    let lie = b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\nx";
    let server = TestServer::start(|_| Reply::Hang(lie.to_vec())).await;
    assert!(text(&server.client(), &get(&server, "x")).await.is_err());

    let server = TestServer::start(|_| Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"a: b\r\n".to_vec())).await;
    assert!(text(&server.client(), &get(&server, "x")).await.is_err());
}

#[tokio::test]
async fn refusals_are_told_in_the_servers_words() {
    let problem = json!({"title": "Not Found", "status": 404, "detail": "no channel nightly; there are beta, stable"});
    let server = TestServer::start(move |_| Reply::json(404, &problem)).await;
    let error = text(&server.client(), &get(&server, "x")).await.unwrap_err();
    assert!(error.ends_with("404 Not Found: no channel nightly; there are beta, stable"), "{error}");
}

#[tokio::test]
async fn a_large_body_waits_until_it_is_welcome() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    std::fs::write(&path, vec![7; 3 << 20]).unwrap();
    let payload = || {
        Payload::File(FilePayload {
            path: path.clone(),
            offset_bytes: 0,
            size_bytes: 3 << 20,
            progress: Arc::new(Silent),
        })
    };
    let problem = json!({"detail": "at most 1 MiB"});
    let server = TestServer::start(move |seen| match seen.target.as_str() {
        "/refuse" => Reply::json(413, &problem),
        _ => Reply::ok(seen.body.len().to_string()),
    })
    .await;
    let client = server.client_with(|options| options.limits.continue_timeout = Duration::from_secs(3600));
    let welcome = Request::new(Method::PUT, server.url.join("welcome")).payload(payload());
    assert_eq!(text(&client, &welcome).await.unwrap(), (3 << 20).to_string());
    let refused = Request::new(Method::PUT, server.url.join("refuse")).payload(payload());
    let error = text(&client, &refused).await.unwrap_err();
    assert!(error.contains("at most 1 MiB"), "{error}");
    // The refused exchange has left its connection in no state to be used again.
    assert_eq!(text(&client, &welcome).await.unwrap(), (3 << 20).to_string());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_body_cut_off_is_an_error_and_not_a_short_answer() {
    let server = TestServer::start(|_| Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec())).await;
    let error = text(&server.client(), &get(&server, "x")).await.unwrap_err();
    assert!(error.contains("the connection broke"), "{error}");
}
