//! Routing: one pure function from method and path to a [`Route`], so that the whole URL space is read in one place.
//!
//! Owns the paths and who may come near each. It turns names in paths into the model's types; what they mean is for
//! the handlers and services.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::model::{
    ApiTokenId, ChannelName, DisplayName, FullName, PackageName, PlatformName, TokenKind, UploadId, UserName, Version,
};
use crate::service::{FileName, KitFile, ReleaseName, WantedVersion};

/// Longest path that is looked at, in bytes: the longest names together fit twice over.
const PATH_BYTES_MAX: usize = 4096;

/// A request's target and what is to be done with it.
#[derive(Debug, Clone)]
pub enum Route {
    /// The one page of the user interface, whichever of its views the address names.
    Page,
    /// A file of the user interface.
    Asset(String),
    /// A page of the documentation; the first has no name.
    Docs(String),
    /// What the pages of the documentation look like.
    DocsStyle,
    /// Whether the process lives.
    Healthz,
    /// Whether the index is served.
    Readyz,
    /// Counters for Prometheus.
    Metrics,
    /// The API described by itself.
    OpenApi,
    /// Makes the first account.
    Setup,
    /// Signs in.
    SignIn,
    /// Signs out.
    SignOut,
    /// Who is signed in.
    Session,
    /// All users.
    Users,
    /// Makes a user.
    CreateUser,
    /// One user.
    User(UserName),
    /// Changes a user.
    ChangeUser(UserName),
    /// Deletes a user.
    DeleteUser(UserName),
    /// Makes a link by which a user chooses a password.
    InviteUser(UserName),
    /// Chooses a password by such a link.
    AcceptInvitation,
    /// Own API tokens.
    Tokens,
    /// Makes an API token.
    CreateToken,
    /// Deletes an API token.
    DeleteToken(ApiTokenId),
    /// Own channels.
    Channels,
    /// Makes a channel.
    CreateChannel,
    /// Changes a channel.
    ChangeChannel(ChannelName),
    /// Deletes a channel.
    DeleteChannel(ChannelName),
    /// What a retention rule of a channel would remove.
    PreviewRetention(ChannelName),
    /// Own platforms.
    Platforms,
    /// Makes a platform.
    CreatePlatform,
    /// Renames a platform.
    RenamePlatform(PlatformName),
    /// Deletes a platform.
    DeletePlatform(PlatformName),
    /// Packages that the caller may see.
    Packages,
    /// Makes a package.
    CreatePackage,
    /// One package.
    Package(FullName),
    /// Changes a package.
    ChangePackage(FullName),
    /// Deletes a package.
    DeletePackage(FullName),
    /// Replaces a token of a package.
    ReplacePackageToken(FullName, TokenKind),
    /// What was done to a package.
    PackageAudit(FullName),
    /// The members of a package.
    Members(FullName),
    /// Lets a member in.
    PutMember(FullName, UserName),
    /// Takes a member out.
    DeleteMember(FullName, UserName),
    /// The releases of a package.
    Releases(FullName),
    /// What each platform is offered.
    Offers(FullName),
    /// One release.
    Release(ReleaseName),
    /// Makes or changes a release.
    PutRelease(ReleaseName),
    /// Changes a release.
    ChangeRelease(ReleaseName),
    /// Deletes a release.
    DeleteRelease(ReleaseName),
    /// Downloads a file.
    File(FileName),
    /// Uploads a file.
    PutFile(FileName),
    /// Changes the role of a file.
    ChangeFile(FileName),
    /// Deletes a file.
    DeleteFile(FileName),
    /// The manifest of a file.
    Manifest(FileName),
    /// Sets the manifest of a file.
    PutManifest(FileName),
    /// Sets the requirements of a file.
    PutRequirements(FileName),
    /// Publishes a file that is kept elsewhere.
    PutExternal(FileName),
    /// What waits for the caller.
    Attention,
    /// Counts of a package.
    Statistics(FullName),
    /// What changes, as it changes.
    Events,
    /// What resumable uploads can do.
    UploadOptions,
    /// Own unfinished uploads.
    Uploads,
    /// Begins a resumable upload.
    CreateUpload,
    /// How far an upload is.
    Upload(UploadId),
    /// Brings more bytes of an upload.
    ContinueUpload(UploadId),
    /// Gives up an upload.
    DeleteUpload(UploadId),
    /// Publishes in one call.
    RegistryPublish,
    /// Withdraws in one call.
    RegistryUnpublish,
    /// The update check.
    Updates,
    /// What newer releases require.
    Requirements,
    /// Public packages that match.
    Search,
    /// What the shown token opens.
    Auth,
    /// What was done on the server.
    AdminAudit,
    /// A backup of everything.
    AdminBackup,
    /// A backup without what the caller has.
    AdminBackupFurther,
    /// What is stored, and what room there is.
    AdminStorage,
    /// How the server runs.
    AdminStatus,
    /// The settings with which it runs.
    AdminSettings,
    /// What a text looks like.
    PreviewMarkdown,
    /// A link to a file by words such as `latest`.
    Download(DownloadLink),
    /// `registry.gz` of a view.
    IndexRegistry(View),
    /// `summaries.gz` of a view.
    IndexSummaries(View),
    /// What changed in a view.
    IndexChanges(View),
    /// `packages/FULLNAME.gz` of a view.
    IndexPackage(View, FullName),
    /// `releases/FULLNAME.json` of a view.
    IndexReleases(View, FullName),
    /// A file of a view in the second dialect of the index.
    KitFile(View, KitFile),
    /// `archives/FULLNAME/FULLNAME-ID.json` of a view.
    ArchiveManifest(View, FullName, String),
    /// `archives/FULLNAME/FULLNAME-ID/DISPLAYNAME` of a view.
    Archive(View, FullName, String, DisplayName),
}

