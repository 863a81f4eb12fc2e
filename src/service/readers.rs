//! What a reader sees of the index: the public view, and on top of it the private packages that its token opens.
//!
//! A reader's view shares with the public one all that its packages do not touch. Others never see any of it: it is
//! made from the packages that the reader may read and kept under them. What it costs grows with the private packages
//! of the reader, never with the public ones of anybody.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::Registry;
use super::caller::{Caller, Identity};
use super::indexing::{from_stored, view_to_stored};
use super::refusal::Refusal;
use crate::index::{RenderedContent, Serial, View, ViewName};
use crate::model::{PackageKey, UserName};
use crate::store::Snapshot;

/// Readers' views that are kept, the ones last asked for.
const VIEWS_MAX: usize = 64;

/// A view as a caller sees it.
#[derive(Debug, Clone)]
pub struct SeenView {
    /// The view.
    pub view: Arc<View>,
    /// Whether everyone sees it so.
    pub public: bool,
}

/// Which packages not everyone may read.
#[derive(Debug, Default)]
pub(super) struct PrivatePackages(RwLock<Private>);

#[derive(Debug, Default)]
struct Private {
    of: HashMap<UserName, BTreeSet<PackageKey>>,
    namespaces: HashMap<PackageKey, UserName>,
    /// How often any of them came, went or changed.
    moves: u64,
}

impl PrivatePackages {
    /// Notes what became of packages, with the namespaces of those that are private, and calls `publish`, which shows
    /// the public views that go with it: readers see both or neither.
    pub(super) fn note(&self, packages: &[(PackageKey, Option<UserName>)], publish: impl FnOnce()) {
        let is_private = |private: &Private, (id, namespace): &(PackageKey, Option<UserName>)| {
            namespace.is_some() || private.namespaces.contains_key(id)
        };
        let known = self.read();
        if !packages.iter().any(|package| is_private(&known, package)) {
            drop(known);
            return publish();
        }
        drop(known);
        let mut private = self.0.write().unwrap_or_else(PoisonError::into_inner);
        private.moves += 1;
        for (id, namespace) in packages {
            if let Some(former) = private.namespaces.remove(id)
                && let Some(ids) = private.of.get_mut(&former)
            {
                ids.remove(id);
                if ids.is_empty() {
                    private.of.remove(&former);
                }
            }
            if let Some(namespace) = namespace {
                private.namespaces.insert(*id, namespace.clone());
                private.of.entry(namespace.clone()).or_default().insert(*id);
            }
        }
        publish();
    }

    /// The namespace of a package, if it is private.
    pub(super) fn namespace(&self, id: PackageKey) -> Option<UserName> {
        self.read().namespaces.get(&id).cloned()
    }

    fn read(&self) -> RwLockReadGuard<'_, Private> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Private {
    /// Those that a caller may read, in order.
    fn readable_by(&self, rows: &Snapshot, caller: &Caller) -> Result<Vec<PackageKey>, Refusal> {
        let mut packages = match &caller.identity {
            Identity::Anonymous => Vec::new(),
            Identity::Access(package) | Identity::Private(package) => vec![*package],
            Identity::User(signed_in) => {
                let own = self.of.get(&signed_in.user.name).into_iter().flatten().copied();
                own.chain(rows.memberships(signed_in.user.id)?).collect()
            }
        };
        packages.retain(|id| self.namespaces.contains_key(id));
        packages.sort_unstable();
        packages.dedup();
        Ok(packages)
    }
}

/// Readers' views, the last asked for at the end.
#[derive(Debug, Default)]
pub(super) struct PrivateViews {
    made: Mutex<Vec<Made>>,
}

/// A reader's view, and what it was made from.
#[derive(Debug, Clone)]
struct Made {
    name: ViewName,
    packages: Vec<PackageKey>,
    /// The state of the private packages.
    moves: u64,
    contents: Arc<[RenderedContent]>,
    /// When any of them last changed.
    changed: Serial,
    /// The serial of the public view below.
    base: Serial,
    /// Nothing where none of the packages is on the view.
    view: Option<Arc<View>>,
}

impl PrivateViews {
    /// What was made last for such readers.
    fn get(&self, name: &ViewName, packages: &[PackageKey]) -> Option<Made> {
        let mut kept = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|made| made.name == *name && made.packages == packages)?;
        let made = kept.remove(at);
        kept.push(made.clone());
        Some(made)
    }

    fn keep(&self, made: Made) {
        let mut kept = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|known| known.name != made.name || known.packages != made.packages);
        if kept.len() >= VIEWS_MAX {
            kept.remove(0);
        }
        kept.push(made);
    }
}

impl Registry {
    /// A view as the caller sees it.
    ///
    /// # Errors
    /// If there is nothing on it that the caller may see, or the store fails.
    pub fn seen_view(&self, caller: &Caller, name: &ViewName) -> Result<SeenView, Refusal> {
        let seen = self.find_view(caller, name)?;
        seen.ok_or_else(|| Refusal::NotFound("no package is on a channel of that name".to_owned()))
    }

    fn find_view(&self, caller: &Caller, name: &ViewName) -> Result<Option<SeenView>, Refusal> {
        if matches!(caller.identity, Identity::Anonymous) {
            let public = self.index.snapshot().view(name).cloned();
            return Ok(public.map(|view| SeenView { view, public: true }));
        }
        // The rows may be of a later state than the views; which packages are private is not taken from them.
        let (packages, moves, snapshot) = {
            let private = self.private_packages.read();
            (private.readable_by(&self.store.read()?, caller)?, private.moves, self.index.snapshot())
        };
        let public = snapshot.view(name).cloned();
        if !packages.is_empty() {
            let base = public.clone().unwrap_or_else(|| snapshot.empty_view());
            let made = self.private_view(name, packages, moves, &base)?;
            if let Some(view) = made.view {
                self.reader_history.note(&caller.identity, name, &view, made.base, &made.contents);
                return Ok(Some(SeenView { view, public: false }));
            }
        }
        Ok(public.map(|view| SeenView { view, public: true }))
    }

    /// The base with these private packages.
    fn private_view(
        &self,
        name: &ViewName,
        packages: Vec<PackageKey>,
        moves: u64,
        base: &View,
    ) -> Result<Made, Refusal> {
        let former = self.private_views.get(name, &packages).filter(|former| former.moves == moves);
        if let Some(former) = former.as_ref().filter(|former| former.base == base.serial()) {
            return Ok(former.clone());
        }
        let (contents, changed) = match former {
            Some(former) => (former.contents, former.changed),
            None => read_contents(&self.store.read()?, name, &packages)?,
        };
        let view = (!contents.is_empty()).then(|| Arc::new(base.with_private(&contents, changed.max(base.serial()))));
        let made = Made { name: name.clone(), packages, moves, contents, changed, base: base.serial(), view };
        self.private_views.keep(made.clone());
        Ok(made)
    }
}

/// What a view has of these packages, and when any of that last changed.
fn read_contents(
    rows: &Snapshot,
    name: &ViewName,
    packages: &[PackageKey],
) -> Result<(Arc<[RenderedContent]>, Serial), Refusal> {
    let wanted = view_to_stored(name);
    let mut contents: Vec<RenderedContent> = Vec::new();
    let mut changed = Serial::default();
    for id in packages {
        let Some(stored) = rows.index_package(*id)? else { continue };
        let Some((_, at)) = stored.views.iter().find(|(view, _)| *view == wanted) else { continue };
        changed = changed.max(Serial(stored.serial));
        contents.extend(from_stored(&stored)?.contents.into_iter().nth(*at as usize));
    }
    Ok((contents.into(), changed))
}
