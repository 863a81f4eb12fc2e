//! The index as Registry 2.0 clients read it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Client, TestServer, file_path};

/// All files of a view, decompressed, after every hash was verified.
fn read_view(client: &Client, root: &str) -> BTreeMap<String, String> {
    let registry = client.get(&format!("{root}registry.gz")).is(200).gunzip();
    let parsed: Value = serde_json::from_str(&registry).expect("it is JSON");
    assert!(parsed["serial"].is_u64(), "{registry}");
    let files = parsed["files"].as_object().expect("files");
    let keys: Vec<&String> = files.keys().collect();
    assert_eq!(keys.last().map(|key| key.as_str()), Some("summaries.gz"), "it comes last");
    assert!(keys[..keys.len() - 1].is_sorted(), "{keys:?}");
    let mut texts = BTreeMap::new();
    for (path, hash) in files {
        let text = client.get(&format!("{root}{path}")).is(200).gunzip();
        let computed = format!("{:08x}", crc32fast::hash(text.as_bytes()));
        assert_eq!(hash, &Value::String(computed), "{path}");
        texts.insert(path.clone(), text);
    }
    texts
}

fn ids(lines: &str) -> Vec<&str> {
    assert!(lines.ends_with('\n'));
    lines.lines().map(|line| line.split_once(' ').expect("an id and JSON").0).collect()
}

#[test]
fn an_empty_registry_has_an_index() {
    let server = TestServer::start();
    let view = read_view(&server.anonymous(), "/v2/");
    assert_eq!(view.into_iter().collect::<Vec<_>>(), [("summaries.gz".to_owned(), "{}".to_owned())]);
}

#[test]
fn what_was_published_is_there_when_the_answer_comes() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    for n in 0..20 {
        omni.publish("omni/kit", &format!("stable/1.0.{n}"), "any/a.zip", format!("{n}"));
        let lines = server.anonymous().get("/v2/packages/omni.kit.gz").is(200).gunzip();
        assert_eq!(ids(&lines).last(), Some(&format!("1.0.{n}").as_str()));
    }
    let files = read_view(&server.anonymous(), "/v2/");
    assert_eq!(files.keys().collect::<Vec<_>>(), ["packages/omni.kit.gz", "summaries.gz"]);
}

#[test]
fn lines_and_summaries_say_what_was_published() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let manifest = json!({
        "package": { "title": "Kit", "icon": "i.png", "keywords": ["a"], "category": "tools", "authors": ["o"],
            "repository": "https://example.org", "secret": 1, "archivePath": "forged", "size": 0 },
        "dependencies": { "omni.base": { "version": "1" } },
        "targets": { "platform": ["linux"] },
        "other": true,
    });
    for (release, platform) in [("stable/1.10.0", "any"), ("stable/1.9.0", "wx64.r"), ("stable/1.9.0", "lx64.d")] {
        omni.publish("omni/kit", release, &format!("{platform}/kit%20a.zip"), format!("{release} {platform}"));
        let path = format!("{}/manifest", file_path("omni/kit", release, &format!("{platform}/kit%20a.zip")));
        omni.put(&path).json(&manifest).is(200);
    }
    let view = read_view(&server.anonymous(), "/v2/");
    let lines = &view["packages/omni.kit.gz"];
    assert_eq!(ids(lines), ["1.9.0+lx64.d", "1.9.0+wx64.r", "1.10.0"]);
    let line: Value = serde_json::from_str(lines.lines().nth(1).unwrap().split_once(' ').unwrap().1).unwrap();
    let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["dependencies", "targets", "package"]);
    assert_eq!((&line["dependencies"], &line["targets"]), (&manifest["dependencies"], &manifest["targets"]));
    assert_eq!(line["package"]["archivePath"], "archives/omni.kit/omni.kit-1.9.0+wx64.r/kit%20a.zip");
    assert_eq!(line["package"]["size"], 19);
    let summary: Value = serde_json::from_str(&view["summaries.gz"]).unwrap();
    let summary = &summary["omni.kit"]["package"];
    for (field, value) in [
        ("title", json!("Kit")),
        ("icon", json!("i.png")),
        ("keywords", json!(["a"])),
        ("category", json!("tools")),
        ("version", json!("1.10.0")),
        ("package_id", json!("1.10.0")),
        ("channel", json!("stable")),
    ] {
        assert_eq!(summary[field], value, "{field}");
    }
    let text = summary.to_string();
    assert!(!text.contains("archive") && !text.contains("dependencies") && !text.contains("secret"), "{text}");
}

