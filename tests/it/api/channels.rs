//! Channels: what includes what, which is the default, and what is in use.

use serde_json::json;

use super::each;
use crate::support::{Client, TestServer};

fn change(client: &Client, name: &str, body: &serde_json::Value) -> crate::support::Request {
    client.patch(&format!("/api/v1/channels/{name}")).json(body)
}

#[test]
fn everyone_begins_with_three() {
    let server = TestServer::start();
    let list = server.omni().get("/api/v1/channels").is(200).json();
    assert_eq!(each(&list, "name"), ["stable", "beta", "alpha"]);
    let items = list["items"].as_array().unwrap();
    let includes: Vec<_> = items.iter().map(|channel| channel["includes"].clone()).collect();
    assert_eq!(includes, [json!([]), json!(["stable"]), json!(["beta"])]);
    let defaults: Vec<_> = items.iter().map(|channel| channel["default"] == true).collect();
    assert_eq!(defaults, [true, false, false]);
}

#[test]
fn they_are_made_changed_and_deleted() {
    let server = TestServer::start();
    let omni = server.omni();
    let body = json!({ "name": "nightly-builds", "includes": ["beta", "beta"] });
    let made = omni.post("/api/v1/channels").json(&body).is(201).json();
    assert_eq!((&made["short"], &made["includes"]), (&json!("nightly-"), &json!(["beta"])));
    omni.post("/api/v1/channels").json(&json!({ "name": "STABLE" })).problem(409, "you have a channel");
    for (body, field) in [
        (json!({ "name": "x y" }), "name"),
        (json!({ "name": "x", "short": "ninechars" }), "short"),
        (json!({ "name": "x", "includes": ["nope"] }), "includes"),
    ] {
        assert_eq!(omni.post("/api/v1/channels").json(&body).problem(422, "")["field"], field);
    }
    let renamed = change(&omni, "nightly-builds", &json!({ "name": "nightly", "short": "n" })).is(200).json();
    assert_eq!((&renamed["name"], &renamed["includes"]), (&json!("nightly"), &json!(["beta"])));
    change(&omni, "nope", &json!({})).problem(404, "there are stable, beta, alpha, nightly");
    omni.delete("/api/v1/channels/nightly").is(204);
    assert_eq!(each(&server.user("uma").get("/api/v1/channels").is(200).json(), "name"), ["stable", "beta", "alpha"]);
}

#[test]
fn nothing_includes_itself() {
    let server = TestServer::start();
    let omni = server.omni();
    for (name, includes) in [("stable", json!(["stable"])), ("stable", json!(["alpha"])), ("beta", json!(["alpha"]))] {
        let body = json!({ "includes": includes });
        assert_eq!(change(&omni, name, &body).problem(422, "circle")["field"], "includes");
    }
    // Two ways to the same channel are no circle.
    change(&omni, "alpha", &json!({ "includes": ["stable", "beta"] })).is(200);
}

#[test]
fn the_default_is_handed_on_and_the_index_follows() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "one");
    omni.publish("omni/kit", "beta/2.0.0", "any/a.zip", "two");
    let version = || {
        let summaries = server.anonymous().get("/v2/summaries.gz").is(200).gunzip();
        let summaries: serde_json::Value = serde_json::from_str(&summaries).unwrap();
        summaries["omni.kit"]["package"]["version"].as_str().unwrap().to_owned()
    };
    assert_eq!(version(), "1.0.0");
    change(&omni, "stable", &json!({ "default": false })).problem(409, "make another one the default");
    omni.delete("/api/v1/channels/stable").problem(409, "your default channel");
    change(&omni, "beta", &json!({ "default": true })).is(200);
    let list = omni.get("/api/v1/channels").is(200).json();
    let defaults = list["items"].as_array().unwrap().iter().filter(|channel| channel["default"] == true);
    assert_eq!(defaults.map(|channel| &channel["name"]).collect::<Vec<_>>(), ["beta"]);
    assert_eq!(version(), "2.0.0");
    change(&omni, "beta", &json!({ "includes": [] })).is(200);
    let lines = server.anonymous().get("/v2/packages/omni.kit.gz").is(200).gunzip();
    assert_eq!(lines.lines().count(), 1, "{lines}");
    change(&omni, "beta", &json!({ "name": "preview" })).is(200);
    server.anonymous().get("/channels/preview/v2/packages/omni.kit.gz").is(200);
    server.anonymous().get("/channels/beta/v2/packages/omni.kit.gz").is(404);
}

#[test]
fn what_is_in_use_stays() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.delete("/api/v1/channels/beta").problem(409, "beta is included by alpha");
    omni.make_package("kit", "public");
    let release = "/api/v1/packages/omni/kit/releases/alpha/1.0.0";
    omni.put(release).is(201);
    omni.delete("/api/v1/channels/alpha").problem(409, "alpha has releases of omni.kit");
    omni.delete(release).is(204);
    omni.delete("/api/v1/channels/alpha").is(204);
    omni.delete("/api/v1/channels/beta").is(204);
}
