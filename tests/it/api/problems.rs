//! Errors in general: their documents, and what paths and methods there are.

use serde_json::json;

use crate::support::TestServer;

#[test]
fn unknown_paths_and_methods_are_told_apart() {
    let server = TestServer::start();
    let anonymous = server.anonymous();
    for path in [
        "/no/thing",
        "/nothing.txt",
        "/api/v1/nothing",
        "/api/v2/packages",
        "/v2/nothing.gz",
        "/api/v1/packages/omni",
        "/t/x/v2/registry.gz",
    ] {
        let status = if path.starts_with("/t/x") { 401 } else { 404 };
        anonymous.get(path).problem(status, "");
    }
    for (method, path, allow) in [
        ("POST", "/healthz", "GET, HEAD"),
        ("PUT", "/api/v1/packages", "GET, HEAD, POST"),
        ("GET", "/api/v1/packages/omni/kit/tokens/access", "POST"),
        ("DELETE", "/v2/registry.gz", "GET, HEAD"),
        ("OPTIONS", "/api/v1/session", "GET, HEAD, POST, DELETE"),
        ("BREW", "/api/v1/updates", "GET, HEAD"),
    ] {
        let answer = anonymous.request(method, path).send();
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
        answer.problem(405, allow);
    }
}

#[test]
fn every_answer_is_guarded() {
    let server = TestServer::start();
    let omni = server.omni();
    for path in ["/", "/setup", "/favicon.svg", "/healthz", "/no/thing", "/api/v1/session", "/v2/registry.gz"] {
        let answer = omni.get(path).send();
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.find("server").is_none(), "what runs here is nobody's business");
    }
    for path in ["/api/v1/session", "/api/v1/packages", "/no/thing"] {
        assert_eq!(omni.get(path).send().header("cache-control"), "no-store", "{path}");
    }
    let page = omni.get("/").is(200);
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
}

#[test]
fn problems_name_the_field_at_fault() {
    let server = TestServer::start();
    let omni = server.omni();
    let make = |body: &str| omni.post("/api/v1/packages").header("content-type", "application/json").body(body);
    make("{").problem(400, "the body is not JSON");
    make("").problem(400, "the body is not JSON");
    assert_eq!(make("{}").problem(422, "missing field `name`")["field"], "name");
    assert_eq!(make(r#"{"name":"a","nmae":1}"#).problem(422, "unknown field `nmae`")["field"], "nmae");
    let wrong = make(r#"{"name":"a b"}"#).problem(422, "a package name");
    assert_eq!(wrong["field"], "name");
    let keys: Vec<&str> = wrong.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["type", "title", "status", "detail", "field"]);
    assert_eq!((&wrong["status"], &wrong["type"]), (&json!(422), &json!("/problems/unprocessable")));
}

#[test]
fn operators_see_that_it_lives() {
    let server = TestServer::start();
    let anonymous = server.anonymous();
    assert_eq!(anonymous.get("/healthz").is(200).json(), json!({ "alive": true }));
    assert_eq!(anonymous.get("/readyz").is(200).json()["ready"], true);
    anonymous.get("/no/thing").is(404);
    let metrics = anonymous.get("/metrics").is(200);
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    for line in metrics.text().lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}
