//! One sync under way: the order of its steps, and what is tried again or in another way.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::apply::{Base, BaseText, apply};
use super::changes::{Changes, KnownState, Since, since};
use super::fetch::{Arrivals, Fetcher, PartNames};
use super::registry::{Difference, IndexFile, Registry};
use super::replica::{NewState, Replica, State, StateOrigin};
use super::source::{Answer, RegistryFile, View};
use super::{SyncError, SyncOptions, SyncReport, SyncWay, blocking};
use crate::client::Client;
use crate::client::progress::{Progress, Task};
use crate::model::{Crc32, FullName, Sha256};

/// One sync under way.
pub(crate) struct Run<'a> {
    pub(crate) client: &'a Client,
    pub(crate) options: &'a SyncOptions,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) replica: Arc<Replica>,
}

/// What a run works with once it knows that something changed.
struct Work {
    /// The state that is here, without files that turned out to be damaged.
    known: Arc<Registry>,
    arrivals: Arrivals,
    /// What is among the arrivals for sure, because this run put it there.
    arrived: HashSet<(IndexFile, Crc32)>,
    fetched: u64,
    reused: u64,
}

/// What there is now.
enum Latest {
    /// What the server was asked from.
    Same,
    /// Something else.
    View(Box<View>),
}

/// The state that changes are asked from.
struct From {
    state: KnownState,
    /// Nothing where it is the state that is here.
    base: Option<Arc<Base>>,
}

