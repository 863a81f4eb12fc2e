//! What the API shows of entities: the fields of each answer, by their names on the wire.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::access::open_package;
use super::caller::Caller;
use super::condition::{package_mark, release_mark};
use super::indexing::described;
use super::markdown;
use super::refusal::Refusal;
use crate::model::file_role::{archives, role_among, role_in};
use crate::model::{
    ApiToken, ApiTokenId, Channel, ChannelName, ChannelShort, Crc32, DisplayName, FileRole, FullName, Package,
    PackageName, Platform, PlatformName, Release, ReleaseFile, Requirement, RetentionRule, Role, Scope, Sha256,
    Timestamp, User, UserName, Version,
};
use crate::store::{Rows, Source, StorageError};

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A list that fits one page.
    pub(super) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// Who is signed in.
#[derive(Debug, Serialize)]
pub struct SessionView {
    /// The user.
    pub user: SessionUser,
}

/// The user of a session.
#[derive(Debug, Serialize)]
pub struct SessionUser {
    name: UserName,
    admin: bool,
}

impl SessionView {
    pub(super) fn of(user: &User) -> Self {
        Self { user: SessionUser { name: user.name.clone(), admin: user.admin } }
    }
}

/// A user.
#[derive(Debug, Serialize)]
pub struct UserView {
    name: UserName,
    admin: bool,
    disabled: bool,
    invited: bool,
    quota_bytes: Option<u64>,
    stored_bytes: u64,
    created: Timestamp,
    changed: Timestamp,
}

impl UserView {
    pub(super) fn of<S: Source>(rows: &Rows<S>, user: &User) -> Result<Self, StorageError> {
        Ok(Self {
            name: user.name.clone(),
            admin: user.admin,
            disabled: user.disabled,
            invited: user.password.is_none(),
            quota_bytes: user.quota_bytes,
            stored_bytes: rows.stored_bytes(user.id)?,
            created: user.created,
            changed: user.changed,
        })
    }
}

/// An API token.
#[derive(Debug, Serialize)]
pub struct ApiTokenView {
    id: u64,
    name: String,
    scopes: Vec<&'static str>,
    created: Timestamp,
    expires: Option<Timestamp>,
    last_used: Option<Timestamp>,
    /// The token itself, shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl ApiTokenView {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> ApiTokenId {
        ApiTokenId(self.id)
    }

    pub(super) fn of(token: &ApiToken, secret: Option<String>) -> Self {
        Self {
            id: token.id.0,
            name: token.name.as_str().to_owned(),
            scopes: token.scopes.iter().copied().map(Scope::as_str).collect(),
            created: token.created,
            expires: token.expires,
            last_used: token.last_used,
            secret,
        }
    }
}

/// A channel.
#[derive(Debug, Serialize)]
pub struct ChannelView {
    name: ChannelName,
    short: ChannelShort,
    default: bool,
    includes: Vec<ChannelName>,
    retention: Option<RetentionView>,
    created: Timestamp,
    changed: Timestamp,
}

impl ChannelView {
    /// `all` are the owner's channels.
    pub(super) fn of(channel: &Channel, all: &[Channel]) -> Self {
        let name_of = |id| all.iter().find(|other| other.id == id).map(|other| other.name.clone());
        Self {
            name: channel.name.clone(),
            short: channel.short.clone(),
            default: channel.default,
            includes: channel.includes.iter().copied().filter_map(name_of).collect(),
            retention: channel.retention.map(|retention| RetentionView::of(retention.rule)),
            created: channel.created,
            changed: channel.changed,
        }
    }
}

/// What of a channel's releases stays.
#[derive(Debug, Serialize)]
pub(super) struct RetentionView {
    keep_newest: Option<u32>,
    keep_days: Option<u32>,
    keep_downloaded_days: Option<u32>,
}

impl RetentionView {
    pub(super) fn of(rule: RetentionRule) -> Self {
        Self { keep_newest: rule.newest(), keep_days: rule.days(), keep_downloaded_days: rule.downloaded_days() }
    }
}

/// A platform.
#[derive(Debug, Serialize)]
pub struct PlatformView {
    name: PlatformName,
    created: Timestamp,
    changed: Timestamp,
}

impl PlatformView {
    pub(super) fn of(platform: &Platform) -> Self {
        Self { name: platform.name.clone(), created: platform.created, changed: platform.changed }
    }
}

/// A member of a package.
#[derive(Debug, Serialize)]
pub struct MemberView {
    /// The member's name.
    pub user: UserName,
    /// What the member may do.
    pub role: &'static str,
    /// When the member was let in.
    pub created: Timestamp,
    /// When the role last changed.
    pub changed: Timestamp,
}

