//! The second dialect of the index, with the names that Omniverse Kit's client keeps locally: full package ids in
//! summaries and lines, and SHA-1 in the place of CRC-32.
//!
//! Made whole from a view when somebody asks; no state of the index holds anything of it but a hash per package that was
//! asked for. Pure.

use std::fmt;

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::gzip::{self, Level};
use super::package_file::PackageFile;
use super::segments::{Members, Rendered};
use super::view::View;
use crate::model::Crc32;

/// The hash of a file in this dialect: the first four bytes of the SHA-1 (FIPS 180-4) of its decompressed text. It tells
/// versions of a file apart and protects nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KitHash(u32);

impl KitHash {
    /// That of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        Self(digest.as_ref().iter().take(4).fold(0, |bits, byte| bits << 8 | u32::from(*byte)))
    }
}

impl fmt::Display for KitHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// The text of `summaries.json`: the entries of `summaries.gz` under full package ids.
#[must_use]
pub fn summaries(view: &View) -> String {
    #[derive(serde::Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        package: Fields<'a>,
    }
    #[derive(serde::Deserialize)]
    struct Fields<'a> {
        package_id: &'a str,
    }
    let mut entries: Vec<(String, &str, &str)> = Vec::new();
    for entry in view.summaries().entries() {
        let (name, value) = (Members::name(entry), Members::value(entry));
        // Every entry has its id, written by `render`; ids need no escapes.
        if let Ok(entry) = serde_json::from_str::<Entry<'_>>(value) {
            entries.push((format!("{name}-{}", entry.package.package_id), name, value));
        }
    }
    // `a-1` of version `2` and `a` of version `1-2` have the same id, which means the longer name wherever it is read.
    entries.sort_unstable_by(|left, right| left.0.cmp(&right.0).then_with(|| right.1.len().cmp(&left.1.len())));
    entries.dedup_by(|next, kept| next.0 == kept.0);
    object(entries.iter().map(|(id, _, value)| Members::entry(id, value)))
}

/// The text of `packages/FULLNAME.json`; none where the file's lines are not filled in.
#[must_use]
pub fn package(file: &PackageFile) -> Option<String> {
    let lines = file.text()?;
    let mut text = String::with_capacity(lines.len() * 5 / 4);
    for line in lines.split_inclusive('\n') {
        text.push_str(file.full_name());
        text.push('-');
        text.push_str(line);
    }
    Some(text)
}

/// The hash of that text; none where the file's lines are not filled in. Computed once for each state of a package.
#[must_use]
pub fn package_hash(file: &PackageFile) -> Option<KitHash> {
    match file.kit_hash.get() {
        Some(hash) => Some(*hash),
        None => {
            let hash = KitHash::of(&package(file)?);
            Some(*file.kit_hash.get_or_init(|| hash))
        }
    }
}

/// The text of `registry.json`, from the hashes of all files.
#[must_use]
pub fn registry(view: &View, packages: &[(&str, KitHash)], summaries: KitHash) -> String {
    let mut files: Vec<_> = packages.iter().map(|(name, hash)| (format!("packages/{name}.json"), *hash)).collect();
    files.sort_unstable_by(|left, right| left.0.cmp(&right.0));
    files.push(("summaries.json".to_owned(), summaries));
    let files = object(files.iter().map(|(path, hash)| Members::entry(path, &format!("\"{hash}\""))));
    format!(r#"{{"files":{files},"serial":{}}}"#, view.serial())
}

/// A text as it is sent.
#[must_use]
pub fn rendered(text: &str) -> Rendered {
    Rendered::best(gzip::compress(text, Level::Best), Crc32::of(text.as_bytes()), text.len() as u64)
}

fn object(members: impl Iterator<Item = String>) -> String {
    let mut text = String::from("{");
    for member in members {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&member);
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standard() {
        // FIPS 180-4's examples, by `sha1sum`.
        assert_eq!(KitHash::of("abc").to_string(), "a9993e36");
        assert_eq!(KitHash::of("").to_string(), "da39a3ee");
        assert_eq!(KitHash::of("1177").to_string().len(), 8);
    }

    #[test]
    fn lines_begin_with_full_ids_however_the_file_is_held() {
        for count in [1, 2, 5000] {
            let lines: Vec<String> = (0..count).map(|n| format!("1.{n}.0 {{}}")).collect();
            let file = PackageFile::new("omni.bar".into(), lines.iter().map(String::as_str));
            let wanted: String = lines.iter().map(|line| format!("omni.bar-{line}\n")).collect();
            assert_eq!(package(&file), Some(wanted.clone()));
            assert_eq!(package_hash(&file), Some(KitHash::of(&wanted)));
        }
        let unfilled = PackageFile::unfilled("omni.bar".into(), Crc32(0), 3);
        assert_eq!((package(&unfilled), package_hash(&unfilled)), (None, None));
    }
}
