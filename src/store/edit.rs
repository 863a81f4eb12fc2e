//! Changing entities inside one write transaction, with everything that hangs on them kept in step.
//!
//! An [`Edit`] keeps secondary tables, reference counts and ids right, and notes what the index must look at again.
//! Which change is allowed is for `service` to say: it checks first and edits then.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use redb::ReadableTable;

use super::StorageError;
use super::blobs::ledger::Adopted;
use super::blobs::{StoredBlob, ledger};
use super::file::{Scratch, Transaction};
use super::index_rows::IndexEdit;
use super::notice::Notice;
use super::owners::Owners;
use super::records::Record;
use super::rows::Rows;
use super::tables::{self, TOKEN_ACCESS, TOKEN_API, TOKEN_PRIVATE};
use crate::model::{
    ApiToken, Channel, ChannelId, Content, FileId, Manifest, Member, Package, PackageKey, Platform, Release,
    ReleaseFile, ReleaseId, Session, Sha256, Timestamp, User, UserId, Visibility,
};

/// How many of the last notices of a commit are looked at before another is added.
const TOLD_LOOKED_AT: usize = 16;

/// What a commit changed, as far as the index and the scheduler care.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Packages that are to be rendered again, or are gone; of each, the releases that came, changed or went.
    pub packages: BTreeMap<PackageKey, BTreeSet<ReleaseId>>,
    /// Owners whose channels changed so that views may show their packages otherwise, with the channels before.
    pub channels: BTreeMap<UserId, Vec<Channel>>,
    /// What there is to tell those who look on.
    pub notices: Vec<Notice>,
    /// Whether a time at which a release becomes active was set.
    pub schedule: bool,
}

/// What the jobs of one commit leave behind for its observer.
#[derive(Debug, Default)]
pub(super) struct Scratchpad {
    pub(super) changes: Changes,
    wrote: bool,
}

impl Scratch for Scratchpad {
    fn begin_job(&mut self) {
        self.wrote = false;
    }

    fn mark_written(&mut self) {
        self.wrote = true;
    }

    fn wrote(&self) -> bool {
        self.wrote
    }
}

/// A write transaction, or a part of one, on the entities. Dereferences to [`Rows`] to read.
pub struct Edit<'e, 't> {
    rows: Rows<&'e Transaction<'t>>,
    scratchpad: &'e mut Scratchpad,
}

impl<'e, 't> Deref for Edit<'e, 't> {
    type Target = Rows<&'e Transaction<'t>>;

    fn deref(&self) -> &Self::Target {
        &self.rows
    }
}

impl<'e, 't> Edit<'e, 't> {
    /// Begins to edit.
    pub(super) fn new(tx: &'e Transaction<'t>, scratchpad: &'e mut Scratchpad) -> Self {
        Self { rows: Rows::new(tx), scratchpad }
    }

    pub(super) fn tx(&mut self) -> &'e Transaction<'t> {
        self.scratchpad.mark_written();
        self.rows.source
    }

    /// What the store keeps of the index.
    pub fn index(&mut self) -> IndexEdit<'e, 't> {
        IndexEdit::new(self.tx())
    }

    /// Has packages rendered again that did not change.
    pub fn render_packages(&mut self, packages: &[PackageKey]) {
        self.scratchpad.mark_written();
        packages.iter().for_each(|package| self.note_package(*package));
    }

    /// A number that no entity had before.
    ///
    /// # Errors
    /// If the database fails; so for all edits.
    pub fn new_id(&mut self) -> Result<u64, StorageError> {
        let id = self.last_id()? + 1;
        self.tx().open_table(tables::META)?.insert(tables::META_LAST_ID, id)?;
        Ok(id)
    }

    /// Notes the version of the layout.
    pub(super) fn set_format(&mut self, format: u64) -> Result<(), StorageError> {
        self.tx().open_table(tables::META)?.insert(tables::META_FORMAT, format)?;
        Ok(())
    }

    fn tell(&mut self, notice: Notice) {
        let notices = &mut self.scratchpad.changes.notices;
        // A commit changes few things many times; the last ones are the likely ones.
        if !notices.iter().rev().take(TOLD_LOOKED_AT).any(|told| notice.repeats(told)) {
            notices.push(notice);
        }
    }

