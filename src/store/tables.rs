//! The tables of `packhouse.redb`: what each is keyed by. Blobs have theirs in `blobs::ledger`.
//!
//! Keys are plain types of redb; values are ids, nothing, or the bytes of a record.

use redb::TableDefinition;

use super::StorageError;
use super::file::EveryTable;

type Table<K, V> = TableDefinition<'static, K, V>;

/// Single values: see the `META_` keys.
pub(super) const META: Table<&str, u64> = Table::new("meta");
/// In [`META`]: the last id that was given to an entity.
pub(super) const META_LAST_ID: &str = "last_id";
/// In [`META`]: the last serial of the index that was served.
pub(super) const META_SERIAL: &str = "serial";
/// In [`META`]: the version of the rendering that made the tables of the index.
pub(super) const META_RENDERING: &str = "rendering";
/// In [`META`]: the serial from which on [`INDEX_CHANGES`] is complete.
pub(super) const META_HISTORY_FROM: &str = "history_from";
/// In [`META`]: the day after which every download is in [`RELEASE_DOWNLOADED`].
pub(super) const META_DOWNLOADS_AFTER: &str = "downloads_after";
/// In [`META`]: when retention rules were last kept, in microseconds since 1970.
pub(super) const META_RETENTION_RUN: &str = "retention_run";
/// In [`META`]: how many such days are to pass before rules act again.
pub(super) const META_RETENTION_WAITS: &str = "retention_waits";
/// In [`META`]: the version of this layout.
pub(super) const META_FORMAT: &str = "format";

/// User id to record.
pub(super) const USERS: Table<u64, &[u8]> = Table::new("users");
/// User name to id.
pub(super) const USERS_BY_NAME: Table<&str, u64> = Table::new("users_by_name");

/// Digest of an invitation's secret to the user that it is for.
pub(super) const INVITATIONS: Table<[u8; 32], u64> = Table::new("invitations");
/// User id to the bytes of all files in the user's packages.
pub(super) const STORED_BYTES: Table<u64, u64> = Table::new("stored_bytes");

/// Number of an entry of the audit trail to record.
pub(super) const AUDIT: Table<u64, &[u8]> = Table::new("audit");
/// (Package, number of an entry about it).
pub(super) const AUDIT_BY_PACKAGE: Table<(u64, u64), ()> = Table::new("audit_by_package");

/// (User, API token) to record.
pub(super) const API_TOKENS: Table<(u64, u64), &[u8]> = Table::new("api_tokens");
/// Digest of any token to what it is: one of the `TOKEN_` kinds, the owner's or package's id, the token's own id.
pub(super) const TOKENS: Table<[u8; 32], (u8, u64, u64)> = Table::new("tokens");
/// In [`TOKENS`]: an API token of a user.
pub(super) const TOKEN_API: u8 = 1;
/// In [`TOKENS`]: the private token of a package.
pub(super) const TOKEN_PRIVATE: u8 = 2;
/// In [`TOKENS`]: the access token of a package.
pub(super) const TOKEN_ACCESS: u8 = 3;

/// Digest of a session's secret to record.
pub(super) const SESSIONS: Table<[u8; 32], &[u8]> = Table::new("sessions");
/// (User, digest) of every session.
pub(super) const SESSIONS_BY_USER: Table<(u64, [u8; 32]), ()> = Table::new("sessions_by_user");
/// (End in microseconds, digest) of every session.
pub(super) const SESSIONS_BY_END: Table<(i64, [u8; 32]), ()> = Table::new("sessions_by_end");

/// Package id to record.
pub(super) const PACKAGES: Table<u64, &[u8]> = Table::new("packages");
/// Full name without regard to case to id. A namespace's packages stand together.
pub(super) const PACKAGES_BY_NAME: Table<&str, u64> = Table::new("packages_by_name");
/// (Last change in microseconds, package id).
pub(super) const PACKAGES_BY_CHANGE: Table<(i64, u64), ()> = Table::new("packages_by_change");

/// (Package, user) to record.
pub(super) const MEMBERS: Table<(u64, u64), &[u8]> = Table::new("members");
/// (User, package) of every member.
pub(super) const MEMBERS_BY_USER: Table<(u64, u64), ()> = Table::new("members_by_user");

/// (Owner, channel) to record.
pub(super) const CHANNELS: Table<(u64, u64), &[u8]> = Table::new("channels");
/// (Owner, platform) to record.
pub(super) const PLATFORMS: Table<(u64, u64), &[u8]> = Table::new("platforms");
/// (Platform, package) to the number of files for it.
pub(super) const PLATFORM_USES: Table<(u64, u64), u64> = Table::new("platform_uses");