/// Whose releases an index shows: of each owner's default channel, or of the channel of that name.
pub type View = Option<ChannelName>;

/// The parts of `/download/NS/NAME/CHANNEL/VERSION/PLATFORM[/DISPLAYNAME]`.
#[derive(Debug, Clone)]
pub struct DownloadLink {
    /// The package.
    pub package: FullName,
    /// The channel.
    pub channel: ChannelName,
    /// The version, or the newest.
    pub version: WantedVersion,
    /// The platform.
    pub platform: PlatformName,
    /// The file; the archive where none is named.
    pub display_name: Option<DisplayName>,
}

/// Who may come near a route. What exactly they may is for the services to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone.
    Anyone,
    /// Whoever says who they are: a user or the holder of a package's token.
    Known,
}

/// Why a request has no route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoute {
    /// There is nothing at this path.
    NotFound,
    /// There is, but not for this method; these are for it.
    MethodNotAllowed(&'static str),
    /// The path is not well-formed.
    Malformed(&'static str),
    /// A name in the path breaks a rule.
    Invalid {
        /// Which name.
        field: &'static str,
        /// The rule.
        problem: String,
    },
}

impl Route {
    /// Who may come near.
    #[must_use]
    pub fn access(&self) -> Access {
        match self {
            Self::Page
            | Self::Asset(_)
            | Self::Docs(_)
            | Self::DocsStyle
            | Self::Healthz
            | Self::Readyz
            | Self::Metrics
            | Self::OpenApi
            | Self::Setup
            | Self::SignIn
            | Self::UploadOptions
            | Self::Events
            | Self::AcceptInvitation
            | Self::Packages
            | Self::Package(_)
            | Self::Releases(_)
            | Self::Offers(_)
            | Self::Release(_)
            | Self::File(_)
            | Self::Manifest(_)
            | Self::Updates
            | Self::Requirements
            | Self::Search
            | Self::Download(_)
            | Self::IndexRegistry(_)
            | Self::IndexSummaries(_)
            | Self::IndexChanges(_)
            | Self::IndexPackage(..)
            | Self::IndexReleases(..)
            | Self::KitFile(..)
            | Self::ArchiveManifest(..)
            | Self::Archive(..) => Access::Anyone,
            Self::SignOut
            | Self::Session
            | Self::Users
            | Self::CreateUser
            | Self::User(_)
            | Self::ChangeUser(_)
            | Self::DeleteUser(_)
            | Self::InviteUser(_)
            | Self::Tokens
            | Self::CreateToken
            | Self::DeleteToken(_)
            | Self::Channels
            | Self::CreateChannel
            | Self::ChangeChannel(_)
            | Self::DeleteChannel(_)
            | Self::PreviewRetention(_)
            | Self::Platforms
            | Self::CreatePlatform
            | Self::RenamePlatform(_)
            | Self::DeletePlatform(_)
            | Self::CreatePackage
            | Self::ChangePackage(_)
            | Self::DeletePackage(_)
            | Self::ReplacePackageToken(..)
            | Self::PackageAudit(_)
            | Self::AdminAudit
            | Self::AdminBackup
            | Self::AdminBackupFurther
            | Self::AdminStorage
            | Self::AdminStatus
            | Self::AdminSettings
            | Self::PreviewMarkdown
            | Self::Members(_)
            | Self::PutMember(..)
            | Self::DeleteMember(..)
            | Self::PutRelease(_)
            | Self::ChangeRelease(_)
            | Self::DeleteRelease(_)
            | Self::PutFile(_)
            | Self::ChangeFile(_)
            | Self::DeleteFile(_)
            | Self::PutManifest(_)
            | Self::PutRequirements(_)
            | Self::PutExternal(_)
            | Self::Attention
            | Self::Statistics(_)
            | Self::Uploads
            | Self::CreateUpload
            | Self::Upload(_)
            | Self::ContinueUpload(_)
            | Self::DeleteUpload(_)
            | Self::RegistryPublish
            | Self::RegistryUnpublish
            | Self::Auth => Access::Known,
        }
    }

    /// Whether it leads to what the binary itself brings for people to read, which is the same for all.
    #[must_use]
    pub fn is_for_reading(&self) -> bool {
        matches!(self, Self::Page | Self::Asset(_) | Self::Docs(_) | Self::DocsStyle)
    }

    /// What the route is called in logs and metrics. It holds nothing of the request.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Asset(_) => "asset",
            Self::Docs(_) => "docs",
            Self::DocsStyle => "docs_style",
            Self::Healthz => "healthz",
            Self::Readyz => "readyz",
            Self::Metrics => "metrics",
            Self::OpenApi => "openapi",
            Self::Setup => "setup",
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::Session => "session",
            Self::Users => "users",
            Self::CreateUser => "create_user",
            Self::User(_) => "user",
            Self::ChangeUser(_) => "change_user",
            Self::DeleteUser(_) => "delete_user",
            Self::InviteUser(_) => "invite_user",
            Self::AcceptInvitation => "accept_invitation",
            Self::Tokens => "tokens",
            Self::CreateToken => "create_token",
            Self::DeleteToken(_) => "delete_token",
            Self::Channels => "channels",
            Self::CreateChannel => "create_channel",
            Self::ChangeChannel(_) => "change_channel",
            Self::DeleteChannel(_) => "delete_channel",
            Self::PreviewRetention(_) => "preview_retention",
            Self::Platforms => "platforms",
            Self::CreatePlatform => "create_platform",
            Self::RenamePlatform(_) => "rename_platform",
            Self::DeletePlatform(_) => "delete_platform",
            Self::Packages => "packages",
            Self::CreatePackage => "create_package",
            Self::Package(_) => "package",
            Self::ChangePackage(_) => "change_package",
            Self::DeletePackage(_) => "delete_package",
            Self::ReplacePackageToken(..) => "replace_package_token",
            Self::PackageAudit(_) => "package_audit",
            Self::AdminAudit => "admin_audit",
            Self::AdminBackup => "admin_backup",
            Self::AdminBackupFurther => "admin_backup_further",
            Self::AdminStorage => "admin_storage",
            Self::AdminStatus => "admin_status",
            Self::AdminSettings => "admin_settings",
            Self::PreviewMarkdown => "preview_markdown",
            Self::Members(_) => "members",
            Self::PutMember(..) => "put_member",
            Self::DeleteMember(..) => "delete_member",
            Self::Releases(_) => "releases",
            Self::Offers(_) => "offers",
            Self::Release(_) => "release",
            Self::PutRelease(_) => "put_release",
            Self::ChangeRelease(_) => "change_release",
            Self::DeleteRelease(_) => "delete_release",
            Self::File(_) => "file",
            Self::PutFile(_) => "put_file",
            Self::ChangeFile(_) => "change_file",
            Self::DeleteFile(_) => "delete_file",
            Self::Manifest(_) => "manifest",
            Self::PutManifest(_) => "put_manifest",
            Self::PutRequirements(_) => "put_requirements",
            Self::PutExternal(_) => "put_external",
            Self::Attention => "attention",
            Self::Statistics(_) => "statistics",
            Self::Events => "events",
            Self::UploadOptions => "upload_options",
            Self::Uploads => "uploads",
            Self::CreateUpload => "create_upload",
            Self::Upload(_) => "upload",
            Self::ContinueUpload(_) => "continue_upload",
            Self::DeleteUpload(_) => "delete_upload",
            Self::RegistryPublish => "registry_publish",
            Self::RegistryUnpublish => "registry_unpublish",
            Self::Updates => "updates",
            Self::Requirements => "requirements",
            Self::Search => "search",
            Self::Auth => "auth",
            Self::Download(_) => "download",
            Self::IndexRegistry(_) => "index_registry",
            Self::IndexSummaries(_) => "index_summaries",
            Self::IndexChanges(_) => "index_changes",
            Self::IndexPackage(..) => "index_package",
            Self::IndexReleases(..) => "index_releases",
            Self::KitFile(_, KitFile::Registry) => "kit_registry",
            Self::KitFile(_, KitFile::Summaries) => "kit_summaries",
            Self::KitFile(_, KitFile::Package(_)) => "kit_package",
            Self::ArchiveManifest(..) => "archive_manifest",
            Self::Archive(..) => "archive",
        }
    }
}

