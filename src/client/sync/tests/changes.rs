//! Syncs by what changed: that they lead to the same copy as a full one, what they cost, and when they are not believed.

use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What a server says in place of the true changes.
type Lie<T> = Box<dyn Fn(&Value) -> T + Send + Sync>;

/// A copy of the old state, of a server whose next answer about changes is made by `lie` from the true one; and then
/// the sync to the new state. Answers what it reports and what it asked for, in order.
async fn sync_by(lie: impl Fn(Value) -> Reply + Send + Sync + 'static) -> (Stage, SyncReport, Vec<String>) {
    let stage = Stage::with(old(), move |past, seen| match seen.target.contains("/changes?") {
        true => lie(changes_between(&old(), past.last().unwrap())),
        false => answer_with_changes(past, seen),
    })
    .await;
    stage.sync().await.unwrap();
    stage.server.take_lines();
    stage.set(&new());
    let report = stage.sync().await.unwrap();
    new().check(&stage.dir()).unwrap();
    let outside = std::fs::read_dir(stage.dir().parent().unwrap()).unwrap().count();
    assert_eq!(outside, 1, "something was written outside of the copy");
    let lines = stage.asked_in_order();
    (stage, report, lines)
}

/// The changes with others in place of some of their members.
fn with(changes: &Value, field: &str, members: Value) -> Value {
    let mut changes = changes.clone();
    let Value::Object(members) = members else { panic!("{members}") };
    changes[field].as_object_mut().unwrap().extend(members);
    changes
}

/// The changes with a checksum of the registry that they lead to.
fn named(changes: &Value, registry: Value) -> Value {
    let mut changes = changes.clone();
    changes["registry"] = registry;
    changes
}

#[tokio::test]
async fn changes_are_believed_that_lead_to_the_registry_they_name() {
    let registry = Crc32::of(&new().registry()).to_string();
    let (_stage, report, _) = sync_by(move |changes| Reply::json(200, &named(&changes, json!(registry)))).await;
    assert_eq!(report.way, SyncWay::Changes);
}

#[tokio::test]
async fn only_changes_and_changed_packages_are_asked_for() {
    let (stage, report, lines) = sync_by(|changes| Reply::json(200, &changes)).await;
    assert_eq!(lines[0], "changes?since=1");
    let mut files = lines[1..].to_vec();
    files.sort();
    assert_eq!(files, ["packages/omni.foo.gz", "packages/omni.fresh.gz"]);
    assert_eq!(report.added, ["omni.fresh".parse().unwrap()]);
    assert_eq!(report.changed, ["omni.foo".parse().unwrap()]);
    assert_eq!(report.removed, ["omni.gone".parse().unwrap()]);
    assert_eq!((report.way, report.serial.as_deref(), report.requests), (SyncWay::Changes, Some("2"), 3));
    assert_eq!((report.files_fetched, report.files_reused), (2, 0));
    // Upon a state made that way the next is made.
    let third = Script::of(3, &[("omni.bar", "1.0.0"), ("omni.foo", "2.0.0"), ("omni.fresh", "1.1.0")]);
    let told = Stage::telling(old()).await;
    for script in [old(), new(), third.clone()] {
        told.set(&script);
        told.sync().await.unwrap();
    }
    third.check(&told.dir()).unwrap();
    assert_eq!(told.asked().iter().filter(|line| line.ends_with("registry.gz")).count(), 1);
    drop(stage);
}

#[tokio::test]
async fn where_nothing_changed_one_request_touches_nothing() {
    let stage = Stage::telling(old()).await;
    stage.sync().await.unwrap();
    let current = || std::fs::read_link(stage.dir().join(".packhouse/current")).unwrap();
    let before = current();
    stage.asked();
    let report = stage.sync().await.unwrap();
    assert_eq!(
        report,
        SyncReport {
            requests: 1,
            received_bytes: report.received_bytes,
            ..SyncReport::unchanged(Some("1".into()), SyncWay::Changes)
        }
    );
    assert_eq!(stage.asked(), ["changes?since=1"]);
    assert_eq!(current(), before);
    old().check(&stage.dir()).unwrap();
}

#[tokio::test]
async fn a_server_that_tells_no_changes_is_asked_once_and_then_for_its_registry() {
    for status in [201, 204, 304, 400, 401, 403, 404, 405, 410, 422, 500] {
        let (_stage, report, lines) = sync_by(move |_| Reply::status(status)).await;
        assert_eq!(lines[..2], ["changes?since=1", "registry.gz"], "{status}");
        assert_eq!((lines.len(), report.way, report.requests), (5, SyncWay::Registry, 5), "{status}");
    }
}

