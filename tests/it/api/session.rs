//! Signing in and out.

use serde_json::json;

use crate::support::{PASSWORD, TestServer};

#[test]
fn a_session_begins_and_ends() {
    let mut server = TestServer::start();
    let omni = server.omni();
    assert_eq!(omni.get("/api/v1/session").is(200).json(), json!({ "user": { "name": "omni", "admin": false } }));
    server.stop();
    server.restart();
    omni.get("/api/v1/session").is(200);
    let out = omni.delete("/api/v1/session").is(204);
    assert!(out.header("set-cookie").starts_with("packhouse_session=;"), "the browser forgets it");
    omni.get("/api/v1/session").problem(401, "sign in");
}

#[test]
fn nobody_learns_what_was_wrong() {
    let server = TestServer::start();
    let sign_in = |name: &str, password: &str| {
        server.anonymous().post("/api/v1/session").json(&json!({ "name": name, "password": password }))
    };
    let known = sign_in("omni", "not the password").problem(401, "do not belong together");
    for (name, password) in [("nobody", PASSWORD), ("dina", PASSWORD), ("Not A Name", PASSWORD)] {
        assert_eq!(sign_in(name, password).problem(401, ""), known, "{name}");
    }
}

#[test]
fn failures_make_wait_and_success_does_not() {
    let server = TestServer::start();
    let sign_in = |password: &str| {
        server.anonymous().post("/api/v1/session").json(&json!({ "name": "omni", "password": password }))
    };
    for _ in 0..4 {
        for _ in 0..4 {
            sign_in("not the password").is(401);
        }
        sign_in(PASSWORD).is(200);
    }
    let waits = (0..10).map(|_| sign_in("not the password").send()).find(|answer| answer.status == 429);
    let waits = waits.expect("after some failures");
    assert!(waits.header("retry-after").parse::<u64>().unwrap() >= 1);
    waits.problem(429, "too many failed tries");
    sign_in(PASSWORD).problem(429, "try again in");
}
