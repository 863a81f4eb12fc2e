//! Users, their passwords as stored, and their API tokens.

use super::digest::Sha256;
use super::id::{ApiTokenId, UserId};
use super::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, TOKEN_NAME_BYTES_MAX};
use super::name::UserName;
use super::time::Timestamp;
use super::token::Scope;

/// An account; its name is a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its unique name.
    pub name: UserName,
    /// Its password, hashed; none until who was invited chose one.
    pub password: Option<PasswordHash>,
    /// Whether it may administer the server.
    pub admin: bool,
    /// Whether it is shut out: it cannot sign in and its tokens open nothing.
    pub disabled: bool,
    /// How many bytes the files of its packages may have together, where that is not what the server grants everyone.
    pub quota_bytes: Option<u64>,
    /// The link by which it may choose a password.
    pub invitation: Option<Invitation>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
}

impl User {
    /// Whether it can administer the server: it may, and it can sign in.
    #[must_use]
    pub fn is_able_admin(&self) -> bool {
        self.admin && !self.disabled && self.password.is_some()
    }
}

/// A link by which a user may choose a password once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// SHA-256 of the link's secret.
    pub digest: Sha256,
    /// Until when it holds.
    pub expires: Timestamp,
}

/// A password as PBKDF2-HMAC-SHA-256 leaves it (RFC 8018, section 5.2).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    /// Iterations.
    pub rounds: u32,
    /// Random bytes, different for each password.
    pub salt: [u8; 16],
    /// The derived key.
    pub hash: [u8; 32],
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasswordHash({} rounds)", self.rounds)
    }
}

/// A new password that keeps the rules. It is never printed.
pub struct Password(Box<str>);

/// Why a text is not a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Fewer than 10 characters.
    #[error("a password has at least 10 characters")]
    TooShort,
    /// More than 1024 bytes.
    #[error("a password has at most 1024 bytes")]
    TooLong,
}

impl Password {
    /// The password itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Password {
    type Err = InvalidPassword;

    fn from_str(text: &str) -> Result<Self, InvalidPassword> {
        if text.len() > PASSWORD_BYTES_MAX {
            return Err(InvalidPassword::TooLong);
        }
        if text.chars().count() < PASSWORD_CHARS_MIN {
            return Err(InvalidPassword::TooShort);
        }
        Ok(Self(text.into()))
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A user's token for programs. Only its digest is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: ApiTokenId,
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: Label,
    /// SHA-256 of the token's text.
    pub digest: Sha256,
    /// What it may do; never empty.
    pub scopes: Vec<Scope>,
    /// When it stops to work.
    pub expires: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used, to within some minutes.
    pub last_used: Option<Timestamp>,
}

impl ApiToken {
    /// The widest of the token's scopes.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scopes.iter().copied().max().unwrap_or(Scope::Read)
    }
}

/// A short free text on one line, 1 to 100 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(Box<str>);

/// Why a text is not a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token's name is one line of 1 to 100 bytes")]
pub struct InvalidLabel;

impl Label {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Label {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        let well_formed = (1..=TOKEN_NAME_BYTES_MAX).contains(&text.len())
            && !text.chars().any(char::is_control)
            && text.trim() == text;
        if well_formed { Ok(Self(text.into())) } else { Err(InvalidLabel) }
    }
}

/// A signed-in browser. Its secret is kept as a digest only, under which it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who signed in.
    pub user: UserId,
    /// When.
    pub created: Timestamp,
    /// Until when it holds.
    pub expires: Timestamp,
}
