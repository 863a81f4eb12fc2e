//! `sync`: like git pull, only what changed, complete or untouched.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Cli, Client, Part, Scope, TestServer};

/// A client of the same index that shares no line with ours.
const OTHER_CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/sync.py");

const PACKAGES: usize = 12;

fn with_packages() -> TestServer {
    let server = TestServer::start();
    let omni = server.omni();
    for n in 0..PACKAGES {
        omni.make_package(&format!("p{n}"), "public");
        omni.publish(&format!("omni/p{n}"), "stable/1.0.0", "any/a", format!("{n}"));
    }
    server
}

fn sync(server: &TestServer, dir: &Path) -> Value {
    Cli::new(&["sync", &server.origin(), dir.to_str().unwrap(), "--json"]).exits(0).json()
}

/// How often each route was asked for since the log had that length.
fn asked(server: &TestServer, since: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in server.settled_log()[since..].lines() {
        let (_, rest) = line.split_once("route=\"").unwrap_or_default();
        if let Some((route, _)) = rest.split_once('"') {
            *counts.entry(route.to_owned()).or_default() += 1;
        }
    }
    counts
}

#[test]
fn only_what_changed_is_fetched() {
    let server = with_packages();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("index");
    let begun = server.settled_log().len();
    let first = sync(&server, &dir);
    assert_eq!((first["added"].as_array().unwrap().len(), &first["new_state"]), (PACKAGES, &json!(true)));
    assert_eq!(asked(&server, begun)["index_package"], PACKAGES);
    for n in 0..PACKAGES {
        let held = std::fs::read_to_string(dir.join(format!("packages/omni.p{n}.json"))).unwrap();
        assert_eq!(held, server.anonymous().get(&format!("/v2/packages/omni.p{n}.gz")).is(200).gunzip());
    }
    let summaries = std::fs::read_to_string(dir.join("summaries.json")).unwrap();
    assert_eq!(summaries, server.anonymous().get("/v2/summaries.gz").is(200).gunzip());

    let begun = server.settled_log().len();
    let again = sync(&server, &dir);
    assert_eq!((&again["new_state"], &again["files_fetched"]), (&json!(false), &json!(0)));
    let counts = asked(&server, begun);
    assert!(!counts.contains_key("index_package") && !counts.contains_key("index_summaries"), "{counts:?}");

    let omni = server.omni();
    omni.publish("omni/p3", "stable/1.1.0", "any/a", "new");
    omni.delete("/api/v1/packages/omni/p5").is(204);
    omni.make_package("new", "public");
    omni.publish("omni/new", "stable/1.0.0", "any/a", "new");
    let begun = server.settled_log().len();
    let third = sync(&server, &dir);
    assert_eq!(
        (&third["added"], &third["changed"], &third["removed"]),
        (&json!(["omni.new"]), &json!(["omni.p3"]), &json!(["omni.p5"]))
    );
    let counts = asked(&server, begun);
    // What changed is told, with its summaries and lines: there is nothing else to fetch.
    assert_eq!((counts["index_changes"], &third["files_fetched"]), (1, &json!(2)), "{counts:?}");
    assert!(!counts.contains_key("index_package") && !counts.contains_key("index_summaries"), "{counts:?}");
    assert!(!counts.contains_key("index_registry"), "{counts:?}");
    assert!(!dir.join("packages/omni.p5.json").exists());
    assert!(std::fs::read_to_string(dir.join("packages/omni.p3.json")).unwrap().contains("1.1.0"));
}

#[test]
fn what_is_damaged_is_fetched_again_when_asked() {
    let server = with_packages();
    let folder = tempfile::tempdir().unwrap();
    sync(&server, folder.path());
    let file = folder.path().join("packages/omni.p1.json");
    std::fs::write(&file, "damaged").unwrap();
    std::fs::remove_file(folder.path().join("packages/omni.p2.json")).unwrap();
    let words = ["sync", &server.origin(), folder.path().to_str().unwrap(), "--verify", "--json"];
    let report = Cli::new(&words).exits(0).json();
    assert_eq!(report["files_fetched"], 2, "{report}");
    assert_eq!(
        std::fs::read_to_string(file).unwrap(),
        server.anonymous().get("/v2/packages/omni.p1.gz").is(200).gunzip()
    );
}

