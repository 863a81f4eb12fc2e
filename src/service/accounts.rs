//! Accounts: the first one, signing in and out, passwords, and the administration of users.

use std::net::IpAddr;

use super::Registry;
use super::caller::{Caller, Identity};
use super::random::{new_secret, random_bytes};
use super::refusal::Refusal;
use super::views::{Page, SessionView, UserView};
use crate::model::channel::{FIRST_CHANNELS, FIRST_PLATFORMS};
use crate::model::{
    Channel, ChannelId, Password, PasswordHash, Platform, PlatformId, Scope, Session, Sha256, Timestamp, User, UserId,
    UserName,
};
use crate::store::{Edit, StorageError};

/// How long a browser stays signed in, in seconds.
pub const SESSION_S: i64 = 30 * 24 * 60 * 60;

/// A session that was just begun: what its answer shows, and the secret for its cookie.
#[derive(Debug)]
pub struct NewSession {
    /// Who signed in.
    pub view: SessionView,
    /// The cookie's value.
    pub secret: String,
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
}

impl Registry {
    /// The one-time token that makes the first account, while there is none.
    ///
    /// # Errors
    /// If the store fails.
    pub fn setup_token(&self) -> Result<Option<&str>, StorageError> {
        Ok((!self.store.read()?.has_users()?).then_some(&*self.setup_token))
    }

    /// Makes the first account, an admin, and signs it in.
    ///
    /// # Errors
    /// If the token is wrong or there is an account already.
    pub async fn set_up(&self, token: &str, name: UserName, password: Password) -> Result<NewSession, Refusal> {
        let done = || Refusal::Forbidden("this server is set up already; sign in".to_owned());
        if self.setup_token()?.is_none() {
            return Err(done());
        }
        // Digests are compared, so that the time it takes says nothing about the token. Its 128 random bits are not
        // guessed, so wrong ones cost no wait: strangers must not be able to keep the operator out.
        if Sha256::of(token.as_bytes()) != Sha256::of(self.setup_token.as_bytes()) {
            return Err(Refusal::Forbidden(
                "this setup token is not valid; the server prints the valid one when it starts".to_owned(),
            ));
        }
        let hash = self.hasher.hash(password).await?;
        let now = self.clock.now();
        let user = self
            .store
            .write(move |edit| {
                if edit.has_users()? {
                    return Err(Refusal::Forbidden("this server is set up already; sign in".to_owned()));
                }
                Ok(add_user(edit, &name, &hash, true, now)?)
            })
            .await?;
        self.begin_session(&user).await
    }

    /// Signs in.
    ///
    /// # Errors
    /// If name and password do not belong together, or after too many tries.
    pub async fn sign_in(&self, address: IpAddr, name: &str, password: String) -> Result<NewSession, Refusal> {
        self.throttle.begin(address, name, self.clock.now())?;
        let wrong = || Refusal::NotSignedIn("name and password do not belong together".to_owned());
        let user = match name.parse::<UserName>() {
            Ok(name) => self.store.read()?.user_by_name(&name)?,
            Err(_) => None,
        };
        let stored = user.as_ref().map(|user| user.password.clone());
        if !self.hasher.matches(password, stored).await? {
            return Err(wrong());
        }
        let user = user.filter(|user| !user.disabled).ok_or_else(wrong)?;
        self.throttle.succeed(address, name);
        self.begin_session(&user).await
    }

    async fn begin_session(&self, user: &User) -> Result<NewSession, Refusal> {
        let secret = new_secret()?;
        let digest = Sha256::of(secret.as_bytes());
        let now = self.clock.now();
        let session = Session { user: user.id, created: now, expires: now.plus_seconds(SESSION_S) };
        self.store
            .write(move |edit| -> Result<(), Refusal> {
                for ended in edit.sessions_ended(now, 100)? {
                    edit.delete_session(&ended)?;
                }
                Ok(edit.put_session(&digest, &session)?)
            })
            .await?;
        Ok(NewSession { view: SessionView::of(user), secret })
    }

    /// Signs out.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), Refusal> {
        if let Identity::User(signed_in) = &caller.identity
            && let Some(digest) = signed_in.session
        {
            self.store.write(move |edit| -> Result<(), Refusal> { Ok(edit.delete_session(&digest)?) }).await?;
        }
        Ok(())
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// If nobody is.
    pub fn session(&self, caller: &Caller) -> Result<SessionView, Refusal> {
        caller.user(Scope::Read).map(SessionView::of)
    }

    /// All users, by name.
    ///
    /// # Errors
    /// If the caller is no admin.
    pub fn users(&self, caller: &Caller, cursor: Option<&str>, limit: usize) -> Result<Page<UserView>, Refusal> {
        caller.admin()?;
        let mut users = self.store.read()?.users_after(cursor.unwrap_or_default(), limit + 1)?;
        let more = users.len() > limit;
        users.truncate(limit);
        let next = users.last().filter(|_| more).map(|user| user.name.to_string());
        Ok(Page { items: users.iter().map(UserView::of).collect(), next })
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
        let user = self.store.read()?.user_by_name(name)?;
        user.as_ref().map(UserView::of).ok_or_else(|| no_user(name))
    }

    /// Makes a user.
    ///
    /// # Errors
    /// If the caller is no admin or the name is taken.
    pub async fn create_user(
        &self,
        caller: &Caller,
        name: UserName,
        password: Password,
        admin: bool,
    ) -> Result<UserView, Refusal> {
        caller.admin()?;
        self.add_user(name, password, admin).await.map(|user| UserView::of(&user))
    }

