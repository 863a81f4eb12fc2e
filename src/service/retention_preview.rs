//! What a retention rule would remove, before it does, and before it is even saved.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Registry;
use super::caller::Caller;
use super::channels::channel_named;
use super::refusal::Refusal;
use super::retention::{Doomed, Judged, next_action};
use super::views::RetentionView;
use crate::model::{
    Channel, ChannelName, Day, FullName, Package, Release, RetentionMoment, RetentionRule, Scope, Timestamp, UserName,
    Version,
};
use crate::store::{RetentionMarks, Rows, Source, StorageError};

/// Most releases that one call looks at: its sums then say that they are not all, and a page may be short and still have
/// a next one.
const LOOKED_AT_MAX: u64 = 100_000;
/// How long a preview waits for others to end.
const WAIT: Duration = Duration::from_secs(10);

/// What to preview.
#[derive(Debug, Clone)]
pub struct RetentionQuery {
    /// A rule that is not saved yet; that of the channel, where none is given.
    pub rule: Option<RetentionRule>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// Most releases on a page.
    pub limit: usize,
}

/// What a rule would remove.
#[derive(Debug, Serialize)]
pub struct RetentionPreview {
    retention: Option<RetentionView>,
    acts_at: Option<Timestamp>,
    downloads_count_from: Option<Day>,
    totals: Option<Totals>,
    items: Vec<DoomedView>,
    next: Option<String>,
}

/// All that would go.
#[derive(Debug, Default, Serialize)]
struct Totals {
    releases: u64,
    packages: u64,
    size: u64,
    stay: u64,
    complete: bool,
}

/// A release that would go.
#[derive(Debug, Serialize)]
struct DoomedView {
    package: FullName,
    version: Version,
    published: Option<Timestamp>,
    yanked: bool,
    files: usize,
    size: u64,
    last_download: Option<Day>,
    reason: String,
}

impl DoomedView {
    fn of(package: &Package, doomed: &Doomed) -> Self {
        Self {
            package: package.full_name(),
            version: doomed.release.version.clone(),
            published: doomed.release.published,
            yanked: doomed.release.yanked.is_some(),
            files: doomed.files.len(),
            size: doomed.size_bytes(),
            last_download: doomed.last_download,
            reason: doomed.why.to_string(),
        }
    }
}

/// Where a page ended: lower versions of that package come next, and the packages behind it.
struct Cursor {
    package: FullName,
    version: Version,
}

impl Cursor {
    fn parse(text: &str, namespace: &UserName) -> Result<Self, Refusal> {
        let parsed = text.split_once(':').and_then(|(package, version)| {
            let package: FullName = package.parse().ok()?;
            (package.namespace() == *namespace).then_some(Self { package, version: version.parse().ok()? })
        });
        parsed.ok_or_else(Refusal::wrong_cursor)
    }
}

/// A page that is being filled.
struct Filling {
    items: Vec<DoomedView>,
    limit: usize,
    /// Only the first page has sums, for which all that follows is looked at too.
    totals: Option<Totals>,
    looked_at: u64,
    last: Option<(FullName, Version)>,
    has_more: bool,
}

impl Filling {
    fn take(&mut self, package: &Package, release: &Release, doomed: Option<&Doomed>) -> ControlFlow<()> {
        let is_full = self.items.len() == self.limit;
        if self.looked_at == LOOKED_AT_MAX {
            self.has_more = true;
            if let Some(totals) = &mut self.totals {
                totals.complete = false;
            }
            return ControlFlow::Break(());
        }
        self.looked_at += 1;
        if let Some(totals) = &mut self.totals {
            totals.releases += u64::from(doomed.is_some());
            totals.size += doomed.map_or(0, Doomed::size_bytes);
            totals.stay += u64::from(doomed.is_none() && release.active);
        }
        if let Some(doomed) = doomed {
            if is_full {
                self.has_more = true;
                return if self.totals.is_some() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            }
            self.items.push(DoomedView::of(package, doomed));
        }
        if !is_full {
            self.last = Some((package.full_name(), release.version.clone()));
        }
        ControlFlow::Continue(())
    }

    fn next(&self) -> Option<String> {
        let (package, version) = self.last.as_ref().filter(|_| self.has_more)?;
        Some(format!("{package}:{version}"))
    }
}

