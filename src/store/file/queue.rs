//! The jobs that wait for a writer thread: two lanes, each bounded.
//!
//! Owns who goes into the next commit. Runs no job.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::StorageError;
use super::job::Queued;

/// Jobs of one lane that may wait or run at once.
const LANE_JOBS_MAX: usize = 4096;
/// What the jobs of one lane may weigh together, in bytes: one commit that is under way and one that is gathered. It is
/// what all uploads together keep in memory for the writer.
const LANE_BYTES_MAX: usize = 2 * COMMIT_BULK_BYTES_MAX;
/// Small jobs in one commit: enough to share its cost, few enough to repeat when one of them spoils it.
const COMMIT_SMALL_JOBS_MAX: usize = 256;
/// What small jobs may weigh in one commit, in bytes.
const COMMIT_SMALL_BYTES_MAX: usize = 4 << 20;
/// What bulk jobs may weigh in one commit while nobody else writes, in bytes. Each commit costs two syncs, which are a
/// tenth of the time that so much takes to be written.
const COMMIT_BULK_BYTES_MAX: usize = 6 << 20;
/// The same while small jobs come, which wait for it: a millisecond or two.
const COMMIT_BULK_BYTES_BESIDE_SMALL_MAX: usize = 1 << 20;
/// How long after a small job the next is expected.
const SMALL_EXPECTED: Duration = Duration::from_millis(50);
/// The longest wait for those who were just answered, so that they share the next commit with those who came meanwhile.
const GATHER_MAX: Duration = Duration::from_millis(1);
/// The same in parts of what the last commit took.
const GATHER_SHARE: u32 = 2;
/// Bytes per permit of the semaphore that counts them.
const PERMIT_BYTES: usize = 1024;

/// Which queue a job waits in. Within a lane, jobs run in the order of their submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// All that wait are taken into the next commit, without any bulk if the last commit had some.
    Small,
    /// Goes into every other commit at least: at most 1 MiB while small jobs come, and 6 MiB when there have been none
    /// for a while.
    Bulk,
}

pub(super) struct Queue<C> {
    state: Mutex<State<C>>,
    work: Condvar,
    rooms: [Room; 2],
}

struct State<C> {
    lanes: [VecDeque<Queued<C>>; 2],
    closed: bool,
    last_small: Option<Instant>,
    /// When the last commit was begun, and how many small jobs were in it.
    last_commit: Option<(Instant, usize)>,
    /// How many small jobs the writer waits for: fewer do not wake it.
    wake_at: usize,
    /// The last commit left bulk jobs waiting for the sake of small ones.
    bulk_passed_over: bool,
    /// The generation of the handle that a reader found useless.
    reopen: Option<u64>,
}

struct Room {
    jobs: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

/// What a writer thread is to do next.
pub(super) enum Next<C> {
    Commit(Vec<Queued<C>>),
    /// A reader found the handle of this generation useless.
    Reopen(u64),
    /// Nothing came in time.
    Idle,
    /// The queue is closed and empty.
    End,
}

impl<C> Queue<C> {
    pub(super) fn new() -> Self {
        let room = || Room {
            jobs: Arc::new(Semaphore::new(LANE_JOBS_MAX)),
            bytes: Arc::new(Semaphore::new(LANE_BYTES_MAX / PERMIT_BYTES)),
        };
        let state = State {
            lanes: [VecDeque::new(), VecDeque::new()],
            closed: false,
            last_small: None,
            last_commit: None,
            wake_at: 1,
            bulk_passed_over: false,
            reopen: None,
        };
        Self { state: Mutex::new(state), work: Condvar::new(), rooms: [room(), room()] }
    }

    fn state(&self) -> MutexGuard<'_, State<C>> {
        // Nothing here panics with the lock held, and the queue is valid between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room in `lane`. A job heavier than the whole lane takes all of it.
    pub(super) async fn reserve(
        &self,
        lane: Lane,
        weight_bytes: usize,
    ) -> Result<[OwnedSemaphorePermit; 2], StorageError> {
        let room = &self.rooms[lane as usize];
        let permits = weight_bytes.min(LANE_BYTES_MAX).div_ceil(PERMIT_BYTES);
        let job = Arc::clone(&room.jobs).acquire_owned().await.map_err(|_| StorageError::Closed)?;
        // The number is at most LANE_BYTES_MAX / PERMIT_BYTES.
        let bytes = Arc::clone(&room.bytes).acquire_many_owned(permits as u32).await;
        Ok([job, bytes.map_err(|_| StorageError::Closed)?])
    }

