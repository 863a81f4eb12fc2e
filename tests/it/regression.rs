//! A test per bug that once was, with its story.

use serde_json::json;

use crate::support::TestServer;

/// A wrong setup token counted as a failed sign-in of its address, and of an account without a name. A few requests from
/// anywhere so kept the operator from making the first account, for up to a quarter of an hour; and on a server that was
/// set up long ago, visits to its setup page kept everyone behind the same address from signing in.
#[test]
fn wrong_setup_tokens_keep_nobody_out() {
    let server = TestServer::with().empty().start();
    let anonymous = server.anonymous();
    let set_up = |token: &str| {
        let body = json!({ "token": token, "name": "omni", "password": "correct horse" });
        anonymous.post("/api/v1/setup").json(&body)
    };
    for _ in 0..20 {
        set_up("wrong").problem(403, "not valid");
    }
    let (_, token) = server.setup_url().expect("nobody is there").split_once("token=").expect("it has a token");
    set_up(token).is(201);
    for _ in 0..20 {
        set_up(token).problem(403, "set up already");
    }
    anonymous.post("/api/v1/session").json(&json!({ "name": "omni", "password": "correct horse" })).is(200);
}

/// The server said where it listens before it listened for signals. A service manager or script that stopped it within
/// a millisecond of that line killed it: the store was not closed, and the exit status said that it had crashed.
#[test]
fn a_server_that_has_just_begun_to_listen_stops_in_good_order() {
    let mut server = TestServer::start();
    for _ in 0..10 {
        assert!(server.stop().success());
        server.restart();
    }
}
