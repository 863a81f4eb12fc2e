//! Registry 2.0 clients: how package ids are read, archives that describe themselves, and one base URL for it all.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Answer, Cli, Client, Part, Scope, TestServer};

fn publish(client: &Client, id: &str, metadata: &Value) -> Answer {
    let metadata = metadata.to_string();
    let parts =
        [Part::field("package_id", id), Part::field("metadata", &metadata), Part::file("archive", "a.zip", "bytes")];
    client.post("/registry/publish").form(&parts).send()
}

fn ids(server: &TestServer, name: &str) -> Vec<String> {
    let lines = server.anonymous().get(&format!("/v2/packages/{name}.gz")).is(200).gunzip();
    lines.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// `gir1.2-gdkpixbuf-2.0` in version `2.42.10` became version `2.0-2.42.10` of `gir1.2-gdkpixbuf`, although the metadata
/// said name and version, and `1.0.0+build.5` lost its build to a new platform `build.5`. Both were answered with 201.
#[test]
fn the_metadata_says_where_a_package_id_is_split() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    for (n, (name, version)) in [
        ("gir1.2-gdkpixbuf-2.0", "2.42.10"),
        ("gir1.2-gdkpixbuf-2.0", "2.42.10-rc1"),
        ("python-3.11-2", "r5-1"),
        ("lib-1-2", "3-4-5"),
        ("sv", "1.0.0+build.5"),
        ("sv", "1.0.0"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("omni.{name}-{version}");
        let said = if n % 2 == 0 { format!("omni.{name}") } else { name.to_owned() };
        let metadata = json!({ "package": { "name": said, "version": version } });
        for status in [201, 200] {
            let made = publish(&ci, &id, &metadata).is(status).json();
            assert_eq!((&made["package_id"], &made["platform"]), (&json!(id), &json!("any")), "{id}");
        }
        assert!(ids(&server, &format!("omni.{name}")).contains(&version.to_owned()), "{id}");
    }
    // The version alone says enough.
    let version = json!({ "package": { "version": "2.42.10" } });
    let made = publish(&ci, "omni.gir1.2-glib-2.0-2.42.10+wx64.r", &version).is(201).json();
    assert_eq!(made["platform"], "wx64.r");
    assert_eq!(ids(&server, "omni.gir1.2-glib-2.0"), ["2.42.10+wx64.r"]);
    // What was published so is withdrawn by its id alone.
    for id in ["omni.gir1.2-gdkpixbuf-2.0-2.42.10", "omni.python-3.11-2-r5-1", "omni.sv-1.0.0+build.5"] {
        let form = [Part::field("package_id", id)];
        assert_eq!(ci.post("/registry/unpublish").form(&form).is(200).json()["package_id"], id);
    }
    // A platform is known by the owner's platforms, or by the targets that the metadata names.
    let title = json!({ "package": { "title": "x" } });
    for (id, metadata, platform) in [
        ("omni.a-1.0+build.6", &title, "any"),
        ("omni.a-1.1+linux-x64", &title, "linux-x64"),
        ("omni.a-1.2+wx64.r", &title, "wx64.r"),
        ("omni.a-1.3+lx64.r", &json!({ "targets": { "platform": ["linux-x86_64"] } }), "lx64.r"),
        ("omni.a-1.4+lx64.d", &json!({ "package": { "target": { "config": ["debug"] } } }), "lx64.d"),
    ] {
        assert_eq!(publish(&ci, id, metadata).is(201).json()["platform"], platform, "{id}");
    }
}

/// Metadata that contradicts the id was published all the same.
#[test]
fn metadata_that_contradicts_the_package_id_is_refused() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    for (package, why) in [
        (json!({ "name": "omni.bar" }), "package.name omni.bar"),
        (json!({ "name": "omni.foo", "version": "1.0.1" }), "package.version 1.0.1"),
        (json!({ "version": "0.0" }), "package.version 0.0"),
        (json!({ "version": 1.0 }), "package.version is a text"),
    ] {
        let metadata = json!({ "package": package });
        publish(&ci, "omni.foo-1.0.0", &metadata).problem(422, why);
        // Whichever comes first.
        let metadata = metadata.to_string();
        let parts = [
            Part::file("archive", "a", "bytes"),
            Part::field("metadata", &metadata),
            Part::field("package_id", "omni.foo-1.0.0"),
        ];
        ci.post("/registry/publish").form(&parts).problem(422, why);
    }
    ci.get("/api/v1/packages/omni/foo").is(404);
}