#[test]
fn plus_is_plus_however_it_is_written() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "wx64.r/a+b.zip", "bytes");
    omni.publish("omni/kit", "stable/2.0.0%2Bg1", "any/c.zip", "build");
    let anonymous = server.anonymous();
    for plus in ["+", "%2B", "%2b"] {
        let root = "/v2/archives/omni.kit/omni.kit-";
        assert_eq!(anonymous.get(&format!("{root}1.0.0{plus}wx64.r/a{plus}b.zip")).is(200).text(), "bytes");
        let manifest = anonymous.get(&format!("{root}1.0.0{plus}wx64.r.json")).is(200).json();
        assert_eq!(manifest["package"]["archivePath"], "archives/omni.kit/omni.kit-1.0.0+wx64.r/a+b.zip");
        assert_eq!(anonymous.get(&format!("{root}2.0.0{plus}g1/c.zip")).is(200).text(), "build");
        anonymous.get(&format!("/api/v1/packages/omni/kit/releases/stable/2.0.0{plus}g1")).is(200);
    }
    anonymous.get("/v2/archives/omni.kit/omni.kit-1.0.0%20wx64.r/a+b.zip").is(404);
    // What a line says is a path that works as it stands.
    let lines = anonymous.get("/v2/packages/omni.kit.gz").is(200).gunzip();
    for line in lines.lines() {
        let fields: Value = serde_json::from_str(line.split_once(' ').unwrap().1).unwrap();
        let path = fields["package"]["archivePath"].as_str().unwrap();
        let archive = anonymous.get(&format!("/v2/{path}")).is(200);
        assert_eq!(fields["package"]["size"], archive.body.len());
    }
}

#[test]
fn drafts_and_private_packages_are_in_no_view() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.make_package("safe", "private");
    omni.put(&format!("{}?create=inactive", file_path("omni/kit", "stable/1.0.0", "any/a"))).body("a").is(201);
    omni.publish("omni/safe", "stable/1.0.0", "any/a", "a");
    omni.publish("omni/safe", "beta/1.1.0", "any/a", "a");
    for root in ["/v2/", "/channels/stable/v2/", "/channels/beta/v2/"] {
        let answer = server.anonymous().get(&format!("{root}registry.gz")).send();
        assert!(answer.status == 404 || !answer.gunzip().contains("omni."), "{answer}");
    }
    let before = server.anonymous().get("/v2/registry.gz").is(200);
    omni.publish("omni/safe", "stable/1.2.0", "any/a", "a");
    let after = server.anonymous().get("/v2/registry.gz").is(200);
    assert_eq!(before.body, after.body, "nobody learns that something changed");
    // Public now, private again.
    let visibility =
        |value: &str| omni.patch("/api/v1/packages/omni/safe").json(&json!({ "visibility": value })).is(200);
    visibility("public");
    assert!(read_view(&server.anonymous(), "/v2/").contains_key("packages/omni.safe.gz"));
    visibility("private");
    assert!(!read_view(&server.anonymous(), "/v2/").contains_key("packages/omni.safe.gz"));
    server.anonymous().get("/v2/archives/omni.safe/omni.safe-1.0.0/a").is(404);
    server.anonymous().get("/v2/archives/omni.safe/omni.safe-1.0.0.json").is(404);
}