/// Release id to record.
pub(super) const RELEASES: Table<u64, &[u8]> = Table::new("releases");
/// (Package, channel, sort key of the version) to release id: a channel's releases in the order of their versions.
pub(super) const RELEASES_BY_VERSION: Table<(u64, u64, &[u8]), u64> = Table::new("releases_by_version");
/// (Time in microseconds, release) of every release that becomes active by itself.
pub(super) const RELEASES_BY_TIME: Table<(i64, u64), ()> = Table::new("releases_by_time");

/// (Release, file) to record: a release's files in the order in which they were added.
pub(super) const FILES: Table<(u64, u64), &[u8]> = Table::new("files");
/// File id to its manifest as JSON text.
pub(super) const MANIFESTS: Table<u64, &[u8]> = Table::new("manifests");

/// The name of a published file that was deleted to its SHA-256: see `tombstones`.
pub(super) const TOMBSTONES: Table<&str, [u8; 32]> = Table::new("tombstones");
/// Empty since format 5, whose [`TOMBSTONES`] took its rows over: (release, place of the file) to a SHA-256.
pub(super) const DELETED_FILES: Table<(u64, &str), [u8; 32]> = Table::new("deleted_files");

/// Upload id to record.
pub(super) const UPLOADS: Table<u64, &[u8]> = Table::new("uploads");
/// (Kind of uploader, its id, upload) of every upload.
pub(super) const UPLOADS_BY_UPLOADER: Table<(u8, u64, u64), ()> = Table::new("uploads_by_uploader");
/// (Namespace, upload) to the declared bytes of every upload that is not finished.
pub(super) const UPLOADS_BY_NAMESPACE: Table<(&str, u64), u64> = Table::new("uploads_by_namespace");
/// (End in microseconds, upload) of every upload.
pub(super) const UPLOADS_BY_END: Table<(i64, u64), ()> = Table::new("uploads_by_end");

/// (Day since 1970, package, what was counted: see `statistics_rows`) to how often.
pub(super) const COUNTS: Table<(u32, u64, &[u8]), u64> = Table::new("counts");
/// (Release, file) to how often it was downloaded.
pub(super) const FILE_DOWNLOADS: Table<(u64, u64), u64> = Table::new("file_downloads");
/// Package id to how often its files were downloaded.
pub(super) const PACKAGE_DOWNLOADS: Table<u64, u64> = Table::new("package_downloads");

/// Release to the day of its last download, counted from 1970.
pub(super) const RELEASE_DOWNLOADED: Table<u64, u32> = Table::new("release_downloaded");

/// Package id to what the index has of it.
pub(super) const INDEX_PACKAGES: Table<u64, &[u8]> = Table::new("index_packages");
/// View (the default one has no name) to the serial of its last change.
pub(super) const INDEX_VIEWS: Table<&str, u64> = Table::new("index_views");
/// Serial to what that step of the public index changed.
pub(super) const INDEX_CHANGES: Table<u64, &[u8]> = Table::new("index_changes");

/// Shows all tables, to be made, so that no reader meets a missing one, or copied.
pub(super) fn every_table(tables: &mut impl EveryTable) -> Result<(), StorageError> {
    tables.table(META)?;
    tables.table(USERS)?;
    tables.table(USERS_BY_NAME)?;
    tables.table(INVITATIONS)?;
    tables.table(STORED_BYTES)?;
    tables.table(AUDIT)?;
    tables.table(AUDIT_BY_PACKAGE)?;
    tables.table(API_TOKENS)?;
    tables.table(TOKENS)?;
    tables.table(SESSIONS)?;
    tables.table(SESSIONS_BY_USER)?;
    tables.table(SESSIONS_BY_END)?;
    tables.table(PACKAGES)?;
    tables.table(PACKAGES_BY_NAME)?;
    tables.table(PACKAGES_BY_CHANGE)?;
    tables.table(MEMBERS)?;
    tables.table(MEMBERS_BY_USER)?;
    tables.table(CHANNELS)?;
    tables.table(PLATFORMS)?;
    tables.table(PLATFORM_USES)?;
    tables.table(RELEASES)?;
    tables.table(RELEASES_BY_VERSION)?;
    tables.table(RELEASES_BY_TIME)?;
    tables.table(FILES)?;
    tables.table(MANIFESTS)?;
    tables.table(DELETED_FILES)?;
    tables.table(TOMBSTONES)?;
    tables.table(UPLOADS)?;
    tables.table(UPLOADS_BY_UPLOADER)?;
    tables.table(UPLOADS_BY_NAMESPACE)?;
    tables.table(UPLOADS_BY_END)?;
    tables.table(COUNTS)?;
    tables.table(FILE_DOWNLOADS)?;
    tables.table(PACKAGE_DOWNLOADS)?;
    tables.table(RELEASE_DOWNLOADED)?;
    tables.table(INDEX_PACKAGES)?;
    tables.table(INDEX_VIEWS)?;
    tables.table(INDEX_CHANGES)?;
    Ok(())
}
