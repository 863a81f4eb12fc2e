//! Channels: what includes what, which is the default, and what is in use.

use serde_json::json;

use super::each;
use crate::support::{Client, TestServer};

fn change(client: &Client, name: &str, body: &serde_json::Value) -> crate::support::Request {
    client.patch(&format!("/api/v1/channels/{name}")).json(body)
}

#[test]
fn everyone_begins_with_three() {
    let server = TestServer::start();
    let list = server.omni().get("/api/v1/channels").is(200).json();
    assert_eq!(each(&list, "name"), ["stable", "beta", "alpha"]);
    let items = list["items"].as_array().unwrap();
    let includes: Vec<_> = items.iter().map(|channel| channel["includes"].clone()).collect();
    assert_eq!(includes, [json!([]), json!(["stable"]), json!(["beta"])]);
    let defaults: Vec<_> = items.iter().map(|channel| channel["default"] == true).collect();
    assert_eq!(defaults, [true, false, false]);
}

#[test]
fn they_are_made_changed_and_deleted() {
    let server = TestServer::start();
    let omni = server.omni();
    let body = json!({ "name": "nightly-builds", "includes": ["beta", "beta"] });
    let made = omni.post("/api/v1/channels").json(&body).is(201).json();
    assert_eq!((&made["short"], &made["includes"]), (&json!("nightly-"), &json!(["beta"])));
    omni.post("/api/v1/channels").json(&json!({ "name": "STABLE" })).problem(409, "you have a channel");
    for (body, field) in [
        (json!({ "name": "x y" }), "name"),
        (json!({ "name": "x", "short": "ninechars" }), "short"),
        (json!({ "name": "x", "includes": ["nope"] }), "includes"),
    ] {
        assert_eq!(omni.post("/api/v1/channels").json(&body).problem(422, "")["field"], field);
    }
    let renamed = change(&omni, "nightly-builds", &json!({ "name": "nightly", "short": "n" })).is(200).json();
    assert_eq!((&renamed["name"], &renamed["includes"]), (&json!("nightly"), &json!(["beta"])));
    change(&omni, "nope", &json!({})).problem(404, "there are stable, beta, alpha, nightly");
    omni.delete("/api/v1/channels/nightly").is(204);
    assert_eq!(each(&server.user("uma").get("/api/v1/channels").is(200).json(), "name"), ["stable", "beta", "alpha"]);
}

#[test]
fn nothing_includes_itself() {
    let server = TestServer::start();
    let omni = server.omni();
    for (name, includes) in [("stable", json!(["stable"])), ("stable", json!(["alpha"])), ("beta", json!(["alpha"]))] {
        let body = json!({ "includes": includes });
        assert_eq!(change(&omni, name, &body).problem(422, "circle")["field"], "includes");
    }
    // Two ways to the same channel are no circle.
    change(&omni, "alpha", &json!({ "includes": ["stable", "beta"] })).is(200);
}

#[test]
fn the_default_is_handed_on_and_the_index_follows() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "one");
    omni.publish("omni/kit", "beta/2.0.0", "any/a.zip", "two");
    let version = || {
        let summaries = server.anonymous().get("/v2/summaries.gz").is(200).gunzip();
        let summaries: serde_json::Value = serde_json::from_str(&summaries).unwrap();
        summaries["omni.kit"]["package"]["version"].as_str().unwrap().to_owned()
    };
    assert_eq!(version(), "1.0.0");
    change(&omni, "stable", &json!({ "default": false })).problem(409, "make another one the default");
    omni.delete("/api/v1/channels/stable").problem(409, "your default channel");
    change(&omni, "beta", &json!({ "default": true })).is(200);
    let list = omni.get("/api/v1/channels").is(200).json();
    let defaults = list["items"].as_array().unwrap().iter().filter(|channel| channel["default"] == true);
    assert_eq!(defaults.map(|channel| &channel["name"]).collect::<Vec<_>>(), ["beta"]);
    assert_eq!(version(), "2.0.0");
    change(&omni, "beta", &json!({ "includes": [] })).is(200);
    let lines = server.anonymous().get("/v2/packages/omni.kit.gz").is(200).gunzip();
    assert_eq!(lines.lines().count(), 1, "{lines}");
    change(&omni, "beta", &json!({ "name": "preview" })).is(200);
    server.anonymous().get("/channels/preview/v2/packages/omni.kit.gz").is(200);
    server.anonymous().get("/channels/beta/v2/packages/omni.kit.gz").is(404);
}

#[test]
fn what_is_in_use_stays() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.delete("/api/v1/channels/beta").problem(409, "beta is included by alpha");
    omni.make_package("kit", "public");
    let release = "/api/v1/packages/omni/kit/releases/alpha/1.0.0";
    omni.put(release).is(201);
    omni.delete("/api/v1/channels/alpha").problem(409, "alpha has releases of omni.kit");
    omni.delete(release).is(204);
    omni.delete("/api/v1/channels/alpha").is(204);
    omni.delete("/api/v1/channels/beta").is(204);
}

