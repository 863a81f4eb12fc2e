//! Trees as tests see and make them: every file with its bytes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use packhouse::model::Crc32;
use serde_json::{Map, Value, json};

/// Every file in a folder, by its path in there.
pub(super) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, found);
            } else {
                let inside = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(inside, fs::read(path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    collect(folder, folder, &mut found);
    found
}

/// Expects that two folders hold the same files with the same bytes.
#[track_caller]
pub(super) fn assert_same(left: &Path, right: &Path) {
    let (left, right) = (files(left), files(right));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&left), names(&right));
    for (name, bytes) in &left {
        assert!(*bytes == right[name], "{name}:\n{}\n{}", shown(bytes), shown(&right[name]));
    }
}

fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    match GzDecoder::new(bytes).read_to_string(&mut text) {
        Ok(_) => text,
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The text of a file of a tree.
pub(super) fn text(folder: &Path, path: &str) -> String {
    shown(&fs::read(folder.join(path)).unwrap())
}

pub(super) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Writes a tree as another registry may have it: the index alone, from the lines of each package.
pub(super) fn write_index(folder: &Path, packages: &BTreeMap<String, String>) {
    fs::create_dir_all(folder.join("packages")).unwrap();
    let mut listed = Map::new();
    let mut put = |path: String, text: &str| {
        fs::write(folder.join(&path), gzip(text)).unwrap();
        listed.insert(path, Value::String(Crc32::of(text.as_bytes()).to_string()));
    };
    for (name, lines) in packages {
        put(format!("packages/{name}.gz"), lines);
    }
    put("summaries.gz".to_owned(), "{}");
    fs::write(folder.join("registry.gz"), gzip(&json!({ "files": listed, "serial": 1 }).to_string())).unwrap();
}
