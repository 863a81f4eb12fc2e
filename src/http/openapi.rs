//! The API described by itself: the OpenAPI 3.1 document, put together from the files beside this one.
//!
//! Owns nothing but the putting together; what each call takes and answers stands in `openapi/*.json`, by subject. The
//! tests compare it with the routes and with what the server really answers.

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::{Map, Value};

/// What holds for all calls: who may ask, common parameters, and how errors look.
const FRAME: &str = include_str!("openapi/document.json");

/// Paths and schemas, by subject.
const SUBJECTS: [&str; 7] = [
    include_str!("openapi/accounts.json"),
    include_str!("openapi/packages.json"),
    include_str!("openapi/releases.json"),
    include_str!("openapi/uploads.json"),
    include_str!("openapi/applications.json"),
    include_str!("openapi/registry.json"),
    include_str!("openapi/server.json"),
];

static DOCUMENT: LazyLock<Result<Bytes, String>> = LazyLock::new(|| compose(FRAME, &SUBJECTS).map(Bytes::from));

/// The document as JSON text.
///
/// # Errors
/// If its parts do not fit together, which a test rules out.
pub fn document() -> Result<Bytes, &'static str> {
    DOCUMENT.as_ref().cloned().map_err(String::as_str)
}

/// Puts the paths and schemas of each subject into the frame.
fn compose(frame: &str, subjects: &[&str]) -> Result<String, String> {
    let mut document = object(frame)?;
    document
        .get_mut("info")
        .and_then(|info| info.get_mut("version"))
        .ok_or("the frame has no version")?
        .clone_from(&Value::String(env!("CARGO_PKG_VERSION").to_owned()));
    for subject in subjects {
        let mut subject = object(subject)?;
        let mut take = |name: &str| match subject.remove(name) {
            Some(Value::Object(part)) => Ok(part),
            _ => Err(format!("a subject has no {name}")),
        };
        let (paths, schemas) = (take("paths")?, take("schemas")?);
        add(document.get_mut("paths"), paths)?;
        add(document.get_mut("components").and_then(|components| components.get_mut("schemas")), schemas)?;
    }
    Ok(Value::Object(document).to_string())
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("a part is not an object".to_owned()),
        Err(error) => Err(format!("a part is not JSON: {error}")),
    }
}

fn add(into: Option<&mut Value>, part: Map<String, Value>) -> Result<(), String> {
    let into = into.and_then(Value::as_object_mut).ok_or("the frame has no room for it")?;
    for (name, value) in part {
        if into.contains_key(&name) {
            return Err(format!("{name} is there twice"));
        }
        into.insert(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fit_together() {
        let document: Value = serde_json::from_slice(&document().unwrap()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        assert!(document["paths"].as_object().unwrap().len() > 20);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let frame = r#"{"info":{"version":""},"paths":{"/a":{}},"components":{"schemas":{}}}"#;
        assert!(compose(frame, &[r#"{"paths":{"/b":{}},"schemas":{}}"#]).is_ok());
        for wrong in [r#"{"paths":{"/a":{}},"schemas":{}}"#, r#"{"paths":{}}"#, "[]", "{"] {
            assert!(compose(frame, &[wrong]).is_err(), "{wrong}");
        }
        assert!(compose("{}", &[]).is_err());
    }
}
