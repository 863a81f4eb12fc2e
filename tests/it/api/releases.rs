//! The life of a release.

use serde_json::{Value, json};

use super::each;
use crate::support::{Client, Request, Scope, TestServer, file_path};

const RELEASE: &str = "/api/v1/packages/omni/kit/releases/stable/1.0.0";

fn change(client: &Client, body: &Value) -> Request {
    client.patch(RELEASE).json(body)
}

/// A server with `omni/kit` and the draft 1.0.0 that has a file.
fn with_draft() -> (TestServer, Client) {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.put(RELEASE).is(201);
    omni.put(&file_path("omni/kit", "stable/1.0.0", "any/a.zip")).body("one").is(201);
    (server, omni)
}

#[test]
fn a_draft_becomes_active_and_its_files_stay() {
    let (server, omni) = with_draft();
    let anonymous = server.anonymous();
    let file = file_path("omni/kit", "stable/1.0.0", "any/a.zip");
    let draft = omni.get(RELEASE).is(200).json();
    assert_eq!((&draft["active"], &draft["published"], &draft["yanked"]), (&json!(false), &Value::Null, &Value::Null));
    anonymous.get(RELEASE).problem(404, "there is no release of omni.kit on stable with the version 1.0.0");
    anonymous.get(&file).is(404);
    anonymous.get("/v2/packages/omni.kit.gz").is(404);
    omni.put(&file).body("two").is(200);
    let active = change(&omni, &json!({ "active": true, "description": "*New*" })).is(200).json();
    assert!(active["active"] == true && active["published"].is_string());
    assert_eq!(active["description_html"].as_str().unwrap().trim(), "<p><em>New</em></p>");
    assert_eq!(anonymous.get(&file).is(200).text(), "two");
    omni.put(&file).body("three").problem(409, "publish a new version");
    omni.put(&file).body("two").is(200);
    assert_eq!(omni.put(RELEASE).json(&json!({ "active": true })).is(200).json()["published"], active["published"]);
}

#[test]
fn yanked_is_not_offered_but_stays_downloadable() {
    let (server, omni) = with_draft();
    let anonymous = server.anonymous();
    change(&omni, &json!({ "yanked": "x" })).problem(422, "only an active release can be yanked");
    change(&omni, &json!({ "active": true })).is(200);
    for (reason, right) in [(json!(""), false), (json!("x".repeat(1025)), false), (json!("It crashes."), true)] {
        change(&omni, &json!({ "yanked": reason })).is(if right { 200 } else { 422 });
    }
    assert_eq!(anonymous.get(RELEASE).is(200).json()["yanked"], "It crashes.");
    let line = || anonymous.get("/v2/packages/omni.kit.gz").is(200).gunzip();
    let summaries = || anonymous.get("/v2/summaries.gz").is(200).gunzip();
    let is_newer = || anonymous.get("/api/v1/updates?id=omni.kit").is(200).json()["isNewer"] == true;
    assert!(line().contains("\"yanked\":true") && !summaries().contains("omni.kit") && !is_newer());
    assert_eq!(anonymous.get("/v2/archives/omni.kit/omni.kit-1.0.0/a.zip").is(200).text(), "one");
    anonymous.get("/download/omni/kit/stable/latest/any").problem(404, "");
    anonymous.get("/download/omni/kit/stable/1.0.0/any").is(302);
    change(&omni, &json!({ "yanked": null })).is(200);
    assert!(!line().contains("yanked") && summaries().contains("omni.kit") && is_newer());
}

