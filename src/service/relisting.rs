//! What a change of a user's channels makes of all packages of that user.
//!
//! Owns how that is found out before the commit that changes the channels, so that no other commit waits for it. The
//! commit checks what was found out, and does again what has changed meanwhile.

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Registry;
use super::indexing::from_stored;
use super::refusal::Refusal;
use super::sources;
use crate::index::search::{Described, SearchEntry};
use crate::index::{Relisting, RenderedPackage, render};
use crate::model::{Channel, ChannelId, PackageKey, UserId};
use crate::store::{Changes, Rows, Source, StorageError, Store};

/// What becomes of a package.
#[derive(Debug)]
pub(super) struct Relisted {
    pub(super) package: RenderedPackage,
    /// What it is found by, where that is something else now.
    pub(super) found_by: Option<SearchEntry>,
}

/// Packages by what becomes of them; nothing where all stays as it is.
type Made = HashMap<PackageKey, Option<Relisted>>;

/// What was found out about a change of channels that is yet to be committed. There is one at a time.
#[derive(Debug)]
pub(super) struct Ahead {
    turns: Arc<Semaphore>,
    plan: Mutex<Option<Plan>>,
}

#[derive(Debug)]
struct Plan {
    owner: UserId,
    former: Arc<[Channel]>,
    next: Vec<Channel>,
    /// Packages that changed since it was begun.
    changed: HashSet<PackageKey>,
    made: Made,
}

impl Default for Ahead {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(1)), plan: Mutex::default() }
    }
}

impl Ahead {
    fn plan(&self) -> MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a commit changed.
    pub(super) fn note(&self, changes: &Changes) {
        if let Some(plan) = &mut *self.plan() {
            plan.changed.extend(changes.packages.keys());
        }
    }

    /// What was found out about this change and still holds.
    fn take(&self, owner: UserId, former: &[Channel], next: &[Channel]) -> Made {
        let mut plan = self.plan();
        let fits = |plan: &&mut Plan| plan.owner == owner && is_same(&plan.former, former) && is_same(&plan.next, next);
        let Some(plan) = plan.as_mut().filter(fits) else { return Made::new() };
        let mut made = std::mem::take(&mut plan.made);
        made.retain(|id, _| !plan.changed.contains(id));
        made
    }
}

/// The right to change channels, until the change is committed.
#[derive(Debug)]
pub(super) struct Turn {
    ahead: Arc<Ahead>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.ahead.plan() = None;
    }
}

/// Whether views show the same of both: all but names and what follows from them. A channel that is yet to be made
/// has no id, and nothing is on it.
fn is_same(left: &[Channel], right: &[Channel]) -> bool {
    let shown = |all: &[Channel]| -> Vec<(String, bool, Vec<usize>)> {
        let place = |id: &ChannelId| all.iter().position(|channel| channel.id == *id);
        let one = |channel: &Channel| {
            (channel.name.to_string(), channel.default, channel.includes.iter().filter_map(place).collect())
        };
        all.iter().map(one).collect()
    };
    shown(left) == shown(right)
}

impl Registry {
    /// Finds out what a change of the owner's channels makes of all packages, before it is committed. `plan` says what
    /// becomes of the channels. The turn is to be kept until the commit is over.
    ///
    /// # Errors
    /// Those of `plan`, or of the store.
    pub(super) async fn look_ahead(
        &self,
        owner: UserId,
        plan: impl FnOnce(&[Channel]) -> Result<Vec<Channel>, Refusal>,
    ) -> Result<Turn, Refusal> {
        let closed = |_| Refusal::Unavailable("the server is stopping".to_owned());
        let permit = Arc::clone(&self.ahead.turns).acquire_owned().await.map_err(closed)?;
        let turn = Turn { ahead: Arc::clone(&self.ahead), _permit: permit };
        let former = self.store.read()?.channels(owner)?;
        let next = plan(&former)?;
        if is_same(&former, &next) {
            return Ok(turn);
        }
        // From here on, packages that change are noted; only then is the state taken that is looked at.
        let begun = Plan { owner, former, next, changed: HashSet::new(), made: Made::new() };
        *self.ahead.plan() = Some(begun);
        let store = Arc::clone(&self.store);
        let looked = tokio::task::spawn_blocking(move || {
            look(&store, &turn)?;
            Ok::<_, StorageError>(turn)
        });
        let stopped = |error| Refusal::Unavailable(format!("looking at the packages failed: {error}"));
        Ok(looked.await.map_err(stopped)??)
    }
}

