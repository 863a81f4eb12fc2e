//! From the store to the index: each commit is completed with what the index makes of it, and shown when it is durable.
//!
//! What the index has of each package is stored with the package, without its lines. So a start reads entries instead
//! of rendering packages, and lines are rendered when they are first read.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::caller::Caller;
use super::clock::Clock;
use super::events::History;
use super::readers::PrivatePackages;
use super::refusal::Refusal;
use super::relisting::{self, Ahead};
use super::sources::{self, Changed, Sources};
use super::start::StartProgress;
use super::{Registry, StartError};
use crate::index::search::{Described, SearchEntry};
use crate::index::{
    Index, PackageFile, PackageSource, Prepared, Rendered, RenderedContent, RenderedPackage, Serial, ViewName, render,
};
use crate::model::{FullName, PackageKey, UserName, Visibility};
use crate::store::media::Media;
use crate::store::{
    Changes, Follower, IndexChange, IndexContent, IndexEdit, IndexPackage, Snapshot, StorageError, Store, StoreOptions,
    StoredView,
};

/// The version of what `index` renders. A store that another version filled is rendered again at start.
const RENDERING: u64 = 2;
/// Packages that are handed to the index at once when it is loaded.
const BATCH: usize = 10_000;
/// Packages that are rendered in one commit when the index is made anew.
const RENDERED_AT_ONCE_MAX: usize = 1_000;
/// How often lines are rendered again when the package changes meanwhile.
const FILLS_MAX: usize = 10;
/// How long to wait for the index to show what the store has already.
const FILL_PAUSE: Duration = Duration::from_millis(1);

/// A store with the index that follows it.
pub(super) struct Opened {
    pub(super) store: Arc<Store>,
    pub(super) index: Arc<Index>,
    /// Which packages not everyone may read.
    pub(super) private_packages: Arc<PrivatePackages>,
    /// What is found out about a change of channels before its commit.
    pub(super) ahead: Arc<Ahead>,
    /// The serial of the last step of the index.
    pub(super) moved: watch::Receiver<Serial>,
}

/// Opens a store whose commits update an index, and fills that index.
pub(super) fn open(
    media: Arc<dyn Media>,
    options: StoreOptions,
    clock: &Clock,
    schedule_changed: Arc<Notify>,
    history: Arc<History>,
    progress: &StartProgress,
) -> Result<Opened, StartError> {
    // The index is filled from the store, which calls the follower, which feeds the index: it is handed in between.
    let connected: Arc<OnceLock<Arc<Index>>> = Arc::default();
    let (moved, watched) = watch::channel(Serial::default());
    let private_packages: Arc<PrivatePackages> = Arc::default();
    let ahead: Arc<Ahead> = Arc::default();
    let follower = IndexFollower {
        index: Arc::clone(&connected),
        ahead: Arc::clone(&ahead),
        private_packages: Arc::clone(&private_packages),
        clock: clock.clone(),
        schedule_changed,
        moved,
        sources: Sources::default(),
        prepared: None,
        history,
        found_by: Vec::new(),
    };
    let store = Arc::new(Store::open_media(media, options, follower)?);
    let rows = store.read().map_err(Refusal::from)?;
    let last = Serial(rows.serial().map_err(Refusal::from)?);
    let index = Arc::new(Index::new(last));
    let _ = connected.set(Arc::clone(&index));
    if rows.index_rendering().map_err(Refusal::from)? == Some(RENDERING) {
        // Both take their time, and nothing of each other.
        std::thread::scope(|scope| {
            let search = scope.spawn(|| load_search(&index, &rows));
            load(&index, &private_packages, &rows, last, clock, progress)?;
            let stopped = |_| StorageError::damaged("search", "its loading failed");
            search.join().map_err(stopped)?
        })
        .map_err(Refusal::from)?;
    } else {
        drop(rows);
        make_anew(&store, &index, clock, progress).map_err(Refusal::from)?;
    }
    Ok(Opened { store, index, private_packages, ahead, moved: watched })
}