    /// Makes a user without asking who wants it: for the command line on a stopped server's directory.
    ///
    /// # Errors
    /// If the name is taken.
    pub async fn add_user(&self, name: UserName, password: Password, admin: bool) -> Result<User, Refusal> {
        let hash = self.hasher.hash(password).await?;
        let now = self.clock.now();
        self.store
            .write(move |edit| {
                if edit.user_by_name(&name)?.is_some() {
                    return Err(Refusal::taken("name", format!("the name {name} is taken")));
                }
                Ok(add_user(edit, &name, &hash, admin, now)?)
            })
            .await
    }

    /// Changes a user: an admin everything, everyone else their own password, with the old one.
    ///
    /// # Errors
    /// If the caller may not, or the last admin would be gone.
    pub async fn change_user(&self, caller: &Caller, name: &UserName, patch: UserPatch) -> Result<UserView, Refusal> {
        let asking = caller.user(Scope::Admin)?;
        let own = asking.name == *name;
        if !own || patch.admin.is_some() || patch.disabled.is_some() {
            caller.admin()?;
        }
        let user = self.store.read()?.user_by_name(name)?.ok_or_else(|| no_user(name))?;
        if own && patch.password.is_some() {
            let attempt = patch
                .old_password
                .ok_or_else(|| Refusal::invalid("old_password", "your present password is needed to set a new one"))?;
            if !self.hasher.matches(attempt, Some(user.password.clone())).await? {
                return Err(Refusal::invalid("old_password", "this is not your present password"));
            }
        }
        let keep = match &caller.identity {
            Identity::User(signed_in) => signed_in.session,
            _ => None,
        };
        self.set_user(user.id, patch.password, patch.admin, patch.disabled, keep).await
    }

    /// Sets a password without asking for the old one: for the command line on a stopped server's directory.
    ///
    /// # Errors
    /// If there is no such user.
    pub async fn reset_password(&self, name: &UserName, password: Password) -> Result<(), Refusal> {
        let user = self.store.read()?.user_by_name(name)?.ok_or_else(|| no_user(name))?;
        self.set_user(user.id, Some(password), None, None, None).await.map(|_| ())
    }

    async fn set_user(
        &self,
        id: UserId,
        password: Option<Password>,
        admin: Option<bool>,
        disabled: Option<bool>,
        keep_session: Option<Sha256>,
    ) -> Result<UserView, Refusal> {
        let hash = match password {
            Some(password) => Some(self.hasher.hash(password).await?),
            None => None,
        };
        let now = self.clock.now();
        let user = self
            .store
            .write(move |edit| {
                let mut user = edit.user(id)?.ok_or_else(|| Refusal::NotFound("this user is gone".to_owned()))?;
                user.admin = admin.unwrap_or(user.admin);
                user.disabled = disabled.unwrap_or(user.disabled);
                if (!user.admin || user.disabled) && is_last_admin(edit, user.id)? {
                    return Err(Refusal::conflict("this is the last admin; make another one first"));
                }
                user.changed = now;
                if let Some(hash) = &hash {
                    user.password = hash.clone();
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
                Ok(user)
            })
            .await?;
        Ok(UserView::of(&user))
    }

    /// Removes a user that owns no packages.
    ///
    /// # Errors
    /// If the caller is no admin, the user owns packages, or is the last admin.
    pub async fn delete_user(&self, caller: &Caller, name: UserName) -> Result<(), Refusal> {
        caller.admin()?;
        self.store
            .write(move |edit| {
                let user = edit.user_by_name(&name)?.ok_or_else(|| no_user(&name))?;
                let packages = edit.packages_of(&user.name)?;
                if !packages.is_empty() {
                    return Err(Refusal::conflict(format!(
                        "{name} owns {} packages; delete them first, or disable the account",
                        packages.len()
                    )));
                }
                if is_last_admin(edit, user.id)? {
                    return Err(Refusal::conflict("this is the last admin; make another one first"));
                }
                Ok(edit.delete_user(&user)?)
            })
            .await
    }
}

fn no_user(name: &UserName) -> Refusal {
    Refusal::NotFound(format!("there is no user {name}"))
}

/// Whether nobody else could administer the server.
fn is_last_admin(edit: &Edit<'_>, id: UserId) -> Result<bool, StorageError> {
    let is_admin = |user: &User| user.admin && !user.disabled;
    if !edit.user(id)?.as_ref().is_some_and(is_admin) {
        return Ok(false);
    }
    let mut after = String::new();
    loop {
        let users = edit.users_after(&after, 100)?;
        let Some(last) = users.last() else {
            return Ok(true);
        };
        if users.iter().any(|user| user.id != id && is_admin(user)) {
            return Ok(false);
        }
        after = last.name.to_string();
    }
}

/// Makes a user with the channels and platforms that everyone starts with.
fn add_user(
    edit: &mut Edit<'_>,
    name: &UserName,
    password: &PasswordHash,
    admin: bool,
    now: Timestamp,
) -> Result<User, StorageError> {
    let id = UserId(edit.new_id()?);
    let user =
        User { id, name: name.clone(), password: password.clone(), admin, disabled: false, created: now, changed: now };
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

/// The token by which the first account is made: new at every start.
pub(super) fn new_setup_token() -> Result<Box<str>, Refusal> {
    Ok(Sha256::from_bytes(random_bytes()?).to_string()[..32].into())
}
