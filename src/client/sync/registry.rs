//! `registry.json`: which index files there are, and the checksum of each one's text.
//!
//! Paths come from a server and become paths of this machine, so only the two forms that exist are let in: a
//! [`Registry`] holds nothing else.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::model::{Crc32, FullName};

/// A file of the index that `registry.gz` lists. Packages come before the summaries, as in the registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexFile {
    /// The lines of one package.
    Package(FullName),
    /// The summaries of all packages.
    Summaries,
}

impl IndexFile {
    /// Reads a path of `registry.gz`.
    #[must_use]
    pub fn from_wire(path: &str) -> Option<Self> {
        if path == "summaries.gz" {
            return Some(Self::Summaries);
        }
        let name = path.strip_prefix("packages/")?.strip_suffix(".gz")?;
        name.parse().ok().map(Self::Package)
    }

    /// The path on the server, relative to the view's root. Needs no encoding.
    #[must_use]
    pub fn wire_path(&self) -> String {
        match self {
            Self::Package(name) => format!("packages/{name}.gz"),
            Self::Summaries => "summaries.gz".to_owned(),
        }
    }

    /// The path in a local copy, relative to its folder.
    #[must_use]
    pub fn local_path(&self) -> String {
        match self {
            Self::Package(name) => format!("packages/{name}.json"),
            Self::Summaries => "summaries.json".to_owned(),
        }
    }

    /// A name without a slash, distinct from every other file's: a full name has a dot in it.
    pub(crate) fn flat_name(&self) -> &str {
        match self {
            Self::Package(name) => name.as_str(),
            Self::Summaries => "summaries",
        }
    }
}

/// The index files of one state of a view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// Each file and the CRC-32 of its decompressed bytes.
    pub files: BTreeMap<IndexFile, Crc32>,
    /// The state's serial as the server wrote it; opaque.
    pub serial: Option<String>,
}

