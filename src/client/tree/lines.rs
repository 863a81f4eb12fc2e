//! The lines of a package's file: one archive each.

use std::collections::HashSet;

use serde::Deserialize;

use crate::model::{PackageId, Sha256, VersionScheme};

/// What a line says about an archive, as far as it is needed to have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveLine {
    /// The package id: `VERSION[+PLATFORM]`.
    pub id: String,
    /// Encoded and relative to the view's root, or an address.
    pub archive_path: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its digest.
    pub sha256: Sha256,
    /// Whether it is withdrawn.
    pub is_yanked: bool,
    /// How the package's versions are read.
    pub version_scheme: VersionScheme,
    /// Whether size and digest are not listed; they are zero then.
    pub is_unseen: bool,
}

#[derive(Deserialize)]
struct Wire {
    package: Fields,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    archive_path: String,
    size: Option<u64>,
    sha256: Option<String>,
    #[serde(default)]
    yanked: bool,
    #[serde(default, rename = "version_scheme")]
    version_scheme: Option<String>,
}

/// Reads the text of a package's file.
///
/// # Errors
/// Which line is not as it should be, and why.
pub fn parse_lines(text: &[u8]) -> Result<Vec<ArchiveLine>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut ids = HashSet::new();
    let lines = text.lines().filter(|line| !line.is_empty()).enumerate().map(|(at, line)| {
        let wrong = |why: String| format!("line {}: {why}", at + 1);
        let (id, json) = line.split_once(' ').ok_or_else(|| wrong("it has no id".to_owned()))?;
        if PackageId::readings(id).next().is_none() {
            return Err(wrong(format!("{id:?} is no VERSION[+PLATFORM]")));
        }
        if !ids.insert(id) {
            return Err(wrong(format!("{id} is there twice")));
        }
        let Wire { package } = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
        let version_scheme = match package.version_scheme.as_deref() {
            Some(scheme) => scheme.parse().map_err(|why| wrong(format!("{why}")))?,
            None => VersionScheme::default(),
        };
        let sha256 = package.sha256.map(|text| text.parse().map_err(|why| wrong(format!("{why}")))).transpose()?;
        let (is_unseen, size_bytes, sha256) = match (package.size, sha256) {
            (Some(size_bytes), Some(sha256)) => (false, size_bytes, sha256),
            _ => (true, 0, Sha256::from_bytes([0; 32])),
        };
        Ok(ArchiveLine {
            id: id.to_owned(),
            archive_path: package.archive_path,
            size_bytes,
            sha256,
            is_yanked: package.yanked,
            version_scheme,
            is_unseen,
        })
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_wrong_ones_named() {
        let sha256 = "0".repeat(64);
        let good =
            format!(r#"1.0+a {{"x":1,"package":{{"archivePath":"p","size":7,"sha256":"{sha256}","yanked":true}}}}"#);
        let lines = parse_lines(format!("{good}\n").as_bytes()).unwrap();
        assert_eq!((lines[0].id.as_str(), lines[0].size_bytes, lines[0].is_yanked), ("1.0+a", 7, true));
        assert_eq!(lines[0].version_scheme, VersionScheme::Semver);
        let debian = good.replace("\"size\"", "\"version_scheme\":\"debian\",\"size\"");
        assert_eq!(parse_lines(debian.as_bytes()).unwrap()[0].version_scheme, VersionScheme::Debian);
        assert!(!lines[0].is_unseen && parse_lines(good.replace("\"size\":7,", "").as_bytes()).unwrap()[0].is_unseen);
        for (text, why) in [
            (debian.replace("debian", "pacman"), "line 1: a version scheme is semver"),
            (format!("{good}\n{good}\n"), "line 2: 1.0+a is there twice"),
            (good.replace("1.0+a", "../x"), "line 1: \"../x\" is no VERSION"),
            (good.replace(&sha256, "0"), "line 1: a SHA-256"),
            (good[..good.len() - 3].to_owned(), "line 1: EOF"),
            ("x".to_owned(), "line 1: it has no id"),
        ] {
            let error = parse_lines(text.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
