//! [`judge`]: whether an exchange is as the server's own description of its API (OpenAPI 3.1) says.
//!
//! Every answer that a test's client gets passes through it. Knows as much of JSON Schema as the description uses, and
//! fails on a word that it does not know, so that nothing goes unchecked.

use std::sync::LazyLock;

use packhouse::http::{openapi, route};
use packhouse::model::Timestamp;
use serde_json::{Map, Value};

use super::answer::Answer;

/// Words of a schema that say nothing about values.
const REMARKS: [&str; 5] = ["description", "examples", "default", "contentMediaType", "title"];

/// The description.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = openapi::document().expect("the parts of the description fit together");
    serde_json::from_slice(&text).expect("it is JSON")
});

/// An operation with its path and method.
pub(crate) struct Operation {
    pub(crate) path: &'static str,
    pub(crate) method: &'static str,
    pub(crate) what: &'static Value,
}

/// All operations.
pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    let paths = DOCUMENT["paths"].as_object().expect("there are paths");
    paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("a path has methods");
        let methods = item.iter().filter(|(method, _)| *method != "parameters");
        methods.map(|(method, what)| Operation { path, method, what })
    })
}

/// What is wrong with an exchange.
pub(crate) fn judge(method: &str, target: &str, request: &[u8], answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    let path = target.split('?').next().unwrap_or_default();
    let path = route::split_token(path).map_or(path, |(_, path)| path);
    let Ok(Ok(found)) = method.parse().map(|method| route::route(&method, path)) else { return wrong };
    let Some(operation) = operations().find(|operation| operation.what["operationId"] == found.name()) else {
        return wrong;
    };
    let responses = &operation.what["responses"];
    let response = match &responses[answer.status.to_string()] {
        Value::Null => {
            if answer.status < 400 {
                wrong.push(format!("{} answers {}, which is not described", found.name(), answer.status));
            }
            &responses["default"]
        }
        described => described,
    };
    let content = &resolve(response)["content"];
    let kind = answer.find("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default();
    if method != "HEAD" && !answer.body.is_empty() && kind.ends_with("json") && content["*/*"].is_null() {
        match (&content[kind]["schema"], serde_json::from_slice(&answer.body)) {
            (Value::Null, _) if answer.status == 206 => {}
            (Value::Null, _) => {
                wrong.push(format!("{kind} is not described for {} of {}", answer.status, found.name()));
            }
            (schema, Ok(value)) => check(schema, &value, "answer", &mut wrong),
            (_, Err(error)) => wrong.push(format!("the answer is not JSON: {error}")),
        }
    }
    let described = &operation.what["requestBody"]["content"]["application/json"]["schema"];
    if answer.status < 300
        && !described.is_null()
        && let Ok(value) = serde_json::from_slice(request)
    {
        check(described, &value, "request", &mut wrong);
    }
    wrong
}

/// What is wrong with a value by a schema.
pub(crate) fn check(schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let schema = resolve(schema);
    let Some(words) = schema.as_object() else { return };
    for (word, rule) in words {
        let problem = match word.as_str() {
            "type" => (!is_of_type(rule, value)).then(|| format!("is not {rule}")),
            "enum" => (!list(rule).contains(value)).then(|| format!("is none of {rule}")),
            "minimum" => compare(value, rule).is_some_and(|order| order.is_lt()).then(|| format!("is below {rule}")),
            "maximum" => compare(value, rule).is_some_and(|order| order.is_gt()).then(|| format!("is above {rule}")),
            "format" => check_format(rule, value),
            "required" => {
                let missing = list(rule).iter().filter_map(Value::as_str).find(|name| value.get(name).is_none());
                missing.filter(|_| value.is_object()).map(|name| format!("has no {name}"))
            }
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, item, &format!("{at}[{number}]"), wrong);
                }
                None
            }
            "properties" => {
                for (name, rule) in rule.as_object().into_iter().flatten() {
                    if let Some(value) = value.get(name) {
                        check(rule, value, &format!("{at}.{name}"), wrong);
                    }
                }
                None
            }
            "additionalProperties" => {
                let own = properties(schema);
                for (name, value) in value.as_object().into_iter().flatten() {
                    if !own.contains_key(name) {
                        check(rule, value, &format!("{at}.{name}"), wrong);
                    }
                }
                None
            }
            "oneOf" => {
                let fits = |rule: &&Value| {
                    let mut wrong = Vec::new();
                    check(rule, value, at, &mut wrong);
                    wrong.is_empty()
                };
                (list(rule).iter().filter(fits).count() != 1).then(|| "fits not exactly one of the choices".to_owned())
            }
            "allOf" => {
                for rule in list(rule) {
                    // What a part does not know, another may.
                    let mut of_part = Vec::new();
                    check(rule, value, at, &mut of_part);
                    wrong.extend(of_part.into_iter().filter(|problem| !problem.ends_with(UNDESCRIBED)));
                }
                None
            }
            remark if REMARKS.contains(&remark) => None,
            other => Some(format!("has a schema with {other}, which is not checked")),
        };
        wrong.extend(problem.map(|problem| format!("{at} {problem}: {value}")));
    }
    if words.contains_key("additionalProperties") {
        return;
    }
    let own = properties(schema);
    for name in value.as_object().into_iter().flat_map(Map::keys) {
        if !own.is_empty() && !own.contains_key(name) {
            wrong.push(format!("{at}.{name} {UNDESCRIBED}"));
        }
    }
}

const UNDESCRIBED: &str = "is not described";

/// The properties of a schema and of all that it is made of.
fn properties(schema: &Value) -> Map<String, Value> {
    let schema = resolve(schema);
    let mut own = schema["properties"].as_object().cloned().unwrap_or_default();
    for word in ["allOf", "oneOf"] {
        own.extend(list(&schema[word]).iter().flat_map(properties));
    }
    own
}

/// What a reference leads to.
pub(crate) fn resolve(value: &Value) -> &Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').expect("references stay inside");
            DOCUMENT.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
        }
        None => value,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn is_of_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    };
    rule.as_str().map_or_else(|| list(rule).iter().filter_map(Value::as_str).any(is), is)
}

fn compare(value: &Value, limit: &Value) -> Option<std::cmp::Ordering> {
    Some(value.as_i64()?.cmp(&limit.as_i64()?))
}

fn check_format(rule: &Value, value: &Value) -> Option<String> {
    let text = value.as_str()?;
    match rule.as_str()? {
        "date-time" => text.parse::<Timestamp>().is_err().then(|| "is no time".to_owned()),
        "date" => (text.len() != 10).then(|| "is no date".to_owned()),
        "password" | "int64" | "uri" => None,
        other => Some(format!("has the format {other}, which is not checked")),
    }
}
