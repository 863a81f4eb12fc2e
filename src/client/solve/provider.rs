//! Answers the solver's questions from package files: which versions there are, which comes next, what it needs.
//!
//! Owns the order in which packages are decided, and so which of several answers is found.

use std::cell::{Cell, Ref, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Instant;

use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics, SelectedDependencies, VersionSet as _};

use super::catalog::{ABSENT, Catalog, Line};
use super::version_set::{Place, VersionSet};
use super::{Chosen, Counts, Dependency, LocalError, Packages, Request, Resolution, VersionRequirement};
use crate::model::{FullName, Version};

/// A package, by the order in which names were met.
pub(super) type Key = u32;

/// Stands for the request itself, which needs its roots.
pub(super) const ROOT: Key = 0;
/// The one version that the request has.
pub(super) const ROOT_PLACE: Place = 1;

/// Why a question could not be answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderError {
    #[error(transparent)]
    Index(#[from] LocalError),
    #[error("gave up")]
    GaveUp { steps: u64 },
}

/// What the solver knows.
pub(super) struct Provider<'a> {
    packages: &'a dyn Packages,
    request: &'a Request,
    known: RefCell<Known>,
    steps: Cell<u64>,
    started: Instant,
}

/// All that was read so far.
#[derive(Default)]
struct Known {
    /// By key, less one.
    entries: Vec<Rc<Entry>>,
    keys: HashMap<FullName, Key>,
    lines_parsed: u64,
}

/// A package whose name was met.
pub(super) struct Entry {
    pub(super) name: FullName,
    /// Nothing if there is no such package.
    pub(super) catalog: Option<Catalog>,
    /// The version to keep.
    preferred: Option<Place>,
    /// Where in the request it is asked for.
    root: Option<usize>,
    sets: RefCell<HashMap<Box<str>, VersionSet>>,
    lines: RefCell<HashMap<Place, Rc<Looked>>>,
}

/// A version that was looked at.
pub(super) struct Looked {
    pub(super) line: Line,
    /// Its dependencies as the solver has them, once it has asked.
    links: RefCell<Vec<Link>>,
}

/// A dependency, and the versions that meet it.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) key: Key,
    pub(super) set: VersionSet,
    pub(super) requirement: VersionRequirement,
    pub(super) optional: bool,
}

impl<'a> Provider<'a> {
    /// Reads the files of the packages that are asked for.
    pub(super) fn new(packages: &'a dyn Packages, request: &'a Request) -> Result<Self, ProviderError> {
        let provider =
            Self { packages, request, known: RefCell::default(), steps: Cell::new(0), started: Instant::now() };
        for root in &request.roots {
            provider.meet(&root.name)?;
        }
        Ok(provider)
    }

    /// The key of a name; the first time, its file is read.
    fn meet(&self, name: &FullName) -> Result<Key, ProviderError> {
        if let Some(key) = self.known.borrow().keys.get(name) {
            return Ok(*key);
        }
        let catalog = match self.packages.lines(name)? {
            None => None,
            Some(text) => Some(Catalog::read(text, &self.request.platform, || self.packages.platforms(name))?),
        };
        let preferred = self.request.preferred.get(name).zip(catalog.as_ref());
        let entry = Entry {
            preferred: preferred.and_then(|(version, catalog)| catalog.place_of(version)),
            root: self.request.roots.iter().position(|root| root.name == *name),
            name: name.clone(),
            catalog,
            sets: RefCell::default(),
            lines: RefCell::default(),
        };
        let mut known = self.known.borrow_mut();
        known.entries.push(Rc::new(entry));
        // Every key stands for a file that was read.
        let key = known.entries.len() as Key;
        known.keys.insert(name.clone(), key);
        Ok(key)
    }

    /// What is known of a package that is not the request.
    pub(super) fn entry(&self, key: Key) -> Rc<Entry> {
        Rc::clone(&self.known.borrow().entries[key as usize - 1])
    }

    /// The request.
    pub(super) fn request(&self) -> &Request {
        self.request
    }

    /// What it took so far.
    pub(super) fn counts(&self) -> Counts {
        let known = self.known.borrow();
        Counts { files_read: known.entries.len() as u64, lines_parsed: known.lines_parsed, steps: self.steps.get() }
    }

    /// A version's line, parsed the first time.
    fn look(&self, entry: &Entry, catalog: &Catalog, place: Place) -> Rc<Looked> {
        let mut lines = entry.lines.borrow_mut();
        let looked = lines.entry(place).or_insert_with(|| {
            self.known.borrow_mut().lines_parsed += 1;
            Rc::new(Looked { line: catalog.line(place, &self.request.platform), links: RefCell::default() })
        });
        Rc::clone(looked)
    }

    fn link(&self, name: &FullName, requirement: &VersionRequirement, optional: bool) -> Result<Link, ProviderError> {
        let key = self.meet(name)?;
        let mut set = self.entry(key).admitted(requirement, self.request.prereleases);
        if optional {
            set = set.union(&VersionSet::singleton(ABSENT));
        }
        Ok(Link { key, set, requirement: requirement.clone(), optional })
    }

    /// The packages that are asked for, as dependencies of the request.
    pub(super) fn roots(&self) -> Result<Vec<Link>, ProviderError> {
        self.request.roots.iter().map(|root| self.link(&root.name, &root.requirement, false)).collect()
    }

