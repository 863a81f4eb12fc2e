//! Publishing in one call, as Registry 2.0 clients do: package, release, platform, file and manifest in one commit.
//!
//! Owns what `FULLNAME-VERSION[+PLATFORM]` stands for and the rules of publishing by it. The parts may come in any order;
//! what can be refused is refused as soon as it is known.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::Registry;
use super::access::open_package;
use super::caller::{Caller, Identity};
use super::channels::channel_named;
use super::deed::{About, Deed};
use super::extension_toml::{self, Description};
use super::files::{
    Create, FileName, NewContent, Outcome, check_dependencies, find_file, find_place, put_file, sealed,
};
use super::packages::{NewPackage, add_package};
use super::random::new_token;
use super::refusal::Refusal;
use super::releases::{ReleaseName, ReleasePatch, activate, apply};
use super::uploads::{Leftovers, Room};
use super::views::{FileView, ReleaseView, ReleaseViews};
use super::zip_entry::read_entry;
use crate::model::file_role::archive_of;
use crate::model::{
    AuditAction, Channel, ChannelName, Content, DisplayName, ExternalUrl, FileRole, FullName, Manifest, Markdown,
    MimeType, Package, PackageId, Role, Scope, Sha256, TokenKind, TokenSecret, UserId, VersionScheme, Visibility,
    YankReason,
};
use crate::store::{BlobWriter, Edit, ReadError, Rows, Source, StorageError, StoredBlob};

/// What may be said about a publication beside its parts.
#[derive(Debug, Clone, Default)]
pub struct PublishOptions {
    /// The channel; the owner's default where none is named.
    pub channel: Option<ChannelName>,
    /// Who may read the package, if this makes it; everyone where nothing is said.
    pub visibility: Option<Visibility>,
}

/// What was published.
#[derive(Debug, Serialize)]
pub struct Published {
    package_id: String,
    #[serde(flatten)]
    file: FileView,
}

/// What was withdrawn.
#[derive(Debug, Serialize)]
pub struct Unpublished {
    package_id: String,
    #[serde(flatten)]
    release: ReleaseView,
}

/// A publication whose parts are coming in. Dropping it leaves nothing behind.
pub struct Publication {
    registry: Arc<Registry>,
    caller: Caller,
    options: PublishOptions,
    package_id: Option<String>,
    manifest: Option<Manifest>,
    archive: Option<Archive>,
    /// What the owner's quota leaves, as soon as it is known whose package it is.
    room: Option<Room>,
}

/// The archive of a publication as far as it came.
struct Archive {
    writer: BlobWriter,
    // Behind the writer: its content is discarded by the time the collector is called.
    leftovers: Leftovers,
    display_name: Option<DisplayName>,
    mime_type: MimeType,
}

impl Registry {
    /// Begins a publication.
    ///
    /// # Errors
    /// If the caller may publish nothing at all.
    pub fn begin_publication(
        self: &Arc<Self>,
        caller: &Caller,
        options: PublishOptions,
    ) -> Result<Publication, Refusal> {
        require_publisher(caller)?;
        Ok(Publication {
            registry: Arc::clone(self),
            caller: caller.clone(),
            options,
            package_id: None,
            manifest: None,
            archive: None,
            room: None,
        })
    }

    /// Yanks the release that a full package id stands for, on a channel or on the owner's default. One that is yanked
    /// already stays as it is, with its reason.
    ///
    /// # Errors
    /// If there is none, or the caller may not publish there.
    pub async fn unpublish(
        &self,
        caller: &Caller,
        package_id: String,
        channel: Option<ChannelName>,
        reason: YankReason,
    ) -> Result<Unpublished, Refusal> {
        require_publisher(caller)?;
        let deed = self.deed(caller);
        self.store
            .write(move |edit| {
                let (caller, now) = (&deed.caller, deed.now);
                let (name, _, id) = split(edit, caller, &package_id)?;
                let (package, _) = open_package(edit, caller, &name, Some(Role::Maintainer))?;
                let channel = channel_of(edit, package.owner, channel.as_ref())?;
                let unknown = || Refusal::NotFound(format!("there is no {package_id} on the channel {}", channel.name));
                let id = published(edit, &package, &[&channel], id)?.ok_or_else(unknown)?.id;
                let mut release = edit.release_by_version(&package, channel.id, &id.version)?.ok_or_else(unknown)?;
                if release.yanked.is_none() {
                    let patch = ReleasePatch { yanked: Some(Some(reason.clone())), ..ReleasePatch::default() };
                    apply(&mut release, &patch, now)?;
                    release.changed = now;
                    edit.put_release(&release)?;
                    edit.touch_package(&package, now)?;
                    let about = About::thing(format_args!("{}/{}", channel.name, id.version)).of(&package);
                    deed.note(edit, AuditAction::ReleaseYanked, about.detail(reason.as_str()))?;
                }
                let release = ReleaseViews::new(edit, &package, caller)?.release(edit, &release)?;
                Ok(Unpublished { package_id: format!("{name}-{id}"), release })
            })
            .await
    }
}

