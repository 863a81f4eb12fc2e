//! Publishing and withdrawing in one call, by forms.

use std::io::{Cursor, Read};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Answer, Client, Part, Request, Scope, TestServer};

const BOUNDARY: &str = "multipart/form-data; boundary=b";

fn manifest(title: &str) -> String {
    json!({
        "package": { "title": title },
        "dependencies": { "filter:platform": { "windows": { "omni.win": {} } } },
        "targets": { "platform": ["windows-x86_64"] },
        "x": [1.10],
    })
    .to_string()
}

fn publish(client: &Client, id: &str, manifest: &str, bytes: &str) -> Answer {
    let parts =
        [Part::field("package_id", id), Part::field("metadata", manifest), Part::file("archive", "a.zip", bytes)];
    client.post("/registry/publish").form(&parts).send()
}

fn bare(client: &Client, id: &str) -> Answer {
    client.post("/registry/publish").form(&[Part::field("package_id", id), Part::file("archive", "a.zip", "a")]).send()
}

fn ids(client: &Client, name: &str) -> Vec<String> {
    let lines = client.get(&format!("/v2/packages/{name}.gz")).is(200).gunzip();
    lines.lines().map(|line| line.split_once(' ').unwrap().0.to_owned()).collect()
}

#[test]
fn one_call_publishes_all_that_is_missing() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    let made = publish(&ci, "omni.foo-1.0.0+wx64.r", &manifest("Foo"), "bytes").is(201).json();
    assert_eq!(made["package_id"], "omni.foo-1.0.0+wx64.r");
    assert_eq!(
        (&made["platform"], &made["display_name"], &made["size"]),
        (&json!("wx64.r"), &json!("a.zip"), &json!(5))
    );
    let anonymous = server.anonymous();
    assert_eq!(
        anonymous.get(made["url"].as_str().unwrap().strip_prefix(&server.origin()).unwrap()).is(200).text(),
        "bytes"
    );
    assert_eq!(ids(&anonymous, "omni.foo"), ["1.0.0+wx64.r"]);
    let line = anonymous.get("/v2/packages/omni.foo.gz").is(200).gunzip();
    assert!(line.contains("filter:platform"), "{line}");
    assert!(anonymous.get("/v2/summaries.gz").is(200).gunzip().contains(r#""title":"Foo""#));
    let kept = anonymous.get("/v2/archives/omni.foo/omni.foo-1.0.0+wx64.r.json").is(200).json();
    assert_eq!(kept["x"], json!([1.10]));
    assert_eq!(kept["package"]["archivePath"], "archives/omni.foo/omni.foo-1.0.0+wx64.r/a.zip");
    // Another platform of the same release.
    publish(&ci, "omni.foo-1.0.0", &manifest("Foo"), "any").is(201);
    assert_eq!(ids(&anonymous, "omni.foo"), ["1.0.0", "1.0.0+wx64.r"]);
}

#[test]
fn fields_come_in_any_order() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (n, order) in orders.into_iter().enumerate() {
        let (id, manifest) = (format!("omni.foo-1.{n}"), manifest("Foo"));
        let parts = order.map(|field| match field {
            0 => Part::field("package_id", &id),
            1 => Part::file("metadata", "manifest.json", &manifest),
            _ => Part::file("archive", "a b.zip", "bytes"),
        });
        let made = ci.post("/registry/publish").form(&parts).is(201).json();
        assert_eq!((&made["package_id"], &made["display_name"]), (&json!(id), &json!("a b.zip")));
        let kept = server.anonymous().get(&format!("/v2/archives/omni.foo/{id}.json")).is(200).json();
        assert_eq!(kept["package"]["title"], "Foo");
    }
}

