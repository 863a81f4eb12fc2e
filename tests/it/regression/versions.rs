//! Versions as other people write them: which is newer, what a publish warns of, and what it refuses.

use serde_json::{Value, json};

use crate::support::{Cli, Client, Scope, TestServer, file_path};

fn publish(omni: &Client, version: &str) -> Value {
    let path = file_path("omni/kit", &format!("stable/{version}"), "any/a.zip");
    omni.put(&format!("{path}?create=active")).body(version.to_owned()).is(201).json()
}

fn offered(server: &TestServer, version: &str) -> Value {
    let version = version.replace('+', "%2B");
    let answer = server.anonymous().get(&format!("/api/v1/updates?id=omni.kit&version={version}")).is(200).json();
    if answer["isNewer"] == true { answer["version"].clone() } else { Value::Null }
}

/// An application that runs 1.2.3 was offered the release v1.2.3 at every check, for ever: the order of lists, which
/// tells spellings apart, decided about updates too.
#[test]
fn no_update_leads_from_one_spelling_to_another() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    publish(&omni, "v1.2.3");
    for same in ["1.2.3", "v1.2.3", "1.2.3+7", "1.2.3.0"] {
        assert_eq!(offered(&server, same), Value::Null, "{same}");
    }
    assert_eq!(offered(&server, "1.2.2"), "v1.2.3");
    publish(&omni, "1.3.0+19");
    publish(&omni, "1.3.0+20");
    assert_eq!(offered(&server, "1.3.0+19"), "1.3.0+20");
    assert_eq!(offered(&server, "1.3.0+20"), Value::Null);
    assert_eq!(offered(&server, "1.3.0"), Value::Null);
    assert_eq!(offered(&server, "1.2.3"), "1.3.0+20");
    let all = server.anonymous().get("/api/v1/updates?id=omni.kit&version=1.3.0%2B19&mode=2").is(200).json();
    assert_eq!(all["data"].as_array().unwrap().len(), 1, "{all}");
}

/// 3.14.0b2 counted as a patch of 3.14.0: it was offered to those who ran the final release, and those who ran the beta
/// were never offered the final release.
#[test]
fn a_beta_in_the_way_of_python_leads_to_its_release() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    publish(&omni, "3.14.0");
    publish(&omni, "3.14.0b2");
    assert_eq!(offered(&server, "3.14.0"), Value::Null);
    assert_eq!(offered(&server, "3.14.0b2"), "3.14.0");
    publish(&omni, "3.14.0a");
    assert_eq!(offered(&server, "3.14.0"), "3.14.0a", "a letter without a number is a patch");
}

/// 2024-9-5 came after 2024-10-04, since what stands behind a dash was compared as text.
#[test]
fn dates_compare_as_numbers() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    publish(&omni, "2024-10-04");
    publish(&omni, "2024-9-5");
    assert_eq!(offered(&server, "2024-9-5"), "2024-10-04");
    assert_eq!(offered(&server, "2024-10-04"), Value::Null);
}

/// A packaging revision, as in 2.36-9, is a prerelease to SemVer. A package may say that its versions are Debian's; that
/// orders releases which are there as well, in lists, update checks and the index.
#[test]
fn a_package_chooses_how_its_versions_are_read() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    for version in ["2.36", "2.36-9", "2.36-10", "2.36~rc1"] {
        publish(&omni, version);
    }
    assert_eq!(offered(&server, "2.36-9"), "2.36");
    let patched = omni.patch("/api/v1/packages/omni/kit").json(&json!({ "version_scheme": "debian" })).is(200).json();
    assert_eq!(patched["version_scheme"], "debian");
    assert_eq!(offered(&server, "2.36"), "2.36-10");
    assert_eq!(offered(&server, "2.36-9"), "2.36-10");
    assert_eq!(offered(&server, "2.36-10"), Value::Null);
    let list = omni.get("/api/v1/packages/omni/kit/releases").is(200).json();
    let versions: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|r| r["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["2.36-10", "2.36-9", "2.36", "2.36~rc1"]);
    let lines = server.anonymous().get("/v2/packages/omni.kit.gz").is(200).gunzip();
    let ids: Vec<&str> = lines.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(ids, ["2.36~rc1", "2.36", "2.36-9", "2.36-10"]);
    assert!(lines.lines().all(|line| line.contains("\"version_scheme\":\"debian\"")), "{lines}");
    let summaries: Value = serde_json::from_str(&server.anonymous().get("/v2/summaries.gz").is(200).gunzip()).unwrap();
    assert_eq!(summaries["omni.kit"]["package"]["version"], "2.36-10");
    assert_eq!(summaries["omni.kit"]["package"]["version_scheme"], "debian");
    publish(&omni, "2.36-11");
    assert_eq!(offered(&server, "2.36-10"), "2.36-11");
    omni.patch("/api/v1/packages/omni/kit")
        .json(&json!({ "version_scheme": "pacman" }))
        .problem(422, "semver, calver or debian");
    let made = omni.post("/api/v1/packages").json(&json!({ "name": "lib", "version_scheme": "calver" })).is(201).json();
    assert_eq!(made["version_scheme"], "calver");
}

