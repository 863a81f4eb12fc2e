//! A view as a tree of static files, as `export` writes and `import` reads it.
//!
//! ```text
//! registry.gz                           which index files there are, and their checksums
//! summaries.gz, packages/FULLNAME.gz    the index
//! releases/FULLNAME.json                what the lines of a package do not say (`releases`)
//! archives/FULLNAME/FULLNAME-ID.json    manifests
//! archives/FULLNAME/FULLNAME-ID/FILE    archives
//! ```
//!
//! Owns the paths and how lines are read. Trees come from strangers: a path becomes one of this machine only here.

mod lines;
mod releases;

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

pub use self::lines::{ArchiveLine, parse_lines};
pub use self::releases::{Listed, Releases, RequirementOf};
use crate::model::FullName;

/// Name of the file that says which index files there are.
pub const REGISTRY: &str = "registry.gz";

/// Compressed and decompressed bytes of one package's releases, which are held in memory.
pub const RELEASES_BYTES_MAX: u64 = 256 << 20;

/// Bytes of a manifest as a tree has it: what a manifest may have, and the archive's path in it.
pub const MANIFEST_BYTES_MAX: u64 = crate::model::limits::MANIFEST_BYTES_MAX as u64 + (64 << 10);

/// The path of a package's releases, relative to the tree's root. Needs no encoding.
#[must_use]
pub fn releases_path(name: &FullName) -> String {
    format!("releases/{name}.json")
}

/// The path of a manifest, relative to the tree's root, with characters that stand for themselves in addresses as well.
#[must_use]
pub fn manifest_path(name: &FullName, id: &str) -> String {
    format!("archives/{name}/{name}-{id}.json")
}

/// The path of a file on this machine that an encoded path relative to the tree's root stands for; nothing where it
/// leads out of the tree or could stand for several.
#[must_use]
pub fn local_path(path: &str) -> Option<PathBuf> {
    let mut local = PathBuf::new();
    for segment in path.split('/') {
        let decoded = percent_decode_str(segment).decode_utf8().ok()?;
        let is_plain = !decoded.is_empty()
            && decoded != "."
            && decoded != ".."
            && !decoded.contains(['/', '\\', '\0'])
            && !decoded.chars().any(char::is_control);
        if !is_plain {
            return None;
        }
        local.push(&*decoded);
    }
    Some(local)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(local_path("archives/o.a/o.a-1+x/a%20b.zip"), Some("archives/o.a/o.a-1+x/a b.zip".into()));
        for path in
            ["", "/etc/passwd", "../x", "a/../b", "a/%2e%2e/b", "a%2fb", "a//b", "a/", "a\\b", "a%00", "%ff", "./a"]
        {
            assert_eq!(local_path(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn nothing_leads_out(path in "[a-z./%2ef\\\\:]{0,20}") {
            if let Some(local) = local_path(&path) {
                prop_assert!(local.components().all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}
