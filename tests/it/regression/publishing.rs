//! Publishing as other people's tools do it: what they send, and what they forget.

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
