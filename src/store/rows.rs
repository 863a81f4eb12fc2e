//! Reading entities: one set of typed look-ups that serves read transactions and write transactions alike.
//!
//! Everything is returned decoded and owned, and no table stays open between calls. Listings are bounded by the
//! caller or by a limit of the model.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, Value};

use super::StorageError;
use super::file::{Shelved, Transaction};
use super::owners::Owners;
use super::records::Record;
use super::tables::{self, TOKEN_ACCESS, TOKEN_API, TOKEN_PRIVATE};
use crate::model::{
    ApiToken, ApiTokenId, Channel, ChannelId, FileId, FullName, Manifest, Member, Package, PackageKey, Platform,
    PlatformId, Release, ReleaseFile, ReleaseId, Session, Sha256, Timestamp, User, UserId, UserName, Version,
};

/// A transaction whose tables can be read.
pub trait Source {
    /// Opens a table to read it.
    ///
    /// # Errors
    /// If the store is damaged or gone.
    fn table<K: Shelved<V>, V: Value + 'static>(
        &self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<impl ReadableTable<K, V>, StorageError>;

    /// What was read through this transaction and need not be read again, where it pays to remember it.
    fn memory(&self) -> Option<&Owners> {
        None
    }
}

impl Source for ReadTransaction {
    fn table<K: Shelved<V>, V: Value + 'static>(
        &self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<impl ReadableTable<K, V>, StorageError> {
        Ok(self.open_table(definition)?)
    }
}

impl Source for &Transaction<'_> {
    fn table<K: Shelved<V>, V: Value + 'static>(
        &self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<impl ReadableTable<K, V>, StorageError> {
        self.open_table(definition)
    }

    fn memory(&self) -> Option<&Owners> {
        Transaction::memory(self)
    }
}

/// What a token is, by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenOwner {
    /// An API token of a user.
    Api(UserId, ApiTokenId),
    /// The private token of a package.
    Private(PackageKey),
    /// The access token of a package.
    Access(PackageKey),
}

/// The entities as one transaction sees them.
pub struct Rows<S> {
    pub(super) source: S,
}

impl<S: Source> Rows<S> {
    /// Looks at the entities through a transaction.
    pub(super) fn new(source: S) -> Self {
        Self { source }
    }

    /// The transaction.
    pub(super) fn source(&self) -> &S {
        &self.source
    }

    pub(super) fn record<K, R>(
        &self,
        definition: TableDefinition<'static, K, &'static [u8]>,
        at: &K::SelfType<'_>,
        key: R::Key,
    ) -> Result<Option<R>, StorageError>
    where
        K: Shelved<&'static [u8]>,
        R: Record,
    {
        let table = self.source.table(definition)?;
        let Some(bytes) = table.get(at)? else {
            return Ok(None);
        };
        Ok(Some(R::from_bytes(key, bytes.value())?))
    }

    /// All records of a range, in key order.
    fn records<K, R>(
        &self,
        definition: TableDefinition<'static, K, &'static [u8]>,
        range: impl RangeBounds<K::SelfType<'static>> + 'static,
        key: impl Fn(K::SelfType<'_>) -> R::Key,
    ) -> Result<Vec<R>, StorageError>
    where
        K: Shelved<&'static [u8]>,
        R: Record,
    {
        let table = self.source.table(definition)?;
        let mut found = Vec::new();
        for row in table.range::<K::SelfType<'static>>(range)? {
            let (at, bytes) = row?;
            found.push(R::from_bytes(key(at.value()), bytes.value())?);
        }
        Ok(found)
    }

    pub(super) fn meta(&self, key: &str) -> Result<Option<u64>, StorageError> {
        Ok(self.source.table(tables::META)?.get(key)?.map(|value| value.value()))
    }

    /// The last id that was given to an entity.
    pub(super) fn last_id(&self) -> Result<u64, StorageError> {
        Ok(self.meta(tables::META_LAST_ID)?.unwrap_or(0))
    }

