//! Ending in good order.

use std::sync::Arc;

use tokio::sync::Notify;

use super::*;

/// A server whose `/wait` answers when told, and says when it was asked.
async fn start_waiting(limits: Limits) -> (TestServer, Arc<Notify>, Arc<Notify>) {
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let signals = (Arc::clone(&asked), Arc::clone(&go_on));
    let handler = move |request: Request<RequestBody>, peer| {
        let (asked, go_on) = signals.clone();
        async move {
            if request.uri().path() == "/wait" {
                asked.notify_one();
                go_on.notified().await;
            }
            handle(request, peer).await
        }
    };
    (TestServer::start_with(limits, None, TrustedProxies::default(), handler).await, asked, go_on)
}

#[tokio::test]
async fn running_requests_finish_and_idle_connections_close() {
    let (mut server, asked, go_on) = start_waiting(Limits::DEFAULT).await;
    let address = server.address;
    let (mut fresh, mut idle, mut busy) = (server.connect().await, server.connect().await, server.connect().await);
    assert_eq!(idle.get("/").await.status, StatusCode::OK);
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    asked.notified().await;

    server.ask_to_stop();
    idle.assert_closed().await;
    fresh.assert_closed().await;
    assert!(TcpStream::connect(address).await.is_err(), "new connections are not taken");
    go_on.notify_one();
    let answer = busy.answer().await;
    assert_eq!(answer.text(), "GET /wait");
    assert!(answer.has_header("connection: close"));
    busy.assert_closed().await;
    assert_eq!(server.stopped().await, Stopped { cut_connections: 0 });
}

#[tokio::test]
async fn a_request_that_does_not_finish_is_cut_in_the_end() {
    let limits = Limits { shutdown_timeout: SHORT, ..Limits::DEFAULT };
    let (mut server, asked, _never) = start_waiting(limits).await;
    let mut busy = server.connect().await;
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    asked.notified().await;
    server.ask_to_stop();
    assert_eq!(server.stopped().await, Stopped { cut_connections: 1 });
    assert_eq!(busy.rest().await.0, b"");
}

#[tokio::test]
async fn a_server_without_connections_stops_at_once() {
    let mut server = TestServer::start(Limits::DEFAULT).await;
    server.ask_to_stop();
    assert_eq!(server.stopped().await, Stopped { cut_connections: 0 });
}