    /// Adds or replaces a user. Of an invitation, only the one that the record names holds from now on.
    pub fn put_user(&mut self, user: &User) -> Result<(), StorageError> {
        self.tell(Notice::Account(user.id));
        let former = self.user(user.id)?.and_then(|former| former.invitation);
        let tx = self.tx();
        tx.open_table(tables::USERS)?.insert(user.id.0, user.to_bytes()?.as_slice())?;
        tx.open_table(tables::USERS_BY_NAME)?.insert(user.name.as_str(), user.id.0)?;
        if former != user.invitation {
            let mut table = tx.open_table(tables::INVITATIONS)?;
            if let Some(former) = former {
                table.remove(*former.digest.as_bytes())?;
            }
            if let Some(invitation) = &user.invitation {
                table.insert(*invitation.digest.as_bytes(), user.id.0)?;
            }
        }
        Ok(())
    }

    /// Adds or replaces an API token.
    pub fn put_api_token(&mut self, token: &ApiToken) -> Result<(), StorageError> {
        let tx = self.tx();
        let mut table = tx.open_table(tables::API_TOKENS)?;
        let is_new = table.insert((token.user.0, token.id.0), token.to_bytes()?.as_slice())?.is_none();
        // When one was last used is no news.
        if is_new {
            self.tell(Notice::Account(token.user));
        }
        let owner = (TOKEN_API, token.user.0, token.id.0);
        tx.open_table(tables::TOKENS)?.insert(*token.digest.as_bytes(), owner)?;
        Ok(())
    }

    /// Removes an API token.
    pub fn delete_api_token(&mut self, token: &ApiToken) -> Result<(), StorageError> {
        let tx = self.tx();
        self.tell(Notice::Account(token.user));
        tx.open_table(tables::API_TOKENS)?.remove((token.user.0, token.id.0))?;
        tx.open_table(tables::TOKENS)?.remove(*token.digest.as_bytes())?;
        Ok(())
    }

    /// Adds a session under the digest of its secret.
    pub fn put_session(&mut self, digest: &Sha256, session: &Session) -> Result<(), StorageError> {
        let tx = self.tx();
        tx.open_table(tables::SESSIONS)?.insert(*digest.as_bytes(), session.to_bytes()?.as_slice())?;
        tx.open_table(tables::SESSIONS_BY_USER)?.insert((session.user.0, *digest.as_bytes()), ())?;
        tx.open_table(tables::SESSIONS_BY_END)?.insert((session.expires.as_micros(), *digest.as_bytes()), ())?;
        Ok(())
    }

    /// Removes a session, if it is there.
    pub fn delete_session(&mut self, digest: &Sha256) -> Result<(), StorageError> {
        let Some(session) = self.session(digest)? else {
            return Ok(());
        };
        let tx = self.tx();
        tx.open_table(tables::SESSIONS)?.remove(*digest.as_bytes())?;
        tx.open_table(tables::SESSIONS_BY_USER)?.remove((session.user.0, *digest.as_bytes()))?;
        tx.open_table(tables::SESSIONS_BY_END)?.remove((session.expires.as_micros(), *digest.as_bytes()))?;
        Ok(())
    }

    /// Signs a user out everywhere.
    pub fn delete_sessions_of(&mut self, user: UserId) -> Result<(), StorageError> {
        for digest in self.sessions_of(user)? {
            self.delete_session(&digest)?;
        }
        Ok(())
    }

    /// Adds or replaces a package; its tokens are found by their digests from now on, former ones no longer.
    pub fn put_package(&mut self, package: &Package) -> Result<(), StorageError> {
        let former = self.package(package.id)?;
        let tx = self.tx();
        tx.open_table(tables::PACKAGES)?.insert(package.id.0, package.to_bytes()?.as_slice())?;
        // Packages keep their names, and each table that stays as it is makes a commit shorter.
        if former.is_none() {
            let folded = package.full_name().as_str().to_ascii_lowercase();
            tx.open_table(tables::PACKAGES_BY_NAME)?.insert(folded.as_str(), package.id.0)?;
        }
        {
            let mut by_change = tx.open_table(tables::PACKAGES_BY_CHANGE)?;
            if let Some(former) = &former {
                by_change.remove((former.changed.as_micros(), former.id.0))?;
            }
            by_change.insert((package.changed.as_micros(), package.id.0), ())?;
        }
        let same_tokens = former.as_ref().is_some_and(|former| {
            former.access_token == package.access_token && former.private_token == package.private_token
        });
        if !same_tokens {
            let mut table = tx.open_table(tables::TOKENS)?;
            for (_, digest) in former.iter().flat_map(package_tokens) {
                table.remove(*digest.as_bytes())?;
            }
            for (kind, digest) in package_tokens(package) {
                table.insert(*digest.as_bytes(), (kind, package.id.0, 0))?;
            }
        }
        self.note_package(package.id);
        self.tell(Notice::package(package, former.as_ref()));
        Ok(())
    }

