//! Chooses versions: one of each package that is needed, so that all requirements are met, the newest where there is a
//! choice.
//!
//! ```text
//! Packages (lines of one package) -> catalog (its versions) -> provider -> pubgrub -> Resolution, or explain -> Conflict
//! ```
//!
//! A package's file is read when its name is first met, and a line of it is parsed when that version is looked at:
//! [`Counts`] tells how often. Requirements become sets of a package's own versions, so the solver never compares
//! versions.
//!
//! * The packages that were asked for get the newest versions possible, the first of them first; for the others, newest
//!   comes first too, but which of them are given precedence follows from the search.
//! * An optional dependency does not bring a package in; it holds for one that something else brings in.
//! * A yanked version is chosen only where the request prefers it, as a lock does.
//! * Prereleases: see [`VersionRequirement`]. Platforms: see [`platform`].

mod catalog;
mod explain;
mod local;
pub mod platform;
mod provider;
pub mod version_set;
mod words;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use pubgrub::PubGrubError;

pub use self::catalog::Archive;
pub use self::local::IndexPackages;
use self::provider::{Provider, ProviderError, ROOT, ROOT_PLACE};
use super::sync::LocalError;
pub use crate::model::{Dependency, InvalidVersionRequirement, VersionRequirement};
use crate::model::{FullName, InvalidName, PackageId, PlatformName, Version};

/// The most packages that one request may ask for.
pub const ROOTS_MAX: usize = 10_000;

/// Where the solver learns what there is.
pub trait Packages {
    /// The text of a package's file, or nothing if there is no such package.
    ///
    /// # Errors
    /// If it cannot be read.
    fn lines(&self, name: &FullName) -> Result<Option<String>, LocalError>;

    /// The platforms that the package is known to have. Asked only where ids alone do not tell.
    ///
    /// # Errors
    /// If that cannot be read.
    fn platforms(&self, name: &FullName) -> Result<BTreeSet<PlatformName>, LocalError>;
}

/// One package that is asked for, written as `NAME` or `NAME@REQUIREMENT`.
#[derive(Debug, Clone, PartialEq)]
pub struct Root {
    /// The package.
    pub name: FullName,
    /// Which of its versions.
    pub requirement: VersionRequirement,
}

/// Why a text does not ask for a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoot {
    /// The part before the `@`.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The part behind it.
    #[error(transparent)]
    VersionRequirement(#[from] InvalidVersionRequirement),
}

impl FromStr for Root {
    type Err = InvalidRoot;

    fn from_str(text: &str) -> Result<Self, InvalidRoot> {
        match text.split_once('@') {
            None => Ok(Self { name: text.parse()?, requirement: VersionRequirement::any() }),
            Some((name, requirement)) => Ok(Self { name: name.parse()?, requirement: requirement.parse()? }),
        }
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if self.requirement.is_any() { Ok(()) } else { write!(f, "@{}", self.requirement) }
    }
}

/// What to resolve.
#[derive(Debug, Clone)]
pub struct Request {
    /// The packages wanted.
    pub roots: Vec<Root>,
    /// What they will run on.
    pub platform: PlatformName,
    /// Take prereleases wherever they are the newest.
    pub prereleases: bool,
    /// Versions to keep where they still fit, yanked ones too.
    pub preferred: BTreeMap<FullName, Version>,
    /// Bounds.
    pub limits: SolveLimits,
}

/// Bounds of one resolution.
#[derive(Debug, Clone)]
pub struct SolveLimits {
    /// Versions tried before the search is given up. Real requirements need some thousands at worst; a search that is
    /// exponential would not end at all.
    pub steps_max: u64,
    /// The longest search: an index made for it can make each step slow.
    pub time_max: Duration,
}

impl Default for SolveLimits {
    fn default() -> Self {
        Self { steps_max: 200_000, time_max: Duration::from_secs(60) }
    }
}

/// What fits together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The packages, in the order of their names.
    pub packages: Vec<Chosen>,
    /// What it took.
    pub counts: Counts,
}

/// A package and the version chosen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The package.
    pub name: FullName,
    /// Version and platform of the archive.
    pub id: PackageId,
    /// Its archive.
    pub archive: Archive,
    /// It is yanked, and kept because it was preferred.
    pub yanked: bool,
    /// It was asked for, and not only needed.
    pub root: bool,
    /// The chosen packages that it needs.
    pub needs: Vec<FullName>,
}

/// How much was read and tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Package files read, each once.
    pub files_read: u64,
    /// Lines parsed, each once.
    pub lines_parsed: u64,
    /// Versions tried.
    pub steps: u64,
}

/// Why nothing fits, in sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The sentences, each to be shown on a line of its own.
    pub sentences: Vec<String>,
    /// The packages that the conflict is about.
    pub packages: BTreeSet<FullName>,
    /// What it took to find out.
    pub counts: Counts,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentences.join("\n"))
    }
}

/// Why nothing was chosen.
#[derive(Debug, thiserror::Error)]
pub enum SolveError {
    /// The requirements cannot all be met.
    #[error("{0}")]
    Conflict(Box<Conflict>),
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] LocalError),
    /// Neither an answer nor a contradiction was found in time.
    #[error(
        "gave up after trying {steps} versions without finding ones that fit together; ask for fewer packages at once, \
         or for narrower ranges of versions"
    )]
    GaveUp {
        /// Versions tried.
        steps: u64,
    },
    /// More packages were asked for than make sense.
    #[error("at most {ROOTS_MAX} packages can be asked for at once")]
    TooMany,
}

/// Chooses versions for `request`. The same request and index give the same answer.
///
/// # Errors
/// [`SolveError`].
pub fn resolve(packages: &dyn Packages, request: &Request) -> Result<Resolution, SolveError> {
    if request.roots.len() > ROOTS_MAX {
        return Err(SolveError::TooMany);
    }
    let provider = Provider::new(packages, request)?;
    match pubgrub::resolve(&provider, ROOT, ROOT_PLACE) {
        Ok(selected) => Ok(provider.resolution(&selected)),
        Err(PubGrubError::NoSolution(tree)) => Err(SolveError::Conflict(Box::new(explain::conflict(tree, &provider)))),
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Err(source.into()),
    }
}

impl From<ProviderError> for SolveError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Index(error) => Self::Index(error),
            ProviderError::GaveUp { steps } => Self::GaveUp { steps },
        }
    }
}
