//! Releases: making, activating, scheduling, yanking and deleting them.

use std::ops::ControlFlow;

use super::Registry;
use super::access::open_package;
use super::caller::Caller;
use super::channels::channel_named;
use super::condition::{Condition, release_mark};
use super::deed::{About, Deed};
use super::downloads::offered;
use super::refusal::Refusal;
use super::views::{Page, ReleaseView, ReleaseViews};
use crate::model::file_role::archives;
use crate::model::{
    AuditAction, Channel, ChannelId, ChannelName, FullName, Markdown, Package, Release, ReleaseId, Role, Timestamp,
    Version, YankReason, version_advice,
};
use crate::store::{Edit, Rows, Source, StorageError};

/// Names one release.
#[derive(Debug, Clone)]
pub struct ReleaseName {
    /// The package.
    pub package: FullName,
    /// The channel it is on.
    pub channel: ChannelName,
    /// Its version.
    pub version: Version,
}

impl std::fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.channel, self.version)
    }
}

/// What of a release is to change. Of a field that may be absent, the outer level says whether it is to change.
#[derive(Debug, Clone, Default)]
pub struct ReleasePatch {
    /// Whether it is offered.
    pub active: Option<bool>,
    /// When it was first active, elsewhere: for a draft that this makes active, and for owners alone.
    pub published: Option<Timestamp>,
    /// When it becomes active by itself.
    pub publish_at: Option<Option<Timestamp>>,
    /// Why it is withdrawn.
    pub yanked: Option<Option<YankReason>>,
    /// Release notes.
    pub description: Option<Markdown>,
}

/// Most releases whose time has come that are activated in one commit.
const ACTIVATED_AT_ONCE_MAX: usize = 100;

