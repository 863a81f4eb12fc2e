//! Release files: their records, manifests, requirements and addresses elsewhere, and deleting them.

use super::Registry;
use super::access::open_package;
use super::caller::Caller;
use super::channels::channel_named;
use super::condition::{Condition, file_mark};
use super::deed::{About, Deed};
use super::file_roles::{give_role, keep_attachments};
use super::platforms::{add_platform, check_name_is_free, platform_named};
use super::refusal::{Refusal, listed};
use super::releases::{ReleaseName, activate, find_release, new_release, warnings};
use super::views::{FileView, ReleaseViews};
use crate::model::limits::FILES_PER_RELEASE_MAX;
use crate::model::{
    AuditAction, Content, DisplayName, ExternalUrl, FileId, FileRole, Manifest, MimeType, Package, PackageId, Platform,
    PlatformName, Release, ReleaseFile, Requirement, Role, Sha256, Timestamp, dependency,
};
use crate::store::{Edit, Rows, Source, Tombstone};

/// Names one file of a release.
#[derive(Debug, Clone)]
pub struct FileName {
    /// The release.
    pub release: ReleaseName,
    /// What the file runs on.
    pub platform: PlatformName,
    /// Its original name.
    pub display_name: DisplayName,
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.release, self.platform, self.display_name)
    }
}

/// What to do where the release is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// Make a draft.
    Inactive,
    /// Make an active release.
    Active,
}

/// What may be made for a file to find its place, and which rule an owner sets aside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PutOptions {
    /// What to do where the release is missing; without it, that is refused.
    pub release: Option<Create>,
    /// Make a missing platform. Without it, an unknown platform is refused, for it is mostly a typo.
    pub platform: bool,
    /// Add the file to a release that has been active for long, as an owner.
    pub late: bool,
    /// Which state of the file the request is meant for.
    pub condition: Condition,
}

impl PutOptions {
    /// Makes a missing release, and nothing else.
    #[must_use]
    pub fn creating(release: Create) -> Self {
        Self { release: Some(release), ..Self::default() }
    }
}

/// Whether something was there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Created,
    /// It was there and is another now.
    Replaced,
    /// It was there, the same.
    Unchanged,
}

/// An archive kept elsewhere.
#[derive(Debug, Clone)]
pub struct ExternalArchive {
    /// Where.
    pub url: ExternalUrl,
    /// Its size in bytes, as given.
    pub size: u64,
    /// Its SHA-256, as given.
    pub sha256: Sha256,
    /// The role that it is to have, where one was chosen.
    pub role: Option<FileRole>,
}

/// What there is to say of a file to put, apart from its name and the bytes themselves.
#[derive(Debug, Clone)]
pub(super) struct NewContent {
    pub(super) size: u64,
    pub(super) sha256: Sha256,
    pub(super) content: Content,
    pub(super) mime_type: MimeType,
    /// The role that it is to have, where one was chosen.
    pub(super) role: Option<FileRole>,
}

impl NewContent {
    /// What of it counts against a quota.
    pub(super) fn stored_bytes(&self) -> u64 {
        if self.content.external_url().is_none() { self.size } else { 0 }
    }
}

/// What putting a file came to.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) view: FileView,
    pub(super) outcome: Outcome,
}

impl Registry {
    /// Sets the manifest of a file. Once the release was active, a manifest that is there stays.
    ///
    /// # Errors
    /// If the caller may not publish, or another manifest is fixed.
    pub async fn put_manifest(
        &self,
        caller: &Caller,
        name: FileName,
        manifest: Manifest,
        condition: Condition,
    ) -> Result<FileView, Refusal> {
        check_dependencies(&manifest)?;
        self.edit_file(caller, name, AuditAction::ManifestSet, move |edit, release, file, now| {
            let former = edit.manifest(file.id)?;
            condition.check_presence(former.is_some(), "the manifest")?;
            if former.as_ref() == Some(&manifest) {
                return Ok(());
            }
            if former.is_some() && release.is_sealed() {
                return Err(sealed("manifest", release));
            }
            file.has_manifest = true;
            file.changed = now;
            Ok(edit.set_manifest(file.id, Some(&manifest))?)
        })
        .await
    }

    /// The manifest of a file.
    ///
    /// # Errors
    /// If there is none, or the caller may not read the file.
    pub fn manifest(&self, caller: &Caller, name: &FileName) -> Result<Manifest, Refusal> {
        let rows = self.store.read()?;
        let (package, role) = open_package(&rows, caller, &name.release.package, None)?;
        let (_, file) = find_file(&rows, &package, name, role)?;
        rows.manifest(file.id)?.ok_or_else(|| Refusal::NotFound(format!("{} has no manifest", file.display_name)))
    }