#[test]
fn inactive_again_is_gone_for_all_but_those_who_publish() {
    let (server, omni) = with_draft();
    let anonymous = server.anonymous();
    let published = change(&omni, &json!({ "active": true })).is(200).json()["published"].clone();
    let archive = "/v2/archives/omni.kit/omni.kit-1.0.0/a.zip";
    anonymous.get(archive).is(200);
    change(&omni, &json!({ "active": false })).is(200);
    let file = file_path("omni/kit", "stable/1.0.0", "any/a.zip");
    for path in [RELEASE, &file, archive, "/v2/packages/omni.kit.gz", "/download/omni/kit/stable/1.0.0/any"] {
        anonymous.get(path).is(404);
    }
    assert_eq!(omni.get(&file).is(200).text(), "one");
    omni.put(&file).body("two").problem(409, "published files never change");
    assert_eq!(change(&omni, &json!({ "active": true })).is(200).json()["published"], published);
    anonymous.get(archive).is(200);
}

#[test]
fn a_scheduled_release_goes_live_by_itself() {
    let (server, omni) = with_draft();
    let anonymous = server.anonymous();
    let far = change(&omni, &json!({ "publish_at": "2999-01-01T00:00:00Z" })).is(200).json();
    assert_eq!((&far["active"], &far["publish_at"]), (&json!(false), &json!("2999-01-01T00:00:00Z")));
    assert_eq!(change(&omni, &json!({ "publish_at": null })).is(200).json()["publish_at"], Value::Null);
    let soon = packhouse::model::Timestamp::from_micros(now_micros() + 400_000);
    change(&omni, &json!({ "publish_at": soon.to_string() })).is(200);
    anonymous.get(RELEASE).is(404);
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let live = loop {
        let answer = anonymous.get(RELEASE).send();
        if answer.status == 200 {
            break answer.json();
        }
        assert!(std::time::Instant::now() < patience, "it never went live");
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert!(now_micros() >= soon.as_micros(), "not before its time");
    assert_eq!((&live["active"], &live["publish_at"]), (&json!(true), &Value::Null));
    anonymous.get("/v2/packages/omni.kit.gz").is(200);
    change(&omni, &json!({ "publish_at": "2999-01-01T00:00:00Z" })).problem(422, "active already");
}

#[test]
fn what_was_due_while_the_server_stood_still_goes_live_when_it_starts() {
    let (mut server, omni) = with_draft();
    let soon = packhouse::model::Timestamp::from_micros(now_micros() + 300_000);
    change(&omni, &json!({ "publish_at": soon.to_string() })).is(200);
    server.kill();
    while now_micros() < soon.as_micros() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    server.restart();
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while server.anonymous().get(RELEASE).send().status != 200 {
        assert!(std::time::Instant::now() < patience, "it never went live");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_time_that_has_passed_means_now() {
    let (_server, omni) = with_draft();
    let live = change(&omni, &json!({ "publish_at": "2001-01-01T00:00:00+02:00" })).is(200).json();
    assert_eq!((&live["active"], &live["publish_at"]), (&json!(true), &Value::Null));
}

#[test]
fn releases_are_listed_highest_version_first() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let releases = ["stable/1.2.0", "beta/1.10.0", "stable/1.10.0", "alpha/1.10.0-rc.1", "beta/0.9"];
    for release in releases {
        let body = json!({ "active": release != "beta/0.9" });
        omni.put(&format!("/api/v1/packages/omni/kit/releases/{release}")).json(&body).is(201);
    }
    let path = "/api/v1/packages/omni/kit/releases";
    let all = |client: &Client, query: &str| {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = client.get(&format!("{path}?limit=1{query}{cursor}")).is(200).json();
            let (channels, versions) = (each(&page, "channel"), each(&page, "version"));
            names.extend(channels.iter().zip(versions).map(|(channel, version)| format!("{channel}/{version}")));
            let Some(next) = page["next"].as_str() else { return names };
            cursor = format!("&cursor={}", next.replace('+', "%2B"));
        }
    };
    let sorted = ["stable/1.10.0", "beta/1.10.0", "alpha/1.10.0-rc.1", "stable/1.2.0", "beta/0.9"];
    assert_eq!(all(&omni, ""), sorted);
    assert_eq!(all(&server.anonymous(), ""), sorted[..4]);
    assert_eq!(all(&omni, "&channel=beta"), ["beta/1.10.0", "beta/0.9"]);
    omni.get(&format!("{path}?channel=nope")).problem(404, "there are stable, beta, alpha");
    assert_eq!(omni.get(&format!("{path}?cursor=1")).problem(422, "")["field"], "cursor");
}

#[test]
fn a_version_is_once_on_each_channel() {
    let (_server, omni) = with_draft();
    omni.put(RELEASE).is(200);
    omni.put("/api/v1/packages/omni/kit/releases/beta/1.0.0").is(201);
    omni.put("/api/v1/packages/omni/kit/releases/nope/1.0.0").problem(404, "there are stable, beta, alpha");
    omni.patch("/api/v1/packages/omni/kit/releases/stable/2.0.0").json(&json!({})).problem(404, "there are 1.0.0");
}

#[test]
fn deleting_takes_its_files_along() {
    let (server, omni) = with_draft();
    change(&omni, &json!({ "active": true })).is(200);
    omni.delete(RELEASE).is(204);
    omni.get(RELEASE).is(404);
    server.anonymous().get("/v2/packages/omni.kit.gz").is(404);
    omni.delete(RELEASE).problem(404, "");
}

fn now_micros() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64
}

