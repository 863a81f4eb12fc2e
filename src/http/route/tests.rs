//! The whole URL space as a table, and paths that lead nowhere.

use proptest::prelude::*;

use super::*;

/// A path, the methods it allows, and what some of them lead to.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Every path with the methods it has and the names of their routes.
const TABLE: &[Row] = &[
    ("/", "GET, HEAD", &[("GET", "page"), ("HEAD", "page")]),
    ("/setup", "GET, HEAD", &[("GET", "page")]),
    ("/omni", "GET, HEAD", &[("GET", "page")]),
    ("/account/tokens", "GET, HEAD", &[("GET", "page")]),
    ("/p/omni/kit.window", "GET, HEAD", &[("GET", "page")]),
    ("/p/omni/kit.window/releases/stable/1.0.0+a", "GET, HEAD", &[("GET", "page")]),
    ("/favicon.svg", "GET, HEAD", &[("GET", "asset")]),
    ("/assets/index-abc.js", "GET, HEAD", &[("GET", "asset")]),
    ("/docs", "GET, HEAD", &[("GET", "docs")]),
    ("/docs/", "GET, HEAD", &[("GET", "docs")]),
    ("/docs/operations", "GET, HEAD", &[("GET", "docs")]),
    ("/docs/style.css", "GET, HEAD", &[("GET", "docs_style")]),
    ("/healthz", "GET, HEAD", &[("GET", "healthz")]),
    ("/readyz", "GET, HEAD", &[("GET", "readyz")]),
    ("/metrics", "GET, HEAD", &[("GET", "metrics")]),
    ("/api/v1/openapi.json", "GET, HEAD", &[("GET", "openapi")]),
    ("/api/v1/setup", "POST", &[("POST", "setup")]),
    ("/api/v1/session", "GET, HEAD, POST, DELETE", &[("GET", "session"), ("POST", "sign_in"), ("DELETE", "sign_out")]),
    ("/api/v1/users", "GET, HEAD, POST", &[("GET", "users"), ("POST", "create_user")]),
    (
        "/api/v1/users/omni",
        "GET, HEAD, PATCH, DELETE",
        &[("GET", "user"), ("PATCH", "change_user"), ("DELETE", "delete_user")],
    ),
    ("/api/v1/users/omni/invitation", "POST", &[("POST", "invite_user")]),
    ("/api/v1/invitation", "POST", &[("POST", "accept_invitation")]),
    ("/api/v1/admin/storage", "GET, HEAD", &[("GET", "admin_storage")]),
    ("/api/v1/admin/status", "GET, HEAD", &[("GET", "admin_status")]),
    ("/api/v1/admin/settings", "GET, HEAD", &[("GET", "admin_settings")]),
    ("/api/v1/markdown", "POST", &[("POST", "preview_markdown")]),
    ("/api/v1/admin/audit", "GET, HEAD", &[("GET", "admin_audit")]),
    ("/api/v1/packages/omni/kit/audit", "GET, HEAD", &[("GET", "package_audit")]),
    ("/api/v1/tokens", "GET, HEAD, POST", &[("GET", "tokens"), ("POST", "create_token")]),
    ("/api/v1/tokens/7", "DELETE", &[("DELETE", "delete_token")]),
    ("/api/v1/channels", "GET, HEAD, POST", &[("GET", "channels"), ("POST", "create_channel")]),
    ("/api/v1/channels/beta", "PATCH, DELETE", &[("PATCH", "change_channel"), ("DELETE", "delete_channel")]),
    ("/api/v1/channels/beta/retention", "GET, HEAD", &[("GET", "preview_retention")]),
    ("/api/v1/platforms", "GET, HEAD, POST", &[("GET", "platforms"), ("POST", "create_platform")]),
    ("/api/v1/platforms/any", "PATCH, DELETE", &[("PATCH", "rename_platform"), ("DELETE", "delete_platform")]),
    ("/api/v1/packages", "GET, HEAD, POST", &[("GET", "packages"), ("POST", "create_package")]),
    (
        "/api/v1/packages/omni/kit.window",
        "GET, HEAD, PATCH, DELETE",
        &[("GET", "package"), ("PATCH", "change_package"), ("DELETE", "delete_package")],
    ),
    ("/api/v1/packages/omni/kit/tokens/access", "POST", &[("POST", "replace_package_token")]),
    ("/api/v1/packages/omni/kit/tokens/private", "POST", &[("POST", "replace_package_token")]),
    ("/api/v1/packages/omni/kit/members", "GET, HEAD", &[("GET", "members")]),
    ("/api/v1/packages/omni/kit/members/a", "PUT, DELETE", &[("PUT", "put_member"), ("DELETE", "delete_member")]),
    ("/api/v1/packages/omni/kit/releases", "GET, HEAD", &[("GET", "releases")]),
    ("/api/v1/packages/omni/kit/offers", "GET, HEAD", &[("GET", "offers")]),
    (
        "/api/v1/packages/omni/kit/releases/stable/1.0.0%2Ba",
        "GET, HEAD, PUT, PATCH, DELETE",
        &[("GET", "release"), ("PUT", "put_release"), ("PATCH", "change_release"), ("DELETE", "delete_release")],
    ),
    (
        "/api/v1/packages/omni/kit/releases/stable/1.0.0/files/any/a%20b.zip",
        "GET, HEAD, PUT, PATCH, DELETE",
        &[("GET", "file"), ("HEAD", "file"), ("PUT", "put_file"), ("PATCH", "change_file"), ("DELETE", "delete_file")],
    ),
    (
        "/api/v1/packages/omni/kit/releases/stable/1.0.0/files/any/a.zip/manifest",
        "GET, HEAD, PUT",
        &[("GET", "manifest"), ("PUT", "put_manifest")],
    ),
    (
        "/api/v1/packages/omni/kit/releases/stable/1.0.0/files/any/a.zip/requirements",
        "PUT",
        &[("PUT", "put_requirements")],
    ),
    ("/api/v1/packages/omni/kit/releases/stable/1.0.0/files/any/a.zip/external", "POST", &[("POST", "put_external")]),
    (
        "/api/v1/uploads",
        "OPTIONS, GET, HEAD, POST",
        &[("OPTIONS", "upload_options"), ("GET", "uploads"), ("POST", "create_upload")],
    ),
    (
        "/api/v1/uploads/7",
        "OPTIONS, GET, HEAD, PATCH, DELETE",
        &[
            ("OPTIONS", "upload_options"),
            ("GET", "upload"),
            ("HEAD", "upload"),
            ("PATCH", "continue_upload"),
            ("DELETE", "delete_upload"),
        ],
    ),
    ("/api/v1/attention", "GET, HEAD", &[("GET", "attention")]),
    ("/api/v1/packages/omni/kit/statistics", "GET, HEAD", &[("GET", "statistics")]),
    ("/api/v1/events", "GET, HEAD", &[("GET", "events")]),
    ("/registry/publish", "POST", &[("POST", "registry_publish")]),
    ("/registry/unpublish", "POST", &[("POST", "registry_unpublish")]),
    ("/api/v1/updates", "GET, HEAD", &[("GET", "updates")]),
    ("/api/v1/requirements", "GET, HEAD", &[("GET", "requirements")]),
    ("/api/v1/search", "GET, HEAD", &[("GET", "search")]),
    ("/api/v1/auth", "GET, HEAD", &[("GET", "auth")]),
    ("/download/omni/kit/stable/latest/any", "GET, HEAD", &[("GET", "download")]),
    ("/download/omni/kit/stable/1.0.0/any/a.zip", "GET, HEAD", &[("GET", "download")]),
    ("/v2/registry.gz", "GET, HEAD", &[("GET", "index_registry")]),
    ("/channels/beta/v2/summaries.gz", "GET, HEAD", &[("GET", "index_summaries")]),
    ("/channels/beta/v2/changes", "GET, HEAD", &[("GET", "index_changes")]),
    ("/v2/packages/omni.kit.gz", "GET, HEAD", &[("GET", "index_package")]),
    ("/v2/releases/omni.kit.json", "GET, HEAD", &[("GET", "index_releases")]),
    ("/channels/beta/v2/releases/omni.kit.json", "GET, HEAD", &[("GET", "index_releases")]),
    ("/kit/v2/registry.gz", "GET, HEAD", &[("GET", "kit_registry")]),
    ("/channels/beta/kit/v2/summaries.gz", "GET, HEAD", &[("GET", "kit_summaries")]),
    ("/kit/v2/packages/omni.kit.gz", "GET, HEAD", &[("GET", "kit_package")]),
    ("/kit/v2/archives/omni.kit/omni.kit-1.0.json", "GET, HEAD", &[("GET", "archive_manifest")]),
    ("/v2/archives/omni.kit/omni.kit-1.0+wx64.r.json", "GET, HEAD", &[("GET", "archive_manifest")]),
    ("/v2/archives/omni.kit/omni.kit-1.0%2Bwx64.r/a.zip", "GET, HEAD", &[("GET", "archive")]),
];

