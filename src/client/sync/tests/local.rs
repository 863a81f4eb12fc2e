//! Readers: what they get, and that syncs leave them in peace.

use super::*;

#[tokio::test]
async fn summaries_come_with_the_path_of_the_copy_and_stay_as_they_are_on_disk() {
    let stage = Stage::new(old()).await;
    assert!(matches!(load_summaries(&stage.dir()), Err(LocalError::Missing { .. })));
    stage.sync().await.unwrap();
    let summaries = load_summaries(&stage.dir()).unwrap();
    let path = std::fs::canonicalize(stage.dir()).unwrap();
    assert_eq!(summaries["#meta"]["local_cache_path"], path.to_str().unwrap());
    assert_eq!(summaries["omni.foo"]["package"]["version"], "1.0.0");
    assert!(old().is_in(&stage.dir()));
    let index = LocalIndex::open(&stage.dir()).unwrap();
    assert_eq!(index.registry().unwrap().files.len(), 4);
    let lines = index.package_lines(&"omni.foo".parse().unwrap()).unwrap();
    assert_eq!(lines.as_deref(), Some("1.0.0 {\"dependencies\":{}}\n"));
    assert_eq!(index.package_lines(&"omni.none".parse().unwrap()).unwrap(), None);
}

#[tokio::test]
async fn a_reader_keeps_its_state_through_any_number_of_syncs() {
    let stage = Stage::new(old()).await;
    stage.sync().await.unwrap();
    let index = LocalIndex::open(&stage.dir()).unwrap();
    for serial in 2..8 {
        stage.set(&Script { serial, ..new() });
        stage.sync().await.unwrap();
        assert_eq!(std::fs::read(index.folder().join("registry.json")).unwrap(), old().registry());
        assert!(index.package_lines(&"omni.gone".parse().unwrap()).unwrap().is_some());
    }
    let folder = index.folder().to_owned();
    drop(index);
    stage.set(&old());
    stage.sync().await.unwrap();
    assert!(!folder.exists(), "a state that nobody reads any more is freed");
    old().check(&stage.dir()).unwrap();
}

#[tokio::test]
async fn readers_see_one_state_or_the_next_at_any_moment() {
    let stage = Stage::new(old()).await;
    stage.sync().await.unwrap();
    let (dir, stop) = (stage.dir(), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stopped = Arc::clone(&stop);
    let reading = std::thread::spawn(move || {
        let mut reads = 0;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) || reads == 0 {
            let index = LocalIndex::open(&dir).unwrap();
            let folder = index.folder();
            let is_whole = |script: &Script| script.check(folder).is_ok();
            assert!(is_whole(&old()) || is_whole(&new()), "{:?} {:?}", old().check(folder), new().check(folder));
            // A program that knows nothing of states opens one file after the other: each is there and whole.
            let lines = std::fs::read(dir.join("packages/omni.foo.json")).unwrap();
            assert!(lines.starts_with(b"1.0.0 {") || lines.starts_with(b"2.0.0 {"));
            reads += 1;
        }
        reads
    });
    for n in 0..100 {
        stage.set(&if n % 2 == 0 { new() } else { old() });
        stage.sync().await.unwrap();
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(reading.join().unwrap() > 0);
}