    /// Notes that something of a package changed: it moves to the top of listings and is rendered again.
    pub fn touch_package(&mut self, package: &Package, now: Timestamp) -> Result<(), StorageError> {
        let mut touched = package.clone();
        touched.changed = now.max(package.changed);
        self.put_package(&touched)
    }

    /// Removes a package with all that belongs to it.
    pub fn delete_package(&mut self, package: &Package) -> Result<(), StorageError> {
        for release in self.releases_of(package.id)? {
            self.delete_release(&release)?;
        }
        let mut readers = vec![package.owner];
        for member in self.members(package.id)? {
            self.delete_member(package.id, member.user)?;
            readers.push(member.user);
        }
        self.tell(Notice::PackageGone {
            name: package.full_name(),
            was_public: package.visibility == Visibility::Public,
            readers: readers.into(),
        });
        let tx = self.tx();
        tx.open_table(tables::PACKAGES)?.remove(package.id.0)?;
        tx.open_table(tables::PACKAGE_DOWNLOADS)?.remove(package.id.0)?;
        let folded = package.full_name().as_str().to_ascii_lowercase();
        tx.open_table(tables::PACKAGES_BY_NAME)?.remove(folded.as_str())?;
        tx.open_table(tables::PACKAGES_BY_CHANGE)?.remove((package.changed.as_micros(), package.id.0))?;
        let mut table = tx.open_table(tables::TOKENS)?;
        for (_, digest) in package_tokens(package) {
            table.remove(*digest.as_bytes())?;
        }
        self.note_package(package.id);
        Ok(())
    }

    /// Adds or replaces a member.
    pub fn put_member(&mut self, member: &Member) -> Result<(), StorageError> {
        let tx = self.tx();
        let key = (member.package.0, member.user.0);
        tx.open_table(tables::MEMBERS)?.insert(key, member.to_bytes()?.as_slice())?;
        tx.open_table(tables::MEMBERS_BY_USER)?.insert((member.user.0, member.package.0), ())?;
        self.tell(Notice::Account(member.user));
        Ok(())
    }

    /// Removes a member, if it is there.
    pub fn delete_member(&mut self, package: PackageKey, user: UserId) -> Result<(), StorageError> {
        let tx = self.tx();
        tx.open_table(tables::MEMBERS)?.remove((package.0, user.0))?;
        tx.open_table(tables::MEMBERS_BY_USER)?.remove((user.0, package.0))?;
        self.tell(Notice::Account(user));
        Ok(())
    }

    /// Adds or replaces a channel. Where its reach may have changed, views may show all packages of its owner otherwise.
    pub fn put_channel(&mut self, channel: &Channel) -> Result<(), StorageError> {
        let key = (channel.owner.0, channel.id.0);
        let all = self.channels(channel.owner)?;
        let former = all.iter().find(|former| former.id == channel.id);
        self.tx().open_table(tables::CHANNELS)?.insert(key, channel.to_bytes()?.as_slice())?;
        self.forget_owner(channel.owner);
        self.tell(Notice::Account(channel.owner));
        // To look at all packages of an owner takes its time, and every other commit waits for it.
        let is_seen = match former {
            Some(former) => {
                (&former.name, former.default, &former.includes) != (&channel.name, channel.default, &channel.includes)
            }
            // Nothing is on a new channel but what it includes.
            None => channel.default || !channel.includes.is_empty(),
        };
        if is_seen {
            self.note_channels(channel.owner, &all);
        }
        Ok(())
    }