#[test]
fn every_path_answers_its_methods_and_no_others() {
    for (path, allow, methods) in TABLE {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let found = route(&method.parse().unwrap(), path);
            match methods.iter().find(|(known, _)| *known == method) {
                Some((_, name)) => assert_eq!(found.unwrap().name(), *name, "{method} {path}"),
                None if method == "HEAD" && allow.contains("HEAD") => assert!(found.is_ok(), "{path}"),
                None => assert_eq!(found.unwrap_err(), NoRoute::MethodNotAllowed(allow), "{method} {path}"),
            }
        }
    }
}

/// An address must never mean both a page of the server and the packages of a user.
#[test]
fn no_new_user_is_called_like_the_beginning_of_an_address() {
    let table = TABLE.iter().map(|(path, ..)| *path);
    let pages = include_str!("../../../ui/src/router/routes.ts");
    let (_, pages) = pages.split_once("new Set([").unwrap();
    let (pages, _) = pages.split_once("])").unwrap();
    let pages = pages.split('\'').skip(1).step_by(2);
    let mut known = 0;
    for name in table.filter_map(|path| path[1..].split('/').next()).chain(pages).chain(PROGRAMS) {
        // The table has the page of this user.
        let Ok(name) = name.parse::<UserName>() else { continue };
        known += 1;
        assert!(name.is_reserved() || name.as_str() == "omni", "{name}");
    }
    assert!(known > 40, "{known}");
}

