//! Requests that are broken below HTTP's grammar, cut, or slow.

use std::time::{Duration, Instant};

use super::Scene;
use crate::support::{Scope, file_path};

/// Sends bytes and expects a 4xx, or that the connection is closed without an answer where nobody could read one.
#[track_caller]
fn refused(scene: &Scene, what: &str, bytes: &[u8]) -> u16 {
    let mut wire = scene.server.connect();
    // The server may have answered and closed before all is written.
    let _ = wire.write(bytes);
    match wire.read_answer() {
        Ok((head, body)) => {
            let text = String::from_utf8_lossy(&body).into_owned();
            assert!((400..500).contains(&head.status), "{what}: {} {text}", head.status);
            head.status
        }
        Err(error) => panic!("{what} was not answered: {error}"),
    }
}

fn authorized(scene: &Scene) -> String {
    format!(
        "host: {}\r\nauthorization: Bearer {}\r\n",
        scene.server.address(),
        scene.server.secret("omni", Scope::Admin)
    )
}

fn put_head(scene: &Scene, more: &str) -> String {
    let path = file_path("omni/kit", "beta/2.0.0", "any/new.zip");
    format!("PUT {path} HTTP/1.1\r\n{}{more}\r\n", authorized(scene))
}

#[test]
fn heads_that_are_none() {
    let scene = Scene::new(&[]);
    for (what, bytes) in [
        ("no HTTP", "hello\r\n\r\n"),
        ("no version", "GET /\r\n\r\n"),
        ("another version", "GET / HTTP/3.0\r\n\r\n"),
        ("a space in the path", "GET /a b HTTP/1.1\r\nhost: x\r\n\r\n"),
        ("a control character in a header", "GET / HTTP/1.1\r\nhost: x\r\na: \0\r\n\r\n"),
        ("a header without a colon", "GET / HTTP/1.1\r\nhost x\r\n\r\n"),
        ("a space in a header's name", "GET / HTTP/1.1\r\nhost : x\r\n\r\n"),
        ("a folded header", "GET / HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n"),
        ("a method that is none", "G@T / HTTP/1.1\r\nhost: x\r\n\r\n"),
    ] {
        refused(&scene, what, bytes.as_bytes());
    }
    for (what, path) in [("path", &b"/a\xff\xfe"[..]), ("query", b"/api/v1/packages?search=\xff\xfe")] {
        let bytes = [b"GET ", path, b" HTTP/1.1\r\nhost: x\r\n\r\n"].concat();
        refused(&scene, &format!("a {what} that is no UTF-8"), &bytes);
    }
    let many: String = (0..10_000).map(|n| format!("h{n}: v\r\n")).collect();
    assert_eq!(refused(&scene, "10,000 headers", format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes()), 431);
    let large = "x".repeat(100_000);
    refused(&scene, "a large header", format!("GET / HTTP/1.1\r\nhost: x\r\na: {large}\r\n\r\n").as_bytes());
    refused(&scene, "a large path", format!("GET /{large} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
    scene.is_unchanged("a head that is none");
}

#[test]
fn bodies_whose_end_is_unclear() {
    let scene = Scene::new(&[]);
    for (what, head, body) in [
        ("two lengths", "content-length: 5\r\ncontent-length: 6\r\n", "hello!"),
        ("a length that is none", "content-length: five\r\n", "hello"),
        ("a negative length", "content-length: -5\r\n", "hello"),
        ("a signed length", "content-length: +5\r\n", "hello"),
        ("a huge length", "content-length: 99999999999999999999999\r\n", "hello"),
        ("an encoding that is none", "transfer-encoding: gzip\r\n", "hello"),
        ("an encoding twice", "transfer-encoding: chunked, chunked\r\n", "0\r\n\r\n"),
        ("a chunk that is none", "transfer-encoding: chunked\r\n", "zz\r\nhello\r\n0\r\n\r\n"),
        ("a chunk that is too short", "transfer-encoding: chunked\r\n", "2\r\nhello\r\n0\r\n\r\n"),
        ("a huge chunk", "transfer-encoding: chunked\r\n", "ffffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
        ("more than any file may have", "content-length: 99999999999999\r\n", "hello"),
    ] {
        refused(&scene, what, format!("{}{body}", put_head(&scene, head)).as_bytes());
    }
    scene.is_unchanged("a body whose end is unclear");
}

#[test]
fn bodies_that_end_too_soon() {
    let scene = Scene::new(&[]);
    for (head, body) in [
        ("content-length: 50\r\n", "hello"),
        ("content-length: 1\r\n", ""),
        ("transfer-encoding: chunked\r\n", "5\r\nhello\r\n"),
        ("transfer-encoding: chunked\r\n", "5\r\nhel"),
        ("transfer-encoding: chunked\r\n", "5\r\nhello\r\n0\r\n"),
    ] {
        let mut wire = scene.server.connect();
        wire.write(format!("{}{body}", put_head(&scene, head)).as_bytes()).unwrap();
        wire.end_writing();
        let answer = wire.read_to_end().unwrap_or_default();
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{body:?}: {text}");
    }
    scene.is_unchanged("a body that ends too soon");
}

/// RFC 9112, section 6.1: the chunks count, and the connection ends, so that nobody can be made to read the rest as a
/// request of somebody else's.
#[test]
fn of_two_framings_one_counts_and_nothing_comes_after() {
    let scene = Scene::new(&[]);
    for (n, framing) in
        ["content-length: 3\r\ntransfer-encoding: chunked\r\n", "transfer-encoding: chunked\r\ncontent-length: 3\r\n"]
            .into_iter()
            .enumerate()
    {
        let mut wire = scene.server.connect();
        let path = file_path("omni/kit", "beta/2.0.0", &format!("any/{n}.zip"));
        let head = format!("PUT {path} HTTP/1.1\r\n{}{framing}\r\n", authorized(&scene));
        let smuggled = format!("DELETE {path} HTTP/1.1\r\n{}\r\n", authorized(&scene));
        wire.write(format!("{head}5\r\nhello\r\n0\r\n\r\n{smuggled}").as_bytes()).unwrap();
        let (head, _) = wire.read_answer().unwrap();
        assert_eq!(head.status, 201);
        assert!(head.headers.contains(&("connection".to_owned(), "close".to_owned())), "{:?}", head.headers);
        assert!(wire.read_to_end().unwrap_or_default().is_empty(), "what followed was not read as a request");
        assert_eq!(scene.omni.get(&path).is(200).text(), "hello");
    }
}

#[test]
fn what_follows_a_body_is_a_request_of_its_own() {
    let scene = Scene::new(&[]);
    let mut wire = scene.server.connect();
    let head = format!("POST /api/v1/packages HTTP/1.1\r\n{}content-length: 2\r\n\r\n", authorized(&scene));
    wire.write(format!("{head}{{}}too long\r\n\r\n").as_bytes()).unwrap();
    assert_eq!(wire.read_answer().unwrap().0.status, 422);
    assert_eq!(wire.read_answer().unwrap().0.status, 400, "the rest is no request");
    assert!(wire.read_to_end().unwrap().is_empty(), "and the end");
    scene.is_unchanged("a body that is too long");
}

#[test]
fn an_upload_that_is_cut_leaves_nothing() {
    let scene = Scene::new(&[]);
    let volume = scene.server.data().join("blobs/00000001.redb");
    for n in 0..30 {
        let mut wire = scene.server.connect();
        let framing = if n % 2 == 0 { "content-length: 3000000\r\n" } else { "transfer-encoding: chunked\r\n" };
        wire.write(put_head(&scene, framing).as_bytes()).unwrap();
        if n % 2 == 1 {
            wire.write(b"2dc6c0\r\n").unwrap();
        }
        wire.write(&vec![n; 2_000_000]).unwrap();
        // Dropping it with bytes unread resets the connection; ending it does not.
        if n % 3 == 0 {
            wire.end_writing();
            let _ = wire.read_to_end();
        }
    }
    scene.is_unchanged("an upload that was cut");
    let held = std::fs::metadata(volume).unwrap().len();
    assert!(held < 10 * 2_000_000, "the space is used again, not {held} bytes");
    scene.omni.put(&file_path("omni/kit", "beta/2.0.0", "any/new.zip")).body(vec![7; 2_000_000]).is(201);
}

#[test]
fn nobody_may_be_slow_for_ever() {
    let scene = Scene::new(&["--header-timeout", "1s", "--body-timeout", "1s", "--idle-timeout", "2s"]);
    let begun = Instant::now();
    let mut silent = scene.server.connect();
    let mut half = scene.server.connect();
    half.write(b"GET / HTTP/1.1\r\nhost").unwrap();
    let mut body = scene.server.connect();
    body.write(format!("{}hel", put_head(&scene, "content-length: 5\r\n")).as_bytes()).unwrap();
    let mut idle = scene.server.connect();
    idle.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!(idle.read_answer().unwrap().0.status, 200);
    // One that dribbles is no better than one that is silent.
    let mut dribble = scene.server.connect();
    let dribbling = std::thread::spawn(move || {
        for byte in b"GET / HTTP/1.1\r\nhost: x\r\na: ".iter().chain(std::iter::repeat(&b'x')).take(400) {
            if dribble.write(&[*byte]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        dribble.read_to_end().is_ok_and(|bytes| bytes.is_empty() || bytes.starts_with(b"HTTP/1.1 4"))
    });
    for wire in [&mut silent, &mut half] {
        let rest = wire.read_to_end().unwrap_or_default();
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
    }
    assert_eq!(body.read_answer().unwrap().0.status, 408);
    assert!(idle.read_to_end().unwrap_or_default().is_empty());
    // A reset is as good an end as any.
    let _ = dribbling.join().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(15), "it took {:?}", begun.elapsed());
    scene.is_unchanged("a slow client");
}