    /// Sets what a file requires. Once the release was active, requirements that are there stay.
    ///
    /// # Errors
    /// If the caller may not publish, or other requirements are fixed.
    pub async fn put_requirements(
        &self,
        caller: &Caller,
        name: FileName,
        requirements: Vec<Requirement>,
    ) -> Result<FileView, Refusal> {
        self.edit_file(caller, name, AuditAction::RequirementsSet, move |_, release, file, now| {
            if file.requirements == requirements {
                return Ok(());
            }
            if !file.requirements.is_empty() && release.is_sealed() {
                return Err(sealed("requirements", release));
            }
            file.requirements.clone_from(&requirements);
            file.changed = now;
            Ok(())
        })
        .await
    }

    /// Publishes a file whose bytes are elsewhere.
    ///
    /// # Errors
    /// As for an upload.
    pub async fn put_external(
        &self,
        caller: &Caller,
        name: FileName,
        options: PutOptions,
        archive: ExternalArchive,
    ) -> Result<(FileView, Outcome), Refusal> {
        let deed = self.deed(caller);
        let put = self
            .store
            .write(move |edit| {
                let content = NewContent {
                    size: archive.size,
                    sha256: archive.sha256,
                    content: Content::External { url: archive.url.clone() },
                    mime_type: MimeType::by_name(&name.display_name),
                    role: archive.role,
                };
                put_file(edit, &deed, &name, &options, &content, |_| Ok(()))
            })
            .await?;
        Ok((put.view, put.outcome))
    }

    /// Deletes a file.
    ///
    /// # Errors
    /// If the caller does not own the package, or there is no such file.
    pub async fn delete_file(&self, caller: &Caller, name: FileName, condition: Condition) -> Result<(), Refusal> {
        let deed = self.deed(caller);
        let deleted = self.store.write(move |edit| {
            let (package, role) = open_package(edit, &deed.caller, &name.release.package, Some(Role::Owner))?;
            let (mut release, file) = find_file(edit, &package, &name, role)?;
            condition.check(edit, &package, Some(&name.to_string()), Some(&file_mark(&file)))?;
            keep_attachments(edit, &release, &file)?;
            edit.delete_file(&release, &file)?;
            release.changed = deed.now;
            edit.put_release(&release)?;
            edit.touch_package(&package, deed.now)?;
            Ok::<(), Refusal>(deed.note(edit, AuditAction::FileDeleted, About::thing(&name).of(&package))?)
        });
        deleted.await?;
        self.collect_soon();
        Ok(())
    }

    pub(super) async fn edit_file(
        &self,
        caller: &Caller,
        name: FileName,
        action: AuditAction,
        change: impl Fn(&mut Edit<'_, '_>, &Release, &mut ReleaseFile, Timestamp) -> Result<(), Refusal> + Send + 'static,
    ) -> Result<FileView, Refusal> {
        let deed = self.deed(caller);
        self.store
            .write(move |edit| {
                let (package, role) = open_package(edit, &deed.caller, &name.release.package, Some(Role::Maintainer))?;
                let (mut release, former) = find_file(edit, &package, &name, role)?;
                let mut file = former.clone();
                change(edit, &release, &mut file, deed.now)?;
                if file != former {
                    edit.put_file(&release, &file)?;
                    release.changed = deed.now;
                    edit.put_release(&release)?;
                    edit.touch_package(&package, deed.now)?;
                    deed.note(edit, action, About::thing(&name).of(&package))?;
                }
                Ok(ReleaseViews::new(edit, &package, &deed.caller)?.file(edit, &release, &file)?)
            })
            .await
    }
}

/// Refuses a manifest whose dependencies a resolver could not read: once published, they could not be mended.
pub(super) fn check_dependencies(manifest: &Manifest) -> Result<(), Refusal> {
    let dependencies = manifest.fields().get("dependencies");
    let read = dependency::read(dependencies, |_| true);
    read.map(drop)
        .map_err(|problem| Refusal::invalid("dependencies", format!("dependencies cannot be read: {problem}")))
}

pub(super) fn sealed(what: &str, release: &Release) -> Refusal {
    Refusal::conflict(format!(
        "{} has been published, so its {what} cannot become another; publish a new version",
        release.version
    ))
}

/// The file, if the caller may see it.
pub(super) fn find_file<S: Source>(
    rows: &Rows<S>,
    package: &Package,
    name: &FileName,
    role: Option<Role>,
) -> Result<(Release, ReleaseFile), Refusal> {
    let release = find_release(rows, package, &name.release, role)?;
    let platform = platform_named(rows, package.owner, &name.platform)?;
    let mut files = rows.files(release.id)?;
    files.retain(|file| file.platform == platform.id);
    if let Some(at) = files.iter().position(|file| file.display_name == name.display_name) {
        return Ok((release, files.swap_remove(at)));
    }
    let names: Vec<&str> = files.iter().map(|file| file.display_name.as_str()).collect();
    let kind = format!("file for {} in {} named", name.platform, name.release.version);
    Err(Refusal::no_such(&kind, &name.display_name, &names))
}