    /// Removes a channel that no release is on.
    pub fn delete_channel(&mut self, owner: UserId, channel: ChannelId) -> Result<(), StorageError> {
        let all = self.channels(owner)?;
        let former = all.iter().find(|former| former.id == channel);
        let has_view = former.is_some_and(|former| former.default || !former.includes.is_empty());
        self.tx().open_table(tables::CHANNELS)?.remove((owner.0, channel.0))?;
        self.forget_owner(owner);
        self.tell(Notice::Account(owner));
        if has_view {
            self.note_channels(owner, &all);
        }
        Ok(())
    }

    /// Has the channels and platforms of a user read anew, one of which has changed.
    fn forget_owner(&self, owner: UserId) {
        if let Some(owners) = self.rows.source.memory::<Owners>() {
            owners.forget(owner);
        }
    }

    fn note_channels(&mut self, owner: UserId, former: &[Channel]) {
        self.scratchpad.changes.channels.entry(owner).or_insert_with(|| former.to_vec());
    }

    fn note_package(&mut self, package: PackageKey) {
        self.scratchpad.changes.packages.entry(package).or_default();
    }

    pub(super) fn note_release(&mut self, release: &Release) {
        self.scratchpad.changes.packages.entry(release.package).or_default().insert(release.id);
    }

    /// Adds or replaces a platform. Platforms keep their names, so nothing is rendered again.
    pub fn put_platform(&mut self, platform: &Platform) -> Result<(), StorageError> {
        let key = (platform.owner.0, platform.id.0);
        self.tx().open_table(tables::PLATFORMS)?.insert(key, platform.to_bytes()?.as_slice())?;
        self.forget_owner(platform.owner);
        self.tell(Notice::Account(platform.owner));
        Ok(())
    }

    /// Removes a platform that no file is for.
    pub fn delete_platform(&mut self, platform: &Platform) -> Result<(), StorageError> {
        self.tx().open_table(tables::PLATFORMS)?.remove((platform.owner.0, platform.id.0))?;
        self.forget_owner(platform.owner);
        self.tell(Notice::Account(platform.owner));
        Ok(())
    }

    /// Adds or replaces a release.
    pub fn put_release(&mut self, release: &Release) -> Result<(), StorageError> {
        let former = self.release(release.id)?;
        let tx = self.tx();
        tx.open_table(tables::RELEASES)?.insert(release.id.0, release.to_bytes()?.as_slice())?;
        if former.is_none() {
            let key = (release.package.0, release.channel.0, release.version.sort_key());
            tx.open_table(tables::RELEASES_BY_VERSION)?.insert(key, release.id.0)?;
        }
        self.tell(Notice::release(release, former.as_ref().is_some_and(|former| former.active)));
        let former_time = former.and_then(|former| former.publish_at);
        if former_time != release.publish_at {
            let mut by_time = tx.open_table(tables::RELEASES_BY_TIME)?;
            if let Some(time) = former_time {
                by_time.remove((time.as_micros(), release.id.0))?;
            }
            if let Some(time) = release.publish_at {
                by_time.insert((time.as_micros(), release.id.0), ())?;
                self.scratchpad.changes.schedule = true;
            }
        }
        self.note_release(release);
        Ok(())
    }

    /// Removes a release with its files.
    pub fn delete_release(&mut self, release: &Release) -> Result<(), StorageError> {
        for file in self.files(release.id)? {
            self.delete_file(release, &file)?;
        }
        let tx = self.tx();
        tx.open_table(tables::RELEASES)?.remove(release.id.0)?;
        tx.open_table(tables::RELEASE_DOWNLOADED)?.remove(release.id.0)?;
        let key = (release.package.0, release.channel.0, release.version.sort_key());
        tx.open_table(tables::RELEASES_BY_VERSION)?.remove(key)?;
        if let Some(time) = release.publish_at {
            tx.open_table(tables::RELEASES_BY_TIME)?.remove((time.as_micros(), release.id.0))?;
        }
        self.note_release(release);
        self.tell(Notice::release(release, release.active));
        Ok(())
    }

