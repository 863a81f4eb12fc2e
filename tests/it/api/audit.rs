//! The audit trail: what it tells, to whom, and what it never tells.

use serde_json::{Value, json};

use super::each;
use crate::support::{Client, PASSWORD, Scope, TestServer, file_path};

/// The actions of a list of entries, oldest first.
fn actions(client: &Client, path: &str) -> Vec<String> {
    let mut actions = each(&client.get(path).is(200).json(), "action");
    actions.reverse();
    actions
}

const PACKAGE: &str = "/api/v1/packages/omni/kit";

#[test]
fn everything_that_is_done_to_a_package_is_told_to_its_owners() {
    let server = TestServer::start();
    let omni = server.token("omni", Scope::Admin);
    omni.make_package("kit", "public");
    omni.patch(PACKAGE).json(&json!({ "description": "New.", "visibility": "private" })).is(200);
    omni.patch(PACKAGE).json(&json!({ "description": "New." })).is(200);
    let access = omni.post(&format!("{PACKAGE}/tokens/access")).is(201).json();
    let private = omni.post(&format!("{PACKAGE}/tokens/private")).is(201).json();
    omni.put(&format!("{PACKAGE}/members/mara")).json(&json!({ "role": "reader" })).is(201);
    omni.put(&format!("{PACKAGE}/members/mara")).json(&json!({ "role": "maintainer" })).is(200);
    let release = format!("{PACKAGE}/releases/stable/1.0.0");
    let mara = server.user("mara");
    mara.put(&release).is(201);
    let file = file_path("omni/kit", "stable/1.0.0", "any/a.zip");
    let ci = server.bearer(private["token"].as_str().unwrap());
    ci.put(&file).body("one").is(201);
    mara.put(&file).body("two").is(200);
    mara.put(&format!("{file}/manifest")).json(&json!({ "package": {} })).is(200);
    mara.put(&format!("{file}/requirements")).json(&json!([{ "type": "os", "name": "linux" }])).is(200);
    for patch in [
        json!({ "description": "Notes." }),
        json!({ "publish_at": "2099-01-01T00:00:00Z" }),
        json!({ "active": true }),
        json!({ "yanked": "broken" }),
        json!({ "yanked": null }),
        json!({ "active": false }),
    ] {
        mara.patch(&release).json(&patch).is(200);
    }
    omni.delete(&file).is(204);
    omni.delete(&release).is(204);
    omni.delete(&format!("{PACKAGE}/members/mara")).is(204);
    let path = format!("{PACKAGE}/audit");
    assert_eq!(
        actions(&omni, &path),
        [
            "package_created",
            "package_changed",
            "access_token_replaced",
            "private_token_replaced",
            "member_added",
            "member_changed",
            "release_created",
            "file_added",
            "file_replaced",
            "manifest_set",
            "requirements_set",
            "release_changed",
            "release_scheduled",
            "release_published",
            "release_yanked",
            "release_restored",
            "release_withdrawn",
            "file_deleted",
            "release_deleted",
            "member_removed",
        ]
    );
    let list = omni.get(&path).is(200).json();
    let of = |action: &str| {
        list["items"].as_array().unwrap().iter().find(|entry| entry["action"] == action).unwrap().clone()
    };
    let created = of("package_created");
    for (field, value) in [
        ("actor", json!("omni")),
        ("actor_kind", json!("api_token")),
        ("token_name", json!("admin")),
        ("address", json!("127.0.0.1")),
        ("package", json!("omni.kit")),
        ("detail", json!("public")),
    ] {
        assert_eq!(created[field], value, "{field}");
    }
    let added = of("file_added");
    assert_eq!((&added["actor"], &added["actor_kind"]), (&Value::Null, &json!("private_token")));
    assert_eq!(added["subject"], "stable/1.0.0/any/a.zip");
    let yanked = of("release_yanked");
    assert_eq!((&yanked["actor"], &yanked["detail"]), (&json!("mara"), &json!("broken")));
    assert_eq!(yanked["actor_kind"], "user");
    // Page by page it is the same.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = omni.get(&format!("{path}?limit=7{cursor}")).is(200).json();
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(json!(paged), list["items"]);
    omni.get(&format!("{path}?cursor=x")).problem(422, "what `next` of the page before said");
    // No secret, whoever looks.
    let all = server.user("root").get("/api/v1/admin/audit?limit=500").is(200).text();
    for secret in [&access["token"], &private["token"]] {
        assert!(!all.contains(&secret.as_str().unwrap()[7..]));
    }
    // What is gone stays known to admins, and one of the same name begins anew.
    omni.delete(PACKAGE).is(204);
    let root = server.user("root");
    let told = actions(&root, "/api/v1/admin/audit?package=omni.kit");
    assert_eq!((told.len(), told.last().unwrap().as_str()), (21, "package_deleted"));
    omni.make_package("kit", "public");
    assert_eq!(actions(&omni, &path), ["package_created"]);
}

