//! API tokens, and what a token opens.

use serde_json::json;

use super::each;
use crate::support::{Scope, TestServer};

#[test]
fn a_secret_is_shown_once_and_works_until_it_is_deleted() {
    let server = TestServer::start();
    let omni = server.omni();
    let body = json!({ "name": "ci", "scopes": ["publish", "read"], "expires": "2999-01-01T00:00:00Z" });
    let made = omni.post("/api/v1/tokens").json(&body).is(201).json();
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("ph_api_") && secret.len() == "ph_api_".len() + 64);
    assert_eq!((&made["scopes"], &made["expires"]), (&json!(["read", "publish"]), &json!("2999-01-01T00:00:00Z")));
    let list = omni.get("/api/v1/tokens").is(200);
    assert!(!list.text().contains(secret), "{list}");
    assert!(list.json()["items"].as_array().unwrap().iter().any(|token| token["id"] == made["id"]));
    let ci = server.bearer(secret);
    ci.post("/api/v1/packages").json(&json!({ "name": "kit" })).is(201);
    ci.get("/api/v1/tokens").problem(403, "has the scope publish; this needs admin");
    let own = format!("/api/v1/tokens/{}", made["id"]);
    let used = omni.get("/api/v1/tokens").is(200).json();
    let used = used["items"].as_array().unwrap().iter().find(|token| token["id"] == made["id"]).unwrap().clone();
    assert!(used["last_used"].is_string(), "{used}");
    server.user("uma").delete(&own).problem(404, "you have no API token");
    omni.delete(&own).is(204);
    ci.get("/api/v1/session").problem(401, "not known");
    omni.delete(&own).problem(404, "you have no API token");
    assert!(!server.settled_log().contains(secret), "it is not logged");
}

#[test]
fn wrong_tokens_are_not_made() {
    let server = TestServer::start();
    let make = |body| server.omni().post("/api/v1/tokens").json(&body);
    for (body, field) in [
        (json!({ "name": "", "scopes": ["read"] }), "name"),
        (json!({ "name": "a", "scopes": [] }), "scopes"),
        (json!({ "name": "a", "scopes": ["all"] }), "scopes"),
        (json!({ "name": "a", "scopes": ["read"], "expires": "2000-01-01T00:00:00Z" }), "expires"),
        (json!({ "name": "a", "scopes": ["read"], "expires": "tomorrow" }), "expires"),
    ] {
        assert_eq!(make(body.clone()).problem(422, "")["field"], field, "{body}");
    }
}

#[test]
fn auth_tells_what_a_token_opens() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.make_package("safe", "private");
    omni.put("/api/v1/packages/omni/safe/members/rita").json(&json!({ "role": "maintainer" })).is(201);
    let opened = |token: &str| server.bearer(token).get("/api/v1/auth").is(200).json()["items"].clone();
    let access = omni.get("/api/v1/packages/omni/safe").is(200).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(opened(&access), json!([{ "full_name": "omni.safe", "visibility": "private", "role": "reader" }]));
    let made = omni.post("/api/v1/packages/omni/safe/tokens/private").is(201).json();
    let private = made["token"].as_str().unwrap();
    assert_eq!(opened(private), json!([{ "full_name": "omni.safe", "visibility": "private", "role": "maintainer" }]));
    let rita = server.token("rita", Scope::Read).get("/api/v1/auth").is(200).json();
    assert_eq!(rita["items"], json!([{ "full_name": "omni.safe", "visibility": "private", "role": "reader" }]));
    let own = server.token("omni", Scope::Admin).get("/api/v1/auth").is(200).json();
    assert_eq!(each(&own, "full_name"), ["omni.kit", "omni.safe"]);
    assert_eq!(server.token("uma", Scope::Admin).get("/api/v1/auth").is(200).json()["items"], json!([]));
}