/// A package.
#[derive(Debug, Serialize)]
pub struct PackageView {
    namespace: UserName,
    name: PackageName,
    full_name: FullName,
    title: Option<String>,
    icon: Option<String>,
    summary: String,
    #[serde(flatten)]
    text: Option<DescriptionView>,
    visibility: &'static str,
    version_scheme: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    private_token_set: bool,
    role: Option<&'static str>,
    latest: Map<String, Value>,
    default_channel: ChannelName,
    /// The owner's, for those who may publish.
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<Vec<ChannelName>>,
    /// The owner's, for those who may publish.
    #[serde(skip_serializing_if = "Option::is_none")]
    platforms: Option<Vec<PlatformName>>,
    downloads: u64,
    created: Timestamp,
    changed: Timestamp,
    /// What a change can be made conditional on.
    #[serde(skip)]
    pub mark: String,
}

/// The description of a package: not in lists of those whom a line about each is enough.
#[derive(Debug, Serialize)]
struct DescriptionView {
    description: String,
    description_html: String,
}

impl PackageView {
    pub(super) fn of<S: Source>(rows: &Rows<S>, package: &Package, role: Option<Role>) -> Result<Self, StorageError> {
        let text = DescriptionView {
            description: package.description.as_str().to_owned(),
            description_html: markdown::to_html(&package.description),
        };
        Ok(Self { text: Some(text), ..Self::brief(rows, package, role)? })
    }

    /// All but the description.
    pub(super) fn brief<S: Source>(
        rows: &Rows<S>,
        package: &Package,
        role: Option<Role>,
    ) -> Result<Self, StorageError> {
        let private = package.visibility == crate::model::Visibility::Private;
        let access_token = (role == Some(Role::Owner) && private).then(|| package.access_token.reveal().to_owned());
        let mut latest = Map::new();
        let channels = rows.channels(package.owner)?;
        let default_channel = channels.iter().find(|channel| channel.default).map(|channel| channel.name.clone());
        let default_channel =
            default_channel.ok_or_else(|| StorageError::damaged("channel", "a user has no default channel"))?;
        let publishes = role >= Some(Role::Maintainer);
        let platforms = match publishes {
            true => Some(rows.platforms(package.owner)?.iter().map(|platform| platform.name.clone()).collect()),
            false => None,
        };
        for channel in channels.iter() {
            let mut highest = None;
            rows.releases_below(package.id, channel.id, None, |release| {
                if !release.is_offered() || archives(&rows.files(release.id)?).is_empty() {
                    return Ok(std::ops::ControlFlow::Continue(()));
                }
                highest = Some(release.version);
                Ok(std::ops::ControlFlow::Break(()))
            })?;
            if let Some(version) = highest {
                latest.insert(channel.name.to_string(), Value::String(version.to_string()));
            }
        }
        let described = rows.index_package(package.id)?.as_ref().map(described).unwrap_or_default();
        let mut summary = markdown::first_line(&package.description);
        if summary.is_empty() {
            summary = described.description.unwrap_or_default();
        }
        Ok(Self {
            namespace: package.namespace.clone(),
            name: package.name.clone(),
            full_name: package.full_name(),
            title: described.title,
            icon: described.icon,
            summary,
            text: None,
            visibility: package.visibility.as_str(),
            version_scheme: package.version_scheme.as_str(),
            access_token,
            private_token_set: package.private_token.is_some(),
            role: role.map(Role::as_str),
            latest,
            default_channel,
            channels: publishes.then(|| channels.iter().map(|channel| channel.name.clone()).collect()),
            platforms,
            downloads: rows.package_downloads(package.id)?,
            created: package.created,
            changed: package.changed,
            mark: package_mark(package),
        })
    }
}

/// A release with its files.
#[derive(Debug, Serialize)]
pub struct ReleaseView {
    channel: ChannelName,
    version: Version,
    active: bool,
    published: Option<Timestamp>,
    publish_at: Option<Timestamp>,
    yanked: Option<String>,
    description: String,
    description_html: String,
    downloads: u64,
    files: Vec<FileView>,
    /// What the author should know of where the version sorts: in the answer that publishes it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
    created: Timestamp,
    changed: Timestamp,
    /// What a change can be made conditional on.
    #[serde(skip)]
    pub mark: String,
}

/// A release file.
#[derive(Debug, Serialize)]
pub struct FileView {
    platform: PlatformName,
    display_name: DisplayName,
    role: &'static str,
    filename: Option<Sha256Text>,
    size: Option<u64>,
    mime_type: String,
    extension: String,
    sha256: Option<Sha256Text>,
    crc32: Option<String>,
    external_url: Option<String>,
    requirements: Vec<Requirement>,
    url: String,
    downloads: u64,
    /// What the author should know of where the version sorts: in the answer that publishes it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
    created: Timestamp,
    changed: Timestamp,
}

