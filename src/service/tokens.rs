//! A user's own API tokens, and what a token opens.

use serde::Serialize;

use super::Registry;
use super::caller::{Caller, Identity};
use super::deed::{About, Deed};
use super::random::{new_token, random_id};
use super::refusal::Refusal;
use super::views::{ApiTokenView, Page};
use crate::model::limits::API_TOKENS_PER_USER_MAX;
use crate::model::{
    ApiToken, ApiTokenId, AuditAction, FullName, Label, Package, Role, Scope, Timestamp, TokenKind, User, UserName,
};

/// How stale the time of a token's last use may be, in seconds: not every request may cost a commit.
const LAST_USED_STEP_S: i64 = 600;

/// A package that a token opens.
#[derive(Debug, Serialize)]
pub struct OpenedPackage {
    full_name: FullName,
    visibility: &'static str,
    role: &'static str,
}

impl Registry {
    /// The caller's API tokens.
    ///
    /// # Errors
    /// If the caller is no user with all rights.
    pub fn tokens(&self, caller: &Caller) -> Result<Page<ApiTokenView>, Refusal> {
        let user = caller.user(Scope::Admin)?;
        let tokens = self.store.read()?.api_tokens(user.id)?;
        Ok(Page::whole(tokens.iter().map(|token| ApiTokenView::of(token, None)).collect()))
    }

    /// Makes an API token for the caller. Only this answer holds its secret.
    ///
    /// # Errors
    /// If the caller is no user with all rights, or has too many tokens.
    pub async fn create_token(
        &self,
        caller: &Caller,
        name: Label,
        scopes: Vec<Scope>,
        expires: Option<Timestamp>,
    ) -> Result<ApiTokenView, Refusal> {
        let user = caller.user(Scope::Admin)?;
        self.add_token(self.deed(caller), user, name, scopes, expires).await
    }

    /// Makes an API token for a user by name: for the command line on a stopped server's directory.
    ///
    /// # Errors
    /// If there is no such user.
    pub async fn add_token_for(
        &self,
        user: &UserName,
        name: Label,
        scopes: Vec<Scope>,
        expires: Option<Timestamp>,
    ) -> Result<ApiTokenView, Refusal> {
        let found = self.store.read()?.user_by_name(user)?;
        let found = found.ok_or_else(|| Refusal::NotFound(format!("there is no user {user}")))?;
        self.add_token(self.own_deed(), &found, name, scopes, expires).await
    }

    /// Deletes an API token of a user by name: for the command line on a stopped server's directory.
    ///
    /// # Errors
    /// If the user has no such token.
    pub async fn remove_token_of(&self, user: &UserName, id: ApiTokenId) -> Result<(), Refusal> {
        let found = self.store.read()?.user_by_name(user)?;
        let found = found.ok_or_else(|| Refusal::NotFound(format!("there is no user {user}")))?;
        self.remove_token(self.own_deed(), &found, id).await
    }

    async fn add_token(
        &self,
        deed: Deed,
        user: &User,
        name: Label,
        mut scopes: Vec<Scope>,
        expires: Option<Timestamp>,
    ) -> Result<ApiTokenView, Refusal> {
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            return Err(Refusal::invalid("scopes", "a token needs a scope: read, publish or admin"));
        }
        let (user, owner, now) = (user.id, user.name.clone(), deed.now);
        if expires.is_some_and(|expires| expires <= now) {
            return Err(Refusal::invalid("expires", "a token's end lies in the future"));
        }
        let secret = new_token(TokenKind::Api)?;
        let digest = secret.digest();
        let id = ApiTokenId(random_id()?);
        let token = self
            .store
            .write(move |edit| {
                if edit.api_tokens(user)?.len() >= API_TOKENS_PER_USER_MAX {
                    return Err(Refusal::conflict(format!(
                        "a user has at most {API_TOKENS_PER_USER_MAX} API tokens; delete one first"
                    )));
                }
                if edit.api_token(user, id)?.is_some() {
                    return Err(Refusal::Unavailable("the number of this token is taken; try again".to_owned()));
                }
                let token = ApiToken {
                    id,
                    user,
                    name: name.clone(),
                    digest,
                    scopes: scopes.clone(),
                    expires,
                    created: now,
                    last_used: None,
                };
                edit.put_api_token(&token)?;
                let scopes: Vec<&str> = scopes.iter().copied().map(Scope::as_str).collect();
                let about = About::thing(&owner).detail(format_args!("{} ({})", name.as_str(), scopes.join(", ")));
                deed.note(edit, AuditAction::TokenCreated, about)?;
                Ok(token)
            })
            .await?;
        Ok(ApiTokenView::of(&token, Some(secret.reveal().to_owned())))
    }

    /// Deletes one of the caller's API tokens; it stops to work at once.
    ///
    /// # Errors
    /// If the caller has no such token.
    pub async fn delete_token(&self, caller: &Caller, id: ApiTokenId) -> Result<(), Refusal> {
        let user = caller.user(Scope::Admin)?;
        self.remove_token(self.deed(caller), user, id).await
    }

    async fn remove_token(&self, deed: Deed, user: &User, id: ApiTokenId) -> Result<(), Refusal> {
        let (user, owner) = (user.id, user.name.clone());
        self.store
            .write(move |edit| {
                let token = edit.api_token(user, id)?;
                let token = token.ok_or_else(|| Refusal::NotFound(format!("you have no API token {}", id.0)))?;
                edit.delete_api_token(&token)?;
                let about = About::thing(&owner).detail(token.name.as_str());
                Ok(deed.note(edit, AuditAction::TokenDeleted, about)?)
            })
            .await
    }

    /// Notes that a token was used, now and then, without anyone waiting for it.
    pub(super) fn note_token_use(&self, token: &ApiToken, now: Timestamp) {
        if token.last_used.is_some_and(|last| last.plus_seconds(LAST_USED_STEP_S) > now) {
            return;
        }
        let (user, id) = (token.user, token.id);
        self.store.write_unawaited(move |edit| {
            if let Some(mut token) = edit.api_token(user, id)? {
                token.last_used = Some(now);
                edit.put_api_token(&token)?;
            }
            Ok(())
        });
    }

    /// The packages that the shown token opens beyond the public ones of others.
    ///
    /// # Errors
    /// If no token or session was shown.
    pub fn opened_packages(&self, caller: &Caller) -> Result<Page<OpenedPackage>, Refusal> {
        let rows = self.store.read()?;
        let ids = match &caller.identity {
            Identity::Anonymous => return Err(Refusal::sign_in()),
            Identity::Access(package) | Identity::Private(package) => vec![*package],
            Identity::User(signed_in) => {
                let mut ids = rows.packages_of(&signed_in.user.name)?;
                ids.extend(rows.memberships(signed_in.user.id)?);
                ids
            }
        };
        let mut items = Vec::new();
        for id in ids {
            let Some(package) = rows.package(id)? else { continue };
            if let Some(role) = caller.role(&rows, &package)? {
                items.push(OpenedPackage::of(&package, role));
            }
        }
        Ok(Page::whole(items))
    }
}

impl OpenedPackage {
    fn of(package: &Package, role: Role) -> Self {
        Self { full_name: package.full_name(), visibility: package.visibility.as_str(), role: role.as_str() }
    }
}
