//! Why a use case was refused, with wording that says what was wrong and what would be right.
//!
//! `http` turns each kind into one status; nothing here knows about that.

use std::fmt::Display;

use crate::model::{UserName, nearest};
use crate::store::StorageError;

/// Why a use case did not happen. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// An input breaks a rule.
    #[error("{message}")]
    Invalid {
        /// Which input.
        field: &'static str,
        /// What would be right.
        message: String,
    },
    /// It does not exist, or the caller may not know that it does.
    #[error("{0}")]
    NotFound(String),
    /// It was there, but is no longer kept.
    #[error("{0}")]
    Gone(String),
    /// It is taken, in use, or may no longer change.
    #[error("{message}")]
    Conflict {
        /// Which input, where one is at fault.
        field: Option<&'static str>,
        /// What stands in the way.
        message: String,
    },
    /// It is no longer what the change was meant for.
    #[error("{0}")]
    Changed(String),
    /// The caller is nobody, or what was shown is not valid.
    #[error("{0}")]
    NotSignedIn(String),
    /// The caller is known but may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// Too many tries; later ones are welcome.
    #[error("too many failed tries; try again in {retry_after_s} s")]
    TooManyTries {
        /// When the next try is taken.
        retry_after_s: u64,
    },
    /// More bytes than are taken.
    #[error("at most {limit_bytes} bytes are accepted here")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// The files of the owner's packages would have more bytes than they may.
    #[error(
        "the packages of {owner} hold {stored_bytes} of {quota_bytes} bytes{}, and this is more than what is left; delete something, or have an admin raise the quota",
        Awaited(*.awaited_bytes)
    )]
    OverQuota {
        /// Whose quota.
        owner: UserName,
        /// What is granted.
        quota_bytes: u64,
        /// What is there already.
        stored_bytes: u64,
        /// What uploads that are not finished will bring.
        awaited_bytes: u64,
    },
    /// The disk has no room.
    #[error("the server's disk is full; nothing was stored and nothing is lost")]
    DiskFull,
    /// The server is stopping or overloaded.
    #[error("{0}")]
    Unavailable(String),
    /// The store failed.
    #[error(transparent)]
    Store(StorageError),
}

/// What unfinished uploads take of a quota, in words.
struct Awaited(u64);

impl Display for Awaited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == 0 { Ok(()) } else { write!(f, ", unfinished uploads {} more", self.0) }
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::DiskFull => Self::DiskFull,
            StorageError::Closed => Self::Unavailable("the server is stopping".to_owned()),
            error => Self::Store(error),
        }
    }
}

impl Refusal {
    /// An input breaks a rule.
    pub fn invalid(field: &'static str, problem: impl Display) -> Self {
        Self::Invalid { field, message: problem.to_string() }
    }

    /// A name is taken.
    pub(super) fn taken(field: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict { field: Some(field), message: message.into() }
    }

    /// The present state stands in the way.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { field: None, message: message.into() }
    }

    /// A cursor that no page named.
    pub(super) fn wrong_cursor() -> Self {
        Self::invalid("cursor", "a cursor is what `next` of the page before said")
    }

    /// A view does not have that package, as far as the caller may know.
    pub(super) fn not_in_index(full_name: impl Display) -> Self {
        Self::NotFound(format!("there is no package {full_name} in this index"))
    }

    /// There is no package of that name, as far as the caller may know.
    pub(super) fn no_package(full_name: impl Display) -> Self {
        Self::NotFound(format!("there is no package {full_name}; if it is private, it needs its access token"))
    }

    /// There is no thing of that kind and name; these there are.
    pub(super) fn no_such(kind: &str, name: impl Display, existing: &[&str]) -> Self {
        let choice =
            if existing.is_empty() { "there is none".to_owned() } else { format!("there are {}", listed(existing)) };
        let name = name.to_string();
        let meant = nearest(&name, existing.iter().copied());
        let hint = meant.map_or_else(String::new, |meant| format!(". Did you mean {meant}?"));
        Self::NotFound(format!("there is no {kind} {name}; {choice}{hint}"))
    }

    /// The caller must sign in first.
    pub(super) fn sign_in() -> Self {
        Self::NotSignedIn("sign in, or send an API token as Authorization: Bearer ph_api_…".to_owned())
    }
}

/// The first names of a list, for a message.
pub(super) fn listed(names: &[&str]) -> String {
    const SHOWN_MAX: usize = 10;
    let shown = names.iter().take(SHOWN_MAX).copied().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(SHOWN_MAX);
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_what_there_is() {
        let refusal = Refusal::no_such("channel", "gamma", &["stable", "beta"]);
        assert_eq!(refusal.to_string(), "there is no channel gamma; there are stable, beta");
        let many: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(listed(&many), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more");
    }
}