impl Registry {
    /// The releases of a package, highest version first. Readers see active ones, maintainers drafts too.
    ///
    /// # Errors
    /// If the caller may not read the package, or there is no such channel.
    pub fn releases(
        &self,
        caller: &Caller,
        name: &FullName,
        channel: Option<&ChannelName>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<ReleaseView>, Refusal> {
        let rows = self.store.read()?;
        let (package, role) = open_package(&rows, caller, name, None)?;
        let channels = match channel {
            Some(channel) => [channel_named(&rows, package.owner, channel)?].into(),
            None => rows.channels(package.owner)?,
        };
        let cursor = cursor.map(|cursor| parse_cursor(&rows, &package, cursor)).transpose()?;
        let mut found = Vec::new();
        for channel in channels.iter() {
            collect_below(&rows, &package, channel, cursor.as_ref(), may_see_drafts(role), limit + 1, &mut found)?;
        }
        found.sort_by(|a, b| b.version.cmp(&a.version).then(a.channel.cmp(&b.channel)));
        let more = found.len() > limit;
        found.truncate(limit);
        let name_of = |id| channels.iter().find(|channel| channel.id == id).map(|channel| &channel.name);
        let next =
            found.last().filter(|_| more).and_then(|last| Some(format!("{}:{}", name_of(last.channel)?, last.version)));
        let views = ReleaseViews::new(&rows, &package, caller)?;
        let items = found.iter().map(|release| views.release(&rows, release)).collect::<Result<_, StorageError>>()?;
        Ok(Page { items, next })
    }

    /// One release.
    ///
    /// # Errors
    /// If there is none that the caller may see.
    pub fn release(&self, caller: &Caller, name: &ReleaseName) -> Result<ReleaseView, Refusal> {
        let rows = self.store.read()?;
        let (package, role) = open_package(&rows, caller, &name.package, None)?;
        let release = find_release(&rows, &package, name, role)?;
        Ok(ReleaseViews::new(&rows, &package, caller)?.release(&rows, &release)?)
    }

    /// Makes a release, or changes it if it is there; answers whether it is new. A new one is a draft unless the
    /// patch says otherwise.
    ///
    /// # Errors
    /// If the caller may not publish, or there is no such channel.
    pub async fn put_release(
        &self,
        caller: &Caller,
        name: ReleaseName,
        patch: ReleasePatch,
        condition: Condition,
    ) -> Result<(ReleaseView, bool), Refusal> {
        self.edit_release(caller, name, patch, condition, true).await
    }

    /// Changes a release.
    ///
    /// # Errors
    /// If the caller may not publish, or there is no such release.
    pub async fn change_release(
        &self,
        caller: &Caller,
        name: ReleaseName,
        patch: ReleasePatch,
        condition: Condition,
    ) -> Result<ReleaseView, Refusal> {
        self.edit_release(caller, name, patch, condition, false).await.map(|(view, _)| view)
    }

    async fn edit_release(
        &self,
        caller: &Caller,
        name: ReleaseName,
        patch: ReleasePatch,
        condition: Condition,
        create: bool,
    ) -> Result<(ReleaseView, bool), Refusal> {
        let deed = self.deed(caller);
        let now = deed.now;
        self.store
            .write(move |edit| {
                // Times say which of two releases came first, so only owners may tell them.
                let needed = if patch.published.is_some() { Role::Owner } else { Role::Maintainer };
                let (package, role) = open_package(edit, &deed.caller, &name.package, Some(needed))?;
                let channel = channel_named(edit, package.owner, &name.channel)?;
                let former = edit.release_by_version(&package, channel.id, &name.version)?;
                let present = former.as_ref().map(release_mark);
                condition.check(edit, &package, Some(&name.to_string()), present.as_deref())?;
                let mut release = match former.clone() {
                    Some(release) => release,
                    None if create => new_release(edit, &package, channel.id, &name.version, now)?,
                    None => find_release(edit, &package, &name, role)?,
                };
                apply(&mut release, &patch, now)?;
                let is_new = former.is_none();
                if former.as_ref() != Some(&release) {
                    release.changed = now;
                    edit.put_release(&release)?;
                    edit.touch_package(&package, now)?;
                    note_change(edit, &deed, &package, &name, former.as_ref(), &release)?;
                }
                let is_published = release.active && !former.is_some_and(|former| former.active);
                let mut view = ReleaseViews::new(edit, &package, &deed.caller)?.release(edit, &release)?;
                if is_new || is_published {
                    view.warnings = warnings(edit, &package, &release)?;
                }
                Ok((view, is_new))
            })
            .await
    }

    /// Deletes a release with its files.
    ///
    /// # Errors
    /// If the caller does not own the package, or there is no such release.
    pub async fn delete_release(
        &self,
        caller: &Caller,
        name: ReleaseName,
        condition: Condition,
    ) -> Result<(), Refusal> {
        let deed = self.deed(caller);
        let deleted = self.store.write(move |edit| {
            let (package, role) = open_package(edit, &deed.caller, &name.package, Some(Role::Owner))?;
            let release = find_release(edit, &package, &name, role)?;
            condition.check(edit, &package, Some(&name.to_string()), Some(&release_mark(&release)))?;
            edit.delete_release(&release)?;
            edit.touch_package(&package, deed.now)?;
            Ok::<(), Refusal>(deed.note(edit, AuditAction::ReleaseDeleted, About::thing(&name).of(&package))?)
        });
        deleted.await?;
        self.collect_soon();
        Ok(())
    }

    /// Activates the releases whose time has come, and says when the next one's comes.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn activate_due_releases(&self) -> Result<Option<Timestamp>, Refusal> {
        loop {
            let deed = self.own_deed();
            let now = deed.now;
            let next = self.store.read()?.next_scheduled()?;
            if next.is_none_or(|next| next > now) {
                return Ok(next);
            }
            self.store
                .write(move |edit| {
                    for mut release in edit.scheduled_until(now, ACTIVATED_AT_ONCE_MAX)? {
                        let package = edit.package(release.package)?;
                        let package = package.ok_or_else(|| StorageError::damaged("release", "its package is gone"))?;
                        release.publish_at = None;
                        activate(&mut release, now);
                        release.changed = now;
                        edit.put_release(&release)?;
                        edit.touch_package(&package, now)?;
                        let channels = edit.channels(package.owner)?;
                        let channel = channels.iter().find(|channel| channel.id == release.channel);
                        let channel = channel.map_or("", |channel| channel.name.as_str());
                        let about = About::thing(format_args!("{channel}/{}", release.version)).of(&package);
                        deed.note(edit, AuditAction::ReleasePublished, about.detail("as scheduled"))?;
                    }
                    Ok::<(), Refusal>(())
                })
                .await?;
        }
    }
}