    pub(super) fn push(&self, lane: Lane, job: Queued<C>) -> Result<(), StorageError> {
        let mut state = self.state();
        if state.closed {
            return Err(StorageError::Closed);
        }
        state.lanes[lane as usize].push_back(job);
        let is_awaited = lane == Lane::Bulk || state.lanes[0].len() >= state.wake_at;
        drop(state);
        if is_awaited {
            self.work.notify_one();
        }
        Ok(())
    }

    /// How many jobs wait in each lane, small ones first.
    pub(super) fn waiting(&self) -> [usize; 2] {
        let state = self.state();
        [state.lanes[0].len(), state.lanes[1].len()]
    }

    pub(super) fn ask_to_reopen(&self, generation: u64) {
        self.state().reopen = Some(generation);
        self.work.notify_one();
    }

    pub(super) fn close(&self) {
        self.state().closed = true;
        for room in &self.rooms {
            room.jobs.close();
            room.bytes.close();
        }
        self.work.notify_all();
    }

    /// Waits for work, for at most `patience` if there is one.
    ///
    /// Those whose jobs the last commit answered are likely to come again at once. Going on without them would leave two
    /// groups that take turns, each in a commit of its own, of which the commit and not the jobs is the cost. So work
    /// waits for them a little, in proportion to the commit, if it has come before that time is over. Somebody who is
    /// alone waits for nobody.
    pub(super) fn next(&self, patience: Option<Duration>) -> Next<C> {
        let idle = |state: &mut State<C>| {
            !state.closed && state.reopen.is_none() && state.lanes[0].is_empty() && state.lanes[1].is_empty()
        };
        let state = self.state();
        let now = Instant::now();
        let gather = state.last_commit.map(|(begun, answered)| {
            (now + gather_time(now - begun), (answered + state.lanes[0].len()).min(COMMIT_SMALL_JOBS_MAX))
        });
        let mut state = match patience {
            None => self.work.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                let waited = self.work.wait_timeout_while(state, patience, idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        if let Some((until, expected)) = gather {
            let gathering = |state: &mut State<C>| {
                let small = state.lanes[0].len();
                small > 0 && small < expected && !state.closed && state.reopen.is_none()
            };
            let left = until.saturating_duration_since(Instant::now());
            state.wake_at = expected;
            let waited = self.work.wait_timeout_while(state, left, gathering);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.wake_at = 1;
        }
        if let Some(generation) = state.reopen.take() {
            return Next::Reopen(generation);
        }
        let mut jobs = Vec::new();
        take(&mut state.lanes[0], &mut jobs, COMMIT_SMALL_JOBS_MAX, COMMIT_SMALL_BYTES_MAX);
        let now = Instant::now();
        state.last_commit = Some((now, jobs.len()));
        if !jobs.is_empty() {
            state.last_small = Some(now);
        }
        // A small job has waited for one commit already; it does not wait for bulk in its own as well.
        state.bulk_passed_over = !jobs.is_empty() && !state.bulk_passed_over && !state.lanes[1].is_empty();
        if state.bulk_passed_over {
            return Next::Commit(jobs);
        }
        let small_expected = state.last_small.is_some_and(|at| at.elapsed() < SMALL_EXPECTED);
        let bulk_bytes_max = if small_expected { COMMIT_BULK_BYTES_BESIDE_SMALL_MAX } else { COMMIT_BULK_BYTES_MAX };
        take(&mut state.lanes[1], &mut jobs, COMMIT_SMALL_JOBS_MAX, bulk_bytes_max);
        match (jobs.is_empty(), state.closed) {
            (false, _) => Next::Commit(jobs),
            (true, false) => Next::Idle,
            (true, true) => Next::End,
        }
    }
}

/// How long to wait behind a commit that took so long for those whom it answered.
fn gather_time(commit: Duration) -> Duration {
    (commit / GATHER_SHARE).min(GATHER_MAX)
}

/// Moves jobs from `lane` to `jobs` up to both limits, but at least one.
fn take<C>(lane: &mut VecDeque<Queued<C>>, jobs: &mut Vec<Queued<C>>, jobs_max: usize, bytes_max: usize) {
    let (mut count, mut bytes) = (0, 0);
    while let Some(job) = lane.front() {
        if count > 0 && (count == jobs_max || bytes + job.weight_bytes > bytes_max) {
            return;
        }
        count += 1;
        bytes += job.weight_bytes;
        jobs.extend(lane.pop_front());
    }
}