/// Brings the index up to each commit. Runs on the writer's thread.
struct IndexFollower {
    index: Arc<OnceLock<Arc<Index>>>,
    private_packages: Arc<PrivatePackages>,
    ahead: Arc<Ahead>,
    clock: Clock,
    schedule_changed: Arc<Notify>,
    moved: watch::Sender<Serial>,
    sources: Sources,
    /// What the commit under way makes of the index.
    prepared: Option<Completed>,
    history: Arc<History>,
    /// What it makes of the search.
    found_by: Vec<(PackageKey, Option<SearchEntry>)>,
}

/// What a commit makes of the index, to be shown when it is durable.
struct Completed {
    prepared: Prepared,
    /// The packages that changed.
    changed: Changed,
    /// Private packages that did not, and that views show otherwise.
    relisted: Vec<(PackageKey, Option<UserName>)>,
}

impl Follower for IndexFollower {
    fn complete(&mut self, edit: &mut IndexEdit<'_, '_>, changes: &Changes) -> Result<(), StorageError> {
        self.prepared = None;
        let is_news = !changes.packages.is_empty() || !changes.channels.is_empty();
        let Some(index) = self.index.get().filter(|_| is_news) else { return Ok(()) };
        // What is taken comes back with the commit; of one that fails, it is read again.
        let changed = self.sources.take(edit.rows(), &changes.packages)?;
        let mut packages = crate::index::render_all(&changed);
        self.found_by = search_entries(&changed, &packages);
        let mut relisted = Vec::new();
        for (id, package) in relisting::relisted(edit.rows(), &self.ahead, changes)? {
            if package.package.visibility == Visibility::Private {
                relisted.push((id, self.private_packages.namespace(id)));
            }
            self.found_by.extend(package.found_by.map(|entry| (id, Some(entry))));
            packages.push((id, Some(package.package)));
        }
        let stored: Vec<_> = packages.iter().map(|(id, package)| (*id, package.as_ref().map(to_stored))).collect();
        let prepared = index.prepare(packages, micros(&self.clock));
        let serial = prepared.serial();
        for (id, package) in stored {
            let package = package.map(|package| IndexPackage { serial: serial.0, ..package });
            edit.put_package(id, package.as_ref())?;
        }
        let applied = prepared.applied();
        if applied.changes.is_empty() {
            edit.put_serial(serial.0)?;
        } else {
            let parts = applied.changes.iter().map(|change| {
                let names = change.files.iter().map(|(name, _)| Box::from(&**name));
                (change.views.iter().map(view_to_stored).collect(), names.collect())
            });
            edit.put_step(serial.0, &IndexChange { parts: parts.collect() })?;
        }
        self.prepared = Some(Completed { prepared, changed, relisted });
        Ok(())
    }

    fn committed(&mut self, changes: Changes) {
        if changes.schedule {
            self.schedule_changed.notify_one();
        }
        self.ahead.note(&changes);
        if let (Some(index), Some(Completed { prepared, changed, relisted })) = (self.index.get(), self.prepared.take())
        {
            let serial = prepared.serial();
            let private = |source: &PackageSource| {
                let package = &source.package;
                (package.visibility == Visibility::Private).then(|| package.namespace.clone())
            };
            let changes = changed.iter().map(|(id, source)| (*id, source.as_ref().and_then(private)));
            let packages: Vec<_> = changes.chain(relisted).collect();
            self.private_packages.note(&packages, || index.publish(prepared));
            index.search().apply(std::mem::take(&mut self.found_by));
            self.sources.keep(changed);
            // Nobody may be waiting.
            let _ = self.moved.send(serial);
        }
        self.history.add(changes.notices, micros(&self.clock));
    }
}

