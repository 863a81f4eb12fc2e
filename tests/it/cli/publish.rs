//! `publish` and `updates`.

use serde_json::json;

use crate::support::{Cli, Proxy, Scope, TestServer};

struct Scene {
    server: TestServer,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let server = TestServer::start();
        server.omni().make_package("foo", "public");
        let folder = tempfile::tempdir().unwrap();
        let scene = Self { server, folder };
        scene.write("foo.zip", "content");
        scene
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn publish(&self, version: &str) -> Cli {
        let file = self.folder.path().join("foo.zip");
        let words =
            ["publish", &self.server.origin(), file.to_str().unwrap(), "--package", "omni.foo", "--version", version];
        Cli::new(&words).token(self.server.secret("omni", Scope::Publish))
    }
}

#[test]
fn a_file_is_published_once() {
    let scene = Scene::new();
    let first = scene.publish("1.0.0").and(&["--json"]).exits(0).json();
    assert_eq!((&first["outcome"], &first["active"], &first["size"]), (&json!("created"), &json!(true), &json!(7)));
    let path = first["url"].as_str().unwrap().strip_prefix(&scene.server.origin()).unwrap();
    assert_eq!(scene.server.anonymous().get(path).is(200).text(), "content");
    let again = scene.publish("1.0.0").and(&["--json"]).exits(0).json();
    assert_eq!((&again["outcome"], &again["sha256"]), (&json!("unchanged"), &first["sha256"]));
    assert!(scene.publish("1.0.0").exits(0).out.starts_with("unchanged: omni.foo 1.0.0 on stable for any"));
    scene.write("foo.zip", "other content");
    let other = scene.publish("1.0.0").exits(1);
    assert!(other.err.contains("publish a new version"), "{other}");
    assert!(scene.publish("1.0.1").exits(0).out.starts_with("published omni.foo 1.0.1"));
}

#[test]
fn manifest_notes_channel_and_platform_go_along() {
    let scene = Scene::new();
    let manifest = scene.write("foo.json", r#"{"package":{"title":"Foo!"}}"#);
    let notes = scene.write("notes.md", "# Fixed");
    let words = [
        "--manifest",
        &manifest,
        "--notes",
        &notes,
        "--channel",
        "beta",
        "--platform=wx64.r",
        "--create-platform",
        "--json",
    ];
    assert_eq!(scene.publish("2.0.0").and(&words).exits(0).json()["active"], true);
    let anonymous = scene.server.anonymous();
    let release = anonymous.get("/api/v1/packages/omni/foo/releases/beta/2.0.0").is(200).json();
    assert_eq!((&release["description"], &release["files"][0]["platform"]), (&json!("# Fixed"), &json!("wx64.r")));
    assert!(anonymous.get("/channels/beta/v2/summaries.gz").is(200).gunzip().contains("Foo!"));
    scene.publish("2.0.0").and(&words).exits(0);
    let draft = scene.publish("3.0.0").and(&["--draft", "--json"]).exits(0).json();
    assert_eq!(draft["active"], false);
    anonymous.get("/api/v1/packages/omni/foo/releases/stable/3.0.0").is(404);
}

#[test]
fn the_token_may_be_in_a_file_and_is_needed() {
    let scene = Scene::new();
    let secret = scene.server.secret("omni", Scope::Publish);
    let file = scene.write("token", &format!("{secret}\n"));
    scene.publish("1.0.0").token("").and(&["--token-file", &file]).exits(0);
    let none = scene.publish("1.0.1").token("").exits(2);
    assert!(none.err.contains("PACKHOUSE_TOKEN"), "{none}");
    let narrow = scene.publish("1.0.1").token(scene.server.secret("omni", Scope::Read)).exits(1);
    assert!(narrow.err.contains("scope"), "{narrow}");
    let unknown = scene.publish("1.0.1").token(&format!("ph_api_{}", "0".repeat(64))).exits(1);
    assert!(unknown.err.contains("not known"), "{unknown}");
}

#[test]
fn updates_tell_what_is_newer() {
    let scene = Scene::new();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        scene.publish(version).exits(0);
    }
    let updates =
        |words: &[&str]| Cli::new(&["updates", &scene.server.origin(), "--id", "omni.foo"]).and(words).exits(0);
    assert!(updates(&["--version", "1.0.0"]).out.starts_with("omni.foo 1.2.0, released 20"));
    let all = updates(&["--version", "1.0.0", "--mode", "2", "--json"]).json();
    let versions: Vec<_> = all["updates"].as_array().unwrap().iter().map(|update| &update["version"]).collect();
    assert_eq!((&all["newer"], versions), (&json!(true), vec![&json!("1.2.0"), &json!("1.1.0")]));
    assert_eq!(updates(&["--version", "1.2.0", "--json"]).json(), json!({ "newer": false, "updates": [] }));
    assert_eq!(updates(&["--version", "1.2.0"]).out, "there is nothing newer than 1.2.0 of omni.foo\n");
}