/// Splits `/t/TOKEN` off the front of a path: the token, and the path that is left.
#[must_use]
pub fn split_token(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/t/")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let left = if end == rest.len() { "/" } else { &rest[end..] };
    Some((&rest[..end], left))
}

/// The route of a request, from its method and its path without token and query.
///
/// # Errors
/// If there is none.
pub fn route(method: &Method, path: &str) -> Result<Route, NoRoute> {
    if path.len() > PATH_BYTES_MAX {
        return Err(NoRoute::Malformed("the path has more than 4096 bytes"));
    }
    let inner = path.strip_prefix('/').ok_or(NoRoute::NotFound)?;
    let verb = Verb::of(method);
    if !inner.contains('%') {
        return route_of(verb, &inner.split('/').collect::<Vec<&str>>());
    }
    let segments = inner.split('/').map(decode).collect::<Result<Vec<String>, NoRoute>>()?;
    route_of(verb, &segments.iter().map(String::as_str).collect::<Vec<&str>>())
}

/// The route of a path, from its decoded segments.
fn route_of(verb: Verb, segments: &[&str]) -> Result<Route, NoRoute> {
    match segments {
        ["healthz"] => verb.pick([(Verb::Get, Route::Healthz)]),
        ["readyz"] => verb.pick([(Verb::Get, Route::Readyz)]),
        ["metrics"] => verb.pick([(Verb::Get, Route::Metrics)]),
        ["api", "v1", rest @ ..] => api(verb, rest),
        ["registry", "publish"] | ["kit", "registry", "publish"] => verb.pick([(Verb::Post, Route::RegistryPublish)]),
        ["registry", "unpublish"] | ["kit", "registry", "unpublish"] => {
            verb.pick([(Verb::Post, Route::RegistryUnpublish)])
        }
        ["kit", "v2", rest @ ..] => kit_index(verb, None, rest),
        ["channels", channel, "kit", "v2", rest @ ..] => kit_index(verb, Some(unknown_if_invalid(channel)?), rest),
        ["v2", rest @ ..] => index(verb, None, rest),
        ["channels", channel, "v2", rest @ ..] => index(verb, Some(unknown_if_invalid(channel)?), rest),
        ["download", namespace, name, channel, version, platform, rest @ ..] if rest.len() <= 1 => {
            let link = DownloadLink {
                package: full_name(namespace, name)?,
                channel: parse("channel", channel)?,
                version: match *version {
                    "latest" => WantedVersion::Latest,
                    version => WantedVersion::Exact(parse("version", version)?),
                },
                platform: parse("platform", platform)?,
                display_name: rest.first().map(|name| parse("display_name", name)).transpose()?,
            };
            verb.pick([(Verb::Get, Route::Download(link))])
        }
        ["docs"] | ["docs", ""] => verb.pick([(Verb::Get, Route::Docs(String::new()))]),
        ["docs", "style.css"] => verb.pick([(Verb::Get, Route::DocsStyle)]),
        ["docs", name] => verb.pick([(Verb::Get, Route::Docs((*name).to_owned()))]),
        ["assets", name] => verb.pick([(Verb::Get, Route::Asset(format!("assets/{name}")))]),
        [name] if name.contains('.') => verb.pick([(Verb::Get, Route::Asset((*name).to_owned()))]),
        segments if is_view(segments) => verb.pick([(Verb::Get, Route::Page)]),
        _ => Err(NoRoute::NotFound),
    }
}

