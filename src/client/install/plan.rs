//! What will be installed: the answer that a lock has, or a new one.

use std::collections::BTreeMap;

use super::lock::{Incomplete, Lock, Locked};
use crate::client::solve::{Archive, Packages, Request, SolveError, resolve};
use crate::client::sync::LocalError;
use crate::model::{FullName, Sha256};

/// Why there is nothing to install.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Nothing fits together.
    #[error(transparent)]
    Solve(#[from] SolveError),
    /// The index says too little.
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] LocalError),
    /// What a lock lists is not in the index any more.
    #[error(
        "{name} {id} is in the lock file and not in the index any more: it was removed, or is in a view that this index \
         is no copy of. --update chooses anew what there is"
    )]
    Gone {
        /// The package.
        name: String,
        /// The id.
        id: String,
    },
    /// What a lock lists is another archive now.
    #[error(
        "{name} {id} is not the archive that was locked: its SHA-256 was {locked} and is {listed} now, and an archive \
         should never change. If you trust the new one, --update takes it"
    )]
    Changed {
        /// The package.
        name: String,
        /// The id.
        id: String,
        /// The digest in the lock.
        locked: Sha256,
        /// The digest in the index, or that there is none.
        listed: String,
    },
}

/// Sizes and digests of archives, by package and id, that the index does not give and that were computed.
pub type Measured = BTreeMap<(FullName, String), (u64, Sha256)>;

/// What is to be installed for `request`. A `lock` that answers it stands as it is, if all it lists is still there; one
/// that answers another request is kept to where that is possible. `measured` completes what the index leaves out.
///
/// # Errors
/// [`PlanError`].
pub fn plan(
    packages: &dyn Packages,
    request: &Request,
    lock: Option<&Lock>,
    measured: &Measured,
) -> Result<Lock, PlanError> {
    match lock {
        Some(lock) if lock.answers(request) => {
            lock.packages.iter().try_for_each(|locked| check(packages, locked))?;
            Ok(lock.clone())
        }
        _ => {
            let preferred = lock.map(Lock::versions).unwrap_or_default();
            let request = Request { preferred, ..request.clone() };
            let mut resolution = resolve(packages, &request)?;
            for chosen in &mut resolution.packages {
                if let Some((size_bytes, sha256)) = measured.get(&(chosen.name.clone(), chosen.id.to_string())) {
                    chosen.archive.size_bytes = Some(*size_bytes);
                    chosen.archive.sha256 = Some(*sha256);
                }
            }
            Ok(Lock::new(&request, &resolution)?)
        }
    }
}

fn check(packages: &dyn Packages, locked: &Locked) -> Result<(), PlanError> {
    let (name, id) = (locked.name.to_string(), locked.id.clone());
    let lines = packages.lines(&locked.name)?;
    let Some(archive) = lines.and_then(|lines| Archive::find(&lines, &locked.id)) else {
        return Err(PlanError::Gone { name, id });
    };
    // Of an archive without a digest, what was locked when it came first counts.
    let is_same_unseen = archive.sha256.is_none() && archive.path.as_ref() == Some(&locked.archive_path);
    if archive.sha256 != Some(locked.sha256) && !is_same_unseen {
        let listed = archive.sha256.map_or_else(|| "missing".to_owned(), |sha256| sha256.to_string());
        return Err(PlanError::Changed { name, id, locked: locked.sha256, listed });
    }
    Ok(())
}
