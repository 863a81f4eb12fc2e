//! What a commit changed, for those who look on: enough to tell later who may hear of it, and nothing more.

use crate::model::{ChannelId, FullName, Package, PackageKey, Release, ReleaseId, UserId, Version, Visibility};

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A package was made or changed.
    Package {
        /// Which.
        key: PackageKey,
        /// Its name.
        name: FullName,
        /// Whether everyone could read it before.
        was_public: bool,
    },
    /// A package was deleted.
    PackageGone {
        /// Its name.
        name: FullName,
        /// Whether everyone could read it.
        was_public: bool,
        /// Who else could: its owner and members.
        readers: Box<[UserId]>,
    },
    /// A release, or something in it, was made, changed or deleted.
    Release {
        /// Which.
        id: ReleaseId,
        /// Of which package.
        package: PackageKey,
        /// On which channel.
        channel: ChannelId,
        /// Its version.
        version: Version,
        /// Whether readers could see it before.
        was_active: bool,
    },
    /// Something of a user's own changed: the account, tokens, channels, platforms or memberships.
    Account(UserId),
}

impl Notice {
    pub(super) fn package(package: &Package, former: Option<&Package>) -> Self {
        let was_public = former.is_some_and(|former| former.visibility == Visibility::Public);
        Self::Package { key: package.id, name: package.full_name(), was_public }
    }

    pub(super) fn release(release: &Release, was_active: bool) -> Self {
        Self::Release {
            id: release.id,
            package: release.package,
            channel: release.channel,
            version: release.version.clone(),
            was_active,
        }
    }

    /// Whether it says nothing beside `other`, which came before in the same commit.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Package { key, .. }, Self::Package { key: other, .. }) => key == other,
            (Self::Release { id, .. }, Self::Release { id: other, .. }) => id == other,
            (Self::Account(user), Self::Account(other)) => user == other,
            _ => false,
        }
    }
}
