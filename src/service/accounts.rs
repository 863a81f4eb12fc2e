//! The first account, and signing in and out.

use std::net::IpAddr;

use super::Registry;
use super::caller::{Caller, Identity};
use super::deed::About;
use super::random::{new_secret, random_bytes};
use super::refusal::Refusal;
use super::users::{add_user, check_new_name};
use super::views::SessionView;
use crate::model::audit::ActorKind;
use crate::model::{AuditAction, Password, Scope, Session, Sha256, User, UserName};
use crate::store::StorageError;

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
    pub async fn set_up(
        &self,
        caller: &Caller,
        token: &str,
        name: UserName,
        password: Password,
    ) -> Result<NewSession, Refusal> {
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
        check_new_name(&name)?;
        let hash = self.hasher.hash(password).await?;
        let deed = self.deed(caller).by(ActorKind::Setup, &name);
        let user = self
            .store
            .write(move |edit| {
                if edit.has_users()? {
                    return Err(Refusal::Forbidden("this server is set up already; sign in".to_owned()));
                }
                let user = add_user(edit, &name, Some(&hash), true, deed.now)?;
                deed.note(edit, AuditAction::SetUp, About::thing(&name))?;
                Ok(user)
            })
            .await?;
        self.begin_session(caller, &user).await
    }

    /// Signs in.
    ///
    /// # Errors
    /// If name and password do not belong together, or after too many tries.
    pub async fn sign_in(
        &self,
        caller: &Caller,
        address: IpAddr,
        name: &str,
        password: String,
    ) -> Result<NewSession, Refusal> {
        let now = self.clock.now();
        self.throttle.begin(address, name, now)?;
        let wrong = || Refusal::NotSignedIn("name and password do not belong together".to_owned());
        let user = match name.parse::<UserName>() {
            Ok(name) => self.store.read()?.user_by_name(&name)?,
            Err(_) => None,
        };
        let stored = user.as_ref().and_then(|user| user.password.clone());
        if !self.hasher.matches(password, stored).await? {
            self.note_block(caller, address, name, user.as_ref());
            return Err(wrong());
        }
        let user = user.filter(|user| !user.disabled).ok_or_else(wrong)?;
        self.throttle.succeed(address, name);
        self.begin_session(caller, &user).await
    }

    /// Notes that sign-ins have to wait, if this failure began a wait. Only names of users are told: people type their
    /// passwords into the wrong field.
    fn note_block(&self, caller: &Caller, address: IpAddr, name: &str, user: Option<&User>) {
        let deed = self.deed(caller);
        if !self.throttle.waits(address, name, deed.now) {
            return;
        }
        let name = user.map(|user| user.name.clone());
        self.store.write_unawaited(move |edit| {
            let about = name.as_ref().map_or_else(About::default, About::thing);
            deed.note(edit, AuditAction::SignInBlocked, about.detail("too many failed sign-ins"))
        });
    }

    pub(super) async fn begin_session(&self, caller: &Caller, user: &User) -> Result<NewSession, Refusal> {
        let secret = new_secret()?;
        let digest = Sha256::of(secret.as_bytes());
        let deed = self.deed(caller).by(ActorKind::User, &user.name);
        let now = deed.now;
        let name = user.name.clone();
        let session = Session { user: user.id, created: now, expires: now.plus_seconds(SESSION_S) };
        self.store
            .write(move |edit| -> Result<(), Refusal> {
                for ended in edit.sessions_ended(now, 100)? {
                    edit.delete_session(&ended)?;
                }
                edit.put_session(&digest, &session)?;
                Ok(deed.note(edit, AuditAction::SignedIn, About::thing(&name))?)
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
}

/// The token by which the first account is made: new at every start.
pub(super) fn new_setup_token() -> Result<Box<str>, Refusal> {
    Ok(Sha256::from_bytes(random_bytes()?).to_string()[..32].into())
}
