//! Every change that a sync makes to the disk fails once, or is the last one before the machine stops.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

/// What happens at the chosen change.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    /// It fails, once; the run goes on and ends as it will.
    Error,
    /// It is not done, and nothing after it: the process was killed.
    Kill,
}

/// A disk that goes wrong at one change.
struct FaultyDisk {
    left: AtomicU64,
    fault: Fault,
    hit: AtomicBool,
}

impl FaultyDisk {
    fn new(after: u64, fault: Fault) -> Self {
        Self { left: AtomicU64::new(after), fault, hit: AtomicBool::new(false) }
    }

    fn was_hit(&self) -> bool {
        self.hit.load(Ordering::SeqCst)
    }

    fn change<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let before = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        let is_hit = before.is_err() && (self.fault == Fault::Kill || !self.was_hit());
        if is_hit {
            self.hit.store(true, Ordering::SeqCst);
            return Err(io::ErrorKind::StorageFull.into());
        }
        work()
    }
}

impl Disk for Arc<FaultyDisk> {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Write + Send>> {
        let file = self.change(|| LocalDisk.create(path))?;
        Ok(Box::new(FaultyFile { file, disk: Arc::clone(self) }))
    }
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.change(|| LocalDisk.create_folder(path))
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|| LocalDisk.link(from, to))
    }
    fn symlink(&self, target: &Path, at: &Path) -> io::Result<()> {
        self.change(|| LocalDisk.symlink(target, at))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|| LocalDisk.rename(from, to))
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.change(|| LocalDisk.remove_file(path))
    }
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.change(|| {
            if self.fault == Fault::Kill && self.left.load(Ordering::SeqCst) == 0 {
                // Killed in the middle of it: some of what is in the folder is gone.
                let half = std::fs::read_dir(path)?.step_by(2).flatten().map(|entry| entry.path());
                half.filter(|path| path.is_file()).try_for_each(std::fs::remove_file)?;
                return Err(io::ErrorKind::Interrupted.into());
            }
            LocalDisk.remove_folder(path)
        })
    }
    fn persist(&self, paths: &[PathBuf]) -> io::Result<()> {
        self.change(|| LocalDisk.persist(paths))
    }
}

/// Writes the first half of what it is given and then fails, when its turn has come.
struct FaultyFile {
    file: Box<dyn Write + Send>,
    disk: Arc<FaultyDisk>,
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.disk.change(|| Ok(()));
        if let Err(error) = written {
            self.file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Runs a sync from the state before, through each fault in turn, and one without fault after each.
async fn through_all_faults(fault: Fault, before: &[Script], after: &Script) {
    through_all_faults_on(async || Stage::new(Script::default()).await, fault, before, after).await;
}

async fn through_all_faults_on(stage: impl AsyncFn() -> Stage, fault: Fault, before: &[Script], after: &Script) {
    let mut steps = 0;
    loop {
        let stage = stage().await;
        for script in before {
            stage.set(script);
            stage.sync().await.unwrap();
        }
        stage.set(after);
        let disk = Arc::new(FaultyDisk::new(steps, fault));
        let mut options = stage.options();
        options.limits.parallel = 1;
        let on_disk: Arc<dyn Disk> = Arc::new(Arc::clone(&disk));
        let result = sync_on(&stage.server.client(), &options, Arc::new(Silent), on_disk).await;
        let is_after = after.is_in(&stage.dir());
        let is_before = before.last().map_or(!stage.dir().join("registry.json").exists(), |it| it.is_in(&stage.dir()));
        assert!(is_after || is_before, "{fault:?} at step {steps}: neither the old state nor the new");
        if result.is_ok() {
            assert!(is_after, "{fault:?} at step {steps}: reported done, and is not");
        }
        if !disk.was_hit() {
            break;
        }
        stage.sync().await.unwrap();
        after.check(&stage.dir()).unwrap_or_else(|why| panic!("{fault:?} at step {steps}, then again: {why}"));
        // And once more, so that what the fault left behind is built upon.
        let next = Script::of(99, &[("omni.foo", "3.0.0"), ("omni.gone", "1.0.0")]);
        stage.set(&next);
        stage.sync().await.unwrap();
        next.check(&stage.dir()).unwrap_or_else(|why| panic!("{fault:?} at step {steps}, then another: {why}"));
        steps += 1;
    }
    assert!(steps > 20, "only {steps} steps");
}

#[tokio::test]
async fn a_first_sync_survives_any_error() {
    through_all_faults(Fault::Error, &[], &new()).await;
}

#[tokio::test]
async fn a_first_sync_survives_being_killed_anywhere() {
    through_all_faults(Fault::Kill, &[], &new()).await;
}

#[tokio::test]
async fn a_second_sync_survives_any_error() {
    through_all_faults(Fault::Error, &[old()], &new()).await;
}

#[tokio::test]
async fn a_second_sync_survives_being_killed_anywhere() {
    through_all_faults(Fault::Kill, &[old()], &new()).await;
}

fn earlier() -> Script {
    Script::of(0, &[("omni.bar", "1.0.0"), ("omni.foo", "0.9.0"), ("omni.old", "1.0.0")])
}

#[tokio::test]
async fn a_sync_upon_a_spare_state_survives_any_error() {
    through_all_faults(Fault::Error, &[earlier(), old()], &new()).await;
}

#[tokio::test]
async fn a_sync_upon_a_spare_state_survives_being_killed_anywhere() {
    through_all_faults(Fault::Kill, &[earlier(), old()], &new()).await;
}

#[tokio::test]
async fn a_sync_by_changes_survives_any_error() {
    through_all_faults_on(async || Stage::telling(earlier()).await, Fault::Error, &[earlier(), old()], &new()).await;
}

#[tokio::test]
async fn a_sync_by_changes_survives_being_killed_anywhere() {
    through_all_faults_on(async || Stage::telling(earlier()).await, Fault::Kill, &[earlier(), old()], &new()).await;
}

#[tokio::test]
async fn a_full_disk_is_told_with_what_to_do() {
    let stage = Stage::new(old()).await;
    let disk: Arc<dyn Disk> = Arc::new(Arc::new(FaultyDisk::new(3, Fault::Error)));
    let error = sync_on(&stage.server.client(), &stage.options(), Arc::new(Silent), disk).await.unwrap_err();
    assert!(error.to_string().contains("free some space and run the sync again"), "{error}");
}

#[tokio::test]
async fn small_changes_cost_few_changes_of_the_disk() {
    let packages: Vec<_> = (0..300).map(|n| format!("omni.p{n}")).collect();
    let script = |serial: u64, version: &str| {
        let mut packages: Vec<_> = packages.iter().map(|name| (name.as_str(), "1.0.0")).collect();
        packages[7].1 = version;
        Script::of(serial, &packages)
    };
    let stage = Stage::new(script(1, "1")).await;
    for (serial, version) in [(1, "1"), (2, "2")] {
        stage.set(&script(serial, version));
        stage.sync().await.unwrap();
    }
    let disk = Arc::new(FaultyDisk::new(1000, Fault::Error));
    stage.set(&script(3, "3"));
    let on_disk: Arc<dyn Disk> = Arc::new(Arc::clone(&disk));
    sync_on(&stage.server.client(), &stage.options(), Arc::new(Silent), on_disk).await.unwrap();
    script(3, "3").check(&stage.dir()).unwrap();
    let changes = 1000 - disk.left.load(Ordering::SeqCst);
    assert!(changes < 40, "{changes} changes for one package");
}
