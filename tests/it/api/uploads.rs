//! Resumable uploads by tus 1.0.0: beginning, going on after whatever went wrong, and ending as a file.

use std::thread::sleep;
use std::time::{Duration, Instant};

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use serde_json::json;

use crate::support::{Answer, Client, Request, TestServer, Wire, file_path};

const UPLOADS: &str = "/api/v1/uploads";
const MIB: usize = 1 << 20;
/// Nothing here takes that long unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// The path of an upload's address: a server that was restarted is somewhere else.
fn place(answer: &Answer) -> String {
    let address = answer.header("location");
    address[address.find("/api/").expect("an upload has its place in the API")..].to_owned()
}

fn base64(bytes: &[u8]) -> String {
    packhouse::http::base64::encode(bytes)
}

/// Bytes that compress badly and are not the same anywhere.
fn content(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

fn metadata(version: &str) -> String {
    let pairs = [
        ("package", "omni.kit"),
        ("channel", "stable"),
        ("version", version),
        ("platform", "any"),
        ("filename", "a b.zip"),
        ("filetype", "application/zip"),
        ("create", "active"),
    ];
    pairs.map(|(name, value)| format!("{name} {}", base64(value.as_bytes()))).join(",")
}

fn with_package() -> (TestServer, Client) {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    (server, omni)
}

fn tus(request: Request) -> Request {
    request.header("tus-resumable", "1.0.0")
}

fn creation(client: &Client, version: &str, len: usize) -> Request {
    let request = tus(client.post(UPLOADS)).header("upload-length", &len.to_string());
    request.header("upload-metadata", &metadata(version))
}

fn begin(client: &Client, version: &str, len: usize) -> String {
    place(&creation(client, version, len).is(201))
}

fn patch(client: &Client, url: &str, offset: usize, bytes: &[u8]) -> Request {
    let request = tus(client.patch(url)).header("upload-offset", &offset.to_string());
    request.header("content-type", "application/offset+octet-stream").body(bytes)
}

fn offset(client: &Client, url: &str) -> usize {
    tus(client.head(url)).is(200).header("upload-offset").parse().unwrap()
}

fn file(version: &str) -> String {
    file_path("omni/kit", &format!("stable/{version}"), "any/a%20b.zip")
}

fn unfinished(client: &Client) -> usize {
    client.get(UPLOADS).is(200).json()["items"].as_array().unwrap().len()
}

/// Begins to send `bytes` and says that `promised` will come.
fn half_sent(server: &TestServer, token: &str, url: &str, offset: usize, bytes: &[u8], promised: usize) -> Wire {
    let mut wire = server.connect();
    let head = format!(
        "PATCH {url} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {token}\r\ntus-resumable: 1.0.0\r\nupload-offset: \
         {offset}\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: {promised}\r\n\r\n"
    );
    wire.write(head.as_bytes()).unwrap();
    wire.write(bytes).unwrap();
    wire
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_server_says_what_it_can() {
    let server = TestServer::with().flags(&["--max-file-size", "5MiB"]).start();
    for path in [UPLOADS, "/api/v1/uploads/7"] {
        let answer = server.anonymous().request("OPTIONS", path).is(204);
        for (name, value) in [
            ("tus-resumable", "1.0.0"),
            ("tus-version", "1.0.0"),
            ("tus-extension", "creation,creation-with-upload,termination,checksum,expiration"),
            ("tus-max-size", "5242880"),
            ("tus-checksum-algorithm", "sha256,sha1,crc32"),
        ] {
            assert_eq!(answer.header(name), value);
        }
    }
}

#[test]
fn a_file_comes_in_parts() {
    let (server, omni) = with_package();
    let bytes = content(700_000);
    let url = begin(&omni, "1.0.0", bytes.len());
    assert_eq!(offset(&omni, &url), 0);
    for (from, to) in [(0, 1), (1, 300_000), (300_000, 300_000), (300_000, 699_999)] {
        let answer = patch(&omni, &url, from, &bytes[from..to]).is(204);
        assert_eq!(answer.header("upload-offset"), to.to_string());
        assert!(answer.header("upload-expires").ends_with(" GMT"));
        assert_eq!(answer.header("tus-resumable"), "1.0.0");
        assert_eq!(offset(&omni, &url), to);
    }
    let listed = omni.get(UPLOADS).is(200).json();
    let item = &listed["items"][0];
    for (name, value) in [
        ("package", json!("omni.kit")),
        ("channel", json!("stable")),
        ("version", json!("1.0.0")),
        ("platform", json!("any")),
        ("filename", json!("a b.zip")),
        ("size", json!(700_000)),
        ("offset", json!(699_999)),
        ("url", json!(format!("{}{url}", server.origin()))),
    ] {
        assert_eq!(item[name], value, "{name}");
    }
    assert_eq!(&omni.get(&url).is(200).json(), item);
    let head = tus(omni.head(&url)).is(200);
    assert_eq!(head.header("upload-metadata"), metadata("1.0.0"));
    assert_eq!(head.header("upload-length"), "700000");
    assert_eq!(head.header("cache-control"), "no-store");
    server.anonymous().get(&file("1.0.0")).problem(404, "there is no");

    let done = patch(&omni, &url, 699_999, &bytes[699_999..]).is(204);
    assert_eq!(done.header("content-location"), format!("{}{}", server.origin(), file("1.0.0")));
    assert_eq!(done.header("packhouse-outcome"), "created");
    let got = server.anonymous().get(&file("1.0.0")).is(200);
    assert!(got.body == bytes);
    assert_eq!(got.header("content-type"), "application/zip");
    // Who missed the answer asks how far it is.
    assert_eq!(offset(&omni, &url), bytes.len());
    assert_eq!(unfinished(&omni), 0);

    // The same once more is a success that changes nothing, as with PUT.
    let url = begin(&omni, "1.0.0", bytes.len());
    patch(&omni, &url, 0, &bytes[..400_000]).is(204);
    assert_eq!(patch(&omni, &url, 400_000, &bytes[400_000..]).is(204).header("packhouse-outcome"), "unchanged");
}

#[test]
fn bytes_may_come_with_the_beginning() {
    let (server, omni) = with_package();
    let with_bytes = |version: &str, len: usize, bytes: &[u8]| {
        creation(&omni, version, len).header("content-type", "application/offset+octet-stream").body(bytes)
    };
    let answer = with_bytes("1.0.0", 6, b"abc").is(201);
    assert_eq!(answer.header("upload-offset"), "3");
    let url = place(&answer);
    patch(&omni, &url, 3, b"def").is(204);
    assert_eq!(server.anonymous().get(&file("1.0.0")).is(200).text(), "abcdef");
    assert_eq!(with_bytes("1.1.0", 3, b"abc").is(201).header("packhouse-outcome"), "created");
    assert_eq!(server.anonymous().get(&file("1.1.0")).is(200).text(), "abc");
    // A file without bytes is complete at once.
    assert_eq!(creation(&omni, "1.2.0", 0).is(201).header("packhouse-outcome"), "created");
    assert_eq!(server.anonymous().get(&file("1.2.0")).is(200).text(), "");
    let wrong = with_bytes("1.3.0", 6, b"abc").header("upload-checksum", &format!("crc32 {}", base64(b"0000")));
    wrong.problem(460, "none of them were taken");
}

#[test]
fn what_is_wrong_is_said() {
    let (_server, omni) = with_package();
    omni.post(UPLOADS).header("upload-length", "3").problem(412, "tus 1.0.0");
    tus(omni.post(UPLOADS)).header("upload-metadata", &metadata("1")).problem(400, "Upload-Length");
    creation(&omni, "1", 3).header("upload-length", "-1").problem(400, "number of bytes");
    creation(&omni, "1", 3).header("upload-metadata", "package").problem(422, "must say the package");
    creation(&omni, "1", 3).header("upload-metadata", "package !").problem(400, "Upload-Metadata");
    creation(&omni, "a b", 3).problem(422, "");
    creation(&omni, "1", 20 << 30).header("upload-length", &(20_u64 << 30).to_string()).problem(413, "at most");
    let url = begin(&omni, "1.0.0", 6);
    patch(&omni, &url, 0, b"abc").without("tus-resumable").problem(412, "tus 1.0.0");
    patch(&omni, &url, 0, b"abc").header("tus-resumable", "0.2.2").problem(412, "tus 1.0.0");
    patch(&omni, &url, 0, b"abc").header("content-type", "text/plain").problem(415, "offset+octet-stream");
    patch(&omni, &url, 0, b"abc").without("upload-offset").problem(400, "Upload-Offset");
    let answer = patch(&omni, &url, 3, b"abc").is(409);
    assert_eq!(answer.header("upload-offset"), "0");
    answer.problem(409, "at byte 0");
    patch(&omni, &url, 0, b"abcdefg").problem(413, "at most 6");
    patch(&omni, "/api/v1/uploads/999999", 0, b"abc").problem(404, "there is no upload");
    omni.get("/api/v1/uploads/x").problem(404, "");
    assert_eq!(offset(&omni, &url), 0);
    // The other way to say PATCH.
    let request = patch(&omni, &url, 0, b"abcdef");
    let _ = request;
    let post = tus(omni.post(&url)).header("upload-offset", "0").header("x-http-method-override", "PATCH");
    post.header("content-type", "application/offset+octet-stream").body("abcdef").is(204);
}

#[test]
fn bytes_that_do_not_have_their_checksum_are_not_taken() {
    let (server, omni) = with_package();
    let bytes = content(1_500_000);
    let url = begin(&omni, "1.0.0", bytes.len());
    let (first, second) = bytes.split_at(400_000);
    let sha1 = |bytes: &[u8]| format!("sha1 {}", base64(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref()));
    let sha256 = |bytes: &[u8]| format!("sha256 {}", base64(digest(&SHA256, bytes).as_ref()));
    let crc32 = |bytes: &[u8]| format!("crc32 {}", base64(&crc32fast::hash(bytes).to_be_bytes()));
    for sum in [sha1(second), sha256(second), crc32(second)] {
        patch(&omni, &url, 0, first).header("upload-checksum", &sum).problem(460, "checksum");
        assert_eq!(offset(&omni, &url), 0);
    }
    patch(&omni, &url, 0, first).header("upload-checksum", "md5 YQ==").problem(400, "sha256,sha1,crc32");
    patch(&omni, &url, 0, first).header("upload-checksum", &crc32(first)).is(204);
    let mut damaged = second.to_vec();
    damaged[500_000] ^= 1;
    patch(&omni, &url, 400_000, &damaged).header("upload-checksum", &sha256(second)).problem(460, "checksum");
    assert_eq!(offset(&omni, &url), 400_000);
    // What cannot be checked, because its end is missing, is not taken either.
    let secret = server.secret("omni", crate::support::Scope::Publish);
    let mut wire = server.connect();
    let head = format!(
        "PATCH {url} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {secret}\r\ntus-resumable: 1.0.0\r\nupload-offset: \
         400000\r\nupload-checksum: {}\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: 1100000\r\n\r\n",
        sha1(second)
    );
    wire.write(head.as_bytes()).unwrap();
    wire.write(&second[..900_000]).unwrap();
    drop(wire);
    until("the last request is over", || {
        patch(&omni, &url, 1_400_000, b"").send().status == 409 && offset(&omni, &url) == 400_000
    });
    patch(&omni, &url, 400_000, second).header("upload-checksum", &sha1(second)).is(204);
    assert!(server.anonymous().get(&file("1.0.0")).is(200).body == bytes);
}

#[test]
fn a_refusal_at_the_end_is_that_of_put_and_leaves_nothing() {
    let (server, omni) = with_package();
    let bytes = content(3 * MIB);
    let url = begin(&omni, "1.0.0", bytes.len());
    patch(&omni, &url, 0, &bytes[..2 * MIB]).is(204);
    // Somebody else was faster.
    omni.put(&format!("{}?create=active", file("1.0.0"))).body("other").is(201);
    patch(&omni, &url, 2 * MIB, &bytes[2 * MIB..]).problem(409, "has been published with other bytes");
    tus(omni.head(&url)).is(404);
    assert_eq!(unfinished(&omni), 0);
    // The promised digest counts.
    let sha256: String = digest(&SHA256, b"abc").as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let said = format!("{},sha256 {}", metadata("2.0.0"), base64(sha256.as_bytes()));
    let url = place(&creation(&omni, "", 3).header("upload-metadata", &said).is(201));
    assert_eq!(patch(&omni, &url, 0, b"abd").problem(422, "not ba7816bf")["field"], "sha256");
    server.anonymous().get(&file("2.0.0")).is(404);
    let url = place(&creation(&omni, "", 3).header("upload-metadata", &said).is(201));
    patch(&omni, &url, 0, b"abc").is(204);
    let metrics = server.user("root").get("/metrics").is(200).text();
    assert!(metrics.contains("packhouse_uploads_unfinished 0\n"), "{metrics}");
}

#[test]
fn what_may_not_be_published_is_refused_before_its_bytes() {
    let (server, omni) = with_package();
    creation(&server.user("uma"), "1.0.0", 3).problem(403, "owners and maintainers");
    let other = metadata("1.0.0").replace(&base64(b"stable"), &base64(b"nope"));
    creation(&omni, "", 3).header("upload-metadata", &other).problem(404, "there are stable");
    let member = "/api/v1/packages/omni/kit/members/mara";
    omni.put(member).json(&json!({ "role": "maintainer" })).is(201);
    let mara = server.user("mara");
    let url = begin(&mara, "1.0.0", 6);
    patch(&mara, &url, 0, b"abc").is(204);
    patch(&omni, &url, 3, b"def").problem(404, "there is no upload");
    omni.delete(member).is(204);
    patch(&mara, &url, 3, b"def").problem(403, "you may not do this");
    tus(mara.delete(&url)).is(204);
}

#[test]
fn an_upload_can_be_given_up() {
    let (_server, omni) = with_package();
    let url = begin(&omni, "1.0.0", 2 * MIB);
    patch(&omni, &url, 0, &content(MIB)).is(204);
    omni.delete(&url).problem(412, "tus 1.0.0");
    tus(omni.delete(&url)).is(204);
    tus(omni.head(&url)).is(404);
    tus(omni.delete(&url)).problem(404, "there is no upload");
    patch(&omni, &url, MIB, b"x").problem(404, "there is no upload");
}

#[test]
fn there_are_not_too_many() {
    let (_server, omni) = with_package();
    for _ in 0..100 {
        begin(&omni, "1.0.0", 10);
    }
    creation(&omni, "1.0.0", 10).problem(409, "100 unfinished uploads");
}

#[test]
fn an_upload_that_nobody_continues_expires() {
    let server = TestServer::with().flags(&["--upload-expiry", "1s"]).start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let url = begin(&omni, "1.0.0", 6);
    until("it expires", || tus(omni.head(&url)).send().status == 410);
    patch(&omni, &url, 0, b"abc").problem(410, "has expired");
    assert_eq!(unfinished(&omni), 0);
}

#[test]
fn what_came_before_a_cut_is_kept_over_restarts() {
    let (mut server, omni) = with_package();
    let secret = server.secret("omni", crate::support::Scope::Publish);
    let bytes = content(24 * MIB + 12_345);
    let url = begin(&omni, "1.0.0", bytes.len());
    let mut at = 0;
    for (round, more) in [3 * MIB + 1, 5, 9 * MIB, 100_000].into_iter().enumerate() {
        drop(half_sent(&server, secret, &url, at, &bytes[at..at + more], bytes.len() - at));
        at += more;
        until("all that came is there", || offset(&omni, &url) == at);
        // Until the next request may go on with it, what came is kept as well.
        patch(&omni, &url, at, b"").is(204);
        if round % 2 == 0 {
            server.kill();
        } else {
            assert!(server.stop().success());
        }
        server.restart();
        assert_eq!(offset(&omni, &url), at);
    }
    patch(&omni, &url, at, &bytes[at..]).is(204);
    assert!(server.anonymous().get(&file("1.0.0")).is(200).body == bytes);
}

#[test]
fn a_crash_in_the_middle_loses_little() {
    let (mut server, omni) = with_package();
    let secret = server.secret("omni", crate::support::Scope::Publish);
    let bytes = content(48 * MIB);
    let url = begin(&omni, "1.0.0", bytes.len());
    let sent = 40 * MIB;
    let wire = half_sent(&server, secret, &url, 0, &bytes[..sent], bytes.len());
    until("it came", || offset(&omni, &url) == sent);
    server.kill();
    drop(wire);
    server.restart();
    let kept = offset(&omni, &url);
    // What is kept every 8 MiB may be on its way at that moment, and 20 MiB may be on their way to the disk.
    assert!(kept >= sent - 30 * MIB && kept <= sent, "{kept}");
    patch(&omni, &url, kept, &bytes[kept..]).is(204);
    assert!(server.anonymous().get(&file("1.0.0")).is(200).body == bytes);
}

#[test]
fn one_request_at_a_time_and_silent_ones_give_way() {
    let (server, omni) = with_package();
    let secret = server.secret("omni", crate::support::Scope::Publish);
    let url = begin(&omni, "1.0.0", 100);
    let mut busy = half_sent(&server, secret, &url, 0, &[1; 10], 100);
    until("it came", || offset(&omni, &url) == 10);
    let sending = std::thread::spawn(move || {
        for _ in 0..45 {
            sleep(Duration::from_millis(100));
            if busy.write(&[2]).is_err() {
                break;
            }
        }
        busy
    });
    let refused = patch(&omni, &url, 10, b"x").is(423);
    assert_eq!(refused.header("retry-after"), "1");
    refused.problem(423, "another request");
    let mut silent = sending.join().unwrap();
    // Its client may have gone without a word: after a second, the next one takes over.
    let at = offset(&omni, &url);
    assert_eq!(patch(&omni, &url, at, b"xy").is(204).header("upload-offset"), (at + 2).to_string());
    let answer: Answer = tus(omni.head(&url)).is(200);
    assert_eq!(answer.header("upload-offset"), (at + 2).to_string());
    let (head, _) = silent.read_answer().unwrap();
    assert_eq!(head.status, 423);
    // One that is not wanted any more gives way at once.
    let mut unwanted = half_sent(&server, secret, &url, at + 2, b"z", 20);
    until("it came", || offset(&omni, &url) == at + 3);
    tus(omni.delete(&url)).is(204);
    assert_eq!(unwanted.read_answer().unwrap().0.status, 423);
}
