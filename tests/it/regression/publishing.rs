//! Publishing as other people's tools do it: what they send, and what they forget.

use serde_json::json;

use crate::support::{Scope, TestServer, file_path};

/// `curl -F file=@app.zip` stored the envelope of the form as the archive, active at once, and answered 201.
#[test]
fn a_form_is_not_stored_as_the_file() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let path = file_path("omni/kit", "stable/1.0.0", "any/app.zip");
    let form = "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nbytes\r\n--x--\r\n";
    let put = omni.put(&format!("{path}?create=active")).header("content-type", "multipart/form-data; boundary=x");
    put.body(form).problem(415, "curl -T app.zip");
    omni.get("/api/v1/packages/omni/kit/releases/stable/1.0.0").is(404);
}

/// A request without any body, as from a client that forgot to set one, published an empty file for good.
#[test]
fn a_request_without_a_body_is_not_an_empty_file() {
    let server = TestServer::start();
    server.omni().make_package("kit", "public");
    let secret = server.secret("omni", Scope::Publish);
    let path = file_path("omni/kit", "stable/1.0.0", "any/empty");
    let head = format!("PUT {path}?create=active HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\n");
    for (length, status) in [("", 411), ("content-length: 0\r\n", 201)] {
        let mut wire = server.connect();
        wire.write(format!("{head}{length}\r\n").as_bytes()).unwrap();
        assert_eq!(wire.read_answer().unwrap().0.status, status, "{length:?}");
    }
}

/// Every file that curl sent had the media type of a web form, so that phones would not install what they downloaded.
#[test]
fn a_media_type_that_says_nothing_is_found_by_the_name() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    for (name, said, expected) in [
        ("app.apk", Some("application/x-www-form-urlencoded"), "application/vnd.android.package-archive"),
        ("app.msix", Some("application/octet-stream"), "application/msix"),
        ("app.dmg", None, "application/x-apple-diskimage"),
        ("app.zip", Some("application/x-own"), "application/x-own"),
    ] {
        let path = file_path("omni/kit", "stable/1.0.0", &format!("any/{name}"));
        let mut put = omni.put(&format!("{path}?create=active")).body(name);
        if let Some(said) = said {
            put = put.header("content-type", said);
        }
        assert_eq!(put.is(201).json()["mime_type"], expected, "{name}");
        assert_eq!(omni.get(&path).is(200).header("content-type"), expected);
    }
}

/// PowerShell writes a byte order mark before JSON; it was answered with "expected value at line 1 column 1".
#[test]
fn json_may_begin_with_a_byte_order_mark() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.post("/api/v1/packages").body("\u{feff}{\"name\": \"kit\"}").is(201);
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "bytes");
    let manifest = format!("{}/manifest", file_path("omni/kit", "stable/1.0.0", "any/a.zip"));
    omni.put(&manifest).body("\u{feff}{\"package\": {\"title\": \"Kit\"}}").is(200);
    omni.post("/api/v1/packages").body(&b"\xff\xfe{\0}\0"[..]).problem(400, "UTF-16");
}

/// A typo made a platform: `linx-x64` was published with exit status 0, and Linux was offered nothing.
#[test]
fn an_unknown_platform_is_refused_with_the_nearest_name() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let path = file_path("omni/kit", "stable/1.0.0", "linx-x64/a.zip");
    let refused = omni.put(&format!("{path}?create=active")).body("x").problem(404, "Did you mean linux-x64?");
    assert!(refused["detail"].as_str().unwrap().contains("create_platform=true"), "{refused}");
    omni.get("/api/v1/packages/omni/kit/releases/stable/1.0.0").is(404);
    let names = omni.get("/api/v1/platforms").is(200).json();
    assert!(!names.to_string().contains("linx-x64"), "{names}");
    omni.put(&format!("{path}?create=active&create_platform=true")).body("x").is(201);
    omni.put(&format!("{path}?create=active&create_platform=perhaps")).body("x").problem(422, "true or false");
    let other = file_path("omni/kit", "stable/1.0.0", "amiga/a.zip");
    let elsewhere = json!({ "url": "https://example.com/a.zip", "size": 1, "sha256": "0".repeat(64) });
    omni.post(&format!("{other}/external")).json(&elsewhere).problem(404, "no platform amiga");
}