/// rc11 sorts below rc7, and git describe makes a prerelease of the release that it counts from: both were published
/// without a word.
#[test]
fn a_publish_warns_of_a_version_that_sorts_below_the_newest() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    assert_eq!(publish(&omni, "1.0.0-rc7").get("warnings"), None);
    let warned = publish(&omni, "1.0.0-rc11");
    assert!(warned["warnings"].to_string().contains("sorts below 1.0.0-rc7"), "{warned}");
    assert!(warned["warnings"].to_string().contains("write rc.11"), "{warned}");
    let release = "/api/v1/packages/omni/kit/releases/stable/1.0.0-3-gabcd";
    omni.put(release).json(&json!({})).is(201);
    let activated = omni.patch(release).json(&json!({ "active": true })).is(200).json();
    assert!(activated["warnings"].to_string().contains("git describe"), "{activated}");
    let again = omni.patch(release).json(&json!({ "description": "Later." })).is(200).json();
    assert_eq!(again.get("warnings"), None, "only the answer that publishes warns");
}

/// A beta below the newest stable release was published without a word, although every reader of beta is offered what is
/// on stable. A release of stable has nothing to do with what is on beta.
#[test]
fn warnings_look_at_included_channels() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let publish_on = |channel: &str, version: &str| {
        let path = file_path("omni/kit", &format!("{channel}/{version}"), "any/a.zip");
        omni.put(&format!("{path}?create=active")).body(version.to_owned()).is(201).json()
    };
    assert_eq!(publish_on("stable", "1.1.0").get("warnings"), None);
    let warned = publish_on("beta", "1.1.0-beta.2");
    assert!(warned["warnings"].to_string().contains("1.1.0-beta.2 sorts below 1.1.0"), "{warned}");
    assert!(publish_on("alpha", "1.0.9")["warnings"].to_string().contains("sorts below 1.1.0"));
    assert_eq!(publish_on("beta", "1.1.0").get("warnings"), None, "the same version of stable stands behind it");
    assert_eq!(publish_on("beta", "1.3.0").get("warnings"), None);
    assert_eq!(publish_on("stable", "1.2.0").get("warnings"), None, "readers of stable are not offered 1.3.0");
}

/// The advice for the output of git describe was to write 1.2.3+14, which no application that runs 1.2.3 is offered.
#[test]
fn the_advised_version_is_offered() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    publish(&omni, "1.2.3");
    let warned = publish(&omni, "1.2.3-14-gabcd")["warnings"].to_string();
    assert!(warned.contains("write 1.2.4-dev.14,"), "{warned}");
    assert_eq!(publish(&omni, "1.2.4-dev.14").get("warnings"), None);
    assert_eq!(offered(&server, "1.2.3"), "1.2.4-dev.14");
    assert_eq!(publish(&omni, "1.2.4").get("warnings"), None);
    assert_eq!(offered(&server, "1.2.4-dev.14"), "1.2.4");
}

/// 1.0b2.dev1 counted as newer than 1.0b2, and 1.0.a1b2c3 as a prerelease of 1.0, below it.
#[test]
fn development_builds_and_hashes_take_their_places() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    for version in ["1.0b2", "1.0b2.dev1", "1.0b1", "1.0pre1"] {
        publish(&omni, version);
    }
    assert_eq!(offered(&server, "1.0b2.dev1"), "1.0pre1");
    let rc = publish(&omni, "1.0rc1");
    assert_eq!(rc.get("warnings"), None, "{rc}");
    assert_eq!(offered(&server, "1.0pre1"), "1.0rc1");
    publish(&omni, "1.0");
    assert_eq!(publish(&omni, "1.0.a1b2c3").get("warnings"), None);
    assert_eq!(offered(&server, "1.0"), "1.0.a1b2c3");
    let list = omni.get("/api/v1/packages/omni/kit/releases").is(200).json();
    let versions: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|r| r["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["1.0.a1b2c3", "1.0", "1.0rc1", "1.0pre1", "1.0b2", "1.0b2.dev1", "1.0b1"]);
}

