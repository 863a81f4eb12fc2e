//! How many connections there may be.

use super::*;

#[tokio::test]
async fn an_address_has_its_limit_and_is_told_so() {
    let limits = Limits { connections_per_address_max: 2, ..Limits::DEFAULT };
    let server = TestServer::start(limits).await;
    let (mut first, mut second, mut third) = (server.connect().await, server.connect().await, server.connect().await);
    assert_eq!(first.get("/").await.status, StatusCode::OK);
    assert_eq!(second.get("/").await.status, StatusCode::OK);
    let refusal = third.get("/").await;
    assert_eq!(refusal.status, StatusCode::TOO_MANY_REQUESTS);
    let problem: serde_json::Value = serde_json::from_slice(&refusal.body).unwrap();
    assert_eq!(problem["status"], 429);
    third.assert_closed().await;
    drop(first);
    // Its place is free as soon as the server has noticed.
    let mut tries = 0;
    while server.connect().await.get("/").await.status != StatusCode::OK {
        tries += 1;
        assert!(tries < 1000, "the place is not given back");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_trusted_proxy_has_no_limit_of_its_own() {
    let limits = Limits { connections_per_address_max: 1, ..Limits::DEFAULT };
    let proxies = TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let server = TestServer::start_with(limits, None, proxies, handle).await;
    let mut clients = [server.connect().await, server.connect().await, server.connect().await];
    for client in &mut clients {
        assert_eq!(client.get("/").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn connections_above_the_limit_wait_for_their_turn() {
    let limits = Limits { connections_max: 1, ..Limits::DEFAULT };
    let server = TestServer::start(limits).await;
    let mut first = server.connect().await;
    assert_eq!(first.get("/").await.status, StatusCode::OK);
    let mut second = server.connect().await;
    second.send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(timeout(SHORT, second.0.fill_buf()).await.is_err(), "answered while there is no place");
    assert_eq!(first.get("/").await.status, StatusCode::OK);
    drop(first);
    assert_eq!(second.answer().await.text(), "GET /second");
}