/// What the packages of a commit are found by.
fn search_entries(
    changed: &Changed,
    packages: &[(PackageKey, Option<RenderedPackage>)],
) -> Vec<(PackageKey, Option<SearchEntry>)> {
    // Rendering keeps the order of what it renders.
    let entries = changed.iter().zip(packages).map(|((id, source), (_, rendered))| {
        let summary = rendered.as_ref().and_then(RenderedPackage::shown_summary);
        let described = summary.map(Described::of_summary).unwrap_or_default();
        (*id, source.as_ref().map(|source| SearchEntry::new(&source.package, &described)))
    });
    entries.collect()
}

/// What the newest manifest on the owner's default channel says of a package, or on another where that has none.
pub(super) fn described(package: &IndexPackage) -> Described {
    let of_default = package.views.iter().find(|(view, _)| view.is_none()).map(|(_, at)| *at as usize);
    let default = of_default.and_then(|at| package.contents.get(at)).and_then(|content| content.summary.as_deref());
    let summary = default.or_else(|| package.contents.iter().find_map(|content| content.summary.as_deref()));
    summary.map(Described::of_summary).unwrap_or_default()
}

/// Fills the search with what the store has of all packages.
fn load_search(index: &Index, rows: &Snapshot) -> Result<(), StorageError> {
    let mut batch = Vec::new();
    rows.packages(|package| {
        let described = rows.index_package(package.id)?.as_ref().map(described).unwrap_or_default();
        batch.push((package.id, Some(SearchEntry::new(&package, &described))));
        if batch.len() == BATCH {
            index.search().apply(std::mem::take(&mut batch));
        }
        Ok(())
    })?;
    index.search().apply(batch);
    Ok(())
}

/// Fills the index with what the store has of it.
fn load(
    index: &Index,
    private_packages: &PrivatePackages,
    rows: &Snapshot,
    last: Serial,
    clock: &Clock,
    progress: &StartProgress,
) -> Result<(), StorageError> {
    progress.begin(rows.index_package_count()?);
    let mut batch = Vec::new();
    let mut private = Vec::new();
    rows.index_packages(|id, package| {
        if package.public {
            batch.push((id, Some(from_stored(&package)?)));
        } else if !package.full_name.is_empty() {
            // One without a name is on no view.
            let name: FullName =
                package.full_name.parse().map_err(|problem| StorageError::damaged("index entry", problem))?;
            private.push((id, Some(name.namespace())));
        }
        progress.add(1);
        if batch.len() == BATCH {
            index.merge(std::mem::take(&mut batch), micros(clock));
        }
        Ok(())
    })?;
    index.merge(batch, micros(clock));
    private_packages.note(&private, || ());
    let mut serials = Vec::new();
    for (view, serial) in rows.index_views()? {
        serials.push((view_from_stored(view.as_deref())?, Serial(serial)));
    }
    index.restore_serials(&serials, last);
    Ok(())
}

/// Renders every package, as the first start of a version whose rendering is another does.
fn make_anew(store: &Store, index: &Index, clock: &Clock, progress: &StartProgress) -> Result<(), StorageError> {
    let rows = store.read()?;
    let ids = rows.package_ids()?;
    progress.begin(ids.len() as u64);
    let serial = Serial::next(micros(clock), Serial(rows.serial()?));
    drop(rows);
    store.write_and_wait(move |edit| edit.index().clear(serial.0))?;
    index.restore_serials(&[(ViewName::Default, serial)], serial);
    for part in ids.chunks(RENDERED_AT_ONCE_MAX) {
        let (part, count) = (part.to_vec(), part.len());
        store.write_and_wait(move |edit| {
            edit.render_packages(&part);
            Ok(())
        })?;
        progress.add(count);
    }
    // Only now: a start that is cut off before this is made anew by the next one.
    store.write_and_wait(|edit| edit.index().set_rendering(RENDERING))
}

fn to_stored(package: &RenderedPackage) -> IndexPackage {
    let content = |content: &RenderedContent| IndexContent {
        crc32: content.file.crc32(),
        text_len_bytes: content.file.text_len_bytes(),
        summary: content.summary.clone(),
    };
    let full_name = package.contents.first().map(|content| Box::from(content.file.full_name()));
    IndexPackage {
        full_name: full_name.unwrap_or_default(),
        public: package.visibility == Visibility::Public,
        serial: 0,
        contents: package.contents.iter().map(content).collect(),
        // A user has at most some hundred channels.
        views: package.views.iter().map(|(view, at)| (view_to_stored(view), *at as u32)).collect(),
    }
}

