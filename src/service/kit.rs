//! The second dialect of the index, made when somebody asks for it.
//!
//! Nothing here is touched by a publish: a view's whole files are made once for each state that was asked for, one at a
//! time, and kept while that state lasts.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Semaphore;

use super::Registry;
use super::caller::Caller;
use super::indexing::fill;
use super::refusal::Refusal;
use crate::index::{Index, PackageFile, Rendered, View, ViewName, kit};
use crate::model::FullName;
use crate::store::Snapshot;

/// Whole files that are kept, the ones last made.
const FILES_MAX: usize = 32;
/// How often a file is made from a newer state when packages change meanwhile.
const TRIES_MAX: usize = 10;

/// A file of the dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KitFile {
    /// `registry.gz`.
    Registry,
    /// `summaries.gz`.
    Summaries,
    /// `packages/FULLNAME.gz`.
    Package(FullName),
}

/// A file of the dialect as it is sent.
pub struct KitAnswer {
    /// The file.
    pub rendered: Arc<Rendered>,
    /// Whether everyone sees it so.
    pub public: bool,
}

/// Files that were made.
pub(super) struct KitFiles {
    kept: Mutex<Vec<Kept>>,
    /// Who makes one: in a big registry that takes seconds the first time.
    making: Semaphore,
}

/// A file that was made from a view.
type Kept = (Weak<View>, KitFile, Arc<Rendered>);

impl Default for KitFiles {
    fn default() -> Self {
        Self { kept: Mutex::default(), making: Semaphore::new(1) }
    }
}

impl KitFiles {
    fn get(&self, view: &Arc<View>, file: &KitFile) -> Option<Arc<Rendered>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(of, known, _)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(view)) && known == file);
        found.map(|(_, _, rendered)| Arc::clone(rendered))
    }

    fn keep(&self, view: &Arc<View>, file: KitFile, rendered: &Arc<Rendered>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, ..)| of.strong_count() > 0);
        if kept.len() >= FILES_MAX {
            kept.remove(0);
        }
        kept.push((Arc::downgrade(view), file, Arc::clone(rendered)));
    }
}

impl Registry {
    /// A file of the second dialect in a view as the caller sees it.
    ///
    /// # Errors
    /// If the view or the package is not there for the caller, or the store fails.
    pub async fn kit_file(
        self: &Arc<Self>,
        caller: &Caller,
        view: &ViewName,
        file: KitFile,
    ) -> Result<KitAnswer, Refusal> {
        let seen = self.seen_view(caller, view)?;
        if let Some(rendered) = self.kit_files.get(&seen.view, &file) {
            return Ok(KitAnswer { rendered, public: seen.public });
        }
        let stopping = || Refusal::Unavailable("the server is stopping".to_owned());
        let turn = match &file {
            KitFile::Package(_) => None,
            _ => Some(self.kit_files.making.acquire().await.map_err(|_| stopping())?),
        };
        let (registry, caller, view) = (Arc::clone(self), caller.clone(), view.clone());
        let made = tokio::task::spawn_blocking(move || registry.make_kit_file(&caller, &view, &file));
        let made = made.await.map_err(|_| stopping())?;
        drop(turn);
        made
    }

    fn make_kit_file(&self, caller: &Caller, view: &ViewName, file: &KitFile) -> Result<KitAnswer, Refusal> {
        for _ in 0..TRIES_MAX {
            let seen = self.seen_view(caller, view)?;
            if let Some(rendered) = self.kit_files.get(&seen.view, file) {
                return Ok(KitAnswer { rendered, public: seen.public });
            }
            let rows = self.store.read()?;
            let text = match file {
                KitFile::Registry => registry_text(&self.index, &rows, &seen.view)?,
                KitFile::Summaries => Some(kit::summaries(&seen.view)),
                KitFile::Package(name) => {
                    let lines = seen.view.package(name.as_str()).ok_or_else(|| Refusal::not_in_index(name))?;
                    filled(&self.index, &rows, lines)?.then(|| kit::package(lines)).flatten()
                }
            };
            // A package that changed meanwhile fits the next snapshot.
            let Some(text) = text else { continue };
            let rendered = Arc::new(kit::rendered(&text));
            if !matches!(file, KitFile::Package(_)) {
                self.kit_files.keep(&seen.view, file.clone(), &rendered);
            }
            return Ok(KitAnswer { rendered, public: seen.public });
        }
        Err(Refusal::Unavailable("packages change faster than they can be read; try again".to_owned()))
    }
}

fn registry_text(index: &Index, rows: &Snapshot, view: &View) -> Result<Option<String>, Refusal> {
    let mut hashes = Vec::with_capacity(view.package_count());
    for file in view.packages() {
        // Once it is known, the lines are not needed for it.
        let mut hash = kit::package_hash(file);
        if hash.is_none() && filled(index, rows, file)? {
            hash = kit::package_hash(file);
        }
        let Some(hash) = hash else { return Ok(None) };
        hashes.push((file.full_name(), hash));
    }
    Ok(Some(kit::registry(view, &hashes, kit::KitHash::of(&kit::summaries(view)))))
}

/// Whether a file has its lines, which are rendered now where they were not read lately.
fn filled(index: &Index, rows: &Snapshot, file: &Arc<PackageFile>) -> Result<bool, Refusal> {
    if file.is_filled() {
        return Ok(true);
    }
    let name = file.full_name().parse().map_err(|problem| Refusal::invalid("package", problem))?;
    Ok(fill(index, rows, file, &name)?)
}