fn look(store: &Store, turn: &Turn) -> Result<(), StorageError> {
    let Some((owner, former, next)) =
        turn.ahead.plan().as_ref().map(|plan| (plan.owner, plan.former.clone(), plan.next.clone()))
    else {
        return Ok(());
    };
    let rows = store.read()?;
    let Some(user) = rows.user(owner)? else { return Ok(()) };
    let ids = rows.packages_of(&user.name)?;
    let relister = Relister::new(&former, &next);
    // Others want to publish meanwhile.
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).div_ceil(2);
    let share = ids.len().div_ceil(threads).max(1);
    let one = |id: &PackageKey| Ok((*id, relister.relist(&rows, *id)?));
    let work = |ids: &[PackageKey]| ids.iter().map(one).collect::<Result<Vec<_>, StorageError>>();
    let made = std::thread::scope(|scope| {
        let workers: Vec<_> = ids.chunks(share).map(|ids| scope.spawn(move || work(ids))).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(join).collect::<Result<Vec<_>, StorageError>>()
    })?;
    if let Some(plan) = &mut *turn.ahead.plan() {
        plan.made = made.into_iter().flatten().collect();
    }
    Ok(())
}

/// What a commit makes of the packages of owners whose channels it changed, but of those that changed themselves; of
/// each owner who has any.
///
/// # Errors
/// If the store cannot be read.
pub(super) fn relisted<S: Source>(
    rows: &Rows<S>,
    ahead: &Ahead,
    changes: &Changes,
) -> Result<Vec<(PackageKey, Relisted)>, StorageError> {
    let mut all = Vec::new();
    for (owner, former) in &changes.channels {
        let Some(user) = rows.user(*owner)? else { continue };
        let next = rows.channels(*owner)?;
        let relister = Relister::new(former, &next);
        let mut made = ahead.take(*owner, former, &next);
        for id in rows.packages_of(&user.name)?.into_iter().filter(|id| !changes.packages.contains_key(id)) {
            let relisted = match made.remove(&id) {
                Some(known) => known,
                None => relister.relist(rows, id)?,
            };
            all.extend(relisted.map(|relisted| (id, relisted)));
        }
    }
    Ok(all)
}

struct Relister {
    relisting: Relisting,
    next: Arc<[Channel]>,
}

impl Relister {
    fn new(former: &[Channel], next: &[Channel]) -> Self {
        Self { relisting: Relisting::new(former, next), next: next.into() }
    }

    /// What becomes of a package; nothing where all stays as it is.
    fn relist<S: Source>(&self, rows: &Rows<S>, id: PackageKey) -> Result<Option<Relisted>, StorageError> {
        let former = match rows.index_package(id)? {
            Some(stored) => Some(from_stored(&stored)?),
            None => None,
        };
        let known = match &former {
            Some(former) => self.relisting.apply(former, &rows.channels_used_by(id)?),
            None => None,
        };
        let package = match known {
            Some(package) => package,
            None => {
                let Some(mut source) = sources::read(rows, id)? else { return Ok(None) };
                source.channels = Arc::clone(&self.next);
                // The lines of so many would take too much memory.
                render(&source).without_lines()
            }
        };
        if former.as_ref().is_some_and(|former| former.is_same(&package)) {
            return Ok(None);
        }
        let summary = package.shown_summary();
        let found_by = match rows.package(id)? {
            Some(row) if former.as_ref().and_then(RenderedPackage::shown_summary) != summary => {
                Some(SearchEntry::new(&row, &summary.map(Described::of_summary).unwrap_or_default()))
            }
            _ => None,
        };
        Ok(Some(Relisted { package, found_by }))
    }
}