    /// The version of the layout, if the file has one.
    pub(super) fn format(&self) -> Result<Option<u64>, StorageError> {
        self.meta(tables::META_FORMAT)
    }

    /// The last serial of the index that was served.
    ///
    /// # Errors
    /// If the store is damaged or gone; so for all look-ups.
    pub fn serial(&self) -> Result<u64, StorageError> {
        Ok(self.meta(tables::META_SERIAL)?.unwrap_or(0))
    }

    /// Whether there is any account.
    pub fn has_users(&self) -> Result<bool, StorageError> {
        Ok(self.source.table(tables::USERS)?.first()?.is_some())
    }

    /// A user.
    pub fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        self.record(tables::USERS, &id.0, id)
    }

    /// A user by name.
    pub fn user_by_name(&self, name: &UserName) -> Result<Option<User>, StorageError> {
        let id = self.source.table(tables::USERS_BY_NAME)?.get(name.as_str())?.map(|id| id.value());
        id.map_or(Ok(None), |id| self.user(UserId(id)))
    }

    /// The user that the invitation whose secret has this digest is for.
    pub fn invited_user(&self, digest: &Sha256) -> Result<Option<User>, StorageError> {
        let id = self.source.table(tables::INVITATIONS)?.get(*digest.as_bytes())?.map(|id| id.value());
        id.map_or(Ok(None), |id| self.user(UserId(id)))
    }

    /// Up to `limit` users behind the name `after`, by name.
    pub fn users_after(&self, after: &str, limit: usize) -> Result<Vec<User>, StorageError> {
        let mut ids = Vec::new();
        for row in self
            .source
            .table(tables::USERS_BY_NAME)?
            .range::<&str>((Bound::Excluded(after), Bound::Unbounded))?
            .take(limit)
        {
            ids.push(UserId(row?.1.value()));
        }
        ids.into_iter().filter_map(|id| self.user(id).transpose()).collect()
    }

    /// A user's API tokens, oldest first.
    pub fn api_tokens(&self, user: UserId) -> Result<Vec<ApiToken>, StorageError> {
        self.records(tables::API_TOKENS, (user.0, 0)..=(user.0, u64::MAX), |(_, id)| ApiTokenId(id))
    }

    /// One of a user's API tokens.
    pub fn api_token(&self, user: UserId, id: ApiTokenId) -> Result<Option<ApiToken>, StorageError> {
        self.record(tables::API_TOKENS, &(user.0, id.0), id)
    }

    /// What the token with this digest is.
    pub fn token_owner(&self, digest: &Sha256) -> Result<Option<TokenOwner>, StorageError> {
        let found = self.source.table(tables::TOKENS)?.get(*digest.as_bytes())?.map(|row| row.value());
        Ok(found.and_then(|(kind, owner, token)| match kind {
            TOKEN_API => Some(TokenOwner::Api(UserId(owner), ApiTokenId(token))),
            TOKEN_PRIVATE => Some(TokenOwner::Private(PackageKey(owner))),
            TOKEN_ACCESS => Some(TokenOwner::Access(PackageKey(owner))),
            _ => None,
        }))
    }

    /// The session whose secret has this digest.
    pub fn session(&self, digest: &Sha256) -> Result<Option<Session>, StorageError> {
        self.record(tables::SESSIONS, digest.as_bytes(), ())
    }

    /// The digests of a user's sessions.
    pub fn sessions_of(&self, user: UserId) -> Result<Vec<Sha256>, StorageError> {
        let table = self.source.table(tables::SESSIONS_BY_USER)?;
        let range = (user.0, [0; 32])..=(user.0, [0xff; 32]);
        table.range(range)?.map(|row| Ok(Sha256::from_bytes(row?.0.value().1))).collect()
    }

    /// Up to `limit` sessions that ended before a time.
    pub fn sessions_ended(&self, before: Timestamp, limit: usize) -> Result<Vec<Sha256>, StorageError> {
        let table = self.source.table(tables::SESSIONS_BY_END)?;
        let range = ..(before.as_micros(), [0; 32]);
        table.range::<(i64, [u8; 32])>(range)?.take(limit).map(|row| Ok(Sha256::from_bytes(row?.0.value().1))).collect()
    }

    /// A package.
    pub fn package(&self, id: PackageKey) -> Result<Option<Package>, StorageError> {
        self.record(tables::PACKAGES, &id.0, id)
    }

    /// The package of that name, if it is written with the same case.
    pub fn package_by_name(&self, name: &FullName) -> Result<Option<Package>, StorageError> {
        let found = self.package_by_folded_name(name)?;
        Ok(found.filter(|package| package.full_name() == *name))
    }

    /// The package of that name without regard to case.
    pub fn package_by_folded_name(&self, name: &FullName) -> Result<Option<Package>, StorageError> {
        let folded = name.as_str().to_ascii_lowercase();
        let id = self.source.table(tables::PACKAGES_BY_NAME)?.get(folded.as_str())?.map(|id| id.value());
        id.map_or(Ok(None), |id| self.package(PackageKey(id)))
    }

    /// The ids of all packages of a namespace, by name.
    pub fn packages_of(&self, namespace: &UserName) -> Result<Vec<PackageKey>, StorageError> {
        // A namespace has no dot, and `/` comes right behind the dot.
        let (from, to) = (format!("{namespace}."), format!("{namespace}/"));
        let table = self.source.table(tables::PACKAGES_BY_NAME)?;
        table.range::<&str>(from.as_str()..to.as_str())?.map(|row| Ok(PackageKey(row?.1.value()))).collect()
    }

    /// The ids of all packages.
    pub fn package_ids(&self) -> Result<Vec<PackageKey>, StorageError> {
        let table = self.source.table(tables::PACKAGES)?;
        table.iter()?.map(|row| Ok(PackageKey(row?.0.value()))).collect()
    }

    /// Hands every package to `visit`.
    pub fn packages(&self, mut visit: impl FnMut(Package) -> Result<(), StorageError>) -> Result<(), StorageError> {
        for row in self.source.table(tables::PACKAGES)?.iter()? {
            let (id, bytes) = row?;
            visit(Package::from_bytes(PackageKey(id.value()), bytes.value())?)?;
        }
        Ok(())
    }

    /// Packages whose full names in lower case come behind `after`, by name, handed to `visit` until it says stop.
    pub fn packages_after(
        &self,
        after: &str,
        mut visit: impl FnMut(Package) -> Result<std::ops::ControlFlow<()>, StorageError>,
    ) -> Result<(), StorageError> {
        let table = self.source.table(tables::PACKAGES_BY_NAME)?;
        for row in table.range::<&str>((Bound::Excluded(after), Bound::Unbounded))? {
            let id = row?.1.value();
            if let Some(package) = self.package(PackageKey(id))?
                && visit(package)?.is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// How many packages, releases and users there are.
    pub fn totals(&self) -> Result<(u64, u64, u64), StorageError> {
        let packages = self.source.table(tables::PACKAGES)?.len()?;
        let releases = self.source.table(tables::RELEASES)?.len()?;
        Ok((packages, releases, self.source.table(tables::USERS)?.len()?))
    }

    /// Packages that last changed before the mark, newest change first, handed to `visit` until it says stop.
    pub fn packages_before(
        &self,
        mark: (Timestamp, PackageKey),
        mut visit: impl FnMut(Package) -> Result<std::ops::ControlFlow<()>, StorageError>,
    ) -> Result<(), StorageError> {
        let table = self.source.table(tables::PACKAGES_BY_CHANGE)?;
        for row in table.range(..(mark.0.as_micros(), mark.1.0))?.rev() {
            let (_, id) = row?.0.value();
            if let Some(package) = self.package(PackageKey(id))?
                && visit(package)?.is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// A user's share in a package.
    pub fn member(&self, package: PackageKey, user: UserId) -> Result<Option<Member>, StorageError> {
        self.record(tables::MEMBERS, &(package.0, user.0), (package, user))
    }

    /// The members of a package.
    pub fn members(&self, package: PackageKey) -> Result<Vec<Member>, StorageError> {
        let range = (package.0, 0)..=(package.0, u64::MAX);
        self.records(tables::MEMBERS, range, |(package, user)| (PackageKey(package), UserId(user)))
    }

    /// The packages of others that a user is a member of.
    pub fn memberships(&self, user: UserId) -> Result<Vec<PackageKey>, StorageError> {
        let table = self.source.table(tables::MEMBERS_BY_USER)?;
        let range = (user.0, 0)..=(user.0, u64::MAX);
        table.range(range)?.map(|row| Ok(PackageKey(row?.0.value().1))).collect()
    }

    /// A user's channels, oldest first.
    pub fn channels(&self, owner: UserId) -> Result<Arc<[Channel]>, StorageError> {
        let range = (owner.0, 0)..=(owner.0, u64::MAX);
        let read = || self.records(tables::CHANNELS, range, |(owner, id)| (UserId(owner), ChannelId(id)));
        Owners::channels(self.source.memory(), owner, read)
    }

    /// A user's platforms, oldest first.
    pub fn platforms(&self, owner: UserId) -> Result<Arc<[Platform]>, StorageError> {
        let range = (owner.0, 0)..=(owner.0, u64::MAX);
        let read = || self.records(tables::PLATFORMS, range, |(owner, id)| (UserId(owner), PlatformId(id)));
        Owners::platforms(self.source.memory(), owner, read)
    }

    /// The packages that have files for a platform.
    pub fn platform_uses(&self, platform: PlatformId) -> Result<Vec<PackageKey>, StorageError> {
        let table = self.source.table(tables::PLATFORM_USES)?;
        let range = (platform.0, 0)..=(platform.0, u64::MAX);
        table.range(range)?.map(|row| Ok(PackageKey(row?.0.value().1))).collect()
    }

    /// A release.
    pub fn release(&self, id: ReleaseId) -> Result<Option<Release>, StorageError> {
        self.record(tables::RELEASES, &id.0, id)
    }

    /// The release of a version on a channel. The version is read as the package reads its versions.
    pub fn release_by_version(
        &self,
        package: &Package,
        channel: ChannelId,
        version: &Version,
    ) -> Result<Option<Release>, StorageError> {
        let table = self.source.table(tables::RELEASES_BY_VERSION)?;
        let version = version.in_scheme(package.version_scheme);
        let id = table.get((package.id.0, channel.0, version.sort_key()))?.map(|id| id.value());
        drop(table);
        id.map_or(Ok(None), |id| self.release(ReleaseId(id)))
    }

    /// Releases of a channel with versions below `below` (all, where there is none), highest first, handed to `visit`
    /// until it says stop. `below` is in the package's version scheme.
    pub fn releases_below(
        &self,
        package: PackageKey,
        channel: ChannelId,
        below: Option<&Version>,
        mut visit: impl FnMut(Release) -> Result<std::ops::ControlFlow<()>, StorageError>,
    ) -> Result<(), StorageError> {
        // No key of a version begins with this byte, and all are shorter than the bound is high.
        const ABOVE_ALL: &[u8] = &[0xff];
        let table = self.source.table(tables::RELEASES_BY_VERSION)?;
        let from: (u64, u64, &[u8]) = (package.0, channel.0, &[]);
        let to = (package.0, channel.0, below.map_or(ABOVE_ALL, Version::sort_key));
        for row in table.range(from..to)?.rev() {
            let id = ReleaseId(row?.1.value());
            if let Some(release) = self.release(id)?
                && visit(release)?.is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// All releases of a channel, highest version first.
    pub fn releases(&self, package: PackageKey, channel: ChannelId) -> Result<Vec<Release>, StorageError> {
        let mut found = Vec::new();
        self.releases_below(package, channel, None, |release| {
            found.push(release);
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// All releases of a package, channel by channel.
    pub fn releases_of(&self, package: PackageKey) -> Result<Vec<Release>, StorageError> {
        let table = self.source.table(tables::RELEASES_BY_VERSION)?;
        let from: (u64, u64, &[u8]) = (package.0, 0, &[]);
        let to: (u64, u64, &[u8]) = (package.0 + 1, 0, &[]);
        let ids: Vec<ReleaseId> =
            table.range(from..to)?.map(|row| Ok(ReleaseId(row?.1.value()))).collect::<Result<_, StorageError>>()?;
        ids.into_iter().filter_map(|id| self.release(id).transpose()).collect()
    }

    /// The channels that a package has releases on, drafts too, in the order of their ids.
    pub fn channels_used_by(&self, package: PackageKey) -> Result<Vec<ChannelId>, StorageError> {
        let table = self.source.table(tables::RELEASES_BY_VERSION)?;
        let mut used: Vec<ChannelId> = Vec::new();
        loop {
            let from: (u64, u64, &[u8]) = (package.0, used.last().map_or(0, |last| last.0 + 1), &[]);
            let to: (u64, u64, &[u8]) = (package.0 + 1, 0, &[]);
            match table.range(from..to)?.next() {
                Some(row) => used.push(ChannelId(row?.0.value().1)),
                None => return Ok(used),
            }
        }
    }

    /// Whether a package has a release on a channel.
    pub fn has_releases(&self, package: PackageKey, channel: ChannelId) -> Result<bool, StorageError> {
        let table = self.source.table(tables::RELEASES_BY_VERSION)?;
        let from: (u64, u64, &[u8]) = (package.0, channel.0, &[]);
        let to: (u64, u64, &[u8]) = (package.0, channel.0 + 1, &[]);
        Ok(table.range(from..to)?.next().is_some())
    }

    /// The next time at which a release becomes active by itself.
    pub fn next_scheduled(&self) -> Result<Option<Timestamp>, StorageError> {
        let table = self.source.table(tables::RELEASES_BY_TIME)?;
        Ok(table.first()?.map(|(key, _)| Timestamp::from_micros(key.value().0)))
    }

    /// Up to `limit` releases whose time has come.
    pub fn scheduled_until(&self, now: Timestamp, limit: usize) -> Result<Vec<Release>, StorageError> {
        let table = self.source.table(tables::RELEASES_BY_TIME)?;
        let rows = table.range(..=(now.as_micros(), u64::MAX))?.take(limit);
        let ids: Vec<ReleaseId> =
            rows.map(|row| Ok(ReleaseId(row?.0.value().1))).collect::<Result<_, StorageError>>()?;
        ids.into_iter().filter_map(|id| self.release(id).transpose()).collect()
    }

    /// A release's files in the order in which they were added.
    pub fn files(&self, release: ReleaseId) -> Result<Vec<ReleaseFile>, StorageError> {
        let range = (release.0, 0)..=(release.0, u64::MAX);
        self.records(tables::FILES, range, |(release, id)| (ReleaseId(release), FileId(id)))
    }

    /// Whether a release has that file.
    pub(super) fn has_file(&self, release: ReleaseId, file: FileId) -> Result<bool, StorageError> {
        Ok(self.source.table(tables::FILES)?.get((release.0, file.0))?.is_some())
    }

    /// The manifest of a file.
    pub fn manifest(&self, file: FileId) -> Result<Option<Manifest>, StorageError> {
        let table = self.source.table(tables::MANIFESTS)?;
        let Some(text) = table.get(file.0)? else {
            return Ok(None);
        };
        Manifest::parse(text.value()).map(Some).map_err(|problem| StorageError::damaged("manifest", problem))
    }
}