#[test]
fn again_is_the_same_or_a_conflict() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    publish(&ci, "omni.foo-1.0.0", &manifest("Foo"), "bytes").is(201);
    let serial = server.anonymous().get("/v2/registry.gz").is(200).body;
    publish(&ci, "omni.foo-1.0.0", &manifest("Foo"), "bytes").is(200);
    publish(&ci, "omni.foo-1.0.0", &manifest("Foo"), "other").problem(409, "published files never change");
    publish(&ci, "omni.foo-1.0.0", &manifest("Bar"), "bytes").problem(409, "its manifest cannot become another");
    let renamed = [Part::file("archive", "renamed.zip", "bytes"), Part::field("package_id", "omni.foo-1.0.0")];
    assert_eq!(ci.post("/registry/publish").form(&renamed).is(200).json()["display_name"], "a.zip");
    let renamed = [Part::file("archive", "renamed.zip", "other"), Part::field("package_id", "omni.foo-1.0.0")];
    ci.post("/registry/publish").form(&renamed).problem(409, "published files never change");
    assert_eq!(server.anonymous().get("/v2/registry.gz").is(200).body, serial, "nothing has changed");
    // Refused after the package would have been made: it is not there.
    publish(&ci, "omni.new-1.0.0", "{\"package\":1}", "a").problem(422, "must be an object");
    ci.post("/registry/publish?channel=nope").form(&[Part::field("package_id", "omni.new-1")]).problem(404, "stable");
    ci.get("/api/v1/packages/omni/new").is(404);
    // A draft becomes what is published.
    let draft = "/api/v1/packages/omni/foo/releases/stable/2.0.0/files/any/b.zip?create=inactive";
    ci.put(draft).body("draft").is(201);
    let made = publish(&ci, "omni.foo-2.0.0", &manifest("Foo"), "final").is(200).json();
    assert_eq!((&made["display_name"], &made["size"]), (&json!("b.zip"), &json!(5)));
    assert_eq!(ids(&server.anonymous(), "omni.foo"), ["1.0.0", "2.0.0"]);
}

#[test]
fn hyphens_and_joints_are_read_by_what_there_is() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    let published = |id: &str| bare(&ci, id).is(201).json()["url"].as_str().unwrap().to_owned();
    let place = |id: &str, path: &str| {
        let url = published(id);
        assert!(url.ends_with(&format!("/packages/omni/{path}/a.zip")), "{id}: {url}");
    };
    place("omni.foo-bar-1.0.0-rc.1", "foo-bar/releases/stable/1.0.0-rc.1/files/any");
    place("omni.foo-2", "foo/releases/stable/2/files/any");
    place("omni.foo-bar-r812", "foo-bar/releases/stable/r812/files/any");
    place("omni.foo-baz", "foo/releases/stable/baz/files/any");
    bare(&ci, "omni.new-bar-r812").problem(422, "begins with a digit");
    place("omni.one-r812", "one/releases/stable/r812/files/any");
    // A known platform, or else build metadata.
    place("omni.foo-3.0+git.linux-x64", "foo/releases/stable/3.0%2Bgit/files/linux-x64");
    place("omni.foo-3.1+a.b", "foo/releases/stable/3.1%2Ba.b/files/any");
    // What is there already.
    let draft = "/api/v1/packages/omni/foo/releases/stable/4.0%2Bdfsg/files/any/a.zip?create=active";
    ci.put(draft).body("a").is(201);
    let again = bare(&ci, "omni.foo-4.0+dfsg").is(200).json();
    assert_eq!((&again["platform"], &again["package_id"]), (&json!("any"), &json!("omni.foo-4.0+dfsg")));
    for wrong in ["", "omni.foo", "omni.foo-", "omni-1.0", "Omni.foo-1.0", "omni.foo-1/2", "../x-1"] {
        assert_eq!(bare(&ci, wrong).problem(422, "")["field"], "package_id", "{wrong:?}");
    }
    bare(&ci, &"x".repeat(513)).problem(413, "512");
    ci.post("/registry/publish?channel=beta")
        .form(&[Part::field("package_id", "omni.foo-9"), Part::field("archive", "z")])
        .is(201);
    let beta = ci.get("/api/v1/packages/omni/foo/releases/beta/9").is(200).json();
    assert_eq!(beta["files"][0]["display_name"], "omni.foo-9.zip");
}

