//! Releases and their life: draft, active, yanked.

use super::id::{ChannelId, PackageKey, ReleaseId};
use super::limits::YANK_REASON_BYTES_MAX;
use super::markdown::Markdown;
use super::time::Timestamp;
use super::version::Version;

/// A version of a package on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// The package.
    pub package: PackageKey,
    /// The channel it is on.
    pub channel: ChannelId,
    /// Its version, unique per package and channel.
    pub version: Version,
    /// Whether it is offered. A draft is not.
    pub active: bool,
    /// When it was active for the first time. From then on its files are immutable.
    pub published: Option<Timestamp>,
    /// When it becomes active by itself.
    pub publish_at: Option<Timestamp>,
    /// Why it was withdrawn, if it was: updates and summaries do not offer it, but it stays downloadable.
    pub yanked: Option<YankReason>,
    /// Release notes.
    pub description: Markdown,
    /// When it was made.
    pub created: Timestamp,
    /// When it, or a file of it, last changed.
    pub changed: Timestamp,
}

impl Release {
    /// Whether updates and summaries offer it.
    #[must_use]
    pub fn is_offered(&self) -> bool {
        self.active && self.yanked.is_none()
    }

    /// Whether its files may no longer change.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.published.is_some()
    }
}

/// Why a release was withdrawn: one or two sentences, at most 1024 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YankReason(Box<str>);

/// Why a text is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the reason for a yank is a text of 1 to 1024 bytes; null restores the release")]
pub struct InvalidYankReason;

impl YankReason {
    /// The reason.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for YankReason {
    type Err = InvalidYankReason;

    fn from_str(text: &str) -> Result<Self, InvalidYankReason> {
        let text = text.trim();
        if text.is_empty() || text.len() > YANK_REASON_BYTES_MAX || text.contains('\0') {
            return Err(InvalidYankReason);
        }
        Ok(Self(text.into()))
    }
}