/// Where a file will go, as far as it exists.
pub(super) struct Place {
    pub(super) package: Package,
    channel: crate::model::Channel,
    pub(super) release: Option<Release>,
    pub(super) platform: Option<Platform>,
    pub(super) former: Option<ReleaseFile>,
    /// All files of the release.
    pub(super) files: Vec<ReleaseFile>,
}

impl Place {
    /// What counts against a quota of the file that another takes the place of.
    pub(super) fn former_bytes(&self) -> u64 {
        self.former.as_ref().filter(|file| file.content.external_url().is_none()).map_or(0, |file| file.size)
    }
}

/// Finds the place of a file to put, and refuses what cannot go there whatever its bytes are.
pub(super) fn find_place<S: Source>(
    rows: &Rows<S>,
    caller: &Caller,
    name: &FileName,
    options: &PutOptions,
) -> Result<Place, Refusal> {
    let needed = if options.late { Role::Owner } else { Role::Maintainer };
    let (package, role) = open_package(rows, caller, &name.release.package, Some(needed))?;
    let channel = channel_named(rows, package.owner, &name.release.channel)?;
    let release = rows.release_by_version(&package, channel.id, &name.release.version)?;
    let platforms = rows.platforms(package.owner)?;
    let platform = platforms.iter().find(|platform| platform.name == name.platform).cloned();
    if release.is_none() && options.release.is_none() {
        find_release(rows, &package, &name.release, role)?;
    }
    if platform.is_none() {
        check_name_is_free(&platforms, &name.platform, None)?;
        if !options.platform {
            return Err(unknown_platform(&platforms, &name.platform));
        }
    }
    let files = match &release {
        Some(release) => rows.files(release.id)?,
        None => Vec::new(),
    };
    let former = files.iter().find(|file| {
        Some(file.platform) == platform.as_ref().map(|platform| platform.id) && file.display_name == name.display_name
    });
    if former.is_none() && files.len() >= FILES_PER_RELEASE_MAX {
        return Err(Refusal::conflict(format!("a release has at most {FILES_PER_RELEASE_MAX} files")));
    }
    check_id_is_free(rows, &package, name)?;
    let former = former.cloned();
    options.condition.check(rows, &package, Some(&name.to_string()), former.as_ref().map(file_mark).as_deref())?;
    Ok(Place { package, channel, release, platform, former, files })
}

fn unknown_platform(platforms: &[Platform], name: &PlatformName) -> Refusal {
    let names: Vec<&str> = platforms.iter().map(|platform| platform.name.as_str()).collect();
    match Refusal::no_such("platform", name, &names) {
        Refusal::NotFound(message) => {
            Refusal::NotFound(format!("{} To make a new platform, say create_platform=true", sentence(&message)))
        }
        other => other,
    }
}

/// A message that another sentence may follow.
fn sentence(message: &str) -> String {
    if message.ends_with('?') { message.to_owned() } else { format!("{message}.") }
}

/// The name under which the digest of a published file is kept once the file is gone.
fn tombstone(name: &FileName) -> Tombstone<'_> {
    Tombstone {
        package: &name.release.package,
        channel: &name.release.channel,
        version: &name.release.version,
        platform: &name.platform,
        display_name: &name.display_name,
    }
}