/// With 2.36-8 and 2.36-9 there, `resolve omni.lib@<2.36-9` chose 1.2.3-4, for the revision did not count; and a package
/// whose only version was 0~20240101 could not be resolved, as if it were a prerelease.
#[test]
fn the_order_of_debian_decides_what_is_resolved() {
    let server = TestServer::start();
    let omni = server.omni();
    for (name, versions) in [("lib", &["1.2.3-4", "2.36-8", "2.36-9", "2.36-10~bpo12+1"][..]), ("new", &["0~20240101"])]
    {
        omni.post("/api/v1/packages").json(&json!({ "name": name, "version_scheme": "debian" })).is(201);
        for version in versions {
            omni.publish(&format!("omni/{name}"), &format!("stable/{}", version.replace('+', "%2B")), "any/a.zip", "x");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().to_str().unwrap();
    Cli::new(&["sync", &server.origin(), index]).exits(0);
    for (asked, version) in [
        ("omni.lib@<2.36-9", "2.36-8"),
        ("omni.lib@<=2.36-9", "2.36-9"),
        ("omni.lib@>2.36-9", "2.36-10~bpo12+1"),
        ("omni.lib@=2.36", "2.36-10~bpo12+1"),
        ("omni.lib@=1.2.3", "1.2.3-4"),
        ("omni.lib@^1.2", "1.2.3-4"),
        ("omni.lib", "2.36-10~bpo12+1"),
        ("omni.new", "0~20240101"),
    ] {
        let resolved = Cli::new(&["resolve", asked, "--index", index, "--json"]).exits(0).json();
        assert_eq!(resolved["packages"][0]["version"], version, "{asked}: {resolved}");
    }
}

/// An import made every package read its versions as SemVer, so that a copy of a registry offered other releases than
/// the registry did.
#[test]
fn an_import_keeps_how_versions_are_read() {
    let server = TestServer::start();
    let omni = server.omni();
    for (name, scheme) in [("lib", "debian"), ("tool", "semver"), ("year", "calver")] {
        omni.post("/api/v1/packages").json(&json!({ "name": name, "version_scheme": scheme })).is(201);
        for version in ["2.36", "2.36-9"] {
            omni.publish(&format!("omni/{name}"), &format!("stable/{version}"), "any/a.zip", version);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let [tree, again] = ["tree", "again"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let export = |server: &TestServer, to: &str| Cli::new(&["export", to, "--url", &server.origin()]).exits(0);
    export(&server, &tree);
    let target = TestServer::start();
    let admin = target.secret("omni", Scope::Admin);
    Cli::new(&["import", &tree, "--into", "omni", "--url", &target.origin()]).token(admin).exits(0);
    for (name, scheme, newest) in
        [("lib", "debian", "2.36-9"), ("tool", "semver", "2.36"), ("year", "calver", "2.36-9")]
    {
        let package = target.omni().get(&format!("/api/v1/packages/omni/{name}")).is(200).json();
        assert_eq!(package["version_scheme"], scheme, "{package}");
        let latest = target.anonymous().get(&format!("/api/v1/updates?id=omni.{name}&version=0")).is(200).json();
        assert_eq!(latest["version"], newest, "{name}: {latest}");
    }
    export(&target, &again);
    for file in ["packages/omni.lib.gz", "packages/omni.tool.gz", "releases/omni.year.json"] {
        let read = |folder: &str| std::fs::read(format!("{folder}/{file}")).unwrap();
        assert_eq!(read(&tree), read(&again), "{file}");
    }
}

/// A manifest with a requirement that no resolver can read was accepted, and could not be mended afterwards.
#[test]
fn requirements_that_cannot_be_read_are_refused_at_publish() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    publish(&omni, "1.0.0");
    let file = file_path("omni/kit", "stable/1.0.0", "any/a.zip");
    let manifest = |requirement: Value| json!({ "dependencies": { "omni.core": requirement } });
    for wrong in [json!({ "version": ">=a b" }), json!({ "version": 1 }), json!("^1.*"), json!([1])] {
        let answer = omni.put(&format!("{file}/manifest")).json(&manifest(wrong)).problem(422, "omni.core");
        assert_eq!(answer["field"], "dependencies", "{answer}");
    }
    omni.get(&format!("{file}/manifest")).is(404);
    omni.put(&format!("{file}/manifest")).json(&manifest(json!({ "version": "1.x" }))).is(200);
    let requirement = |version: &str| json!([{ "type": "os", "name": "linux", "version": version }]);
    let answer =
        omni.put(&format!("{file}/requirements")).json(&requirement("6 or so")).problem(422, "requirement looks like");
    assert_eq!(answer["field"], "version", "{answer}");
    omni.put(&format!("{file}/requirements")).json(&requirement(">=6.1")).is(200);
}

/// A release named `latest` could not be linked, and 1.0.0 beside 1.0.0.json ended every export: the manifest of the one
/// and the folder of the other have the same name.
#[test]
fn versions_that_addresses_need_are_refused() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    publish(&omni, "1.0.0");
    for (version, words) in [("latest", "newest release"), ("1.0.0.json", "cannot end with .json")] {
        let release = format!("/api/v1/packages/omni/kit/releases/stable/{version}");
        omni.put(&release).json(&json!({})).problem(422, words);
        let file = file_path("omni/kit", &format!("stable/{version}"), "any/a.zip");
        omni.put(&format!("{file}?create=active")).body("x").problem(422, words);
    }
    let file = file_path("omni/kit", "stable/1.0.0+a", "json/a.zip");
    omni.put(&format!("{file}?create=active&create_platform=true")).body("x").problem(422, "cannot end with .json");
    omni.post("/api/v1/platforms").json(&json!({ "name": "x.json" })).problem(422, ".json");
}
