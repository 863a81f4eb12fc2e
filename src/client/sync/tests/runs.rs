//! Runs that go well, also in the end: what is asked for, what is reported, and who may run at the same time.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

#[tokio::test]
async fn a_first_sync_fetches_all_and_a_second_nothing() {
    let stage = Stage::new(old()).await;
    let report = stage.sync().await.unwrap();
    old().check(&stage.dir()).unwrap();
    assert_eq!(report.added.len(), 3);
    assert_eq!((report.files_fetched, report.requests, report.serial.as_deref()), (4, 5, Some("1")));
    let asked =
        ["packages/omni.bar.gz", "packages/omni.foo.gz", "packages/omni.gone.gz", "registry.gz", "summaries.gz"];
    assert_eq!(stage.asked(), asked);
    let report = stage.sync().await.unwrap();
    assert_eq!(report, SyncReport { requests: 2, ..SyncReport::unchanged(Some("1".into()), SyncWay::Registry) });
    assert_eq!(stage.asked(), ["changes?since=1", "registry.gz"]);
    old().check(&stage.dir()).unwrap();
}

#[tokio::test]
async fn only_what_changed_is_fetched_and_told() {
    let stage = Stage::new(old()).await;
    stage.sync().await.unwrap();
    stage.asked();
    stage.set(&new());
    let report = stage.sync().await.unwrap();
    new().check(&stage.dir()).unwrap();
    let asked = ["changes?since=1", "packages/omni.foo.gz", "packages/omni.fresh.gz", "registry.gz", "summaries.gz"];
    assert_eq!(stage.asked(), asked);
    assert_eq!(report.added, ["omni.fresh".parse().unwrap()]);
    assert_eq!(report.changed, ["omni.foo".parse().unwrap()]);
    assert_eq!(report.removed, ["omni.gone".parse().unwrap()]);
    assert_eq!((report.files_fetched, report.requests, report.way), (3, 5, SyncWay::Registry));
}

