//! The writer thread under test: groups, lanes, failures, recovery.

use std::sync::mpsc;

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};

use super::*;
use crate::store::media::{Fault, FaultMedia};

const TABLE: TableDefinition<u64, u64> = TableDefinition::new("t");

/// What the observer is told: the keys of a commit.
#[derive(Debug, Default)]
struct Keys {
    keys: Vec<u64>,
    wrote: bool,
}

impl Scratch for Keys {
    fn begin_job(&mut self) {
        self.wrote = false;
    }

    fn mark_written(&mut self) {
        self.wrote = true;
    }

    fn wrote(&self) -> bool {
        self.wrote
    }
}

type Outcome = Result<(), WriteError<&'static str>>;

fn insert(key: u64, value: u64) -> impl FnMut(&Transaction<'_>, &mut Keys) -> Outcome {
    move |transaction, scratch| {
        scratch.mark_written();
        scratch.keys.push(key);
        transaction.open_table(TABLE)?.insert(key, value)?;
        Ok(())
    }
}

struct Rig {
    file: RedbFile<Keys>,
    commits: mpsc::Receiver<Vec<u64>>,
}

impl Rig {
    fn open(media: &FaultMedia) -> Self {
        Self::try_open(media).unwrap()
    }

    fn try_open(media: &FaultMedia) -> Result<Self, StorageError> {
        let create_tables = |transaction: &WriteTransaction| {
            transaction.open_table(TABLE)?;
            Ok(())
        };
        let options = FileOptions { cache_bytes: 1 << 20, create_tables };
        let (sender, commits) = mpsc::channel();
        let observer = move |scratch: Keys| sender.send(scratch.keys).unwrap();
        let file = RedbFile::open(Arc::new(media.clone()), "t.redb", options, observer)?;
        Ok(Self { file, commits })
    }

    fn submit<T: Send + 'static>(
        &self,
        lane: Lane,
        weight_bytes: usize,
        job: impl FnMut(&Transaction<'_>, &mut Keys) -> Result<T, WriteError<&'static str>> + Send + 'static,
    ) -> Pending<T, &'static str> {
        block_on(self.file.submit(lane, weight_bytes, job)).unwrap()
    }

    /// Holds the writer inside a job until the sender is dropped, so that jobs can pile up behind it.
    fn hold(&self) -> (mpsc::Sender<()>, Pending<(), &'static str>) {
        let (release, held) = mpsc::channel::<()>();
        let (entered, inside) = mpsc::channel::<()>();
        let pending = self.submit(Lane::Small, 0, move |_, _| {
            let _ = entered.send(());
            let _ = held.recv();
            Err(WriteError::Rule("held"))
        });
        inside.recv().unwrap();
        (release, pending)
    }

    fn get(&self, key: u64) -> Option<u64> {
        self.file.view(|snapshot| Ok(snapshot.open_table(TABLE)?.get(key)?.map(|row| row.value()))).unwrap()
    }
}

#[test]
fn waiting_jobs_share_a_commit_that_the_observer_sees_first() {
    let media = FaultMedia::new();
    let rig = Rig::open(&media);
    let (release, held) = rig.hold();
    let syncs = media.syncs();
    let pending: Vec<_> = (0..100).map(|key| rig.submit(Lane::Small, 10, insert(key, key))).collect();
    drop(release);
    assert_eq!(held.wait(), Err(WriteError::Rule("held")));
    for pending in pending {
        pending.wait().unwrap();
    }
    assert_eq!(rig.commits.try_recv(), Ok((0..100).collect::<Vec<u64>>()), "told before the first answer");
    assert!(media.syncs() - syncs <= 4, "a hundred jobs, {} syncs", media.syncs() - syncs);
    assert_eq!(rig.get(99), Some(99));
}

#[test]
fn a_refused_job_costs_nothing_and_the_others_go_on() {
    let media = FaultMedia::new();
    let rig = Rig::open(&media);
    let (release, held) = rig.hold();
    let first = rig.submit(Lane::Small, 0, insert(1, 1));
    let refused = rig.submit(Lane::Small, 0, |transaction, _| {
        // It sees what the jobs before it did.
        assert!(transaction.open_table(TABLE)?.get(1)?.is_some());
        Err::<(), _>(WriteError::Rule("taken"))
    });
    let last = rig.submit(Lane::Small, 0, insert(2, 2));
    drop(release);
    assert!(held.wait().is_err());
    assert_eq!(refused.wait(), Err(WriteError::Rule("taken")));
    first.wait().unwrap();
    last.wait().unwrap();
    assert_eq!(rig.commits.try_recv(), Ok(vec![1, 2]));
    let writes = media.writes();
    let alone = rig.submit(Lane::Small, 0, |_, _| Err::<(), _>(WriteError::Rule("no")));
    assert_eq!(alone.wait(), Err(WriteError::Rule("no")));
    assert_eq!(media.writes(), writes);
}

