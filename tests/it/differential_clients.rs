//! Differential downloads with the clients that others wrote: only the blocks that changed are fetched, by ranges.
//!
//! `tests/run` installs them: electron-updater into `target/clients`, zsync from Debian's package.

use std::fs;
use std::process::{Command, Output};

use ring::digest::{SHA512, digest};

use crate::support::{TestServer, file_path, is_there, project, skip_installable};

const MIB: usize = 1 << 20;

/// Bytes that do not repeat, the same in every run.
fn content(len: usize) -> Vec<u8> {
    let mut state = 11_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// The next version of a file: one byte of every 60,000 is another.
fn changed(old: &[u8]) -> Vec<u8> {
    let mut new = old.to_vec();
    new.iter_mut().step_by(60_000).for_each(|byte| *byte = byte.wrapping_add(1));
    new
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize] as char;
            text.push(if at <= group.len() { digit } else { '=' });
        }
    }
    text
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

#[test]
fn electron_updater_fetches_what_changed() {
    let modules = project().join("target/clients/node_modules");
    if !modules.join("electron-updater").exists() {
        skip_installable("electron-updater is not in target/clients");
        return;
    }
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("app", "public");
    let (old, folder) = (content(40 * MIB), tempfile::tempdir().unwrap());
    let new = changed(&old);
    omni.publish("omni/app", "stable/1.0.1", "any/app.bin", new.clone());
    let paths = ["old", "new", "out"].map(|name| folder.path().join(name));
    fs::write(&paths[0], &old).unwrap();
    fs::write(&paths[1], &new).unwrap();
    let url = format!("{}{}", server.origin(), file_path("omni/app", "stable/1.0.1", "any/app.bin"));
    let mut client = Command::new("node");
    client.arg(project().join("tests/clients/electron_differential.mjs")).arg(&modules).arg(url);
    client.args(&paths[..2]).arg(base64(digest(&SHA512, &new).as_ref())).arg(&paths[2]);
    let output = client.output().expect("node runs");
    assert!(output.status.success(), "{}\n{}", said(&output), server.log());
    assert!(fs::read(&paths[2]).unwrap() == new, "the new file is what was published");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told["ranges"].as_u64().unwrap() > 100, "it asks for hundreds of ranges at once: {told}");
    assert!(told["bytes"].as_u64().unwrap() < (new.len() / 10) as u64, "less than a tenth came: {told}");
}

#[test]
fn zsync_fetches_what_changed() {
    if !is_there("zsync") || !is_there("zsyncmake") {
        return;
    }
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("app", "public");
    let (old, folder) = (content(20 * MIB), tempfile::tempdir().unwrap());
    let new = changed(&old);
    let path = |name: &str| folder.path().join(name);
    fs::write(path("old"), &old).unwrap();
    fs::write(path("app.AppImage"), &new).unwrap();
    let file = |name: &str| file_path("omni/app", "stable/1.0.1", &format!("any/{name}"));
    let url = format!("{}{}", server.origin(), file("app.AppImage"));
    let made = Command::new("zsyncmake").current_dir(&folder).args(["-b", "4096", "-u", &url, "app.AppImage"]).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let map = fs::read(path("app.AppImage.zsync")).unwrap();
    omni.publish("omni/app", "stable/1.0.1", "any/app.AppImage", new.clone());
    omni.publish("omni/app", "stable/1.0.1", "any/app.AppImage.zsync", map);
    fs::remove_file(path("app.AppImage")).unwrap();
    let mut client = Command::new("timeout");
    client.args(["60", "zsync"]).current_dir(&folder).args(["-i", "old", "-o", "out"]);
    let output = client.arg(format!("{}{}", server.origin(), file("app.AppImage.zsync"))).output().unwrap();
    assert!(output.status.success(), "{}\n{}", said(&output), server.log());
    assert!(fs::read(path("out")).unwrap() == new, "the new file is what was published");
    // `used N local, fetched M`: M bytes came by ranges.
    let text = said(&output);
    let fetched = text.split("fetched ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
    let fetched = fetched.unwrap_or_else(|| panic!("it says how much it fetched: {text}"));
    assert!(fetched < new.len() / 5, "less than a fifth came: {text}");
}