    /// Adds a file, or replaces its record. The blob of a new file's content must have been adopted in this
    /// transaction; that of a replaced one is for the caller to release.
    pub fn put_file(&mut self, release: &Release, file: &ReleaseFile) -> Result<(), StorageError> {
        let tx = self.tx();
        let key = (file.release.0, file.id.0);
        let former = match tx.open_table(tables::FILES)?.insert(key, file.to_bytes()?.as_slice())? {
            Some(bytes) => Some(ReleaseFile::from_bytes((file.release, file.id), bytes.value())?),
            None => None,
        };
        if former.is_none() {
            self.count_platform_use(release, file, 1)?;
        }
        self.count_stored(release.package, former.as_ref(), Some(file))?;
        self.note_release(release);
        self.tell(Notice::release(release, release.active));
        Ok(())
    }

    /// Sets the manifest of a file, or takes it away. The file's record says whether it has one, so it is to be put
    /// too, which also has the index look at it again.
    pub fn set_manifest(&mut self, file: FileId, manifest: Option<&Manifest>) -> Result<(), StorageError> {
        let mut table = self.tx().open_table(tables::MANIFESTS)?;
        match manifest {
            Some(manifest) => table.insert(file.0, manifest.to_text().as_bytes())?,
            None => table.remove(file.0)?,
        };
        Ok(())
    }

    /// Removes a file with its manifest and its share in its content. That of a published file is remembered, so that
    /// other bytes never take its name.
    pub fn delete_file(&mut self, release: &Release, file: &ReleaseFile) -> Result<(), StorageError> {
        let tx = self.tx();
        tx.open_table(tables::FILES)?.remove((file.release.0, file.id.0))?;
        tx.open_table(tables::FILE_DOWNLOADS)?.remove((file.release.0, file.id.0))?;
        if release.is_sealed() {
            self.bury(release, file)?;
        }
        self.set_manifest(file.id, None)?;
        self.count_platform_use(release, file, -1)?;
        self.count_stored(release.package, Some(file), None)?;
        self.release_content(file)?;
        self.note_release(release);
        Ok(())
    }

    /// Takes a reference to content that was just stored; answers whether it is new. Otherwise the copy that is there
    /// already stays, and this one is discarded.
    pub fn adopt_blob(&mut self, stored: &StoredBlob) -> Result<bool, StorageError> {
        Ok(ledger::adopt(self.tx(), stored)? == Adopted::New)
    }

    /// Gives up a file's reference to its content, if it is here.
    pub fn release_content(&mut self, file: &ReleaseFile) -> Result<(), StorageError> {
        match file.content {
            Content::Blob { .. } => ledger::release(self.tx(), file.sha256).map(|_| ()),
            Content::External { .. } | Content::Unseen { .. } => Ok(()),
        }
    }

    /// Removes a user that owns no packages, with everything else of the user's.
    pub fn delete_user(&mut self, user: &User) -> Result<(), StorageError> {
        self.delete_sessions_of(user.id)?;
        for token in self.api_tokens(user.id)? {
            self.delete_api_token(&token)?;
        }
        for package in self.memberships(user.id)? {
            self.delete_member(package, user.id)?;
        }
        for channel in self.channels(user.id)?.iter() {
            self.delete_channel(user.id, channel.id)?;
        }
        for platform in self.platforms(user.id)?.iter() {
            self.delete_platform(platform)?;
        }
        let tx = self.tx();
        if let Some(invitation) = &user.invitation {
            tx.open_table(tables::INVITATIONS)?.remove(*invitation.digest.as_bytes())?;
        }
        tx.open_table(tables::STORED_BYTES)?.remove(user.id.0)?;
        tx.open_table(tables::USERS)?.remove(user.id.0)?;
        tx.open_table(tables::USERS_BY_NAME)?.remove(user.name.as_str())?;
        Ok(())
    }

    fn count_platform_use(&mut self, release: &Release, file: &ReleaseFile, change: i64) -> Result<(), StorageError> {
        let mut table = self.tx().open_table(tables::PLATFORM_USES)?;
        let key = (file.platform.0, release.package.0);
        let count = table.get(key)?.map_or(0, |count| count.value()).saturating_add_signed(change);
        if count == 0 {
            table.remove(key)?;
        } else {
            table.insert(key, count)?;
        }
        Ok(())
    }
}

/// The digests of a package's tokens with their kinds.
fn package_tokens(package: &Package) -> impl Iterator<Item = (u8, Sha256)> {
    let private = package.private_token.map(|digest| (TOKEN_PRIVATE, digest));
    std::iter::once((TOKEN_ACCESS, package.access_token.digest())).chain(private)
}