/// Notes what became of a release: the most that happened to it.
fn note_change(
    edit: &mut Edit<'_, '_>,
    deed: &Deed,
    package: &Package,
    name: &ReleaseName,
    former: Option<&Release>,
    release: &Release,
) -> Result<(), StorageError> {
    let state = match (release.active, release.publish_at) {
        (true, _) => "active".to_owned(),
        (false, Some(time)) => format!("to be published at {time}"),
        (false, None) => "a draft".to_owned(),
    };
    let was = |is: fn(&Release) -> bool| former.is_some_and(is);
    let (action, detail) = if former.is_none() {
        (AuditAction::ReleaseCreated, state)
    } else if release.active && !was(|former| former.active) {
        (AuditAction::ReleasePublished, String::new())
    } else if !release.active && was(|former| former.active) {
        (AuditAction::ReleaseWithdrawn, state)
    } else if let Some(reason) = release.yanked.as_ref().filter(|_| former.map(|f| &f.yanked) != Some(&release.yanked))
    {
        (AuditAction::ReleaseYanked, reason.as_str().to_owned())
    } else if release.yanked.is_none() && was(|former| former.yanked.is_some()) {
        (AuditAction::ReleaseRestored, String::new())
    } else if former.map(|former| former.publish_at) != Some(release.publish_at) {
        (AuditAction::ReleaseScheduled, state)
    } else {
        (AuditAction::ReleaseChanged, "release notes".to_owned())
    };
    deed.note(edit, action, About::thing(name).of(package).detail(detail))
}

/// What the author of a release should know of where it sorts among all that readers of its channel are offered, the
/// releases of the channels that it includes too; and that it offers nothing where it has attachments alone.
pub(super) fn warnings<S: Source>(
    rows: &Rows<S>,
    package: &Package,
    release: &Release,
) -> Result<Vec<String>, StorageError> {
    // The same version on a channel that is included stands behind this release.
    let is_other = |other: &Release| {
        let is_met = other.version != release.version && !archives(&rows.files(other.id)?).is_empty();
        Ok(is_met.then_some(()))
    };
    let newest = offered(rows, package, release.channel, None, 1, is_other)?;
    let mut warnings = version_advice(&release.version, newest.first().map(|(newest, ())| &newest.version));
    let files = rows.files(release.id)?;
    if let Some(file) = files.first().filter(|_| release.active && archives(&files).is_empty()) {
        warnings.push(format!(
            "{} has no archive and is offered to nobody: {} is an attachment; upload the archive, or send this file with \
             role=archive",
            release.version, file.display_name
        ));
    }
    Ok(warnings)
}

/// Whether someone with this role sees what is not active.
pub(super) fn may_see_drafts(role: Option<Role>) -> bool {
    role >= Some(Role::Maintainer)
}

/// The release, if the caller may see it.
pub(super) fn find_release<S: Source>(
    rows: &Rows<S>,
    package: &Package,
    name: &ReleaseName,
    role: Option<Role>,
) -> Result<Release, Refusal> {
    let channel = channel_named(rows, package.owner, &name.channel)?;
    let release = rows.release_by_version(package, channel.id, &name.version)?;
    if let Some(release) = release.filter(|release| release.active || may_see_drafts(role)) {
        return Ok(release);
    }
    let mut existing = Vec::new();
    collect_below(rows, package, &channel, None, may_see_drafts(role), 10, &mut existing)?;
    let existing: Vec<&str> = existing.iter().map(|release| release.version.as_str()).collect();
    Err(Refusal::no_such(
        &format!("release of {} on {} with the version", name.package, name.channel),
        &name.version,
        &existing,
    ))
}

