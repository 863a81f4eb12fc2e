//! The administration of accounts.

use serde_json::json;

use super::each;
use crate::support::{PASSWORD, Scope, TestServer};

#[test]
fn an_admin_makes_changes_and_deletes_accounts() {
    let server = TestServer::start();
    let root = server.user("root");
    assert_eq!(
        each(&root.get("/api/v1/users").is(200).json(), "name"),
        ["dina", "mara", "olga", "omni", "rita", "root", "uma"]
    );
    let first = root.get("/api/v1/users?limit=3").is(200).json();
    assert_eq!(each(&first, "name"), ["dina", "mara", "olga"]);
    let next = format!("/api/v1/users?limit=3&cursor={}", first["next"].as_str().unwrap());
    assert_eq!(each(&root.get(&next).is(200).json(), "name"), ["omni", "rita", "root"]);
    let made = root.post("/api/v1/users").json(&json!({ "name": "eve", "password": "0123456789" })).is(201).json();
    assert_eq!((&made["admin"], &made["disabled"]), (&json!(false), &json!(false)));
    assert_eq!(root.get("/api/v1/users/eve").is(200).json(), made);
    let again = root.post("/api/v1/users").json(&json!({ "name": "eve", "password": "0123456789" }));
    assert_eq!(again.problem(409, "eve is taken")["field"], "name");
    let eve = {
        let signed_in =
            server.anonymous().post("/api/v1/session").json(&json!({ "name": "eve", "password": "0123456789" }));
        signed_in.is(200).header("set-cookie").split(';').next().unwrap().to_owned()
    };
    let as_eve = |path| server.anonymous().get(path).header("cookie", &eve);
    assert_eq!(each(&as_eve("/api/v1/channels").is(200).json(), "name"), ["stable", "beta", "alpha"]);
    root.patch("/api/v1/users/eve").json(&json!({ "disabled": true })).is(200);
    as_eve("/api/v1/session").problem(401, "");
    root.patch("/api/v1/users/eve").json(&json!({ "disabled": false })).is(200);
    as_eve("/api/v1/session").problem(401, "");
    root.delete("/api/v1/users/eve").is(204);
    root.get("/api/v1/users/eve").problem(404, "no user eve");
}

#[test]
fn an_owner_of_packages_is_not_deleted() {
    let server = TestServer::start();
    server.omni().make_package("kit", "public");
    server.user("root").delete("/api/v1/users/omni").problem(409, "omni owns 1 packages (omni.kit)");
    server.omni().delete("/api/v1/packages/omni/kit").is(204);
    server.user("root").delete("/api/v1/users/omni").is(204);
    server.token("omni", Scope::Read).get("/api/v1/session").problem(401, "not known");
}

#[test]
fn the_last_admin_stays() {
    let server = TestServer::start();
    let root = server.user("root");
    for patch in [json!({ "admin": false }), json!({ "disabled": true })] {
        root.patch("/api/v1/users/root").json(&patch).problem(409, "last admin");
    }
    root.delete("/api/v1/users/root").problem(409, "last admin");
    root.patch("/api/v1/users/omni").json(&json!({ "admin": true })).is(200);
    root.patch("/api/v1/users/root").json(&json!({ "admin": false })).is(200);
    root.get("/api/v1/users").problem(403, "only admins");
}

#[test]
fn a_password_changes_with_the_old_one() {
    let server = TestServer::start();
    let (omni, elsewhere) = (server.omni(), server.omni());
    let change = |body| omni.patch("/api/v1/users/omni").json(&body);
    assert_eq!(change(json!({ "password": "0123456789" })).problem(422, "present password")["field"], "old_password");
    let wrong = change(json!({ "password": "0123456789", "old_password": "something else" }));
    assert_eq!(wrong.problem(422, "not your present password")["field"], "old_password");
    assert_eq!(
        change(json!({ "password": "short", "old_password": PASSWORD })).problem(422, "10")["field"],
        "password"
    );
    change(json!({ "password": "0123456789", "old_password": PASSWORD })).is(200);
    omni.get("/api/v1/session").is(200);
    elsewhere.get("/api/v1/session").problem(401, "");
    let sign_in =
        |password| server.anonymous().post("/api/v1/session").json(&json!({ "name": "omni", "password": password }));
    sign_in(PASSWORD).is(401);
    sign_in("0123456789").is(200);
    server.user("root").patch("/api/v1/users/omni").json(&json!({ "password": "9876543210" })).is(200);
    sign_in("9876543210").is(200);
}

/// A body that accepts an invitation.
fn choose(invitation: &serde_json::Value, password: &str) -> serde_json::Value {
    json!({ "token": invitation["invitation"], "password": password })
}

