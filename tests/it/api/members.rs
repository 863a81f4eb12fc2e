//! Sharing a package.

use serde_json::json;

use super::each;
use crate::support::TestServer;

#[test]
fn members_come_change_and_go() {
    let server = TestServer::start();
    let (omni, rita) = (server.omni(), server.user("rita"));
    omni.make_package("safe", "private");
    let package = "/api/v1/packages/omni/safe";
    let member = |name: &str, role: &str| omni.put(&format!("{package}/members/{name}")).json(&json!({ "role": role }));
    rita.get(package).problem(404, "");
    member("rita", "reader").is(201);
    assert_eq!(rita.get(package).is(200).json()["role"], "reader");
    assert_eq!(member("rita", "maintainer").is(200).json()["role"], "maintainer");
    let list = rita.get(&format!("{package}/members")).is(200).json();
    assert_eq!(
        (each(&list, "user"), each(&list, "role")),
        (vec!["omni".into(), "rita".into()], vec!["owner".into(), "maintainer".into()])
    );
    member("omni", "reader").problem(409, "that role is fixed");
    member("nobody", "reader").problem(404, "no user nobody");
    assert_eq!(member("uma", "king").problem(422, "owner, maintainer or reader")["field"], "role");
    omni.delete(&format!("{package}/members/uma")).problem(404, "no member");
    omni.delete(&format!("{package}/members/rita")).is(204);
    rita.get(package).problem(404, "");
}

#[test]
fn a_deleted_user_is_no_member_any_more() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.put("/api/v1/packages/omni/kit/members/rita").json(&json!({ "role": "owner" })).is(201);
    server.user("root").delete("/api/v1/users/rita").is(204);
    let list = omni.get("/api/v1/packages/omni/kit/members").is(200).json();
    assert_eq!(each(&list, "user"), ["omni"]);
}
