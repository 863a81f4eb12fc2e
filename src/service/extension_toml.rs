//! `extension.toml`, by which Omniverse Kit describes an extension: what of it becomes a manifest.
//!
//! Pure. The file is TOML 1.0, and what Windows tools make of it: UTF-16 or UTF-8 with a byte order mark, comments in
//! another character set. A file of the name that is no TOML is an error; TOML without `[package]` describes nothing.

use serde_json::{Map, Number, Value, json};
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

use crate::model::Manifest;

/// Where it is in an archive, the likelier place first.
pub(super) const PATHS: [&str; 2] = ["config/extension.toml", "extension.toml"];
/// Largest one, in bytes.
pub(super) const BYTES_MAX: u64 = 1 << 20;

/// The fields of `[package]` that a manifest has.
const FIELDS: [&str; 8] = ["title", "version", "description", "keywords", "category", "authors", "repository", "icon"];
/// Stands for bytes of another character set until it is known whether they matter.
const UNREADABLE: char = '\u{fffd}';

/// The manifest that the file describes; nothing where it has no `[package]`.
///
/// # Errors
/// Why the file cannot be read.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Manifest>, String> {
    let (text, is_exact) = decode(bytes)?;
    let document = DeTable::parse(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        format!("line {line}: {}", error.message().replace('\n', "; "))
    })?;
    let table = document.get_ref();
    let Some(described) = table.get("package").and_then(|value| value.get_ref().as_table()) else { return Ok(None) };
    let mut package = Map::new();
    for field in FIELDS {
        if let Some(value) = described.get(field) {
            package.insert(field.to_owned(), to_json(value.get_ref()));
        }
    }
    let mut fields = json!({ "package": package });
    let dependencies = table.get("dependencies").and_then(|value| value.get_ref().as_table());
    if let Some(dependencies) = dependencies.filter(|table| !table.is_empty()) {
        fields["dependencies"] = table_to_json(dependencies);
    }
    let text = fields.to_string();
    if !is_exact && text.contains(UNREADABLE) {
        return Err("[package] or [dependencies] is not UTF-8; save the file as UTF-8".to_owned());
    }
    Manifest::parse(text.as_bytes()).map(Some).map_err(|problem| problem.to_string())
}

/// The text of the file, and whether all of it could be read.
fn decode(bytes: &[u8]) -> Result<(String, bool), String> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let text = String::from_utf8_lossy(bytes);
            let is_exact = matches!(text, std::borrow::Cow::Borrowed(_));
            return Ok((text.into_owned(), is_exact));
        }
    };
    let units = bytes[2..].as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map(|text| (text, true)).map_err(|_| "it begins as UTF-16 and is none; save the file as UTF-8".to_owned())
}

fn to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => integer(number),
        DeValue::Float(number) => float(number),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(table) => table_to_json(table),
    }
}

fn table_to_json(table: &DeTable<'_>) -> Value {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref()))).collect()
}

/// A whole number, to the digit; as text where JSON has no such number.
fn integer(number: &DeInteger<'_>) -> Value {
    let text = number.as_str();
    let read = match number.radix() {
        10 => text.strip_prefix('+').unwrap_or(text).parse::<Number>().ok(),
        radix => u128::from_str_radix(text, radix).ok().and_then(Number::from_u128),
    };
    read.map_or_else(|| Value::String(number.to_string()), Value::Number)
}

/// A number with a fraction; `inf` and `nan` are texts, for JSON has no such numbers.
fn float(number: &DeFloat<'_>) -> Value {
    let read = number.as_str().parse().ok().and_then(Number::from_f64);
    read.map_or_else(|| Value::String(number.as_str().to_owned()), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Value {
        Value::Object(parse(bytes).unwrap().expect("it describes something").fields().clone())
    }

    #[test]
    fn a_description_becomes_a_manifest() {
        let text = "[package]\ntitle = \"Foo\"\nversion = \"1.2.0\"\nkeywords = [\"a\", \"b\"]\nreadme = \"x\"\n\
            [dependencies]\n\"omni.kit.x\" = { version = \"1.0.0\", optional = true }\n\"omni.ui\" = {}\n[core]\na = 1\n";
        let wanted = json!({
            "package": { "title": "Foo", "version": "1.2.0", "keywords": ["a", "b"] },
            "dependencies": { "omni.kit.x": { "version": "1.0.0", "optional": true }, "omni.ui": {} },
        });
        assert_eq!(read(text.as_bytes()), wanted);
    }

    /// A date, a number past 64 bits, a comment in Latin-1 or a byte order mark anywhere in the file made the server drop
    /// the whole description, with its dependencies, without a word.
    #[test]
    fn all_of_toml_and_what_windows_writes_is_read() {
        let text = "[package]\nversion = '1'\n[dependencies]\n'a.b' = { since = 2024-10-04T05:06:07Z, day = 2024-10-04, \
            time = 05:06:07, big = 123456789012345678901234567890, hex = 0xff, far = inf, part = 1.5, plus = +7 }\n";
        let wanted = json!({ "a.b": { "since": "2024-10-04T05:06:07Z", "day": "2024-10-04", "time": "05:06:07",
            "big": serde_json::from_str::<Value>("123456789012345678901234567890").unwrap(), "hex": 255, "far": "inf",
            "part": 1.5, "plus": 7 } });
        assert_eq!(read(text.as_bytes())["dependencies"], wanted);
        let latin =
            [b"# caf\xe9 \x84\r\n[package]\r\nversion = '1' # \xfc\r\n".as_slice(), b"[core]\na = '\xff'\n"].concat();
        assert_eq!(read(&latin)["package"]["version"], "1");
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        assert_eq!(read(&marked)["dependencies"], wanted);
        for (mark, bytes_of) in
            [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
        {
            let units: Vec<u8> = text.encode_utf16().flat_map(bytes_of).collect();
            assert_eq!(read(&[&mark[..], &units].concat())["dependencies"], wanted);
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (bytes, why) in [
            (b"[package".as_slice(), "line 1: "),
            (b"a = 1\n[package]\nb = \n", "line 3: "),
            (b"[package]\ntitle = '\xe9'", "save the file as UTF-8"),
            (b"\xff\xfe\x00\xd8", "save the file as UTF-8"),
        ] {
            let problem = parse(bytes).unwrap_err();
            assert!(problem.contains(why), "{problem}");
        }
        let deep = format!("[package]\na = {}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(deep.as_bytes()).is_err());
    }

    #[test]
    fn other_files_describe_nothing() {
        for text in ["", "a = 1", "package = 1"] {
            assert_eq!(parse(text.as_bytes()), Ok(None), "{text}");
        }
    }
}
