//! Space comes back: of uploads that break off, of what is deleted, and of volumes that are mostly dead; and a stop in
//! good order leaves nothing to repair.

use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::disk::{Generated, allocated_bytes, digest, wait_until};
use super::kill::check_directory;
use super::load::{Worker, check_index, make_token, together};
use crate::support::{TestServer, binary, file_path, free_of_flags};

const MB: u64 = 1_000_000;

fn path(version: &str, name: &str) -> String {
    file_path("omni/app", &format!("stable/{version}"), &format!("any/{name}"))
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let server = TestServer::start();
    let token = make_token(&server);
    let omni = server.bearer(&token);
    omni.make_package("app", "public");
    omni.publish("omni/app", "stable/1.0.0", "any/app.zip", "small");
    let before = allocated_bytes(server.data());
    let mut wire = server.connect();
    let target = format!("{}?create=active", path("2.0.0", "app.zip"));
    let head = format!(
        "PUT {target} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
        200 * MB
    );
    wire.write(head.as_bytes()).unwrap();
    std::io::copy(&mut Generated::new(1, 150 * MB), &mut wire.stream).unwrap();
    wait_until("most of what was sent is on the disk", || allocated_bytes(server.data()) > before + 100 * MB);
    drop(wire);
    let took = wait_until("the space is back", || allocated_bytes(server.data()) < before + 4 * MB);
    println!("150 MB of an upload that broke off came back after {took:.1?}");
    omni.get(&path("2.0.0", "app.zip")).is(404);
    assert_eq!(omni.get(&path("1.0.0", "app.zip")).is(200).body, b"small");
}

#[test]
fn an_upload_of_other_bytes_than_announced_leaves_nothing() {
    let server = TestServer::start();
    let omni = server.bearer(&make_token(&server));
    omni.make_package("app", "public");
    let before = allocated_bytes(server.data());
    let put = omni.put(&format!("{}?create=active", path("1.0.0", "app.zip")));
    let wrong = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
    put.header("repr-digest", wrong).reader(150 * MB, Generated::new(2, 150 * MB)).problem(422, "nothing was stored");
    let took = wait_until("the space is back", || allocated_bytes(server.data()) < before + 4 * MB);
    println!("150 MB of a refused upload came back after {took:.1?}");
}

#[test]
fn the_last_reference_takes_its_content_along() {
    let server = TestServer::start();
    let omni = server.bearer(&make_token(&server));
    omni.make_package("app", "public");
    let before = allocated_bytes(server.data());
    for version in ["1.0.0", "2.0.0"] {
        let put = omni.put(&format!("{}?create=active", path(version, "app.zip")));
        put.reader(100 * MB, Generated::new(3, 100 * MB)).is(201);
    }
    // Once the second copy is gone from the volume, its room is used again, but the file keeps its size.
    omni.delete("/api/v1/packages/omni/app/releases/stable/1.0.0").is(204);
    let (answer, body) = omni.get(&path("2.0.0", "app.zip")).open();
    answer.is(200);
    assert_eq!(digest(body).unwrap(), (Generated::sha256(3, 100 * MB), 100 * MB), "it has another reference");
    omni.delete(&path("2.0.0", "app.zip")).is(204);
    let took = wait_until("the space is back", || allocated_bytes(server.data()) < before + 4 * MB);
    println!("100 MB came back {took:.1?} after the last reference went");
}

#[test]
fn a_slow_download_outlives_its_volume() {
    let server = TestServer::start();
    let omni = server.bearer(&make_token(&server));
    omni.make_package("app", "public");
    for (version, size) in [("1.0.0", 60 * MB), ("2.0.0", 150 * MB)] {
        let put = omni.put(&format!("{}?create=active", path(version, "app.zip")));
        put.reader(size, Generated::new(size, size)).is(201);
    }
    let volume = server.data().join("blobs/00000001.redb");
    assert!(volume.exists());
    let (answer, mut body) = omni.get(&path("1.0.0", "app.zip")).open();
    answer.is(200);
    let mut head = vec![0; MB as usize];
    body.read_exact(&mut head).unwrap();
    // Now most of the volume is dead: it is sealed, the living file moves out, and the volume goes.
    omni.delete(&path("2.0.0", "app.zip")).is(204);
    let took = wait_until("the volume is gone", || !volume.exists());
    println!("the volume was gone {took:.1?} after most of it was deleted");
    wait_until("its space is back", || allocated_bytes(server.data()) < 75 * MB);
    let read = digest(head.chain(body)).unwrap();
    assert_eq!(read, (Generated::sha256(60 * MB, 60 * MB), 60 * MB));
    let (answer, body) = omni.get(&path("1.0.0", "app.zip")).open();
    answer.is(200);
    assert_eq!(digest(body).unwrap(), read, "and it is where it moved to");
}

#[test]
fn a_second_process_is_told_who_holds_the_directory() {
    let server = TestServer::start();
    let mut second = free_of_flags(&binary());
    second.arg("serve").arg("--data").arg(server.data()).args(["--listen", "127.0.0.1:0"]);
    let output = second.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains(&format!("in use by process {}", server.pid())), "{errors}");
    assert!(output.stdout.is_empty());
    server.anonymous().get("/readyz").is(200);
}

/// Whether redb would have something to repair in a file: the second bit of the byte behind the magic number, which is
/// set while the file is open.
fn needs_repair(file: &Path) -> bool {
    let mut head = [0; 10];
    std::fs::File::open(file).unwrap().read_exact(&mut head).unwrap();
    assert_eq!(&head[..4], b"redb");
    head[9] & 2 != 0
}

#[test]
fn a_stop_under_load_leaves_nothing_to_repair() {
    let mut server = TestServer::start();
    let token = make_token(&server);
    let mut workers: Vec<Worker> =
        ["one", "two", "three", "four"].into_iter().zip(1..).map(|(name, seed)| Worker::new(name, seed)).collect();
    let files = ["packhouse.redb", "blobs/00000001.redb"].map(|name| server.data().join(name));
    let answers = AtomicU64::new(0);
    for round in 1..=3 {
        assert!(files.iter().all(|file| needs_repair(file)), "so it would be after a kill");
        let wires: Vec<_> = workers.iter().map(|_| server.connect()).collect();
        std::thread::scope(|scope| {
            for (worker, mut wire) in workers.iter_mut().zip(wires) {
                let (token, answers) = (&token, &answers);
                scope.spawn(move || worker.work(&mut wire, token, answers));
            }
            wait_until("the load is on", || answers.load(Ordering::Relaxed) > 20 * round);
            assert!(server.stop().success());
        });
        for file in &files {
            assert!(!needs_repair(file), "{}", file.display());
        }
        let when = format!("stop {round}");
        server.restart();
        for worker in &mut workers {
            worker.settle(&server.bearer(&token), &when);
            worker.check_downloads(&server.bearer(&token), || true, &when);
        }
        check_index(&server, &together(&workers), &when);
    }
    assert!(server.stop().success());
    check_directory(server.data(), &workers);
}
