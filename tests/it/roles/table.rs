//! What each role may: one row per call, one column per role.

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nobody.
    Anonymous,
    /// A user who has nothing to do with the package.
    Uma,
    /// A reader.
    Rita,
    /// A maintainer.
    Mara,
    /// An owner by membership.
    Olga,
    /// Whose package it is.
    Omni,
    /// The server's admin.
    Root,
    /// Omni's API tokens.
    TokenRead,
    TokenPublish,
    TokenAdmin,
    /// The package's own tokens.
    Access,
    Private,
    /// Those of another package.
    OtherAccess,
    OtherPrivate,
}

/// All of them, in the order of the columns.
pub(super) const ROLES: [Role; 14] = [
    Role::Anonymous,
    Role::Uma,
    Role::Rita,
    Role::Mara,
    Role::Olga,
    Role::Omni,
    Role::Root,
    Role::TokenRead,
    Role::TokenPublish,
    Role::TokenAdmin,
    Role::Access,
    Role::Private,
    Role::OtherAccess,
    Role::OtherPrivate,
];

impl Role {
    /// Whether it may know of the private package.
    pub(super) fn reads_private(self) -> bool {
        !matches!(self, Self::Anonymous | Self::Uma | Self::OtherAccess | Self::OtherPrivate)
    }

    /// Whether it may see drafts.
    pub(super) fn sees_drafts(self) -> bool {
        self.reads_private() && !matches!(self, Self::Rita | Self::TokenRead | Self::Access)
    }

    /// Whether it may see and replace the package's tokens.
    pub(super) fn owns(self) -> bool {
        matches!(self, Self::Olga | Self::Omni | Self::Root | Self::TokenAdmin)
    }
}