#[test]
fn a_user_is_invited_by_a_link_that_works_once() {
    let server = TestServer::start();
    let (root, anonymous) = (server.user("root"), server.anonymous());
    let made = root.post("/api/v1/users").json(&json!({ "name": "eve", "quota_bytes": 5 })).is(201).json();
    assert_eq!((&made["invited"], &made["quota_bytes"]), (&json!(true), &json!(5)));
    assert_eq!(made["invitation"].as_str().unwrap().len(), 64);
    let sign_in =
        |password: &str| anonymous.post("/api/v1/session").json(&json!({ "name": "eve", "password": password }));
    sign_in("").is(401);
    let known = root.get("/api/v1/users/eve").is(200);
    assert!(!known.text().contains("invitation\""), "the secret is shown once");
    // A new link takes the place of the first one.
    let second = root.post("/api/v1/users/eve/invitation").is(201).json();
    let accept = |body| anonymous.post("/api/v1/invitation").json(&body);
    accept(choose(&made, "0123456789")).problem(404, "used or replaced");
    assert_eq!(accept(choose(&second, "short")).problem(422, "10 characters")["field"], "password");
    let begun = accept(choose(&second, "0123456789")).is(200);
    assert_eq!(begun.json()["user"]["name"], "eve");
    let cookie = begun.header("set-cookie").split(';').next().unwrap().to_owned();
    anonymous.get("/api/v1/session").header("cookie", &cookie).is(200);
    accept(choose(&second, "0123456789")).problem(404, "used or replaced");
    sign_in("0123456789").is(200);
    assert_eq!(root.get("/api/v1/users/eve").is(200).json()["invited"], json!(false));
    // A forgotten password: the old one works until the new one is set, and then nobody is signed in with it.
    let third = root.post("/api/v1/users/eve/invitation").is(201).json();
    sign_in("0123456789").is(200);
    accept(choose(&third, "another one")).is(200);
    sign_in("0123456789").is(401);
    anonymous.get("/api/v1/session").header("cookie", &cookie).problem(401, "");
    // Who is shut out does not come back in by a link.
    let fourth = root.post("/api/v1/users/eve/invitation").is(201).json();
    root.patch("/api/v1/users/eve").json(&json!({ "disabled": true })).is(200);
    accept(choose(&fourth, "one more of it")).problem(403, "shut out");
}

#[test]
fn guessed_invitations_have_to_wait() {
    let server = TestServer::start();
    let body = json!({ "token": "0".repeat(64), "password": "0123456789" });
    let statuses: Vec<u16> =
        (0..8).map(|_| server.anonymous().post("/api/v1/invitation").json(&body).send().status).collect();
    assert_eq!((statuses[0], statuses[7]), (404, 429), "{statuses:?}");
}

#[test]
fn an_invited_admin_is_not_yet_one_who_can_stay_behind() {
    let server = TestServer::start();
    let root = server.user("root");
    root.post("/api/v1/users").json(&json!({ "name": "eve", "admin": true })).is(201);
    root.patch("/api/v1/users/root").json(&json!({ "admin": false })).problem(409, "last admin");
}

#[test]
fn who_is_shut_out_is_out_at_once() {
    let server = TestServer::start();
    let (root, omni) = (server.user("root"), server.omni());
    omni.make_package("kit", "private");
    let private = omni.post("/api/v1/packages/omni/kit/tokens/private").is(201).json();
    let ci = server.bearer(private["token"].as_str().unwrap());
    ci.get("/api/v1/packages/omni/kit").is(200);
    let token = server.token("omni", Scope::Read);
    token.get("/api/v1/session").is(200);
    root.patch("/api/v1/users/omni").json(&json!({ "disabled": true })).is(200);
    omni.get("/api/v1/session").problem(401, "");
    token.get("/api/v1/session").problem(401, "not known");
    ci.get("/api/v1/packages/omni/kit").problem(401, "not known");
}

#[test]
fn packages_go_with_their_owner_where_that_is_wanted() {
    let server = TestServer::start();
    let (root, omni) = (server.user("root"), server.omni());
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "bytes");
    root.delete("/api/v1/users/omni?packages=keep").problem(422, "packages is delete");
    root.delete("/api/v1/users/omni?packages=delete").is(204);
    server.anonymous().get("/api/v1/packages/omni/kit").problem(404, "no package");
    root.get("/api/v1/users/omni").problem(404, "no user");
}