/// After a release or a package was deleted, other bytes could come back under the same names, while caches had been
/// told for a year that the bytes never change.
#[test]
fn a_name_that_was_ever_active_keeps_its_bytes() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let put = |package: &str, bytes: &'static str| {
        omni.put(&format!("{}?create=active", file_path(package, "stable/1.0.0", "any/a.zip"))).body(bytes)
    };
    put("omni/kit", "the bytes").is(201);
    omni.delete("/api/v1/packages/omni/kit/releases/stable/1.0.0").is(204);
    put("omni/kit", "other bytes").problem(409, "was published with other bytes");
    omni.delete("/api/v1/packages/omni/kit").is(204);
    omni.make_package("Kit", "public");
    put("omni/Kit", "other bytes").problem(409, "was published with other bytes");
    put("omni/Kit", "the bytes").is(201);
    // A draft was never handed out.
    let draft = file_path("omni/Kit", "beta/2.0.0", "any/a.zip");
    omni.put(&format!("{draft}?create=inactive")).body("one").is(201);
    omni.delete("/api/v1/packages/omni/Kit/releases/beta/2.0.0").is(204);
    omni.put(&format!("{draft}?create=active")).body("other").is(201);
}

/// A file could be added to a release days after it was active, when applications had already updated to it.
#[test]
fn files_are_added_to_an_active_release_for_a_while_only() {
    let server = TestServer::with().flags(&["--release-open", "1s"]).start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "a");
    let b = file_path("omni/kit", "stable/1.0.0", "linux-x64/b.zip");
    let begun = std::time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_millis(1100) {
        std::thread::yield_now();
    }
    omni.put(&b).body("b").problem(409, "late=true");
    // The same bytes again are still a success.
    omni.put(&file_path("omni/kit", "stable/1.0.0", "any/a.zip")).body("a").is(200);
    let mara = server.user("mara");
    omni.put("/api/v1/packages/omni/kit/members/mara").json(&json!({ "role": "maintainer" })).is(201);
    mara.put(&format!("{b}?late=true")).body("b").is(403);
    omni.put(&format!("{b}?late=true")).body("b").is(201);
    let trail = omni.get("/api/v1/packages/omni/kit/audit").is(200).json();
    assert!(trail.to_string().contains("late, to a release that had long been active"), "{trail}");
}

/// `If-Match` and `If-None-Match` did not count for files, so that two pipelines overwrote each other's drafts.
#[test]
fn preconditions_of_files_are_honoured() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let path = file_path("omni/kit", "stable/1.0.0", "any/a.zip");
    let put = |bytes: &'static str| omni.put(&format!("{path}?create=inactive")).body(bytes);
    put("one").header("if-match", "*").problem(412, "is not there");
    put("one").header("if-none-match", "*").is(201);
    put("two").header("if-none-match", "*").problem(412, "is there already");
    let etag = omni.get(&path).is(200).header("etag").to_owned();
    put("two").header("if-none-match", &etag).problem(412, "is there already");
    put("two").header("if-match", "\"other\"").problem(412, "changed meanwhile");
    put("two").header("if-match", &etag).is(200);
    omni.delete(&path).header("if-match", &etag).problem(412, "changed meanwhile");
    let manifest = format!("{path}/manifest");
    omni.put(&manifest).json(&json!({})).header("if-match", "*").problem(412, "is not there");
    omni.put(&manifest).json(&json!({})).header("if-none-match", "*").is(200);
    let now = omni.get(&path).is(200).header("etag").to_owned();
    omni.delete(&path).header("if-match", &now).is(204);
}
