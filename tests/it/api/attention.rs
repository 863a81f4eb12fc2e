//! What waits for somebody who publishes.

use serde_json::{Value, json};

use crate::support::{Client, TestServer, file_path};

fn versions(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["version"].as_str().unwrap()).collect()
}

#[test]
fn drafts_scheduled_releases_and_uploads_wait() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "private");
    let release = |version: &str| format!("/api/v1/packages/omni/kit/releases/beta/{version}");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "out");
    omni.put(&release("1.1.0")).is(201);
    omni.put(&format!("{}?create=inactive", file_path("omni/kit", "beta/1.2.0", "any/a.zip"))).body("a").is(201);
    let at = json!({ "publish_at": "2096-01-01T00:00:00Z" });
    omni.put(&release("1.3.0")).json(&at).is(201);
    // Somebody took this one back, and knows it.
    omni.publish("omni/kit", "beta/1.4.0", "any/a.zip", "out");
    omni.patch(&release("1.4.0")).json(&json!({ "active": false })).is(200);
    let begin = omni.post("/api/v1/uploads").header("tus-resumable", "1.0.0").header("upload-length", "3");
    let said = "package b21uaS5raXQ=,channel YmV0YQ==,version Mg==,platform YW55,filename YQ==,create aW5hY3RpdmU=";
    begin.header("upload-metadata", said).is(201);

    let look = |client: &Client| client.get("/api/v1/attention").is(200).json();
    let waiting = look(&omni);
    assert_eq!(versions(&waiting["drafts"]), ["1.2.0", "1.1.0"]);
    let draft = &waiting["drafts"][0];
    assert_eq!(
        (&draft["package"], &draft["channel"], &draft["files"]),
        (&json!("omni.kit"), &json!("beta"), &json!(1))
    );
    assert_eq!(versions(&waiting["scheduled"]), ["1.3.0"]);
    assert_eq!(waiting["scheduled"][0]["publish_at"], "2096-01-01T00:00:00Z");
    assert_eq!(versions(&waiting["uploads"]), ["2"]);

    let nothing = json!({ "drafts": [], "scheduled": [], "uploads": [] });
    let mara = server.user("mara");
    assert_eq!(look(&mara), nothing);
    for (role, seen) in [("reader", 0), ("maintainer", 2)] {
        omni.put("/api/v1/packages/omni/kit/members/mara").json(&json!({ "role": role })).send();
        let waiting = look(&mara);
        assert_eq!(versions(&waiting["drafts"]).len(), seen, "{role}");
        assert_eq!(waiting["uploads"], json!([]), "those of others are theirs");
    }
}
