//! A file larger than the memory that the server may take, beside other large ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use packhouse::model::Sha256;

use crate::durability::disk::{Generated, allocated_bytes, digest};
use crate::durability::load::make_token;
use crate::support::{Client, TestServer, file_path};

const MIB: u64 = 1 << 20;
const LARGE_BYTES: u64 = 3 << 30;
const OTHER_BYTES: u64 = 256 * MIB;
const OTHERS: u64 = 4;
/// What the server may take of memory at its peak.
const RSS_BYTES_MAX: u64 = 128 * MIB;
/// What the test needs on the disk: its content, and some room to move.
const DISK_BYTES_MIN: u64 = LARGE_BYTES + OTHERS * OTHER_BYTES + (2 << 30);

/// The most memory that a process ever had in use, in bytes.
fn peak_rss_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse::<u64>().unwrap() * 1024
}

fn path(seed: u64) -> String {
    file_path("omni/large", &format!("stable/{seed}.0.0"), "any/large.bin")
}

/// Uploads what `seed` makes, without ever holding it, and checks what the server says of it.
fn upload(client: &Client, seed: u64, len: u64) -> Sha256 {
    let put = client.put(&format!("{}?create=active", path(seed))).reader(len, Generated::new(seed, len));
    let view = put.is(201).json();
    let sha256 = Generated::sha256(seed, len);
    assert_eq!(view["sha256"], sha256.to_string());
    assert_eq!(view["size"], len);
    sha256
}

fn download(client: &Client, seed: u64, len: u64, sha256: Sha256) {
    let (answer, body) = client.get(&path(seed)).open();
    answer.is(200);
    assert_eq!(digest(body).unwrap(), (sha256, len));
}

fn rate(bytes: u64, took: Duration) -> String {
    format!("{:.0} MB/s", bytes as f64 / 1e6 / took.as_secs_f64())
}

#[test]
fn a_file_of_three_gibibytes_comes_and_goes_in_little_memory() {
    let free = rustix::fs::statvfs(std::env::temp_dir().as_path()).unwrap();
    if free.f_bavail * free.f_frsize < DISK_BYTES_MIN {
        println!("SKIPPED: the temporary folder has no {} GiB of room", DISK_BYTES_MIN >> 30);
        return;
    }
    let server = TestServer::start();
    let omni = server.bearer(&make_token(&server));
    omni.make_package("large", "public");
    let idle = peak_rss_bytes(server.pid());
    let (mut up, mut down) = (Duration::ZERO, Duration::ZERO);
    std::thread::scope(|scope| {
        // Goes with the thread, however that ends.
        let running = Arc::new(());
        let large_runs = Arc::downgrade(&running);
        let (omni, up, down) = (&omni, &mut up, &mut down);
        scope.spawn(move || {
            let _running = running;
            let begin = Instant::now();
            let sha256 = upload(omni, 1, LARGE_BYTES);
            *up = begin.elapsed();
            let begin = Instant::now();
            download(omni, 1, LARGE_BYTES, sha256);
            *down = begin.elapsed();
        });
        // Meanwhile others come and go as well: up during its upload, down again and again until it has been read back.
        for seed in 2..2 + OTHERS {
            let large_runs = large_runs.clone();
            scope.spawn(move || {
                let sha256 = upload(omni, seed, OTHER_BYTES);
                download(omni, seed, OTHER_BYTES, sha256);
                while large_runs.strong_count() > 0 {
                    download(omni, seed, OTHER_BYTES, sha256);
                }
            });
        }
    });
    let rss = peak_rss_bytes(server.pid());
    let content = LARGE_BYTES + OTHERS * OTHER_BYTES;
    let allocated = allocated_bytes(server.data());
    println!(
        "3 GiB up in {up:.1?} ({}) and down in {down:.1?} ({}) beside {OTHERS} of 256 MiB; peak memory {} MiB (idle {} \
         MiB); {:.4} times the content on the disk",
        rate(LARGE_BYTES, up),
        rate(LARGE_BYTES, down),
        rss / MIB,
        idle / MIB,
        allocated as f64 / content as f64,
    );
    assert!(rss < RSS_BYTES_MAX, "{} MiB of memory", rss / MIB);
    assert!(allocated * 100 <= content * 102, "{allocated} bytes for {content}");
}
