//! The administration of users: making, inviting, changing and deleting them.

use serde::Serialize;

use super::Registry;
use super::accounts::NewSession;
use super::caller::{Caller, Identity};
use super::deed::{About, Deed};
use super::random::new_secret;
use super::refusal::{Refusal, listed};
use super::views::{Page, UserView};
use crate::model::audit::ActorKind;
use crate::model::channel::{FIRST_CHANNELS, FIRST_PLATFORMS};
use crate::model::{
    AuditAction, Channel, ChannelId, Invitation, Password, PasswordHash, Platform, PlatformId, Scope, Sha256,
    Timestamp, User, UserId, UserName,
};
use crate::store::{Edit, StorageError};

/// How long an invitation holds, in seconds.
const INVITATION_S: i64 = 7 * 24 * 60 * 60;

/// A user to make.
#[derive(Debug)]
pub struct NewUser {
    /// Its name.
    pub name: UserName,
    /// Its password; without one it is invited to choose one.
    pub password: Option<Password>,
    /// Whether it may administer the server.
    pub admin: bool,
    /// Its quota in bytes, where that is not what the server grants everyone.
    pub quota_bytes: Option<u64>,
}

/// What of a user is to change.
#[derive(Default)]
pub struct UserPatch {
    /// A new password.
    pub password: Option<Password>,
    /// The present password, needed to change one's own.
    pub old_password: Option<String>,
    /// Whether the user may administer the server.
    pub admin: Option<bool>,
    /// Whether the user is shut out.
    pub disabled: Option<bool>,
    /// The user's quota in bytes, or what the server grants everyone.
    pub quota_bytes: Option<Option<u64>>,
}

/// What happens to the packages of a user that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnPackages {
    /// There must be none.
    MustBeGone,
    /// They are deleted too, with all their releases and files.
    Delete,
}

/// A link by which a user chooses a password. Shown once.
#[derive(Debug, Serialize)]
pub struct InvitationView {
    invitation: String,
    invitation_expires: Timestamp,
}

/// A user that was made, with the invitation if it is to choose a password.
#[derive(Debug, Serialize)]
pub struct NewUserView {
    #[serde(flatten)]
    user: UserView,
    #[serde(flatten)]
    invitation: Option<InvitationView>,
}

impl Registry {
    /// All users, by name.
    ///
    /// # Errors
    /// If the caller is no admin.
    pub fn users(&self, caller: &Caller, cursor: Option<&str>, limit: usize) -> Result<Page<UserView>, Refusal> {
        caller.admin()?;
        let rows = self.store.read()?;
        let mut users = rows.users_after(cursor.unwrap_or_default(), limit + 1)?;
        let more = users.len() > limit;
        users.truncate(limit);
        let next = users.last().filter(|_| more).map(|user| user.name.to_string());
        let items = users.iter().map(|user| UserView::of(&rows, user)).collect::<Result<_, StorageError>>()?;
        Ok(Page { items, next })
    }

    /// All users, by name: for the command line on a stopped server's directory.
    ///
    /// # Errors
    /// If the store fails.
    pub fn all_users(&self) -> Result<Vec<User>, StorageError> {
        self.store.read()?.users_after("", usize::MAX)
    }

    /// One user: oneself, or any for an admin.
    ///
    /// # Errors
    /// If there is no such user, or the caller may not know.
    pub fn user(&self, caller: &Caller, name: &UserName) -> Result<UserView, Refusal> {
        let asking = caller.user(Scope::Read)?;
        if asking.name != *name {
            caller.admin()?;
        }
        let rows = self.store.read()?;
        let user = rows.user_by_name(name)?.ok_or_else(|| no_user(name))?;
        Ok(UserView::of(&rows, &user)?)
    }

    /// Makes a user, or invites one to choose a password.
    ///
    /// # Errors
    /// If the caller is no admin or the name is taken.
    pub async fn create_user(&self, caller: &Caller, new: NewUser) -> Result<NewUserView, Refusal> {
        caller.admin()?;
        self.make_user(self.deed(caller), new).await
    }

    /// Makes a user without asking who wants it: for the command line on a stopped server's directory.
    ///
    /// # Errors
    /// If the name is taken.
    pub async fn add_user(&self, name: UserName, password: Password, admin: bool) -> Result<User, Refusal> {
        let new = NewUser { name: name.clone(), password: Some(password), admin, quota_bytes: None };
        self.make_user(self.own_deed(), new).await?;
        self.store.read()?.user_by_name(&name)?.ok_or_else(|| no_user(&name))
    }

