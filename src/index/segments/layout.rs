//! How the entries of a file are joined and, where they are found by a key, told apart and ordered.

use std::cmp::Ordering;

/// The kind of a segmented file.
pub trait Layout: 'static {
    /// Stands between two entries.
    const SEPARATOR: &'static str;

    /// The size of text, in bytes, that segments are cut to.
    const SEGMENT_BYTES: usize = 64 << 10;

    /// The number of segments that groups are cut to: near the root of the number of segments in a big file, so that
    /// a change touches few groups and few segments of one group.
    const GROUP_SEGMENTS: usize = 24;
}

/// A layout whose entries are ordered by keys.
///
/// An entry is a piece of text that carries its own key, so that a segment holds nothing per entry but where it
/// begins.
pub trait Keyed: Layout {
    /// What entries are found and ordered by.
    type Key: Ord + ?Sized;

    /// How `key` stands to the key of `entry`.
    fn compare(key: &Self::Key, entry: &str) -> Ordering;
}

/// The members of a JSON object, ordered by the bytes of their names: `"name":value`, joined by commas.
#[derive(Debug, Clone, Copy)]
pub struct Members;

impl Members {
    /// The entry for `name` with a value that already is JSON.
    ///
    /// `name` must be such that JSON writes it as it is (RFC 8259, section 7), as names and paths of packages are.
    #[must_use]
    pub fn entry(name: &str, value: &str) -> String {
        debug_assert!(!name.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')), "{name:?} needs escapes");
        let mut entry = String::with_capacity(name.len() + value.len() + 3);
        entry.push('"');
        entry.push_str(name);
        entry.push_str("\":");
        entry.push_str(value);
        entry
    }

    /// The name of an entry made by [`Members::entry`].
    #[must_use]
    pub fn name(entry: &str) -> &str {
        let from_name = entry.strip_prefix('"').unwrap_or(entry);
        from_name.split_once('"').map_or(from_name, |(name, _)| name)
    }

    /// The value of an entry made by [`Members::entry`].
    #[must_use]
    pub fn value(entry: &str) -> &str {
        // The name stands between quotes, and a colon follows.
        entry.get(Self::name(entry).len() + 3..).unwrap_or_default()
    }
}

impl Layout for Members {
    const SEPARATOR: &'static str = ",";
}

impl Keyed for Members {
    type Key = str;

    fn compare(key: &str, entry: &str) -> Ordering {
        key.cmp(Self::name(entry))
    }
}

/// Lines in an order of their own, divided by line feeds.
#[derive(Debug, Clone, Copy)]
pub struct Lines;

impl Layout for Lines {
    const SEPARATOR: &'static str = "\n";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_by_its_name() {
        let entry = Members::entry("omni.bar", r#"{"package":{"title":"a \"b\""}}"#);
        assert_eq!(entry, r#""omni.bar":{"package":{"title":"a \"b\""}}"#);
        assert_eq!(Members::name(&entry), "omni.bar");
        assert_eq!(Members::compare("omni.bar", &entry), Ordering::Equal);
        assert_eq!(Members::compare("omni.ba", &entry), Ordering::Less);
        assert_eq!(Members::compare("omni.bar.b", &entry), Ordering::Greater);
    }
}
