//! The writer thread: takes waiting jobs, runs them in one transaction, commits, answers.
//!
//! Owns the order of these steps: the observer hears of a commit before any submitter, and a submitter hears of
//! success only after the commit is durable. After a failure the file is reopened, and a count of commits kept in
//! the file tells whether the failed one counts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use redb::{Database, ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction};

use super::Shared;
use super::error::StorageError;
use super::every_table::EveryTable;
use super::job::{Observer, Queued, Scratch, Verdict};
use super::queue::Next;
use super::transaction::Transaction;

/// One row: how many commits the file has seen.
const COMMITS: TableDefinition<(), u64> = TableDefinition::new("commits");

/// How long a broken file rests between attempts to reopen it.
const REOPEN_PAUSE: Duration = Duration::from_millis(250);

pub(super) struct Writer<C> {
    shared: Arc<Shared<C>>,
    /// The count in the last commit known to be in the file.
    commits: u64,
    observer: Box<dyn Observer<C>>,
    /// A commit that failed so that nobody knows yet whether it counts.
    in_doubt: Option<C>,
}

/// How an attempt to commit a group ended.
enum Attempt<C> {
    /// All is durable.
    Committed(C),
    /// Every job was refused, and nothing was written.
    Nothing,
    /// A job spoiled the transaction and was set aside; the others are to run again.
    Again,
    /// The file failed before anything could count.
    Failed(StorageError),
    /// The commit itself failed.
    InDoubt(StorageError, C),
}

/// What is in a transaction when a group of jobs has run in it.
enum Filled {
    /// All of the group, as this commit of the file.
    Done(u64),
    /// Every job was refused, and nothing was written.
    Nothing,
    /// What a job left behind that was set aside.
    Spoiled,
}

/// Creates the tables and answers how many commits the file has seen.
pub(super) fn prepare(
    database: &Database,
    create_tables: fn(&WriteTransaction) -> Result<(), StorageError>,
) -> Result<u64, StorageError> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    create_tables(&transaction)?;
    let commits = count_commit(&Transaction::new(&transaction))?;
    transaction.commit()?;
    Ok(commits)
}

/// Shows the table that every file has, whatever else it holds.
pub(crate) fn every_table(tables: &mut impl EveryTable) -> Result<(), StorageError> {
    tables.table(COMMITS)
}

fn count_commit(transaction: &Transaction<'_>) -> Result<u64, StorageError> {
    let mut table = transaction.open_table(COMMITS)?;
    let commits = table.get(())?.map_or(0, |row| row.value()) + 1;
    table.insert((), commits)?;
    Ok(commits)
}

