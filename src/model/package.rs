//! Packages and their members.

use super::digest::Sha256;
use super::id::{PackageKey, UserId};
use super::markdown::Markdown;
use super::name::{FullName, PackageName, UserName};
use super::time::Timestamp;
use super::token::TokenSecret;
use super::version::VersionScheme;

/// Something that is released: owned by one user, shared with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its id.
    pub id: PackageKey,
    /// Who owns it.
    pub owner: UserId,
    /// The owner's name. Users are never renamed.
    pub namespace: UserName,
    /// Its name in the namespace.
    pub name: PackageName,
    /// What it is.
    pub description: Markdown,
    /// Who may read it.
    pub visibility: Visibility,
    /// How its versions are read and ordered.
    pub version_scheme: VersionScheme,
    /// Lets clients read it while it is private.
    pub access_token: TokenSecret,
    /// Digest of the token that lets CI publish to it, if one was made.
    pub private_token: Option<Sha256>,
    /// When it was made.
    pub created: Timestamp,
    /// When it, or anything of it, last changed.
    pub changed: Timestamp,
}

impl Package {
    /// `NAMESPACE.NAME`.
    #[must_use]
    pub fn full_name(&self) -> FullName {
        FullName::new(&self.namespace, &self.name)
    }
}

/// Who may read a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everyone.
    Public,
    /// Its members, and who holds one of its tokens.
    Private,
}

/// Why a text is not a visibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a visibility is public or private")]
pub struct InvalidVisibility;

impl Visibility {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

impl std::str::FromStr for Visibility {
    type Err = InvalidVisibility;

    fn from_str(text: &str) -> Result<Self, InvalidVisibility> {
        [Self::Public, Self::Private].into_iter().find(|v| v.as_str() == text).ok_or(InvalidVisibility)
    }
}

/// What a member may do with a package. Each role contains those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Read it while it is private.
    Reader,
    /// Make and change releases and files.
    Maintainer,
    /// Everything.
    Owner,
}

/// Why a text is not a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is owner, maintainer or reader")]
pub struct InvalidRole;

impl Role {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Maintainer => "maintainer",
            Self::Owner => "owner",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        [Self::Reader, Self::Maintainer, Self::Owner].into_iter().find(|r| r.as_str() == text).ok_or(InvalidRole)
    }
}

/// A user's share in a package of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The package.
    pub package: PackageKey,
    /// The user.
    pub user: UserId,
    /// What the user may do.
    pub role: Role,
    /// When the user was let in.
    pub created: Timestamp,
    /// When the role last changed.
    pub changed: Timestamp,
}
