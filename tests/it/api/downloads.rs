//! Downloads: conditions, ranges, redirects, and headers that keep browsers from running what they get.

use serde_json::json;

use crate::support::{Answer, Client, TestServer, file_path};

const CONTENT: &str = "0123456789";
const ARCHIVE: &str = "/v2/archives/omni.kit/omni.kit-1.0.0/b%C3%A9.html";

fn with_archive() -> (TestServer, Client) {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let path = format!("{}?create=active", file_path("omni/kit", "stable/1.0.0", "any/b%C3%A9.html"));
    omni.put(&path).header("content-type", "text/html").body(CONTENT).is(201);
    let anonymous = server.anonymous();
    (server, anonymous)
}

#[test]
fn headers_say_what_it_is_and_that_it_is_no_page() {
    let (_server, anonymous) = with_archive();
    let whole = anonymous.get(ARCHIVE).is(200);
    assert_eq!(whole.text(), CONTENT);
    for (name, value) in [
        ("content-type", "text/html"),
        ("content-length", "10"),
        ("accept-ranges", "bytes"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("repr-digest", "sha-256=:hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=:"),
        ("x-content-type-options", "nosniff"),
        ("content-disposition", "attachment; filename=\"b_.html\"; filename*=UTF-8''b%C3%A9.html"),
    ] {
        assert_eq!(whole.header(name), value, "{name}");
    }
    assert!(whole.header("content-security-policy").contains("sandbox"));
    let tag = whole.header("etag");
    assert!(tag.starts_with('"') && tag.len() == 66, "{tag}");
    assert!(whole.find("last-modified").is_some() && whole.find("content-encoding").is_none());
    let head = anonymous.head(ARCHIVE).is(200);
    assert_eq!((head.header("content-length"), head.header("etag"), head.body.len()), ("10", tag, 0));
}

#[test]
fn who_has_it_already_gets_nothing() {
    let (_server, anonymous) = with_archive();
    let whole = anonymous.get(ARCHIVE).is(200);
    let (tag, changed) = (whole.header("etag"), whole.header("last-modified"));
    let weak = format!("W/{tag}");
    let list = format!("\"other\", {tag}");
    for (name, value, status) in [
        ("if-none-match", tag, 304),
        ("if-none-match", &weak, 304),
        ("if-none-match", &list, 304),
        ("if-none-match", "*", 304),
        ("if-none-match", "\"other\"", 200),
        ("if-modified-since", changed, 304),
        ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("if-modified-since", "not a date", 200),
        ("if-match", tag, 200),
        ("if-match", "\"other\"", 412),
        ("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT", 412),
    ] {
        for request in [anonymous.get(ARCHIVE), anonymous.head(ARCHIVE)] {
            let answer = request.header(name, value).is(status);
            assert!(status != 304 || answer.body.is_empty() && answer.header("etag") == tag, "{answer}");
        }
    }
}

#[test]
fn parts_are_what_was_asked_for() {
    let (_server, anonymous) = with_archive();
    for (range, part, content_range) in [
        ("bytes=0-0", "0", "bytes 0-0/10"),
        ("bytes=2-5", "2345", "bytes 2-5/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=-99", CONTENT, "bytes 0-9/10"),
        ("bytes=5-99999999999999999999999999", "56789", "bytes 5-9/10"),
        ("BYTES=2-2", "2", "bytes 2-2/10"),
        ("bytes=2-2,20-30", "2", "bytes 2-2/10"),
    ] {
        let answer = anonymous.get(ARCHIVE).header("range", range).is(206);
        assert_eq!((answer.text().as_str(), answer.header("content-range")), (part, content_range), "{range}");
        assert_eq!(answer.header("content-length"), part.len().to_string());
        assert!(answer.find("content-disposition").is_some());
    }
    for range in ["lines=1-2", "nonsense"] {
        assert_eq!(anonymous.get(ARCHIVE).header("range", range).is(200).text(), CONTENT);
    }
    assert!(anonymous.head(ARCHIVE).header("range", "bytes=0-1").is(200).find("content-range").is_none());
}

#[test]
fn several_parts_come_in_one_body() {
    let (_server, anonymous) = with_archive();
    let answer = anonymous.get(ARCHIVE).header("range", "bytes=8-9, 0-1,-3,-3,-3").send();
    answer.problem(416, "at most two overlap");
    let answer = anonymous.get(ARCHIVE).header("range", "bytes=8-9,, 0-1, 4-4").is(206);
    assert_eq!(parts(&answer), [("bytes 8-9/10", "89"), ("bytes 0-1/10", "01"), ("bytes 4-4/10", "4")]);
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
}

/// The parts of a `multipart/byteranges` body (RFC 9110, section 14.6): their places and bytes.
fn parts(answer: &Answer) -> Vec<(&str, &str)> {
    let boundary = answer.header("content-type").strip_prefix("multipart/byteranges; boundary=").expect("it has parts");
    let body = std::str::from_utf8(&answer.body).unwrap();
    let (end, delimiter) = (format!("\r\n--{boundary}--\r\n"), format!("--{boundary}\r\n"));
    let body = body.strip_suffix(&end).expect("it ends");
    let parts = body.split(&delimiter).skip(1).map(|part| {
        let (head, content) = part.strip_suffix("\r\n").unwrap_or(part).split_once("\r\n\r\n").expect("it has a head");
        let range = head.lines().find_map(|line| line.strip_prefix("Content-Range: ")).expect("it has a place");
        assert!(head.contains("Content-Type: text/html"));
        (range, content)
    });
    parts.collect()
}

#[test]
fn absurd_ranges_are_refused_and_cost_nothing() {
    let (_server, anonymous) = with_archive();
    let many = format!("bytes={}", (0..5000).map(|_| "0-0,").collect::<String>());
    let seventeen = format!("bytes={}", (0..17).map(|n| format!("{}-{},", n % 10, n % 10)).collect::<String>());
    for range in [
        "bytes=10-",
        "bytes=10-20",
        "bytes=-0",
        "bytes=5-2",
        "bytes=0-5,3-8,3-8,3-8",
        "bytes=0-0,0-0,0-0,0-0",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=1-2-3",
        "bytes=--1",
        &seventeen,
        &many,
    ] {
        let answer = anonymous.get(ARCHIVE).header("range", range).send();
        assert_eq!(answer.header("content-range"), "bytes */10", "{range}");
        answer.problem(416, "the content has 10 bytes");
    }
}

#[test]
fn a_part_goes_on_only_with_the_same_whole() {
    let (_server, anonymous) = with_archive();
    let whole = anonymous.get(ARCHIVE).is(200);
    let weak = format!("W/{}", whole.header("etag"));
    for (condition, status) in [
        (whole.header("etag"), 206),
        (whole.header("last-modified"), 206),
        ("\"other\"", 200),
        (&weak, 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
    ] {
        anonymous.get(ARCHIVE).header("range", "bytes=1-2").header("if-range", condition).is(status);
    }
}

#[test]
fn private_archives_are_for_private_caches() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("safe", "private");
    omni.publish("omni/safe", "stable/1.0.0", "any/a.zip", "a");
    let file = file_path("omni/safe", "stable/1.0.0", "any/a.zip");
    assert_eq!(omni.get(&file).is(200).header("cache-control"), "private, max-age=31536000, immutable");
    omni.put(&format!("{}?create=inactive", file_path("omni/safe", "stable/2.0.0", "any/a.zip"))).body("b").is(201);
    let draft = omni.get(&file_path("omni/safe", "stable/2.0.0", "any/a.zip")).is(200);
    assert_eq!(draft.header("cache-control"), "private, no-cache");
}

#[test]
fn links_lead_to_the_file() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.make_package("safe", "private");
    for release in ["stable/1.0.0", "stable/1.2.0", "beta/2.0.0"] {
        omni.publish("omni/kit", release, "linux-x64/kit.tar.gz", release);
    }
    omni.publish("omni/kit", "stable/1.1.0", "windows-x64/kit.zip", "windows");
    omni.publish("omni/safe", "stable/1.0.0+x", "any/a b.zip".replace(' ', "%20").as_str(), "private");
    let anonymous = server.anonymous();
    let follow = |path: &str| {
        let answer = anonymous.get(path).is(302);
        assert_eq!(answer.header("cache-control"), "no-store", "`latest` moves");
        anonymous.get(answer.header("location")).is(200).text()
    };
    assert_eq!(follow("/download/omni/kit/stable/latest/linux-x64"), "stable/1.2.0");
    assert_eq!(follow("/download/omni/kit/stable/latest/linux-x64/kit.tar.gz"), "stable/1.2.0");
    assert_eq!(follow("/download/omni/kit/beta/latest/linux-x64"), "beta/2.0.0");
    assert_eq!(follow("/download/omni/kit/beta/latest/windows-x64"), "windows");
    assert_eq!(follow("/download/omni/kit/stable/1.0.0/linux-x64"), "stable/1.0.0");
    for (path, detail) in [
        ("/download/omni/kit/stable/latest/any", "has no archive for any there"),
        ("/download/omni/kit/stable/latest/linux-x64/x", "no file named x for linux-x64"),
        ("/download/omni/kit/stable/9.9/linux-x64", "there are 1.2.0, 1.1.0, 1.0.0"),
        ("/download/omni/kit/nope/latest/linux-x64", "there are stable"),
        ("/download/omni/kit/stable/latest/nope", "there are"),
        ("/download/omni/safe/stable/latest/any", "needs its access token"),
    ] {
        anonymous.get(path).problem(404, detail);
    }
    let token = omni.get("/api/v1/packages/omni/safe").is(200).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(follow(&format!("/t/{token}/download/omni/safe/stable/latest/any")), "private");
    assert_eq!(follow(&format!("/t/{token}/download/omni/safe/stable/1.0.0%2Bx/any/a%20b.zip")), "private");
}

#[test]
fn a_public_file_of_a_draft_is_no_cache_s_business() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "a");
    omni.patch("/api/v1/packages/omni/kit/releases/stable/1.0.0").json(&json!({ "active": false })).is(200);
    let file = omni.get(&file_path("omni/kit", "stable/1.0.0", "any/a.zip")).is(200);
    assert!(file.header("cache-control").starts_with("private"), "{file}");
}