#[test]
fn a_rule_says_what_stays_and_is_previewed() {
    let server = TestServer::start();
    let omni = server.omni();
    let retention = |body: serde_json::Value| change(&omni, "beta", &json!({ "retention": body }));
    let rule = json!({ "keep_newest": 2, "keep_days": null, "keep_downloaded_days": 30 });
    let made = retention(json!({ "keep_newest": 2, "keep_downloaded_days": 30 })).is(200).json();
    assert_eq!(made["retention"], rule);
    // What does not speak of it leaves it.
    assert_eq!(change(&omni, "beta", &json!({ "short": "b" })).is(200).json()["retention"], rule);
    assert_eq!(omni.get("/api/v1/channels").is(200).json()["items"][1]["retention"], rule);
    for (body, field) in [
        (json!({}), "retention"),
        (json!({ "keep_newest": null }), "retention"),
        (json!({ "keep_newest": 0 }), "keep_newest"),
        (json!({ "keep_newest": 1, "keep_days": -1 }), "keep_days"),
        (json!({ "keep_downloaded_days": 36_501 }), "keep_downloaded_days"),
    ] {
        assert_eq!(retention(body.clone()).problem(422, "")["field"], field, "{body}");
        let new = json!({ "name": "x", "retention": body });
        assert_eq!(omni.post("/api/v1/channels").json(&new).problem(422, "")["field"], field);
    }
    retention(json!({ "keep_all": true })).problem(422, "keep_all");
    let preview = |query: &str| omni.get(&format!("/api/v1/channels/beta/retention{query}"));
    assert_eq!(preview("").is(200).json()["retention"], rule);
    assert_eq!(preview("?keep_newest=0").problem(422, "from 1 to 10000")["field"], "keep_newest");
    assert_eq!(preview("?keep_days=soon").problem(422, "from 1 to 36500")["field"], "keep_days");
    assert_eq!(preview("?cursor=x").problem(422, "cursor")["field"], "cursor");
    assert_eq!(preview("?cursor=uma.kit:1.0").problem(422, "cursor")["field"], "cursor");
    omni.get("/api/v1/channels/nope/retention").problem(404, "there are stable, beta, alpha");
    assert!(retention(json!(null)).is(200).json()["retention"].is_null());
    let nothing = preview("").is(200).json();
    assert_eq!((&nothing["acts_at"], &nothing["items"]), (&json!(null), &json!([])));
    let new = json!({ "name": "nightly", "retention": { "keep_days": 7 } });
    assert_eq!(omni.post("/api/v1/channels").json(&new).is(201).json()["retention"]["keep_days"], 7);
    let entries = server.user("root").get("/api/v1/admin/audit?user=omni").is(200).json();
    let of_channels = |entry: &&serde_json::Value| entry["action"].as_str().unwrap().starts_with("channel_");
    let entries = entries["items"].as_array().unwrap().iter().filter(of_channels);
    let told: Vec<_> = entries.map(|entry| entry["detail"].clone()).collect();
    assert_eq!(
        told,
        [
            json!("keeps what was published within 7 days"),
            json!("keeps everything"),
            json!(null),
            json!("keeps the 2 newest, what was downloaded within 30 days"),
        ]
    );
}

#[test]
fn a_preview_tells_all_that_would_go_page_by_page() {
    let server = TestServer::start();
    let omni = server.omni();
    for package in ["kit", "a.tool", "other"] {
        omni.make_package(package, "public");
    }
    for n in 0..7 {
        omni.publish("omni/kit", &format!("beta/1.{n}.0"), "any/a.zip", "one");
        omni.publish("omni/a.tool", &format!("beta/1.{n}.0"), "any/a.zip", format!("tool {n}"));
    }
    omni.publish("omni/other", "beta/1.0.0", "any/a.zip", "other");
    omni.publish("omni/kit", "stable/0.1.0", "any/a.zip", "stable");
    server.user("uma").make_package("kit", "public");
    let preview = |query: &str| {
        let path = format!("/api/v1/channels/beta/retention?keep_newest=3&{query}");
        omni.get(&path).is(200).json()
    };
    let all = preview("");
    assert_eq!(
        all["totals"],
        json!({ "releases": 8, "packages": 2, "size": 4 * 6 + 4 * 3, "stay": 7, "complete": true })
    );
    let names = |page: &serde_json::Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| format!("{} {}", item["package"].as_str().unwrap(), item["version"].as_str().unwrap()))
            .collect()
    };
    let expected: Vec<String> = ["omni.a.tool", "omni.kit"]
        .into_iter()
        .flat_map(|package| (0..4).rev().map(move |n| format!("{package} 1.{n}.0")))
        .collect();
    assert_eq!(names(&all), expected);
    assert_eq!(all["items"][0]["reason"], "not among the 3 newest");
    assert!(all["next"].is_null());
    for limit in [1, 3, 4, 7] {
        let (mut found, mut page) = (Vec::new(), preview(&format!("limit={limit}")));
        assert_eq!(page["totals"], all["totals"]);
        loop {
            found.extend(names(&page));
            let Some(next) = page["next"].as_str() else { break };
            page = preview(&format!("limit={limit}&cursor={next}"));
            assert!(page["totals"].is_null());
        }
        assert_eq!(found, expected, "{limit}");
    }
    // Nothing was removed by looking.
    assert_eq!(
        omni.get("/api/v1/packages/omni/kit/releases?channel=beta").is(200).json()["items"].as_array().unwrap().len(),
        7
    );
    server.user("uma").get("/api/v1/channels/beta/retention?keep_newest=1").is(200);
    server.anonymous().get("/api/v1/channels/beta/retention?keep_newest=1").problem(401, "");
}