/// What was stored, with files whose lines are not there yet.
pub(super) fn from_stored(package: &IndexPackage) -> Result<RenderedPackage, StorageError> {
    let name: Arc<str> = (*package.full_name).into();
    let content = |content: &IndexContent| RenderedContent {
        file: Arc::new(PackageFile::unfilled(Arc::clone(&name), content.crc32, content.text_len_bytes)),
        summary: content.summary.clone(),
    };
    let views = package.views.iter().map(|(view, at)| Ok((view_from_stored(view.as_deref())?, *at as usize)));
    Ok(RenderedPackage {
        visibility: if package.public { Visibility::Public } else { Visibility::Private },
        contents: package.contents.iter().map(content).collect(),
        views: views.collect::<Result<_, StorageError>>()?,
    })
}

pub(super) fn view_to_stored(view: &ViewName) -> StoredView {
    match view {
        ViewName::Default => None,
        ViewName::Channel(name) => Some(name.as_str().into()),
    }
}

fn view_from_stored(view: Option<&str>) -> Result<ViewName, StorageError> {
    match view {
        None => Ok(ViewName::Default),
        Some(name) => {
            Ok(ViewName::Channel(name.parse().map_err(|problem| StorageError::damaged("index view", problem))?))
        }
    }
}

/// Renders the lines of a file that has none at the moment, and says whether it has them now: not where the package
/// changed.
pub(super) fn fill(
    index: &Index,
    rows: &Snapshot,
    file: &Arc<PackageFile>,
    name: &FullName,
) -> Result<bool, StorageError> {
    let Some(id) = rows.package_by_name(name)?.map(|package| package.id) else { return Ok(false) };
    let Some(package) = sources::read(rows, id)?.as_ref().map(render) else { return Ok(false) };
    let filled = package.contents.iter().any(|content| file.fill(&content.file));
    if filled {
        index.keep_lines(file);
    }
    Ok(filled)
}

fn micros(clock: &Clock) -> u64 {
    clock.now().as_micros().unsigned_abs()
}

impl Registry {
    /// The file of a package in a view that the caller sees, and whether everyone sees it so.
    ///
    /// # Errors
    /// If the view or the package is not there for the caller, or the store fails.
    pub fn seen_package(
        &self,
        caller: &Caller,
        view: &ViewName,
        name: &FullName,
    ) -> Result<(Arc<PackageFile>, bool), Refusal> {
        let seen = self.seen_view(caller, view)?;
        let file = seen.view.package(name.as_str()).ok_or_else(|| Refusal::not_in_index(name))?;
        Ok((Arc::clone(file), seen.public))
    }

    /// The lines of a package in a view that the caller sees, as they are sent. Renders and compresses what was not
    /// read since the start. Blocks for some milliseconds.
    ///
    /// # Errors
    /// If the view or the package is not there for the caller, or the store fails.
    pub fn package_lines(&self, caller: &Caller, view: &ViewName, name: &FullName) -> Result<Arc<Rendered>, Refusal> {
        for _ in 0..FILLS_MAX {
            let (file, _) = self.seen_package(caller, view, name)?;
            if let Some(rendered) = file.render() {
                return Ok(rendered);
            }
            // A package that changed meanwhile fits the next snapshot.
            if fill(&self.index, &self.store.read()?, &file, name)?
                && let Some(rendered) = file.render()
            {
                return Ok(rendered);
            }
            std::thread::sleep(FILL_PAUSE);
        }
        Err(Refusal::Unavailable("the package changes faster than it can be read; try again".to_owned()))
    }
}

#[cfg(test)]
#[path = "indexing_tests.rs"]
mod tests;
