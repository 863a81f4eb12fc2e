//! A test per bug that once was, with its story: by subject in the files beside this one, the rest here.

mod file_roles;
mod protocols;
mod proxy;
mod publishing;
mod registry_clients;
mod sync_under_load;
mod versions;

use serde_json::{Value, json};

use crate::support::{Scope, TestServer, file_path};

/// A wrong setup token counted as a failed sign-in of its address, and of an account without a name. A few requests
/// from anywhere so kept the operator from making the first account, for up to a quarter of an hour; and on a server
/// that was set up long ago, visits to its setup page kept everyone behind the same address from signing in.
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

/// A yanked release on beta did not stand in front of the same version on stable for update checks and `latest`, while
/// it did in the index: `sync` said that 1.1.0 was withdrawn, and the updater installed it.
#[test]
fn update_checks_and_the_index_agree_on_whose_release_it_is() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    for release in ["stable/1.0.0", "stable/1.1.0", "beta/1.1.0"] {
        omni.publish("omni/kit", release, "any/a", release);
    }
    omni.patch("/api/v1/packages/omni/kit/releases/beta/1.1.0").json(&json!({ "yanked": "broken" })).is(200);
    let anonymous = server.anonymous();
    let lines = anonymous.get("/channels/beta/v2/packages/omni.kit.gz").is(200).gunzip();
    assert!(lines.lines().nth(1).unwrap().contains("\"yanked\":true"), "{lines}");
    let summaries: Value =
        serde_json::from_str(&anonymous.get("/channels/beta/v2/summaries.gz").is(200).gunzip()).unwrap();
    assert_eq!(summaries["omni.kit"]["package"]["version"], "1.0.0");
    let update = anonymous.get("/api/v1/updates?id=omni.kit&channel=beta").is(200).json();
    assert_eq!(update["version"], "1.0.0");
    let link = anonymous.get("/download/omni/kit/beta/latest/any").is(302);
    assert!(link.header("location").contains("/releases/stable/1.0.0/"), "{link}");
}

/// The body of a request with `Transfer-Encoding: gzip, chunked` was taken out of its chunks and stored as it then was,
/// compressed, as the file itself.
#[test]
fn a_body_in_a_coding_that_is_not_understood_is_refused() {
    let server = TestServer::start();
    server.omni().make_package("kit", "public");
    let path = format!("{}?create=active", file_path("omni/kit", "stable/1.0.0", "any/a.zip"));
    let secret = server.secret("omni", Scope::Publish);
    for coding in ["gzip, chunked", "chunked, chunked", "chunked\r\ntransfer-encoding: chunked", "x, chunked"] {
        let mut wire = server.connect();
        let head = format!("PUT {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\n");
        let body = "5\r\nhello\r\n0\r\n\r\n";
        wire.write(format!("{head}transfer-encoding: {coding}\r\n\r\n{body}").as_bytes()).unwrap();
        assert_eq!(wire.read_answer().unwrap().0.status, 400, "{coding}");
    }
    server.anonymous().get(&path).is(404);
}

/// Requests without `Host`, with two, or with one that is none, were answered; the addresses in the answers then had no
/// host, so that an updater got a path where it expects an address.
#[test]
fn a_request_says_whom_it_is_for() {
    let server = TestServer::start();
    for (hosts, status) in [
        ("", 400),
        ("host: a\r\nhost: b\r\n", 400),
        ("host: a b\r\n", 400),
        ("host:\r\n", 200),
        ("host: [::1]:80\r\n", 200),
        ("Host: packages.example.org:8080\r\n", 200),
    ] {
        let mut wire = server.connect();
        wire.write(format!("GET /healthz HTTP/1.1\r\n{hosts}\r\n").as_bytes()).unwrap();
        assert_eq!(wire.read_answer().unwrap().0.status, status, "{hosts:?}");
    }
    let mut old = server.connect();
    old.write(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
    assert!(old.read_to_end().unwrap().starts_with(b"HTTP/1.0 200"), "HTTP/1.0 knows no Host");
}

/// An owner could delete a file of a published release and put other bytes under its name, while caches and clients
/// had been told that it never changes.
#[test]
fn a_deleted_file_does_not_come_back_with_other_bytes() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "the bytes");
    let file = file_path("omni/kit", "stable/1.0.0", "any/a.zip");
    let put = |bytes: &'static str| omni.put(&format!("{file}?create=active")).body(bytes);
    omni.delete(&file).is(204);
    put("other bytes").problem(409, "was published with other bytes");
    put("the bytes").is(201);
    omni.delete("/api/v1/packages/omni/kit/releases/stable/1.0.0").is(204);
    put("other bytes").problem(409, "was published with other bytes");
}

/// Old clients of the update check read `success` and `message`, which a token that is not valid left out.
#[test]
fn every_error_of_an_update_check_is_in_both_dialects() {
    let server = TestServer::start();
    for query in ["id=omni.kit&token=ph_acc_wrong", "id=omni.kit", "id=%ff"] {
        let answer = server.anonymous().get(&format!("/api/v1/updates?{query}")).send().json();
        assert_eq!(answer["success"], false, "{answer}");
        assert_eq!(answer["message"], answer["detail"], "{answer}");
    }
}
