//! Downloads: which bytes a caller gets for a name, and finding the file that a name stands for.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::Registry;
use super::access::open_package;
use super::caller::Caller;
use super::channels::channel_named;
use super::files::{FileName, find_file};
use super::platforms::any_platform;
use super::refusal::Refusal;
use super::releases::{ReleaseName, find_release};
use super::statistics::CountedFile;
use super::views::ReleaseViews;
use crate::index::archives;
use crate::model::channel::reach;
use crate::model::file_role::{archive_for, archive_of};
use crate::model::{
    ChannelName, DisplayName, FullName, Package, PackageId, PlatformId, PlatformName, Release, ReleaseFile, Version,
    Visibility,
};
use crate::store::{BlobSource, Rows, Snapshot, Source, StorageError};

/// A file that may be sent to the caller.
pub struct Download {
    /// Its record.
    pub file: ReleaseFile,
    /// Whether everyone may have it.
    pub public: bool,
    /// Whether its bytes can never become others.
    pub immutable: bool,
    /// Where its bytes are.
    pub source: DownloadSource,
    /// Counts it.
    pub counted: CountedFile,
}

/// Where the bytes of a download are.
pub enum DownloadSource {
    /// Here.
    Blob(BlobSource),
    /// Elsewhere.
    External(String),
}

/// A version by its text, or the newest.
#[derive(Debug, Clone)]
pub enum WantedVersion {
    /// The newest that is offered and has a file for the platform.
    Latest,
    /// This one.
    Exact(Version),
}

impl Registry {
    /// Opens a file by its name in the API.
    ///
    /// # Errors
    /// If there is none that the caller may read.
    pub fn download(&self, caller: &Caller, name: &FileName) -> Result<Download, Refusal> {
        let rows = self.store.read()?;
        let (package, role) = open_package(&rows, caller, &name.release.package, None)?;
        let (release, file) = find_file(&rows, &package, name, role)?;
        self.open_file(&rows, &package, &release, file)
    }

    /// The path in the API of the file that a download link stands for: of the archive, where no file is named.
    ///
    /// # Errors
    /// If there is none that the caller may read.
    pub fn resolve_download(
        &self,
        caller: &Caller,
        name: &FullName,
        channel: &ChannelName,
        version: &WantedVersion,
        platform: &PlatformName,
        display_name: Option<&DisplayName>,
    ) -> Result<String, Refusal> {
        let rows = self.store.read()?;
        let (package, role) = open_package(&rows, caller, name, None)?;
        let views = ReleaseViews::new(&rows, &package, caller)?;
        let names: Vec<&str> = views.platforms.iter().map(|platform| platform.name.as_str()).collect();
        let wanted = views.platforms.iter().find(|known| known.name == *platform);
        let wanted = wanted.ok_or_else(|| Refusal::no_such("platform", platform, &names))?.id;
        let any = any_platform(&rows, package.owner)?;
        let pick = |release: &Release| {
            let files = rows.files(release.id)?;
            let of = |platform: PlatformId, name: &DisplayName| {
                files.iter().find(|file| file.platform == platform && file.display_name == *name)
            };
            let found = match display_name {
                Some(name) => of(wanted, name).or_else(|| of(any?, name)),
                None => archive_for(&files, wanted, any),
            };
            Ok::<_, StorageError>(found.cloned())
        };
        let found = match version {
            WantedVersion::Exact(version) => {
                let name = ReleaseName { package: name.clone(), channel: channel.clone(), version: version.clone() };
                let release = find_release(&rows, &package, &name, role)?;
                pick(&release)?.map(|file| (release, file))
            }
            WantedVersion::Latest => {
                let channel = channel_named(&rows, package.owner, channel)?;
                offered(&rows, &package, channel.id, None, 1, pick)?.pop()
            }
        };
        if let Some((release, file)) = found {
            return Ok(views.file_path(&release, &file)?);
        }
        let what = display_name.map_or_else(|| "archive".to_owned(), |name| format!("file named {name}"));
        Err(Refusal::NotFound(format!("{name} has no {what} for {platform} there")))
    }

    /// Opens a file by its place in the index: the text behind `FULLNAME-` and a name.
    ///
    /// # Errors
    /// If the view holds none that the caller may read.
    pub fn archive(
        &self,
        caller: &Caller,
        channel: Option<&ChannelName>,
        name: &FullName,
        id: &str,
        display_name: &DisplayName,
    ) -> Result<Download, Refusal> {
        let rows = self.store.read()?;
        let named = |files: &[ReleaseFile], platform| {
            files.iter().find(|file| file.platform == platform && file.display_name == *display_name).cloned()
        };
        let found = find_in_view(&rows, caller, channel, name, id, named)?;
        let file = found.file.ok_or_else(|| Refusal::NotFound(format!("{name} {id} has no file {display_name}")))?;
        self.open_file(&rows, &found.package, &found.release, file)
    }