/// First segments of paths that belong to programs. A user of such a name, from before names were reserved, has no view
/// of that address.
const PROGRAMS: [&str; 10] = ["api", "assets", "channels", "docs", "download", "kit", "p", "registry", "t", "v2"];

/// Whether the user interface has a view at this path. What it shows, and whether there is anything, it finds out.
fn is_view(segments: &[&str]) -> bool {
    match segments {
        [""] => true,
        [name] => !PROGRAMS.contains(name) && name.parse::<UserName>().is_ok(),
        ["account" | "admin", section] => section.parse::<UserName>().is_ok(),
        ["p", namespace, name, rest @ ..] => {
            full_name(namespace, name).is_ok()
                && matches!(
                    rest,
                    [] | ["new" | "releases" | "stats" | "settings" | "audit"]
                        | ["releases", _, _]
                        | ["releases", _, _, "edit"]
                )
        }
        _ => false,
    }
}

fn api(verb: Verb, segments: &[&str]) -> Result<Route, NoRoute> {
    match segments {
        ["openapi.json"] => verb.pick([(Verb::Get, Route::OpenApi)]),
        ["setup"] => verb.pick([(Verb::Post, Route::Setup)]),
        ["session"] => {
            verb.pick([(Verb::Get, Route::Session), (Verb::Post, Route::SignIn), (Verb::Delete, Route::SignOut)])
        }
        ["users"] => verb.pick([(Verb::Get, Route::Users), (Verb::Post, Route::CreateUser)]),
        ["users", name] => {
            let name: UserName = parse("name", name)?;
            verb.pick([
                (Verb::Get, Route::User(name.clone())),
                (Verb::Patch, Route::ChangeUser(name.clone())),
                (Verb::Delete, Route::DeleteUser(name)),
            ])
        }
        ["users", name, "invitation"] => verb.pick([(Verb::Post, Route::InviteUser(parse("name", name)?))]),
        ["invitation"] => verb.pick([(Verb::Post, Route::AcceptInvitation)]),
        ["admin", "audit"] => verb.pick([(Verb::Get, Route::AdminAudit)]),
        ["admin", "backup"] => verb.pick([(Verb::Get, Route::AdminBackup), (Verb::Post, Route::AdminBackupFurther)]),
        ["admin", "storage"] => verb.pick([(Verb::Get, Route::AdminStorage)]),
        ["admin", "status"] => verb.pick([(Verb::Get, Route::AdminStatus)]),
        ["admin", "settings"] => verb.pick([(Verb::Get, Route::AdminSettings)]),
        ["markdown"] => verb.pick([(Verb::Post, Route::PreviewMarkdown)]),
        ["tokens"] => verb.pick([(Verb::Get, Route::Tokens), (Verb::Post, Route::CreateToken)]),
        ["tokens", id] => {
            let id = id.parse().map(ApiTokenId).map_err(|_| NoRoute::NotFound)?;
            verb.pick([(Verb::Delete, Route::DeleteToken(id))])
        }
        ["channels"] => verb.pick([(Verb::Get, Route::Channels), (Verb::Post, Route::CreateChannel)]),
        ["channels", name] => {
            let name: ChannelName = parse("name", name)?;
            verb.pick([(Verb::Patch, Route::ChangeChannel(name.clone())), (Verb::Delete, Route::DeleteChannel(name))])
        }
        ["channels", name, "retention"] => verb.pick([(Verb::Get, Route::PreviewRetention(parse("name", name)?))]),
        ["platforms"] => verb.pick([(Verb::Get, Route::Platforms), (Verb::Post, Route::CreatePlatform)]),
        ["platforms", name] => {
            let name: PlatformName = parse("name", name)?;
            verb.pick([(Verb::Patch, Route::RenamePlatform(name.clone())), (Verb::Delete, Route::DeletePlatform(name))])
        }
        ["packages"] => verb.pick([(Verb::Get, Route::Packages), (Verb::Post, Route::CreatePackage)]),
        ["packages", namespace, name, rest @ ..] => package(verb, full_name(namespace, name)?, rest),
        ["attention"] => verb.pick([(Verb::Get, Route::Attention)]),
        ["events"] => verb.pick([(Verb::Get, Route::Events)]),
        ["uploads"] => verb.pick([
            (Verb::Options, Route::UploadOptions),
            (Verb::Get, Route::Uploads),
            (Verb::Post, Route::CreateUpload),
        ]),
        ["uploads", id] => {
            let id = id.parse().map(UploadId).map_err(|_| NoRoute::NotFound)?;
            verb.pick([
                (Verb::Options, Route::UploadOptions),
                (Verb::Get, Route::Upload(id)),
                (Verb::Patch, Route::ContinueUpload(id)),
                (Verb::Delete, Route::DeleteUpload(id)),
            ])
        }
        ["updates"] => verb.pick([(Verb::Get, Route::Updates)]),
        ["requirements"] => verb.pick([(Verb::Get, Route::Requirements)]),
        ["search"] => verb.pick([(Verb::Get, Route::Search)]),
        ["auth"] => verb.pick([(Verb::Get, Route::Auth)]),
        _ => Err(NoRoute::NotFound),
    }
}