/// What a reader's views have, but for the time they changed.
fn views(client: &Client) -> Vec<(String, serde_json::Value)> {
    let mut views = Vec::new();
    for root in ["/v2", "/channels/stable/v2", "/channels/preview/v2", "/channels/alpha/v2"] {
        for file in ["registry.gz", "summaries.gz"] {
            let answer = client.get(&format!("{root}/{file}")).send();
            let mut text = serde_json::Value::Null;
            if answer.status == 200 {
                text = serde_json::from_str(&answer.gunzip()).unwrap();
                if let Some(fields) = text.as_object_mut() {
                    fields.remove("serial");
                }
            }
            views.push((format!("{root}/{file}"), text));
        }
    }
    views
}

/// What becomes of packages when channels change is found out before the commit and without rendering; packages that
/// change meanwhile are looked at again. In the end, rendering each of them anew must change nothing.
#[test]
fn channels_may_change_while_others_publish() {
    let server = TestServer::start();
    let omni = server.omni();
    for n in 0..8 {
        omni.make_package(&format!("kit{n}"), if n == 7 { "private" } else { "public" });
        omni.publish(&format!("omni/kit{n}"), "stable/1.0.0", "any/a.zip", "one");
        if n % 2 == 0 {
            omni.publish(&format!("omni/kit{n}"), "beta/1.1.0", "any/a.zip", "two");
        }
    }
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for publisher in 0..2 {
            let (stop, client) = (&stop, server.omni());
            scope.spawn(move || {
                let mut minor = 2;
                while !stop.load(std::sync::atomic::Ordering::Acquire) && minor < 200 {
                    let channel = if minor % 5 == 0 { "alpha" } else { "stable" };
                    let package = format!("omni/kit{}", minor * 2 % 8 + publisher);
                    client.publish(&package, &format!("{channel}/1.{minor}.0"), "any/a.zip", "more");
                    minor += 1;
                }
            });
        }
        for round in 0..6 {
            change(&omni, "alpha", &json!({ "includes": ["stable"] })).is(200);
            change(&omni, "beta", &json!({ "name": "preview", "includes": [] })).is(200);
            let body = json!({ "name": format!("more{round}"), "includes": ["preview", "stable"] });
            omni.post("/api/v1/channels").json(&body).is(201);
            change(&omni, "preview", &json!({ "default": true, "includes": ["stable"] })).is(200);
            omni.delete(&format!("/api/v1/channels/more{round}")).is(204);
            change(&omni, "alpha", &json!({ "includes": ["preview"] })).is(200);
            change(&omni, "stable", &json!({ "default": round % 2 == 0 })).send();
            change(&omni, "preview", &json!({ "name": if round < 5 { "beta" } else { "preview" } })).is(200);
        }
        stop.store(true, std::sync::atomic::Ordering::Release);
    });
    let before = (views(&server.anonymous()), views(&omni));
    assert!(before.0.iter().all(|(_, text)| !text.is_null()), "{:?}", before.0);
    for n in 0..8 {
        let package = format!("/api/v1/packages/omni/kit{n}");
        let own = if n == 7 { "private" } else { "public" };
        let other = if n == 7 { "public" } else { "private" };
        for visibility in [other, own] {
            omni.patch(&package).json(&json!({ "visibility": visibility })).is(200);
        }
    }
    assert_eq!((views(&server.anonymous()), views(&omni)), before);
    // And every file that the views name is there as they name it.
    let registry = &before.1[0].1["files"];
    for (path, hash) in registry.as_object().unwrap() {
        let text = omni.get(&format!("/v2/{path}")).is(200).gunzip();
        assert_eq!(packhouse::model::Crc32::of(text.as_bytes()).to_string(), hash.as_str().unwrap(), "{path}");
    }
}
