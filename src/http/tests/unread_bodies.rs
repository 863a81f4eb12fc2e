//! Answers that come before the request was read: they must reach the client, and cost us only so much.

use std::time::Instant;

use super::*;

const HEAD: &str = "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n";

#[tokio::test]
async fn the_answer_reaches_a_client_that_sends_first_and_reads_later() {
    let server = TestServer::start(Limits::DEFAULT).await;
    let mut client = server.connect().await;
    client.send("POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 16000000\r\n\r\n").await;
    for _ in 0..16 {
        client.send(vec![b'x'; 1_000_000]).await;
    }
    let answer = client.answer().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.has_header("connection: close"));
    assert!(answer.text().contains("sign in first"));
    client.assert_closed().await;
}

#[tokio::test]
async fn a_body_that_was_read_to_its_end_keeps_the_connection() {
    let server = TestServer::start(Limits::DEFAULT).await;
    let mut client = server.connect().await;
    for body in ["Content-Length: 2\r\n\r\nhi", "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"] {
        client.send(format!("POST /body HTTP/1.1\r\nHost: a\r\n{body}")).await;
        let answer = client.answer().await;
        assert_eq!(answer.text(), "hi");
        assert!(!answer.has_header("connection: close"));
    }
}

#[tokio::test]
async fn only_so_many_bytes_are_thrown_away() {
    let limits = Limits { linger_bytes_max: 1_000_000, ..Limits::DEFAULT };
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    client.send(HEAD).await;
    let mut sent = 0;
    while client.try_send(vec![b'x'; 1_000_000]).await.is_ok() {
        sent += 1;
        assert!(sent < 100, "there is no end to it");
    }
}

#[tokio::test]
async fn only_so_long_is_waited_for_the_rest() {
    let limits = Limits { linger_idle_timeout: SHORT, ..Limits::DEFAULT };
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    client.send(HEAD).await;
    assert_eq!(client.answer().await.status, StatusCode::UNAUTHORIZED);
    // The server has sent its end, and closes altogether after a while: then sending fails.
    client.assert_closed().await;
    assert_sending_ends(&mut client, SHORT * 4).await;

    let limits = Limits { linger_timeout: SHORT, ..Limits::DEFAULT };
    let server = TestServer::start(limits).await;
    let mut client = server.connect().await;
    client.send(HEAD).await;
    assert_eq!(client.answer().await.status, StatusCode::UNAUTHORIZED);
    assert_sending_ends(&mut client, SHORT / 10).await;
}

/// Sends a byte now and then until the connection is gone.
async fn assert_sending_ends(client: &mut Client, interval: Duration) {
    let begin = Instant::now();
    while client.try_send("x").await.is_ok() {
        assert!(begin.elapsed() < HANG, "the connection is kept open");
        tokio::time::sleep(interval).await;
    }
}
