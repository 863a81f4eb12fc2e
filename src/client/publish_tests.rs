//! Publishing against a scripted server: which requests, in which order, and that again is the same.

use std::sync::Mutex;

use serde_json::Value;

use super::super::progress::Silent;
use super::super::test_server::{Reply, TestServer};
use super::*;

const RELEASE: &str = "/api/v1/packages/omni/foo.bar/releases/stable/1.0.0%2Bb";
const FILE: &str = "/files/linux-x64/a%20b.zip";

/// A server's memory of one release.
#[derive(Default)]
struct Memory {
    release: Option<Value>,
}

impl Memory {
    fn answer(&mut self, line: &str, body: &[u8]) -> Reply {
        let (method, path) = line.split_once(' ').unwrap();
        let path = path.strip_prefix(RELEASE).unwrap();
        match (method, path.split_once('?').unwrap_or((path, ""))) {
            ("GET", ("", "")) => match &self.release {
                None => Reply::json(404, &json!({"detail": "no such release"})),
                Some(release) => Reply::json(200, release),
            },
            ("PATCH", ("", "")) => {
                let change: Value = serde_json::from_slice(body).unwrap();
                let release = self.release.as_mut().unwrap();
                for (field, value) in change.as_object().unwrap() {
                    release[field] = value.clone();
                }
                Reply::json(200, release)
            }
            ("PUT", (FILE, create)) => {
                let active = create == "create=active";
                let release =
                    self.release.get_or_insert_with(|| json!({"active": active, "files": [], "description": ""}));
                let file = json!({"platform": "linux-x64", "display_name": "a b.zip", "size": body.len(),
                    "sha256": Sha256::of(body).to_string(), "url": "http://h/file"});
                release["files"] = json!([file]);
                Reply::json(201, &file)
            }
            ("PUT", (path, "")) if path == format!("{FILE}/manifest") => Reply::status(204),
            other => panic!("{other:?}"),
        }
    }
}

async fn server() -> TestServer {
    let memory = Mutex::new(Memory::default());
    TestServer::start(move |seen| memory.lock().unwrap().answer(&seen.line(), &seen.body)).await
}

fn publication(folder: &Path) -> Publication {
    let file = folder.join("a b.zip");
    std::fs::write(&file, b"content").unwrap();
    Publication {
        package: "omni.foo.bar".parse().unwrap(),
        version: "1.0.0+b".parse().unwrap(),
        channel: Some("stable".parse().unwrap()),
        platform: "linux-x64".parse().unwrap(),
        file,
        display_name: "a b.zip".parse().unwrap(),
        manifest: None,
        role: None,
        notes: None,
        draft: false,
        create_platform: false,
    }
}

async fn run(server: &TestServer, publication: &Publication) -> Result<(Published, Vec<String>), String> {
    let published = publish(&server.client(), &server.url, publication, Arc::new(Silent)).await;
    let lines = server.take_lines().iter().map(|line| line.replace(RELEASE, "…").replace(FILE, "/FILE")).collect();
    published.map(|published| (published, lines)).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_file_alone_is_sent_and_visible_at_once_and_again_is_nothing() {
    let (server, folder) = (server().await, tempfile::tempdir().unwrap());
    let (published, lines) = run(&server, &publication(folder.path())).await.unwrap();
    assert_eq!(lines, ["GET …", "PUT …/FILE?create=active"]);
    let expected = Published {
        channel: "stable".parse().unwrap(),
        is_new: true,
        is_active: true,
        url: "http://h/file".into(),
        sha256: Sha256::of(b"content"),
        size_bytes: 7,
        warnings: Vec::new(),
    };
    assert_eq!(published, expected);
    let (again, lines) = run(&server, &publication(folder.path())).await.unwrap();
    assert_eq!(lines, ["GET …"]);
    assert_eq!(again, Published { is_new: false, ..expected });
}

#[tokio::test]
async fn with_a_manifest_a_release_is_completed_before_it_is_visible() {
    let (server, folder) = (server().await, tempfile::tempdir().unwrap());
    let mut publication = publication(folder.path());
    publication.manifest = Some(Manifest::parse(br#"{"package": {"title": "Foo"}}"#).unwrap());
    publication.notes = Some("# New".parse().unwrap());
    let (published, lines) = run(&server, &publication).await.unwrap();
    assert_eq!(lines, ["GET …", "PUT …/FILE?create=inactive", "PUT …/FILE/manifest", "PATCH …", "PATCH …"]);
    assert!(published.is_new && published.is_active);
    let (again, lines) = run(&server, &publication).await.unwrap();
    assert_eq!(lines, ["GET …", "PUT …/FILE/manifest"]);
    assert!(!again.is_new && again.is_active);
}

#[tokio::test]
async fn a_draft_stays_one_until_it_is_published_without_draft() {
    let (server, folder) = (server().await, tempfile::tempdir().unwrap());
    let draft = Publication { draft: true, ..publication(folder.path()) };
    let (published, lines) = run(&server, &draft).await.unwrap();
    assert_eq!(lines, ["GET …", "PUT …/FILE?create=inactive"]);
    assert!(!published.is_active);
    let (published, lines) = run(&server, &publication(folder.path())).await.unwrap();
    assert_eq!(lines, ["GET …", "PATCH …"]);
    assert!(!published.is_new && published.is_active);
}

#[tokio::test]
async fn a_release_whose_time_is_set_is_left_to_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(|seen| match seen.method.as_str() {
        "GET" => Reply::json(200, &json!({"active": false, "publish_at": "2030-01-01T00:00:00Z", "files": []})),
        "PUT" => Reply::json(201, &json!({"platform": "x", "display_name": "y", "url": "http://h/f"})),
        _ => Reply::status(500),
    })
    .await;
    let (published, lines) = run(&server, &publication(folder.path())).await.unwrap();
    assert_eq!(lines, ["GET …", "PUT …/FILE?create=active"]);
    assert!(!published.is_active);
}

#[tokio::test]
async fn digest_length_and_type_go_with_the_file() {
    let (server, folder) = (server().await, tempfile::tempdir().unwrap());
    publish(&server.client(), &server.url, &publication(folder.path()), Arc::new(Silent)).await.unwrap();
    let seen = server.take_seen();
    let put = &seen[1];
    assert_eq!(put.body, b"content");
    assert_eq!(put.field("content-length"), Some("7"));
    assert_eq!(put.field("content-type"), Some("application/zip"));
    assert_eq!(put.field("repr-digest"), Some("sha-256=:7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M=:"));
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(|_| Reply::json(401, &json!({"detail": "sign in"}))).await;
    let error = run(&server, &publication(folder.path())).await.unwrap_err();
    assert!(error.contains("sign in") && error.contains("PACKHOUSE_TOKEN"), "{error}");
    let missing = Publication { file: folder.path().join("none"), ..publication(folder.path()) };
    assert!(run(&server, &missing).await.unwrap_err().contains("none: "));
    let is_folder = Publication { file: folder.path().into(), ..publication(folder.path()) };
    assert!(run(&server, &is_folder).await.unwrap_err().contains("pack a folder"));
}

#[test]
fn base64_as_the_standard_has_it() {
    // RFC 4648 section 10.
    for (plain, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
        assert_eq!(base64(plain.as_bytes()), encoded);
    }
    assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
}
