//! The second dialect of the index.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Client, TestServer};

const SYNC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/kit_sync.py");

/// The view as a client of another house reads it, which checks every hash and fetches every archive.
fn read(server: &TestServer, root: &str) -> Value {
    let output = Command::new("python3").args([SYNC, &format!("{}{root}", server.origin())]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn publish(omni: &Client) {
    for name in ["foo", "foo-1"] {
        omni.make_package(name, "public");
    }
    omni.make_package("safe", "private");
    omni.publish("omni/foo", "stable/1.0.0", "wx64.r/a%20b.zip", "one");
    omni.publish("omni/foo", "stable/1.2.0", "wx64.r/a.zip", "two");
    omni.publish("omni/foo", "beta/2.0.0-rc.1", "any/a.zip", "beta");
    omni.publish("omni/foo-1", "stable/2", "any/a.zip", "other");
    omni.publish("omni/safe", "stable/3.0.0", "any/a.zip", "hidden");
}

#[test]
fn files_have_the_names_and_hashes_of_the_dialect() {
    let mut server = TestServer::start();
    let omni = server.omni();
    publish(&omni);
    let check = |server: &TestServer| {
        let view = read(server, "/kit/v2/");
        assert_eq!(view["files"], json!(["packages/omni.foo-1.json", "packages/omni.foo.json", "summaries.json"]));
        assert_eq!(view["ids"], json!(["omni.foo-1-2", "omni.foo-1.0.0+wx64.r", "omni.foo-1.2.0+wx64.r"]));
        assert_eq!(view["summaries"], json!(["omni.foo-1-2", "omni.foo-1.2.0+wx64.r"]));
        let beta = read(server, "/channels/beta/kit/v2/");
        assert_eq!(beta["summaries"], json!(["omni.foo-1-2", "omni.foo-2.0.0-rc.1"]));
    };
    check(&server);
    // After a start the lines are not there yet.
    server.kill();
    server.restart();
    check(&server);
    let serial = |path: &str| -> Value {
        let registry: Value = serde_json::from_str(&server.anonymous().get(path).is(200).gunzip()).unwrap();
        registry["serial"].clone()
    };
    assert_eq!(serial("/kit/v2/registry.gz"), serial("/v2/registry.gz"));
    let before = server.anonymous().get("/kit/v2/registry.gz").is(200);
    let tag = before.header("etag").to_owned();
    server.anonymous().get("/kit/v2/registry.gz").header("if-none-match", &tag).is(304);
    server.also(&omni).publish("omni/foo", "stable/1.10.0", "any/a.zip", "three");
    let view = read(&server, "/kit/v2/");
    assert_eq!(view["summaries"], json!(["omni.foo-1-2", "omni.foo-1.10.0"]));
    server.anonymous().get("/kit/v2/registry.gz").header("if-none-match", &tag).is(200);
}

#[test]
fn private_packages_are_for_those_who_hold_a_token() {
    let server = TestServer::start();
    let omni = server.omni();
    publish(&omni);
    let token = omni.post("/api/v1/packages/omni/safe/tokens/access").is(201).json()["token"].clone();
    let view = read(&server, &format!("/t/{}/kit/v2/", token.as_str().unwrap()));
    assert_eq!(view["summaries"], json!(["omni.foo-1-2", "omni.foo-1.2.0+wx64.r", "omni.safe-3.0.0"]));
    let anonymous = server.anonymous();
    anonymous.get("/kit/v2/packages/omni.safe.gz").problem(404, "no package omni.safe");
    anonymous.get("/kit/v2/packages/omni.none.gz").problem(404, "no package omni.none");
    anonymous.get("/channels/none/kit/v2/registry.gz").problem(404, "no package is on a channel of that name");
    assert_eq!(read(&server, "/kit/v2/")["files"].as_array().unwrap().len(), 3);
}