    async fn make_user(&self, deed: Deed, new: NewUser) -> Result<NewUserView, Refusal> {
        let NewUser { name, password, admin, quota_bytes } = new;
        check_new_name(&name)?;
        let (hash, secret) = match password {
            Some(password) => (Some(self.hasher.hash(password).await?), None),
            None => (None, Some(new_secret()?)),
        };
        let invitation = secret.as_deref().map(|secret| invitation(secret, deed.now));
        let expires = invitation.as_ref().map(|invitation| invitation.expires);
        let user = self
            .store
            .write(move |edit| {
                if edit.user_by_name(&name)?.is_some() {
                    return Err(Refusal::taken("name", format!("the name {name} is taken")));
                }
                let mut user = add_user(edit, &name, hash.as_ref(), admin, deed.now)?;
                user.quota_bytes = quota_bytes;
                user.invitation.clone_from(&invitation);
                edit.put_user(&user)?;
                let action = if hash.is_some() { AuditAction::UserCreated } else { AuditAction::UserInvited };
                deed.note(edit, action, About::thing(&name).detail(if admin { "admin" } else { "" }))?;
                Ok(UserView::of(edit, &user)?)
            })
            .await?;
        let shown = secret.zip(expires);
        let invitation =
            shown.map(|(invitation, invitation_expires)| InvitationView { invitation, invitation_expires });
        Ok(NewUserView { user, invitation })
    }

    /// Makes a new link by which a user may choose a password; a former link no longer holds, the present password
    /// does until then.
    ///
    /// # Errors
    /// If the caller is no admin, or there is no such user.
    pub async fn invite(&self, caller: &Caller, name: UserName) -> Result<InvitationView, Refusal> {
        caller.admin()?;
        let deed = self.deed(caller);
        let secret = new_secret()?;
        let invitation = invitation(&secret, deed.now);
        let expires = invitation.expires;
        self.store
            .write(move |edit| {
                let mut user = edit.user_by_name(&name)?.ok_or_else(|| no_user(&name))?;
                user.invitation = Some(invitation.clone());
                user.changed = deed.now;
                edit.put_user(&user)?;
                Ok::<(), Refusal>(deed.note(edit, AuditAction::UserInvited, About::thing(&name))?)
            })
            .await?;
        Ok(InvitationView { invitation: secret, invitation_expires: expires })
    }

    /// Has who was invited choose a password, once, and signs in. Everyone who was signed in as that user is out.
    ///
    /// # Errors
    /// If the invitation is unknown, used, replaced or over, or the user is shut out; after too many tries.
    pub async fn accept_invitation(
        &self,
        caller: &Caller,
        secret: &str,
        password: Password,
    ) -> Result<NewSession, Refusal> {
        if let Some(address) = caller.address {
            self.throttle.begin_from(address, self.clock.now())?;
        }
        let digest = Sha256::of(secret.as_bytes());
        // Asked before the password is hashed, which is dear.
        let found = self.store.read()?.invited_user(&digest)?;
        let user = invited(found, &digest, self.clock.now())?;
        let hash = self.hasher.hash(password).await?;
        let deed = self.deed(caller).by(ActorKind::User, &user.name);
        let user = self
            .store
            .write(move |edit| {
                let mut user = invited(edit.invited_user(&digest)?, &digest, deed.now)?;
                user.password = Some(hash.clone());
                user.invitation = None;
                user.changed = deed.now;
                edit.put_user(&user)?;
                edit.delete_sessions_of(user.id)?;
                deed.note(edit, AuditAction::InvitationAccepted, About::thing(&user.name))?;
                Ok::<User, Refusal>(user)
            })
            .await?;
        if let Some(address) = caller.address {
            self.throttle.succeed(address, user.name.as_str());
        }
        self.begin_session(caller, &user).await
    }

