//! The pages as a browser gets them.

use crate::support::TestServer;

#[test]
fn pages_are_html_that_needs_nothing_else() {
    let server = TestServer::start();
    let nobody = server.anonymous();
    let first = nobody.get("/docs").is(200);
    assert_eq!(first.header("content-type"), "text/html; charset=utf-8");
    assert!(first.header("content-security-policy").contains("default-src 'none'"));
    let html = first.text();
    assert!(html.contains("<h1 id=\"documentation\">Documentation</h1>"), "{html}");
    assert!(!html.contains("<script") && !html.contains("style=") && !html.contains("src=\"http"));
    let names: Vec<&str> =
        html.split("href=\"/docs/").skip(1).filter_map(|rest| rest.split(['"', '#']).next()).collect();
    assert!(names.len() > 8, "{names:?}");
    for name in names {
        nobody.get(&format!("/docs/{name}")).is(200);
    }
    let unknown = nobody.get("/docs/nowhere").is(404);
    assert!(unknown.text().contains("/docs lists"), "{}", unknown.text());
}

#[test]
fn pages_are_compressed_and_asked_for_again() {
    let server = TestServer::start();
    let plain = server.anonymous().get("/docs/api").is(200);
    let packed = server.anonymous().get("/docs/api").header("accept-encoding", "gzip").is(200);
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 3 < plain.body.len());
    assert_ne!(packed.header("etag"), plain.header("etag"));
    server.anonymous().get("/docs/api").header("if-none-match", plain.header("etag")).is(304);
    assert_eq!(server.anonymous().get("/docs/style.css").is(200).header("content-type"), "text/css; charset=utf-8");
}