/// An `extension.toml` with a date, a big number or a comment in another character set, or under the name that Windows
/// tools give it, was dropped with its dependencies, and so was one that is compressed by Zstandard.
#[test]
fn an_extension_toml_is_read_or_refused_with_the_reason() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    let folder = tempfile::tempdir().unwrap();
    let zip = |name: &str, method: &str, toml: &[u8]| {
        let (path, source) = (folder.path().join("a.zip"), folder.path().join("a.toml"));
        std::fs::write(&source, toml).unwrap();
        let script = "import sys, zipfile\nclass Info(zipfile.ZipInfo):\n pass\n\
            i = zipfile.ZipInfo('x')\ni.filename = sys.argv[3]\ni.compress_type = getattr(zipfile, sys.argv[4])\n\
            with zipfile.ZipFile(sys.argv[1], 'w') as z:\n z.writestr(i, open(sys.argv[2], 'rb').read())";
        let status = Command::new("python3").args(["-c", script]).args([&path, &source]).args([name, method]).status();
        assert!(status.unwrap().success());
        std::fs::read(path).unwrap()
    };
    let send = |id: &str, archive: &[u8]| {
        let parts = [Part::field("package_id", id), Part::file("archive", "a.zip", archive)];
        ci.post("/registry/publish").form(&parts).send()
    };
    let toml = b"# \xfcber\r\n[package]\r\ntitle = 'Foo'\r\nversion = '1.0.0'\r\n[dependencies]\r\n'omni.ui' = {}\r\n\
        [core]\r\nbuilt = 2024-10-04T05:06:07Z\r\nseed = 123456789012345678901234567890\r\n";
    let names = ["config/extension.toml", "config\\extension.toml", "./config/extension.toml", "extension.toml"];
    for (n, name) in names.into_iter().enumerate() {
        let method = ["ZIP_DEFLATED", "ZIP_STORED"][n % 2];
        send(&format!("omni.p{n}-1.0.0"), &zip(name, method, toml)).is(201);
        let lines = server.anonymous().get(&format!("/v2/packages/omni.p{n}.gz")).is(200).gunzip();
        assert!(lines.contains(r#""dependencies":{"omni.ui":{}}"#), "{name}: {lines}");
    }
    let squeezed = zip("config/extension.toml", "ZIP_BZIP2", toml);
    send("omni.q-1.0.0", &squeezed).problem(422, "it is compressed by bzip2 (method 12); store or deflate it");
    send("omni.q-1.0.0", &zip("extension.toml", "ZIP_STORED", b"[package]\nx = \n")).problem(422, "line 2");
    send("omni.q-1.0.0", &zip("extension.toml", "ZIP_STORED", b"[package]\ntitle = '\xe9'")).problem(422, "UTF-8");
    ci.get("/api/v1/packages/omni/q").is(404);
    // Metadata takes the place of a description that cannot be read.
    let parts = [
        Part::field("package_id", "omni.q-1.0.0"),
        Part::field("metadata", "{}"),
        Part::file("archive", "a.zip", &squeezed),
    ];
    ci.post("/registry/publish").form(&parts).is(201);
}

/// An archive elsewhere whose size and digest nobody says was refused, so registries that others made could not be taken
/// over. Now it is published as it is, and installed only where it is named as not verified.
#[test]
fn an_archive_elsewhere_may_come_without_size_and_digest() {
    let (server, elsewhere) = (TestServer::start(), TestServer::start());
    elsewhere.omni().make_package("store", "public");
    elsewhere.omni().publish("omni/store", "stable/1.0.0", "any/far.zip", "bytes");
    let url = format!("{}/api/v1/packages/omni/store/releases/stable/1.0.0/files/any/far.zip", elsewhere.origin());
    let ci = server.token("omni", Scope::Publish);
    let send = |package: Value| {
        let metadata = json!({ "package": package }).to_string();
        let parts = [Part::field("metadata", &metadata), Part::field("package_id", "omni.far-1.0.0")];
        ci.post("/registry/publish").form(&parts).send()
    };
    let made = send(json!({ "archivePath": url })).is(201).json();
    assert_eq!((&made["size"], &made["sha256"], &made["external_url"]), (&Value::Null, &Value::Null, &json!(url)));
    let line = || server.anonymous().get("/v2/packages/omni.far.gz").is(200).gunzip();
    assert_eq!(line(), format!("1.0.0 {{\"package\":{{\"archivePath\":\"{url}\"}}}}\n"));
    let update = server.anonymous().get("/api/v1/updates?id=omni.far").is(200).json();
    assert_eq!((&update["filename"], &update["sha256"]), (&json!(url), &Value::Null));
    send(json!({ "archivePath": url, "size": 5 })).problem(422, "or neither");

    let folder = tempfile::tempdir().unwrap();
    let [index, into] = ["index", "into"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let sync = || drop(Cli::new(&["sync", &server.origin(), &index]).exits(0));
    sync();
    let origin = server.origin();
    let install = |flags: &[&str]| {
        Cli::new(&["install", "omni.far", "--into", &into, "--index", &index, "--url", &origin]).and(flags)
    };
    let refused = install(&[]).exits(1);
    assert!(refused.err.contains("--allow-unverified omni.far takes it as it comes"), "{refused}");
    install(&["--allow-unverified", "omni.other"]).exits(1);
    let taken = install(&["--allow-unverified", "omni.far"]).exits(0);
    assert!(taken.err.contains("is not verified"), "{taken}");
    assert_eq!(std::fs::read(format!("{into}/omni.far-1.0.0/far.zip")).unwrap(), b"bytes");
    // What came first is locked, so that it is verified from then on.
    std::fs::remove_dir_all(format!("{into}/omni.far-1.0.0")).unwrap();
    install(&[]).exits(0);

    // Whoever has the bytes says what they are; after that, nothing else can be said.
    let sha256 = sha256_of("bytes");
    let known = json!({ "archivePath": url, "size": 5, "sha256": sha256 });
    send(json!({ "archivePath": format!("{url}x"), "size": 5, "sha256": sha256 })).problem(409, "never change");
    let metadata = json!({ "package": known }).to_string();
    let path = "/api/v1/packages/omni/far/releases/stable/1.0.0/files/any/omni.far-1.0.0.zip/external";
    let said = ci.post(path).json(&json!({ "url": url, "size": 5, "sha256": sha256 })).is(200).json();
    assert_eq!((&said["size"], &said["sha256"]), (&json!(5), &json!(sha256)), "{metadata}");
    ci.post(path).json(&json!({ "url": url, "size": 6, "sha256": sha256 })).problem(409, "never change");
    send(json!({ "archivePath": url })).is(200);
    assert!(line().contains(&format!("\"size\":5,\"sha256\":\"{sha256}\"")), "{}", line());
    sync();
    install(&["--update"]).exits(0);
}

fn sha256_of(text: &str) -> String {
    packhouse::model::Sha256::of(text.as_bytes()).to_string()
}

/// Clients that are told one base URL read `/kit/v2/` from it and publish to `/kit/registry/publish`, which was not there.
/// They send withdrawals, and archives elsewhere, as URL-encoded forms, which were refused with 415.
#[test]
fn one_base_url_does_for_reading_and_publishing() {
    let server = TestServer::start();
    let token = server.omni().post("/api/v1/tokens").json(&json!({ "name": "kit", "scopes": ["publish"] }));
    let token = token.is(201).json()["secret"].as_str().unwrap().to_owned();
    let base = format!("/t/{token}/kit");
    let metadata = json!({ "package": { "name": "omni.foo", "version": "1.0.0" } }).to_string();
    let parts = [
        Part::field("package_id", "omni.foo-1.0.0+wx64.r"),
        Part::field("metadata", &metadata),
        Part::file("archive", "foo.zip", "bytes"),
    ];
    let anonymous = server.anonymous();
    anonymous.post(&format!("{base}/registry/publish")).form(&parts).is(201);
    server.token("omni", Scope::Publish).post("/kit/registry/publish").form(&parts).is(200);
    anonymous.post("/kit/registry/publish").form(&parts).is(401);
    let summaries = anonymous.get(&format!("{base}/v2/summaries.gz")).is(200).gunzip();
    assert!(summaries.contains("\"omni.foo-1.0.0+wx64.r\""), "{summaries}");
    let encoded = |path: &str, body: &str| {
        let request = anonymous.post(&format!("{base}{path}"));
        request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8").body(body.to_owned()).send()
    };
    let withdrawn = encoded("/registry/unpublish", "package_id=omni.foo-1.0.0%2Bwx64.r&reason=too+loud").is(200).json();
    assert_eq!((&withdrawn["version"], &withdrawn["yanked"]), (&json!("1.0.0"), &json!("too loud")));
    // A plus sign that was not escaped.
    assert_eq!(encoded("/registry/unpublish", "package_id=omni.foo-1.0.0+wx64.r").is(200).json()["yanked"], "too loud");
    let elsewhere = "package_id=omni.far-1.0.0&metadata=%7B%22package%22%3A%7B%22archivePath%22%3A%22https%3A%2F%2F\
        example.org%2Ffar.zip%22%2C%22size%22%3A3%2C%22sha256%22%3A%22\
        ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad%22%7D%7D";
    let made = encoded("/registry/publish", elsewhere).is(201).json();
    assert_eq!(made["external_url"], "https://example.org/far.zip");
    encoded("/registry/publish", "package_id=omni.near-1.0.0&archive=bytes").problem(422, "multipart/form-data");
    encoded("/registry/publish", &format!("package_id=omni.near-1.0.0&metadata={}", "x".repeat(2 << 20))).is(413);
    encoded("/registry/unpublish", &"a=1&".repeat(17)).problem(400, "at most 16 fields");
}
