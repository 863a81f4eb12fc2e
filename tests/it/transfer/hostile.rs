//! Trees that lie, break off or change: a clear error, and nothing of a release that is not whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use packhouse::client::sync::SyncLimits;
use packhouse::model::Sha256;
use serde_json::json;

use super::site::Site;
use super::tree::{gzip, write_index};
use crate::support::{Cli, Scope, TestServer};

/// A tree with one package of one archive, at that path and with that content.
fn tree(folder: &Path, archive_path: &str) {
    let package = json!({"archivePath": archive_path, "size": 3, "sha256": Sha256::of(b"abc").to_string()});
    let line = format!("1.0.0 {}\n", json!({ "package": package }));
    write_index(folder, &BTreeMap::from([("omni.foo".to_owned(), line)]));
    let own = folder.join("archives/omni.foo/omni.foo-1.0.0");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("foo.zip"), "abc").unwrap();
}

const OWN: &str = "archives/omni.foo/omni.foo-1.0.0/foo.zip";

fn import(server: &TestServer, from: &str) -> Cli {
    Cli::new(&["import", from, "--into", "omni", "--url", &server.origin()]).token(server.secret("omni", Scope::Admin))
}

/// Expects that importing what `spoil` makes of a good tree fails with `why` and makes nothing visible.
#[track_caller]
fn refused(server: &TestServer, why: &str, archive_path: &str, spoil: impl Fn(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path(), archive_path);
    spoil(folder.path());
    let ran = import(server, folder.path().to_str().unwrap()).exits(1);
    assert!(ran.err.contains(why), "{why}:\n{ran}");
    assert!(ran.err.contains("Nothing was published by then"), "{ran}");
    server.anonymous().get("/v2/packages/omni.foo.gz").is(404);
}

#[test]
fn what_is_wrong_is_named_and_stays_out() {
    let server = TestServer::start();
    for path in ["../../../etc/passwd", "/etc/passwd", "archives/%2e%2e/x", "archives/a%2fb", "a\\..\\b"] {
        refused(&server, "this is no path of a tree", path, |_| {});
    }
    refused(&server, "its archive is not in the tree", "archives/omni.foo/omni.foo-1.0.0/other.zip", |_| {});
    refused(&server, "external address", "ftp://example.com/x", |_| {});
    refused(&server, "not", OWN, |dir| fs::write(dir.join(OWN), "abd").unwrap());
    refused(&server, "has 2 bytes instead of 3", OWN, |dir| fs::write(dir.join(OWN), "ab").unwrap());
    refused(&server, "there is no registry.gz here", OWN, |dir| fs::remove_file(dir.join("registry.gz")).unwrap());
    refused(&server, "ends too early", OWN, |dir| {
        let whole = fs::read(dir.join("packages/omni.foo.gz")).unwrap();
        fs::write(dir.join("packages/omni.foo.gz"), &whole[..whole.len() - 9]).unwrap();
    });
    refused(&server, "was read 5 times", OWN, |dir| {
        fs::write(dir.join("packages/omni.foo.gz"), gzip("1 {}\n")).unwrap();
    });
    refused(&server, "was read 5 times", OWN, |dir| fs::remove_file(dir.join("packages/omni.foo.gz")).unwrap());
    refused(&server, "is no path of an index file", OWN, |dir| {
        fs::write(dir.join("registry.gz"), gzip(r#"{"files":{"packages/../../x.gz":"00000000"}}"#)).unwrap();
    });
    refused(&server, "nests JSON deeper", OWN, |dir| {
        fs::write(dir.join("registry.gz"), gzip(&"[".repeat(10_000))).unwrap();
    });
    refused(&server, "a link that leads out of the tree", OWN, |dir| {
        std::os::unix::fs::symlink("/etc/hostname", dir.join("archives/omni.foo/omni.foo-1.0.0.json")).unwrap();
    });
    let manifest = "archives/omni.foo/omni.foo-1.0.0.json";
    refused(&server, "a manifest is", OWN, |dir| fs::write(dir.join(manifest), "[").unwrap());
    refused(&server, "releases/omni.foo.json of the tree cannot be used", OWN, |dir| {
        fs::create_dir(dir.join("releases")).unwrap();
        fs::write(dir.join("releases/omni.foo.json"), "{").unwrap();
    });
    // The draft that was begun is completed by the next run.
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path(), OWN);
    assert!(import(&server, folder.path().to_str().unwrap()).exits(0).out.contains("1 release published"));
    assert_eq!(server.anonymous().get(&format!("/v2/{OWN}")).is(200).text(), "abc");
}

#[test]
fn over_the_wire_it_is_the_same() {
    let server = TestServer::start();
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path(), OWN);
    let site = Site::of(folder.path());
    fs::write(folder.path().join(OWN), "abd").unwrap();
    let failed = import(&server, &site.url()).exits(1);
    assert!(failed.err.contains("its SHA-256 is"), "{failed}");
    server.anonymous().get("/v2/packages/omni.foo.gz").is(404);
    fs::write(folder.path().join(OWN), "abcd").unwrap();
    assert!(import(&server, &site.url()).exits(1).err.contains("more than 3 bytes"));
    fs::write(folder.path().join(OWN), "abc").unwrap();
    import(&server, &site.url()).exits(0);
    server.anonymous().get("/v2/packages/omni.foo.gz").is(200);
}

