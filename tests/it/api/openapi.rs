//! The API's description of itself against its routes. That answers are as it says, every test's client checks.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use packhouse::http::route::{Access, Route, route};
use serde_json::{Value, json};

use crate::support::TestServer;
use crate::support::contract::{self, DOCUMENT, Operation, operations};

/// What is for people and browsers alone.
const PAGES: [&str; 4] = ["page", "asset", "docs", "docs_style"];
/// Operations that share a route with another, because OpenAPI knows no optional parts of paths.
const SHARED: [(&str, &str); 1] = [("download_file", "download")];

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    let mut described = BTreeSet::new();
    for operation in operations() {
        let id = operation.what["operationId"].as_str().expect("an operation has an id");
        let name = SHARED.iter().find(|(shared, _)| *shared == id).map_or(id, |(_, name)| name);
        let found = find_route(&operation);
        assert_eq!(found.name(), name, "{} {}", operation.method, operation.path);
        let anyone = operation.what["security"].as_array().is_some_and(|security| security.contains(&json!({})));
        assert_eq!(anyone, found.access() == Access::Anyone, "who may ask {id}");
        assert!(described.insert(id.to_owned()), "{id} is there twice");
    }
    let source = include_str!("../../../src/http/route.rs");
    let (_, names) = source.split_once("pub fn name(&self)").expect("routes have names");
    let (names, _) = names.split_once("\n    }\n").expect("the function ends");
    let routes: BTreeSet<&str> = names.split('"').skip(1).step_by(2).collect();
    let missing: Vec<_> = routes.iter().filter(|name| !described.contains(**name) && !PAGES.contains(name)).collect();
    assert!(missing.is_empty(), "routes without a description in src/http/openapi: {missing:?}");
}

/// The route of an operation whose path has examples in the place of its parameters.
fn find_route(operation: &Operation) -> Route {
    let item = &DOCUMENT["paths"][operation.path];
    let mut path = operation.path.to_owned();
    for parameter in item["parameters"].as_array().into_iter().flatten() {
        let parameter = contract::resolve(parameter);
        assert_eq!((&parameter["in"], &parameter["required"]), (&json!("path"), &json!(true)), "{path}");
        let name = parameter["name"].as_str().expect("a parameter has a name");
        let schema = &parameter["schema"];
        let example = schema["examples"][0].as_str().or(schema["enum"][0].as_str()).map(str::to_owned);
        let example = example.unwrap_or_else(|| schema["examples"][0].to_string());
        assert!(path.contains(&format!("{{{name}}}")), "{name} is in {path}");
        path = path.replace(&format!("{{{name}}}"), &example);
    }
    assert!(!path.contains('{'), "{path} has parameters that are not described");
    let method: Method = operation.method.to_uppercase().parse().expect("a method");
    route(&method, &path).unwrap_or_else(|none| panic!("{method} {path}: {none:?}"))
}

#[test]
fn references_lead_somewhere_and_examples_are_right() {
    let mut used = BTreeSet::new();
    visit(&DOCUMENT, &mut |value| {
        if let Some(reference) = value["$ref"].as_str() {
            contract::resolve(value);
            used.insert(reference.to_owned());
        }
        for example in value["examples"].as_array().into_iter().flatten() {
            let mut wrong = Vec::new();
            contract::check(value, example, "example", &mut wrong);
            assert!(wrong.is_empty(), "{wrong:#?}");
        }
    });
    for kind in ["schemas", "parameters", "responses"] {
        for name in DOCUMENT["components"][kind].as_object().expect("there are components").keys() {
            assert!(used.contains(&format!("#/components/{kind}/{name}")), "nobody uses {kind}/{name}");
        }
    }
}

fn visit(value: &Value, look: &mut impl FnMut(&Value)) {
    look(value);
    match value {
        Value::Object(fields) => fields.values().for_each(|value| visit(value, look)),
        Value::Array(items) => items.iter().for_each(|value| visit(value, look)),
        _ => {}
    }
}

#[test]
fn operations_are_complete() {
    let tags: Vec<&Value> =
        DOCUMENT["tags"].as_array().expect("there are tags").iter().map(|tag| &tag["name"]).collect();
    for Operation { path, method, what } in operations() {
        let at = format!("{method} {path}");
        assert!(what["summary"].as_str().is_some_and(|summary| summary.ends_with('.')), "{at} has no summary");
        assert!(tags.contains(&&what["tags"][0]), "{at} has no tag");
        assert!(what["responses"]["default"].is_object(), "{at} does not say how it fails");
        assert_eq!(what["requestBody"].is_object(), what["requestBody"]["content"].is_object(), "{at}");
    }
}

#[test]
fn the_server_hands_it_out() {
    let server = TestServer::start();
    let answer = server.anonymous().get("/api/v1/openapi.json").is(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), *DOCUMENT);
    let again = server.anonymous().get("/api/v1/openapi.json").header("if-none-match", answer.header("etag"));
    again.is(304);
}

#[test]
fn a_wrong_exchange_is_noticed() {
    let check = |schema: Value, value: Value| {
        let mut wrong = Vec::new();
        contract::check(&schema, &value, "value", &mut wrong);
        wrong
    };
    let user = json!({ "$ref": "#/components/schemas/PlatformRequest" });
    let checks: BTreeMap<&str, (Value, Value)> = BTreeMap::from([
        ("value has no name: {}", (user.clone(), json!({}))),
        ("value.name is not \"string\": 7", (user.clone(), json!({ "name": 7 }))),
        ("value.other is not described", (user.clone(), json!({ "name": "a", "other": 1 }))),
        ("value is not [\"string\",\"null\"]: 1", (json!({ "type": ["string", "null"] }), json!(1))),
        ("value is no time: \"noon\"", (json!({ "type": "string", "format": "date-time" }), json!("noon"))),
        ("value[1] is none of [1]: 2", (json!({ "items": { "enum": [1] } }), json!([1, 2]))),
        ("value is below 0: -1", (json!({ "minimum": 0 }), json!(-1))),
        ("value has a schema with pattern, which is not checked: \"\"", (json!({ "pattern": "x" }), json!(""))),
    ]);
    for (problem, (schema, value)) in checks {
        assert_eq!(check(schema, value), [problem]);
    }
    let part = json!({ "type": "object", "properties": { "more": { "type": "string" } } });
    let both = json!({ "allOf": [user, part] });
    assert_eq!(check(both.clone(), json!({ "name": "a", "more": "b" })), [""; 0]);
    assert_eq!(check(both, json!({ "name": "a", "less": "b" })), ["value.less is not described"]);
}