#[tokio::test]
async fn what_is_odd_about_changes_leads_to_the_registry() {
    let wrong = json!({"package": {"version": "6.6.6"}});
    let lies: Vec<(&str, Lie<Value>)> = vec![
        ("no object", Box::new(|_| json!([]))),
        ("no fields", Box::new(|_| json!({}))),
        ("no serial", Box::new(|it| json!({"files": it["files"], "summaries": it["summaries"]}))),
        ("no summaries", Box::new(|it| json!({"files": it["files"], "serial": it["serial"]}))),
        ("a serial of before", Box::new(|it| json!({"serial": 0, "files": it["files"], "summaries": it["summaries"]}))),
        ("the same serial", Box::new(|it| json!({"serial": 1, "files": it["files"], "summaries": it["summaries"]}))),
        (
            "a serial that is none",
            Box::new(|it| json!({"serial": "2", "files": it["files"], "summaries": it["summaries"]})),
        ),
        ("a path outside", Box::new(|it| with(it, "files", json!({"packages/../../x.gz": "00000000"})))),
        ("another path", Box::new(|it| with(it, "files", json!({"registry.gz": "00000000"})))),
        ("a checksum that is none", Box::new(|it| with(it, "files", json!({"packages/omni.foo.gz": "0\"},\"x"})))),
        ("no summaries any more", Box::new(|it| with(it, "files", json!({"summaries.gz": null})))),
        ("another checksum of the summaries", Box::new(|it| with(it, "files", json!({"summaries.gz": "00000000"})))),
        ("a name outside", Box::new(|it| with(it, "summaries", json!({"../omni.foo": null})))),
        ("a name in two", Box::new(|it| with(it, "summaries", json!({"omni.a\",\"omni.b": null})))),
        (
            "a wrong summary",
            Box::new({
                let wrong = wrong.clone();
                move |it| with(it, "summaries", json!({"omni.foo": wrong}))
            }),
        ),
        ("one summary too many", Box::new(move |it| with(it, "summaries", json!({"omni.new": wrong})))),
        ("one package too few", Box::new(|it| with(it, "summaries", json!({"omni.bar": null})))),
        ("another registry", Box::new(|it| named(it, json!("00000000")))),
        ("a registry that is no checksum", Box::new(|it| named(it, json!("0")))),
        ("summaries alone", Box::new(|it| json!({"serial": 2, "files": {}, "summaries": it["summaries"]}))),
    ];
    for (what, lie) in lies {
        let (_stage, report, lines) = sync_by(move |changes| Reply::json(200, &lie(&changes))).await;
        assert_eq!(lines[..2], ["changes?since=1", "registry.gz"], "{what}");
        assert_eq!(report.way, SyncWay::Registry, "{what}");
    }
}

