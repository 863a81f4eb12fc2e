//! Who asks: nobody, a user, or the holder of a package's token.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use super::Registry;
use super::refusal::Refusal;
use crate::model::{Label, PackageKey, Scope, Sha256, TokenSecret, User};
use crate::store::TokenOwner;

/// What a request showed to say who asks. All of it is secret.
#[derive(Default)]
pub struct Credentials {
    /// A token, by header, path or query.
    pub token: Option<String>,
    /// The secret of a session, by cookie.
    pub session: Option<String>,
}

/// Who asks, and by which address the server was reached.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who asks.
    pub identity: Identity,
    /// Scheme and host of the server as the caller sees it, such as `https://packages.example.org`, without a slash
    /// at its end. Absolute URLs in answers begin with it.
    pub origin: Arc<str>,
    /// Whence the caller asks, where that is another machine or program.
    pub address: Option<IpAddr>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Identity {
    /// Nobody.
    Anonymous,
    /// A user, signed in or by API token.
    User(Box<SignedIn>),
    /// Whoever holds a package's access token.
    Access(PackageKey),
    /// Whoever holds a package's private token.
    Private(PackageKey),
}

/// A user and by what right it is taken for that user.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The user.
    pub user: User,
    /// What may be done in the user's name; a session may do everything.
    pub scope: Scope,
    /// The digest of the session's secret, if it is a session.
    pub session: Option<Sha256>,
    /// What the user calls the API token, if it is one.
    pub token_name: Option<Label>,
}

impl Caller {
    /// Whether the caller is known by a session, which a browser sends along even where its user did not mean to.
    #[must_use]
    pub fn is_session(&self) -> bool {
        matches!(&self.identity, Identity::User(signed_in) if signed_in.session.is_some())
    }

    /// A name for logs: never a secret.
    #[must_use]
    pub fn label(&self) -> Cow<'static, str> {
        match &self.identity {
            Identity::Anonymous => Cow::Borrowed("-"),
            Identity::User(signed_in) => signed_in.user.name.to_string().into(),
            Identity::Access(package) => format!("access-token:{}", package.0).into(),
            Identity::Private(package) => format!("private-token:{}", package.0).into(),
        }
    }

    /// The user, if the right it asks by is wide enough.
    pub(super) fn user(&self, needed: Scope) -> Result<&User, Refusal> {
        match &self.identity {
            Identity::User(signed_in) if signed_in.scope >= needed => Ok(&signed_in.user),
            Identity::User(signed_in) => Err(Refusal::Forbidden(format!(
                "this API token has the scope {}; this needs {}",
                signed_in.scope.as_str(),
                needed.as_str()
            ))),
            Identity::Anonymous => Err(Refusal::sign_in()),
            Identity::Access(_) | Identity::Private(_) => {
                Err(Refusal::Forbidden("a package's token opens that package only; this needs a user".to_owned()))
            }
        }
    }

    /// The user, who must administer the server.
    pub(super) fn admin(&self) -> Result<&User, Refusal> {
        let user = self.user(Scope::Admin)?;
        if user.admin { Ok(user) } else { Err(Refusal::Forbidden("only admins may do this".to_owned())) }
    }
}

impl Registry {
    /// Finds out who asks. A token decides before a session does.
    ///
    /// # Errors
    /// If a token or session was shown that is not, or no longer, valid.
    pub fn identify(&self, credentials: &Credentials) -> Result<Identity, Refusal> {
        if let Some(token) = &credentials.token {
            return self.identify_token(token);
        }
        match &credentials.session {
            Some(secret) => self.identify_session(secret),
            None => Ok(Identity::Anonymous),
        }
    }

    fn identify_token(&self, text: &str) -> Result<Identity, Refusal> {
        let unknown =
            || Refusal::NotSignedIn("this token is not known; it may have been replaced or deleted".to_owned());
        let token: TokenSecret = text.parse().map_err(|problem| Refusal::NotSignedIn(format!("{problem}")))?;
        let rows = self.store.read()?;
        match rows.token_owner(&token.digest())?.ok_or_else(unknown)? {
            TokenOwner::Access(package) => Ok(Identity::Access(package)),
            TokenOwner::Private(package) => {
                // What a user has made stops with the user.
                let owner = match rows.package(package)? {
                    Some(package) => rows.user(package.owner)?,
                    None => None,
                };
                owner.filter(|owner| !owner.disabled).ok_or_else(unknown)?;
                Ok(Identity::Private(package))
            }
            TokenOwner::Api(user, id) => {
                let api_token = rows.api_token(user, id)?.ok_or_else(unknown)?;
                let now = self.clock.now();
                if api_token.expires.is_some_and(|expires| expires <= now) {
                    return Err(Refusal::NotSignedIn("this API token has expired; make a new one".to_owned()));
                }
                let user = rows.user(user)?.filter(|user| !user.disabled).ok_or_else(unknown)?;
                self.note_token_use(&api_token, now);
                let scope = api_token.scope();
                Ok(Identity::User(Box::new(SignedIn { user, scope, session: None, token_name: Some(api_token.name) })))
            }
        }
    }

    /// A session that ended is the same as none: the browser's owner is to sign in again, not to see an error.
    fn identify_session(&self, secret: &str) -> Result<Identity, Refusal> {
        let digest = Sha256::of(secret.as_bytes());
        let rows = self.store.read()?;
        let now = self.clock.now();
        let Some(session) = rows.session(&digest)?.filter(|session| session.expires > now) else {
            return Ok(Identity::Anonymous);
        };
        let Some(user) = rows.user(session.user)?.filter(|user| !user.disabled) else {
            return Ok(Identity::Anonymous);
        };
        Ok(Identity::User(Box::new(SignedIn { user, scope: Scope::Admin, session: Some(digest), token_name: None })))
    }
}
