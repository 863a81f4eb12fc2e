//! Packages: listing, making, changing and deleting them, and their tokens.

use std::ops::ControlFlow;

use super::Registry;
use super::access::open_package;
use super::caller::Caller;
use super::random::new_token;
use super::refusal::Refusal;
use super::views::{PackageView, Page, package_view};
use crate::model::{
    FullName, Markdown, Package, PackageKey, PackageName, Role, Scope, Timestamp, TokenKind, TokenSecret, User,
    UserName, Visibility,
};
use crate::store::{Edit, Rows, Source, StorageError};

/// Which packages to list.
#[derive(Debug, Default)]
pub struct PackageQuery {
    /// Words that the name or description must hold, without regard to case.
    pub search: Option<String>,
    /// Whose packages.
    pub owner: Option<UserName>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// Most packages on a page.
    pub limit: usize,
}

/// A package to make.
#[derive(Debug, Clone)]
pub struct NewPackage {
    /// Its name in the caller's namespace.
    pub name: PackageName,
    /// What it is.
    pub description: Markdown,
    /// Who may read it.
    pub visibility: Visibility,
}

/// What of a package is to change.
#[derive(Debug, Clone, Default)]
pub struct PackagePatch {
    /// What it is.
    pub description: Option<Markdown>,
    /// Who may read it.
    pub visibility: Option<Visibility>,
}