impl Registry {
    /// What a rule of one of the caller's channels would remove when it acts next.
    ///
    /// # Errors
    /// If there is no such channel, the cursor is none, or too many others ask.
    pub async fn preview_retention(
        self: &Arc<Self>,
        caller: &Caller,
        name: &ChannelName,
        query: RetentionQuery,
    ) -> Result<RetentionPreview, Refusal> {
        let user = caller.user(Scope::Read)?;
        let (owner, namespace) = (user.id, user.name.clone());
        let channel = channel_named(&self.store.read()?, owner, name)?;
        let cursor = query.cursor.as_deref().map(|cursor| Cursor::parse(cursor, &namespace)).transpose()?;
        let busy = || Refusal::Unavailable("other previews are being made; try again in some seconds".to_owned());
        let turn = tokio::time::timeout(WAIT, self.retention.previews.acquire()).await;
        let _turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        let registry = Arc::clone(self);
        let (rule, limit) = (query.rule, query.limit);
        // It may look at many releases.
        let look = move || registry.look_for_doomed(&namespace, &channel, rule, cursor.as_ref(), limit);
        let looked = tokio::task::spawn_blocking(look).await;
        looked.map_err(|_| Refusal::Unavailable("the server is stopping".to_owned()))?
    }

    fn look_for_doomed(
        &self,
        namespace: &UserName,
        channel: &Channel,
        rule: Option<RetentionRule>,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<RetentionPreview, Refusal> {
        let rows = self.store.read()?;
        let now = self.clock.now();
        let saved = channel.retention.filter(|saved| rule.is_none_or(|rule| rule == saved.rule));
        let Some(rule) = rule.or(saved.map(|saved| saved.rule)) else {
            return Ok(RetentionPreview {
                retention: None,
                acts_at: None,
                downloads_count_from: None,
                totals: None,
                items: Vec::new(),
                next: None,
            });
        };
        // Until the server has begun to count, it is as if it did now.
        let marks = rows.retention_marks()?.unwrap_or(RetentionMarks { run: now, waits: 0 });
        let acts_at = next_action(marks, saved.map_or(now, |saved| saved.since), now);
        let known_after = rows.downloads_known_after()?.unwrap_or(now.day());
        let moment = RetentionMoment { at: acts_at, downloads_since: Some(known_after) };
        let totals = cursor.is_none().then(|| Totals { complete: true, ..Totals::default() });
        let mut filling = Filling { items: Vec::new(), limit, totals, looked_at: 0, last: None, has_more: false };
        each_package(&rows, namespace, cursor, |package| {
            let judged = Judged { package: package.id, channel: channel.id, rule, moment };
            let below = cursor.filter(|cursor| cursor.package == package.full_name());
            let (mut flow, mut any) = (ControlFlow::Continue(()), false);
            judged.each(&rows, |release, doomed| {
                if below.is_none_or(|cursor| release.version < cursor.version) {
                    flow = filling.take(&package, release, doomed.as_ref());
                    any |= doomed.is_some();
                }
                Ok(flow)
            })?;
            if let Some(totals) = &mut filling.totals {
                totals.packages += u64::from(any);
            }
            Ok(flow)
        })?;
        Ok(RetentionPreview {
            retention: Some(RetentionView::of(rule)),
            acts_at: Some(acts_at),
            // From then on, all days that the rule asks about are known.
            downloads_count_from: rule.downloaded_days().map(|days| known_after.plus(days).plus(1)),
            next: filling.next(),
            totals: filling.totals,
            items: filling.items,
        })
    }
}

/// The packages of a namespace by name, from that of the cursor on.
fn each_package<S: Source>(
    rows: &Rows<S>,
    namespace: &UserName,
    from: Option<&Cursor>,
    mut visit: impl FnMut(Package) -> Result<ControlFlow<()>, StorageError>,
) -> Result<(), StorageError> {
    let after = match from {
        Some(cursor) => {
            if let Some(package) = rows.package_by_name(&cursor.package)?
                && visit(package)?.is_break()
            {
                return Ok(());
            }
            cursor.package.as_str().to_ascii_lowercase()
        }
        // No package is called just that, and those of the namespace come right behind it.
        None => format!("{namespace}."),
    };
    rows.packages_after(&after, |package| {
        if package.namespace == *namespace { visit(package) } else { Ok(ControlFlow::Break(())) }
    })
}
