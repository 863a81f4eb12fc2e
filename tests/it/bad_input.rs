//! Hostile and broken requests: each is a clear 4xx, changes nothing, and never makes the server panic.
//!
//! "Changes nothing" is meant literally: everything the API shows and every file of the index is compared byte by byte.

mod dump;
mod wire;

use serde_json::json;

use crate::support::{Client, Request, Scope, TestServer, file_path};
use dump::dump;

/// A server with something in it, and what it looks like.
struct Scene {
    server: TestServer,
    omni: Client,
    before: String,
}

impl Scene {
    fn new(flags: &[&str]) -> Self {
        let server = TestServer::with().flags(flags).start();
        let omni = server.token("omni", Scope::Admin);
        omni.make_package("kit", "public");
        omni.make_package("safe", "private");
        omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "0123456789");
        omni.publish("omni/safe", "stable/1.0.0", "any/a.zip", "private");
        omni.put(&format!("{}?create=inactive", file_path("omni/kit", "beta/2.0.0", "any/b.zip")))
            .body("draft")
            .is(201);
        let before = dump(&server);
        Self { server, omni, before }
    }

    /// Expects that nothing has changed.
    #[track_caller]
    fn is_unchanged(&self, after: &str) {
        let now = dump(&self.server);
        if now != self.before {
            let line = now.lines().zip(self.before.lines()).find(|(now, before)| now != before);
            panic!("{after} changed something: {line:?}\n{now}");
        }
        self.server.anonymous().get("/healthz").is(200);
    }

    /// Sends what must be refused.
    #[track_caller]
    fn refuses(&self, what: &str, request: Request) {
        let answer = request.send();
        assert!((400..500).contains(&answer.status), "{what} is not refused\n{answer}");
        let (kind, text) = (answer.header("content-type").to_owned(), answer.to_string());
        assert_eq!(kind, "application/problem+json", "{what}\n{text}");
        assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{what}\n{text}");
    }
}

