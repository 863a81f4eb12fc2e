//! Publishing in one call, as Registry 2.0 clients do: package, release, platform, file and manifest in one commit.
//!
//! Owns the rules of publishing by a package id (`target` says what one stands for). The parts may come in any order; what
//! can be refused is refused as soon as it is known.

mod target;

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use self::target::{Place, Said, Target, channel_of, own_namespace, published};
use super::Registry;
use super::access::open_package;
use super::caller::{Caller, Identity};
use super::deed::{About, Deed};
use super::extension_toml;
use super::files::{
    Create, NewContent, Outcome, PutOptions, check_dependencies, find_file, find_place, put_file, sealed,
};
use super::packages::{NewPackage, add_package};
use super::random::new_token;
use super::refusal::Refusal;
use super::releases::{ReleasePatch, activate, apply};
use super::uploads::{Leftovers, Room};
use super::views::{FileView, ReleaseView, ReleaseViews};
use super::zip_entry::{EntryError, read_entry};
use crate::model::{
    AuditAction, ChannelName, Content, DisplayName, ExternalUrl, FileRole, Manifest, Markdown, MimeType, PackageId,
    Role, Scope, Sha256, TokenKind, TokenSecret, VersionScheme, Visibility, YankReason,
};
use crate::store::{BlobWriter, Edit, ReadError, Rows, Source, StorageError, StoredBlob};

/// What may be said about a publication beside its parts.
#[derive(Debug, Clone, Default)]
pub struct PublishOptions {
    /// The channel; the owner's default where none is named.
    pub channel: Option<ChannelName>,
    /// Who may read the package, if this makes it; everyone where nothing is said.
    pub visibility: Option<Visibility>,
    /// Add the archive to a release that has been active for long, as an owner.
    pub late: bool,
}

