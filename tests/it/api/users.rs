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
    server.user("root").delete("/api/v1/users/omni").problem(409, "omni owns 1 packages");
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