impl Publication {
    /// Says what is published: `FULLNAME-VERSION[+PLATFORM]`.
    ///
    /// # Errors
    /// If that is no package id, or the caller may not publish there.
    pub fn set_package_id(&mut self, text: &str) -> Result<(), Refusal> {
        let rows = self.registry.store.read()?;
        let (name, package, id) = split(&rows, &self.caller, text)?;
        match package {
            Some(_) => {
                let (package, _) = open_package(&rows, &self.caller, &name, Some(Role::Maintainer))?;
                let place = Place::find(&rows, &package, self.options.channel.as_ref(), id)?;
                let file_name = place.file_name(&name, self.display_name());
                let place = find_place(&rows, &self.caller, &file_name, Some(Create::Active))?;
                self.room = Some(self.registry.room(&rows, package.owner, place.former_bytes())?);
            }
            None => {
                let owner = own_namespace(&self.caller, &name)?;
                channel_of(&rows, owner, self.options.channel.as_ref())?;
                self.room = Some(self.registry.room(&rows, owner, 0)?);
            }
        }
        self.package_id = Some(text.to_owned());
        Ok(())
    }

    /// Says what the archive is.
    pub fn set_manifest(&mut self, manifest: Manifest) {
        self.manifest = Some(manifest);
    }

    /// Begins the archive, of at most `size_max` bytes as far as is known. A name that cannot be one is left out.
    ///
    /// # Errors
    /// If the disk has no room for it.
    pub fn begin_archive(
        &mut self,
        filename: Option<&str>,
        mime_type: MimeType,
        size_max: Option<u64>,
    ) -> Result<(), Refusal> {
        let registry = &self.registry;
        let size_max = size_max.map(|size| size.min(registry.config().file_bytes_max));
        let writer = registry.store.begin_blob(size_max)?;
        let display_name = filename.and_then(|name| name.parse().ok());
        self.archive = Some(Archive { writer, leftovers: Leftovers::new(registry), display_name, mime_type });
        Ok(())
    }

    /// Takes the archive's next bytes, waiting while the disk is behind.
    ///
    /// # Errors
    /// If it grows too large or the disk is full.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Refusal> {
        let Some(archive) = &mut self.archive else {
            return Err(Refusal::invalid("archive", "its content comes behind its head"));
        };
        if archive.writer.len_bytes() + bytes.len() as u64 > self.registry.config().file_bytes_max {
            return Err(self.registry.too_large());
        }
        if let Some(room) = &self.room {
            room.check(&self.registry, archive.writer.len_bytes() + bytes.len() as u64)?;
        }
        Ok(archive.writer.write(bytes).await?)
    }

    /// Publishes it all: package, platform and release where they are missing, file and manifest, in one commit. It is
    /// durable, and in the index, when this returns.
    ///
    /// # Errors
    /// If a part is missing, the caller may not publish, or something else was published under the same id.
    pub async fn finish(mut self) -> Result<(Published, Outcome), Refusal> {
        let Some(package_id) = self.package_id.take() else {
            return Err(Refusal::invalid("package_id", "say what is published, such as omni.foo-1.0.0+wx64.r"));
        };
        let display_name = self.display_name().cloned();
        // Forms send a file's field even where no file was chosen.
        let archive =
            self.archive.take().filter(|archive| archive.writer.len_bytes() > 0 || archive.display_name.is_some());
        let access_token = new_token(TokenKind::Access)?;
        let registry = Arc::clone(&self.registry);
        let Self { caller, options, manifest, .. } = self;
        let (stored, content, mut leftovers) = match archive {
            Some(Archive { writer, leftovers, mime_type, .. }) => {
                let stored = writer.finish().await?;
                let content = NewContent {
                    size: stored.size_bytes(),
                    sha256: stored.sha256(),
                    content: Content::Blob { crc32: stored.crc32() },
                    mime_type,
                    role: Some(FileRole::Archive),
                };
                (Some(stored), content, Some(leftovers))
            }
            None => (None, elsewhere(manifest.as_ref())?, None),
        };
        let (stored, description) = match stored {
            Some(stored) if manifest.is_none() => describe(stored).await?,
            stored => (stored, None),
        };
        let uploaded_bytes = stored.as_ref().map(StoredBlob::size_bytes);
        if let Some(manifest) = manifest.as_ref().or(description.as_ref().map(|description| &description.manifest)) {
            check_dependencies(manifest)?;
        }
        let deed = registry.deed(&caller);
        let order = Order { deed, options, package_id, display_name, content, manifest, description, access_token };
        let row_bytes = stored.as_ref().map_or(0, StoredBlob::row_bytes);
        let carry_out = move |edit: &mut Edit<'_, '_>| order.carry_out(edit, stored.as_ref());
        let (published, outcome, is_new) = registry.store.write_content(row_bytes, carry_out).await?;
        if let Some(leftovers) = &mut leftovers {
            leftovers.expected = !is_new || outcome == Outcome::Replaced;
        }
        if let Some(size_bytes) = uploaded_bytes {
            registry.counters.count_upload(size_bytes);
        }
        Ok((published, outcome))
    }

    fn display_name(&self) -> Option<&DisplayName> {
        self.archive.as_ref()?.display_name.as_ref()
    }
}