    /// Changes a user: an admin everything, everyone else their own password, with the old one.
    ///
    /// # Errors
    /// If the caller may not, or the last admin would be gone.
    pub async fn change_user(&self, caller: &Caller, name: &UserName, patch: UserPatch) -> Result<UserView, Refusal> {
        let asking = caller.user(Scope::Admin)?;
        let own = asking.name == *name;
        if !own || patch.admin.is_some() || patch.disabled.is_some() || patch.quota_bytes.is_some() {
            caller.admin()?;
        }
        let user = self.store.read()?.user_by_name(name)?.ok_or_else(|| no_user(name))?;
        if own && patch.password.is_some() {
            let attempt = patch
                .old_password
                .as_ref()
                .ok_or_else(|| Refusal::invalid("old_password", "your present password is needed to set a new one"))?;
            if !self.hasher.matches(attempt.clone(), user.password.clone()).await? {
                return Err(Refusal::invalid("old_password", "this is not your present password"));
            }
        }
        let keep = match &caller.identity {
            Identity::User(signed_in) => signed_in.session,
            _ => None,
        };
        self.set_user(self.deed(caller), user.id, patch, keep).await
    }

    /// Sets a password without asking for the old one: for the command line on a stopped server's directory.
    ///
    /// # Errors
    /// If there is no such user.
    pub async fn reset_password(&self, name: &UserName, password: Password) -> Result<(), Refusal> {
        let user = self.store.read()?.user_by_name(name)?.ok_or_else(|| no_user(name))?;
        let patch = UserPatch { password: Some(password), ..UserPatch::default() };
        self.set_user(self.own_deed(), user.id, patch, None).await.map(|_| ())
    }

    async fn set_user(
        &self,
        deed: Deed,
        id: UserId,
        patch: UserPatch,
        keep_session: Option<Sha256>,
    ) -> Result<UserView, Refusal> {
        let UserPatch { password, admin, disabled, quota_bytes, .. } = patch;
        let hash = match password {
            Some(password) => Some(self.hasher.hash(password).await?),
            None => None,
        };
        self.store
            .write(move |edit| {
                let former = edit.user(id)?.ok_or_else(|| Refusal::NotFound("this user is gone".to_owned()))?;
                let mut user = former.clone();
                user.admin = admin.unwrap_or(user.admin);
                user.disabled = disabled.unwrap_or(user.disabled);
                user.quota_bytes = quota_bytes.unwrap_or(user.quota_bytes);
                if (!user.admin || user.disabled) && is_last_admin(edit, user.id)? {
                    return Err(Refusal::conflict("this is the last admin; make another one first"));
                }
                user.changed = deed.now;
                if let Some(hash) = &hash {
                    user.password = Some(hash.clone());
                    // A link that somebody else may have is not to undo it.
                    user.invitation = None;
                }
                edit.put_user(&user)?;
                // Who changes a password wants everyone else out.
                if hash.is_some() || user.disabled {
                    for digest in edit.sessions_of(user.id)? {
                        if Some(digest) != keep_session {
                            edit.delete_session(&digest)?;
                        }
                    }
                }
                if hash.is_some() {
                    deed.note(edit, AuditAction::PasswordChanged, About::thing(&user.name))?;
                }
                let changes = changes(&former, &user);
                if !changes.is_empty() {
                    let about = About::thing(&user.name).detail(changes.join(", "));
                    deed.note(edit, AuditAction::UserChanged, about)?;
                }
                Ok(UserView::of(edit, &user)?)
            })
            .await
    }

    /// Removes a user with all that is the user's; with packages only where that is wanted.
    ///
    /// # Errors
    /// If the caller is no admin, the user owns packages that are to stay, or is the last admin.
    pub async fn delete_user(&self, caller: &Caller, name: UserName, packages: OwnPackages) -> Result<(), Refusal> {
        caller.admin()?;
        let deed = self.deed(caller);
        let deleted = self.store.write(move |edit| {
            let user = edit.user_by_name(&name)?.ok_or_else(|| no_user(&name))?;
            if is_last_admin(edit, user.id)? {
                return Err(Refusal::conflict("this is the last admin; make another one first"));
            }
            let ids = edit.packages_of(&user.name)?;
            let mut owned = Vec::new();
            for id in &ids {
                owned.extend(edit.package(*id)?);
            }
            if !owned.is_empty() && packages == OwnPackages::MustBeGone {
                let names: Vec<String> = owned.iter().map(|package| package.full_name().to_string()).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                return Err(Refusal::conflict(format!(
                    "{name} owns {} packages ({}); delete them first, or with ?packages=delete together with the account, or disable the account, which keeps them",
                    names.len(),
                    listed(&names)
                )));
            }
            for package in &owned {
                edit.delete_package(package)?;
                deed.note(edit, AuditAction::PackageDeleted, About::package(package).detail("with its owner"))?;
            }
            edit.delete_user(&user)?;
            let detail = if owned.is_empty() { String::new() } else { format!("with {} packages", owned.len()) };
            Ok(deed.note(edit, AuditAction::UserDeleted, About::thing(&name).detail(detail))?)
        });
        deleted.await?;
        self.collect_soon();
        Ok(())
    }
}