impl Registry {
    /// The packages that the caller may see, newest change first.
    ///
    /// # Errors
    /// If the cursor is not one.
    pub fn packages(&self, caller: &Caller, query: &PackageQuery) -> Result<Page<PackageView>, Refusal> {
        let rows = self.store.read()?;
        let mark = match &query.cursor {
            Some(cursor) => parse_cursor(&rows, caller, cursor)?,
            None => START,
        };
        let words = words(query.search.as_deref().unwrap_or_default());
        let mut page = Page { items: Vec::new(), next: None };
        let mut last = None;
        let mut failure = None;
        rows.packages_before(mark, |package| {
            let wanted =
                query.owner.as_ref().is_none_or(|owner| package.namespace == *owner) && matches(&package, &words);
            if !wanted {
                return Ok(ControlFlow::Continue(()));
            }
            match caller.reader(&rows, &package) {
                Ok(role) => {
                    if page.items.len() == query.limit {
                        page.next = last.take();
                        return Ok(ControlFlow::Break(()));
                    }
                    last = Some(format!("{}-{}", package.changed.as_micros(), package.full_name()));
                    page.items.push(PackageView::of(&rows, &package, role)?);
                }
                Err(Refusal::NotFound(_)) => {}
                Err(refusal) => {
                    failure = Some(refusal);
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        failure.map_or(Ok(page), Err)
    }

    /// Makes a package in the caller's namespace.
    ///
    /// # Errors
    /// If the name is taken.
    pub async fn create_package(&self, caller: &Caller, new: NewPackage) -> Result<PackageView, Refusal> {
        let owner = caller.user(Scope::Publish)?.clone();
        let access_token = new_token(TokenKind::Access)?;
        let now = self.clock.now();
        let caller = caller.clone();
        self.store
            .write(move |edit| {
                let package = add_package(edit, &owner, &new, &access_token, now)?;
                package_view(edit, &caller, &package.full_name())
            })
            .await
    }

    /// One package.
    ///
    /// # Errors
    /// If there is none of that name that the caller may read.
    pub fn package(&self, caller: &Caller, name: &FullName) -> Result<PackageView, Refusal> {
        package_view(&self.store.read()?, caller, name)
    }

    /// Changes a package.
    ///
    /// # Errors
    /// If the caller does not own it.
    pub async fn change_package(
        &self,
        caller: &Caller,
        name: FullName,
        patch: PackagePatch,
    ) -> Result<PackageView, Refusal> {
        let now = self.clock.now();
        let caller = caller.clone();
        self.store
            .write(move |edit| {
                let (mut package, _) = open_package(edit, &caller, &name, Some(Role::Owner))?;
                if let Some(description) = &patch.description {
                    package.description = description.clone();
                }
                package.visibility = patch.visibility.unwrap_or(package.visibility);
                edit.touch_package(&package, now)?;
                package_view(edit, &caller, &name)
            })
            .await
    }

    /// Deletes a package with all its releases.
    ///
    /// # Errors
    /// If the caller does not own it.
    pub async fn delete_package(&self, caller: &Caller, name: FullName) -> Result<(), Refusal> {
        let caller = caller.clone();
        let deleted = self.store.write(move |edit| {
            let (package, _) = open_package(edit, &caller, &name, Some(Role::Owner))?;
            Ok::<(), Refusal>(edit.delete_package(&package)?)
        });
        deleted.await?;
        self.collect_soon();
        Ok(())
    }

    /// Replaces the access or private token of a package; the old one stops at once. A private token is shown only
    /// in this answer.
    ///
    /// # Errors
    /// If the caller does not own the package.
    pub async fn replace_package_token(
        &self,
        caller: &Caller,
        name: FullName,
        kind: TokenKind,
    ) -> Result<String, Refusal> {
        let now = self.clock.now();
        let token = new_token(kind)?;
        let secret = token.reveal().to_owned();
        let caller = caller.clone();
        self.store
            .write(move |edit| {
                let (mut package, _) = open_package(edit, &caller, &name, Some(Role::Owner))?;
                match kind {
                    TokenKind::Access => package.access_token = token.clone(),
                    TokenKind::Private => package.private_token = Some(token.digest()),
                    TokenKind::Api => {
                        return Err(Refusal::NotFound("a package has access and private tokens".to_owned()));
                    }
                }
                Ok(edit.touch_package(&package, now)?)
            })
            .await?;
        Ok(secret)
    }
}

/// Makes a package of a user's.
pub(super) fn add_package(
    edit: &mut Edit<'_>,
    owner: &User,
    new: &NewPackage,
    access_token: &TokenSecret,
    now: Timestamp,
) -> Result<Package, Refusal> {
    let full_name = FullName::new(&owner.name, &new.name);
    if let Some(taken) = edit.package_by_folded_name(&full_name)? {
        return Err(Refusal::taken("name", format!("the name {} is taken", taken.full_name())));
    }
    let package = Package {
        id: PackageKey(edit.new_id()?),
        owner: owner.id,
        namespace: owner.name.clone(),
        name: new.name.clone(),
        description: new.description.clone(),
        visibility: new.visibility,
        access_token: access_token.clone(),
        private_token: None,
        created: now,
        changed: now,
    };
    edit.put_package(&package)?;
    Ok(package)
}

/// Before the newest change of all.
const START: (Timestamp, PackageKey) = (Timestamp::MAX, PackageKey(u64::MAX));

/// Hands the public packages that hold all words of `search` to `visit`, newest change first, until it says `false`.
pub(super) fn for_each_public_match<S: Source>(
    rows: &Rows<S>,
    search: &str,
    mut visit: impl FnMut(Package) -> Result<bool, StorageError>,
) -> Result<(), StorageError> {
    let words = words(search);
    rows.packages_before(START, |package| {
        let wanted = package.visibility == Visibility::Public && matches(&package, &words);
        let go_on = if wanted { visit(package)? } else { true };
        Ok(if go_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })
}

fn words(search: &str) -> Vec<String> {
    search.split_whitespace().map(str::to_lowercase).collect()
}

fn matches(package: &Package, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let name = package.full_name().as_str().to_lowercase();
    let description = package.description.as_str().to_lowercase();
    words.iter().all(|word| name.contains(word.as_str()) || description.contains(word.as_str()))
}

/// Reads a cursor: when the last package of a page had changed, and its name. Not its number, since numbers in a row
/// would tell how much there is that the caller does not see.
fn parse_cursor<S: Source>(rows: &Rows<S>, caller: &Caller, cursor: &str) -> Result<(Timestamp, PackageKey), Refusal> {
    let parsed: Option<(i64, FullName)> =
        cursor.split_once('-').and_then(|(micros, name)| Some((micros.parse().ok()?, name.parse().ok()?)));
    let (micros, name) =
        parsed.ok_or_else(|| Refusal::invalid("cursor", "a cursor is what `next` of the page before said"))?;
    let package = rows.package_by_name(&name)?;
    let package = package.filter(|package| caller.reader(rows, package).is_ok());
    // One that is gone stands behind all others of its microsecond, which would come twice rather than never.
    let id = package.map_or(PackageKey(u64::MAX), |package| package.id);
    Ok((Timestamp::from_micros(micros), id))
}
