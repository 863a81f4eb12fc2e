//! Changes that are meant for one state alone: `ETag` and `If-Match`.

use serde_json::json;

use crate::support::TestServer;

#[test]
fn the_later_of_two_editors_is_told() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.put("/api/v1/packages/omni/kit/members/mara").json(&json!({ "role": "owner" })).is(201);
    let mara = server.user("mara");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "bytes");
    for path in ["/api/v1/packages/omni/kit", "/api/v1/packages/omni/kit/releases/stable/1.0.0"] {
        let seen = omni.get(path).is(200).header("etag").to_owned();
        assert!(seen.starts_with('"'), "it is strong: {seen}");
        assert_eq!(mara.get(path).is(200).header("etag"), seen, "it is the same for all");
        let change = |client: &crate::support::Client, text: &str, tag: &str| {
            client.patch(path).header("if-match", tag).json(&json!({ "description": text }))
        };
        let first = change(&mara, "first", &seen).is(200);
        assert_ne!(first.header("etag"), seen);
        let problem = change(&omni, "second", &seen).problem(412, "was changed meanwhile by mara at 20");
        assert_eq!(problem["type"], "/problems/precondition-failed");
        assert_eq!(omni.get(path).is(200).json()["description"], "first");
        let list = format!("{seen}, {}", first.header("etag"));
        change(&omni, "second", &list).is(200);
        change(&omni, "third", "*").is(200);
        change(&omni, "x", "nonsense").problem(400, "in quotes");
        change(&omni, "x", &format!("W/{}", omni.get(path).is(200).header("etag"))).problem(412, "");
        omni.delete(path).header("if-match", &seen).problem(412, "was changed meanwhile by omni");
    }
}

#[test]
fn what_comes_meanwhile_does_not_disturb_who_edits_the_package() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let path = "/api/v1/packages/omni/kit";
    let seen = omni.get(path).is(200).header("etag").to_owned();
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "bytes");
    omni.patch(path).header("if-match", &seen).json(&json!({ "description": "mine" })).is(200);
    // A file that comes to a release is a change of the release.
    let release = "/api/v1/packages/omni/kit/releases/stable/1.0.0";
    let seen = omni.get(release).is(200).header("etag").to_owned();
    omni.publish("omni/kit", "stable/1.0.0", "any/b.zip", "more");
    omni.delete(release)
        .header("if-match", &seen)
        .problem(412, "stable/1.0.0 of omni.kit was changed meanwhile by omni");
}

#[test]
fn a_release_is_made_only_once_where_that_is_wanted() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let put = || omni.put("/api/v1/packages/omni/kit/releases/stable/1.0.0");
    put().header("if-match", "*").problem(412, "is not there");
    put().header("if-none-match", "*").is(201);
    put().header("if-none-match", "*").problem(412, "is there already");
    put().header("if-none-match", "a").problem(400, "If-None-Match is *");
}
