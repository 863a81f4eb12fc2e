//! Export, import, export: the same files with the same bytes, whatever is published.

use std::path::Path;

use packhouse::model::Sha256;
use serde_json::{Value, json};

use super::site::Site;
use super::tree::{assert_same, files, text};
use crate::support::{Cli, Client, Scope, TestServer, file_path};

const MANIFEST: &str = r#"{"z":1.10,"package":{"title":"Foo","keywords":["a"],"archivePath":"old","x":123456789012345678901},"dependencies":{"filter:platform":{"windows":{}},"omni.bar":{"version":"1.0.0"}},"targets":[1]}"#;

/// A registry with something of everything.
fn source() -> TestServer {
    let server = TestServer::start();
    let omni = server.bearer(server.secret("omni", Scope::Admin));
    omni.post("/api/v1/packages").json(&json!({"name": "foo", "description": "# Foo\nDoes it.\n"})).is(201);
    omni.make_package("bar", "public");
    omni.make_package("safe", "private");
    let draft = |release: &str, file: &str, bytes: &str| {
        omni.put(&format!("{}?create=inactive&create_platform=true", file_path("omni/foo", release, file)))
            .body(bytes)
            .is(201);
    };
    let release = |name: &str, fields: Value| {
        omni.put(&format!("/api/v1/packages/omni/foo/releases/{name}")).json(&fields).is(200);
    };
    draft("stable/1.0.0", "any/foo%20%C3%BC%20100%25.zip", "one");
    let manifest = file_path("omni/foo", "stable/1.0.0", "any/foo%20%C3%BC%20100%25.zip/manifest");
    omni.put(&manifest).body(MANIFEST).is(200);
    let requirements = manifest.replace("/manifest", "/requirements");
    omni.put(&requirements).json(&json!([{"type": "os", "name": "linux", "version": "5"}])).is(200);
    release(
        "stable/1.0.0",
        json!({"active": true, "published": "2020-01-02T03:04:05.678901Z", "description": "First."}),
    );
    draft("stable/1.1.0", "wx64.r/foo.zip", "windows");
    draft("stable/1.1.0", "wx64.r/foo.zip.sig", "an attachment");
    draft("stable/1.1.0", "linux-x64/foo.tar.gz", "linux");
    let simple = file_path("omni/foo", "stable/1.1.0", "linux-x64/foo.tar.gz/manifest");
    omni.put(&simple).body(r#"{"dependencies":{}}"#).is(200);
    release("stable/1.1.0", json!({"active": true, "published": "2021-01-01T00:00:00Z"}));
    draft("stable/1.2.0%2Bgit.5", "linux-x64/foo.zip", "plus");
    release("stable/1.2.0%2Bgit.5", json!({"active": true}));
    draft("stable/1.2.0%2Bgit.5.linux", "any/foo.zip", "looks like a platform");
    release("stable/1.2.0%2Bgit.5.linux", json!({"active": true, "yanked": "It eats files."}));
    draft("beta/2.0.0-rc.1", "any/foo.zip", "beta");
    release("beta/2.0.0-rc.1", json!({"active": true}));
    omni.publish("omni/safe", "stable/1.0.0", "any/safe.zip", "secret");
    let external = format!("{}/external?create=active", file_path("omni/bar", "stable/1.0.0", "any/bar.zip"));
    let elsewhere =
        json!({"url": "https://cdn.example.com/bar.zip?x=1", "size": 7, "sha256": Sha256::of(b"x").to_string()});
    omni.post(&external).json(&elsewhere).is(201);
    draft("stable/9.0.0", "any/foo.zip", "a draft");
    server
}

fn export(server: &TestServer, dir: &Path, more: &[&str]) -> Value {
    Cli::new(&["export", dir.to_str().unwrap(), "--url", &server.origin(), "--json"])
        .token(server.secret("omni", Scope::Read))
        .and(more)
        .exits(0)
        .json()
}

fn import(server: &TestServer, from: &str, more: &[&str]) -> Value {
    Cli::new(&["import", from, "--into", "omni", "--url", &server.origin(), "--json"])
        .token(server.secret("omni", Scope::Admin))
        .and(more)
        .exits(0)
        .json()
}

fn tokens(omni: &Client) -> usize {
    omni.get("/api/v1/tokens").is(200).json()["items"].as_array().unwrap().len()
}

#[test]
fn everything_comes_back_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b, c, d] = ["a/v2", "b", "c", "d"].map(|name| folder.path().join(name));
    let server = source();
    let report = export(&server, &a, &[]);
    assert_eq!((&report["packages"], &report["private_packages"]), (&json!(3), &json!(1)), "{report}");
    let lines = text(&a, "packages/omni.foo.gz");
    assert_eq!(lines, server.anonymous().get("/v2/packages/omni.foo.gz").is(200).gunzip());
    let manifest = text(&a, "archives/omni.foo/omni.foo-1.0.0.json");
    assert_eq!(manifest, server.anonymous().get("/v2/archives/omni.foo/omni.foo-1.0.0.json").is(200).text());
    assert_eq!(text(&a, "archives/omni.foo/omni.foo-1.0.0/foo ü 100%.zip"), "one");
    let names: Vec<_> = files(&a).into_keys().collect();
    assert!(
        !names.iter().any(|name| name.contains(".sig") || name.contains("9.0.0") || name.starts_with('.')),
        "{names:?}"
    );

    let mut target = TestServer::start();
    let report = import(&target, a.to_str().unwrap(), &[]);
    assert_eq!((&report["packages_made"], &report["published"]), (&json!(3), &json!(6)), "{report}");
    export(&target, &b, &[]);
    assert_same(&a, &b);
    target.anonymous().get("/v2/packages/omni.safe.gz").is(404);
    let release = target.anonymous().get("/api/v1/packages/omni/foo/releases/stable/1.2.0+git.5.linux").is(200).json();
    assert_eq!(release["yanked"], "It eats files.");
    let release = target.anonymous().get("/api/v1/packages/omni/foo/releases/stable/1.0.0").is(200).json();
    assert_eq!(
        (&release["published"], &release["description"]),
        (&json!("2020-01-02T03:04:05.678901Z"), &json!("First."))
    );
    assert_eq!(release["files"][0]["requirements"][0]["name"], "linux");

    let again = import(&target, a.to_str().unwrap(), &[]);
    assert_eq!(
        (&again["published"], &again["changed"], &again["unchanged"]),
        (&json!(0), &json!(0), &json!(6)),
        "{again}"
    );
    assert_eq!(again["archives_sent"], 0);

    // On stopped servers' directories it is the same.
    let origin = target.data().to_str().unwrap().to_owned();
    let data = folder.path().join("data");
    let held = Cli::new(&["export", c.to_str().unwrap(), "--data", &origin]).exits(1);
    assert!(held.err.contains("in use by process") && held.err.contains("--url"), "{held}");
    target.stop();
    let secret = target.secret("omni", Scope::Read);
    Cli::new(&["export", c.to_str().unwrap(), "--data", &origin]).token(secret).exits(0);
    assert_same(&a, &c);
    target.restart();
    Cli::new(&["import", a.to_str().unwrap(), "--into", "omni", "--data", data.to_str().unwrap()]).exits(1);
    let mut fresh = TestServer::start();
    fresh.stop();
    let fresh_data = fresh.data().to_str().unwrap().to_owned();
    Cli::new(&["import", a.to_str().unwrap(), "--into", "omni", "--data", &fresh_data]).exits(0);
    Cli::new(&["import", a.to_str().unwrap(), "--into", "nobody", "--data", &fresh_data]).exits(1);
    Cli::new(&["export", d.to_str().unwrap(), "--data", &fresh_data]).token(secret).exits(0);
    assert_same(&a, &d);
    fresh.restart();
    assert_eq!(tokens(&fresh.omni()), tokens(&server.omni()), "no token is left behind");
}

