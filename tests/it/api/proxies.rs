//! Behind a proxy: whose word about scheme, host and client counts.

use serde_json::json;

use crate::support::{PASSWORD, Request, TestServer};

fn forwarded(request: Request) -> Request {
    let request = request.header("x-forwarded-proto", "https").header("x-forwarded-host", "packages.example.org");
    request.header("x-forwarded-for", "198.51.100.7")
}

fn with_kit(flags: &[&str]) -> TestServer {
    let server = TestServer::with().flags(flags).start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "a");
    server
}

fn update_url(server: &TestServer) -> String {
    let answer = forwarded(server.anonymous().get("/api/v1/updates?id=omni.kit")).is(200).json();
    answer["filename"].as_str().expect("there is an update").to_owned()
}

fn sign_in(server: &TestServer) -> Request {
    let body = json!({ "name": "omni", "password": PASSWORD });
    forwarded(server.anonymous().post("/api/v1/session").json(&body))
}

#[test]
fn strangers_words_do_not_count() {
    let server = with_kit(&[]);
    assert!(update_url(&server).starts_with(&server.origin()), "{}", update_url(&server));
    assert!(!sign_in(&server).is(200).header("set-cookie").contains("Secure"));
    assert!(!server.settled_log().contains("198.51.100.7"));
}

#[test]
fn a_trusted_proxy_s_do() {
    let server = with_kit(&["--trusted-proxy", "127.0.0.0/8"]);
    assert!(update_url(&server).starts_with("https://packages.example.org/api/v1/"));
    assert!(sign_in(&server).is(200).header("set-cookie").contains("; Secure"));
    assert!(server.settled_log().contains("client=198.51.100.7"));
    // The site is the one that the browser sees.
    let own = sign_in(&server).header("origin", "https://packages.example.org").is(200);
    let cookie = own.header("set-cookie").split(';').next().unwrap().to_owned();
    let sign_out = || forwarded(server.anonymous().delete("/api/v1/session")).header("cookie", &cookie);
    sign_out().header("origin", &server.origin()).problem(403, "this site's own pages");
    sign_out().header("origin", "https://packages.example.org").is(204);
}

#[test]
fn a_public_address_stands_before_all() {
    let server = with_kit(&["--public-url", "https://packages.example.net/"]);
    assert!(update_url(&server).starts_with("https://packages.example.net/api/v1/"));
}

#[test]
fn a_hostile_host_gets_into_no_link() {
    let server = with_kit(&[]);
    for host in ["a b", "a/b", "a\"b", "a@b", "<x>", "a:b:c"] {
        for path in ["/api/v1/updates?id=omni.kit", "/"] {
            server.anonymous().get(path).header("host", host).problem(400, "one Host header");
        }
    }
}