/// A publication whose parts are all there.
struct Order {
    deed: Deed,
    options: PublishOptions,
    package_id: String,
    display_name: Option<DisplayName>,
    content: NewContent,
    manifest: Option<Manifest>,
    /// What the archive says of itself, where no manifest came.
    description: Option<Description>,
    access_token: TokenSecret,
}

impl Order {
    /// Does it, and says whether the stored content was taken over.
    fn carry_out(
        &self,
        edit: &mut Edit<'_, '_>,
        stored: Option<&StoredBlob>,
    ) -> Result<(Published, Outcome, bool), Refusal> {
        let (deed, caller, now) = (&self.deed, &self.deed.caller, self.deed.now);
        let (name, package, id) = split(edit, caller, &self.package_id)?;
        let package = match package {
            Some(_) => open_package(edit, caller, &name, Some(Role::Maintainer))?.0,
            None => {
                own_namespace(caller, &name)?;
                let new = NewPackage {
                    name: name.name(),
                    description: Markdown::default(),
                    visibility: self.options.visibility.unwrap_or(Visibility::Public),
                    version_scheme: VersionScheme::default(),
                };
                add_package(edit, deed, caller.user(Scope::Publish)?, &new, &self.access_token)?
            }
        };
        let place = Place::find(edit, &package, self.options.channel.as_ref(), id)?;
        let said = self.description.as_ref().and_then(|description| description.version.as_deref());
        let version = place.id.version.as_str();
        if let Some(said) = said.filter(|said| *said != version && Some(*said) != version.split('+').next()) {
            let problem = format!("the extension.toml in the archive says version {said}, not {version}");
            return Err(Refusal::invalid("package_id", problem));
        }
        let file_name = place.file_name(&name, self.display_name.as_ref());
        let mut is_new = false;
        let put = put_file(edit, deed, &file_name, Some(Create::Active), &self.content, |edit| {
            if let Some(stored) = stored {
                is_new = edit.adopt_blob(stored)?;
            }
            Ok(())
        })?;
        let (mut release, mut file) = find_file(edit, &package, &file_name, Some(Role::Maintainer))?;
        let former = edit.manifest(file.id)?;
        let mut touched = false;
        let described = self.description.as_ref().map(|description| &description.manifest);
        // What an archive says of itself yields to what somebody said of it.
        let described = described.filter(|_| former.is_none() || put.outcome == Outcome::Replaced);
        let manifest = self.manifest.as_ref().or(described);
        if let Some(manifest) = manifest.filter(|manifest| former.as_ref() != Some(manifest)) {
            if former.is_some() && release.is_sealed() {
                return Err(sealed("manifest", &release));
            }
            edit.set_manifest(file.id, Some(manifest))?;
            file.has_manifest = true;
            file.changed = now;
            edit.put_file(&release, &file)?;
            if former.is_some() || put.outcome == Outcome::Unchanged {
                deed.note(edit, AuditAction::ManifestSet, About::thing(&file_name).of(&package))?;
            }
            touched = true;
        }
        if !release.active {
            activate(&mut release, now);
            deed.note(edit, AuditAction::ReleasePublished, About::thing(&file_name.release).of(&package))?;
            touched = true;
        }
        if touched {
            release.changed = now;
            edit.put_release(&release)?;
            edit.touch_package(&package, now)?;
        }
        let mut file = ReleaseViews::new(edit, &package, caller)?.file(edit, &release, &file)?;
        file.warnings = put.view.warnings;
        Ok((Published { package_id: format!("{name}-{}", place.id), file }, put.outcome, is_new))
    }
}