fn package(verb: Verb, name: FullName, segments: &[&str]) -> Result<Route, NoRoute> {
    match segments {
        [] => verb.pick([
            (Verb::Get, Route::Package(name.clone())),
            (Verb::Patch, Route::ChangePackage(name.clone())),
            (Verb::Delete, Route::DeletePackage(name)),
        ]),
        ["tokens", kind] => {
            let kind = match *kind {
                "access" => TokenKind::Access,
                "private" => TokenKind::Private,
                _ => return Err(NoRoute::NotFound),
            };
            verb.pick([(Verb::Post, Route::ReplacePackageToken(name, kind))])
        }
        ["statistics"] => verb.pick([(Verb::Get, Route::Statistics(name))]),
        ["audit"] => verb.pick([(Verb::Get, Route::PackageAudit(name))]),
        ["members"] => verb.pick([(Verb::Get, Route::Members(name))]),
        ["members", user] => {
            let user: UserName = parse("user", user)?;
            verb.pick([
                (Verb::Put, Route::PutMember(name.clone(), user.clone())),
                (Verb::Delete, Route::DeleteMember(name, user)),
            ])
        }
        ["releases"] => verb.pick([(Verb::Get, Route::Releases(name))]),
        ["offers"] => verb.pick([(Verb::Get, Route::Offers(name))]),
        ["releases", channel, version, rest @ ..] => {
            let version: Version = parse("version", version)?;
            release(verb, ReleaseName { package: name, channel: parse("channel", channel)?, version }, rest)
        }
        _ => Err(NoRoute::NotFound),
    }
}

