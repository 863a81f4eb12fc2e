//! Responses that the client does not take, or that break on our side.

use futures_util::{StreamExt as _, stream};

use super::*;

#[tokio::test]
async fn a_response_that_nobody_takes_is_given_up() {
    let limits = Limits { write_timeout: SHORT, ..Limits::DEFAULT };
    let (sender, mut notes) = tokio::sync::mpsc::unbounded_channel();
    let handler = move |_, _| {
        let (note, dropped) = DropNote::new();
        sender.send(dropped).unwrap();
        std::future::ready(Response::new(endless(note)))
    };
    let server = TestServer::start_with(limits, None, TrustedProxies::default(), handler).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let dropped = timeout(HANG, notes.recv()).await.unwrap().unwrap();
    timeout(HANG, dropped).await.expect("the response is kept").unwrap();
}

#[tokio::test]
async fn a_response_that_is_taken_slowly_goes_on() {
    let limits = Limits { write_timeout: SHORT, idle_timeout: SHORT, header_timeout: SHORT, ..Limits::DEFAULT };
    let content = Bytes::from(vec![7; 30_000_000]);
    let served = content.clone();
    let handler = move |_, _| std::future::ready(Response::new(Body::full(served.clone())));
    let server = TestServer::start_with(limits, None, TrustedProxies::default(), handler).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.head().await;
    let mut taken = vec![0; 3_000_000];
    for _ in 0..10 {
        // Ten times this is far more than any of the timeouts.
        tokio::time::sleep(SHORT / 4).await;
        client.0.read_exact(&mut taken).await.unwrap();
        assert!(taken == content[..taken.len()]);
    }
}

#[tokio::test]
async fn a_short_stream_breaks_the_connection() {
    let handler = |_, _| {
        // The pause lets the server send what it has, so that the client sees something that looks like a beginning.
        let stream = stream::iter([Some("five!"), None]).filter_map(|chunk| async move {
            if chunk.is_none() {
                tokio::time::sleep(SHORT / 4).await;
            }
            chunk.map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))
        });
        std::future::ready(Response::new(Body::stream(Some(10), stream)))
    };
    let server = TestServer::start_with(Limits::DEFAULT, None, TrustedProxies::default(), handler).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (_, headers) = client.head().await;
    assert!(headers.contains(&"content-length: 10".to_owned()));
    assert_eq!(client.rest().await.0, b"five!");
}

#[tokio::test]
async fn a_slow_handler_is_not_the_clients_fault() {
    let limits = Limits { write_timeout: SHORT, idle_timeout: SHORT, header_timeout: SHORT, ..Limits::DEFAULT };
    let handler = |_, _| async {
        tokio::time::sleep(SHORT * 3).await;
        Response::new(Body::from("done"))
    };
    let server = TestServer::start_with(limits, None, TrustedProxies::default(), handler).await;
    assert_eq!(server.connect().await.get("/").await.text(), "done");
}
