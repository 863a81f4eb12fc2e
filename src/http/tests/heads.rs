//! Request heads that are slow, large or never come.

use std::time::Instant;

use super::*;

#[tokio::test]
async fn a_head_that_dribbles_in_is_cut_off() {
    let limits = Limits { header_timeout: SHORT, ..Limits::DEFAULT };
    let server = TestServer::start(limits).await;
    for (first, more) in [("GET /", "a"), ("GET / HTTP/1.1\r\n", "X-A: b\r\n")] {
        let mut client = server.connect().await;
        let begin = Instant::now();
        client.send(first).await;
        // Some bytes now and then must not help.
        while client.try_send(more).await.is_ok() {
            assert!(begin.elapsed() < HANG, "the connection is kept open");
            tokio::time::sleep(SHORT / 4).await;
        }
        assert!(begin.elapsed() >= SHORT, "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let limits = Limits { header_timeout: SHORT, ..Limits::DEFAULT };
    let server = TestServer::start(limits).await;
    server.connect().await.assert_closed().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_idle_timeout() {
    let limits = Limits { idle_timeout: SHORT, ..Limits::DEFAULT };
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    assert_eq!(client.get("/").await.status, StatusCode::OK);
    let begin = Instant::now();
    client.assert_closed().await;
    assert!(begin.elapsed() < limits.header_timeout);
}

#[tokio::test]
async fn between_requests_the_header_timeout_does_not_run() {
    let limits = Limits { header_timeout: SHORT, ..Limits::DEFAULT };
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    for _ in 0..2 {
        assert_eq!(client.get("/").await.status, StatusCode::OK);
        tokio::time::sleep(SHORT * 3 / 2).await;
    }
    assert_eq!(client.get("/").await.status, StatusCode::OK);
    client.send("GET / HTT").await;
    client.rest().await;
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused_with_an_answer() {
    let server = TestServer::start(Limits::DEFAULT).await;
    let many: String = (0..10_000).map(|n| format!("X-{n}: a\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "a".repeat(100_000));
    let just_too_many: String = (0..150).map(|n| format!("X-{n}: a\r\n")).collect();
    for headers in [many, long, just_too_many] {
        let mut client = server.connect().await;
        client.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}\r\n")).await;
        assert_eq!(client.answer().await.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        client.assert_closed().await;
    }
}

#[tokio::test]
async fn what_is_not_http_gets_a_400() {
    let server = TestServer::start(Limits::DEFAULT).await;
    for text in ["\x16\x03\x01\x02\x00", "hello\r\n\r\n", "GET / HTTP/1.1\r\nBad Header: a\r\n\r\n"] {
        let mut client = server.connect().await;
        client.send(text).await;
        assert_eq!(client.answer().await.status, StatusCode::BAD_REQUEST, "{text:?}");
        client.assert_closed().await;
    }
}
