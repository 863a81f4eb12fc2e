//! Publishes what is in a tree of static files, or in another registry, into a namespace (`tree` says what a tree is).
//!
//! The way of a run: read what there is (`source`), and package by package put together which releases there are to be
//! (`plan`), compare that with what the server has, and publish what is missing (`target`). A release is a draft until all
//! of it has arrived and was verified, so that nobody meets half of one. Every step states a result and not a change: a run
//! that broke off is simply run again.

mod plan;
mod source;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};

use self::plan::PackagePlan;
pub use self::source::Tree;
use self::source::{Found, Source};
use self::target::Target;
use super::progress::{Progress, Task};
use super::sync::{SyncError, SyncLimits};
use super::{Client, RequestError, Url};
use crate::model::{ChannelName, FullName, PackageName, UserName};

/// What to import where to.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The server's address.
    pub base: Url,
    /// Whose packages they become.
    pub namespace: UserName,
    /// The channel that all releases go to; else each goes to the one it was on, where the owner has one of that name,
    /// and to the owner's default.
    pub channel: Option<ChannelName>,
    /// Leave archives where they are, as files elsewhere.
    pub link: bool,
    /// Make all packages private that are missing.
    pub private: bool,
    /// Bounds.
    pub limits: ImportLimits,
}

/// Bounds of an import.
#[derive(Debug, Clone)]
pub struct ImportLimits {
    /// Of index files.
    pub index: SyncLimits,
    /// Packages worked on at the same time.
    pub packages: usize,
    /// Releases of one package worked on at the same time.
    pub releases: usize,
}

impl Default for ImportLimits {
    fn default() -> Self {
        Self { index: SyncLimits::default(), packages: 4, releases: 8 }
    }
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Packages in the tree.
    pub packages: u64,
    /// Those that were made.
    pub packages_made: u64,
    /// Releases that became visible.
    pub published: u64,
    /// Visible releases that got files, or were yanked.
    pub changed: u64,
    /// Releases that were there, whole.
    pub unchanged: u64,
    /// Archives that were sent.
    pub archives_sent: u64,
    /// Archives that are elsewhere, and stay there.
    pub archives_linked: u64,
}

impl ImportReport {
    fn add(&mut self, other: &Self) {
        self.packages += other.packages;
        self.packages_made += other.packages_made;
        self.published += other.published;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.archives_sent += other.archives_sent;
        self.archives_linked += other.archives_linked;
    }
}

/// Why an import failed. What was published before that stays, and a release that it failed in is no more visible than it
/// was; running it again goes on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no tree.
    #[error("{place}: there is no {} here", super::tree::REGISTRY)]
    NoTree {
        /// Where it was looked for.
        place: String,
    },
    /// The index of the tree could not be read.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// A file of the tree is not as it should be.
    #[error("{file} of the tree cannot be used: {why}")]
    File {
        /// Its path in the tree.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The tree changed.
    #[error("{file} of the tree does not match its {}, which was read {rounds} times: {why}", super::tree::REGISTRY)]
    Inconsistent {
        /// The file.
        file: String,
        /// How it differs.
        why: String,
        /// How often the registry was read.
        rounds: u32,
    },
    /// A name cannot be had in the namespace.
    #[error("{from} cannot be imported into {namespace}: {why}")]
    Name {
        /// The package in the tree.
        from: FullName,
        /// The namespace.
        namespace: UserName,
        /// Why.
        why: String,
    },
    /// The server cannot take what is in the tree.
    #[error("{what}: {why}")]
    Refused {
        /// What was to be published.
        what: String,
        /// Why it cannot be.
        why: String,
    },
    /// A request failed.
    #[error("{what}: {source}")]
    Request {
        /// What was to be published or read.
        what: String,
        /// The request.
        source: Box<RequestError>,
    },
    /// The local file system failed.
    #[error("{}: {source}", path.display())]
    Disk {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// A part of this program ended early.
    #[error("an internal task ended early: {0}")]
    Crashed(String),
}

impl ImportError {
    fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Disk { path, source }
    }

    fn request(what: impl std::fmt::Display) -> impl FnOnce(RequestError) -> Self {
        move |source| Self::Request { what: what.to_string(), source: Box::new(source) }
    }

    fn file(file: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::File { file: file.into(), why: why.to_string() }
    }
}

/// An import that broke off.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failed {
    /// Why.
    pub error: Box<ImportError>,
    /// Releases that had been published or changed by then, and stay so.
    pub finished: u64,
}