fn release(verb: Verb, name: ReleaseName, segments: &[&str]) -> Result<Route, NoRoute> {
    match segments {
        [] => verb.pick([
            (Verb::Get, Route::Release(name.clone())),
            (Verb::Put, Route::PutRelease(name.clone())),
            (Verb::Patch, Route::ChangeRelease(name.clone())),
            (Verb::Delete, Route::DeleteRelease(name)),
        ]),
        ["files", platform, display_name, rest @ ..] => {
            let platform = parse("platform", platform)?;
            file(verb, FileName { release: name, platform, display_name: parse("display_name", display_name)? }, rest)
        }
        _ => Err(NoRoute::NotFound),
    }
}

fn file(verb: Verb, name: FileName, segments: &[&str]) -> Result<Route, NoRoute> {
    match segments {
        [] => verb.pick([
            (Verb::Get, Route::File(name.clone())),
            (Verb::Put, Route::PutFile(name.clone())),
            (Verb::Patch, Route::ChangeFile(name.clone())),
            (Verb::Delete, Route::DeleteFile(name)),
        ]),
        ["manifest"] => verb.pick([(Verb::Get, Route::Manifest(name.clone())), (Verb::Put, Route::PutManifest(name))]),
        ["requirements"] => verb.pick([(Verb::Put, Route::PutRequirements(name))]),
        ["external"] => verb.pick([(Verb::Post, Route::PutExternal(name))]),
        _ => Err(NoRoute::NotFound),
    }
}