#[test]
fn without_a_server_everything_stays() {
    let mut server = with_packages();
    let folder = tempfile::tempdir().unwrap();
    sync(&server, folder.path());
    let summaries = std::fs::read(folder.path().join("summaries.json")).unwrap();
    server.stop();
    let failed = Cli::new(&["sync", &server.origin(), folder.path().to_str().unwrap()]).exits(1);
    assert!(failed.out.is_empty() && failed.err.starts_with("error: "), "{failed}");
    assert_eq!(std::fs::read(folder.path().join("summaries.json")).unwrap(), summaries);
}

#[test]
fn a_channel_is_a_view_of_its_own() {
    let server = with_packages();
    server.omni().publish("omni/p1", "beta/2.0.0", "any/a", "beta");
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let people = Cli::new(&["sync", &server.origin(), dir, "--channel", "beta"]).exits(0).out;
    assert!(people.contains("+ omni.p1\n") && people.contains("12 added"), "{people}");
    assert!(std::fs::read_to_string(folder.path().join("packages/omni.p1.json")).unwrap().contains("2.0.0"));
    Cli::new(&["sync", &server.origin(), dir, "--channel", "nope"]).exits(1);
}

/// What the other client keeps of a view, and what it did.
fn sync_by_the_other(root: &str, dir: &Path) -> Value {
    let output = Command::new("python3").arg(OTHER_CLIENT).arg(root).arg(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The files of a local copy, by name.
fn copy_in(dir: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for name in ["registry.json", "summaries.json"] {
        files.insert(name.to_owned(), std::fs::read_to_string(dir.join(name)).unwrap());
    }
    for entry in std::fs::read_dir(dir.join("packages")).into_iter().flatten() {
        let path = entry.unwrap().path();
        files.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap());
    }
    files
}

#[test]
fn another_client_keeps_the_same_copy_to_the_byte() {
    let server = with_packages();
    let omni = server.omni();
    omni.make_package("long", "public");
    omni.make_package("safe", "private");
    omni.publish("omni/safe", "stable/1.0.0", "any/a", "private");
    let token = omni.post("/api/v1/packages/omni/safe/tokens/access").is(201).json()["token"].clone();
    let opened = format!("{}/t/{}", server.origin(), token.as_str().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let origins = [server.origin(), opened];
    // Steps on which both are brought up to date: what is published, changed and deleted, and how many files that is.
    let steps: [(Change, usize); 5] = [
        (&|_| (), PACKAGES + 1),
        (&|_| (), 0),
        (&|omni| drop(omni.publish("omni/p3", "stable/1.1.0", "wx64.r/a", "new")), 2),
        // Long enough for several segments.
        (&|omni| (0..60).for_each(|n| publish_long(omni, n)), 2),
        (&|omni| drop(omni.delete("/api/v1/packages/omni/p5").is(204)), 1),
    ];
    for (at, (change, fetched)) in steps.iter().enumerate() {
        change(&omni);
        for (origin, kind) in origins.iter().zip(["public", "private"]) {
            let (ours, other) = (folder.path().join(kind), folder.path().join(format!("other-{kind}")));
            Cli::new(&["sync", origin, ours.to_str().unwrap()]).exits(0);
            let did = sync_by_the_other(&format!("{origin}/v2/"), &other);
            let fetched = fetched + usize::from(at == 0 && kind == "private");
            assert_eq!(did["fetched"], fetched, "step {at}, {kind}: {did}");
            assert_eq!(copy_in(&ours), copy_in(&other), "step {at}, {kind}");
            assert_eq!(copy_in(&other).contains_key("omni.safe.json"), kind == "private");
        }
    }
    let lines = copy_in(&folder.path().join("public"))["omni.long.json"].len();
    assert!(lines > 150_000, "{lines} bytes are no long file");
}

/// What is done to the server between two syncs.
type Change<'a> = &'a dyn Fn(&Client);

fn publish_long(omni: &Client, n: usize) {
    let words: Vec<String> = (0..100).map(|word| format!("omni.p{}", word * n)).collect();
    let dependencies: serde_json::Map<String, Value> =
        words.into_iter().map(|name| (name, json!({ "version": "^1.0" }))).collect();
    let manifest = json!({ "dependencies": dependencies }).to_string();
    let (id, archive) = (format!("omni.long-1.{n}.0"), format!("{n}"));
    let parts =
        [Part::field("package_id", &id), Part::field("metadata", &manifest), Part::file("archive", "a", &archive)];
    omni.post("/registry/publish").form(&parts).is(201);
}

/// A serial does not say whose state it was: who is let in or loses a package used to be told by nothing but
/// `registry.gz`, which readers of private packages had to read whole for every change.
#[test]
fn readers_of_private_packages_are_told_what_changed_for_them() {
    let server = with_packages();
    let (omni, uma) = (server.omni(), server.user("uma"));
    for name in ["safe", "vault"] {
        omni.make_package(name, "private");
        omni.publish(&format!("omni/{name}"), "stable/1.0.0", "any/a", name);
    }
    let let_in = |name: &str| {
        drop(omni.put(&format!("/api/v1/packages/omni/{name}/members/uma")).json(&json!({"role": "reader"})).send());
    };
    let_in("safe");
    let [own, shared] = ["omni", "uma"].map(|user| server.secret(user, Scope::Read));
    let folder = tempfile::tempdir().unwrap();
    let dir = |name: &str| folder.path().join(name);
    let sync_as = |secret: &str, to: &str| {
        let report = Cli::new(&["sync", &server.origin(), dir(to).to_str().unwrap(), "--json"]).token(secret).exits(0);
        report.json()
    };
    let held = |to: &str| -> Vec<String> {
        copy_in(&dir(to)).into_keys().filter(|name| name.contains("safe") || name.contains("vault")).collect()
    };
    sync_as(own, "own");
    sync_as(shared, "shared");
    assert_eq!((held("own").len(), held("shared").len()), (2, 1));

    let wholes = std::cell::Cell::new(0);
    let same_as_whole = |secret: &str, to: &str| {
        wholes.set(wholes.get() + 1);
        let whole = format!("whole-{}", wholes.get());
        sync_as(secret, &whole);
        assert_eq!(copy_in(&dir(to)), copy_in(&dir(&whole)));
    };
    // What changes for one is told with what changes for all.
    omni.publish("omni/safe", "stable/1.1.0", "any/a", "new");
    omni.publish("omni/p1", "stable/1.1.0", "any/a", "new");
    for (secret, to) in [(&own, "own"), (&shared, "shared")] {
        let begun = server.settled_log().len();
        let report = sync_as(secret, to);
        assert_eq!(report["changed"], json!(["omni.p1", "omni.safe"]), "{to}");
        let counts = asked(&server, begun);
        assert_eq!((counts["index_changes"], counts.get("index_package")), (1, None), "{to}: {counts:?}");
        assert!(!counts.contains_key("index_registry"), "{to}: {counts:?}");
        same_as_whole(secret, to);
    }
    // A package that is shared comes, one that is taken away goes, whatever the serial is.
    let_in("vault");
    assert_eq!(sync_as(shared, "shared")["added"], json!(["omni.vault"]));
    for name in ["vault", "safe"] {
        omni.delete(&format!("/api/v1/packages/omni/{name}/members/uma")).is(204);
        assert_eq!(sync_as(shared, "shared")["removed"], json!([format!("omni.{name}")]));
        same_as_whole(shared, "shared");
    }
    // Another reader's copy is not taken for one's own.
    sync_as(shared, "own");
    assert_eq!(held("own"), [""; 0]);
    sync_as(own, "own");
    assert_eq!(held("own").len(), 2);
    // Nor can anybody ask about the states of others.
    let registry = dir("own").join("registry.json");
    let text = std::fs::read(&registry).unwrap();
    let serial = serde_json::from_slice::<Value>(&text).unwrap()["serial"].clone();
    let path = format!("/v2/changes?since={serial}&registry={:08x}", crc32fast::hash(&text));
    omni.get(&path).is(200);
    for stranger in [&uma, &server.anonymous()] {
        stranger.get(&path).is(410);
    }
    omni.get(&format!("/v2/changes?since={serial}&registry=0")).is(422);
    omni.get(&format!("/v2/changes?since={serial}&registry=00000000")).is(410);
}
