//! A user's own platforms.

use super::Registry;
use super::caller::Caller;
use super::deed::About;
use super::refusal::{Refusal, listed};
use super::views::{Page, PlatformView};
use crate::model::limits::PLATFORMS_PER_USER_MAX;
use crate::model::{AuditAction, Platform, PlatformId, PlatformName, Scope, Timestamp, UserId};
use crate::store::{Edit, Rows, Source, StorageError};

impl Registry {
    /// The caller's platforms.
    ///
    /// # Errors
    /// If the caller is no user.
    pub fn platforms(&self, caller: &Caller) -> Result<Page<PlatformView>, Refusal> {
        let user = caller.user(Scope::Read)?;
        let platforms = self.store.read()?.platforms(user.id)?;
        Ok(Page::whole(platforms.iter().map(PlatformView::of).collect()))
    }

    /// Makes a platform for the caller.
    ///
    /// # Errors
    /// If the name is taken.
    pub async fn create_platform(&self, caller: &Caller, name: PlatformName) -> Result<PlatformView, Refusal> {
        let owner = caller.user(Scope::Admin)?.id;
        let deed = self.deed(caller);
        let made = self.store.write(move |edit| {
            check_name_is_free(&edit.platforms(owner)?, &name, None)?;
            let platform = add_platform(edit, owner, &name, deed.now)?;
            deed.note(edit, AuditAction::PlatformCreated, About::thing(&name))?;
            Ok::<_, Refusal>(platform)
        });
        made.await.map(|platform| PlatformView::of(&platform))
    }

    /// Renames one of the caller's platforms that no file is for: ids in the index hold the name.
    ///
    /// # Errors
    /// If it is in use or the name is taken.
    pub async fn rename_platform(
        &self,
        caller: &Caller,
        name: PlatformName,
        new_name: PlatformName,
    ) -> Result<PlatformView, Refusal> {
        let owner = caller.user(Scope::Admin)?.id;
        let deed = self.deed(caller);
        let renamed = self.store.write(move |edit| {
            let mut platform = platform_named(edit, owner, &name)?;
            if platform.name == new_name {
                return Ok(platform);
            }
            check_unused(edit, &platform)?;
            check_name_is_free(&edit.platforms(owner)?, &new_name, Some(platform.id))?;
            platform.name = new_name.clone();
            platform.changed = deed.now;
            edit.put_platform(&platform)?;
            deed.note(edit, AuditAction::PlatformRenamed, About::thing(&new_name).detail(format_args!("was {name}")))?;
            Ok(platform)
        });
        renamed.await.map(|platform| PlatformView::of(&platform))
    }

    /// Deletes one of the caller's platforms.
    ///
    /// # Errors
    /// If a file is for it.
    pub async fn delete_platform(&self, caller: &Caller, name: PlatformName) -> Result<(), Refusal> {
        let owner = caller.user(Scope::Admin)?.id;
        let deed = self.deed(caller);
        self.store
            .write(move |edit| {
                let platform = platform_named(edit, owner, &name)?;
                check_unused(edit, &platform)?;
                edit.delete_platform(&platform)?;
                Ok(deed.note(edit, AuditAction::PlatformDeleted, About::thing(&name))?)
            })
            .await
    }
}

/// Makes a platform whose name is known to be free.
pub(super) fn add_platform(
    edit: &mut Edit<'_, '_>,
    owner: UserId,
    name: &PlatformName,
    now: Timestamp,
) -> Result<Platform, Refusal> {
    if edit.platforms(owner)?.len() >= PLATFORMS_PER_USER_MAX {
        return Err(Refusal::conflict(format!("a user has at most {PLATFORMS_PER_USER_MAX} platforms")));
    }
    let platform = Platform { id: PlatformId(edit.new_id()?), owner, name: name.clone(), created: now, changed: now };
    edit.put_platform(&platform)?;
    Ok(platform)
}

/// An owner's platform by name.
pub(super) fn platform_named<S: Source>(
    rows: &Rows<S>,
    owner: UserId,
    name: &PlatformName,
) -> Result<Platform, Refusal> {
    let platforms = rows.platforms(owner)?;
    let names: Vec<&str> = platforms.iter().map(|platform| platform.name.as_str()).collect();
    let found = platforms.iter().find(|platform| platform.name == *name);
    found.cloned().ok_or_else(|| Refusal::no_such("platform", name, &names))
}

/// The owner's platform for files that run everywhere, if there is one.
pub(super) fn any_platform<S: Source>(rows: &Rows<S>, owner: UserId) -> Result<Option<PlatformId>, StorageError> {
    Ok(rows.platforms(owner)?.iter().find(|platform| platform.name.is_any()).map(|platform| platform.id))
}

/// Refuses a name that is taken, that differs from a taken one only in case, or that makes two files of the index one:
/// `NAME-1.0+x.json` is the manifest of the archive for `x`.
pub(super) fn check_name_is_free(
    platforms: &[Platform],
    name: &PlatformName,
    own: Option<PlatformId>,
) -> Result<(), Refusal> {
    if name.as_str().to_ascii_lowercase().ends_with(".json") {
        return Err(Refusal::invalid(
            "name",
            "a platform's name cannot end with .json: the index has files of that name",
        ));
    }
    let similar = platforms.iter().find(|p| Some(p.id) != own && p.name.as_str().eq_ignore_ascii_case(name.as_str()));
    match similar {
        Some(platform) => Err(Refusal::taken("name", format!("you have a platform {} already", platform.name))),
        None => Ok(()),
    }
}

fn check_unused(edit: &Edit<'_, '_>, platform: &Platform) -> Result<(), Refusal> {
    let mut users = Vec::new();
    for package in edit.platform_uses(platform.id)? {
        users.extend(edit.package(package)?.map(|package| package.full_name()));
    }
    if users.is_empty() {
        return Ok(());
    }
    let users: Vec<&str> = users.iter().map(|name| name.as_str()).collect();
    Err(Refusal::conflict(format!("{} has files of {}", platform.name, listed(&users))))
}