impl Run<'_> {
    pub(crate) async fn run(&self) -> Result<SyncReport, SyncError> {
        let limits = &self.options.limits;
        let current = self.replica.current();
        if current.is_some() {
            self.replica.hang_doors()?;
        }
        let view_sha256 = Sha256::of(self.options.root.exposed().as_bytes()).to_string();
        let origin = current.as_ref().and_then(|state| state.origin.as_ref());
        let origin = origin.filter(|origin| origin.view_sha256 == view_sha256);
        // A copy that is to be verified is not built upon.
        let believed = origin.filter(|_| !self.options.verify);
        let tag = believed.and_then(|origin| origin.etag.as_deref());
        let here = believed.and_then(StateOrigin::known_state);
        let mut from = here.map(|state| From { state, base: None });
        let run_bytes = Arc::new(AtomicU64::new(0));
        let mut work = None;
        let (mut registry_rounds, mut changes_rounds, mut has_fetched) = (0, 0, false);
        loop {
            let asked = from.take().filter(|_| changes_rounds < limits.changes_rounds_max);
            let mut by_changes = None;
            if let Some(asked) = &asked {
                changes_rounds += 1;
                by_changes = self.latest_by_changes(current.as_ref(), asked, &mut work).await?;
            }
            let is_here = asked.is_none_or(|asked| asked.base.is_none());
            // Where nothing changed since files came that do not match, an old one came from somewhere on the way.
            let by_changes = by_changes.filter(|latest| is_here || !matches!(latest, Latest::Same));
            let (way, latest) = match by_changes {
                Some(latest) => (SyncWay::Changes, latest),
                None => {
                    registry_rounds += 1;
                    (SyncWay::Registry, self.latest_by_registry(tag).await?)
                }
            };
            let Latest::View(view) = latest else {
                return Ok(SyncReport::unchanged(origin.and_then(|from| from.serial.clone()), way));
            };
            let work = self.prepared(&mut work, current.as_ref()).await?;
            let mut missing = missing(&view.registry, &work.known);
            missing.retain(|file| !work.arrived.contains(file));
            // They have been made of what changed.
            missing.retain(|(file, _)| way == SyncWay::Registry || *file != IndexFile::Summaries);
            self.progress.begin(Task::Fetch { files: missing.len() as u64 });
            let parts = PartNames::new(registry_rounds + changes_rounds);
            let outcome = self.fetcher(work, &run_bytes, parts).fetch_all(&missing).await?;
            work.fetched += outcome.fetched;
            // What a round fetched is no find of an earlier run for the next round.
            work.reused += if has_fetched { 0 } else { outcome.reused };
            has_fetched = true;
            let summaries = outcome.arrived.iter().find(|(file, _)| *file == IndexFile::Summaries).map(|(_, crc)| *crc);
            work.arrived.extend(outcome.arrived);
            let Some(mismatch) = outcome.mismatch else {
                let new_origin = StateOrigin {
                    view_sha256: view_sha256.clone(),
                    etag: view.etag.clone(),
                    serial: view.registry.serial.clone(),
                    is_public: view.is_public,
                    registry: Some(Crc32::of(&view.text).to_string()),
                };
                if *work.known == view.registry && origin == Some(&new_origin) {
                    return Ok(SyncReport::unchanged(new_origin.serial, way));
                }
                return Ok(SyncReport { way, ..self.install(view, new_origin, current, work).await? });
            };
            if registry_rounds >= limits.rounds_max {
                return Err(SyncError::Inconsistent { mismatch, rounds: registry_rounds });
            }
            // What came is kept; what changed meanwhile is asked for from the state that was read.
            from = self.next_from(*view, summaries, work, current.as_ref());
            if way == SyncWay::Registry && (from.is_none() || registry_rounds > 1) {
                self.progress.begin(Task::Compare);
                tokio::time::sleep(limits.round_wait.saturating_mul(1 << (registry_rounds - 1).min(16))).await;
            }
        }
    }

    /// The state of `view` to ask for changes from, if its serial allows that.
    fn next_from(&self, view: View, summaries: Option<Crc32>, work: &Work, current: Option<&State>) -> Option<From> {
        let serial = view.registry.serial.as_ref()?.parse().ok()?;
        let state = KnownState { serial, registry: Some(Crc32::of(&view.text)) };
        let listed = view.registry.files.get(&IndexFile::Summaries).copied();
        let arrived = |crc: Crc32| {
            let is_there = work.arrived.contains(&(IndexFile::Summaries, crc));
            is_there.then(|| (work.arrivals.path(&IndexFile::Summaries, crc), crc))
        };
        // Those of the registry, of a later state, or the ones that are here already.
        let here = || {
            let crc = work.known.files.get(&IndexFile::Summaries).copied().filter(|crc| Some(*crc) == listed)?;
            Some((current?.folder.join(IndexFile::Summaries.local_path()), crc))
        };
        let summaries = listed.and_then(arrived).or_else(here).or_else(|| summaries.and_then(arrived));
        let base = Base { registry: Arc::new(view.registry), text: BaseText::Bytes(view.text), summaries };
        Some(From { state, base: Some(Arc::new(base)) })
    }

    async fn latest_by_registry(&self, tag: Option<&str>) -> Result<Latest, SyncError> {
        let Self { client, options, .. } = self;
        let source = RegistryFile { client, root: &options.root, limits: &options.limits };
        Ok(match source.latest(tag).await? {
            Answer::Unchanged => Latest::Same,
            Answer::View(view) => Latest::View(view),
        })
    }

    /// What there is now, by what changed since the state `from`, its summaries among the arrivals; nothing if that
    /// cannot be had.
    async fn latest_by_changes(
        &self,
        current: Option<&State>,
        from: &From,
        work: &mut Option<Work>,
    ) -> Result<Option<Latest>, SyncError> {
        let Self { client, options, .. } = self;
        let made = match since(client, &options.root, &options.limits, from.state).await? {
            Since::Nothing => return Ok(Some(Latest::Same)),
            Since::Changes(changes) => {
                let work = self.prepared(work, current).await?;
                self.apply(current, from, changes, work).await?
            }
            Since::Unusable(why) => Err(why),
        };
        Ok(match made {
            Ok(view) => Some(Latest::View(view)),
            Err(why) => {
                tracing::debug!(why, "changes cannot be used: registry.gz is read");
                None
            }
        })
    }

    async fn apply(
        &self,
        current: Option<&State>,
        from: &From,
        changes: Box<Changes>,
        work: &mut Work,
    ) -> Result<Result<Box<View>, String>, SyncError> {
        let base = match (&from.base, current) {
            (Some(base), _) => Arc::clone(base),
            (None, None) => return Ok(Err("there is no state to apply them to".to_owned())),
            (None, Some(state)) => {
                let crc = work.known.files.get(&IndexFile::Summaries).copied();
                Arc::new(Base {
                    registry: Arc::clone(&work.known),
                    text: BaseText::File(state.folder.join("registry.json")),
                    summaries: crc.map(|crc| (state.folder.join(IndexFile::Summaries.local_path()), crc)),
                })
            }
        };
        let (arrivals, limits) = (work.arrivals.clone(), self.options.limits.clone());
        let of_texts =
            |(name, text): (&FullName, &String)| (IndexFile::Package(name.clone()), Crc32::of(text.as_bytes()));
        let texts: Vec<_> = changes.texts.iter().map(of_texts).collect();
        let made = blocking(move || apply(&changes, &base, &arrivals, &limits)).await?;
        if let Ok(view) = &made {
            let summaries = view.registry.files.get(&IndexFile::Summaries);
            work.arrived.extend(summaries.map(|crc| (IndexFile::Summaries, *crc)));
            work.fetched += texts.len() as u64;
            work.arrived.extend(texts);
        }
        Ok(made)
    }

    async fn prepared<'a>(
        &self,
        work: &'a mut Option<Work>,
        current: Option<&State>,
    ) -> Result<&'a mut Work, SyncError> {
        Ok(match work {
            Some(work) => work,
            None => work.insert(self.prepare(current).await?),
        })
    }

    async fn prepare(&self, current: Option<&State>) -> Result<Work, SyncError> {
        let (replica, current, verify) = (Arc::clone(&self.replica), current.cloned(), self.options.verify);
        blocking(move || {
            replica.tidy(current.as_ref(), verify)?;
            let known = match &current {
                None => Registry::default(),
                Some(state) if verify => replica.verified_registry_of(&state.folder),
                Some(state) => replica.registry_of(&state.folder),
            };
            Ok(Work {
                known: Arc::new(known),
                arrivals: replica.arrivals()?,
                arrived: HashSet::new(),
                fetched: 0,
                reused: 0,
            })
        })
        .await
    }

    fn fetcher<'a>(&'a self, work: &Work, run_bytes: &Arc<AtomicU64>, parts: PartNames) -> Fetcher<'a> {
        Fetcher {
            client: self.client,
            root: &self.options.root,
            limits: &self.options.limits,
            arrivals: work.arrivals.clone(),
            progress: &*self.progress,
            run_bytes: Arc::clone(run_bytes),
            parts,
        }
    }

    async fn install(
        &self,
        view: Box<View>,
        origin: StateOrigin,
        current: Option<State>,
        work: &Work,
    ) -> Result<SyncReport, SyncError> {
        let difference = Difference::between(&work.known, &view.registry);
        let (files_fetched, files_reused, serial) = (work.fetched, work.reused, origin.serial.clone());
        let (replica, progress) = (Arc::clone(&self.replica), Arc::clone(&self.progress));
        let (known, arrivals) = (Arc::clone(&work.known), work.arrivals.clone());
        // A task that runs on a thread of its own is not cut off when this future is dropped: it ends the switch.
        blocking(move || {
            progress.begin(Task::Install { files: view.registry.files.len() as u64 });
            let new = NewState { registry: &view.registry, text: &view.text, origin: &origin };
            let old = current.as_ref().map(|state| (state, &*known));
            replica.install(&new, old, &arrivals, &|done| progress.reached(done))
        })
        .await?;
        let Difference { added, changed, removed } = difference;
        Ok(SyncReport {
            added,
            changed,
            removed,
            is_new_state: true,
            files_fetched,
            files_reused,
            ..SyncReport::unchanged(serial, SyncWay::Registry)
        })
    }
}

/// The files of `latest` that are not in `known`. The summaries come first: they change with every publish, so they
/// must be asked for soon after the registry.
fn missing(latest: &Registry, known: &Registry) -> Vec<(IndexFile, Crc32)> {
    let is_missing = |(file, crc): &(&IndexFile, &Crc32)| known.files.get(file) != Some(crc);
    latest.files.iter().rev().filter(is_missing).map(|(file, crc)| (file.clone(), *crc)).collect()
}