/// More text than an index file may have, in few bytes.
fn bomb(text_bytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let piece = vec![b' '; 1 << 20];
    for _ in 0..text_bytes.div_ceil(piece.len()) {
        encoder.write_all(&piece).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn bombs_and_bottomless_json_from_an_address_are_refused() {
    let server = TestServer::start();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let of_a_package = bomb((256 << 20) + 1);
    assert!(of_a_package.len() < 4 << 20, "{} bytes are no bomb", of_a_package.len());
    let of_the_registry = bomb(SyncLimits::default().registry_bytes_max as usize + 1);
    type Spoil = Box<dyn Fn(&Path)>;
    let write = |path: &'static str, bytes: Vec<u8>| -> Spoil {
        Box::new(move |folder| fs::write(folder.join(path), &bytes).unwrap())
    };
    let deep_registry = gzip(&format!("{{\"files\":{deep}}}"));
    let deep_lines = format!("1.0.0 {deep}\n");
    let cases: [(Spoil, &str); 5] = [
        (write("registry.gz", of_the_registry), "decompresses to more than"),
        (write("registry.gz", deep_registry), "nests JSON deeper"),
        (write("packages/omni.foo.gz", of_a_package), "decompresses to more than"),
        (
            Box::new(move |folder| {
                write_index(folder, &BTreeMap::from([("omni.foo".to_owned(), deep_lines.clone())]));
            }),
            "nests JSON deeper",
        ),
        (write("archives/omni.foo/omni.foo-1.0.0.json", deep.into_bytes()), "a manifest"),
    ];
    for (spoil, why) in cases {
        let folder = tempfile::tempdir().unwrap();
        tree(folder.path(), OWN);
        spoil(folder.path());
        let site = Site::of(folder.path());
        let ran = import(&server, &site.url()).exits(1);
        assert!(ran.err.contains(why) && ran.err.contains("Nothing was published by then"), "{why}:\n{ran}");
        server.anonymous().get("/v2/packages/omni.foo.gz").is(404);
    }
}

#[test]
fn what_is_published_with_other_bytes_stays() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("foo", "public");
    omni.publish("omni/foo", "stable/1.0.0", "any/foo.zip", "mine");
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path(), OWN);
    let failed = import(&server, folder.path().to_str().unwrap()).exits(1);
    assert!(failed.err.contains("there is another archive already"), "{failed}");
    assert_eq!(server.anonymous().get(&format!("/v2/{OWN}")).is(200).text(), "mine");
}