#[test]
fn plus_is_plus_however_it_is_written() {
    for path in ["/v2/archives/o.k/o.k-1+a/z", "/v2/archives/o.k/o.k-1%2Ba/z", "/v2/archives/o.k/o.k-1%2ba/z"] {
        let Ok(Route::Archive(None, _, id, _)) = route(&Method::GET, path) else { panic!("{path}") };
        assert_eq!(id, "1+a");
    }
}

#[test]
fn hostile_paths_have_no_route() {
    let get = |path: &str| route(&Method::GET, path).unwrap_err();
    for path in ["/api/v1/packages/omni/..", "/api/v1/packages/omni/a%2fb", "/api/v1/packages/omni/a%00b"] {
        assert!(matches!(get(path), NoRoute::Invalid { field: "name", .. }), "{path}");
    }
    assert!(matches!(get(&format!("/api/v1/packages/omni/{}", "a".repeat(300))), NoRoute::Invalid { .. }));
    for path in ["/%ff", "/a%zz", "/%", "/%e2%28%a1", "/%4"] {
        assert!(matches!(get(path), NoRoute::Malformed(_)), "{path}");
    }
    for path in [
        "/a/b",
        "//",
        "/p/omni",
        "/p/omni/../x",
        "/p/omni/a/b",
        "/api",
        "/Omni",
        "/v2/",
        "/v2",
        "/v2/packages/..gz",
        "/v2/archives/o.k/o.x-1.json",
        "*",
        "/api/v1/x",
    ] {
        assert_eq!(get(path), NoRoute::NotFound, "{path}");
    }
    assert!(matches!(get(&format!("/{}", "a".repeat(5000))), NoRoute::Malformed(_)));
}

#[test]
fn a_token_stands_before_any_path() {
    assert_eq!(split_token("/t/ph_acc_1/v2/registry.gz"), Some(("ph_acc_1", "/v2/registry.gz")));
    assert_eq!(split_token("/t/x"), Some(("x", "/")));
    assert_eq!(split_token("/t/"), Some(("", "/")));
    assert_eq!(split_token("/v2/t/x"), None);
}

proptest! {
    #[test]
    fn no_path_panics(path in "\\PC{0,80}", method in "[A-Z]{1,8}") {
        let _ = route(&method.parse().unwrap(), &path);
        let _ = route(&Method::GET, &format!("/{path}"));
        let _ = split_token(&path);
    }

    #[test]
    fn no_api_path_panics(segments in proptest::collection::vec("(api|v1|v2|packages|omni|archives|files|%2[0-9a-f]|[a-z.+%-]{0,6})", 0..10)) {
        let path = format!("/{}", segments.join("/"));
        for method in [Method::GET, Method::PUT, Method::POST] {
            if let Ok(route) = route(&method, &path) {
                prop_assert!(!route.name().is_empty());
                let _ = route.access();
            }
        }
    }
}