/// Publishes what is missing.
///
/// # Errors
/// [`Failed`]; the first that happens, after what was under way beside it has been dropped.
pub async fn import(
    client: &Client,
    tree: Tree,
    options: &ImportOptions,
    progress: Arc<dyn Progress>,
) -> Result<ImportReport, Failed> {
    let finished = AtomicU64::new(0);
    let done = run(client, tree, options, progress, &finished).await;
    done.map_err(|error| Failed { error: Box::new(error), finished: finished.into_inner() })
}

async fn run(
    client: &Client,
    tree: Tree,
    options: &ImportOptions,
    progress: Arc<dyn Progress>,
    finished: &AtomicU64,
) -> Result<ImportReport, ImportError> {
    progress.begin(Task::Compare);
    let source = Source::open(tree, options.limits.index.clone()).await?;
    let names = names(&source.packages(), &options.namespace)?;
    let target = Target::open(client, options).await?;
    progress.begin(Task::Transfer { packages: names.len() as u64 });
    let work = Work { source, target, options, finished };
    let mut report = ImportReport::default();
    let work = &work;
    let mut runs = stream::iter(names.iter())
        .map(|(name, from)| async move { work.package(from, name).await })
        .buffer_unordered(options.limits.packages.max(1));
    while let Some(part) = runs.try_next().await? {
        report.add(&part);
        progress.reached(report.packages);
    }
    Ok(report)
}

/// The name that each package gets, and the package of the tree that it is of.
fn names(packages: &BTreeSet<FullName>, namespace: &UserName) -> Result<BTreeMap<FullName, FullName>, ImportError> {
    let mut names: BTreeMap<FullName, FullName> = BTreeMap::new();
    let mut folded = BTreeMap::new();
    for from in packages {
        let refuse = |why: String| ImportError::Name { from: from.clone(), namespace: namespace.clone(), why };
        let name = if from.namespace() == *namespace {
            from.name()
        } else {
            from.as_str()
                .parse::<PackageName>()
                .map_err(|why| refuse(format!("it would be called {from} there, and {why}")))?
        };
        if let Some(other) = folded.insert(name.folded(), from.clone()) {
            return Err(refuse(format!("{other} would have the same name there")));
        }
        names.insert(FullName::new(namespace, &name), from.clone());
    }
    Ok(names)
}

struct Work<'a> {
    source: Source,
    target: Target<'a>,
    options: &'a ImportOptions,
    /// Releases that were published or changed.
    finished: &'a AtomicU64,
}

impl Work<'_> {
    async fn package(&self, from: &FullName, name: &FullName) -> Result<ImportReport, ImportError> {
        let mut report = ImportReport { packages: 1, ..ImportReport::default() };
        // It may have gone from the tree since the names were read.
        let Some(found) = self.source.package(from).await? else { return Ok(report) };
        let Found { lines, releases } = found;
        let plan = PackagePlan::new(from, lines, releases, &self.source.known_platforms(&self.target))?;
        let package = self.target.package(name, &plan, self.options).await?;
        report.packages_made += u64::from(package.is_new);
        let releases = plan.by_release(|channel| self.target.channel_for(self.options, &package, channel));
        let package = &package;
        let mut runs = stream::iter(&releases)
            .map(|release| async move { package.publish(&self.target, &self.source, self.options, release).await })
            .buffer_unordered(self.options.limits.releases.max(1));
        while let Some(part) = runs.try_next().await? {
            report.add(&part);
            self.finished.fetch_add(part.published + part.changed, Ordering::Relaxed);
        }
        Ok(report)
    }
}

/// Runs what waits for the disk on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImportError> + Send + 'static,
) -> Result<T, ImportError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ImportError::Crashed(error.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_the_namespace() {
        let of = |packages: &[&str], namespace: &str| {
            let packages = packages.iter().map(|name| name.parse().unwrap()).collect();
            let names = names(&packages, &namespace.parse().unwrap());
            names.map(|names| names.iter().map(|(name, from)| format!("{name} {from}")).collect::<Vec<_>>())
        };
        assert_eq!(of(&["omni.a", "x.b"], "omni").unwrap(), ["omni.a omni.a", "omni.x.b x.b"]);
        assert_eq!(of(&["omni.a"], "om").unwrap(), ["om.omni.a omni.a"]);
        let error = of(&["omni.x.b", "x.b"], "omni").unwrap_err().to_string();
        assert_eq!(error, "x.b cannot be imported into omni: omni.x.b would have the same name there");
        assert!(of(&["omni.X.b", "x.b"], "omni").is_err(), "names are the same whatever their case");
        let long = format!("x.{}", "a".repeat(100));
        assert!(of(&[&long], "omni").unwrap_err().to_string().contains("100"));
        assert!(of(&[&long], "x").is_ok());
    }
}