/// A draft that is not stored yet.
pub(super) fn new_release(
    edit: &mut Edit<'_, '_>,
    package: &Package,
    channel: ChannelId,
    version: &Version,
    now: Timestamp,
) -> Result<Release, Refusal> {
    if let Some(reason) = version.reserved() {
        return Err(Refusal::invalid("version", reason));
    }
    Ok(Release {
        id: ReleaseId(edit.new_id()?),
        package: package.id,
        channel,
        version: version.in_scheme(package.version_scheme),
        active: false,
        published: None,
        publish_at: None,
        yanked: None,
        description: Markdown::default(),
        created: now,
        changed: now,
    })
}

/// Makes a release active; from its first activation on its files are immutable.
pub(super) fn activate(release: &mut Release, now: Timestamp) {
    release.active = true;
    release.published.get_or_insert(now);
    release.publish_at = None;
}

pub(super) fn apply(release: &mut Release, patch: &ReleasePatch, now: Timestamp) -> Result<(), Refusal> {
    if let Some(description) = &patch.description {
        release.description = description.clone();
    }
    if let Some(published) = patch.published {
        tell_published(release, published, patch, now)?;
    }
    match patch.active {
        Some(true) => activate(release, now),
        Some(false) => release.active = false,
        None => {}
    }
    match patch.publish_at {
        Some(Some(_)) if release.active => {
            return Err(Refusal::invalid("publish_at", "the release is active already; only a draft can be scheduled"));
        }
        // A time that has passed means now.
        Some(Some(time)) if time <= now => activate(release, now),
        Some(time) => release.publish_at = time,
        None => {}
    }
    match &patch.yanked {
        Some(Some(_)) if !release.active => {
            return Err(Refusal::invalid(
                "yanked",
                "only an active release can be yanked; this one is not offered anyway",
            ));
        }
        Some(yanked) => release.yanked.clone_from(yanked),
        None => {}
    }
    Ok(())
}

/// Says when a draft that becomes active was first active elsewhere. The same time again is no change.
fn tell_published(
    release: &mut Release,
    published: Timestamp,
    patch: &ReleasePatch,
    now: Timestamp,
) -> Result<(), Refusal> {
    match release.published {
        Some(known) if known == published => Ok(()),
        Some(known) => Err(Refusal::conflict(format!(
            "{} was first active at {known}, and that time cannot become another",
            release.version
        ))),
        None if published > now => Err(Refusal::invalid(
            "published",
            "a release cannot have been published in the future; publish_at is for that",
        )),
        // Without that, a draft would pass for published, and its files be fixed before anybody could get them.
        None if patch.active != Some(true) => Err(Refusal::invalid(
            "published",
            "published says when a release was first active elsewhere; send it together with \"active\": true",
        )),
        None => {
            release.published = Some(published);
            Ok(())
        }
    }
}

/// Where a page of releases ended: versions below come next, and the same version on later channels.
struct Cursor {
    channel: ChannelId,
    version: Version,
}

fn parse_cursor<S: Source>(rows: &Rows<S>, package: &Package, cursor: &str) -> Result<Cursor, Refusal> {
    let channels = rows.channels(package.owner)?;
    let parsed = cursor.split_once(':').and_then(|(channel, version)| {
        let channel = channels.iter().find(|known| known.name.as_str() == channel)?.id;
        let version: Version = version.parse().ok()?;
        Some(Cursor { channel, version: version.in_scheme(package.version_scheme) })
    });
    parsed.ok_or_else(Refusal::wrong_cursor)
}

/// Adds up to `limit` releases of a channel that come behind the cursor, highest version first.
fn collect_below<S: Source>(
    rows: &Rows<S>,
    package: &Package,
    channel: &Channel,
    cursor: Option<&Cursor>,
    drafts: bool,
    limit: usize,
    found: &mut Vec<Release>,
) -> Result<(), StorageError> {
    let start = found.len();
    if let Some(cursor) = cursor.filter(|cursor| channel.id > cursor.channel) {
        let same = rows.release_by_version(package, channel.id, &cursor.version)?;
        found.extend(same.filter(|release| release.active || drafts));
    }
    rows.releases_below(package.id, channel.id, cursor.map(|cursor| &cursor.version), |release| {
        if found.len() - start == limit {
            return Ok(ControlFlow::Break(()));
        }
        if release.active || drafts {
            found.push(release);
        }
        Ok(ControlFlow::Continue(()))
    })
}