#[tokio::test]
async fn texts_that_are_no_changes_lead_to_the_registry() {
    let twice = |changes: &Value, field: &str, member: &str| {
        changes.to_string().replace(&format!("\"{field}\":{{"), &format!("\"{field}\":{{{member},{member},"))
    };
    let lies: Vec<(&str, Lie<String>)> = vec![
        ("no JSON", Box::new(|_| "<html>".to_owned())),
        ("cut off", Box::new(|it| it.to_string().split_at(40).0.to_owned())),
        ("a file twice", Box::new(move |it| twice(it, "files", r#""packages/a.b.gz":null"#))),
        ("a summary twice", Box::new(move |it| twice(it, "summaries", r#""a.b":null"#))),
        (
            "deep",
            Box::new(|it| {
                it.to_string().replace(r#""serial":2"#, &format!(r#""serial":2,"x":{}"#, "[".repeat(10_000)))
            }),
        ),
        ("large", Box::new(|it| it.to_string() + &" ".repeat(1 << 16))),
        (
            "many",
            Box::new(|it| {
                let many = (0..2000).map(|n| (format!("packages/a.p{n}.gz"), Value::Null)).collect();
                with(it, "files", Value::Object(many)).to_string()
            }),
        ),
    ];
    for (what, lie) in lies {
        let (_stage, report, lines) = sync_by(move |changes| Reply::ok(lie(&changes))).await;
        assert_eq!(lines[..2], ["changes?since=1", "registry.gz"], "{what}");
        assert_eq!(report.way, SyncWay::Registry, "{what}");
    }
}

#[tokio::test]
async fn order_and_what_was_never_here_do_not_matter() {
    let (_stage, report, _) = sync_by(|changes| {
        let gone = with(&changes, "files", json!({"packages/omni.never.gz": null, "packages/a.never.gz": null}));
        let mut gone = with(&gone, "summaries", json!({"omni.never": null, "z.never": null}));
        for field in ["files", "summaries"] {
            let members = gone[field].as_object().unwrap().clone();
            gone[field] = Value::Object(members.into_iter().rev().collect());
        }
        Reply::json(200, &gone)
    })
    .await;
    assert_eq!(report.way, SyncWay::Changes);
}

#[tokio::test]
async fn packages_that_are_not_what_changes_say_are_looked_up_in_the_registry_in_the_end() {
    for path in ["packages/omni.foo.gz", "packages/omni.other.gz"] {
        let (_stage, report, lines) =
            sync_by(move |changes| Reply::json(200, &with(&changes, "files", json!({path: "00000000"})))).await;
        let count = |what: &str| lines.iter().filter(|line| line.starts_with(what)).count();
        assert_eq!((count("changes?"), count("registry.gz")), (2, 1), "{path}: {lines:?}");
        assert_eq!(report.way, SyncWay::Registry);
        // What arrived is not fetched again.
        assert_eq!((count("packages/omni.foo.gz"), count("packages/omni.fresh.gz")), (1, 1));
    }
}

#[tokio::test]
async fn a_server_that_moves_on_after_it_told_changes_is_asked_again() {
    let third = || Script::of(3, &[("omni.bar", "1.0.0"), ("omni.foo", "3.0.0"), ("omni.fresh", "1.0.0")]);
    let has_moved = AtomicBool::new(false);
    let stage = Stage::with(old(), move |past, seen| {
        let is_late = past.len() > 1 && (!seen.target.contains("/changes?") || has_moved.load(Ordering::SeqCst));
        if past.len() > 1 {
            has_moved.store(true, Ordering::SeqCst);
        }
        let late: Past = past.iter().cloned().chain(is_late.then(third)).collect();
        // A server that sends no texts along.
        let plain = Seen { target: seen.target.replace("&packages=true", ""), ..seen.clone() };
        answer_with_changes(&late, &plain)
    })
    .await;
    stage.sync().await.unwrap();
    stage.asked();
    stage.set(&new());
    let report = stage.sync().await.unwrap();
    third().check(&stage.dir()).unwrap();
    assert_eq!((report.way, report.requests), (SyncWay::Changes, 4));
    assert_eq!(stage.asked(), ["changes?since=1", "changes?since=2", "packages/omni.foo.gz", "packages/omni.fresh.gz"]);
}

#[tokio::test]
async fn what_a_token_opens_does_not_stay_without_it() {
    // With the token there is `omni.gone`; to everybody else nothing ever changed, and both have the same serial.
    let public = || Script::of(1, &[("omni.bar", "1.0.0"), ("omni.foo", "1.0.0")]);
    let has_token = Arc::new(AtomicBool::new(true));
    let opens = Arc::clone(&has_token);
    let stage = Stage::with(old(), move |_, seen| match (opens.load(Ordering::SeqCst), seen.target.as_str()) {
        (true, "/v2/registry.gz") => {
            let fields = vec![("cache-control", "Private, no-cache".to_owned()), ("etag", "\"x\"".to_owned())];
            Reply::Http(200, fields, gzip(&old().registry()))
        }
        (true, _) => old().answer(seen),
        (false, _) => answer_with_changes(&vec![public()], seen),
    })
    .await;
    for _ in 0..2 {
        stage.sync().await.unwrap();
        old().check(&stage.dir()).unwrap();
        assert!(stage.asked().contains(&"registry.gz".to_owned()));
    }
    has_token.store(false, Ordering::SeqCst);
    let report = stage.sync().await.unwrap();
    assert_eq!(report.removed, ["omni.gone".parse().unwrap()]);
    public().check(&stage.dir()).unwrap();
    assert_eq!(stage.sync().await.unwrap().way, SyncWay::Changes);
}

#[tokio::test]
async fn a_registry_in_another_form_is_not_built_upon() {
    let spread = |past: &Past, seen: &Seen| match seen.target.as_str() {
        "/v2/registry.gz" => Reply::ok(gzip(&[past.last().unwrap().registry(), b"\n".to_vec()].concat())),
        _ => answer_with_changes(past, seen),
    };
    let stage = Stage::with(old(), spread).await;
    stage.sync().await.unwrap();
    stage.set(&new());
    let report = stage.sync().await.unwrap();
    assert_eq!(report.way, SyncWay::Registry);
    let text = std::fs::read(stage.dir().join("registry.json")).unwrap();
    assert_eq!(text, [new().registry(), b"\n".to_vec()].concat());
}

#[tokio::test]
async fn damage_to_the_copy_is_not_built_upon() {
    for (file, text) in
        [("summaries.json", &b"{\"omni.bar\":{}}"[..]), ("registry.json", b"{}"), ("registry.json", b"")]
    {
        let stage = Stage::telling(old()).await;
        stage.sync().await.unwrap();
        std::fs::write(stage.dir().join(file), text).unwrap();
        stage.set(&new());
        assert_eq!(stage.sync().await.unwrap().way, SyncWay::Registry);
        new().check(&stage.dir()).unwrap();
    }
    let stage = Stage::telling(old()).await;
    stage.sync().await.unwrap();
    std::fs::remove_file(stage.dir().join("summaries.json")).unwrap();
    stage.set(&new());
    stage.sync().await.unwrap();
    new().check(&stage.dir()).unwrap();
}

#[tokio::test]
async fn verifying_builds_on_nothing_and_tells_all_the_same() {
    let stage = Stage::telling(old()).await;
    stage.sync().await.unwrap();
    stage.asked();
    stage.set(&new());
    std::fs::write(stage.dir().join("packages/omni.bar.json"), b"vandalized").unwrap();
    let options = SyncOptions { verify: true, ..stage.options() };
    let report = sync(&stage.server.client(), &options, Arc::new(Silent)).await.unwrap();
    new().check(&stage.dir()).unwrap();
    assert_eq!(report.way, SyncWay::Registry);
    assert!(stage.asked().iter().all(|line| !line.starts_with("changes")));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_not_asked_twice() {
    let stage = Stage::telling(old()).await;
    stage.sync().await.unwrap();
    let Stage { server, folder, .. } = stage;
    let (options, client) = (options(&server, &folder.path().join("copy")), server.client());
    drop(server);
    let error = sync(&client, &options, Arc::new(Silent)).await.unwrap_err();
    assert!(error.to_string().contains("/v2/"), "{error}");
    old().check(&folder.path().join("copy")).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn both_ways_lead_to_the_same_copy(
        states in prop::collection::vec(
            prop::collection::btree_map("a\\.[a-c](-[a-c]|\\.[a-z])?", "[1-3]\\.0\\.0", 0..8),
            2..6,
        ),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let scripts: Vec<_> = (1..).zip(&states).map(|(serial, packages)| {
                let packages: Vec<_> =
                    packages.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
                Script::of(serial, &packages)
            }).collect();
            let stage = Stage::telling(scripts[0].clone()).await;
            for (at, script) in scripts.iter().enumerate() {
                stage.set(script);
                let report = stage.sync().await.unwrap();
                prop_assert_eq!(report.way == SyncWay::Changes, at > 0, "{:?}", report);
                let fresh = Stage::new(script.clone()).await;
                let full = fresh.sync().await.unwrap();
                prop_assert_eq!(full.way, SyncWay::Registry);
                prop_assert_eq!(script.check(&stage.dir()), Ok(()));
                prop_assert_eq!(script.check(&fresh.dir()), Ok(()));
            }
            Ok(())
        })?;
    }
}

/// A sync failed where packages were published all the time: the summaries and other files had always changed between
/// the answer that listed them and their own. Now it asks what changed since the state that it read, with the texts of
/// the packages, so one answer ends it however fast the registry moves.
#[tokio::test]
async fn a_sync_ends_however_fast_the_registry_moves() {
    let at = |serial: u64| {
        let version = format!("1.0.{serial}");
        Script::of(serial, &[("omni.a", version.as_str()), ("omni.b", "1.0.0"), ("omni.c", version.as_str())])
    };
    let moving = Arc::new(AtomicBool::new(true));
    let is_moving = Arc::clone(&moving);
    let past = Mutex::new(vec![at(1)]);
    let server = TestServer::start(move |seen| {
        let mut past = past.lock().unwrap();
        let reply = answer_with_changes(&past, seen);
        if is_moving.load(Ordering::SeqCst) {
            // Everything changes between any two answers.
            let next = at(past.len() as u64 + 1);
            past.push(next);
        }
        reply
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let options = options(&server, folder.path());
    for _ in 0..3 {
        let report = sync(&server.client(), &options, Arc::new(Silent)).await.unwrap();
        let serial = report.serial.unwrap().parse().unwrap();
        at(serial).check(folder.path()).unwrap();
        let registries = server.take_lines().iter().filter(|line| line.ends_with("registry.gz")).count();
        assert!(registries <= 1, "the registry was read {registries} times");
    }
    moving.store(false, Ordering::SeqCst);
    sync(&server.client(), &options, Arc::new(Silent)).await.unwrap();
    assert!(!sync(&server.client(), &options, Arc::new(Silent)).await.unwrap().is_new_state);
}