/// To open a table took longer than most of what was done with it, for some forty of them in each publish.
#[test]
fn a_table_stays_open_from_job_to_job_and_has_one_user_at_a_time() {
    let rig = Rig::open(&FaultMedia::new());
    let (release, held) = rig.hold();
    let first = rig.submit(Lane::Small, 0, |transaction, scratch| {
        insert(1, 1)(transaction, scratch)?;
        let table = transaction.open_table(TABLE)?;
        assert!(transaction.open_table(TABLE).is_err(), "two could change it in different ways");
        drop(table);
        assert_eq!(transaction.open_table(TABLE)?.len()?, 1);
        Ok(())
    });
    let deleted = rig.submit(Lane::Small, 0, |transaction, scratch| {
        scratch.mark_written();
        assert!(transaction.delete_table(TABLE)?);
        assert_eq!(transaction.open_table(TABLE)?.len()?, 0, "and not what is left of it on the shelf");
        insert(2, 2)(transaction, scratch)
    });
    let remembered = rig.submit(Lane::Small, 0, |transaction, _| {
        let memory = transaction.memory::<std::cell::Cell<u64>>().unwrap();
        memory.set(memory.get() + 1);
        assert!(transaction.memory::<String>().is_none(), "another kind");
        Ok(transaction.memory::<std::cell::Cell<u64>>().unwrap().get())
    });
    drop(release);
    assert!(held.wait().is_err());
    first.wait().unwrap();
    deleted.wait().unwrap();
    assert_eq!(remembered.wait(), Ok(1));
    assert_eq!((rig.get(1), rig.get(2)), (None, Some(2)));
    let next =
        rig.submit(Lane::Small, 0, |transaction, _| Ok(transaction.memory::<std::cell::Cell<u64>>().unwrap().get()));
    assert_eq!(next.wait(), Ok(0), "it ends with the transaction");
}

#[test]
fn a_job_that_fails_after_writing_is_undone_and_the_others_run_again() {
    let rig = Rig::open(&FaultMedia::new());
    let (release, held) = rig.hold();
    let first = rig.submit(Lane::Small, 0, insert(1, 1));
    let dirty = rig.submit(Lane::Small, 0, |transaction, scratch| {
        insert(7, 7)(transaction, scratch)?;
        Err::<(), _>(WriteError::Rule("changed my mind"))
    });
    let panics = rig.submit(Lane::Small, 0, |transaction, scratch| -> Outcome {
        insert(8, 8)(transaction, scratch)?;
        panic!("a bug")
    });
    let last = rig.submit(Lane::Small, 0, insert(2, 2));
    drop(release);
    assert!(held.wait().is_err());
    first.wait().unwrap();
    last.wait().unwrap();
    assert_eq!(dirty.wait(), Err(WriteError::Rule("changed my mind")));
    assert!(matches!(panics.wait(), Err(WriteError::Storage(StorageError::Internal { .. }))));
    assert_eq!([1, 2, 7, 8].map(|key| rig.get(key)), [Some(1), Some(2), None, None]);
    assert_eq!(rig.commits.try_recv(), Ok(vec![1, 2]));
    rig.submit(Lane::Small, 0, insert(3, 3)).wait().unwrap();
}

#[test]
fn small_jobs_pass_the_bulk_that_waits() {
    let rig = Rig::open(&FaultMedia::new());
    let (release, held) = rig.hold();
    let bulk: Vec<_> = (0..12).map(|key| rig.submit(Lane::Bulk, 1 << 19, insert(1000 + key, 0))).collect();
    let small: Vec<_> = (0..257).map(|key| rig.submit(Lane::Small, 0, insert(key, 1))).collect();
    drop(release);
    assert!(held.wait().is_err());
    for small in small {
        small.wait().unwrap();
    }
    let first = rig.commits.recv().unwrap();
    assert_eq!(first, (0..256).collect::<Vec<_>>(), "as many small jobs as a commit takes, and no bulk");
    let second = rig.commits.recv().unwrap();
    assert_eq!(second, [256, 1000, 1001], "the last small job and 1 MiB of the bulk that was passed over");
    for bulk in bulk {
        bulk.wait().unwrap();
    }
    assert_eq!(rig.commits.try_iter().flatten().collect::<Vec<_>>(), (1002..1012).collect::<Vec<_>>());
}

#[test]
fn a_full_queue_lets_senders_wait_and_a_dropped_answer_changes_nothing() {
    let rig = Rig::open(&FaultMedia::new());
    let (release, held) = rig.hold();
    for key in 0..12 {
        drop(rig.submit(Lane::Bulk, 1 << 20, insert(key, key)));
    }
    let mut waiting = std::pin::pin!(rig.file.submit(Lane::Bulk, 1, insert(12, 12)));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending(), "12 MiB wait already");
    drop(release);
    assert!(held.wait().is_err());
    block_on(waiting).unwrap().wait().unwrap();
    assert_eq!(rig.get(11), Some(11));
}