#[test]
fn a_channel_with_those_it_includes_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
    let server = source();
    export(&server, &a, &["--channel", "beta"]);
    assert!(text(&a, "packages/omni.foo.gz").contains("2.0.0-rc.1"));
    let target = TestServer::start();
    import(&target, a.to_str().unwrap(), &[]);
    export(&target, &b, &["--channel", "beta"]);
    assert_same(&a, &b);
    target.anonymous().get("/api/v1/packages/omni/foo/releases/beta/2.0.0-rc.1").is(200);
    target.anonymous().get("/api/v1/packages/omni/foo/releases/stable/1.0.0").is(200);
    let wrong = Cli::new(&["import", a.to_str().unwrap(), "--into", "omni", "--url", &target.origin()]);
    let wrong = wrong.and(&["--channel", "nope"]).token(target.secret("omni", Scope::Admin)).exits(1);
    assert!(wrong.err.contains("has no channel nope, but alpha, beta, stable"), "{wrong}");
}

#[test]
fn only_what_changed_is_written_and_what_is_gone_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("tree");
    let server = source();
    export(&server, &dir, &[]);
    std::fs::write(dir.join("index.html"), "mine").unwrap();
    std::fs::write(dir.join("packages/mine.txt"), "mine").unwrap();
    let before = files(&dir);
    let same = export(&server, &dir, &[]);
    assert_eq!((&same["written"], &same["removed"]), (&json!(0), &json!(0)), "{same}");
    let omni = server.omni();
    omni.delete("/api/v1/packages/omni/foo/releases/stable/1.0.0").is(204);
    omni.delete("/api/v1/packages/omni/safe").is(204);
    omni.patch("/api/v1/packages/omni/foo/releases/stable/1.2.0%2Bgit.5.linux")
        .json(&json!({"yanked": "Worse."}))
        .is(200);
    let report = export(&server, &dir, &[]);
    // The lines, summaries, list of releases and registry; of what is gone an archive and manifest each, lines and list.
    assert_eq!((&report["written"], &report["removed"]), (&json!(4), &json!(6)), "{report}");
    assert!(text(&dir, "releases/omni.foo.json").contains("Worse."));
    let after = files(&dir);
    assert!(after.contains_key("index.html") && after.contains_key("packages/mine.txt"));
    assert!(!after.keys().any(|name| name.contains("safe") || name.contains("omni.foo-1.0.0")), "{:?}", after.keys());
    assert_ne!(before["registry.gz"], after["registry.gz"]);
    let fresh = folder.path().join("fresh");
    export(&server, &fresh, &[]);
    std::fs::remove_file(dir.join("index.html")).unwrap();
    std::fs::remove_file(dir.join("packages/mine.txt")).unwrap();
    assert_same(&dir, &fresh);

    std::fs::write(dir.join("archives/omni.foo/omni.foo-1.1.0+wx64.r/foo.zip"), "WINDOWS").unwrap();
    std::fs::remove_file(dir.join("releases/omni.bar.json")).unwrap();
    export(&server, &dir, &["--verify"]);
    assert_same(&dir, &fresh);
}