#[test]
fn bodies_of_the_wrong_shape() {
    let scene = Scene::new(&[]);
    let root = scene.server.token("root", Scope::Admin);
    let kit = "/api/v1/packages/omni/kit";
    let file = file_path("omni/kit", "beta/2.0.0", "any/b.zip");
    // Each with a body that is right but for one thing that is added below.
    let calls = [
        (&root, "POST", "/api/v1/users".to_owned(), json!({ "name": "eve", "password": "0123456789" })),
        (&root, "PATCH", "/api/v1/users/uma".to_owned(), json!({ "disabled": true })),
        (&scene.omni, "POST", "/api/v1/session".to_owned(), json!({ "name": "omni", "password": "x" })),
        (
            &scene.omni,
            "POST",
            "/api/v1/setup".to_owned(),
            json!({ "token": "x", "name": "eve", "password": "0123456789" }),
        ),
        (&scene.omni, "POST", "/api/v1/tokens".to_owned(), json!({ "name": "x", "scopes": ["read"] })),
        (&scene.omni, "POST", "/api/v1/channels".to_owned(), json!({ "name": "x" })),
        (&scene.omni, "PATCH", "/api/v1/channels/beta".to_owned(), json!({ "short": "x" })),
        (&scene.omni, "POST", "/api/v1/platforms".to_owned(), json!({ "name": "x" })),
        (&scene.omni, "PATCH", "/api/v1/platforms/macos-x64".to_owned(), json!({ "name": "x" })),
        (&scene.omni, "POST", "/api/v1/packages".to_owned(), json!({ "name": "x" })),
        (&scene.omni, "PATCH", kit.to_owned(), json!({ "description": "x" })),
        (&scene.omni, "PUT", format!("{kit}/members/uma"), json!({ "role": "reader" })),
        (&scene.omni, "PUT", format!("{kit}/releases/beta/3.0.0"), json!({ "active": true })),
        (&scene.omni, "PATCH", format!("{kit}/releases/beta/2.0.0"), json!({ "active": true })),
        (
            &scene.omni,
            "POST",
            format!("{file}/external"),
            json!({ "url": "https://a/b", "size": 1, "sha256": "00".repeat(32) }),
        ),
    ];
    for (client, method, path, body) in calls {
        let again = |text: String| client.request(method, &path).header("content-type", "application/json").body(text);
        let mut unknown = body.clone();
        unknown["surprise"] = json!(1);
        scene.refuses("an unknown field", again(unknown.to_string()));
        for (name, value) in body.as_object().unwrap() {
            let no_text = if value.is_boolean() { json!("true") } else { json!("") };
            for wrong in [json!({}), json!([[]]), json!(1.5), json!("\0"), no_text] {
                if name == "description" && wrong.is_string() {
                    continue; // Any text is a description.
                }
                let mut other = body.clone();
                other[name] = wrong;
                scene.refuses("a value of the wrong type", again(other.to_string()));
            }
            let twice = format!("{{\"{name}\":{value},{}", &body.to_string()[1..]);
            scene.refuses("a field that is there twice", again(twice));
        }
        for text in ["", "{", "null", "[]", "1", "\u{feff}{", "{\"name\":\"\\ud800\"}", "{\"name\":1e999999}"] {
            if !(text.is_empty() && path.contains("/releases/")) {
                scene.refuses("what is no such object", again(text.to_owned()));
            }
        }
        scene.refuses("a deep document", again(format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))));
        scene.refuses("a deep field", again(format!("{{\"name\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000))));
        scene.refuses("a large document", again(format!("{{\"name\":\"{}\"}}", "x".repeat(3 << 20))));
        let latin = [body.to_string().as_bytes(), &[0xff]].concat();
        scene.refuses("a body that is no UTF-8", client.request(method, &path).body(latin));
    }
    scene.is_unchanged("a body of the wrong shape");
}

#[test]
fn manifests_and_requirements_that_are_none() {
    let scene = Scene::new(&[]);
    let file = file_path("omni/kit", "beta/2.0.0", "any/b.zip");
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for text in ["", "{", "[]", "null", "{\"package\":[]}", "{\"a\":1e}", &deep] {
        scene.refuses("a manifest", scene.omni.put(&format!("{file}/manifest")).body(text));
    }
    for text in ["", "{}", "[1]", "[{\"type\":1}]", "[{\"type\":\"\\u0000\",\"name\":\"x\"}]", &deep] {
        scene.refuses("requirements", scene.omni.put(&format!("{file}/requirements")).body(text));
    }
    scene.is_unchanged("a manifest or requirements");
}

#[test]
fn names_that_are_none() {
    let scene = Scene::new(&[]);
    let long = "x".repeat(300);
    let names = [
        "..",
        ".",
        "%2e%2e",
        "a%2fb",
        "a%2Fb",
        "..%2f..%2fetc",
        "a%5cb",
        "a%00b",
        "%00",
        "a%0ab",
        "a%20",
        "%20a",
        "%7f",
        &long,
        "%e2%80%ae",
        "%ef%bb%bfa",
    ];
    for name in names {
        for path in [
            format!("/api/v1/packages/omni/{name}"),
            format!("/api/v1/packages/{name}/kit"),
            format!("/api/v1/packages/omni/kit/members/{name}"),
            format!("/api/v1/packages/omni/kit/releases/{name}/1.0"),
            format!("/api/v1/packages/omni/kit/releases/stable/{name}"),
            format!("/api/v1/channels/{name}"),
            format!("/api/v1/platforms/{name}"),
            format!("/api/v1/users/{name}"),
            file_path("omni/kit", "beta/2.0.0", &format!("{name}/a.zip")),
            file_path("omni/kit", "beta/2.0.0", &format!("any/{name}")),
            format!("/v2/packages/{name}.gz"),
            format!("/v2/archives/omni.kit/{name}"),
            format!("/v2/archives/omni.kit/omni.kit-1.0.0/{name}"),
            format!("/channels/{name}/v2/registry.gz"),
            format!("/download/omni/kit/{name}/latest/any"),
            format!("/{name}"),
        ] {
            for method in ["GET", "PUT", "PATCH", "DELETE"] {
                // Dots as such are resolved by no server; they name nothing.
                scene
                    .refuses(&format!("{method} {path}"), scene.omni.request(method, &format!("{path}?create=active")));
            }
        }
    }
    for name in ["../x", "a/b", "a\\b", "a\0b", "", " a", "a ", "KIT", "Kit", &long, "\u{202e}a", "kıt"] {
        scene.refuses(name, scene.omni.post("/api/v1/packages").json(&json!({ "name": name })));
        let platform = json!({ "name": if name.eq_ignore_ascii_case("kit") { "ANY" } else { name } });
        scene.refuses(name, scene.omni.post("/api/v1/platforms").json(&platform));
        let channel = json!({ "name": if name.eq_ignore_ascii_case("kit") { "Stable" } else { name } });
        scene.refuses(name, scene.omni.post("/api/v1/channels").json(&channel));
    }
    scene.is_unchanged("a name that is none");
}

#[test]
fn look_alikes_in_case_are_other_names() {
    let scene = Scene::new(&[]);
    for path in [
        "/api/v1/packages/omni/KIT",
        "/api/v1/packages/omni/kit/releases/Stable/1.0.0",
        "/v2/packages/omni.Kit.gz",
        "/v2/archives/omni.kit/omni.kit-1.0.0/A.zip",
        "/API/v1/packages",
    ] {
        scene.refuses(path, scene.omni.get(path));
    }
    scene.refuses("OMNI", scene.omni.get("/api/v1/packages/OMNI/kit"));
    for file in ["Any/x.zip", "ANY/x.zip"] {
        let path = format!("{}?create=active", file_path("omni/kit", "beta/2.0.0", file));
        scene.refuses(file, scene.omni.put(&path).body("x"));
    }
    scene.is_unchanged("a look-alike");
}

#[test]
fn uploads_that_cannot_be() {
    let scene = Scene::new(&["--max-file-size", "1MiB"]);
    let put = |release: &str, file: &str, query: &str| {
        scene.omni.put(&format!("{}{query}", file_path("omni/kit", release, file))).body("bytes")
    };
    for (release, file, query) in [
        ("nope/1.0.0", "any/a", "?create=active"),
        ("beta/9.9.9", "any/a", ""),
        ("beta/2.0.0", "nope/a", ""),
        ("beta/2.0.0", "any/a", "?create=maybe"),
        ("beta/2.0.0", "any/a", "?create="),
        ("stable/1.0.0", "any/a.zip", ""),
        ("stable/1.0.0", "any/a.zip", "?create=active"),
    ] {
        scene.refuses(&format!("{release} {file}"), put(release, file, query));
    }
    let fresh = |request: Request| scene.refuses("a header", request);
    fresh(put("beta/2.0.0", "any/n", "").header("repr-digest", "sha-256=:AAAA:"));
    fresh(put("beta/2.0.0", "any/n", "").header("repr-digest", &format!("sha-256=:{}=:", "A".repeat(43))));
    fresh(put("beta/2.0.0", "any/n", "").header("repr-digest", "sha-256"));
    fresh(put("beta/2.0.0", "any/n", "").header("content-encoding", "gzip"));
    fresh(put("beta/2.0.0", "any/n", "").header("content-range", "bytes 0-4/10"));
    fresh(put("beta/2.0.0", "any/n", "").header("content-type", "not a type"));
    fresh(scene.omni.put(&file_path("omni/kit", "beta/2.0.0", "any/n")).body(vec![0; (1 << 20) + 1]));
    scene.is_unchanged("an upload that cannot be");
}

#[test]
fn queries_that_make_no_sense() {
    let scene = Scene::new(&[]);
    for path in [
        "/api/v1/packages?limit=-1",
        "/api/v1/packages?limit=99999999999999999999999",
        "/api/v1/packages?limit=1e3",
        "/api/v1/packages?cursor=%00",
        "/api/v1/packages?cursor=99999999999999999999999-1",
        "/api/v1/packages?cursor=-1--1",
        "/api/v1/packages?search=%ff",
        "/api/v1/users?limit=x",
        "/api/v1/packages/omni/kit/releases?cursor=1:..",
        "/api/v1/packages/omni/kit/releases?limit=0",
        "/api/v1/updates?id=omni.kit&version=%ff",
        "/api/v1/updates?id=omni.kit&mode=99999999999999999999",
        "/api/v1/updates?id=../../etc",
        "/api/v1/tokens/99999999999999999999999999",
        "/api/v1/packages/%ff/kit",
        "/%c3%28",
        "/%",
        "/%zz",
    ] {
        let client = if path.starts_with("/api/v1/users") {
            scene.server.token("root", Scope::Admin)
        } else {
            scene.omni.clone()
        };
        scene.refuses(path, client.get(path));
    }
    scene.refuses("a long query", scene.omni.get(&format!("/api/v1/packages?search={}", "x".repeat(5000))));
    scene.refuses("a long path", scene.omni.get(&format!("/{}", "x".repeat(5000))));
    scene.is_unchanged("a query");
}

#[test]
fn numbers_of_any_size() {
    let scene = Scene::new(&[]);
    let path = format!("{}/external?create=active", file_path("omni/kit", "beta/3.0.0", "any/n"));
    for size in ["-1", "1.5", "18446744073709551616", "1e400", "\"1\"", "null"] {
        let body = format!(r#"{{"url":"https://a/b","size":{size},"sha256":"{}"}}"#, "00".repeat(32));
        scene.refuses(size, scene.omni.post(&path).body(body));
    }
    for time in ["0000-00-00T00:00:00Z", "99999-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "-1", "now"] {
        let body = json!({ "publish_at": time });
        scene.refuses(time, scene.omni.patch("/api/v1/packages/omni/kit/releases/beta/2.0.0").json(&body));
    }
    for range in
        ["bytes=99999999999999999999-", "bytes=9-1", "bytes=0-5,3-8,3-8,3-8", "bytes=0-0,0-0,0-0,0-0", "bytes=-0"]
    {
        scene
            .refuses(range, scene.omni.get(&file_path("omni/kit", "stable/1.0.0", "any/a.zip")).header("range", range));
    }
    scene.is_unchanged("a number");
}
