//! Update checks, as applications make them.

use serde_json::{Value, json};

use crate::support::{Client, TestServer};

fn check(client: &Client, query: &str) -> Value {
    client.get(&format!("/api/v1/updates?id=omni.kit{query}")).is(200).json()
}

fn newest(client: &Client, query: &str) -> String {
    let answer = check(client, query);
    assert_eq!(answer["success"], true);
    if answer["isNewer"] == false {
        assert_eq!(answer, json!({ "success": true, "isNewer": false }));
        return "none".to_owned();
    }
    answer["version"].as_str().expect("it has a version").to_owned()
}

fn with_releases(releases: &[(&str, &str)]) -> (TestServer, Client) {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    for (release, platform) in releases {
        omni.publish("omni/kit", release, &format!("{platform}/a.zip"), format!("{release} for {platform}"));
    }
    (server, omni)
}

#[test]
fn the_answer_has_everything_an_updater_needs() {
    let (server, omni) = with_releases(&[("stable/1.0.0", "any"), ("stable/1.1.0", "any")]);
    let notes = json!({ "description": "## Fixed" });
    omni.patch("/api/v1/packages/omni/kit/releases/stable/1.1.0").json(&notes).is(200);
    let anonymous = server.anonymous();
    let update = check(&anonymous, "&version=1.0.0");
    let keys: Vec<&str> = update.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "success",
        "isNewer",
        "version",
        "released",
        "size",
        "releaseNotes",
        "filename",
        "sha256",
        "crc32",
        "requirements",
    ];
    assert_eq!(keys, expected);
    assert_eq!(
        (&update["version"], &update["size"], &update["releaseNotes"]),
        (&json!("1.1.0"), &json!(20), &json!("## Fixed"))
    );
    let url = update["filename"].as_str().unwrap();
    let path = url.strip_prefix(&server.origin()).expect("it is absolute");
    assert_eq!(anonymous.get(path).is(200).text(), "stable/1.1.0 for any");
    let behind_a_name =
        anonymous.get("/api/v1/updates?id=omni.kit").header("host", "packages.example.org").is(200).json();
    assert!(behind_a_name["filename"].as_str().unwrap().starts_with("http://packages.example.org/"));
    assert_eq!(newest(&anonymous, "&version=1.1.0"), "none");
    assert_eq!(newest(&anonymous, "&version=1.1.0-rc.1"), "1.1.0");
    assert_eq!(newest(&anonymous, ""), "1.1.0");
}