#[test]
fn a_run_that_was_cut_off_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let [dir, fresh] = ["tree", "fresh"].map(|name| folder.path().join(name));
    let server = source();
    export(&server, &fresh, &[]);
    export(&server, &dir, &[]);
    // As if it had been killed before its last steps.
    std::fs::remove_file(dir.join("registry.gz")).unwrap();
    std::fs::remove_dir_all(dir.join("packages")).unwrap();
    std::fs::create_dir(dir.join(".packhouse-export")).unwrap();
    std::fs::write(dir.join(".packhouse-export/part-tree-0"), "half").unwrap();
    std::fs::write(dir.join(".packhouse-export/00000000-omni.foo.json"), "of another state").unwrap();
    export(&server, &dir, &[]);
    assert_same(&dir, &fresh);
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("packages")).unwrap();
    std::fs::write(folder.path().join("packages/omni.foo.gz"), "mine").unwrap();
    let server = source();
    let words = ["export", folder.path().to_str().unwrap(), "--url", &server.origin()];
    let refused = Cli::new(&words).exits(1);
    assert!(refused.err.contains("this is not from an export"), "{refused}");
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn any_web_server_serves_it() {
    let folder = tempfile::tempdir().unwrap();
    let [tree, index, out] = ["tree", "index", "out"].map(|name| folder.path().join(name));
    let server = source();
    export(&server, &tree, &[]);
    let site = Site::of(folder.path());
    let root = format!("{}tree", site.url());
    let sync = || Cli::new(&["sync", &root, index.to_str().unwrap(), "--json"]).exits(0).json();
    assert_eq!(sync()["added"].as_array().unwrap().len(), 3);
    assert_eq!(sync()["new_state"], false);
    server.omni().publish("omni/foo", "stable/3.0.0", "any/foo.zip", "three");
    export(&server, &tree, &[]);
    let report = sync();
    assert_eq!((&report["changed"], &report["way"]), (&json!(["omni.foo"]), &json!("registry.gz")), "{report}");
    let words = ["install", "omni.foo", "--into", out.to_str().unwrap(), "--index", index.to_str().unwrap()];
    // What ends in v2/ is taken for the root of a view as it is.
    std::os::unix::fs::symlink(&tree, folder.path().join("v2")).unwrap();
    Cli::new(&words).and(&["--url", &format!("{}v2/", site.url())]).exits(0);
    assert_eq!(std::fs::read(out.join("omni.foo-3.0.0/foo.zip")).unwrap(), b"three");

    let target = TestServer::start();
    let report = import(&target, &root, &["--channel", "beta"]);
    assert_eq!(report["published"], 7, "{report}");
    target.anonymous().get("/channels/beta/v2/archives/omni.foo/omni.foo-3.0.0/foo.zip").is(200);
    assert_eq!(import(&target, &root, &["--channel", "beta"])["published"], 0);
    let linked = TestServer::start();
    let report = import(&linked, &root, &["--link"]);
    assert_eq!((&report["archives_sent"], &report["archives_linked"]), (&json!(0), &json!(8)), "{report}");
    let lines = linked.anonymous().get("/v2/packages/omni.foo.gz").is(200).gunzip();
    assert!(lines.contains(&format!("\"archivePath\":\"{root}/archives/omni.foo/omni.foo-1.0.0/foo%20")), "{lines}");
}

