//! Stopping in good order: what runs may finish, what was answered is there after the next start.

use std::io::Read;
use std::time::{Duration, Instant};

use crate::support::{Scope, TestServer, file_path};

const BYTES: usize = 24 << 20;

fn content() -> Vec<u8> {
    (0..BYTES as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[test]
fn a_running_upload_finishes() {
    let mut server = TestServer::start();
    server.omni().make_package("kit", "public");
    let (bytes, path) = (content(), file_path("omni/kit", "stable/1.0.0", "any/a.zip"));
    let mut wire = server.connect();
    let secret = server.secret("omni", Scope::Publish);
    let head = format!("PUT {path}?create=active HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\n");
    wire.write(format!("{head}content-length: {BYTES}\r\n\r\n").as_bytes()).unwrap();
    wire.write(&bytes[..BYTES / 2]).unwrap();
    let mut idle = server.connect();
    idle.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!(idle.read_answer().unwrap().0.status, 200);
    server.begin_stop();
    server.wait_for_log("stopping");
    assert!(idle.read_to_end().unwrap_or_default().is_empty(), "who asks nothing is sent away");
    wire.write(&bytes[BYTES / 2..]).unwrap();
    let (answer, body) = wire.read_answer().unwrap();
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&body));
    assert!(server.wait().success());
    server.restart();
    assert!(server.anonymous().get(&path).is(200).body == bytes);
    server.anonymous().get("/v2/packages/omni.kit.gz").is(200);
}

#[test]
fn a_running_download_finishes() {
    let mut server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let bytes = content();
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", bytes.clone());
    let (_, mut body) = server.anonymous().get(&file_path("omni/kit", "stable/1.0.0", "any/a.zip")).open();
    let mut got = vec![0; 1000];
    body.read_exact(&mut got).unwrap();
    server.begin_stop();
    server.wait_for_log("stopping");
    body.read_to_end(&mut got).unwrap();
    assert!(got == bytes, "all {BYTES} bytes came, not {}", got.len());
    assert!(server.wait().success());
}

#[test]
fn who_takes_too_long_is_cut() {
    let mut server = TestServer::with().flags(&["--shutdown-timeout", "1s"]).start();
    server.omni().make_package("kit", "public");
    let path = file_path("omni/kit", "stable/1.0.0", "any/a.zip");
    let mut wire = server.connect();
    let secret = server.secret("omni", Scope::Publish);
    let head = format!("PUT {path}?create=active HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\n");
    wire.write(format!("{head}content-length: 10\r\n\r\nhello").as_bytes()).unwrap();
    // The upload is under way once a later request is answered.
    server.anonymous().get("/healthz").is(200);
    let begun = Instant::now();
    assert!(server.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(server.log().contains("were cut"), "{}", server.log());
    server.restart();
    server.anonymous().get("/api/v1/packages/omni/kit/releases/stable/1.0.0").is(404);
}

#[test]
fn what_was_answered_is_there_after_a_stop_in_the_middle() {
    let mut server = TestServer::start();
    server.omni().make_package("kit", "public");
    let publisher = server.token("omni", Scope::Publish);
    let address = server.address();
    let answered: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let publisher = publisher.clone();
                scope.spawn(move || {
                    let mut answered = Vec::new();
                    for n in 0..10_000 {
                        let path = file_path("omni/kit", &format!("stable/{worker}.{n}"), "any/a");
                        let request = publisher.put(&format!("{path}?create=active")).body(format!("{worker} {n}"));
                        match request.try_send() {
                            Ok(answer) if answer.status == 201 => answered.push(path),
                            Ok(answer) => assert_eq!(answer.status, 503, "{answer}"),
                            Err(_) => break,
                        }
                    }
                    answered
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(500));
        server.begin_stop();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(server.wait().success());
    assert!(answered.len() > 20, "{}", answered.len());
    server.restart();
    assert_ne!(server.address(), address, "this is another run");
    let lines = server.anonymous().get("/v2/packages/omni.kit.gz").is(200).gunzip();
    assert!(lines.lines().count() >= answered.len());
    for path in answered {
        server.anonymous().get(&path).is(200);
    }
}
