//! Packages: making, finding, changing and deleting them, and their tokens.

use serde_json::{Value, json};

use super::each;
use crate::support::{TestServer, file_path};

#[test]
fn a_package_is_made_changed_and_deleted() {
    let server = TestServer::start();
    let omni = server.omni();
    let body = json!({ "name": "kit.Window", "description": "# Hi\n<script>x</script>[l](javascript:x)" });
    let made = omni.post("/api/v1/packages").json(&body).is(201).json();
    for (field, value) in [
        ("namespace", json!("omni")),
        ("name", json!("kit.Window")),
        ("full_name", json!("omni.kit.Window")),
        ("visibility", json!("public")),
        ("private_token_set", json!(false)),
        ("role", json!("owner")),
        ("latest", json!({})),
        ("default_channel", json!("stable")),
        ("channels", json!(["stable", "beta", "alpha"])),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let html = made["description_html"].as_str().unwrap();
    assert!(html.contains("<h1>") && !html.contains("<script") && !html.contains("\"javascript:"), "{html}");
    assert_eq!(made["access_token"], Value::Null, "a public package needs none");
    let path = "/api/v1/packages/omni/kit.Window";
    assert_eq!(omni.get(path).is(200).json(), made);
    assert!(made["platforms"].as_array().unwrap().contains(&json!("linux-x64")));
    let seen = server.anonymous().get(path).is(200).json();
    assert!(seen["channels"].is_null() && seen["platforms"].is_null(), "they are for those who publish: {seen}");
    for name in ["kit.Window", "KIT.window"] {
        let again = omni.post("/api/v1/packages").json(&json!({ "name": name }));
        assert_eq!(again.problem(409, "omni.kit.Window is taken")["field"], "name");
    }
    let changed = omni.patch(path).json(&json!({ "visibility": "private" })).is(200).json();
    assert!(changed["access_token"].as_str().unwrap().starts_with("ph_acc_"));
    assert_eq!(changed["description"], made["description"]);
    assert!(changed["changed"].as_str() > made["changed"].as_str());
    omni.patch(path).json(&json!({ "name": "other" })).problem(422, "unknown field `name`");
    omni.delete(path).is(204);
    omni.get(path).problem(404, "there is no package omni.kit.Window");
}

#[test]
fn pages_are_whole_and_newest_first() {
    let server = TestServer::start();
    let omni = server.omni();
    for n in 0..7 {
        omni.make_package(&format!("p{n}"), if n % 3 == 0 { "private" } else { "public" });
    }
    server.user("uma").make_package("p5", "public");
    omni.patch("/api/v1/packages/omni/p1").json(&json!({ "description": "Finds LOST keys." })).is(200);
    let names = |client: &crate::support::Client, query: &str| {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = client.get(&format!("/api/v1/packages?limit=2{query}{cursor}")).is(200).json();
            names.extend(each(&page, "full_name"));
            let Some(next) = page["next"].as_str() else { return names };
            assert_eq!(page["items"].as_array().unwrap().len(), 2, "only the last page is short");
            cursor = format!("&cursor={next}");
        }
    };
    let anonymous = server.anonymous();
    let mine = ["omni.p1", "uma.p5", "omni.p6", "omni.p5", "omni.p4", "omni.p3", "omni.p2", "omni.p0"];
    let public = ["omni.p1", "uma.p5", "omni.p5", "omni.p4", "omni.p2"];
    assert_eq!(names(&omni, ""), mine);
    assert_eq!(names(&anonymous, ""), public);
    assert_eq!(names(&anonymous, "&owner=uma"), ["uma.p5"]);
    assert_eq!(names(&anonymous, "&owner=nobody"), [""; 0]);
    assert_eq!(names(&anonymous, "&search=P5"), ["uma.p5", "omni.p5"]);
    assert_eq!(names(&anonymous, "&search=keys+lost"), ["omni.p1"]);
    assert_eq!(names(&anonymous, "&search=omni.p6"), [""; 0]);
    for (query, field) in [("cursor=x", "cursor"), ("limit=0", "limit"), ("limit=x", "limit"), ("owner=A", "owner")] {
        assert_eq!(anonymous.get(&format!("/api/v1/packages?{query}")).problem(422, "")["field"], field);
    }
}