fn commits_in(snapshot: &ReadTransaction) -> Result<u64, StorageError> {
    match snapshot.open_table(COMMITS) {
        Ok(table) => Ok(table.get(())?.map_or(0, |row| row.value())),
        Err(TableError::TableDoesNotExist(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

impl<C: Scratch> Writer<C> {
    pub(super) fn new(shared: Arc<Shared<C>>, commits: u64, observer: Box<dyn Observer<C>>) -> Self {
        Self { shared, commits, observer, in_doubt: None }
    }

    pub(super) fn run(mut self) {
        loop {
            let patience = self.shared.is_broken().then_some(REOPEN_PAUSE);
            match self.shared.queue.next(patience) {
                Next::Commit(jobs) => {
                    let begun = Instant::now();
                    self.commit_group(jobs);
                    self.shared.commits.lock().unwrap_or_else(PoisonError::into_inner).add(begun.elapsed());
                }
                Next::Reopen(generation) if generation == self.shared.generation() => drop(self.reopen()),
                Next::Reopen(_) | Next::Idle if !self.shared.is_broken() => {}
                Next::Reopen(_) | Next::Idle => drop(self.reopen()),
                Next::End => return,
            }
        }
    }

    /// Runs, commits and answers one group.
    fn commit_group(&mut self, mut jobs: Vec<Queued<C>>) {
        let mut forgiven = false;
        let outcome = loop {
            if self.shared.is_broken()
                && let Err(error) = self.reopen()
            {
                break Err(error);
            }
            let attempt = catch_unwind(AssertUnwindSafe(|| self.attempt(&mut jobs)));
            let bug = |_| Attempt::Failed(StorageError::Internal { detail: "redb panicked".to_owned() });
            match attempt.unwrap_or_else(bug) {
                Attempt::Committed(scratch) => break self.observe(scratch),
                Attempt::Nothing => break Ok(()),
                Attempt::Again => {}
                Attempt::Failed(error) => {
                    let reopened = self.reopen();
                    // The handle was already useless, by a reader's failure: not this group's fault.
                    if error == StorageError::Latched && reopened.is_ok() && !forgiven {
                        forgiven = true;
                    } else {
                        break Err(error);
                    }
                }
                Attempt::InDoubt(error, scratch) => {
                    self.in_doubt = Some(scratch);
                    // What the reopening finds is told to the observer. The jobs get the error in any case: what
                    // a failed sync left behind may be readable now and gone after a power failure.
                    if let Err(error) = self.reopen() {
                        tracing::error!(file = self.shared.name, %error, "the file cannot be reopened");
                    }
                    break Err(error);
                }
            }
        };
        if let Err(error) = &outcome {
            tracing::error!(file = self.shared.name, %error, jobs = jobs.len(), "a commit failed");
        }
        for queued in jobs {
            queued.job.answer(outcome.clone());
        }
    }

    fn attempt(&mut self, jobs: &mut [Queued<C>]) -> Attempt<C> {
        let mut transaction = match self.shared.begin_write() {
            Ok(transaction) => transaction,
            Err(error) => return Attempt::Failed(error),
        };
        transaction.set_quick_repair(true);
        let mut scratch = C::default();
        match self.fill(&transaction, jobs, &mut scratch) {
            Ok(Filled::Done(commits)) => match transaction.commit() {
                Ok(()) => {
                    self.commits = commits;
                    Attempt::Committed(scratch)
                }
                // It may count although it failed.
                Err(error) => Attempt::InDoubt(error.into(), scratch),
            },
            Ok(Filled::Nothing) => {
                transaction.abort().map_or_else(|error| Attempt::Failed(error.into()), |()| Attempt::Nothing)
            }
            Ok(Filled::Spoiled) => {
                transaction.abort().map_or_else(|error| Attempt::Failed(error.into()), |()| Attempt::Again)
            }
            Err(error) => Attempt::Failed(error),
        }
    }

    /// Runs the jobs in a transaction and adds what follows from them, and closes its tables again.
    fn fill(
        &mut self,
        transaction: &WriteTransaction,
        jobs: &mut [Queued<C>],
        scratch: &mut C,
    ) -> Result<Filled, StorageError> {
        let transaction = Transaction::new(transaction);
        let mut done = false;
        for queued in jobs.iter_mut().filter(|queued| !queued.set_aside) {
            scratch.begin_job();
            let run = catch_unwind(AssertUnwindSafe(|| queued.job.run(&transaction, scratch)));
            let clean = match run {
                Ok(Verdict::Done) => {
                    done = true;
                    true
                }
                Ok(Verdict::Refused) => !scratch.wrote(),
                Ok(Verdict::Failed(error)) if error.is_the_jobs_own() => !scratch.wrote(),
                Ok(Verdict::Failed(error)) => return Err(error),
                Err(_) => false,
            };
            if !clean {
                queued.set_aside = true;
                return Ok(Filled::Spoiled);
            }
        }
        if !done {
            return Ok(Filled::Nothing);
        }
        self.observer.complete(&transaction, scratch)?;
        Ok(Filled::Done(count_commit(&transaction)?))
    }

    fn observe(&mut self, scratch: C) -> Result<(), StorageError> {
        let observer = &mut self.observer;
        catch_unwind(AssertUnwindSafe(|| observer.committed(scratch)))
            .map_err(|_| StorageError::Internal { detail: "the observer of a commit panicked".to_owned() })
    }

    /// Reopens the file and settles a commit that was in doubt.
    fn reopen(&mut self) -> Result<(), StorageError> {
        self.shared.reopen()?;
        let commits = commits_in(&self.shared.read()?)?;
        tracing::warn!(file = self.shared.name, commits, "reopened the file after a failure");
        if let Some(scratch) = self.in_doubt.take()
            && commits > self.commits
        {
            // Readers see the commit, so the observer must as well.
            if let Err(error) = self.observe(scratch) {
                tracing::error!(file = self.shared.name, %error, "the observer failed");
            }
        }
        self.commits = commits;
        Ok(())
    }
}
