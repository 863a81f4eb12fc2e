//! Manifests: the JSON dictionary that is published with an archive.
//!
//! A manifest is kept as it came, apart from white space, so that fields nobody here knows survive in their order and
//! to the digit. What the index wants of it is picked out by `index`.

use serde_json::{Map, Value};

use super::byte_order_mark::without_mark;
use super::limits::{JSON_DEPTH_MAX, MANIFEST_BYTES_MAX};

/// A JSON object of at most 1 MiB that is nested at most 64 deep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest(Map<String, Value>);

/// Why a text is not a manifest.
#[derive(Debug, thiserror::Error)]
pub enum InvalidManifest {
    /// More than 1 MiB.
    #[error("a manifest has at most 1048576 bytes (1 MiB)")]
    TooLarge,
    /// Not JSON.
    #[error("a manifest is JSON: {0}")]
    Syntax(#[from] serde_json::Error),
    /// JSON, but no object.
    #[error("a manifest is a JSON object, such as {{\"package\": {{\"title\": \"…\"}}}}")]
    NotAnObject,
    /// Nested too deep.
    #[error("a manifest is nested at most 64 deep")]
    TooDeep,
    /// A field that the index reads has another type than it must have.
    #[error("{field} of a manifest must be {expected}")]
    WrongType {
        /// The field's path.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

impl Manifest {
    /// Reads a manifest from JSON text.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(text: &[u8]) -> Result<Self, InvalidManifest> {
        if text.len() > MANIFEST_BYTES_MAX {
            return Err(InvalidManifest::TooLarge);
        }
        let Value::Object(fields) = serde_json::from_slice(without_mark(text))? else {
            return Err(InvalidManifest::NotAnObject);
        };
        if !is_nested_at_most(fields.values(), JSON_DEPTH_MAX - 1) {
            return Err(InvalidManifest::TooDeep);
        }
        if fields.get("package").is_some_and(|package| !package.is_object()) {
            return Err(InvalidManifest::WrongType { field: "package", expected: "an object" });
        }
        Ok(Self(fields))
    }

    /// All its fields.
    #[must_use]
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// A field of its `package` object.
    #[must_use]
    pub fn package(&self, field: &str) -> Option<&Value> {
        self.0.get("package")?.get(field)
    }

    /// The manifest with `package.archivePath` saying where its archive is.
    #[must_use]
    pub fn with_archive_path(&self, path: &str) -> Map<String, Value> {
        let mut fields = self.0.clone();
        let package = fields.entry("package").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(package) = package {
            package.insert("archivePath".to_owned(), Value::String(path.to_owned()));
        }
        fields
    }

    /// The manifest as compact JSON text.
    #[must_use]
    pub fn to_text(&self) -> String {
        // A map with text keys always has a JSON form.
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

fn is_nested_at_most<'a>(values: impl Iterator<Item = &'a Value>, depth: usize) -> bool {
    let mut level: Vec<&Value> = values.collect();
    for _ in 0..=depth {
        if level.is_empty() {
            return true;
        }
        let mut below = Vec::new();
        for value in level {
            match value {
                Value::Array(items) => below.extend(items),
                Value::Object(fields) => below.extend(fields.values()),
                _ => {}
            }
        }
        level = below;
    }
    level.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_survive_in_order_and_to_the_digit() {
        let text = r#"{"z":1.10,"package":{"title":"T","big":123456789012345678901234567890},"dependencies":{"filter:platform":{"windows":{}}}}"#;
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!(manifest.to_text(), text);
        assert_eq!(manifest.package("title").unwrap(), "T");
        let written = serde_json::to_string(&manifest.with_archive_path("a/b.zip")).unwrap();
        assert!(written.contains(r#""big":123456789012345678901234567890,"archivePath":"a/b.zip"}"#), "{written}");
    }

    #[test]
    fn the_archive_path_is_written_even_without_a_package() {
        let manifest = Manifest::parse(b"{}").unwrap();
        let written = serde_json::to_string(&manifest.with_archive_path("p")).unwrap();
        assert_eq!(written, r#"{"package":{"archivePath":"p"}}"#);
    }

    #[test]
    fn other_texts_are_no_manifests() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(65), "}".repeat(65));
        let fits = format!("{}1{}", r#"{"a":"#.repeat(64), "}".repeat(64));
        assert!(Manifest::parse(fits.as_bytes()).is_ok());
        assert!(matches!(Manifest::parse(deep.as_bytes()), Err(InvalidManifest::TooDeep)));
        assert!(matches!(Manifest::parse(b"[]"), Err(InvalidManifest::NotAnObject)));
        assert!(matches!(Manifest::parse(b"{"), Err(InvalidManifest::Syntax(_))));
        assert!(matches!(Manifest::parse(br#"{"package":3}"#), Err(InvalidManifest::WrongType { .. })));
        assert!(matches!(Manifest::parse("[".repeat(10_000).as_bytes()), Err(InvalidManifest::Syntax(_))));
        assert!(matches!(Manifest::parse(&vec![b' '; MANIFEST_BYTES_MAX + 1]), Err(InvalidManifest::TooLarge)));
    }
}