impl Registry {
    /// Reads the text of `registry.json`.
    ///
    /// # Errors
    /// If it is not of that form, lists more than `files_max` files, one twice, or a path that no index file has.
    pub fn parse(text: &[u8], files_max: usize) -> Result<Self, serde_json::Error> {
        let wire: Wire = serde_json::from_slice(text)?;
        if wire.files.0.len() > files_max {
            return Err(serde_json::Error::custom(format!("it lists more than {files_max} files")));
        }
        let serial = match wire.serial {
            Some(serde_json::Value::String(text)) => Some(text),
            Some(serde_json::Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        Ok(Self { files: wire.files.0, serial })
    }
}

#[derive(Deserialize)]
struct Wire {
    files: Files,
    #[serde(default)]
    serial: Option<serde_json::Value>,
}

struct Files(BTreeMap<IndexFile, Crc32>);

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Files;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of paths and checksums")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Files, A::Error> {
                let mut files = BTreeMap::new();
                while let Some((path, crc)) = entries.next_entry::<String, String>()? {
                    let file = IndexFile::from_wire(&path);
                    let file = file.ok_or_else(|| A::Error::custom(format!("{path:?} is no path of an index file")))?;
                    let crc = crc.parse().map_err(|why| A::Error::custom(format!("checksum of {path:?}: {why}")))?;
                    if files.insert(file, crc).is_some() {
                        return Err(A::Error::custom(format!("{path:?} is listed twice")));
                    }
                }
                Ok(Files(files))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// What differs between two states, by package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Packages that are new.
    pub added: Vec<FullName>,
    /// Packages whose lines changed.
    pub changed: Vec<FullName>,
    /// Packages that are gone.
    pub removed: Vec<FullName>,
}

impl Difference {
    /// From `old` to `new`.
    #[must_use]
    pub fn between(old: &Registry, new: &Registry) -> Self {
        let mut difference = Self::default();
        for (file, crc) in &new.files {
            let IndexFile::Package(name) = file else { continue };
            match old.files.get(file) {
                None => difference.added.push(name.clone()),
                Some(before) if before != crc => difference.changed.push(name.clone()),
                Some(_) => {}
            }
        }
        for file in old.files.keys().filter(|file| !new.files.contains_key(file)) {
            if let IndexFile::Package(name) = file {
                difference.removed.push(name.clone());
            }
        }
        difference
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Registry, String> {
        Registry::parse(text.as_bytes(), 3).map_err(|error| error.to_string())
    }

    #[test]
    fn files_and_serial_are_read_and_other_fields_are_left_alone() {
        let text = r#"{"files": {"packages/omni.bar.gz": "d8501f51", "summaries.gz": "3fdb1367"},
            "serial": 18446744073709551616, "later": [{}]}"#;
        let registry = parse(text).unwrap();
        let names: Vec<_> = registry.files.keys().map(IndexFile::wire_path).collect();
        assert_eq!(names, ["packages/omni.bar.gz", "summaries.gz"]);
        assert_eq!(registry.files[&IndexFile::Summaries], Crc32(0x3fdb_1367));
        assert_eq!(registry.serial.as_deref(), Some("18446744073709551616"));
        assert_eq!(parse(r#"{"files": {}}"#).unwrap().serial, None);
    }

    #[test]
    fn no_other_path_gets_in() {
        for path in [
            "../x.gz",
            "packages/../../etc/passwd.gz",
            "packages/omni.bar",
            "packages/bar.gz",
            "packages/.gz",
            "/summaries.gz",
            "packages/omni.bar/x.gz",
            "packages/omni..gz",
            "packages/omni.a\\b.gz",
            "summaries.gz/",
            "SUMMARIES.gz",
            "packages/omni.a\u{0}.gz",
            "packages//omni.a.gz",
            "registry.gz",
        ] {
            let text = serde_json::json!({"files": {path: "00000000"}}).to_string();
            assert!(parse(&text).unwrap_err().contains("is no path of an index file"), "{path}");
        }
    }

    #[test]
    fn malformed_registries_are_refused() {
        for (text, why) in [
            ("{}", "missing field"),
            ("[]", "expected struct"),
            (r#"{"files": []}"#, "an object of paths"),
            (r#"{"files": {"summaries.gz": 1}}"#, "expected a string"),
            (r#"{"files": {"summaries.gz": "D8501F51"}}"#, "lower-case"),
            (r#"{"files": {"summaries.gz": "00000000", "summaries.gz": "00000000"}}"#, "twice"),
            (
                r#"{"files": {"packages/a.b.gz": "00000000", "packages/a.c.gz": "00000000", "packages/a.d.gz": "00000000",
                "packages/a.e.gz": "00000000"}}"#,
                "more than 3",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn differences_are_told_by_package() {
        let registry = |entries: &[(&str, u32)]| Registry {
            files: entries.iter().map(|(path, crc)| (IndexFile::from_wire(path).unwrap(), Crc32(*crc))).collect(),
            serial: None,
        };
        let old = registry(&[
            ("packages/a.gone.gz", 1),
            ("packages/a.same.gz", 2),
            ("packages/a.x.gz", 3),
            ("summaries.gz", 4),
        ]);
        let new = registry(&[
            ("packages/a.new.gz", 1),
            ("packages/a.same.gz", 2),
            ("packages/a.x.gz", 5),
            ("summaries.gz", 6),
        ]);
        let difference = Difference::between(&old, &new);
        assert_eq!(difference.added, ["a.new".parse().unwrap()]);
        assert_eq!(difference.changed, ["a.x".parse().unwrap()]);
        assert_eq!(difference.removed, ["a.gone".parse().unwrap()]);
    }

    proptest! {
        #[test]
        fn what_gets_in_stays_inside(path in "(packages/)?[a-z./\\\\A-Z_-]{0,20}(\\.gz)?") {
            if let Some(file) = IndexFile::from_wire(&path) {
                prop_assert_eq!(file.wire_path(), path);
                let local = file.local_path();
                prop_assert!(!local.contains("..") && !local.starts_with('/'));
                prop_assert!(local.matches('/').count() <= 1);
            }
        }
    }
}