#[test]
fn closing_runs_what_was_accepted() {
    let media = FaultMedia::new();
    let rig = Rig::open(&media);
    let pending: Vec<_> = (0..50).map(|key| rig.submit(Lane::Bulk, 1 << 18, insert(key, key))).collect();
    rig.file.close();
    for pending in pending {
        pending.wait().unwrap();
    }
    let late = block_on(rig.file.submit(Lane::Small, 0, insert(1, 1)));
    assert!(matches!(late, Err(StorageError::Closed)));
    assert!(matches!(rig.file.read(), Err(StorageError::Closed)));
    assert_eq!(Rig::open(&media).get(49), Some(49));
}

#[test]
fn a_full_disk_is_survived_in_the_process_at_every_write() {
    for fault in [Fault::DiskFull, Fault::Device] {
        for repeats in [false, true] {
            let mut failed = 0;
            for n in 0.. {
                let media = FaultMedia::new();
                let rig = Rig::open(&media);
                rig.submit(Lane::Small, 0, insert(1, 1)).wait().unwrap();
                media.fail_write_after(n, fault, repeats);
                let answer = rig.submit(Lane::Small, 0, insert(2, 2)).wait();
                match &answer {
                    Ok(()) => {}
                    Err(WriteError::Storage(StorageError::DiskFull)) => assert_eq!(fault, Fault::DiskFull),
                    Err(WriteError::Storage(StorageError::Io { .. })) => assert_eq!(fault, Fault::Device),
                    Err(other) => panic!("write {n}: {other:?}"),
                }
                media.heal();
                rig.submit(Lane::Small, 0, insert(3, 3)).wait().unwrap();
                assert_eq!([1, 3].map(|key| rig.get(key)), [Some(1), Some(3)], "write {n}");
                let told: Vec<u64> = rig.commits.try_iter().flatten().collect();
                let expected = if rig.get(2).is_some() { vec![1, 2, 3] } else { vec![1, 3] };
                assert_eq!(told, expected, "the observer knows what readers see, write {n}");
                if answer.is_ok() {
                    assert_eq!(rig.get(2), Some(2), "write {n}");
                    break;
                }
                failed += 1;
            }
            assert!(failed > 2, "{fault:?}: only {failed} writes could fail");
        }
    }
}

#[test]
fn a_failed_sync_is_never_called_success() {
    let mut failed = 0;
    for n in 0.. {
        let media = FaultMedia::new();
        let rig = Rig::open(&media);
        media.fail_sync_after(n, Fault::Device, false);
        let answer = rig.submit(Lane::Small, 0, insert(2, 2)).wait();
        media.heal();
        rig.submit(Lane::Small, 0, insert(3, 3)).wait().unwrap();
        let told: Vec<u64> = rig.commits.try_iter().flatten().collect();
        assert_eq!(told.contains(&2), rig.get(2).is_some(), "sync {n}");
        if answer.is_ok() {
            break;
        }
        failed += 1;
    }
    assert!(failed >= 2, "only {failed} syncs could fail");
}

#[test]
fn what_was_answered_survives_a_crash_at_every_sync() {
    for n in 0.. {
        let media = FaultMedia::new();
        media.freeze_after(n);
        let mut answered = Vec::new();
        if let Ok(rig) = Rig::try_open(&media) {
            for key in 0..5 {
                if rig.submit(Lane::Small, 0, insert(key, key)).wait().is_ok() && !media.is_frozen() {
                    answered.push(key);
                }
            }
        }
        let images = std::iter::once(media.crash_image()).chain((0..8).map(|seed| media.torn_image(seed)));
        for image in images {
            let rig = Rig::open(&image);
            for key in &answered {
                assert_eq!(rig.get(*key), Some(*key), "sync {n}");
            }
            rig.submit(Lane::Small, 0, insert(9, 9)).wait().unwrap();
        }
        if !media.is_frozen() {
            break;
        }
    }
}

#[test]
fn a_reader_gets_a_new_handle_when_its_own_fails() {
    let media = FaultMedia::new();
    let rig = Rig::open(&media);
    rig.submit(Lane::Small, 0, insert(1, 1)).wait().unwrap();
    let old = rig.file.read().unwrap();
    media.fail_write_after(0, Fault::DiskFull, false);
    assert!(rig.submit(Lane::Small, 0, insert(2, 2)).wait().is_err());
    media.heal();
    let read = |snapshot: &ReadTransaction| Ok(snapshot.open_table(TABLE)?.get(1)?.map(|row| row.value()));
    let stale = read(&old);
    assert!(matches!(stale, Ok(Some(1)) | Err(StorageError::Latched)), "{stale:?}");
    assert_eq!(rig.file.view(read), Ok(Some(1)));
}