#[test]
fn a_quota_holds_for_all_packages_of_their_owner() {
    let server = TestServer::with().flags(&["--user-quota", "1000"]).start();
    let (root, omni) = (server.user("root"), server.omni());
    omni.make_package("kit", "public");
    let me = || omni.get("/api/v1/users/omni").is(200).json();
    let put = |release: &str, bytes: usize| {
        let path = crate::support::file_path("omni/kit", release, "any/a.zip");
        omni.put(&format!("{path}?create=inactive")).body(vec![7; bytes])
    };
    put("stable/1.0.0", 600).is(201);
    assert_eq!((&me()["stored_bytes"], &me()["quota_bytes"]), (&json!(600), &json!(null)));
    let refused = put("stable/2.0.0", 401).problem(507, "hold 600 of 1000 bytes");
    assert_eq!(
        (&refused["type"], &refused["quota_bytes"], &refused["stored_bytes"]),
        (&json!("/problems/quota-exceeded"), &json!(1000), &json!(600))
    );
    // The same content counts for each file that has it, and one that takes another's place for the difference.
    put("stable/2.0.0", 400).is(201);
    put("stable/1.0.0", 601).problem(507, "hold 1000 of 1000");
    put("stable/1.0.0", 300).is(200);
    assert_eq!(me()["stored_bytes"], json!(700));
    omni.delete("/api/v1/packages/omni/kit/releases/stable/2.0.0").is(204);
    assert_eq!(me()["stored_bytes"], json!(300));
    // A form does not say its size before, nor does the registry's way of publishing get round it.
    let form = |bytes: usize| {
        let archive = "x".repeat(bytes);
        let parts = [
            crate::support::Part::field("package_id", "omni.kit-3.0.0"),
            crate::support::Part::field("archive", &archive),
        ];
        omni.post("/registry/publish").form(&parts).send()
    };
    form(701).problem(507, "hold 300 of 1000");
    // Nor does an upload in several sittings, which says its size first.
    let metadata = [("package", "omni.kit"), ("channel", "stable"), ("version", "3.0.0"), ("platform", "any")]
        .into_iter()
        .chain([("filename", "a.zip"), ("create", "inactive")])
        .map(|(name, value)| format!("{name} {}", packhouse::http::base64::encode(value.as_bytes())));
    let metadata = metadata.collect::<Vec<_>>().join(",");
    let begin = |bytes: &str| {
        let request = omni.post("/api/v1/uploads").header("tus-resumable", "1.0.0");
        request.header("upload-length", bytes).header("upload-metadata", &metadata)
    };
    begin("701").problem(507, "hold 300 of 1000");
    let place = begin("500").is(201).header("location").to_owned();
    // What it will bring is kept free for it, until it is finished, given up or over.
    let refused = put("stable/6.0.0", 201).problem(507, "hold 300 of 1000 bytes, unfinished uploads 500 more");
    assert_eq!((&refused["stored_bytes"], &refused["awaited_bytes"]), (&json!(300), &json!(500)));
    begin("201").problem(507, "unfinished uploads 500 more");
    let second = begin("200").is(201).header("location").to_owned();
    omni.delete(&second).header("tus-resumable", "1.0.0").is(204);
    put("stable/6.0.0", 200).is(201);
    let send = omni.patch(&place).header("tus-resumable", "1.0.0").header("upload-offset", "0");
    send.header("content-type", "application/offset+octet-stream").body(vec![3; 500]).is(204);
    assert_eq!(me()["stored_bytes"], json!(1000));
    for release in ["3.0.0", "6.0.0"] {
        omni.delete(&format!("/api/v1/packages/omni/kit/releases/stable/{release}")).is(204);
    }
    begin("700").is(201);
    let listed = omni.get("/api/v1/uploads").is(200).json()["items"][0]["url"].as_str().unwrap().to_owned();
    omni.delete(&listed[server.origin().len()..]).header("tus-resumable", "1.0.0").is(204);
    // An admin grants one user more, or less.
    root.patch("/api/v1/users/omni").json(&json!({ "quota_bytes": 5000 })).is(200);
    form(701).is(201);
    omni.patch("/api/v1/users/omni").json(&json!({ "quota_bytes": 9000 })).problem(403, "only admins");
    root.patch("/api/v1/users/omni").json(&json!({ "quota_bytes": null })).is(200);
    put("stable/4.0.0", 1).problem(507, "hold 1001 of 1000");
    let external = json!({ "url": "https://example.org/a", "size": 99999, "sha256": "0".repeat(64) });
    let elsewhere = crate::support::file_path("omni/kit", "stable/5.0.0", "any/a.zip");
    omni.post(&format!("{elsewhere}/external?create=inactive")).json(&external).is(201);
    assert_eq!(me()["stored_bytes"], json!(1001), "what is kept elsewhere does not count");
    omni.delete("/api/v1/packages/omni/kit").is(204);
    assert_eq!(me()["stored_bytes"], json!(0));
}

#[test]
fn names_that_addresses_begin_with_are_nobodys() {
    let server = TestServer::start();
    let root = server.user("root");
    for name in ["admin", "p", "v2", "setup", "docs"] {
        let user = json!({ "name": name, "password": "0123456789" });
        let refused = root.post("/api/v1/users").json(&user).problem(422, "choose another name");
        assert_eq!(refused["field"], "name");
        root.get(&format!("/api/v1/users/{name}")).problem(404, "no user");
    }
    root.post("/api/v1/users").json(&json!({ "name": "admins", "password": "0123456789" })).is(201);
}