/// What an archive says of itself, if it is one that does.
async fn describe(stored: StoredBlob) -> Result<(Option<StoredBlob>, Option<Description>), Refusal> {
    let read = move || {
        let read = |range| stored.read(range);
        let found = read_entry(stored.size_bytes(), &extension_toml::PATHS, extension_toml::BYTES_MAX, read)?;
        let description = found.and_then(|bytes| extension_toml::parse(&bytes));
        Ok::<_, ReadError>((Some(stored), description))
    };
    let read = tokio::task::spawn_blocking(read).await;
    let read = read.map_err(|_| Refusal::Unavailable("the server is stopping".to_owned()))?;
    read.map_err(|error| match error {
        ReadError::Storage(error) => error.into(),
        error => Refusal::Store(StorageError::damaged("blob", error)),
    })
}

/// Where a package id leads.
struct Place {
    channel: Channel,
    id: PackageId,
    /// The name of the archive that is there.
    existing: Option<DisplayName>,
}

impl Place {
    /// What a text stands for that may be read in several ways: as what is there; else, for a platform that the owner
    /// has; else, for the longest platform.
    fn find<S: Source>(
        rows: &Rows<S>,
        package: &Package,
        channel: Option<&ChannelName>,
        text: &str,
    ) -> Result<Self, Refusal> {
        let channel = channel_of(rows, package.owner, channel)?;
        let channels = rows.channels(package.owner)?;
        let mut all = vec![&channel];
        all.extend(channels.iter().filter(|other| other.id != channel.id));
        if let Some(Found { id, channel: on, display_name }) = published(rows, package, &all, text)? {
            // The same id may be on several channels; only an archive of this one has its name here.
            let existing = (on == channel.name).then_some(display_name);
            return Ok(Self { channel, id, existing });
        }
        let platforms = rows.platforms(package.owner)?;
        let is_known =
            |id: &PackageId| !id.platform.is_any() && platforms.iter().any(|platform| platform.name == id.platform);
        let known = PackageId::readings(text).find(is_known);
        let id = known.or_else(|| PackageId::readings(text).next());
        let id = id.ok_or_else(|| Refusal::invalid("package_id", format!("{text} is no VERSION[+PLATFORM]")))?;
        Ok(Self { channel, id, existing: None })
    }

    /// The file's full name. An archive that is there keeps its own.
    fn file_name(&self, package: &FullName, display_name: Option<&DisplayName>) -> FileName {
        let chosen = self.existing.as_ref().or(display_name).cloned();
        FileName {
            release: ReleaseName {
                package: package.clone(),
                channel: self.channel.name.clone(),
                version: self.id.version.clone(),
            },
            platform: self.id.platform.clone(),
            display_name: chosen.unwrap_or_else(|| DisplayName::of_archive(package, &self.id)),
        }
    }
}

/// An archive that is there.
struct Found {
    id: PackageId,
    channel: ChannelName,
    display_name: DisplayName,
}

/// The reading of an id for which there is an archive, on the first of the channels that has one, and its name.
fn published<S: Source>(
    rows: &Rows<S>,
    package: &Package,
    channels: &[&Channel],
    text: &str,
) -> Result<Option<Found>, Refusal> {
    let platforms = rows.platforms(package.owner)?;
    let readings: Vec<PackageId> = PackageId::readings(text).collect();
    for channel in channels {
        for id in &readings {
            let Some(platform) = platforms.iter().find(|platform| platform.name == id.platform) else { continue };
            let Some(release) = rows.release_by_version(package, channel.id, &id.version)? else { continue };
            if let Some(archive) = archive_of(&rows.files(release.id)?, platform.id) {
                let (id, channel) = (id.clone(), channel.name.clone());
                return Ok(Some(Found { id, channel, display_name: archive.display_name.clone() }));
            }
        }
    }
    Ok(None)
}