impl FileView {
    /// Where the file can be downloaded.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the author should know of where the version sorts.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// A SHA-256 as its 64 digits.
#[derive(Debug)]
pub(super) struct Sha256Text(pub(super) Sha256);

impl Serialize for Sha256Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Makes views of one package's releases and files.
pub(super) struct ReleaseViews<'a> {
    /// The package.
    pub(super) package: &'a Package,
    /// All channels of its owner.
    pub(super) channels: Arc<[Channel]>,
    /// All platforms of its owner.
    pub(super) platforms: Arc<[Platform]>,
    /// Where the caller reaches the server.
    pub(super) origin: &'a str,
}

impl<'a> ReleaseViews<'a> {
    pub(super) fn new<S: Source>(
        rows: &Rows<S>,
        package: &'a Package,
        caller: &'a Caller,
    ) -> Result<Self, StorageError> {
        let channels = rows.channels(package.owner)?;
        let platforms = rows.platforms(package.owner)?;
        Ok(Self { package, channels, platforms, origin: &caller.origin })
    }

    pub(super) fn release<S: Source>(&self, rows: &Rows<S>, release: &Release) -> Result<ReleaseView, StorageError> {
        let files = rows.files(release.id)?;
        let archives = archives(&files);
        let files = files
            .iter()
            .map(|file| self.file_in_role(rows, release, file, role_among(&archives, file)))
            .collect::<Result<Vec<_>, StorageError>>()?;
        Ok(ReleaseView {
            channel: self.channel_name(release)?.clone(),
            version: release.version.clone(),
            active: release.active,
            published: release.published,
            publish_at: release.publish_at,
            yanked: release.yanked.as_ref().map(|reason| reason.as_str().to_owned()),
            description: release.description.as_str().to_owned(),
            description_html: markdown::to_html(&release.description),
            downloads: files.iter().map(|file| file.downloads).sum(),
            files,
            warnings: Vec::new(),
            created: release.created,
            changed: release.changed,
            mark: release_mark(release),
        })
    }

    pub(super) fn file<S: Source>(
        &self,
        rows: &Rows<S>,
        release: &Release,
        file: &ReleaseFile,
    ) -> Result<FileView, StorageError> {
        let role = role_in(&rows.files(release.id)?, file);
        self.file_in_role(rows, release, file, role)
    }

    /// The view of a file whose role is known.
    fn file_in_role<S: Source>(
        &self,
        rows: &Rows<S>,
        release: &Release,
        file: &ReleaseFile,
        role: FileRole,
    ) -> Result<FileView, StorageError> {
        let platform = self.platform_name(file)?;
        Ok(FileView {
            platform: platform.clone(),
            display_name: file.display_name.clone(),
            role: role.as_str(),
            filename: file.content.crc32().map(|_| Sha256Text(file.sha256)),
            size: file.known_size(),
            mime_type: file.mime_type.as_str().to_owned(),
            extension: file.display_name.extension(),
            sha256: file.known_sha256().map(Sha256Text),
            crc32: file.content.crc32().as_ref().map(Crc32::to_string),
            external_url: file.content.external_url().map(|url| url.as_str().to_owned()),
            requirements: file.requirements.clone(),
            url: format!("{}{}", self.origin, self.file_path(release, file)?),
            downloads: rows.file_downloads(release.id, file.id)?,
            warnings: Vec::new(),
            created: file.created,
            changed: file.changed,
        })
    }

    /// The path of a file in the API.
    pub(super) fn file_path(&self, release: &Release, file: &ReleaseFile) -> Result<String, StorageError> {
        Ok(format!(
            "/api/v1/packages/{}/{}/releases/{}/{}/files/{}/{}",
            self.package.namespace,
            self.package.name,
            self.channel_name(release)?,
            encoded(release.version.as_str()),
            self.platform_name(file)?,
            encoded(file.display_name.as_str()),
        ))
    }

    pub(super) fn channel_name(&self, release: &Release) -> Result<&ChannelName, StorageError> {
        let channel = self.channels.iter().find(|channel| channel.id == release.channel);
        channel.map(|channel| &channel.name).ok_or_else(|| StorageError::damaged("release", "its channel is gone"))
    }

    pub(super) fn platform_name(&self, file: &ReleaseFile) -> Result<&PlatformName, StorageError> {
        let platform = self.platforms.iter().find(|platform| platform.id == file.platform);
        platform.map(|platform| &platform.name).ok_or_else(|| StorageError::damaged("file", "its platform is gone"))
    }
}

/// Percent-encodes a path segment (RFC 3986, section 3.3); `+` too, which some programs take for a space.
#[must_use]
pub(super) fn encoded(segment: &str) -> percent_encoding::PercentEncode<'_> {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(segment, KEPT)
}

/// The caller's view of a package it may read.
pub(super) fn package_view<S: Source>(
    rows: &Rows<S>,
    caller: &Caller,
    name: &FullName,
) -> Result<PackageView, Refusal> {
    let (package, role) = open_package(rows, caller, name, None)?;
    Ok(PackageView::of(rows, &package, role)?)
}
