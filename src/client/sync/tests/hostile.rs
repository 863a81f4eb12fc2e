//! Registries that lie, overflow, and never agree with themselves: each is refused, and the copy stays as it was.

use super::*;

/// A copy in the old state, and a server that answers with the new one but for what `lie` says.
async fn refused(lie: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> (SyncError, Vec<String>) {
    let stage = Stage::new(old()).await;
    stage.sync().await.unwrap();
    let server = TestServer::start(move |seen| lie(seen).unwrap_or_else(|| new().answer(seen))).await;
    let error = sync(&server.client(), &options(&server, &stage.dir()), Arc::new(Silent)).await.unwrap_err();
    old().check(&stage.dir()).unwrap();
    let outside = std::fs::read_dir(stage.dir().parent().unwrap()).unwrap().count();
    assert_eq!(outside, 1, "something was written outside of the copy");
    // And what comes after is not spoiled by what was left.
    stage.set(&new());
    stage.sync().await.unwrap();
    new().check(&stage.dir()).unwrap();
    (error, server.take_lines())
}

fn file(seen: &Seen, path: &str, body: Vec<u8>) -> Option<Reply> {
    (seen.target == format!("/v2/{path}")).then(|| Reply::ok(body))
}

#[tokio::test]
async fn a_registry_that_never_matches_is_given_up_and_explained() {
    let (error, lines) = refused(|seen| file(seen, "packages/omni.foo.gz", gzip(b"other\n"))).await;
    let text = error.to_string();
    assert!(text.contains("packages/omni.foo.gz does not match registry.gz, which was read 5 times"), "{text}");
    assert!(
        text.contains(&Crc32::of(b"other\n").to_string()) && text.contains("The local copy is as it was"),
        "{text}"
    );
    assert_eq!(lines.iter().filter(|line| line.ends_with("registry.gz")).count(), 5);
    assert_eq!(lines.iter().filter(|line| line.ends_with("omni.fresh.gz")).count(), 1);
}

#[tokio::test]
async fn a_file_that_is_never_there_is_explained_too() {
    let (error, _) = refused(|seen| seen.target.ends_with("omni.foo.gz").then(|| Reply::status(404))).await;
    assert!(error.to_string().contains("received nothing"), "{error}");
}

#[tokio::test]
async fn bombs_are_refused() {
    let bomb = gzip(&vec![b' '; 20 << 20]);
    let copy = bomb.clone();
    let (error, _) = refused(move |seen| file(seen, "packages/omni.foo.gz", bomb.clone())).await;
    assert!(error.to_string().contains("more than the 1048576 bytes"), "{error}");
    let (error, _) = refused(move |seen| file(seen, "registry.gz", copy.clone())).await;
    assert!(error.to_string().contains("registry.gz cannot be used: it decompresses to more"), "{error}");
}

#[tokio::test]
async fn many_small_files_are_not_too_much_only_together() {
    let stage = Stage::new(old()).await;
    let mut options = stage.options();
    options.limits.run_bytes_max = 60;
    let error = sync(&stage.server.client(), &options, Arc::new(Silent)).await.unwrap_err();
    assert!(matches!(error, SyncError::TooMuch { bytes_max: 60 }), "{error}");
}

#[tokio::test]
async fn bottomless_json_is_refused() {
    let deep = || [b"1.0.0 ".to_vec(), vec![b'['; 10_000], vec![b']'; 10_000]].concat();
    let (error, _) = refused(move |seen| file(seen, "summaries.gz", gzip(&deep()))).await;
    assert!(error.to_string().contains("summaries.gz cannot be used: it nests JSON deeper than 100"), "{error}");
    let registry = format!("{{\"files\": {{}}, \"x\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let (error, _) = refused(move |seen| file(seen, "registry.gz", gzip(registry.as_bytes()))).await;
    assert!(error.to_string().contains("registry.gz cannot be used: it nests"), "{error}");
}

#[tokio::test]
async fn paths_that_lead_elsewhere_are_refused_before_anything_is_asked_for() {
    for path in
        ["packages/../../evil.gz", "../evil.gz", "/etc/evil.gz", "packages/omni.foo/../evil.gz", "packages/evil.gz"]
    {
        let registry = serde_json::json!({"files": {path: "00000000"}}).to_string();
        let (error, lines) = refused(move |seen| file(seen, "registry.gz", gzip(registry.as_bytes()))).await;
        assert!(error.to_string().contains("is no path of an index file"), "{error}");
        assert_eq!(lines, ["GET /v2/registry.gz"]);
    }
}

#[tokio::test]
async fn lies_about_length_are_refused() {
    let is_foo = |seen: &Seen| seen.target.ends_with("omni.foo.gz");
    let raw = |head: &str| Reply::Hang(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").into_bytes());
    // Said to be large: refused at once, without waiting for it.
    let (error, _) = refused(move |seen| is_foo(seen).then(|| raw("content-length: 1000000000000"))).await;
    assert!(error.to_string().contains("larger than the 65536 bytes"), "{error}");
    // Not said, and without end.
    let (error, _) = refused(move |seen| {
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        // Empty stored deflate blocks: valid, and nothing ever comes out.
        let blocks = [0, 0, 0, 0xff, 0xff].repeat(0x1000 / 5 + 1);
        let gzip_head = [b"a\r\n".to_vec(), vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], b"\r\n".to_vec()].concat();
        let chunk = [format!("{:x}\r\n", blocks.len()).into_bytes(), blocks, b"\r\n".to_vec()].concat();
        is_foo(seen).then(|| Reply::Endless([head, gzip_head].concat(), chunk))
    })
    .await;
    assert!(error.to_string().contains("larger than the 65536 bytes"), "{error}");
    // Shorter than said.
    let (error, _) = refused(move |seen| {
        is_foo(seen).then(|| Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nxy".to_vec()))
    })
    .await;
    assert!(matches!(error, SyncError::Request(_) | SyncError::File { .. }), "{error}");
}

#[tokio::test]
async fn what_is_not_gzip_is_refused() {
    for body in [b"{}".to_vec(), Vec::new(), [gzip(b"a"), gzip(b"b")].concat()] {
        let copy = body.clone();
        let (error, _) = refused(move |seen| file(seen, "packages/omni.foo.gz", copy.clone())).await;
        assert!(matches!(error, SyncError::File { .. }), "{error}");
        let (error, _) = refused(move |seen| file(seen, "registry.gz", body.clone())).await;
        assert!(matches!(error, SyncError::File { .. }), "{error}");
    }
}

#[tokio::test]
async fn too_many_files_are_refused() {
    let stage = Stage::new(old()).await;
    let mut options = stage.options();
    options.limits.files_max = 3;
    let error = sync(&stage.server.client(), &options, Arc::new(Silent)).await.unwrap_err();
    assert!(error.to_string().contains("more than 3 files"), "{error}");
}

#[tokio::test]
async fn an_address_without_a_registry_is_explained() {
    let (error, _) = refused(|_| Some(Reply::status(404))).await;
    assert!(error.to_string().contains("There is no registry at this address"), "{error}");
    let (error, _) = refused(|_| Some(Reply::status(500))).await;
    assert!(matches!(error, SyncError::Request(_)), "{error}");
}