/// What is sent along.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    None,
    Json(&'static str),
    Bytes(&'static str),
    /// The fields of a form; `{p}` stands for the package as in paths.
    Form(&'static [(&'static str, &'static str)]),
    /// Bytes of an upload by tus, from its beginning.
    Tus(&'static str),
    /// The metadata of an upload of three bytes by tus.
    Metadata(&'static [(&'static str, &'static str)]),
}

/// A call and the status that each role gets, 0 where another test says more.
pub(super) struct Call {
    pub(super) route: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) content: Content,
    pub(super) public: Row,
    pub(super) private: Row,
}

type Row = [u16; ROLES.len()];

/// Everybody.
const fn all(ok: u16) -> Row {
    [ok; ROLES.len()]
}

//                     anonymous uma rita mara olga omni root | read publish admin | access private | other's
/// Who reads a package may, and for public ones that is everybody.
const fn readers(ok: u16) -> Row {
    [404, 404, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, 404, 404]
}

/// Whose index has the package: an admin of the server may read it, but does not get everybody's into the index.
const fn synced(ok: u16) -> Row {
    [404, 404, ok, ok, ok, ok, 404, ok, ok, ok, ok, ok, 404, 404]
}

/// Who sees drafts may.
const fn drafts(ok: u16) -> Row {
    [404, 404, 404, ok, ok, ok, ok, 404, ok, ok, 404, ok, 404, 404]
}

/// Who publishes may; `no` is for those who should not even know of the package.
const fn maintainers(ok: u16, no: u16) -> Row {
    [401, no, 403, ok, ok, ok, ok, 403, ok, ok, 403, ok, no, no]
}

/// The same on a private package, where access tokens are refused before they say for what.
const fn publishers(ok: u16) -> Row {
    [401, 404, 403, ok, ok, ok, ok, 403, ok, ok, 403, ok, 403, 404]
}

/// Who owns may.
const fn owners(ok: u16, no: u16) -> Row {
    [401, no, 403, 403, ok, ok, ok, 403, 403, ok, 403, 403, no, no]
}

/// Who belongs to the package may.
const fn members(ok: u16, no: u16) -> Row {
    [401, no, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, no, no]
}

/// The people among them may: a token of the package is passed on to those who need not know them.
const fn people(ok: u16, no: u16) -> Row {
    [401, no, ok, ok, ok, ok, ok, ok, ok, ok, 403, 403, no, no]
}

/// Users may, with a token of that scope.
const fn users(ok: u16, read: u16, publish: u16) -> Row {
    [401, ok, ok, ok, ok, ok, ok, read, publish, ok, 403, 403, 403, 403]
}

/// Admins of the server may.
const fn admins(ok: u16) -> Row {
    [401, 403, 403, 403, 403, 403, ok, 403, 403, 403, 403, 403, 403, 403]
}

const fn call(route: &'static str, method: &'static str, path: &'static str, content: Content, row: Row) -> Call {
    Call { route, method, path, content, public: row, private: row }
}

/// A call whose answer depends on the package.
const fn on(
    route: &'static str,
    method: &'static str,
    path: &'static str,
    content: Content,
    public: Row,
    private: Row,
) -> Call {
    Call { route, method, path, content, public, private }
}

/// Who may publish anything may.
const PUBLISHES: Row = [401, 200, 200, 200, 200, 200, 200, 403, 200, 200, 403, 200, 403, 200];

/// Whose it is may: the user with a token that publishes, and nobody else knows of it.
const fn own_upload(ok: u16) -> Row {
    [401, 404, 404, 404, 404, ok, 404, 403, ok, ok, 403, 404, 403, 404]
}

use Content::{Bytes, Form, Json, Metadata, None, Tus};

const PACKAGE: &str = "/api/v1/packages/omni/{p}";
const RELEASE: &str = "/api/v1/packages/omni/{p}/releases/stable/1.0.0";
const DRAFT: &str = "/api/v1/packages/omni/{p}/releases/stable/2.0.0";
const FILE: &str = "/api/v1/packages/omni/{p}/releases/stable/1.0.0/files/any/a.zip";
const DRAFT_FILE: &str = "/api/v1/packages/omni/{p}/releases/stable/2.0.0/files/any/b.zip";
const SIGN_IN: Content = Json(r#"{"name":"omni","password":"correct horse battery"}"#);

/// Every call there is.
pub(super) const CALLS: &[Call] = &[
    call("page", "GET", "/", None, all(200)),
    call("page", "GET", "/p/omni/hush/settings", None, all(200)),
    call("asset", "GET", "/favicon.svg", None, all(200)),
    call("docs", "GET", "/docs/operations", None, all(200)),
    call("docs_style", "GET", "/docs/style.css", None, all(200)),
    call("healthz", "GET", "/healthz", None, all(200)),
    call("readyz", "GET", "/readyz", None, all(200)),
    call("metrics", "GET", "/metrics", None, all(200)),
    call("openapi", "GET", "/api/v1/openapi.json", None, all(200)),
    call("setup", "POST", "/api/v1/setup", Json(r#"{"token":"x","name":"eve","password":"correct horse"}"#), all(403)),
    call("sign_in", "POST", "/api/v1/session", SIGN_IN, all(200)),
    call("sign_out", "DELETE", "/api/v1/session", None, members(204, 204)),
    call("session", "GET", "/api/v1/session", None, users(200, 200, 200)),
    call("users", "GET", "/api/v1/users", None, admins(200)),
    call("create_user", "POST", "/api/v1/users", Json(r#"{"name":"eve","password":"correct horse"}"#), admins(201)),
    call(
        "user",
        "GET",
        "/api/v1/users/omni",
        None,
        [401, 403, 403, 403, 403, 200, 200, 200, 200, 200, 403, 403, 403, 403],
    ),
    call(
        "change_user",
        "PATCH",
        "/api/v1/users/omni",
        Json(r#"{"password":"another one","old_password":"correct horse battery"}"#),
        [401, 403, 403, 403, 403, 200, 200, 403, 403, 200, 403, 403, 403, 403],
    ),
    call("change_user", "PATCH", "/api/v1/users/omni", Json(r#"{"admin":true}"#), admins(200)),
    call("delete_user", "DELETE", "/api/v1/users/rita", None, admins(204)),
    call("delete_user", "DELETE", "/api/v1/users/omni?packages=delete", None, admins(204)),
    call("create_user", "POST", "/api/v1/users", Json(r#"{"name":"eve"}"#), admins(201)),
    call("invite_user", "POST", "/api/v1/users/omni/invitation", None, admins(201)),
    call(
        "accept_invitation",
        "POST",
        "/api/v1/invitation",
        // A right one would be counted as a try, and tries are few.
        Json(r#"{"token":"x","password":"short"}"#),
        all(422),
    ),
    call("admin_audit", "GET", "/api/v1/admin/audit", None, admins(200)),
    call("admin_backup", "GET", "/api/v1/admin/backup", None, admins(200)),
    call("admin_backup_further", "POST", "/api/v1/admin/backup", Json(r#"{"volumes":[]}"#), admins(200)),
    call("admin_storage", "GET", "/api/v1/admin/storage", None, admins(200)),
    call("admin_status", "GET", "/api/v1/admin/status", None, admins(200)),
    call("admin_settings", "GET", "/api/v1/admin/settings", None, admins(200)),
    call("preview_markdown", "POST", "/api/v1/markdown", Json(r#"{"text":"*a*"}"#), users(200, 200, 200)),
    on("package_audit", "GET", "/api/v1/packages/omni/{p}/audit", None, owners(200, 403), owners(200, 404)),
    call("tokens", "GET", "/api/v1/tokens", None, users(200, 403, 403)),
    call("create_token", "POST", "/api/v1/tokens", Json(r#"{"name":"ci","scopes":["read"]}"#), users(201, 403, 403)),
    call(
        "delete_token",
        "DELETE",
        "/api/v1/tokens/{id}",
        None,
        [401, 404, 404, 404, 404, 204, 404, 403, 403, 204, 403, 403, 403, 403],
    ),
    call("channels", "GET", "/api/v1/channels", None, users(200, 200, 200)),
    call("create_channel", "POST", "/api/v1/channels", Json(r#"{"name":"nightly"}"#), users(201, 403, 403)),
    call("change_channel", "PATCH", "/api/v1/channels/beta", Json(r#"{"short":"b"}"#), users(200, 403, 403)),
    call("preview_retention", "GET", "/api/v1/channels/beta/retention?keep_newest=1", None, users(200, 200, 200)),
    call("delete_channel", "DELETE", "/api/v1/channels/alpha", None, users(204, 403, 403)),
    call("platforms", "GET", "/api/v1/platforms", None, users(200, 200, 200)),
    call("create_platform", "POST", "/api/v1/platforms", Json(r#"{"name":"wx64.r"}"#), users(201, 403, 403)),
    call("rename_platform", "PATCH", "/api/v1/platforms/macos-x64", Json(r#"{"name":"mac"}"#), users(200, 403, 403)),
    call("delete_platform", "DELETE", "/api/v1/platforms/macos-x64", None, users(204, 403, 403)),
    call("packages", "GET", "/api/v1/packages", None, all(200)),
    call("packages", "GET", "/api/v1/packages?search=hush", None, all(200)),
    call("packages", "GET", "/api/v1/packages?owner=omni&limit=1", None, all(200)),
    call("packages", "GET", "/api/v1/packages?owner=omni&sort=name", None, all(200)),
    call("packages", "GET", "/api/v1/packages?sort=name", None, all(200)),
    call("packages", "GET", "/api/v1/packages?role=member", None, users(200, 200, 200)),
    call("packages", "GET", "/api/v1/packages?role=none&view=brief", None, all(200)),
    call("create_package", "POST", "/api/v1/packages", Json(r#"{"name":"new"}"#), users(201, 403, 201)),
    on("package", "GET", PACKAGE, None, all(200), readers(200)),
    on("change_package", "PATCH", PACKAGE, Json(r#"{"description":"x"}"#), owners(200, 403), owners(200, 404)),
    on("delete_package", "DELETE", PACKAGE, None, owners(204, 403), owners(204, 404)),
    on(
        "replace_package_token",
        "POST",
        "/api/v1/packages/omni/{p}/tokens/access",
        None,
        owners(201, 403),
        owners(201, 404),
    ),
    on(
        "replace_package_token",
        "POST",
        "/api/v1/packages/omni/{p}/tokens/private",
        None,
        owners(201, 403),
        owners(201, 404),
    ),
    on("members", "GET", "/api/v1/packages/omni/{p}/members", None, people(200, 403), people(200, 404)),
    on(
        "put_member",
        "PUT",
        "/api/v1/packages/omni/{p}/members/uma",
        Json(r#"{"role":"reader"}"#),
        owners(201, 403),
        owners(201, 404),
    ),
    // Members may leave by themselves.
    on(
        "delete_member",
        "DELETE",
        "/api/v1/packages/omni/{p}/members/rita",
        None,
        [401, 403, 204, 403, 204, 204, 204, 403, 403, 204, 403, 403, 403, 403],
        [401, 404, 204, 403, 204, 204, 204, 403, 403, 204, 403, 403, 404, 404],
    ),
    on("releases", "GET", "/api/v1/packages/omni/{p}/releases", None, all(200), readers(200)),
    on("release", "GET", RELEASE, None, all(200), readers(200)),
    on("release", "GET", DRAFT, None, drafts(200), drafts(200)),
    on(
        "put_release",
        "PUT",
        "/api/v1/packages/omni/{p}/releases/beta/3.0.0",
        None,
        maintainers(201, 403),
        maintainers(201, 404),
    ),
    on("put_release", "PUT", RELEASE, Json(r#"{"active":false}"#), maintainers(200, 403), maintainers(200, 404)),
    on(
        "put_release",
        "PUT",
        DRAFT,
        Json(r#"{"active":true,"published":"2020-01-01T00:00:00Z"}"#),
        owners(200, 403),
        owners(200, 404),
    ),
    on("change_release", "PATCH", RELEASE, Json(r#"{"yanked":"bad"}"#), maintainers(200, 403), maintainers(200, 404)),
    on("change_release", "PATCH", DRAFT, Json(r#"{"active":true}"#), maintainers(200, 403), maintainers(200, 404)),
    on("delete_release", "DELETE", RELEASE, None, owners(204, 403), owners(204, 404)),
    on("file", "GET", FILE, None, all(200), readers(200)),
    on("file", "HEAD", FILE, None, all(200), readers(200)),
    on("file", "GET", DRAFT_FILE, None, drafts(200), drafts(200)),
    on(
        "put_file",
        "PUT",
        "/api/v1/packages/omni/{p}/releases/stable/3.0.0/files/any/new.zip?create=active",
        Bytes("new"),
        maintainers(201, 403),
        maintainers(201, 404),
    ),
    on("put_file", "PUT", DRAFT_FILE, Bytes("other"), maintainers(200, 403), maintainers(200, 404)),
    on(
        "change_file",
        "PATCH",
        DRAFT_FILE,
        Json(r#"{"role":"attachment"}"#),
        maintainers(200, 403),
        maintainers(200, 404),
    ),
    on("offers", "GET", "/api/v1/packages/omni/{p}/offers", None, all(200), readers(200)),
    on("delete_file", "DELETE", FILE, None, owners(204, 403), owners(204, 404)),
    on(
        "manifest",
        "GET",
        "/api/v1/packages/omni/{p}/releases/stable/1.0.0/files/any/a.zip/manifest",
        None,
        all(200),
        readers(200),
    ),
    on(
        "put_manifest",
        "PUT",
        "/api/v1/packages/omni/{p}/releases/stable/2.0.0/files/any/b.zip/manifest",
        Json("{}"),
        maintainers(200, 403),
        maintainers(200, 404),
    ),
    on(
        "put_requirements",
        "PUT",
        "/api/v1/packages/omni/{p}/releases/stable/2.0.0/files/any/b.zip/requirements",
        Json(r#"[{"type":"os","name":"linux"}]"#),
        maintainers(200, 403),
        maintainers(200, 404),
    ),
    on(
        "put_external",
        "POST",
        "/api/v1/packages/omni/{p}/releases/stable/3.0.0/files/any/new.zip/external?create=active",
        Json(
            r#"{"url":"https://example.org/a.zip","size":1,"sha256":"0000000000000000000000000000000000000000000000000000000000000000"}"#,
        ),
        maintainers(201, 403),
        maintainers(201, 404),
    ),
    on(
        "registry_publish",
        "POST",
        "/registry/publish",
        Form(&[("package_id", "omni.{p}-3.0.0"), ("archive", "bytes")]),
        maintainers(201, 403),
        publishers(201),
    ),
    on(
        "registry_unpublish",
        "POST",
        "/registry/unpublish",
        Form(&[("package_id", "omni.{p}-1.0.0")]),
        maintainers(200, 403),
        publishers(200),
    ),
    on("updates", "GET", "/api/v1/updates?id=omni.{p}", None, all(200), readers(200)),
    on("updates", "GET", "/api/v1/updates?id=omni.{p}&mode=2&version=0.1", None, all(200), readers(200)),
    on("requirements", "GET", "/api/v1/requirements?id=omni.{p}", None, all(200), readers(200)),
    call("attention", "GET", "/api/v1/attention", None, PUBLISHES),
    // A HEAD, since what comes of a GET never ends.
    call("events", "HEAD", "/api/v1/events", None, all(200)),
    on("statistics", "GET", "/api/v1/packages/omni/{p}/statistics", None, maintainers(200, 403), maintainers(200, 404)),
    call("upload_options", "OPTIONS", "/api/v1/uploads", None, all(204)),
    call("uploads", "GET", "/api/v1/uploads", None, PUBLISHES),
    on(
        "create_upload",
        "POST",
        "/api/v1/uploads",
        Metadata(&[
            ("package", "omni.{p}"),
            ("channel", "stable"),
            ("version", "3.0.0"),
            ("platform", "any"),
            ("filename", "new.zip"),
            ("create", "active"),
        ]),
        maintainers(201, 403),
        publishers(201),
    ),
    call("upload", "GET", "/api/v1/uploads/{u}", None, own_upload(200)),
    call("upload", "HEAD", "/api/v1/uploads/{u}", Tus(""), own_upload(200)),
    call("continue_upload", "PATCH", "/api/v1/uploads/{u}", Tus("new"), own_upload(204)),
    call("delete_upload", "DELETE", "/api/v1/uploads/{u}", Tus(""), own_upload(204)),
    call("search", "GET", "/api/v1/search", None, all(200)),
    call("search", "GET", "/api/v1/search?search=hush", None, all(200)),
    call("auth", "GET", "/api/v1/auth", None, [401, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
    on("download", "GET", "/download/omni/{p}/stable/latest/any", None, all(302), readers(302)),
    on("download", "GET", "/download/omni/{p}/stable/1.0.0/any/a.zip", None, all(302), readers(302)),
    on("download", "GET", "/download/omni/{p}/stable/2.0.0/any/b.zip", None, drafts(302), drafts(302)),
    call("index_registry", "GET", "/v2/registry.gz", None, all(200)),
    call("index_registry", "GET", "/channels/stable/v2/registry.gz", None, all(200)),
    call("index_summaries", "GET", "/v2/summaries.gz", None, all(200)),
    call("index_changes", "GET", "/v2/changes?since=0", None, all(410)),
    on("index_package", "GET", "/v2/packages/omni.{p}.gz", None, all(200), synced(200)),
    on("index_releases", "GET", "/v2/releases/omni.{p}.json", None, all(200), readers(200)),
    call("kit_registry", "GET", "/kit/v2/registry.gz", None, all(200)),
    call("kit_summaries", "GET", "/channels/stable/kit/v2/summaries.gz", None, all(200)),
    on("kit_package", "GET", "/kit/v2/packages/omni.{p}.gz", None, all(200), synced(200)),
    on("archive_manifest", "GET", "/v2/archives/omni.{p}/omni.{p}-1.0.0.json", None, all(200), readers(200)),
    on("archive_manifest", "GET", "/v2/archives/omni.{p}/omni.{p}-2.0.0.json", None, all(404), all(404)),
    on("archive", "GET", "/v2/archives/omni.{p}/omni.{p}-1.0.0/a.zip", None, all(200), readers(200)),
    on("archive", "GET", "/v2/archives/omni.{p}/omni.{p}-2.0.0/b.zip", None, all(404), all(404)),
];
