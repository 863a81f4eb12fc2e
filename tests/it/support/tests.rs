//! The harness itself: servers start, stop, are killed and come back, and users are who they say.

use std::io::Read;

use super::{Scope, TestServer};

#[test]
fn a_server_comes_and_goes() {
    let mut server = TestServer::start();
    let omni = server.omni();
    let me = omni.get("/api/v1/session").is(200).json();
    assert_eq!(me["user"]["name"], "omni");
    server.kill();
    server.restart();
    omni.get("/api/v1/session").is(200);
    assert!(server.stop().success());
    assert!(server.log().contains("stopped"));
    let data = server.data().to_owned();
    assert!(data.is_dir());
    drop(server);
    assert!(!data.exists(), "nothing is left behind");
}

#[test]
fn everybody_is_who_they_say() {
    let server = TestServer::start();
    for (user, admin) in [("root", true), ("omni", false), ("uma", false)] {
        assert_eq!(server.user(user).get("/api/v1/session").is(200).json()["user"]["admin"], admin);
        let answer = server.token(user, Scope::Read).get("/api/v1/session").is(200).json();
        assert_eq!(answer["user"]["name"], user);
    }
    server.anonymous().get("/api/v1/session").problem(401, "sign in");
    server.expired_token().get("/api/v1/session").problem(401, "expired");
    server.token("dina", Scope::Admin).get("/api/v1/session").problem(401, "not known");
}

#[test]
fn bodies_are_read_as_they_come() {
    let server = TestServer::start();
    let (answer, mut body) = server.anonymous().get("/metrics").open();
    let mut text = String::new();
    body.read_to_string(&mut text).unwrap();
    assert_eq!(answer.header("content-length"), text.len().to_string());
    let mut wire = server.connect();
    wire.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let (head, body) = wire.read_answer().unwrap();
    assert_eq!((head.status, &body[..]), (200, &b"{\"alive\":true}"[..]));
}