#[tokio::test]
async fn many_states_follow_each_other_and_leave_no_heap() {
    let stage = Stage::new(old()).await;
    for serial in 1..12 {
        let version = format!("1.0.{}", serial / 2);
        let names = ["omni.a", "omni.b", "omni.c"];
        let mut packages: Vec<_> = names.iter().map(|name| (*name, "1.0.0")).collect();
        packages[serial as usize % 3].1 = &version;
        packages.truncate(1 + serial as usize % 3);
        let script = Script::of(serial, &packages);
        stage.set(&script);
        stage.sync().await.unwrap();
        script.check(&stage.dir()).unwrap();
    }
    let mut names: Vec<_> = std::fs::read_dir(stage.dir().join(".packhouse"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["10", "11", "current", "lock"]);
}

#[tokio::test]
async fn a_server_that_moves_on_meanwhile_is_caught_up_with() {
    // The registry moves to its new state between `registry.gz` and the first file.
    let first = AtomicU32::new(0);
    let server = TestServer::start(move |seen| match (seen.target.as_str(), first.load(Ordering::SeqCst)) {
        ("/v2/registry.gz", 0) => {
            first.store(1, Ordering::SeqCst);
            old().answer(seen)
        }
        _ => new().answer(seen),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let report = sync(&server.client(), &options(&server, folder.path()), Arc::new(Silent)).await.unwrap();
    new().check(folder.path()).unwrap();
    let lines = server.take_lines();
    assert_eq!(lines.iter().filter(|line| line.ends_with("registry.gz")).count(), 2);
    // Fetched in the first round, found to be of the next state, and not fetched again.
    for once in ["packages/omni.foo.gz", "summaries.gz", "packages/omni.bar.gz"] {
        assert_eq!(lines.iter().filter(|line| line.ends_with(once)).count(), 1, "{once}");
    }
    assert_eq!((report.files_reused, report.serial.as_deref()), (0, Some("2")));
}

#[tokio::test]
async fn what_a_broken_run_fetched_serves_the_next() {
    let stage = Stage::new(Script::default()).await;
    let packages: Vec<_> = (0..20).map(|n| (format!("omni.p{n}"), format!("1.0.{n}"))).collect();
    let packages: Vec<_> = packages.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
    let script = Script::of(1, &packages);
    let whole = script.clone();
    let healed = Arc::new(AtomicU32::new(0));
    let is_healed = Arc::clone(&healed);
    let server = TestServer::start(move |seen| {
        if seen.target.ends_with("/omni.p7.gz") && is_healed.load(Ordering::SeqCst) == 0 {
            // Cut in the middle of the file.
            let body = gzip(&whole.files["packages/omni.p7.gz"]);
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            return Reply::Raw([head.as_bytes(), &body[..body.len() / 2]].concat());
        }
        whole.answer(seen)
    })
    .await;
    let mut options = options(&server, &stage.dir());
    options.limits.parallel = 1;
    let error = sync(&server.client(), &options, Arc::new(Silent)).await.unwrap_err();
    assert!(error.to_string().contains("the connection broke"), "{error}");
    let tries = server.take_lines().iter().filter(|line| line.ends_with("/omni.p7.gz")).count();
    assert_eq!(tries, 4);
    healed.store(1, Ordering::SeqCst);
    let report = sync(&server.client(), &options, Arc::new(Silent)).await.unwrap();
    script.check(&stage.dir()).unwrap();
    assert!(report.files_reused > 0 && report.files_fetched + report.files_reused == 21, "{report:?}");
    assert_eq!(server.take_lines().len() as u64, report.files_fetched + 1);
}

#[tokio::test]
async fn an_arrival_damaged_meanwhile_is_fetched_again() {
    let stage = Stage::new(old()).await;
    let home = stage.dir().join(".packhouse");
    std::fs::create_dir_all(home.join("arrivals")).unwrap();
    let crc = Crc32::of(&old().files["summaries.gz"]);
    // As a power failure leaves it: the name, and no bytes.
    std::fs::write(home.join("arrivals").join(format!("{crc}-summaries.json")), b"").unwrap();
    let report = stage.sync().await.unwrap();
    assert_eq!((report.files_reused, report.files_fetched), (0, 4));
    old().check(&stage.dir()).unwrap();
}

#[tokio::test]
async fn two_at_the_same_time_do_not_disturb_each_other() {
    let stage = Stage::new(old()).await;
    let (a, b) = tokio::join!(stage.sync(), stage.sync());
    let (a, b) = (a.unwrap(), b.unwrap());
    old().check(&stage.dir()).unwrap();
    // One did it all, the other found it done.
    assert_eq!([a.is_new_state, b.is_new_state].iter().filter(|is_new| **is_new).count(), 1);
    assert_eq!(stage.asked().len(), 7);
}

#[tokio::test]
async fn the_second_does_not_wait_for_ever() {
    let stage = Stage::new(old()).await;
    let limits = SyncLimits::default();
    let held = Replica::open(&stage.dir(), Arc::new(LocalDisk), limits.files_max, limits.lock_timeout).await.unwrap();
    let mut options = stage.options();
    options.limits.lock_timeout = Duration::from_millis(60);
    let error = sync(&stage.server.client(), &options, Arc::new(Silent)).await.unwrap_err();
    assert!(matches!(error, SyncError::Busy { .. }), "{error}");
    drop(held);
    stage.sync().await.unwrap();
}

#[tokio::test]
async fn a_copy_can_be_moved_to_another_registry() {
    let stage = Stage::new(old()).await;
    stage.sync().await.unwrap();
    // Its tag is the other's too, and must not be believed: it is another registry's.
    let other = Stage::new(Script { serial: 1, ..new() }).await;
    let options = SyncOptions { dir: stage.dir(), ..other.options() };
    let report = sync(&other.server.client(), &options, Arc::new(Silent)).await.unwrap();
    assert!(report.is_new_state);
    Script { serial: 1, ..new() }.check(&stage.dir()).unwrap();
}

#[tokio::test]
async fn verify_repairs_what_was_damaged_or_deleted() {
    let stage = Stage::new(old()).await;
    stage.sync().await.unwrap();
    stage.set(&new());
    stage.sync().await.unwrap();
    std::fs::write(stage.dir().join("packages/omni.bar.json"), b"vandalized").unwrap();
    std::fs::remove_file(stage.dir().join("packages/omni.fresh.json")).unwrap();
    assert!(!stage.sync().await.unwrap().is_new_state);
    stage.asked();
    let options = SyncOptions { verify: true, ..stage.options() };
    sync(&stage.server.client(), &options, Arc::new(Silent)).await.unwrap();
    new().check(&stage.dir()).unwrap();
    assert_eq!(stage.asked(), ["packages/omni.bar.gz", "packages/omni.fresh.gz", "registry.gz"]);
    let report = sync(&stage.server.client(), &options, Arc::new(Silent)).await.unwrap();
    assert!(!report.is_new_state);
    // The names in the folder come back with any sync.
    std::fs::remove_file(stage.dir().join("packages")).unwrap();
    stage.sync().await.unwrap();
    new().check(&stage.dir()).unwrap();
}

#[tokio::test]
async fn what_is_not_ours_is_not_touched() {
    let stage = Stage::new(old()).await;
    std::fs::create_dir_all(stage.dir().join("packages")).unwrap();
    std::fs::write(stage.dir().join("notes.txt"), "mine").unwrap();
    let error = stage.sync().await.unwrap_err();
    assert!(matches!(error, SyncError::Foreign { .. }), "{error}");
    std::fs::remove_dir(stage.dir().join("packages")).unwrap();
    stage.sync().await.unwrap();
    old().check(&stage.dir()).unwrap();
    assert_eq!(std::fs::read_to_string(stage.dir().join("notes.txt")).unwrap(), "mine");
}