impl PublishOptions {
    /// What may be made: everything. The clients of this way have no other to make a platform.
    fn put(&self) -> PutOptions {
        PutOptions { release: Some(Create::Active), platform: true, late: self.late, ..PutOptions::default() }
    }
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
                let said = Said::default();
                let Target { name, id, .. } = Target::split(edit, caller, &package_id, &said)?;
                let (package, _) = open_package(edit, caller, &name, Some(Role::Maintainer))?;
                let channel = channel_of(edit, package.owner, channel.as_ref())?;
                let unknown = || Refusal::NotFound(format!("there is no {package_id} on the channel {}", channel.name));
                let id = published(edit, &package, &[&channel], id, &said)?.ok_or_else(unknown)?.id;
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
        self.package_id = Some(text.to_owned());
        self.check()
    }

    /// Says what the archive is.
    ///
    /// # Errors
    /// If it contradicts the package id, or the caller may not publish there.
    pub fn set_manifest(&mut self, manifest: Manifest) -> Result<(), Refusal> {
        self.manifest = Some(manifest);
        self.check()
    }

    /// Refuses what cannot be published by what is known so far. Metadata that is still to come may say that a package
    /// id means something else, so without it only an id with one meaning is judged.
    fn check(&mut self) -> Result<(), Refusal> {
        let said = Said::of(self.manifest.as_ref())?;
        let Some(text) = &self.package_id else { return Ok(()) };
        let rows = self.registry.store.read()?;
        let target = Target::split(&rows, &self.caller, text, &said)?;
        let room = self.room_for(&rows, &target, &said);
        if self.manifest.is_none() && !(target.is_plain && PackageId::readings(target.id).count() == 1) {
            self.room = room.ok();
        } else {
            self.room = Some(room?);
        }
        Ok(())
    }

    /// The room for an archive, if it may be published.
    fn room_for<S: Source>(&self, rows: &Rows<S>, target: &Target<'_>, said: &Said) -> Result<Room, Refusal> {
        let Target { name, package, id, .. } = target;
        let channel = self.options.channel.as_ref();
        if package.is_none() {
            let owner = own_namespace(&self.caller, name)?;
            channel_of(rows, owner, channel)?;
            return self.registry.room(rows, owner, 0);
        }
        let (package, _) = open_package(rows, &self.caller, name, Some(Role::Maintainer))?;
        let place = Place::find(rows, &package, channel, id, said)?;
        let file_name = place.file_name(name, self.display_name());
        let place = find_place(rows, &self.caller, &file_name, &self.options.put())?;
        self.registry.room(rows, package.owner, place.former_bytes())
    }

    /// Begins the archive, of at most `size_max` bytes as far as is known. A name that cannot be one is left out.
    ///
    /// # Errors
    /// If the disk has no room for it.
    pub fn begin_archive(
        &mut self,
        filename: Option<&str>,
        said: Option<MimeType>,
        size_max: Option<u64>,
    ) -> Result<(), Refusal> {
        let registry = &self.registry;
        let size_max = size_max.map(|size| size.min(registry.config().file_bytes_max));
        let writer = registry.store.begin_blob(size_max)?;
        let display_name: Option<DisplayName> = filename.and_then(|name| name.parse().ok());
        let mime_type = match &display_name {
            Some(name) => MimeType::of_file(said, name),
            None => said.unwrap_or_else(MimeType::octet_stream),
        };
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
        if let Some(manifest) = manifest.as_ref().or(description.as_ref()) {
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
    description: Option<Manifest>,
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
        let described = self.description.as_ref();
        let said = Said::of(self.manifest.as_ref().or(described))?;
        let Target { name, package, id, .. } = Target::split(edit, caller, &self.package_id, &said)?;
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
        let place = Place::find(edit, &package, self.options.channel.as_ref(), id, &said)?;
        let file_name = place.file_name(&name, self.display_name.as_ref());
        let mut is_new = false;
        let put = put_file(edit, deed, &file_name, &self.options.put(), &self.content, |edit| {
            if let Some(stored) = stored {
                is_new = edit.adopt_blob(stored)?;
            }
            Ok(())
        })?;
        let (mut release, mut file) = find_file(edit, &package, &file_name, Some(Role::Maintainer))?;
        let former = edit.manifest(file.id)?;
        let mut touched = false;
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
async fn describe(stored: StoredBlob) -> Result<(Option<StoredBlob>, Option<Manifest>), Refusal> {
    let unreadable = |why: String| {
        let advice = "mend it, or send the manifest as metadata";
        Refusal::invalid("archive", format!("extension.toml in the archive cannot be read: {why}; {advice}"))
    };
    let read = move || {
        let read = |range| stored.read(range);
        let found = read_entry(stored.size_bytes(), &extension_toml::PATHS, extension_toml::BYTES_MAX, read);
        let found = found.map_err(|error| match error {
            EntryError::Read(ReadError::Storage(error)) => error.into(),
            EntryError::Read(error) => Refusal::Store(StorageError::damaged("blob", error)),
            EntryError::Unreadable(why) => unreadable(why),
        })?;
        let description = found.map(|bytes| extension_toml::parse(&bytes)).transpose().map_err(unreadable)?;
        Ok((Some(stored), description.flatten()))
    };
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|_| Refusal::Unavailable("the server is stopping".to_owned()))?
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
    let (size, sha256, content) = match (size, sha256) {
        (Some(size), Some(sha256)) => (size, sha256, Content::External { url }),
        (None, None) if field("size").is_none() && field("sha256").is_none() => {
            (0, Sha256::from_bytes([0; 32]), Content::Unseen { url })
        }
        _ => {
            return Err(Refusal::invalid(
                "metadata",
                "an archive elsewhere has package.size, in bytes, and package.sha256, 64 hexadecimal digits, or neither",
            ));
        }
    };
    Ok(NewContent { size, sha256, content, mime_type: MimeType::octet_stream(), role: Some(FileRole::Archive) })
}
