//! `extension.toml`, by which Omniverse Kit describes an extension: what of it becomes a manifest.
//!
//! Pure. Other programs name files so too: what is not of this form is no description.

use serde_json::{Map, Value, json};
use toml_span::value::ValueInner;

use crate::model::Manifest;

/// Where it is in an archive, the likelier place first.
pub(super) const PATHS: [&str; 2] = ["config/extension.toml", "extension.toml"];
/// Largest one, in bytes.
pub(super) const BYTES_MAX: u64 = 1 << 20;

/// The fields of `[package]` that a manifest has.
const FIELDS: [&str; 8] = ["title", "version", "description", "keywords", "category", "authors", "repository", "icon"];

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Description {
    pub(super) manifest: Manifest,
    pub(super) version: Option<String>,
}

/// Reads the file; nothing where it has no `[package]`.
pub(super) fn parse(bytes: &[u8]) -> Option<Description> {
    let toml = toml_span::parse(std::str::from_utf8(bytes).ok()?).ok()?;
    let table = toml.as_table()?;
    let described = table.get("package")?.as_table()?;
    let mut package = Map::new();
    for field in FIELDS {
        if let Some(value) = described.get(field) {
            package.insert(field.to_owned(), to_json(value));
        }
    }
    let version = package.get("version").and_then(Value::as_str).map(str::to_owned);
    let mut fields = json!({ "package": package });
    if let Some(dependencies) = table.get("dependencies").filter(|value| value.has_keys()) {
        fields["dependencies"] = to_json(dependencies);
    }
    Some(Description { manifest: Manifest::parse(fields.to_string().as_bytes()).ok()?, version })
}

fn to_json(value: &toml_span::Value<'_>) -> Value {
    match value.as_ref() {
        ValueInner::String(text) => Value::String(text.to_string()),
        ValueInner::Integer(number) => (*number).into(),
        ValueInner::Float(number) => (*number).into(),
        ValueInner::Boolean(flag) => (*flag).into(),
        ValueInner::Array(items) => items.iter().map(to_json).collect(),
        ValueInner::Table(table) => table.iter().map(|(key, value)| (key.to_string(), to_json(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_becomes_a_manifest() {
        let text = "[package]\ntitle = \"Foo\"\nversion = \"1.2.0\"\nkeywords = [\"a\", \"b\"]\nreadme = \"x\"\n\
            [dependencies]\n\"omni.kit.x\" = { version = \"1.0.0\", optional = true }\n\"omni.ui\" = {}\n[core]\na = 1\n";
        let found = parse(text.as_bytes()).unwrap();
        assert_eq!(found.version.as_deref(), Some("1.2.0"));
        let wanted = json!({
            "package": { "title": "Foo", "version": "1.2.0", "keywords": ["a", "b"] },
            "dependencies": { "omni.kit.x": { "version": "1.0.0", "optional": true }, "omni.ui": {} },
        });
        assert_eq!(Value::Object(found.manifest.fields().clone()), wanted);
    }

    #[test]
    fn other_files_describe_nothing() {
        for text in ["", "x", "a = 1", "package = 1", "[package", "\u{0}"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse(b"\xff"), None);
        let deep = format!("[package]\na = {}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(parse(deep.as_bytes()), None);
    }
}