#[test]
fn a_running_registry_is_imported_and_names_follow_the_namespace() {
    let server = source();
    let target = TestServer::start();
    let words = ["import", &server.origin(), "--into", "uma", "--url", &target.origin(), "--json"];
    // Who may only publish cannot tell when.
    let narrow = Cli::new(&words).token(target.secret("uma", Scope::Publish)).exits(1);
    assert!(narrow.err.contains("scope admin"), "{narrow}");
    let other = Cli::new(&words).token(target.secret("rita", Scope::Admin)).exits(1);
    assert!(other.err.contains("uma"), "{other}");
    let report = Cli::new(&words).token(target.secret("uma", Scope::Admin)).exits(0).json();
    assert_eq!((&report["packages_made"], &report["published"]), (&json!(2), &json!(5)), "{report}");
    let lines = target.anonymous().get("/v2/packages/uma.omni.foo.gz").is(200).gunzip();
    assert!(lines.contains("archives/uma.omni.foo/uma.omni.foo-1.1.0+wx64.r/foo.zip"), "{lines}");
    let none = Cli::new(&words).exits(2);
    assert!(none.err.contains("PACKHOUSE_TOKEN"), "{none}");
}

#[test]
fn without_archives_only_what_is_elsewhere_can_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let server = source();
    let report = export(&server, folder.path(), &["--no-archives"]);
    assert!(!files(folder.path()).keys().any(|name| name.ends_with(".zip")), "{report}");
    let target = TestServer::start();
    let words = ["import", folder.path().to_str().unwrap(), "--into", "omni", "--url", &target.origin()];
    let failed = Cli::new(&words).token(target.secret("omni", Scope::Admin)).exits(1);
    assert!(failed.err.contains("its archive is not in the tree"), "{failed}");
    target.anonymous().get("/v2/packages/omni.foo.gz").is(404);
}
