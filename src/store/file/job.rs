//! A job for the writer thread and the future that holds its answer.
//!
//! Owns how a typed closure becomes a queue entry and how its result comes back. Runs nothing itself.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::error::{StorageError, WriteError};
use super::transaction::Transaction;
use super::wait::block_on;

/// What the jobs of one commit leave behind for the commit's observer.
pub trait Scratch: Default + Send + 'static {
    /// Called before each job, so that [`Self::wrote`] speaks of that job alone.
    fn begin_job(&mut self);

    /// Notes that the running job has changed something.
    fn mark_written(&mut self);

    /// Whether the running job has changed anything, in the file or in this value.
    fn wrote(&self) -> bool;
}

/// Who follows the commits of a file. A closure over the context hears of each commit when it is durable.
pub trait Observer<C>: Send {
    /// Adds what follows from the jobs to their transaction. What it prepares for [`Self::committed`] it keeps; a
    /// transaction that fails is followed by another call, or by none.
    ///
    /// # Errors
    /// Those of the file; the whole commit then fails.
    fn complete(&mut self, transaction: &Transaction<'_>, scratch: &C) -> Result<(), StorageError> {
        let _ = (transaction, scratch);
        Ok(())
    }

    /// Hears of a commit, before anybody is told of it.
    fn committed(&mut self, scratch: C);
}

impl<C, F: FnMut(C) + Send> Observer<C> for F {
    fn committed(&mut self, scratch: C) {
        self(scratch);
    }
}

/// The [`Scratch`] of a file without an observer.
#[derive(Debug, Default)]
pub struct Touched(bool);

impl Scratch for Touched {
    fn begin_job(&mut self) {
        self.0 = false;
    }

    fn mark_written(&mut self) {
        self.0 = true;
    }

    fn wrote(&self) -> bool {
        self.0
    }
}

/// The answer to a submitted job: a future, or with [`Pending::wait`] a blocking call. Dropping it changes nothing.
#[derive(Debug)]
#[must_use = "the job runs anyway, but its error would be lost"]
pub struct Pending<T, E>(oneshot::Receiver<Result<T, WriteError<E>>>);

impl<T, E> Pending<T, E> {
    /// Waits on a thread that is not the runtime's.
    ///
    /// # Errors
    /// Those of the job.
    pub fn wait(self) -> Result<T, WriteError<E>> {
        block_on(self)
    }
}

impl<T, E> Future for Pending<T, E> {
    type Output = Result<T, WriteError<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // The sender goes unused only when the thread is gone.
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(StorageError::Closed.into())))
    }
}

/// How one run of a job ended.
pub(super) enum Verdict {
    Done,
    /// The job failed by its own rule.
    Refused,
    /// The file failed, or the job found it damaged.
    Failed(StorageError),
}

/// A job whose result type is its own affair.
pub(super) trait Job<C>: Send {
    /// Runs the job; a later run replaces the result of an earlier one.
    fn run(&mut self, transaction: &Transaction<'_>, scratch: &mut C) -> Verdict;

    /// Tells the submitter: the result of the last run, or why it does not count.
    fn answer(self: Box<Self>, outcome: Result<(), StorageError>);
}

pub(super) struct Queued<C> {
    pub(super) job: Box<dyn Job<C>>,
    pub(super) weight_bytes: usize,
    /// Failed with changes made: answered with the group, but not run again.
    pub(super) set_aside: bool,
    /// Its place in the queue, given back when it is answered.
    _permit: Option<[OwnedSemaphorePermit; 2]>,
}

impl<C> Queued<C> {
    pub(super) fn new(job: Box<dyn Job<C>>, weight_bytes: usize, permit: Option<[OwnedSemaphorePermit; 2]>) -> Self {
        Self { job, weight_bytes, set_aside: false, _permit: permit }
    }
}

pub(super) struct TypedJob<F, T, E> {
    work: F,
    result: Option<Result<T, WriteError<E>>>,
    answer: oneshot::Sender<Result<T, WriteError<E>>>,
}

impl<F, T: Send + 'static, E: Send + 'static> TypedJob<F, T, E> {
    pub(super) fn boxed<C>(work: F) -> (Box<dyn Job<C>>, Pending<T, E>)
    where
        F: FnMut(&Transaction<'_>, &mut C) -> Result<T, WriteError<E>> + Send + 'static,
    {
        let (answer, pending) = oneshot::channel();
        (Box::new(Self { work, result: None, answer }), Pending(pending))
    }
}

impl<C, F, T, E> Job<C> for TypedJob<F, T, E>
where
    T: Send,
    E: Send,
    F: FnMut(&Transaction<'_>, &mut C) -> Result<T, WriteError<E>> + Send,
{
    fn run(&mut self, transaction: &Transaction<'_>, scratch: &mut C) -> Verdict {
        self.result = None;
        match self.result.insert((self.work)(transaction, scratch)) {
            Ok(_) => Verdict::Done,
            Err(WriteError::Rule(_)) => Verdict::Refused,
            Err(WriteError::Storage(error)) => Verdict::Failed(error.clone()),
        }
    }

    fn answer(self: Box<Self>, outcome: Result<(), StorageError>) {
        let Self { work, result, answer } = *self;
        // What the closure owns is settled before the submitter goes on, for example content nobody adopted.
        drop(work);
        let panicked = || Err(StorageError::Internal { detail: "a job panicked".to_owned() }.into());
        let message = match outcome {
            Ok(()) => result.unwrap_or_else(panicked),
            Err(error) => Err(error.into()),
        };
        // The submitter may have gone; the job counts all the same.
        let _ = answer.send(message);
    }
}