/// Puts a file in its place, making what is missing. `adopt` takes its content over, in the same transaction.
pub(super) fn put_file(
    edit: &mut Edit<'_, '_>,
    deed: &Deed,
    name: &FileName,
    options: &PutOptions,
    new: &NewContent,
    adopt: impl FnOnce(&mut Edit<'_, '_>) -> Result<(), Refusal>,
) -> Result<Put, Refusal> {
    let (caller, now) = (&deed.caller, deed.now);
    let mut place = find_place(edit, caller, name, options)?;
    place.check_role(new.role)?;
    let former_bytes = place.former_bytes();
    let package = place.package;
    if let (Some(former), Some(release)) = (&place.former, &place.release) {
        if is_same(former, new) {
            let mut file = former.clone();
            if new.role.is_some() && !release.is_sealed() && file.chosen_role != new.role {
                give_role(edit, release, &mut place.files, &mut file, new.role)?;
                file.changed = now;
                edit.put_file(release, &file)?;
                edit.touch_package(&package, now)?;
                deed.note(edit, AuditAction::FileRoleSet, About::thing(name).of(&package))?;
            }
            let view = ReleaseViews::new(edit, &package, caller)?.file(edit, release, &file)?;
            return Ok(Put { view, outcome: Outcome::Unchanged });
        }
        if release.is_sealed() && !is_learned(former, new) {
            return Err(Refusal::conflict(format!(
                "{} of {} has been published with other bytes (SHA-256 {}); published files never change: publish a new version",
                former.display_name, release.version, former.sha256
            )));
        }
    }
    let lateness = match &place.release {
        Some(release) if place.former.is_none() => deed.check_not_late(release, options.late)?,
        _ => "",
    };
    deed.check_quota(edit, package.owner, former_bytes, new.stored_bytes())?;
    adopt(edit)?;
    let makes_release = place.release.is_none();
    let mut release = match place.release {
        Some(release) => release,
        None => {
            let mut release = new_release(edit, &package, place.channel.id, &name.release.version, now)?;
            if options.release == Some(Create::Active) {
                activate(&mut release, now);
            }
            release
        }
    };
    let platform = match place.platform {
        Some(platform) => platform,
        None => add_platform(edit, package.owner, &name.platform, now)?,
    };
    if let Some(published) = edit.published_digest(&tombstone(name))?
        && published != new.sha256
    {
        return Err(Refusal::conflict(format!(
            "{} of {} was published with other bytes (SHA-256 {published}) before it was deleted, and caches keep \
             these for long; publish a new version",
            name.display_name, release.version
        )));
    }
    let outcome = if place.former.is_some() { Outcome::Replaced } else { Outcome::Created };
    let mut file = match place.former {
        Some(former) => {
            edit.release_content(&former)?;
            ReleaseFile {
                size: new.size,
                sha256: new.sha256,
                content: new.content.clone(),
                mime_type: new.mime_type.clone(),
                changed: now,
                ..former
            }
        }
        None => ReleaseFile {
            id: FileId(edit.new_id()?),
            release: release.id,
            platform: platform.id,
            display_name: name.display_name.clone(),
            chosen_role: None,
            size: new.size,
            sha256: new.sha256,
            content: new.content.clone(),
            mime_type: new.mime_type.clone(),
            has_manifest: false,
            requirements: Vec::new(),
            created: now,
            changed: now,
        },
    };
    if new.role.is_some() {
        give_role(edit, &release, &mut place.files, &mut file, new.role)?;
    }
    release.changed = now;
    edit.put_release(&release)?;
    edit.put_file(&release, &file)?;
    edit.touch_package(&package, now)?;
    let action = if outcome == Outcome::Replaced { AuditAction::FileReplaced } else { AuditAction::FileAdded };
    let detail = match (makes_release, release.active) {
        (false, _) => lateness,
        (true, true) => "made the release, active",
        (true, false) => "made the release, a draft",
    };
    deed.note(edit, action, About::thing(name).of(&package).detail(detail))?;
    let mut view = ReleaseViews::new(edit, &package, caller)?.file(edit, &release, &file)?;
    if makes_release {
        view.warnings = warnings(edit, &package, &release)?;
    }
    Ok(Put { view, outcome })
}

/// Whether putting this content changes nothing.
pub(super) fn is_same(former: &ReleaseFile, new: &NewContent) -> bool {
    let same_bytes = former.sha256 == new.sha256 && former.size == new.size && former.content.is_known();
    let same_place = former.content.external_url() == new.content.external_url();
    // Without size and digest, nothing but the address is said.
    same_place && (same_bytes || !new.content.is_known())
}

/// Whether putting this content says size and digest of an archive elsewhere, which were not known before.
fn is_learned(former: &ReleaseFile, new: &NewContent) -> bool {
    !former.content.is_known() && new.content.is_known() && former.content.external_url() == new.content.external_url()
}

/// Refuses a version and platform whose package id is the name of another file of the index, or stands for others:
/// `1.0+a` for `b` and `1.0` for `a.b`
/// are both written `1.0+a.b`.
fn check_id_is_free<S: Source>(rows: &Rows<S>, package: &Package, name: &FileName) -> Result<(), Refusal> {
    let id = PackageId { version: name.release.version.clone(), platform: name.platform.clone() };
    let text = id.to_string();
    if text.to_ascii_lowercase().ends_with(".json") {
        let problem = format!("the package id {text} cannot end with .json: the index has a file of that name");
        return Err(Refusal::invalid("version", problem));
    }
    for other in PackageId::readings(&text).filter(|reading| *reading != id) {
        let Ok(platform) = platform_named(rows, package.owner, &other.platform) else { continue };
        for channel in rows.channels(package.owner)?.iter() {
            let Some(release) = rows.release_by_version(package, channel.id, &other.version)? else { continue };
            if rows.files(release.id)?.iter().any(|file| file.platform == platform.id) {
                let taken = [other.version.as_str(), other.platform.as_str()];
                return Err(Refusal::conflict(format!("the package id {text} is taken by version {}", listed(&taken))));
            }
        }
    }
    Ok(())
}
