//! Platforms.

use serde_json::json;

use super::each;
use crate::support::{TestServer, file_path};

#[test]
fn everyone_begins_with_seven() {
    let server = TestServer::start();
    let mut names = each(&server.omni().get("/api/v1/platforms").is(200).json(), "name");
    names.sort();
    let expected = ["any", "linux-arm64", "linux-x64", "macos-arm64", "macos-x64", "windows-arm64", "windows-x64"];
    assert_eq!(names, expected);
}

#[test]
fn they_are_made_renamed_and_deleted() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.post("/api/v1/platforms").json(&json!({ "name": "wx64.r" })).is(201);
    assert_eq!(
        omni.post("/api/v1/platforms").json(&json!({ "name": "WX64.R" })).problem(409, "wx64.r")["field"],
        "name"
    );
    for name in ["", "a..b", "a_b", ".a", "a/b", &"x".repeat(65)] {
        assert_eq!(omni.post("/api/v1/platforms").json(&json!({ "name": name })).problem(422, "")["field"], "name");
    }
    let rename = |from: &str, to: &str| omni.patch(&format!("/api/v1/platforms/{from}")).json(&json!({ "name": to }));
    rename("wx64.r", "WX64.R").is(200);
    rename("WX64.R", "any").problem(409, "any");
    rename("nope", "x").problem(404, "there are");
    omni.delete("/api/v1/platforms/WX64.R").is(204);
    omni.delete("/api/v1/platforms/WX64.R").problem(404, "");
}

#[test]
fn what_is_in_use_stays_as_it_is() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "linux-x64/a.zip", "a");
    let rename = |to: &str| omni.patch("/api/v1/platforms/linux-x64").json(&json!({ "name": to }));
    omni.delete("/api/v1/platforms/linux-x64").problem(409, "linux-x64 has files of omni.kit");
    rename("linux").problem(409, "linux-x64 has files of omni.kit");
    omni.delete(&file_path("omni/kit", "stable/1.0.0", "linux-x64/a.zip")).is(204);
    rename("linux").is(200);
    omni.delete("/api/v1/platforms/linux").is(204);
}