/// What an admin changed about a user, in words.
fn changes(former: &User, user: &User) -> Vec<String> {
    let mut changes = Vec::new();
    if former.admin != user.admin {
        changes.push(if user.admin { "made an admin" } else { "no longer an admin" }.to_owned());
    }
    if former.disabled != user.disabled {
        changes.push(if user.disabled { "shut out" } else { "let in again" }.to_owned());
    }
    if former.quota_bytes != user.quota_bytes {
        changes.push(match user.quota_bytes {
            Some(bytes) => format!("quota of {bytes} bytes"),
            None => "quota as for everyone".to_owned(),
        });
    }
    changes
}

fn invitation(secret: &str, now: Timestamp) -> Invitation {
    Invitation { digest: Sha256::of(secret.as_bytes()), expires: now.plus_seconds(INVITATION_S) }
}

/// The user, if the invitation holds.
fn invited(found: Option<User>, digest: &Sha256, now: Timestamp) -> Result<User, Refusal> {
    let user = found.filter(|user| user.invitation.as_ref().is_some_and(|link| link.digest == *digest));
    let user = user.ok_or_else(|| {
        Refusal::NotFound("this invitation is not valid; it was used or replaced: ask for a new one".to_owned())
    })?;
    if user.invitation.as_ref().is_some_and(|link| link.expires <= now) {
        return Err(Refusal::Gone("this invitation is over; ask for a new one".to_owned()));
    }
    if user.disabled {
        return Err(Refusal::Forbidden("this account is shut out".to_owned()));
    }
    Ok(user)
}

/// Refuses names that addresses begin with. Who has one already keeps it.
pub(super) fn check_new_name(name: &UserName) -> Result<(), Refusal> {
    if name.is_reserved() {
        return Err(Refusal::invalid(
            "name",
            format!(
                "no user can be called {name}, because addresses on this server begin with it; choose another name"
            ),
        ));
    }
    Ok(())
}

fn no_user(name: &UserName) -> Refusal {
    Refusal::NotFound(format!("there is no user {name}"))
}

/// Whether nobody else could administer the server.
fn is_last_admin(edit: &Edit<'_, '_>, id: UserId) -> Result<bool, StorageError> {
    if !edit.user(id)?.as_ref().is_some_and(User::is_able_admin) {
        return Ok(false);
    }
    let mut after = String::new();
    loop {
        let users = edit.users_after(&after, 100)?;
        let Some(last) = users.last() else {
            return Ok(true);
        };
        if users.iter().any(|user| user.id != id && user.is_able_admin()) {
            return Ok(false);
        }
        after = last.name.to_string();
    }
}

/// Makes a user with the channels and platforms that everyone starts with.
pub(super) fn add_user(
    edit: &mut Edit<'_, '_>,
    name: &UserName,
    password: Option<&PasswordHash>,
    admin: bool,
    now: Timestamp,
) -> Result<User, StorageError> {
    let id = UserId(edit.new_id()?);
    let user = User {
        id,
        name: name.clone(),
        password: password.cloned(),
        admin,
        disabled: false,
        quota_bytes: None,
        invitation: None,
        created: now,
        changed: now,
    };
    edit.put_user(&user)?;
    let constant = |problem: String| StorageError::damaged("constant", problem);
    let mut channels: Vec<Channel> = Vec::new();
    for (name, short, included) in FIRST_CHANNELS {
        let includes = channels.iter().filter(|channel| Some(channel.name.as_str()) == included);
        let channel = Channel {
            id: ChannelId(edit.new_id()?),
            owner: id,
            name: name.parse().map_err(|problem| constant(format!("{problem}")))?,
            short: short.parse().map_err(|problem| constant(format!("{problem}")))?,
            default: channels.is_empty(),
            includes: includes.map(|channel| channel.id).collect(),
            retention: None,
            created: now,
            changed: now,
        };
        edit.put_channel(&channel)?;
        channels.push(channel);
    }
    for name in FIRST_PLATFORMS {
        let platform = Platform {
            id: PlatformId(edit.new_id()?),
            owner: id,
            name: name.parse().map_err(|problem| constant(format!("{problem}")))?,
            created: now,
            changed: now,
        };
        edit.put_platform(&platform)?;
    }
    Ok(user)
}