/// The files of an index. A name that breaks a rule is that of no file there.
fn index(verb: Verb, view: View, segments: &[&str]) -> Result<Route, NoRoute> {
    let found = match segments {
        ["registry.gz"] => Route::IndexRegistry(view),
        ["summaries.gz"] => Route::IndexSummaries(view),
        ["changes"] => Route::IndexChanges(view),
        ["packages", file] => {
            let name = file.strip_suffix(".gz").ok_or(NoRoute::NotFound)?;
            Route::IndexPackage(view, unknown_if_invalid(name)?)
        }
        ["releases", file] => {
            let name = file.strip_suffix(".json").ok_or(NoRoute::NotFound)?;
            Route::IndexReleases(view, unknown_if_invalid(name)?)
        }
        ["archives", name, file] => {
            let package: FullName = unknown_if_invalid(name)?;
            let id = file.strip_suffix(".json").and_then(|stem| package_id(name, stem)).ok_or(NoRoute::NotFound)?;
            Route::ArchiveManifest(view, package, id)
        }
        ["archives", name, folder, display_name] => {
            let package: FullName = unknown_if_invalid(name)?;
            let id = package_id(name, folder).ok_or(NoRoute::NotFound)?;
            Route::Archive(view, package, id, unknown_if_invalid(display_name)?)
        }
        _ => return Err(NoRoute::NotFound),
    };
    verb.pick([(Verb::Get, found)])
}