#[test]
fn a_private_package_is_published_with_its_own_token_and_asked_with_the_other() {
    let scene = Scene::new();
    let omni = scene.server.omni();
    omni.patch("/api/v1/packages/omni/foo").json(&json!({ "visibility": "private" })).is(200);
    let token = |kind: &str| {
        let made = omni.post(&format!("/api/v1/packages/omni/foo/tokens/{kind}")).is(201).json();
        made["token"].as_str().unwrap().to_owned()
    };
    scene.publish("1.0.0").token(&token("private")).exits(0);
    let updates = || Cli::new(&["updates", &scene.server.origin(), "--id", "omni.foo", "--json"]);
    assert!(updates().exits(1).json()["error"]["message"].as_str().unwrap().contains("access token"));
    let access = token("access");
    assert_eq!(updates().token(&access).exits(0).json()["newer"], true);
    let url = format!("{}/t/{access}", scene.server.origin());
    assert_eq!(Cli::new(&["updates", &url, "--id", "omni.foo", "--json"]).exits(0).json()["newer"], true);
}

/// Publishing went to `stable` where nothing was said, also for owners whose default is another channel.
#[test]
fn the_owners_default_channel_is_meant_where_none_is_named() {
    let scene = Scene::new();
    scene.server.omni().patch("/api/v1/channels/beta").json(&json!({ "default": true })).is(200);
    assert!(scene.publish("1.0.0").exits(0).out.starts_with("published omni.foo 1.0.0 on beta for any"));
    assert_eq!(scene.publish("1.0.0").and(&["--json"]).exits(0).json()["channel"], "beta");
    let private = scene.server.omni().post("/api/v1/packages/omni/foo/tokens/private").is(201).json();
    let report = scene.publish("1.1.0").token(private["token"].as_str().unwrap()).and(&["--json"]).exits(0).json();
    assert_eq!(report["channel"], "beta");
}

#[test]
fn a_large_file_goes_on_after_breaks_and_from_one_run_to_the_next() {
    const MIB: u64 = 1 << 20;
    let mut scene = Scene::new();
    let bytes: Vec<u8> = (0..40 * MIB as u32 + 7).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let path = scene.folder.path().join("large.zip");
    std::fs::write(&path, &bytes).unwrap();
    let run = |scene: &Scene, origin: &str| {
        let words = ["publish", origin, path.to_str().unwrap(), "--package", "omni.foo", "--version", "1.0.0"];
        Cli::new(&words).token(scene.server.secret("omni", Scope::Publish))
    };
    // The way breaks again and again without the run getting on: it gives up.
    let cuts: Vec<u64> = [vec![9 * MIB, 12 * MIB], vec![1; 200]].concat();
    let proxy = Proxy::to(scene.server.address(), cuts);
    run(&scene, &proxy.origin()).exits(1);
    scene.server.kill();
    scene.server.restart();
    let omni = scene.server.token("omni", Scope::Publish);
    let unfinished = omni.get("/api/v1/uploads").is(200).json();
    let kept = unfinished["items"][0]["offset"].as_u64().unwrap();
    assert!(kept > 16 * MIB, "{unfinished}");
    // The next run goes on, and breaks that let it get on do not stop it.
    let proxy = Proxy::to(scene.server.address(), vec![2 * MIB, 3 * MIB, MIB, MIB, 2 * MIB, MIB]);
    let published = run(&scene, &proxy.origin()).and(&["--json"]).exits(0).json();
    assert_eq!((proxy.cuts_left(), &published["outcome"]), (0, &json!("created")));
    let got = scene.server.anonymous().get("/api/v1/packages/omni/foo/releases/stable/1.0.0/files/any/large.zip");
    assert!(got.is(200).body == bytes);
    let begun = scene.server.log().matches("route=\"create_upload\"").count();
    assert_eq!(begun, 1, "no run began from the beginning");
    // Other bytes are refused as for small files, once.
    std::fs::write(&path, &bytes[..30 * MIB as usize]).unwrap();
    let origin = scene.server.origin();
    let refused = run(&scene, &origin).exits(1);
    assert!(refused.err.contains("publish a new version"), "{refused}");
    assert_eq!(scene.server.log().matches("route=\"create_upload\"").count(), 2);
}