#[test]
fn a_channel_shows_its_own_and_what_it_includes() {
    let server = TestServer::start();
    let (omni, uma) = (server.omni(), server.user("uma"));
    omni.make_package("kit", "public");
    uma.make_package("tool", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a", "stable");
    omni.publish("omni/kit", "stable/1.1.0", "any/a", "stable too");
    omni.publish("omni/kit", "beta/1.1.0", "any/a", "beta's own");
    omni.publish("omni/kit", "beta/2.0.0", "linux-x64/a", "beta");
    uma.publish("uma/tool", "alpha/0.1", "any/a", "alpha");
    let anonymous = server.anonymous();
    let seen = |root: &str| {
        let view = read_view(&anonymous, root);
        let packages = view.iter().filter(|(path, _)| path.starts_with("packages/"));
        packages
            .flat_map(|(path, lines)| ids(lines).into_iter().map(|id| format!("{path} {id}")).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let kit = |id: &str| format!("packages/omni.kit.gz {id}");
    assert_eq!(seen("/v2/"), [kit("1.0.0"), kit("1.1.0")]);
    assert_eq!(seen("/channels/stable/v2/"), seen("/v2/"));
    let beta = [kit("1.0.0"), kit("1.1.0"), kit("2.0.0+linux-x64")];
    assert_eq!(seen("/channels/beta/v2/"), beta);
    let mut alpha = beta.to_vec();
    alpha.push("packages/uma.tool.gz 0.1".to_owned());
    assert_eq!(seen("/channels/alpha/v2/"), alpha);
    let archive = |root: &str| anonymous.get(&format!("{root}archives/omni.kit/omni.kit-1.1.0/a")).is(200).text();
    assert_eq!(archive("/v2/"), "stable too");
    assert_eq!(archive("/channels/beta/v2/"), "beta's own");
    assert_eq!(archive("/channels/alpha/v2/"), "beta's own");
    anonymous.get("/v2/archives/omni.kit/omni.kit-2.0.0+linux-x64/a").is(404);
    anonymous.get("/channels/nope/v2/registry.gz").problem(404, "channel");
}

#[test]
fn files_of_the_index_are_validated_not_kept() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a", "a");
    let anonymous = server.anonymous();
    for path in ["/v2/registry.gz", "/v2/summaries.gz", "/v2/packages/omni.kit.gz"] {
        let file = anonymous.get(path).is(200);
        assert_eq!((file.header("content-type"), file.header("cache-control")), ("application/gzip", "no-cache"));
        assert!(file.find("content-encoding").is_none(), "it is a file, not an encoding");
        let tag = file.header("etag").to_owned();
        assert!(tag.starts_with('"'), "{tag} is strong");
        assert!(anonymous.get(path).header("if-none-match", &tag).is(304).body.is_empty());
        assert_eq!(anonymous.head(path).is(200).header("content-length"), file.body.len().to_string());
        let part = anonymous.get(path).header("range", "bytes=0-1").is(206);
        assert_eq!(part.body, [0x1f, 0x8b]);
        assert_eq!(anonymous.get(path).is(200).body, file.body, "a tag names these bytes");
    }
    let tag = anonymous.get("/v2/registry.gz").is(200).header("etag").to_owned();
    omni.publish("omni/kit", "stable/1.0.1", "any/a", "b");
    anonymous.get("/v2/registry.gz").header("if-none-match", &tag).is(200);
}

#[test]
fn the_serial_only_rises() {
    let mut server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let mut last = 0;
    for n in 0..12 {
        omni.publish("omni/kit", &format!("stable/1.{n}"), "any/a", format!("{n}"));
        let registry = server.anonymous().get("/v2/registry.gz").is(200).gunzip();
        let serial = serde_json::from_str::<Value>(&registry).unwrap()["serial"].as_u64().unwrap();
        assert!(serial > last, "{serial} came after {last}");
        last = serial;
        if n % 4 == 3 {
            server.kill();
            server.restart();
        }
    }
}

#[test]
fn a_restart_shows_the_same_index() {
    let mut server = TestServer::start();
    let omni = server.omni();
    for n in 0..30 {
        omni.make_package(&format!("kit{n}"), "public");
        omni.publish(&format!("omni/kit{n}"), "beta/1.0.0", "linux-x64/a", format!("{n}"));
        omni.publish(&format!("omni/kit{n}"), "stable/1.0.0", "any/a", format!("{n}"));
    }
    let before: Vec<_> = ["/v2/", "/channels/beta/v2/"].map(|root| read_view(&server.anonymous(), root)).into();
    server.kill();
    server.restart();
    let after: Vec<_> = ["/v2/", "/channels/beta/v2/"].map(|root| read_view(&server.anonymous(), root)).into();
    assert_eq!(before, after);
}
