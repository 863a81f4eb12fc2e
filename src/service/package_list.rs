//! Lists of packages: by change, by name, by how well they match words, of one owner, or of those that one belongs to.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::ControlFlow;

use super::Registry;
use super::caller::{Caller, Identity};
use super::refusal::Refusal;
use super::views::{PackageView, Page};
use crate::index::search::SearchEntry;
use crate::model::{FullName, Package, PackageKey, Scope, Timestamp, UserId, UserName};
use crate::store::{Rows, Snapshot, Source, StorageError};

/// Which packages to list.
#[derive(Debug, Default)]
pub struct PackageQuery {
    /// Words that the name, title, keywords or summary must hold, without regard to case; the best match comes first.
    pub search: Option<String>,
    /// Whose packages.
    pub owner: Option<UserName>,
    /// Only packages that the caller owns or is a member of, or only the others.
    pub share: Share,
    /// Whether a line about each is enough: without descriptions, which may be long.
    pub brief: bool,
    /// In which order, where there are no words.
    pub sort: PackageSort,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// Most packages on a page.
    pub limit: usize,
}

/// Whose packages, as the caller sees them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// All.
    #[default]
    All,
    /// Those that the caller owns or is a member of.
    Own,
    /// Those in which the caller has no part.
    Others,
}

/// An order of packages.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum PackageSort {
    /// Newest change first.
    #[default]
    Changed,
    /// By full name, without regard to case.
    Name,
    /// The most downloaded first, those that nobody downloaded by full name.
    Downloads,
}

/// Before the newest change of all.
const START: (Timestamp, PackageKey) = (Timestamp::MAX, PackageKey(u64::MAX));
/// Packages behind which a search does not look: who comes that far wants other words.
const FOUND_MAX: usize = 10_000;

/// A page that is being filled with packages that the caller may see.
struct Filling<'a> {
    rows: &'a Snapshot,
    caller: &'a Caller,
    query: &'a PackageQuery,
    page: Page<PackageView>,
    last: Option<String>,
}

impl Filling<'_> {
    /// Takes a package if the caller may see it; `cursor` is where a page that ends with it is continued.
    fn take(&mut self, package: &Package, cursor: impl FnOnce() -> String) -> Result<ControlFlow<()>, Refusal> {
        let role = match self.caller.reader(self.rows, package) {
            Ok(role) => role,
            Err(Refusal::NotFound(_)) => return Ok(ControlFlow::Continue(())),
            Err(refusal) => return Err(refusal),
        };
        if self.query.share == Share::Others && role.is_some() {
            return Ok(ControlFlow::Continue(()));
        }
        if self.page.items.len() == self.query.limit {
            self.page.next = self.last.take();
            return Ok(ControlFlow::Break(()));
        }
        self.last = Some(cursor());
        let view = match self.query.brief {
            true => PackageView::brief(self.rows, package, role)?,
            false => PackageView::of(self.rows, package, role)?,
        };
        self.page.items.push(view);
        Ok(ControlFlow::Continue(()))
    }
}

impl Registry {
    /// The packages that the caller may see.
    ///
    /// # Errors
    /// If the cursor is not one, or nobody asks for their own packages.
    pub fn packages(&self, caller: &Caller, query: &PackageQuery) -> Result<Page<PackageView>, Refusal> {
        let rows = self.store.read()?;
        let page = Page { items: Vec::new(), next: None };
        let mut filling = Filling { rows: &rows, caller, query, page, last: None };
        let words = query.search.as_deref().unwrap_or_default();
        let among = among(&rows, caller, query)?;
        if !words.trim().is_empty() {
            self.search_packages(&mut filling, words, query, among.as_deref())?;
        } else {
            match query.sort {
                PackageSort::Changed => list_by_change(&mut filling, query, among.as_deref())?,
                PackageSort::Name => list_by_name(&mut filling, query, among.as_deref())?,
                PackageSort::Downloads => list_by_downloads(&mut filling, query, among.as_deref())?,
            }
        }
        Ok(filling.page)
    }

