//! Honest archives come out as they went in; hostile ones leave nothing outside and fail.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use proptest::prelude::*;

use super::*;

/// An entry of a tar file as its header has it.
struct TarEntry<'a> {
    name: &'a str,
    kind: u8,
    mode: u32,
    size_bytes: u64,
    content: &'a [u8],
}

fn plain<'a>(name: &'a str, content: &'a [u8]) -> TarEntry<'a> {
    TarEntry { name, kind: b'0', mode: 0o644, size_bytes: content.len() as u64, content }
}

fn of_kind(kind: u8, name: &str) -> TarEntry<'_> {
    TarEntry { name, kind, mode: 0o777, size_bytes: 0, content: b"" }
}

fn tar_bytes(entries: &[TarEntry<'_>]) -> Vec<u8> {
    let mut tar = Vec::new();
    for entry in entries {
        let mut header = [0_u8; 512];
        header[..entry.name.len().min(100)].copy_from_slice(&entry.name.as_bytes()[..entry.name.len().min(100)]);
        header[100..107].copy_from_slice(format!("{:07o}", entry.mode).as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", entry.size_bytes).as_bytes());
        header[156] = entry.kind;
        header[157..168].copy_from_slice(b"/etc/passwd");
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        tar.extend(header);
        tar.extend(entry.content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.extend([0; 1024]);
    tar
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An entry of a ZIP file, and the lies it tells.
#[derive(Clone)]
struct ZipEntry {
    name: String,
    local_name: Option<String>,
    content: Vec<u8>,
    stored: bool,
    size_bytes: Option<u32>,
    crc: Option<u32>,
    mode: u32,
    flags: u16,
    /// Takes the bytes of the entry before.
    shares: bool,
}

fn zipped(name: &str, content: &[u8]) -> ZipEntry {
    ZipEntry {
        name: name.to_owned(),
        local_name: None,
        content: content.to_owned(),
        stored: false,
        size_bytes: None,
        crc: None,
        mode: 0o100_644,
        flags: 0x800,
        shares: false,
    }
}

fn zip_bytes(entries: &[ZipEntry]) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    let mut offset = 0;
    for entry in entries {
        let packed = if entry.stored {
            entry.content.clone()
        } else {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&entry.content).unwrap();
            encoder.finish().unwrap()
        };
        let method: u16 = if entry.stored { 0 } else { 8 };
        let size_bytes = entry.size_bytes.unwrap_or(entry.content.len() as u32);
        let crc = entry.crc.unwrap_or_else(|| crc32fast::hash(&entry.content));
        let local_name = entry.local_name.as_ref().unwrap_or(&entry.name);
        let common = |name: &str| {
            let mut head = Vec::new();
            head.extend([20, 0]);
            head.extend(entry.flags.to_le_bytes());
            head.extend(method.to_le_bytes());
            head.extend([0; 4]);
            for number in [crc, packed.len() as u32, size_bytes] {
                head.extend(number.to_le_bytes());
            }
            head.extend((name.len() as u16).to_le_bytes());
            head.extend([0; 2]);
            head
        };
        if !entry.shares {
            offset = zip.len() as u32;
            zip.extend(b"PK\x03\x04");
            zip.extend(common(local_name));
            zip.extend(local_name.as_bytes());
            zip.extend(&packed);
        }
        directory.extend(b"PK\x01\x02");
        directory.extend([20, 3]);
        directory.extend(common(&entry.name));
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let directory_at = zip.len() as u32;
    zip.extend(&directory);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend([(entries.len() as u16).to_le_bytes(); 2].concat());
    zip.extend((directory.len() as u32).to_le_bytes());
    zip.extend(directory_at.to_le_bytes());
    zip.extend([0; 2]);
    zip
}

/// Unpacks into a folder inside of another one, which must hold nothing else afterwards.
fn unpacked_with(bytes: &[u8], kind: Kind, limits: &UnpackLimits) -> Result<BTreeMap<String, Vec<u8>>, UnpackError> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("outer/inner");
    fs::create_dir_all(&folder).unwrap();
    let path = dir.path().join("archive");
    fs::write(&path, bytes).unwrap();
    let result = unpack(&File::open(&path).unwrap(), kind, &folder, limits);
    let names = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names(&dir.path().join("outer")), ["inner"], "nothing gets outside");
    assert_eq!(names(dir.path()).len(), 2, "nothing gets outside");
    result?;
    let mut files = BTreeMap::new();
    let mut left = vec![folder.clone()];
    while let Some(path) = left.pop() {
        let metadata = path.symlink_metadata().unwrap();
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
        if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            if !name.is_empty() {
                files.insert(format!("{name}/"), Vec::new());
            }
        } else {
            assert!(metadata.is_file(), "{name} is a plain file");
            let mark = if metadata.permissions().mode() & 0o111 == 0 { "" } else { "*" };
            assert_eq!(metadata.permissions().mode() & 0o7000, 0);
            files.insert(format!("{name}{mark}"), fs::read(&path).unwrap());
        }
    }
    Ok(files)
}

fn unpacked(bytes: &[u8], kind: Kind) -> Result<BTreeMap<String, Vec<u8>>, UnpackError> {
    unpacked_with(bytes, kind, &UnpackLimits::default())
}

fn untarred(entries: &[TarEntry<'_>]) -> Result<BTreeMap<String, Vec<u8>>, UnpackError> {
    unpacked(&gzip(&tar_bytes(entries)), Kind::TarGz)
}

fn files(expected: &[(&str, &[u8])]) -> BTreeMap<String, Vec<u8>> {
    expected.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect()
}

#[test]
fn an_honest_tar_comes_out_as_it_went_in() {
    let deep = format!("{}/x", "d".repeat(150));
    let pax = format!("{} path={deep}\n", deep.len() + 10);
    let found = untarred(&[
        of_kind(b'5', "./"),
        of_kind(b'5', "./bin/"),
        TarEntry { mode: 0o6755, ..plain("./bin/run", b"#!") },
        plain("empty", b""),
        TarEntry { kind: b'x', ..plain("pax", pax.as_bytes()) },
        plain("short", b"pax"),
        TarEntry { kind: b'L', ..plain("././@LongLink", b"long/name/of/gnu\0") },
        plain("short", &[7; 1000]),
        TarEntry { kind: b'g', ..plain("global", b"20 comment=whatever\n") },
        TarEntry { kind: 0, ..plain("old", b"old") },
    ])
    .unwrap();
    let expected = files(&[
        ("bin/", b""),
        ("bin/run*", b"#!"),
        ("empty", b""),
        (&format!("{}/", "d".repeat(150)), b""),
        (&deep, b"pax"),
        ("long/", b""),
        ("long/name/", b""),
        ("long/name/of/", b""),
        ("long/name/of/gnu", &[7; 1000]),
        ("old", b"old"),
    ]);
    assert_eq!(found, expected);
}

#[test]
fn an_honest_zip_comes_out_as_it_went_in() {
    let bytes = zip_bytes(&[
        ZipEntry { mode: 0o040_755, ..zipped("lib/", b"") },
        zipped("lib/ü.txt", &[b'x'; 100_000]),
        ZipEntry { mode: 0o100_755, stored: true, ..zipped("bin/run", b"#!") },
        ZipEntry { mode: 0, ..zipped("empty", b"") },
    ]);
    let expected =
        files(&[("bin/", b""), ("bin/run*", b"#!"), ("empty", b""), ("lib/", b""), ("lib/ü.txt", &[b'x'; 100_000])]);
    assert_eq!(unpacked(&bytes, Kind::Zip).unwrap(), expected);
    assert_eq!(unpacked(&zip_bytes(&[]), Kind::Zip).unwrap(), files(&[]));
}

/// Paths that must not be made, whatever the format.
const HOSTILE_PATHS: [&str; 9] =
    ["../x", "a/../../x", "/etc/x", "..", "a/..", "a\\..\\x", "a\nb", "", "a/../../../../../../tmp/x"];

#[test]
fn paths_that_lead_outside_are_refused() {
    for name in HOSTILE_PATHS {
        let error = untarred(&[plain(name, b"x")]).unwrap_err();
        assert!(matches!(error, UnpackError::Refused { .. }), "{name:?}: {error}");
        let error = unpacked(&zip_bytes(&[zipped(name, b"x")]), Kind::Zip).unwrap_err();
        assert!(matches!(error, UnpackError::Refused { .. }), "{name:?}: {error}");
        let pax = format!("{} path={name}\n", name.len() + 8 + usize::from(name.len() + 8 > 9));
        let error = untarred(&[TarEntry { kind: b'x', ..plain("p", pax.as_bytes()) }, plain("ok", b"x")]);
        assert!(error.is_err(), "{name:?}");
    }
    assert!(untarred(&[plain(&"d/".repeat(49), b""), plain(&format!("{}f", "d/".repeat(40)), b"")]).is_ok());
    let deep = format!("{}f\0", "d/".repeat(100));
    assert!(untarred(&[TarEntry { kind: b'L', ..plain("L", deep.as_bytes()) }, plain("x", b"")]).is_err());
}

#[test]
fn links_and_devices_are_refused() {
    for (kind, what) in [(b'1', "a link"), (b'2', "a link"), (b'3', "a device"), (b'4', "a device"), (b'6', "a device")]
    {
        let error = untarred(&[plain("a", b"x"), of_kind(kind, "b")]).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    for kind in [b'S', b'V', b'M', b'9'] {
        assert!(untarred(&[of_kind(kind, "b")]).unwrap_err().to_string().contains("unusual"));
    }
    for (mode, what) in [(0o120_777, "a link"), (0o060_644, "a device"), (0o010_644, "a device")] {
        let bytes = zip_bytes(&[ZipEntry { mode, ..zipped("b", b"/etc/passwd") }]);
        assert!(unpacked(&bytes, Kind::Zip).unwrap_err().to_string().contains(what));
    }
}

#[test]
fn an_entry_comes_once() {
    for names in [["a", "a"], ["a", "./a"], ["a", "a/b"], ["a/b", "a"]] {
        let error = untarred(&names.map(|name| plain(name, b"x"))).unwrap_err();
        assert!(matches!(error, UnpackError::Refused { .. }), "{names:?}: {error}");
        let bytes = zip_bytes(&names.map(|name| zipped(name, b"x")));
        let error = unpacked(&bytes, Kind::Zip).unwrap_err();
        assert!(matches!(error, UnpackError::Refused { .. }), "{names:?}: {error}");
    }
}

#[test]
fn bombs_are_cut_off() {
    let zeros = vec![0; 80 << 20];
    for (bytes, kind) in
        [(gzip(&tar_bytes(&[plain("zeros", &zeros)])), Kind::TarGz), (zip_bytes(&[zipped("zeros", &zeros)]), Kind::Zip)]
    {
        assert!(bytes.len() < 400_000);
        let error = unpacked(&bytes, kind).unwrap_err();
        assert!(matches!(error, UnpackError::TooMuch(_)), "{error}");
    }
    let few = UnpackLimits { entries_max: 10, ..UnpackLimits::default() };
    let names: Vec<String> = (0..11).map(|n| format!("{n}")).collect();
    let entries: Vec<_> = names.iter().map(|name| plain(name, b"")).collect();
    assert!(unpacked_with(&gzip(&tar_bytes(&entries)), Kind::TarGz, &few).is_err());
    assert!(unpacked_with(&gzip(&tar_bytes(&entries[1..])), Kind::TarGz, &few).is_ok());
    let entries: Vec<_> = names.iter().map(|name| zipped(name, b"")).collect();
    assert!(unpacked_with(&zip_bytes(&entries), Kind::Zip, &few).is_err());
    let endless: Vec<_> = (0..100).map(|_| TarEntry { kind: b'g', ..plain("g", b"") }).collect();
    assert!(untarred(&endless).is_err());
    let huge = TarEntry { size_bytes: 1 << 32, ..of_kind(b'L', "L") };
    assert!(untarred(&[huge]).unwrap_err().to_string().contains("too large"));
    let shared = [zipped("a", &[0; 1000]), ZipEntry { shares: true, local_name: None, ..zipped("b", &[0; 1000]) }];
    let error = unpacked(&zip_bytes(&shared), Kind::Zip).unwrap_err().to_string();
    assert!(error.contains("share bytes") || error.contains("two things"), "{error}");
}

#[test]
fn lies_are_found_out() {
    for entry in [
        ZipEntry { size_bytes: Some(3), ..zipped("a", b"content") },
        ZipEntry { size_bytes: Some(9), ..zipped("a", b"content") },
        ZipEntry { size_bytes: Some(9), stored: true, ..zipped("a", b"content") },
        ZipEntry { crc: Some(7), ..zipped("a", b"content") },
        ZipEntry { local_name: Some("b".to_owned()), ..zipped("a", b"content") },
        ZipEntry { flags: 0x801, ..zipped("a", b"content") },
        ZipEntry { mode: 0o040_755, ..zipped("a/", b"content") },
    ] {
        assert!(unpacked(&zip_bytes(&[entry]), Kind::Zip).is_err());
    }
    let good = zip_bytes(&[zipped("a", b"content"), zipped("b", b"more")]);
    assert!(unpacked(&[b"MZ".to_vec(), good.clone()].concat(), Kind::Zip).is_err());
    assert!(unpacked(&[good.clone(), good.clone()].concat(), Kind::Zip).is_err());
    for cut in 0..good.len() {
        assert!(unpacked(&good[..cut], Kind::Zip).is_err(), "cut at {cut}");
    }
    let tar = tar_bytes(&[plain("a", b"content")]);
    for cut in 1..1024 {
        assert!(unpacked(&gzip(&tar[..cut]), Kind::TarGz).is_err() || cut == 1024, "cut at {cut}");
    }
    let mut wrong_sum = tar;
    wrong_sum[0] ^= 1;
    assert!(unpacked(&gzip(&wrong_sum), Kind::TarGz).is_err());
    assert!(unpacked(b"no gzip", Kind::TarGz).is_err());
}

#[test]
fn kinds_are_known_by_their_names() {
    for (name, kind) in [
        ("a.zip", Some(Kind::Zip)),
        ("A.TAR.GZ", Some(Kind::TarGz)),
        ("a.tgz", Some(Kind::TarGz)),
        ("a.gz", None),
        ("zip", None),
        ("a.whl", None),
    ] {
        assert_eq!(Kind::of_name(name), kind, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damage_never_gets_out_or_panics(at in 0usize..4000, byte: u8, is_zip: bool) {
        let tar = tar_bytes(&[of_kind(b'5', "d"), plain("d/a", b"content"), plain("b", &[7; 700])]);
        let zip = zip_bytes(&[zipped("d/", b""), zipped("d/a", b"content"), zipped("b", &[7; 700])]);
        let mut bytes = if is_zip { zip } else { tar };
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = if is_zip { unpacked(&bytes, Kind::Zip) } else { unpacked(&gzip(&bytes), Kind::TarGz) };
    }

    #[test]
    fn any_path_stays_inside(name in "[a./\\\\]{0,12}") {
        let _ = untarred(&[plain(&name, b"x")]);
        let _ = unpacked(&zip_bytes(&[zipped(&name, b"x")]), Kind::Zip);
    }
}

/// Makes a tree, packs it with a program of this machine, and compares what comes out. Nothing if there is no program.
fn repacked(program: &str, arguments: &[&str], archive: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    let long = "l".repeat(120);
    fs::create_dir_all(tree.join("sub").join(&long).join(&long)).unwrap();
    fs::write(tree.join("sub").join(&long).join(&long).join("file"), b"deep").unwrap();
    fs::write(tree.join("ünïcode"), [7; 3000]).unwrap();
    fs::write(tree.join("run"), b"#!").unwrap();
    fs::set_permissions(tree.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
    let run = std::process::Command::new(program).args(arguments).current_dir(&tree).output().ok()?;
    assert!(run.status.success(), "{program}: {}", String::from_utf8_lossy(&run.stderr));
    let bytes = fs::read(dir.path().join(archive)).unwrap();
    Some(unpacked(&bytes, Kind::of_name(archive).unwrap()).unwrap())
}

#[test]
fn archives_of_other_programs_are_read() {
    const PYTHON: &str = "import os,zipfile\nz=zipfile.ZipFile('../a.zip','w',zipfile.ZIP_DEFLATED)\n\
        [z.write(os.path.join(d,f)) for d,_,fs in os.walk('.') for f in fs]\nz.close()";
    const STREAMED: &str = "import sys,zipfile\nclass Out:\n f=open('../a.zip','wb')\n def write(s,b): return s.f.write(b)\n \
        def flush(s): s.f.flush()\nz=zipfile.ZipFile(Out(),'w',zipfile.ZIP_DEFLATED)\nz.write('run')\n\
        with z.open('sub/big','w',force_zip64=True) as f: f.write(b'x'*99)\nz.close()";
    let mut read = 0;
    for (program, arguments, archive) in [
        ("tar", &["--format=gnu", "-czf", "../a.tar.gz", "."][..], "a.tar.gz"),
        ("tar", &["--format=pax", "-czf", "../a.tar.gz", "run", "sub", "ünïcode"], "a.tar.gz"),
        ("zip", &["-qr", "../a.zip", "."], "a.zip"),
        ("python3", &["-c", PYTHON], "a.zip"),
    ] {
        let Some(found) = repacked(program, arguments, archive) else {
            continue;
        };
        let long = "l".repeat(120);
        assert_eq!(found[&format!("sub/{long}/{long}/file")], b"deep", "{program} {arguments:?}");
        assert_eq!((&*found["ünïcode"], &*found["run*"]), (&[7; 3000][..], &b"#!"[..]), "{program} {arguments:?}");
        read += 1;
    }
    assert!(read > 0, "there is a tar on every machine that builds this");
    if let Some(found) = repacked("python3", &["-c", STREAMED], "a.zip") {
        assert_eq!((&*found["run*"], found["sub/big"].len()), (&b"#!"[..], 99));
    }
}
