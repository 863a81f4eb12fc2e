//! Release files: uploading, describing and deleting them.

use serde_json::{Value, json};

use super::each;
use crate::support::{Client, Request, TestServer, file_path};

/// The digest of `abc` (RFC 9530, section 3), by a tool of another house.
const ABC_DIGEST: &str = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";
const ABC_SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn with_package() -> (TestServer, Client) {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    (server, omni)
}

fn put(client: &Client, release: &str, file: &str, query: &str) -> Request {
    client.put(&format!("{}{query}", file_path("omni/kit", release, file)))
}

#[test]
fn a_file_is_what_was_sent() {
    let (server, omni) = with_package();
    let request = put(&omni, "stable/1.0.0", "linux-x64/a%20b.tar.gz", "?create=active");
    let made = request.header("content-type", "application/gzip").body("abc").is(201).json();
    let url =
        format!("{}/api/v1/packages/omni/kit/releases/stable/1.0.0/files/linux-x64/a%20b.tar.gz", server.origin());
    for (field, value) in [
        ("platform", json!("linux-x64")),
        ("display_name", json!("a b.tar.gz")),
        ("filename", json!(ABC_SHA256)),
        ("size", json!(3)),
        ("mime_type", json!("application/gzip")),
        ("extension", json!("tar.gz")),
        ("sha256", json!(ABC_SHA256)),
        ("crc32", json!("352441c2")),
        ("external_url", Value::Null),
        ("requirements", json!([])),
        ("url", json!(url)),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    assert_eq!(omni.get("/api/v1/packages/omni/kit/releases/stable/1.0.0").is(200).json()["files"], json!([made]));
}

#[test]
fn what_is_missing_is_made_only_if_that_is_wanted() {
    let (_server, omni) = with_package();
    let kit = "/api/v1/packages/omni/kit/releases";
    put(&omni, "stable/1.0.0", "any/a", "").body("a").problem(404, "there is no release");
    assert_eq!(put(&omni, "stable/1.0.0", "any/a", "?create=yes").body("a").problem(422, "")["field"], "create");
    put(&omni, "nope/1.0.0", "any/a", "?create=active").body("a").problem(404, "there are stable, beta, alpha");
    put(&omni, "stable/1.0.0", "wx64.r/a", "?create=inactive").body("a").problem(404, "no platform wx64.r");
    put(&omni, "stable/1.0.0", "wx64.r/a", "?create=inactive&create_platform=true").body("a").is(201);
    assert_eq!(omni.get(&format!("{kit}/stable/1.0.0")).is(200).json()["active"], false);
    assert!(each(&omni.get("/api/v1/platforms").is(200).json(), "name").contains(&"wx64.r".to_owned()));
    put(&omni, "stable/1.0.0", "new/a", "").body("a").problem(404, "there is no platform new");
    put(&omni, "stable/1.0.0", "WX64.r/a", "?create=active").body("a").problem(409, "wx64.r already");
    put(&omni, "stable/1.0.0", "any/a", "?create=active").body("a").is(201);
    assert_eq!(omni.get(&format!("{kit}/stable/1.0.0")).is(200).json()["active"], false, "it was there as a draft");
}

#[test]
fn the_same_again_is_a_success_and_other_bytes_are_not() {
    let (_server, omni) = with_package();
    let publish = |bytes: &str| put(&omni, "stable/1.0.0", "any/a.zip", "?create=active").body(bytes);
    let made = publish("abc").is(201).json();
    assert_eq!(publish("abc").is(200).json(), made);
    publish("abd").problem(409, ABC_SHA256);
    publish("").problem(409, "publish a new version");
    assert_eq!(omni.get("/api/v1/packages/omni/kit/releases/stable/1.0.0").is(200).json()["files"], json!([made]));
}

#[test]
fn a_digest_is_verified() {
    let (_server, omni) = with_package();
    let send = |digest: &str, bytes: &str| {
        put(&omni, "stable/1.0.0", "any/a.zip", "?create=active").header("repr-digest", digest).body(bytes)
    };
    let wrong = send(ABC_DIGEST, "abd").problem(422, ABC_SHA256);
    assert_eq!(wrong["field"], "Repr-Digest");
    omni.get("/api/v1/packages/omni/kit/releases/stable/1.0.0").is(404);
    for malformed in ["sha-256=abc", "sha-256=:AAAA:", "sha-256=:*:"] {
        send(malformed, "abc").is(400);
    }
    send(&format!("sha-512=:AAAA:, {ABC_DIGEST}"), "abc").is(201);
}

#[test]
fn an_empty_file_is_a_file() {
    let (server, omni) = with_package();
    omni.publish("omni/kit", "stable/1.0.0", "any/empty", "");
    let got = server.anonymous().get(&file_path("omni/kit", "stable/1.0.0", "any/empty")).is(200);
    assert_eq!((got.header("content-length"), got.body.len()), ("0", 0));
}

#[test]
fn the_first_file_is_the_archive_and_others_are_attached() {
    let (server, omni) = with_package();
    for (name, bytes) in [("z.zip", "archive"), ("a.sig", "signature")] {
        omni.publish("omni/kit", "stable/1.0.0", &format!("any/{name}"), bytes);
    }
    let anonymous = server.anonymous();
    let lines = anonymous.get("/v2/packages/omni.kit.gz").is(200).gunzip();
    assert!(lines.lines().count() == 1 && lines.contains("omni.kit-1.0.0/z.zip") && !lines.contains("a.sig"));
    for name in ["z.zip", "a.sig"] {
        anonymous.get(&format!("/v2/archives/omni.kit/omni.kit-1.0.0/{name}")).is(200);
    }
    let location = anonymous.get("/download/omni/kit/stable/latest/any").is(302).header("location").to_owned();
    assert!(location.ends_with("/z.zip"), "{location}");
    omni.delete(&file_path("omni/kit", "stable/1.0.0", "any/z.zip")).is(204);
    anonymous.get(&file_path("omni/kit", "stable/1.0.0", "any/z.zip")).is(404);
}

#[test]
fn a_file_of_the_limits_size_is_taken_and_not_a_byte_more() {
    let server = TestServer::with().flags(&["--max-file-size", "1KiB"]).start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    put(&omni, "stable/1.0.0", "any/a", "?create=active").body(vec![7; 1024]).is(201);
    let limit = put(&omni, "stable/1.0.1", "any/a", "?create=active").body(vec![7; 1025]).problem(413, "1024 bytes");
    assert_eq!(limit["limit"], 1024);
    omni.get("/api/v1/packages/omni/kit/releases/stable/1.0.1").is(404);
}

#[test]
fn manifests_are_set_once() {
    let (server, omni) = with_package();
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "abc");
    let path = format!("{}/manifest", file_path("omni/kit", "stable/1.0.0", "any/a.zip"));
    omni.get(&path).problem(404, "has no manifest");
    let text = r#"{"b":1,"package":{"title":"Kit","n":1.10},"a":[9007199254740993]}"#;
    omni.put(&path).body(text).is(200);
    assert_eq!(server.anonymous().get(&path).is(200).text(), text, "kept as it came");
    omni.put(&path).body(text).is(200);
    omni.put(&path).body("{}").problem(409, "its manifest cannot become another");
    let served = server.anonymous().get("/v2/archives/omni.kit/omni.kit-1.0.0.json").is(200);
    let archive_path = &served.json()["package"]["archivePath"];
    assert_eq!(archive_path, "archives/omni.kit/omni.kit-1.0.0/a.zip");
    for (wrong, status) in [("{", 400), ("[]", 422), ("{\"package\":1}", 422), ("", 400)] {
        omni.put(&path).body(wrong).is(status);
    }
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    omni.put(&path).body(deep).is(422);
    omni.put(&path).body(vec![b' '; (1 << 20) + 1]).is(413);
}

