//! Update checks: is there something newer than what an application runs?

use std::ops::ControlFlow;

use serde::Serialize;

use super::Registry;
use super::access::open_package;
use super::caller::Caller;
use super::channels::channel_named;
use super::downloads::offered;
use super::platforms::any_platform;
use super::refusal::Refusal;
use super::views::{Page, ReleaseViews};
use crate::model::file_role::{archive_for, archives};
use crate::model::{
    Channel, ChannelId, ChannelName, Crc32, FullName, Package, PlatformId, PlatformName, Release, ReleaseFile,
    Requirement, Sha256, Timestamp, Version, Visibility,
};
use crate::store::{Rows, Source, StorageError};

/// Most updates that one answer lists.
const UPDATES_MAX: usize = 1000;

/// What an application asks.
#[derive(Debug, Clone)]
pub struct UpdateQuery {
    /// Of which package.
    pub id: FullName,
    /// From which channel; the owner's default where it is not said.
    pub channel: Option<ChannelName>,
    /// For which platform.
    pub platform: PlatformName,
    /// What it runs now, if anything.
    pub version: Option<Version>,
}

/// A release newer than what runs.
#[derive(Debug, Serialize)]
pub struct Update {
    version: Version,
    released: Option<Timestamp>,
    size: Option<u64>,
    #[serde(rename = "releaseNotes")]
    release_notes: String,
    filename: String,
    sha256: Option<String>,
    crc32: Option<String>,
    requirements: Vec<Requirement>,
}

/// What a newer release requires.
#[derive(Debug, Serialize)]
pub struct ReleaseRequirements {
    version: Version,
    released: Option<Timestamp>,
    requirements: Vec<Requirement>,
}

/// A public package with its newest version.
#[derive(Debug, Serialize)]
pub struct FoundPackage {
    full_name: FullName,
    description: String,
    version: Version,
    released: Option<Timestamp>,
}

impl Registry {
    /// The releases newer than what runs that have a file for the platform, newest first: at most one, unless `all`
    /// are wanted.
    ///
    /// # Errors
    /// If there is no such package, channel or platform, as far as the caller may know.
    pub fn updates(&self, caller: &Caller, query: &UpdateQuery, all: bool) -> Result<Vec<Update>, Refusal> {
        let rows = self.store.read()?;
        let (package, _) = open_package(&rows, caller, &query.id, None)?;
        let views = ReleaseViews::new(&rows, &package, caller)?;
        let limit = if all { UPDATES_MAX } else { 1 };
        let Newer { files, channel, platform } = newer_files(&rows, &package, query, limit)?;
        let version = query.version.as_ref().map_or("", Version::as_str);
        self.count_check(&package, channel, platform, version);
        files.into_iter().map(|(release, file)| Ok(update(&views, &release, &file)?)).collect()
    }

    /// What every release newer than `version` requires, newest first.
    ///
    /// # Errors
    /// As for [`Registry::updates`].
    pub fn requirements(&self, caller: &Caller, query: &UpdateQuery) -> Result<Page<ReleaseRequirements>, Refusal> {
        let rows = self.store.read()?;
        let (package, _) = open_package(&rows, caller, &query.id, None)?;
        let newer = newer_files(&rows, &package, query, UPDATES_MAX)?;
        let items = newer.files.into_iter().map(|(release, file)| ReleaseRequirements {
            version: release.version,
            released: release.published,
            requirements: file.requirements,
        });
        Ok(Page::whole(items.collect()))
    }

    /// Public packages that hold all words of `search`, the best match first, with their newest version on a channel
    /// (each owner's default where none is given) for a platform.
    ///
    /// # Errors
    /// If the store fails.
    pub fn search(
        &self,
        search: &str,
        channel: Option<&ChannelName>,
        platform: Option<&PlatformName>,
        limit: usize,
    ) -> Result<Page<FoundPackage>, Refusal> {
        let rows = self.store.read()?;
        let mut items = Vec::new();
        self.for_each_public_match(&rows, search, |package| {
            let channels = rows.channels(package.owner)?;
            let Some(channel) = channels.iter().find(|own| channel.map_or(own.default, |wanted| own.name == *wanted))
            else {
                return Ok(ControlFlow::Continue(()));
            };
            let platform = match platform {
                Some(wanted) => {
                    let platforms = rows.platforms(package.owner)?;
                    match platforms.iter().find(|own| own.name == *wanted) {
                        Some(platform) => Some(platform.id),
                        None => return Ok(ControlFlow::Continue(())),
                    }
                }
                None => None,
            };
            let any = any_platform(&rows, package.owner)?;
            let newest = offered(&rows, &package, channel.id, None, 1, |release| {
                let files = rows.files(release.id)?;
                let is_there = match platform {
                    Some(wanted) => archive_for(&files, wanted, any).is_some(),
                    None => !archives(&files).is_empty(),
                };
                Ok(is_there.then_some(()))
            })?;
            for (release, ()) in newest {
                items.push(FoundPackage {
                    full_name: package.full_name(),
                    description: package.description.first_line(),
                    version: release.version,
                    released: release.published,
                });
            }
            Ok(if items.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(Page::whole(items))
    }
}

/// What is newer than what runs.
struct Newer {
    /// Files for the platform, newest first.
    files: Vec<(Release, ReleaseFile)>,
    /// The channel that is meant.
    channel: ChannelId,
    /// The platform that is meant.
    platform: PlatformId,
}

fn newer_files<S: Source>(
    rows: &Rows<S>,
    package: &Package,
    query: &UpdateQuery,
    limit: usize,
) -> Result<Newer, Refusal> {
    let channel = match &query.channel {
        Some(name) => channel_named(rows, package.owner, name)?,
        None => default_channel(rows, package)?,
    };
    let platforms = rows.platforms(package.owner)?;
    let names: Vec<&str> = platforms.iter().map(|platform| platform.name.as_str()).collect();
    let wanted = platforms.iter().find(|platform| platform.name == query.platform);
    let wanted = wanted.ok_or_else(|| Refusal::no_such("platform", &query.platform, &names))?.id;
    let any = any_platform(rows, package.owner)?;
    let found = offered(rows, package, channel.id, query.version.as_ref(), limit, |release| {
        Ok(archive_for(&rows.files(release.id)?, wanted, any).cloned())
    })?;
    Ok(Newer { files: found, channel: channel.id, platform: wanted })
}

/// The owner's default channel.
pub(super) fn default_channel<S: Source>(rows: &Rows<S>, package: &Package) -> Result<Channel, StorageError> {
    let default = rows.channels(package.owner)?.iter().find(|channel| channel.default).cloned();
    default.ok_or_else(|| StorageError::damaged("user", "there is no default channel"))
}

fn update(views: &ReleaseViews<'_>, release: &Release, file: &ReleaseFile) -> Result<Update, StorageError> {
    let filename = match file.content.external_url() {
        Some(url) => url.as_str().to_owned(),
        None => {
            let opened = match views.package.visibility {
                Visibility::Public => String::new(),
                Visibility::Private => format!("/t/{}", views.package.access_token.reveal()),
            };
            format!("{}{opened}{}", views.origin, views.file_path(release, file)?)
        }
    };
    Ok(Update {
        version: release.version.clone(),
        released: release.published,
        size: file.known_size(),
        release_notes: release.description.as_str().to_owned(),
        filename,
        sha256: file.known_sha256().as_ref().map(Sha256::to_string),
        crc32: file.content.crc32().as_ref().map(Crc32::to_string),
        requirements: file.requirements.clone(),
    })
}