    fn search_packages(
        &self,
        filling: &mut Filling<'_>,
        words: &str,
        query: &PackageQuery,
        among: Option<&[PackageKey]>,
    ) -> Result<(), Refusal> {
        let skip = match &query.cursor {
            Some(cursor) => cursor.parse().ok().filter(|skip| *skip < FOUND_MAX).ok_or_else(Refusal::wrong_cursor)?,
            None => 0,
        };
        let sight = Sight::of(filling.rows, filling.caller)?;
        let among: Option<HashSet<PackageKey>> = among.map(|among| among.iter().copied().collect());
        let may_see =
            |entry: &SearchEntry| sight.sees(entry) && among.as_ref().is_none_or(|ids| ids.contains(&entry.id));
        let found = self.index.search().find(words, skip, query.limit + 1, may_see);
        for (at, id) in found.into_iter().enumerate() {
            // What the search found may be gone by now, or not be there yet.
            let Some(package) = filling.rows.package(id)? else { continue };
            if filling.take(&package, || (skip + at + 1).to_string())?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The public packages that match words, the best first, until `visit` says stop.
    pub(super) fn for_each_public_match<S: Source>(
        &self,
        rows: &Rows<S>,
        search: &str,
        mut visit: impl FnMut(Package) -> Result<ControlFlow<()>, StorageError>,
    ) -> Result<(), StorageError> {
        if search.trim().is_empty() {
            return rows.packages_before(START, |package| {
                if package.visibility == crate::model::Visibility::Public {
                    visit(package)
                } else {
                    Ok(ControlFlow::Continue(()))
                }
            });
        }
        for id in self.index.search().find(search, 0, FOUND_MAX, |entry| entry.public) {
            if let Some(package) = rows.package(id)?.filter(|p| p.visibility == crate::model::Visibility::Public)
                && visit(package)?.is_break()
            {
                break;
            }
        }
        Ok(())
    }
}

/// The packages to which the query is bound, where it is to some.
fn among(rows: &Snapshot, caller: &Caller, query: &PackageQuery) -> Result<Option<Vec<PackageKey>>, Refusal> {
    let of_owner = query.owner.as_ref().map(|owner| rows.packages_of(owner)).transpose()?;
    if query.share != Share::Own {
        return Ok(of_owner);
    }
    let user = caller.user(Scope::Read)?;
    let mut own = rows.packages_of(&user.name)?;
    own.extend(rows.memberships(user.id)?);
    own.retain(|id| of_owner.as_ref().is_none_or(|ids| ids.contains(id)));
    Ok(Some(own))
}

/// Lists the newest change first. Of packages to which the query is bound, all are looked at for each page.
fn list_by_change(
    filling: &mut Filling<'_>,
    query: &PackageQuery,
    among: Option<&[PackageKey]>,
) -> Result<(), Refusal> {
    let rows = filling.rows;
    let mark = mark(filling, query)?;
    let Some(among) = among else {
        return visit_all(filling, mark_of, |take| rows.packages_before(mark, take));
    };
    let mut packages = records(rows, among)?;
    packages.retain(|package| (package.changed, package.id) < mark);
    packages.sort_unstable_by_key(|package| Reverse((package.changed, package.id)));
    visit_some(filling, &packages, mark_of)
}

/// Lists by full name. Of packages to which the query is bound, all are looked at for each page.
fn list_by_name(filling: &mut Filling<'_>, query: &PackageQuery, among: Option<&[PackageKey]>) -> Result<(), Refusal> {
    let rows = filling.rows;
    let after = query.cursor.as_deref().map_or(Ok(String::new()), parse_name)?;
    let Some(among) = among else {
        return visit_all(filling, folded, |take| rows.packages_after(&after, take));
    };
    let mut packages = records(rows, among)?;
    packages.retain(|package| folded(package) > after);
    packages.sort_unstable_by_key(folded);
    visit_some(filling, &packages, folded)
}

/// Lists the most downloaded first. Costs a look at the count of every package that was ever downloaded.
fn list_by_downloads(
    filling: &mut Filling<'_>,
    query: &PackageQuery,
    among: Option<&[PackageKey]>,
) -> Result<(), Refusal> {
    let rows = filling.rows;
    let (mut counted, mut others) = (Vec::new(), Vec::new());
    match among {
        None => counted = rows.downloaded_packages()?,
        Some(among) => {
            for id in among {
                match rows.package_downloads(*id)? {
                    0 => others.extend(rows.package(*id)?),
                    count => counted.push((count, *id)),
                }
            }
        }
    }
    let place = |count: u64, id: PackageKey| (Reverse(count), id);
    counted.sort_unstable_by_key(|(count, id)| place(*count, *id));
    let cursor = query.cursor.as_deref().map(|cursor| parse_count(filling, cursor)).transpose()?;
    let (after, after_name) = match cursor {
        None => (0, String::new()),
        Some((0, name, _)) => (counted.len(), name),
        Some((count, _, id)) => {
            (counted.partition_point(|(known, known_id)| place(*known, *known_id) <= place(count, id)), String::new())
        }
    };
    for (count, id) in &counted[after..] {
        // What was deleted may have been downloaded before.
        let Some(package) = rows.package(*id)? else { continue };
        if filling.take(&package, || format!("{count}-{}", package.full_name()))?.is_break() {
            return Ok(());
        }
    }
    let cursor = |package: &Package| format!("0-{}", folded(package));
    if among.is_some() {
        others.retain(|package| folded(package) > after_name);
        others.sort_unstable_by_key(folded);
        return visit_some(filling, &others, cursor);
    }
    visit_all(filling, cursor, |take| {
        rows.packages_after(&after_name, |package| match rows.package_downloads(package.id)? {
            0 => take(package),
            _ => Ok(ControlFlow::Continue(())),
        })
    })
}

fn records(rows: &Snapshot, ids: &[PackageKey]) -> Result<Vec<Package>, StorageError> {
    let mut packages = Vec::with_capacity(ids.len());
    for id in ids {
        packages.extend(rows.package(*id)?);
    }
    Ok(packages)
}

/// Fills a page from packages in their order.
fn visit_some(
    filling: &mut Filling<'_>,
    packages: &[Package],
    cursor: impl Fn(&Package) -> String,
) -> Result<(), Refusal> {
    for package in packages {
        if filling.take(package, || cursor(package))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Fills a page from the packages that `walk` meets.
fn visit_all(
    filling: &mut Filling<'_>,
    cursor: impl Fn(&Package) -> String,
    walk: impl FnOnce(&mut dyn FnMut(Package) -> Result<ControlFlow<()>, StorageError>) -> Result<(), StorageError>,
) -> Result<(), Refusal> {
    let mut refused = None;
    walk(&mut |package| {
        Ok(filling.take(&package, || cursor(&package)).unwrap_or_else(|refusal| {
            refused = Some(refusal);
            ControlFlow::Break(())
        }))
    })?;
    refused.map_or(Ok(()), Err)
}

/// What of the packages a caller may see, as far as the search goes: whoever may see more finds it in lists.
struct Sight {
    user: Option<UserId>,
    everything: bool,
    packages: HashSet<PackageKey>,
}

impl Sight {
    fn of(rows: &Snapshot, caller: &Caller) -> Result<Self, Refusal> {
        let mut sight = Self { user: None, everything: false, packages: HashSet::new() };
        match &caller.identity {
            Identity::Anonymous => {}
            Identity::Access(package) | Identity::Private(package) => {
                sight.packages.insert(*package);
            }
            Identity::User(signed_in) => {
                let user = &signed_in.user;
                sight.user = Some(user.id);
                sight.everything = user.admin && signed_in.scope == Scope::Admin;
                sight.packages.extend(rows.memberships(user.id)?);
            }
        }
        Ok(sight)
    }

    fn sees(&self, entry: &SearchEntry) -> bool {
        entry.public || self.everything || self.user == Some(entry.owner) || self.packages.contains(&entry.id)
    }
}

fn folded(package: &Package) -> String {
    package.full_name().as_str().to_ascii_lowercase()
}

/// What a page by change is continued with: when its last package had changed, and its name. Not its number, since
/// numbers in a row would tell how much there is that the caller does not see.
fn mark_of(package: &Package) -> String {
    format!("{}-{}", package.changed.as_micros(), package.full_name())
}

/// Where a page by change goes on.
fn mark(filling: &Filling<'_>, query: &PackageQuery) -> Result<(Timestamp, PackageKey), Refusal> {
    let Some(cursor) = &query.cursor else { return Ok(START) };
    let parsed: Option<(i64, FullName)> =
        cursor.split_once('-').and_then(|(micros, name)| Some((micros.parse().ok()?, name.parse().ok()?)));
    let (micros, name) = parsed.ok_or_else(Refusal::wrong_cursor)?;
    let package = filling.rows.package_by_name(&name)?;
    let package = package.filter(|package| filling.caller.reader(filling.rows, package).is_ok());
    // One that is gone stands behind all others of its microsecond, which would come twice rather than never.
    let id = package.map_or(PackageKey(u64::MAX), |package| package.id);
    Ok((Timestamp::from_micros(micros), id))
}

/// Where a page by downloads goes on: behind a package of that name, with as many downloads.
fn parse_count(filling: &Filling<'_>, cursor: &str) -> Result<(u64, String, PackageKey), Refusal> {
    let parsed: Option<(u64, FullName)> =
        cursor.split_once('-').and_then(|(count, name)| Some((count.parse().ok()?, name.parse().ok()?)));
    let (count, name) = parsed.ok_or_else(Refusal::wrong_cursor)?;
    let package = filling.rows.package_by_name(&name)?;
    let package = package.filter(|package| filling.caller.reader(filling.rows, package).is_ok());
    // One that is gone stands before all others of its count, which come twice rather than never.
    let id = package.map_or(PackageKey(0), |package| package.id);
    Ok((count, name.as_str().to_owned(), id))
}

fn parse_name(cursor: &str) -> Result<String, Refusal> {
    let name: FullName = cursor.parse().map_err(|_| Refusal::wrong_cursor())?;
    Ok(name.as_str().to_owned())
}
