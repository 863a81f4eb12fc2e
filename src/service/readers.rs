//! What a reader sees of the index: the public view, and on top of it the private packages that its token opens.
//!
//! A reader's view shares with the public one all that its packages do not touch. Others never see any of it: it is
//! made from the packages that the reader may read and kept under them.

use std::sync::{Arc, Mutex, PoisonError};

use super::Registry;
use super::caller::{Caller, Identity};
use super::indexing::{from_stored, view_to_stored};
use super::refusal::Refusal;
use crate::index::{RenderedContent, Serial, View, ViewName};
use crate::model::PackageKey;
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

/// Readers' views, each with the serial of the index that it was made at, the last asked for at the end.
#[derive(Debug, Default)]
pub(super) struct PrivateViews {
    made: Mutex<Vec<(Made, Option<Arc<View>>)>>,
}

/// What a reader's view was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    view: ViewName,
    packages: Vec<PackageKey>,
    serial: Serial,
}

impl PrivateViews {
    /// The view, if it was made from the same; `Some(None)` where it is the public one.
    fn get(&self, made: &Made) -> Option<Option<Arc<View>>> {
        let mut kept = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(known, _)| known == made)?;
        let entry = kept.remove(at);
        let view = entry.1.clone();
        kept.push(entry);
        Some(view)
    }

    fn keep(&self, made: Made, view: Option<Arc<View>>) {
        let mut kept = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| known.view != made.view || known.packages != made.packages);
        if kept.len() >= VIEWS_MAX {
            kept.remove(0);
        }
        kept.push((made, view));
    }
}

impl Registry {
    /// A view as the caller sees it; nothing where there is nothing on it that the caller may see.
    ///
    /// # Errors
    /// If the store fails.
    pub fn seen_view(&self, caller: &Caller, name: &ViewName) -> Result<Option<SeenView>, Refusal> {
        // Read before everything else: what is made from older states is made again by the next who asks.
        let serial = self.index.serial();
        let public = self.index.snapshot().view(name).cloned();
        let rows = match &caller.identity {
            Identity::Anonymous => return Ok(public.map(|view| SeenView { view, public: true })),
            _ => self.store.read()?,
        };
        let made = Made { view: name.clone(), packages: readable(&rows, caller)?, serial };
        let private = match self.private_views.get(&made) {
            Some(known) => known,
            None => {
                let base = public.clone().unwrap_or_else(|| self.index.snapshot().empty_view());
                let view = private_view(&rows, &made, &base)?.map(Arc::new);
                self.private_views.keep(made, view.clone());
                view
            }
        };
        Ok(match private {
            Some(view) => Some(SeenView { view, public: false }),
            None => public.map(|view| SeenView { view, public: true }),
        })
    }
}

/// Packages that may be private and that the caller may read, in order.
fn readable(rows: &Snapshot, caller: &Caller) -> Result<Vec<PackageKey>, Refusal> {
    let mut packages = match &caller.identity {
        Identity::Anonymous => Vec::new(),
        Identity::Access(package) | Identity::Private(package) => vec![*package],
        Identity::User(signed_in) => {
            let mut packages = rows.packages_of(&signed_in.user.name)?;
            packages.extend(rows.memberships(signed_in.user.id)?);
            packages
        }
    };
    packages.sort_unstable();
    packages.dedup();
    Ok(packages)
}

/// The base with the private ones of these packages; nothing where none of them is on the view.
fn private_view(rows: &Snapshot, made: &Made, base: &View) -> Result<Option<View>, Refusal> {
    let wanted = view_to_stored(&made.view);
    let mut contents: Vec<RenderedContent> = Vec::new();
    let mut serial = base.serial();
    for id in &made.packages {
        let Some(stored) = rows.index_package(*id)?.filter(|stored| !stored.public) else { continue };
        let Some((_, at)) = stored.views.iter().find(|(view, _)| *view == wanted) else { continue };
        serial = serial.max(Serial(stored.serial));
        contents.extend(from_stored(&stored)?.contents.into_iter().nth(*at as usize));
    }
    Ok((!contents.is_empty()).then(|| base.with_private(&contents, serial)))
}
