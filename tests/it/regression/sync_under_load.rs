//! Syncs of a registry that changes all the time.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::{Cli, Client, Part, Scope, TestServer};

const PACKAGES: usize = 150;
const PUBLISHERS: usize = 4;

fn publish(client: &Client, n: usize) {
    let (id, metadata) = (format!("omni.p{}-1.0.{n}", n % PACKAGES), "{\"package\": {\"title\": \"A package\"}}");
    let parts = [Part::field("package_id", &id), Part::field("metadata", metadata), Part::file("archive", "a", &id)];
    client.post("/registry/publish").form(&parts).is(201);
}

/// Every file of the copy has the checksum that its registry lists.
fn check(dir: &Path) {
    let read = |path: &str| std::fs::read(dir.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let registry: Value = serde_json::from_slice(&read("registry.json")).unwrap();
    for (path, crc) in registry["files"].as_object().unwrap() {
        let text = read(&path.replace(".gz", ".json"));
        assert_eq!(format!("{:08x}", crc32fast::hash(&text)), crc.as_str().unwrap(), "{path}");
    }
}

/// First syncs failed where somebody published 20 times a second, and half of the later ones at 50 times a second: the
/// summaries had always changed between the registry and their own answer. A registry of many packages could never be
/// copied while it was in use.
#[test]
fn syncs_end_while_packages_are_published_all_the_time() {
    let server = TestServer::start();
    let ci = server.token("omni", Scope::Publish);
    (0..PACKAGES).for_each(|n| publish(&ci, n));
    let (published, ends) = (AtomicUsize::new(PACKAGES), AtomicBool::new(false));
    let folder = tempfile::tempdir().unwrap();
    let sync = |dir: &Path| {
        Cli::new(&["sync", &server.origin(), dir.to_str().unwrap(), "--json"]).exits(0);
        check(dir);
    };
    std::thread::scope(|scope| {
        for _ in 0..PUBLISHERS {
            scope.spawn(|| {
                while !ends.load(Ordering::SeqCst) {
                    publish(&ci, published.fetch_add(1, Ordering::SeqCst));
                }
            });
        }
        let updated = folder.path().join("updated");
        for n in 0..10 {
            sync(&folder.path().join(n.to_string()));
            sync(&updated);
        }
        ends.store(true, Ordering::SeqCst);
    });
    assert!(published.into_inner() > PACKAGES + 20, "nobody published meanwhile");
}