#[test]
fn an_archive_may_be_elsewhere() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let url = "https://example.org/foo%20bar.zip";
    let send = |package: Value| {
        let metadata = json!({ "package": package }).to_string();
        let parts = [Part::field("metadata", &metadata), Part::field("package_id", "omni.foo-1.0.0")];
        ci.post("/registry/publish").form(&parts).send()
    };
    send(json!({ "archivePath": url, "size": 3 })).problem(422, "has package.size, in bytes, and package.sha256");
    send(json!({ "archivePath": url, "size": -3, "sha256": sha256 })).problem(422, "has package.size");
    send(json!({ "archivePath": "a/b.zip", "size": 3, "sha256": sha256 })).problem(422, "send the file");
    send(json!({})).problem(422, "send the file");
    ci.get("/api/v1/packages/omni/foo").is(404);
    let whole = json!({ "archivePath": url, "size": 3, "sha256": sha256, "title": "Foo" });
    assert_eq!(send(whole.clone()).is(201).json()["external_url"], url);
    send(whole).is(200);
    let line = server.anonymous().get("/v2/packages/omni.foo.gz").is(200).gunzip();
    assert!(line.contains(&format!(r#""archivePath":"{url}","size":3,"sha256":"{sha256}""#)), "{line}");
}

#[test]
fn an_archive_may_describe_itself() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    let folder = tempfile::tempdir().unwrap();
    let zip = |toml: &str| {
        let path = folder.path().join("a.zip");
        let script = "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:\n \
            z.writestr('big', bytes(1_000_000))\n z.writestr('config/extension.toml', sys.argv[2])";
        let status = Command::new("python3").args(["-c", script]).arg(&path).arg(toml).status().unwrap();
        assert!(status.success());
        std::fs::read(path).unwrap()
    };
    let toml = "[package]\ntitle = 'Foo Ext'\nversion = '1.0.0'\n[dependencies]\n'omni.kit.x' = { optional = true }\n";
    let send = |id: &str, archive: &[u8]| {
        let parts = [Part::field("package_id", id), Part::file("archive", "a.zip", archive)];
        ci.post("/registry/publish").form(&parts).send()
    };
    let archive = zip(toml);
    send("omni.foo-1.0.1", &archive).problem(422, "says package.version 1.0.0, which is not");
    send("omni.foo-1.0.0+wx64.r", &archive).is(201);
    send("omni.foo-1.0.0+wx64.r", &archive).is(200);
    assert!(server.anonymous().get("/v2/summaries.gz").is(200).gunzip().contains(r#""title":"Foo Ext""#));
    let line = server.anonymous().get("/v2/packages/omni.foo.gz").is(200).gunzip();
    assert!(line.contains(r#"{"dependencies":{"omni.kit.x":{"optional":true}},"package""#), "{line}");
    // What is said wins, what cannot be read is refused, and an archive without a directory says nothing.
    let parts = [
        Part::field("package_id", "omni.foo-2.0.0"),
        Part::field("metadata", "{}"),
        Part::file("archive", "a.zip", &archive),
    ];
    ci.post("/registry/publish").form(&parts).is(201);
    send("omni.foo-3.0.0", &zip("[package")).problem(422, "extension.toml in the archive cannot be read: line 1");
    send("omni.foo-3.0.1", &archive[..archive.len() - 9]).is(201);
}

#[test]
fn withdrawing_yanks() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    publish(&ci, "omni.foo-1.0.0+wx64.r", &manifest("Foo"), "bytes").is(201);
    let withdraw = |id: &str, reason: &str| {
        let parts = [Part::field("reason", reason), Part::field("package_id", id)];
        ci.post("/registry/unpublish").form(&parts).send()
    };
    for unknown in ["omni.foo-1.0.0", "omni.foo-1.0.1+wx64.r", "omni.foo-1.0.0+wx64.d", "omni.bar-1.0.0"] {
        withdraw(unknown, "").problem(404, "there is no");
    }
    ci.post("/registry/unpublish").form(&[]).problem(422, "say what is to be withdrawn");
    ci.post("/registry/unpublish").form(&[Part::field("reason", "x")]).problem(422, "say what is to be withdrawn");
    let answer = withdraw("omni.foo-1.0.0+wx64.r", "").is(200).json();
    assert_eq!((&answer["package_id"], &answer["yanked"]), (&json!("omni.foo-1.0.0+wx64.r"), &json!("unpublished")));
    assert_eq!(withdraw("omni.foo-1.0.0+wx64.r", "later").is(200).json()["yanked"], "unpublished");
    let line = server.anonymous().get("/v2/packages/omni.foo.gz").is(200).gunzip();
    assert!(line.contains(r#""yanked":true"#), "{line}");
    assert_eq!(server.anonymous().get("/v2/summaries.gz").is(200).gunzip(), "{}");
    publish(&ci, "omni.foo-1.1.0", &manifest("Foo"), "bytes").is(201);
    assert_eq!(withdraw("omni.foo-1.1.0", " broken ").is(200).json()["yanked"], "broken");
}

#[test]
fn only_who_may_publish_there_does() {
    let server = TestServer::start();
    let (omni, uma) = (server.omni(), server.user("uma"));
    omni.make_package("safe-1", "private");
    omni.make_package("open", "public");
    // A private package is as if it were not there, even for how its hyphens are read.
    let [hidden, unknown] = ["omni.safe-1-2", "omni.gone-1-2"].map(|id| bare(&uma, id).is(404).text());
    assert_eq!(hidden, unknown.replace("gone", "safe"));
    bare(&uma, "omni.open-1").problem(403, "may not do this with omni.open");
    let token =
        |kind: &str| omni.post(&format!("/api/v1/packages/omni/safe-1/tokens/{kind}")).is(201).json()["token"].clone();
    let (private, access) = (token("private"), token("access"));
    let private = private.as_str().unwrap();
    let parts = [Part::field("package_id", "omni.safe-1-2"), Part::field("archive", "a")];
    let made = server.anonymous().post(&format!("/t/{private}/registry/publish")).form(&parts).is(201).json();
    assert!(made["url"].as_str().unwrap().contains("/safe-1/releases/stable/2/"), "{made}");
    bare(&server.bearer(private), "omni.other-1").problem(404, "no package omni.other");
    bare(&server.bearer(access.as_str().unwrap()), "omni.safe-1-3").problem(403, "only reads");
    bare(&server.token("omni", Scope::Read), "omni.open-1").problem(403, "scope");
    bare(&server.anonymous(), "omni.open-1").problem(401, "sign in");
    // New packages are public unless it is said.
    let parts = [Part::field("package_id", "uma.mine-1"), Part::field("archive", "a")];
    uma.post("/registry/publish?visibility=private").form(&parts).is(201);
    uma.post("/registry/publish?visibility=secret").form(&parts).problem(422, "public or private");
    server.anonymous().get("/api/v1/packages/uma/mine").is(404);
    bare(&uma, "uma.open-1").is(201);
    server.anonymous().get("/api/v1/packages/uma/open").is(200);
    bare(&uma, "uma.Open-1").problem(409, "is taken");
}

#[test]
fn broken_forms_are_refused_and_leave_nothing() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    let raw = |content_type: &str, body: String| -> Request {
        ci.post("/registry/publish").header("content-type", content_type).body(body)
    };
    let field =
        |name: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n");
    let (id, archive) = (field("package_id", "omni.foo-1"), field("archive", "a"));
    let whole = format!("{id}{archive}--b--");
    for (content_type, body, status) in [
        ("multipart/form-data", whole.clone(), 400),
        ("multipart/form-data; boundary=", whole.clone(), 400),
        ("multipart/form-data; boundary=other", whole.clone(), 400),
        ("application/json", whole.clone(), 415),
        (BOUNDARY, String::new(), 400),
        (BOUNDARY, format!("{id}{archive}"), 400),
        (BOUNDARY, format!("{id}{archive}--b"), 400),
        (BOUNDARY, format!("{}--b--", id.repeat(1000)), 422),
        (BOUNDARY, format!("{id}{}--b--", field("other", "x")), 422),
        (BOUNDARY, format!("{id}{archive}{archive}--b--"), 422),
        (BOUNDARY, format!("--b\r\nX: {}\r\n\r\n\r\n--b--", "x".repeat(100_000)), 400),
        (BOUNDARY, format!("--b\r\n{}\r\n--b--", "X: y\r\n".repeat(10_000)), 400),
        (BOUNDARY, format!("{id}{}--b--", field("metadata", &" ".repeat(1 << 21))), 413),
        (BOUNDARY, format!("{id}{archive}{}--b--", field("metadata", "{")), 400),
        (BOUNDARY, format!("{id}{archive}{}--b--", field("metadata", "[]")), 422),
        (BOUNDARY, format!("{id}--b--"), 422),
        (BOUNDARY, format!("{archive}--b--"), 422),
        (BOUNDARY, format!("{whole}{}", "x".repeat(100_000)), 400),
        (BOUNDARY, format!("{}{whole}", "x".repeat(100_000)), 400),
    ] {
        let start: String = body.chars().take(80).collect();
        let answer = raw(content_type, body).send();
        assert_eq!(answer.status, status, "{content_type} {start}\n{answer}");
        answer.problem(status, "");
    }
    // The length says more than comes, and less.
    let token =
        server.omni().post("/api/v1/tokens").json(&json!({ "name": "ci", "scopes": ["publish"] })).is(201).json();
    let token = token["secret"].as_str().unwrap();
    for (length, cut) in [(whole.len() + 100, true), (whole.len() - 3, false)] {
        let mut wire = server.connect();
        let head = format!(
            "POST /registry/publish HTTP/1.1\r\nhost: x\r\ncontent-type: {BOUNDARY}\r\ncontent-length: {length}\r\n"
        );
        wire.write(format!("{head}authorization: Bearer {token}\r\nconnection: close\r\n\r\n{whole}").as_bytes())
            .unwrap();
        if cut {
            wire.end_writing();
        }
        let answer = String::from_utf8_lossy(&wire.read_to_end().unwrap()).into_owned();
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    ci.get("/api/v1/packages/omni/foo").is(404);
    raw(BOUNDARY, whole).is(201);
}

#[test]
fn a_large_archive_before_its_name_stays_out_of_memory() {
    const ARCHIVE_BYTES: u64 = 300 << 20;
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    let front = b"--b\r\nContent-Disposition: form-data; name=archive; filename=a.bin\r\n\r\n".to_vec();
    let back = b"\r\n--b\r\nContent-Disposition: form-data; name=package_id\r\n\r\nomni.foo-1\r\n--b--\r\n".to_vec();
    let length = front.len() as u64 + ARCHIVE_BYTES + back.len() as u64;
    // Every line could be the beginning of a boundary.
    let archive = std::iter::repeat(*b"\r\n--a\0\0").flatten().take(ARCHIVE_BYTES as usize);
    let body = Cursor::new(front).chain(Bytes(archive)).chain(Cursor::new(back));
    let made = ci.post("/registry/publish").header("content-type", BOUNDARY).reader(length, body).is(201).json();
    assert_eq!(made["size"], ARCHIVE_BYTES);
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim();
    let peak_kib: u64 = peak.trim_end_matches(" kB").trim().parse().unwrap();
    assert!(peak_kib < 160 << 10, "the server took {peak}");
}

/// Bytes that are made as they are read.
struct Bytes<I>(I);

impl<I: Iterator<Item = u8>> Read for Bytes<I> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut count = 0;
        for (slot, byte) in buffer.iter_mut().zip(&mut self.0) {
            *slot = byte;
            count += 1;
        }
        Ok(count)
    }
}

#[test]
fn a_client_of_another_house_publishes_and_withdraws() {
    let server = TestServer::start();
    let made =
        server.omni().post("/api/v1/tokens").json(&json!({ "name": "ci", "scopes": ["publish"] })).is(201).json();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/registry_publish.py");
    let output =
        Command::new("python3").args([script, &server.origin()]).arg(made["secret"].as_str().unwrap()).output();
    let output = output.expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn ids_of(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// A new package used to become a version of another one, `body-1.0.0` of `omni.http`, where its name went on with a
/// hyphen.
#[test]
fn a_name_that_goes_on_with_a_hyphen_is_a_package_of_its_own() {
    let server = TestServer::start();
    let omni = server.omni();
    let publish = |id: &str| {
        let fields = [Part::field("package_id", id), Part::file("archive", "a", id)];
        omni.post("/registry/publish").form(&fields).send().status
    };
    for id in ["omni.http-1.0.0", "omni.http-body-1.0.0", "omni.http-body-util-0.1.0", "omni.http-body-1.1.0"] {
        assert_eq!((publish(id), publish(id)), (201, 200), "{id}");
    }
    // A version that begins with a letter is found again where it is.
    omni.publish("omni/http", "stable/r8-1", "any/r8", "omni.http-r8-1");
    assert_eq!(publish("omni.http-r8-1"), 200);
    let ids = |name: &str| {
        let lines = server.anonymous().get(&format!("/v2/packages/omni.{name}.gz")).is(200).gunzip();
        lines.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("http-body"), ["1.0.0", "1.1.0"]);
    assert_eq!(ids("http-body-util"), ["0.1.0"]);
    // A name may go on with a digit as well: `md-5` used to become version `5-0.11.0` of `md`.
    for id in ["omni.md-5-0.11.0", "omni.md-0.1.0", "omni.md-5-0.12.0", "omni.md-6-1.0+wx64.r", "omni.md-0.2.0-5.1"] {
        assert_eq!((publish(id), publish(id)), (201, 200), "{id}");
    }
    assert_eq!((ids("md-5"), ids("md")), (ids_of(&["0.11.0", "0.12.0"]), ids_of(&["0.1.0", "0.2.0-5.1"])));
    assert_eq!(ids("md-6"), ["1.0+wx64.r"]);
    let http = ids("http");
    assert!(http.len() == 2 && http.contains(&"1.0.0".to_owned()) && http.contains(&"r8-1".to_owned()), "{http:?}");
}