    /// The whole manifest of an archive by its place in the index, with the archive's path in it.
    ///
    /// # Errors
    /// If the view holds none that the caller may read.
    pub fn archive_manifest(
        &self,
        caller: &Caller,
        channel: Option<&ChannelName>,
        name: &FullName,
        id: &str,
    ) -> Result<ArchiveManifest, Refusal> {
        let rows = self.store.read()?;
        let archive = |files: &[ReleaseFile], platform| archive_of(files, platform).cloned();
        let found = find_in_view(&rows, caller, channel, name, id, archive)?;
        let file = found.file.ok_or_else(|| Refusal::NotFound(format!("{name} has no archive {id}")))?;
        let manifest = rows.manifest(file.id)?;
        let path = archives::archive_path(name, &found.id.to_string(), &file);
        let text = archives::manifest_text(manifest.as_ref(), &path);
        Ok(ArchiveManifest { text, public: found.package.visibility == Visibility::Public })
    }

    fn open_file(
        &self,
        rows: &Snapshot,
        package: &Package,
        release: &Release,
        file: ReleaseFile,
    ) -> Result<Download, Refusal> {
        let source = match file.content.external_url() {
            Some(url) => DownloadSource::External(url.as_str().to_owned()),
            None => DownloadSource::Blob(self.store.open_blob(rows, &file.sha256)?),
        };
        let public = package.visibility == Visibility::Public && release.active;
        let counted = self.counted_file(package, release, &file);
        Ok(Download { file, public, immutable: release.is_sealed(), source, counted })
    }
}

/// The manifest of an archive as the index serves it.
pub struct ArchiveManifest {
    /// JSON.
    pub text: String,
    /// Whether everyone may have it.
    pub public: bool,
}

struct InView {
    package: Package,
    release: Release,
    id: PackageId,
    /// The file that was looked for, if the release has it.
    file: Option<ReleaseFile>,
}

/// The release that a package id stands for in a view, and what `pick` finds among its files for the platform of the id:
/// the nearest channel's own release of a version wins, and of several readings of the id the first with such a file.
fn find_in_view<S: Source>(
    rows: &Rows<S>,
    caller: &Caller,
    channel: Option<&ChannelName>,
    name: &FullName,
    id: &str,
    pick: impl Fn(&[ReleaseFile], PlatformId) -> Option<ReleaseFile>,
) -> Result<InView, Refusal> {
    let (package, _) = open_package(rows, caller, name, None)?;
    let channels = rows.channels(package.owner)?;
    let platforms = rows.platforms(package.owner)?;
    let root = channels.iter().find(|own| channel.map_or(own.default, |wanted| own.name == *wanted));
    let reached = root.map(|root| reach(root.id, &channels)).unwrap_or_default();
    let mut without = None;
    for reading in PackageId::readings(id) {
        let Some(platform) = platforms.iter().find(|platform| platform.name == reading.platform) else { continue };
        let own = reached.iter().find_map(|channel| {
            rows.release_by_version(&package, *channel, &reading.version)
                .map(|found| found.filter(|r| r.active))
                .transpose()
        });
        let Some(release) = own.transpose()? else { continue };
        let files = rows.files(release.id)?;
        if let Some(file) = pick(&files, platform.id) {
            return Ok(InView { package, release, id: reading, file: Some(file) });
        }
        if files.iter().any(|file| file.platform == platform.id) {
            without.get_or_insert((release, reading));
        }
    }
    match without {
        Some((release, id)) => Ok(InView { package, release, id, file: None }),
        None => Err(Refusal::NotFound(format!("{name} has no archive {id} here"))),
    }
}

/// Offered releases of a channel and those it includes, highest version first, for which `pick` yields something:
/// at most `limit`, newer than `above`, the nearest channel's own of a version.
pub(super) fn offered<S: Source, T>(
    rows: &Rows<S>,
    package: &Package,
    channel: crate::model::ChannelId,
    above: Option<&Version>,
    limit: usize,
    pick: impl Fn(&Release) -> Result<Option<T>, StorageError>,
) -> Result<Vec<(Release, T)>, StorageError> {
    let channels = rows.channels(package.owner)?;
    let above = above.map(|above| above.in_scheme(package.version_scheme));
    let mut found: Vec<(Release, T)> = Vec::new();
    // Versions that a nearer channel has its own release of, be it yanked or for other platforms: as in the index, the
    // releases of farther channels are not meant then.
    let mut shadowed: HashSet<Version> = HashSet::new();
    for reached in reach(channel, &channels) {
        let mut taken = 0;
        let mut own = Vec::new();
        rows.releases_below(package.id, reached, None, |release| {
            if let Some(above) = &above
                && !release.version.is_newer_than(above)
            {
                // Several spellings and builds have the same precedence: some of them may be newer still.
                let may_follow = release.version.precedence_key() == above.precedence_key();
                return Ok(if may_follow { ControlFlow::Continue(()) } else { ControlFlow::Break(()) });
            }
            if taken == limit {
                return Ok(ControlFlow::Break(()));
            }
            if !release.active || shadowed.contains(&release.version) {
                return Ok(ControlFlow::Continue(()));
            }
            own.push(release.version.clone());
            if release.is_offered()
                && let Some(picked) = pick(&release)?
            {
                found.push((release, picked));
                taken += 1;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        shadowed.extend(own);
    }
    found.sort_by(|(a, _), (b, _)| b.version.cmp(&a.version));
    found.truncate(limit);
    Ok(found)
}