#[test]
fn requirements_are_set_once() {
    let (server, omni) = with_package();
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "abc");
    let path = format!("{}/requirements", file_path("omni/kit", "stable/1.0.0", "any/a.zip"));
    let wanted =
        json!([{ "type": "os", "name": "linux", "version": "6.1" }, { "type": "lib", "name": "x", "version": "" }]);
    assert_eq!(omni.put(&path).json(&wanted).is(200).json()["requirements"], wanted);
    omni.put(&path).json(&wanted).is(200);
    omni.put(&path).json(&json!([])).problem(409, "its requirements cannot become another");
    let update = server.anonymous().get("/api/v1/updates?id=omni.kit").is(200).json();
    assert_eq!(update["requirements"], wanted);
    let required = server.anonymous().get("/api/v1/requirements?id=omni.kit&version=0.1").is(200).json();
    assert_eq!((&required["items"][0]["version"], &required["items"][0]["requirements"]), (&json!("1.0.0"), &wanted));
    for (wrong, status) in [
        (json!({}), 422),
        (json!([{ "type": "os" }]), 422),
        (json!([{ "type": "os", "name": "x", "extra": 1 }]), 422),
        (json!([{ "type": "os", "name": "x".repeat(257) }]), 422),
        (json!(vec![json!({ "type": "os", "name": "x" }); 1001]), 422),
    ] {
        omni.put(&path).json(&wrong).is(status);
    }
}