/// The same in the second dialect, which has the same archives.
fn kit_index(verb: Verb, view: View, segments: &[&str]) -> Result<Route, NoRoute> {
    let file = match segments {
        ["registry.gz"] => KitFile::Registry,
        ["summaries.gz"] => KitFile::Summaries,
        ["packages", file] => {
            let name = file.strip_suffix(".gz").ok_or(NoRoute::NotFound)?;
            KitFile::Package(unknown_if_invalid(name)?)
        }
        ["archives", ..] => return index(verb, view, segments),
        _ => return Err(NoRoute::NotFound),
    };
    verb.pick([(Verb::Get, Route::KitFile(view, file))])
}

/// The package id behind `FULLNAME-`.
fn package_id(name: &str, text: &str) -> Option<String> {
    text.strip_prefix(name)?.strip_prefix('-').map(str::to_owned)
}

fn full_name(namespace: &str, name: &str) -> Result<FullName, NoRoute> {
    Ok(FullName::new(&parse("namespace", namespace)?, &parse::<PackageName>("name", name)?))
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(field: &'static str, text: &str) -> Result<T, NoRoute> {
    text.parse().map_err(|problem: T::Err| NoRoute::Invalid { field, problem: problem.to_string() })
}

fn unknown_if_invalid<T: std::str::FromStr>(text: &str) -> Result<T, NoRoute> {
    text.parse().map_err(|_| NoRoute::NotFound)
}

/// Decodes a path segment (RFC 3986, section 2.1). A plus sign stays one.
fn decode(segment: &str) -> Result<String, NoRoute> {
    let bytes = segment.as_bytes();
    let well_formed = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .all(|(at, _)| bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    if !well_formed {
        return Err(NoRoute::Malformed("a % in a path is followed by two hexadecimal digits"));
    }
    let decoded = percent_decode_str(segment).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| NoRoute::Malformed("a path is UTF-8"))
}

/// The methods that mean something here. `HEAD` is `GET` without content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Other,
}

impl Verb {
    fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::Get,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::PATCH => Self::Patch,
            Method::DELETE => Self::Delete,
            Method::OPTIONS => Self::Options,
            _ => Self::Other,
        }
    }

    /// The route for this method among those of a path.
    fn pick<const N: usize>(self, routes: [(Self, Route); N]) -> Result<Route, NoRoute> {
        let has = |verb| routes.iter().any(|(known, _)| *known == verb);
        let allow = if has(Self::Options) {
            if has(Self::Post) { "OPTIONS, GET, HEAD, POST" } else { "OPTIONS, GET, HEAD, PATCH, DELETE" }
        } else {
            match (has(Self::Get), has(Self::Post), has(Self::Put), has(Self::Patch), has(Self::Delete)) {
                (true, false, false, false, false) => "GET, HEAD",
                (true, true, false, false, false) => "GET, HEAD, POST",
                (true, true, false, false, true) => "GET, HEAD, POST, DELETE",
                (true, false, true, false, false) => "GET, HEAD, PUT",
                (true, false, true, false, true) => "GET, HEAD, PUT, DELETE",
                (true, false, true, true, true) => "GET, HEAD, PUT, PATCH, DELETE",
                (true, false, false, true, true) => "GET, HEAD, PATCH, DELETE",
                (false, true, false, false, false) => "POST",
                (false, false, true, false, false) => "PUT",
                (false, false, true, false, true) => "PUT, DELETE",
                (false, false, false, true, true) => "PATCH, DELETE",
                (false, false, false, false, true) => "DELETE",
                _ => "",
            }
        };
        let found = routes.into_iter().find(|(verb, _)| *verb == self);
        found.map(|(_, route)| route).ok_or(NoRoute::MethodNotAllowed(allow))
    }
}

#[cfg(test)]
mod tests;