    /// What the version at `place` needs, or why it cannot be used.
    fn links(&self, entry: &Entry, place: Place) -> Result<Result<Vec<Link>, String>, ProviderError> {
        let Some(catalog) = &entry.catalog else { return Ok(Ok(Vec::new())) };
        let looked = self.look(entry, catalog, place);
        let dependencies = match &looked.line.dependencies {
            Ok(dependencies) => dependencies,
            Err(why) => return Ok(Err(why.clone())),
        };
        let mut links = Vec::with_capacity(dependencies.len());
        for Dependency { name, requirement, optional } in dependencies {
            if *name != entry.name {
                links.push(self.link(name, requirement, *optional)?);
            } else if !entry.admitted(requirement, self.request.prereleases).contains(&place) {
                return Ok(Err(format!("it requires {requirement} of itself")));
            }
        }
        looked.links.borrow_mut().clone_from(&links);
        Ok(Ok(links))
    }

    /// Names and archives for what the solver chose.
    pub(super) fn resolution(&self, selected: &SelectedDependencies<Key, Place>) -> Resolution {
        let present = |key: &Key| *key != ROOT && selected.get(key).is_some_and(|place| *place != ABSENT);
        let mut packages = Vec::new();
        for (key, place) in selected.iter().filter(|(key, _)| present(key)) {
            let entry = self.entry(*key);
            let Some(catalog) = &entry.catalog else { continue };
            let looked = self.look(&entry, catalog, *place);
            let needs: BTreeSet<FullName> = (looked.links.borrow().iter())
                .filter(|link| !link.optional && present(&link.key))
                .map(|link| self.entry(link.key).name.clone())
                .collect();
            packages.push(Chosen {
                name: entry.name.clone(),
                id: catalog.id(*place).clone(),
                archive: looked.line.archive.clone(),
                yanked: looked.line.is_yanked,
                root: entry.root.is_some(),
                needs: needs.into_iter().collect(),
            });
        }
        packages.sort_by(|left, right| left.name.cmp(&right.name));
        Resolution { packages, counts: self.counts() }
    }
}

impl Entry {
    /// The versions that meet a requirement.
    fn admitted(&self, requirement: &VersionRequirement, prereleases: bool) -> VersionSet {
        let Some(catalog) = &self.catalog else { return VersionSet::empty() };
        if let Some(set) = self.sets.borrow().get(requirement.as_str()) {
            return set.clone();
        }
        let set = catalog.admitted(requirement, prereleases);
        self.sets.borrow_mut().insert(requirement.as_str().into(), set.clone());
        set
    }

    /// The version at `place`, if that is one.
    pub(super) fn version(&self, place: Place) -> Option<&Version> {
        let catalog = self.catalog.as_ref()?;
        (place != ABSENT && place < catalog.end()).then(|| &catalog.id(place).version)
    }

    /// The versions that were looked at, of which a set says more than the index's files did.
    pub(super) fn looked_at(&self) -> Ref<'_, HashMap<Place, Rc<Looked>>> {
        self.lines.borrow()
    }
}

impl Looked {
    /// What the solver knows that this version needs.
    pub(super) fn known_links(&self) -> Ref<'_, Vec<Link>> {
        self.links.borrow()
    }
}

impl DependencyProvider for Provider<'_> {
    type P = Key;
    type V = Place;
    type VS = VersionSet;
    /// In this order: the packages that are asked for, the first of them first; then packages about which there was
    /// most conflict; then those with one version left; then those met earlier; last, what may be absent.
    type Priority = (bool, Reverse<usize>, bool, u32, bool, Reverse<Key>);
    type M = String;
    type Err = ProviderError;

    fn prioritize(&self, key: &Key, set: &VersionSet, statistics: &PackageResolutionStatistics) -> Self::Priority {
        if *key == ROOT {
            return (true, Reverse(0), true, 0, true, Reverse(ROOT));
        }
        let entry = self.entry(*key);
        let is_needed = !set.contains(&ABSENT);
        let is_single = set.count_between(1, Place::MAX) <= 1;
        let root = Reverse(entry.root.unwrap_or(usize::MAX));
        (entry.root.is_some(), root, is_needed, statistics.conflict_count(), is_single, Reverse(*key))
    }

    fn choose_version(&self, key: &Key, set: &VersionSet) -> Result<Option<Place>, ProviderError> {
        if *key == ROOT {
            return Ok(Some(ROOT_PLACE));
        }
        if set.contains(&ABSENT) {
            return Ok(Some(ABSENT));
        }
        let entry = self.entry(*key);
        let Some(catalog) = &entry.catalog else { return Ok(None) };
        if let Some(place) = entry.preferred.filter(|place| set.contains(place)) {
            return Ok(Some(place));
        }
        let usable = |place: &Place| !self.look(&entry, catalog, *place).line.is_yanked;
        Ok(catalog.newest_first(set).find(usable))
    }

    fn get_dependencies(
        &self,
        key: &Key,
        place: &Place,
    ) -> Result<Dependencies<Key, VersionSet, String>, ProviderError> {
        let links = match (*key, *place) {
            (ROOT, _) => self.roots()?,
            (_, ABSENT) => Vec::new(),
            _ => match self.links(&self.entry(*key), *place)? {
                Ok(links) => links,
                Err(why) => return Ok(Dependencies::Unavailable(why)),
            },
        };
        Ok(Dependencies::Available(links.into_iter().map(|link| (link.key, link.set)).collect()))
    }

    fn should_cancel(&self) -> Result<(), ProviderError> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        let limits = &self.request.limits;
        let is_too_long = steps > limits.steps_max || self.started.elapsed() > limits.time_max;
        if is_too_long { Err(ProviderError::GaveUp { steps: steps - 1 }) } else { Ok(()) }
    }
}