#[test]
fn an_archive_may_be_elsewhere() {
    let (server, omni) = with_package();
    let path = format!("{}/external", file_path("omni/kit", "stable/1.0.0", "any/a.zip"));
    let body = json!({ "url": "https://example.org/a%20b.zip", "size": 7, "sha256": ABC_SHA256 });
    omni.post(&path).json(&body).problem(404, "there is no release");
    let path = format!("{path}?create=active");
    let made = omni.post(&path).json(&body).is(201).json();
    assert_eq!((&made["external_url"], &made["size"]), (&body["url"], &json!(7)));
    assert_eq!((&made["filename"], &made["crc32"]), (&Value::Null, &Value::Null));
    omni.post(&path).json(&body).is(200);
    let other = json!({ "url": "https://example.org/other", "size": 7, "sha256": ABC_SHA256 });
    omni.post(&path).json(&other).problem(409, "published files never change");
    let anonymous = server.anonymous();
    for path in [&file_path("omni/kit", "stable/1.0.0", "any/a.zip"), "/v2/archives/omni.kit/omni.kit-1.0.0/a.zip"] {
        assert_eq!(anonymous.get(path).is(302).header("location"), body["url"]);
    }
    assert_eq!(anonymous.get("/api/v1/updates?id=omni.kit").is(200).json()["filename"], body["url"]);
    let line = anonymous.get("/v2/packages/omni.kit.gz").is(200).gunzip();
    assert!(line.contains(r#""archivePath":"https://example.org/a%20b.zip","size":7"#), "{line}");
    for (field, value) in
        [("url", json!("ftp://x")), ("url", json!("//x")), ("sha256", json!("abc")), ("size", json!(-1))]
    {
        let mut wrong = body.clone();
        wrong[field] = value;
        omni.post(&path).json(&wrong).is(422);
    }
}

#[test]
fn a_package_id_means_one_archive() {
    let (_server, omni) = with_package();
    let draft = |release: &str, platform: &str| {
        put(&omni, release, &format!("{platform}/a"), "?create=active&create_platform=true").body("a")
    };
    draft("stable/1.0", "a.b").is(201);
    draft("stable/1.0%2Ba", "b").problem(409, "the package id 1.0+a.b is taken by version 1.0, a.b");
    draft("beta/1.0%2Ba.b", "any").problem(409, "the package id 1.0+a.b is taken");
    draft("stable/1.0%2Bc", "b").is(201);
}

#[test]
fn the_same_bytes_are_kept_once() {
    let (server, omni) = with_package();
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for n in 0..40 {
        omni.publish("omni/kit", &format!("stable/1.0.{n}"), "any/a.zip", bytes.clone());
    }
    // A copy is known as one only when all of it is there, so some of them take turns in the same space.
    let held = std::fs::metadata(server.data().join("blobs/00000001.redb")).unwrap().len();
    assert!(held < 10 * bytes.len() as u64, "{held}");
    omni.delete("/api/v1/packages/omni/kit/releases/stable/1.0.0").is(204);
    assert_eq!(server.anonymous().get(&file_path("omni/kit", "stable/1.0.39", "any/a.zip")).is(200).body, bytes);
}