/// Splits `FULLNAME-ID`, where both may have hyphens: the longest name of a package that the caller may know of, where the
/// id looks like a version or is one that the package has; or the first name that such an id follows; or the only one
/// there can be. An id looks like a version that begins with a number and a dot (`md-5-0.11.0` is of `md-5`), or with a
/// digit where none does. Packages that the caller may not know of are as if they were not there.
fn split<'a, S: Source>(
    rows: &Rows<S>,
    caller: &Caller,
    text: &'a str,
) -> Result<(FullName, Option<Package>, &'a str), Refusal> {
    let splits: Vec<(FullName, &str)> = text
        .match_indices('-')
        .filter_map(|(at, _)| {
            let (name, id) = (text[..at].parse().ok()?, &text[at + 1..]);
            PackageId::readings(id).next().map(|_| (name, id))
        })
        .collect();
    let is_any_dotted = splits.iter().any(|(_, id)| begins_with_dotted_number(id));
    let looks_like_version = |id: &str| match is_any_dotted {
        true => begins_with_dotted_number(id),
        false => id.starts_with(|c: char| c.is_ascii_digit()),
    };
    let first = splits.iter().find(|(_, id)| looks_like_version(id));
    // `omni.http-body-1.0.0` is a new package even where `omni.http` is there, unless that has such a version already.
    let may_be_new = first.is_some_and(|(name, _)| own_namespace(caller, name).is_ok());
    for (name, id) in splits.iter().rev() {
        let Some(package) = rows.package_by_name(name)? else { continue };
        match caller.reader(rows, &package) {
            Ok(_) if may_be_new && !looks_like_version(id) && !has_version(rows, &package, id)? => {}
            Ok(_) => return Ok((name.clone(), Some(package), id)),
            Err(Refusal::NotFound(_)) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    let (name, id) = first.or(if splits.len() == 1 { splits.first() } else { None }).ok_or_else(|| {
        Refusal::invalid(
            "package_id",
            "a package id is FULLNAME-VERSION[+PLATFORM], such as omni.foo-1.0.0+wx64.r; the version of a new package \
             begins with a digit where the name has a hyphen",
        )
    })?;
    Ok((name.clone(), None, id))
}

/// Whether a text begins like `1.0`.
fn begins_with_dotted_number(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < text.len() && rest.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a package has a release, on any channel, that an id may mean.
fn has_version<S: Source>(rows: &Rows<S>, package: &Package, id: &str) -> Result<bool, Refusal> {
    for channel in rows.channels(package.owner)?.iter() {
        for reading in PackageId::readings(id) {
            if rows.release_by_version(package, channel.id, &reading.version)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A channel by its name, or the owner's default.
fn channel_of<S: Source>(rows: &Rows<S>, owner: UserId, name: Option<&ChannelName>) -> Result<Channel, Refusal> {
    match name {
        Some(name) => channel_named(rows, owner, name),
        None => {
            let default = rows.channels(owner)?.iter().find(|channel| channel.default).cloned();
            default.ok_or_else(|| Refusal::NotFound("the owner has no default channel; name one".to_owned()))
        }
    }
}

/// Refuses those who may publish nothing, before they send anything.
fn require_publisher(caller: &Caller) -> Result<(), Refusal> {
    match &caller.identity {
        Identity::Private(_) => Ok(()),
        Identity::Access(_) => {
            Err(Refusal::Forbidden("an access token only reads; publishing needs the private token".to_owned()))
        }
        Identity::User(_) | Identity::Anonymous => caller.user(Scope::Publish).map(|_| ()),
    }
}

/// The caller, if a missing package of that name is the caller's to make.
fn own_namespace(caller: &Caller, name: &FullName) -> Result<UserId, Refusal> {
    match &caller.identity {
        Identity::User(signed_in) if signed_in.user.name == name.namespace() => Ok(signed_in.user.id),
        _ => Err(Refusal::no_package(name)),
    }
}

/// The archive elsewhere that a manifest names.
fn elsewhere(manifest: Option<&Manifest>) -> Result<NewContent, Refusal> {
    let field = |name: &str| manifest.and_then(|manifest| manifest.package(name));
    let path = field("archivePath").and_then(|path| path.as_str()).unwrap_or_default();
    if !path.starts_with("http://") && !path.starts_with("https://") {
        return Err(Refusal::invalid(
            "archive",
            "send the file, or say in package.archivePath of the metadata at which http:// or https:// URL it is",
        ));
    }
    let url: ExternalUrl = path.parse().map_err(|problem| Refusal::invalid("metadata", problem))?;
    let size = field("size").and_then(|size| size.as_u64());
    let sha256 = field("sha256").and_then(|sha256| sha256.as_str()).and_then(|text| text.parse::<Sha256>().ok());
    let (Some(size), Some(sha256)) = (size, sha256) else {
        return Err(Refusal::invalid(
            "metadata",
            "an archive elsewhere needs package.size, in bytes, and package.sha256, 64 hexadecimal digits",
        ));
    };
    Ok(NewContent {
        size,
        sha256,
        content: Content::External { url },
        mime_type: MimeType::octet_stream(),
        role: Some(FileRole::Archive),
    })
}