#[test]
fn a_brief_list_is_the_whole_one_without_descriptions() {
    let server = TestServer::start();
    let omni = server.omni();
    let description = format!("# Kit\n\nDraws **windows**.\n\n{}", "And says so at length. ".repeat(9_000));
    omni.post("/api/v1/packages").json(&json!({ "name": "kit", "description": description })).is(201);
    for query in ["sort=name", "sort=changed", "sort=downloads", "owner=omni", "search=kit", "role=member"] {
        let full = omni.get(&format!("/api/v1/packages?{query}")).is(200);
        let brief = omni.get(&format!("/api/v1/packages?{query}&view=brief")).is(200);
        assert!(full.body.len() > 400_000 && brief.body.len() < 1_000, "{query}: {} bytes", brief.body.len());
        assert_eq!(full.json(), omni.get(&format!("/api/v1/packages?{query}&view=full")).is(200).json());
        let mut expected = full.json();
        let item = expected["items"][0].as_object_mut().unwrap();
        assert_eq!(item.remove("description").unwrap(), description);
        assert!(item.remove("description_html").unwrap().as_str().unwrap().contains("<strong>windows</strong>"));
        assert_eq!(brief.json(), expected, "{query}");
        assert_eq!(brief.json()["items"][0]["summary"], "Draws windows.");
    }
}

#[test]
fn deleting_takes_everything_along() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "a");
    server.anonymous().get("/v2/packages/omni.kit.gz").is(200);
    omni.delete("/api/v1/packages/omni/kit").is(204);
    for path in [
        "/v2/packages/omni.kit.gz",
        "/v2/archives/omni.kit/omni.kit-1.0.0/a.zip",
        "/api/v1/updates?id=omni.kit",
        &file_path("omni/kit", "stable/1.0.0", "any/a.zip"),
    ] {
        server.anonymous().get(path).is(404);
    }
    assert!(!server.anonymous().get("/v2/registry.gz").is(200).gunzip().contains("omni.kit"));
    // A new package of that name begins with nothing.
    omni.make_package("kit", "public");
    assert_eq!(each(&omni.get("/api/v1/packages/omni/kit/releases").is(200).json(), "version"), [""; 0]);
}

#[test]
fn replaced_tokens_stop_at_once() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("safe", "private");
    let package = "/api/v1/packages/omni/safe";
    let first = omni.get(package).is(200).json()["access_token"].as_str().unwrap().to_owned();
    let replace = |kind: &str| {
        let made = omni.post(&format!("{package}/tokens/{kind}")).is(201).json();
        made["token"].as_str().unwrap().to_owned()
    };
    server.bearer(&first).get(package).is(200);
    let second = replace("access");
    server.bearer(&first).get(package).problem(401, "replaced");
    assert_eq!(server.bearer(&second).get(package).is(200).json()["access_token"], Value::Null);
    assert_eq!(omni.get(package).is(200).json()["access_token"], second.as_str());
    let (former, present) = (replace("private"), replace("private"));
    assert!(former.starts_with("ph_prv_"));
    let put = |token: &str| server.bearer(token).put(&format!("{package}/releases/stable/1.0.0"));
    put(&former).problem(401, "replaced");
    put(&present).is(201);
    let shown = omni.get(package).is(200);
    assert!(shown.json()["private_token_set"] == true && !shown.text().contains("ph_prv_"), "{shown}");
    omni.post(&format!("{package}/tokens/api")).problem(404, "");
}

#[test]
fn latest_is_the_highest_that_is_offered() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    for release in ["stable/1.9.0", "stable/1.10.0", "stable/1.11.0", "beta/2.0.0-rc.1"] {
        omni.publish("omni/kit", release, "any/a.zip", release);
    }
    omni.patch("/api/v1/packages/omni/kit/releases/stable/1.11.0").json(&json!({ "yanked": "broken" })).is(200);
    omni.put("/api/v1/packages/omni/kit/releases/alpha/3.0.0").is(201);
    let latest = server.anonymous().get("/api/v1/packages/omni/kit").is(200).json()["latest"].clone();
    assert_eq!(latest, json!({ "stable": "1.10.0", "beta": "2.0.0-rc.1" }));
}