#[test]
fn what_is_done_to_accounts_is_told_to_admins() {
    let server = TestServer::start();
    let (root, omni) = (server.user("root"), server.omni());
    let made = root.post("/api/v1/users").json(&json!({ "name": "eve" })).is(201).json();
    let secret = made["invitation"].as_str().unwrap();
    let body = json!({ "token": secret, "password": "0123456789" });
    server.anonymous().post("/api/v1/invitation").json(&body).is(200);
    root.patch("/api/v1/users/eve").json(&json!({ "admin": true, "quota_bytes": 7 })).is(200);
    root.patch("/api/v1/users/eve").json(&json!({ "password": "9876543210" })).is(200);
    root.delete("/api/v1/users/eve").is(204);
    assert_eq!(
        actions(&root, "/api/v1/admin/audit?user=eve"),
        ["user_invited", "invitation_accepted", "signed_in", "user_changed", "password_changed", "user_deleted"]
    );
    let token = omni.post("/api/v1/tokens").json(&json!({ "name": "ci", "scopes": ["publish"] })).is(201).json();
    omni.delete(&format!("/api/v1/tokens/{}", token["id"])).is(204);
    omni.post("/api/v1/channels").json(&json!({ "name": "nightly" })).is(201);
    omni.patch("/api/v1/channels/nightly").json(&json!({ "short": "n" })).is(200);
    omni.delete("/api/v1/channels/nightly").is(204);
    omni.post("/api/v1/platforms").json(&json!({ "name": "amiga" })).is(201);
    omni.patch("/api/v1/platforms/amiga").json(&json!({ "name": "atari" })).is(200);
    omni.delete("/api/v1/platforms/atari").is(204);
    let told = actions(&root, "/api/v1/admin/audit?user=omni");
    let expected = [
        "signed_in",
        "token_created",
        "token_deleted",
        "channel_created",
        "channel_changed",
        "channel_deleted",
        "platform_created",
        "platform_renamed",
        "platform_deleted",
    ];
    assert_eq!(told[told.len() - expected.len()..], expected);
    let all = root.get("/api/v1/admin/audit?limit=500").is(200).text();
    for secret in [secret, token["secret"].as_str().unwrap(), PASSWORD, "0123456789", "9876543210"] {
        assert!(!all.contains(secret));
    }
}

#[test]
fn a_blocked_sign_in_is_told_without_what_was_typed() {
    let server = TestServer::start();
    let root = server.user("root");
    for (name, password) in [("omni", "not the password"), ("my secret password", "omni")] {
        for _ in 0..7 {
            server.anonymous().post("/api/v1/session").json(&json!({ "name": name, "password": password })).send();
        }
    }
    // Nobody waits for this entry to be written.
    let blocked = loop {
        let list = root.get("/api/v1/admin/audit").is(200);
        assert!(!list.text().contains("my secret"));
        let entries = list.json()["items"].as_array().unwrap().clone();
        let found = entries.into_iter().find(|entry| entry["action"] == "sign_in_blocked");
        if let Some(found) = found {
            break found;
        }
    };
    assert_eq!((&blocked["subject"], &blocked["actor"]), (&json!("omni"), &Value::Null));
}

#[test]
fn old_entries_are_forgotten() {
    let server = TestServer::with().flags(&["--max-audit-entries", "5"]).start();
    let (root, omni) = (server.user("root"), server.omni());
    omni.make_package("kit", "public");
    for n in 0..8 {
        omni.patch(PACKAGE).json(&json!({ "description": n.to_string() })).is(200);
    }
    assert_eq!(actions(&root, "/api/v1/admin/audit"), ["package_changed"; 5]);
    assert_eq!(actions(&omni, &format!("{PACKAGE}/audit")).len(), 5);
}
