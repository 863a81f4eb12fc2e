//! What admins ask about the server: storage, status, settings; and the preview of Markdown.

use serde_json::{Value, json};

use crate::support::TestServer;

#[test]
fn storage_is_counted() {
    let server = TestServer::start();
    let (root, omni) = (server.user("root"), server.omni());
    omni.make_package("kit", "public");
    for file in ["any/a.bin", "any/b.bin"] {
        omni.publish("omni/kit", "stable/1.0.0", file, vec![7; 100_000]);
    }
    let storage = root.get("/api/v1/admin/storage").is(200).json();
    assert_eq!((&storage["blobs"], &storage["blob_bytes"]), (&json!(1), &json!(100_000)), "the content is stored once");
    let volumes = storage["volumes"].as_array().unwrap();
    assert_eq!((volumes.len(), &volumes[0]["sealed"], &volumes[0]["live_bytes"]), (1, &json!(false), &json!(100_000)));
    let bytes = |value: &Value| value.as_u64().unwrap();
    assert!(bytes(&volumes[0]["size_bytes"]) >= 100_000 && bytes(&storage["entities_bytes"]) > 0);
    let (free, total) = (bytes(&storage["disk_free_bytes"]), bytes(&storage["disk_total_bytes"]));
    assert!(0 < free && free < total);
    let users = storage["users"].as_array().unwrap();
    let of_omni = users.iter().find(|user| user["name"] == "omni").unwrap();
    assert_eq!((users.len(), &of_omni["stored_bytes"]), (7, &json!(200_000)));
}

#[test]
fn the_status_tells_what_there_is() {
    let server = TestServer::start();
    let (root, omni) = (server.user("root"), server.omni());
    omni.make_package("kit", "private");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.bin", "a");
    let idle = server.connect();
    let status = root.get("/api/v1/admin/status").is(200).json();
    for (field, value) in [
        ("ready", json!(true)),
        ("packages", json!(1)),
        ("releases", json!(1)),
        ("users", json!(7)),
        ("tls", json!(false)),
        ("uploads", json!({ "unfinished": 0, "kept_bytes": 0 })),
    ] {
        assert_eq!(status[field], value, "{field}");
    }
    assert!(status["connections"].as_u64().unwrap() >= 1);
    drop(idle);
}

#[test]
fn settings_say_where_they_come_from() {
    let server = TestServer::with().flags(&["--user-quota", "1GiB"]).start();
    let settings = server.user("root").get("/api/v1/admin/settings").is(200).json();
    let item =
        |name: &str| settings["items"].as_array().unwrap().iter().find(|item| item["name"] == name).unwrap().clone();
    assert_eq!(item("user-quota"), json!({ "name": "user-quota", "value": "1GiB", "source": "flag" }));
    assert_eq!((&item("data")["source"], &item("log")["source"]), (&json!("flag"), &json!("default")));
    assert_eq!(item("tls-cert")["value"], Value::Null);
}

#[test]
fn markdown_is_shown_as_it_will_look() {
    let server = TestServer::start();
    let preview = |text: &str| server.omni().post("/api/v1/markdown").json(&json!({ "text": text })).send();
    assert_eq!(preview("*a* <b>").is(200).json()["html"], "<p><em>a</em> &lt;b&gt;</p>\n");
    assert_eq!(preview(&"a".repeat(256 * 1024 + 1)).problem(422, "")["field"], "text");
}