/// What was published elsewhere keeps its time: owners may say it of a draft, together with its activation, and once.
#[test]
fn owners_say_when_a_draft_was_first_published() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("foo", "public");
    let path = "/api/v1/packages/omni/foo/releases/stable/1.0.0";
    let put = |fields: Value| omni.put(path).json(&fields);
    let time = "2020-01-02T03:04:05.000006Z";
    put(json!({"published": time})).problem(422, "together with");
    put(json!({"published": time, "active": false})).problem(422, "together with");
    put(json!({"published": "2999-01-01T00:00:00Z", "active": true})).problem(422, "in the future");
    put(json!({"published": "soon", "active": true})).problem(422, "RFC 3339");
    omni.get(path).is(404);
    let narrow = server.token("omni", Scope::Publish);
    narrow.put(path).json(&json!({"published": time, "active": true})).is(403);
    assert_eq!(put(json!({"published": time, "active": true})).is(201).json()["published"], time);
    put(json!({"published": time})).is(200);
    put(json!({"published": "2020-01-02T03:04:06Z"})).problem(409, "cannot become another");
    assert_eq!(put(json!({"active": false})).is(200).json()["published"], time);
    assert_eq!(put(json!({"active": true})).is(200).json()["published"], time);
}

#[test]
fn a_view_tells_what_its_lines_leave_out() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("foo", "public");
    omni.publish("omni/foo", "stable/1.0.0%2Ba", "linux-x64/foo.zip", "one");
    omni.publish("omni/foo", "beta/2.0.0", "any/foo.zip", "two");
    let anonymous = server.anonymous();
    let releases = |view: &str| {
        let answer = anonymous.get(&format!("{view}/v2/releases/omni.foo.json")).is(200);
        let registry: Value =
            serde_json::from_str(&anonymous.get(&format!("{view}/v2/registry.gz")).is(200).gunzip()).unwrap();
        assert_eq!(answer.json()["lines"], registry["files"]["packages/omni.foo.gz"]);
        answer.json()["releases"].clone()
    };
    let stable = releases("");
    assert_eq!(stable.as_array().unwrap().len(), 1);
    assert_eq!((&stable[0]["id"], &stable[0]["version"]), (&json!("1.0.0+a.linux-x64"), &json!("1.0.0+a")));
    assert_eq!((&stable[0]["platform"], &stable[0]["channel"]), (&json!("linux-x64"), &json!("stable")));
    let beta = releases("/channels/beta");
    let channels: Vec<_> = beta.as_array().unwrap().iter().map(|release| &release["channel"]).collect();
    assert_eq!(channels, ["stable", "beta"]);
    anonymous.get("/channels/alpha/v2/releases/omni.bar.json").is(404);
    anonymous.get("/channels/nope/v2/releases/omni.foo.json").is(404);
}