#[test]
fn all_newer_ones_come_newest_first() {
    let (server, _) =
        with_releases(&[("stable/1.0", "any"), ("beta/1.2", "any"), ("stable/1.1", "any"), ("stable/0.9", "any")]);
    let all = |query: &str| {
        let answer = check(&server.anonymous(), &format!("&mode=2{query}"));
        let data = answer["data"].as_array().expect("they are in data").clone();
        assert_eq!(answer["isNewer"], !data.is_empty());
        data.iter().map(|update| update["version"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(all("&version=0.9"), ["1.1", "1.0"]);
    assert_eq!(all("&version=0.9&channel=beta"), ["1.2", "1.1", "1.0"]);
    assert_eq!(all("&version=5"), [""; 0]);
}

#[test]
fn a_channel_gets_what_it_includes() {
    let (server, omni) = with_releases(&[("stable/1.0.0", "any"), ("beta/1.1.0", "any"), ("alpha/1.2.0", "any")]);
    let anonymous = server.anonymous();
    assert_eq!(newest(&anonymous, ""), "1.0.0");
    assert_eq!(newest(&anonymous, "&channel=stable"), "1.0.0");
    assert_eq!(newest(&anonymous, "&channel=beta"), "1.1.0");
    assert_eq!(newest(&anonymous, "&channel=alpha"), "1.2.0");
    omni.publish("omni/kit", "stable/1.3.0", "any/a.zip", "newer");
    assert_eq!(newest(&anonymous, "&channel=alpha"), "1.3.0");
    omni.patch("/api/v1/channels/beta").json(&json!({ "default": true })).is(200);
    assert_eq!(newest(&anonymous, "&version=1.3.0"), "none");
    omni.publish("omni/kit", "beta/1.4.0", "any/a.zip", "newest");
    assert_eq!(newest(&anonymous, ""), "1.4.0");
}

#[test]
fn its_own_release_of_a_version_wins() {
    let (server, omni) = with_releases(&[("stable/1.0.0", "any"), ("beta/1.0.0", "any")]);
    let url = |query: &str| check(&server.anonymous(), query)["filename"].as_str().unwrap_or_default().to_owned();
    assert!(url("&channel=beta").contains("/releases/beta/") && url("&channel=alpha").contains("/releases/beta/"));
    assert!(url("&channel=stable").contains("/releases/stable/"));
    // A draft is nobody's release yet.
    omni.patch("/api/v1/packages/omni/kit/releases/beta/1.0.0").json(&json!({ "active": false })).is(200);
    assert!(url("&channel=beta").contains("/releases/stable/"));
}

#[test]
fn an_older_one_for_the_platform_beats_a_newer_one_without() {
    let (server, _) = with_releases(&[
        ("stable/1.0.0", "linux-x64"),
        ("stable/1.1.0", "windows-x64"),
        ("stable/1.2.0", "any"),
        ("stable/1.3.0", "windows-x64"),
    ]);
    let anonymous = server.anonymous();
    assert_eq!(newest(&anonymous, "&platform=windows-x64"), "1.3.0");
    assert_eq!(newest(&anonymous, "&platform=linux-x64"), "1.2.0");
    assert_eq!(newest(&anonymous, "&platform=any"), "1.2.0");
    assert_eq!(newest(&anonymous, "&platform=linux-x64&version=1.2.0"), "none");
    assert_eq!(newest(&anonymous, "&platform=macos-x64&version=1.1"), "1.2.0");
}

#[test]
fn yanked_releases_are_never_offered() {
    let (server, omni) = with_releases(&[("stable/1.0.0", "any"), ("stable/1.1.0", "any"), ("beta/1.2.0", "any")]);
    let yank = |release: &str, reason: Value| {
        let path = format!("/api/v1/packages/omni/kit/releases/{release}");
        omni.patch(&path).json(&json!({ "yanked": reason })).is(200);
    };
    let anonymous = server.anonymous();
    yank("stable/1.1.0", json!("broken"));
    assert_eq!(newest(&anonymous, ""), "1.0.0");
    assert_eq!(newest(&anonymous, "&version=1.0.0"), "none");
    yank("beta/1.2.0", json!("broken"));
    assert_eq!(newest(&anonymous, "&channel=beta"), "1.0.0");
    yank("stable/1.1.0", Value::Null);
    assert_eq!(newest(&anonymous, "&channel=beta"), "1.1.0");
}

#[test]
fn a_private_package_needs_its_token_wherever_it_is() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("safe", "private");
    omni.publish("omni/safe", "stable/1.0.0", "any/a%20b%2B.zip", "private");
    let token = omni.get("/api/v1/packages/omni/safe").is(200).json()["access_token"].as_str().unwrap().to_owned();
    let anonymous = server.anonymous();
    let path = "/api/v1/updates?id=omni.safe";
    let unknown =
        anonymous.get("/api/v1/updates?id=omni.none").problem(404, "if it is private, it needs its access token");
    let hidden = anonymous.get(path).problem(404, "if it is private, it needs its access token");
    assert_eq!((&hidden["success"], &hidden["code"]), (&json!(false), &json!(404)));
    assert_eq!(hidden["message"], hidden["detail"]);
    let same = |problem: &Value| problem.to_string().replace("omni.none", "omni.safe");
    assert_eq!(same(&hidden), same(&unknown), "nobody learns which packages there are");
    for request in [
        anonymous.get(&format!("{path}&token={token}")),
        anonymous.get(&format!("/t/{token}{path}")),
        anonymous.get(path).header("authorization", &format!("Bearer {token}")),
    ] {
        let update = request.is(200).json();
        let url = update["filename"].as_str().unwrap();
        assert!(url.starts_with(&format!("{}/t/{token}/", server.origin())), "{url}");
        assert_eq!(anonymous.get(url.strip_prefix(&server.origin()).unwrap()).is(200).text(), "private");
    }
    assert!(!server.settled_log().contains(&token));
}

#[test]
fn wrong_questions_are_answered_in_both_dialects() {
    let (server, _) = with_releases(&[("stable/1.0.0", "any")]);
    for (query, status, field) in [
        ("", 422, json!("id")),
        ("?id=omni", 422, json!("id")),
        ("?id=omni.kit&mode=3", 422, json!("mode")),
        ("?id=omni.kit&version=%20", 422, json!("version")),
        ("?id=omni.kit&channel=nope", 404, Value::Null),
        ("?id=omni.kit&platform=nope", 404, Value::Null),
    ] {
        let problem = server.anonymous().get(&format!("/api/v1/updates{query}")).problem(status, "");
        assert_eq!((&problem["success"], &problem["code"]), (&json!(false), &json!(status)), "{query}");
        assert_eq!(problem["field"], field, "{query}");
    }
}

#[test]
fn search_finds_public_packages_with_their_latest_version() {
    let (_server, omni) = with_releases(&[("stable/1.0.0", "any"), ("beta/2.0.0", "linux-x64")]);
    omni.make_package("empty", "public");
    omni.make_package("safe", "private");
    omni.publish("omni/safe", "stable/1.0.0", "any/a", "a");
    let found = |query: &str| {
        let list = omni.get(&format!("/api/v1/search?{query}")).is(200).json();
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| format!("{} {}", item["full_name"].as_str().unwrap(), item["version"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(found(""), ["omni.kit 1.0.0"]);
    assert_eq!(found("search=ABOUT+kit"), ["omni.kit 1.0.0"]);
    assert_eq!(found("search=nothing"), [""; 0]);
    assert_eq!(found("channel=beta"), ["omni.kit 2.0.0"]);
    assert_eq!(found("channel=beta&platform=windows-x64"), ["omni.kit 1.0.0"]);
    assert_eq!(found("channel=nope"), [""; 0]);
}
