//! The reference of the API as HTML, made from its OpenAPI document: calls by subject, then the objects they speak of.
//!
//! Reads of the document what is used in it, not all that OpenAPI can say; the tests see that nothing is missed.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::Article;
use super::markdown::{CODE_BLOCK, anchor};
use crate::http::html::escaped;

/// The order of the calls of a path.
const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "options"];

/// The text of the page.
pub(super) fn article(document: &Value) -> Article {
    let mut page = Page { document, html: String::new(), sections: Vec::new() };
    page.write();
    Article { html: page.html, sections: page.sections }
}

struct Page<'a> {
    document: &'a Value,
    html: String,
    sections: Vec<(String, String)>,
}

impl Page<'_> {
    fn write(&mut self) {
        self.add(format_args!("<h1>API</h1>\n<p>{}</p>\n", prose(text(&self.document["info"], "description"))));
        self.add(format_args!(
            "<p>The same for programs, as OpenAPI {}: <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p>\n",
            escaped(text(self.document, "openapi"))
        ));
        self.write_callers();
        for tag in items(&self.document["tags"]) {
            let name = text(tag, "name");
            self.section(name);
            self.add(format_args!("<p>{}</p>\n", prose(text(tag, "description"))));
            for (path, item) in fields(&self.document["paths"]) {
                for method in METHODS {
                    let call = &item[method];
                    if items(&call["tags"]).any(|tag| tag == name) {
                        self.write_call(method, path, item, call);
                    }
                }
            }
        }
        self.section("objects");
        for (name, schema) in fields(&self.document["components"]["schemas"]) {
            self.add(format_args!("<h3 id=\"{}\">{}</h3>\n", object_anchor(name), escaped(name)));
            self.write_object(schema);
        }
    }

    fn write_callers(&mut self) {
        self.section("who asks");
        let schemes: Vec<(&String, &Value)> = fields(&self.document["components"]["securitySchemes"]).collect();
        let rows = schemes.into_iter().map(|(name, scheme)| [code(name), prose(text(scheme, "description"))]);
        self.html += &table(["way", "what it is"], rows);
    }

    fn write_call(&mut self, method: &str, path: &str, item: &Value, call: &Value) {
        self.add(format_args!(
            "<h3 class=\"call\" id=\"call-{}\"><code><span class=\"method\">{}</span> {}</code></h3>\n<p>{} {}</p>\n",
            escaped(text(call, "operationId")),
            method.to_ascii_uppercase(),
            escaped(path),
            prose(text(call, "summary")),
            prose(text(call, "description")),
        ));
        let anyone = items(&call["security"]).any(|way| way.as_object().is_some_and(Map::is_empty));
        if anyone {
            self.html += "<p class=\"quiet\">Anyone may ask.</p>\n";
        }
        let parameters = items(&item["parameters"]).chain(items(&call["parameters"]));
        let rows: Vec<[String; 3]> = parameters
            .map(|parameter| {
                let parameter = self.resolved(parameter);
                let required = if parameter["required"] == true { "" } else { ", optional" };
                let place = format!("{}, {}{required}", escaped(text(parameter, "in")), kind(&parameter["schema"]));
                [code(text(parameter, "name")), place, meaning(parameter, &parameter["schema"])]
            })
            .collect();
        if !rows.is_empty() {
            self.html += &table(["parameter", "kind", "meaning"], rows);
        }
        if let Some(body) = call.get("requestBody") {
            let optional = if body["required"] == true { "" } else { " It may be left out." };
            self.add(format_args!("<p>Takes {}.{optional} {}</p>\n", contents(body), prose(text(body, "description"))));
        }
        let answers: Vec<[String; 2]> = fields(&call["responses"])
            .filter(|(status, _)| *status != "default")
            .map(|(status, answer)| {
                let answer = self.resolved(answer);
                let content = contents(answer);
                let headers: Vec<String> = fields(&answer["headers"]).map(|(name, _)| code(name)).collect();
                let mut what = prose(text(answer, "description"));
                if !content.is_empty() {
                    let _ = write!(what, " {content}");
                }
                if !headers.is_empty() {
                    let _ = write!(what, " With {}.", headers.join(", "));
                }
                [code(status), what]
            })
            .collect();
        self.html += &table(["status", "answer"], answers);
    }

    fn write_object(&mut self, schema: &Value) {
        if let Some(description) = schema["description"].as_str() {
            self.add(format_args!("<p>{}</p>\n", prose(description)));
        }
        let required: Vec<&Value> = items(&schema["required"]).collect();
        let rows: Vec<[String; 3]> = fields(&schema["properties"])
            .map(|(name, property)| {
                let optional = if required.iter().any(|known| *known == name) { "" } else { ", optional" };
                [code(name), format!("{}{optional}", kind(property)), meaning(property, property)]
            })
            .collect();
        if rows.is_empty() {
            self.add(format_args!("<p>{}</p>\n", kind(schema)));
        } else {
            self.html += &table(["field", "kind", "meaning"], rows);
        }
        if let Some(example) = items(&schema["examples"]).next()
            && let Ok(example) = serde_json::to_string_pretty(example)
        {
            self.add(format_args!("{CODE_BLOCK}<code>{}</code></pre>\n", escaped(&example)));
        }
    }

    fn section(&mut self, name: &str) {
        let title = sentence(name);
        self.add(format_args!("<h2 id=\"{}\">{title}</h2>\n", anchor(name)));
        self.sections.push((anchor(name), title));
    }

    fn add(&mut self, html: std::fmt::Arguments<'_>) {
        // Writing into a string does not fail.
        let _ = self.html.write_fmt(html);
    }

    /// What a reference stands for, or the value itself.
    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        let target = value["$ref"].as_str().and_then(|path| self.document.pointer(path.strip_prefix('#')?));
        target.unwrap_or(value)
    }
}

/// The kinds of content of a body or an answer, and the objects in it.
fn contents(body: &Value) -> String {
    let parts = fields(&body["content"]).map(|(media_type, content)| {
        let schema = &content["schema"];
        let is_object = schema.get("$ref").is_some() || schema["type"] == "array";
        if is_object { kind(schema) } else { code(media_type) }
    });
    parts.collect::<Vec<String>>().join(" or ")
}

/// What values of a schema are, in words.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return format!("<a href=\"#{}\">{}</a>", object_anchor(name), escaped(name));
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if schema.get(several).is_some() {
            let word = if several == "allOf" { " and " } else { " or " };
            return items(&schema[several]).map(kind).collect::<Vec<String>>().join(word);
        }
    }
    let choices: Vec<String> = items(&schema["enum"]).filter_map(Value::as_str).map(code).collect();
    if !choices.is_empty() {
        return choices.join(" or ");
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        several => items(several).filter_map(Value::as_str).collect(),
    };
    let words = types.into_iter().map(|name| match name {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object whose values are {}", kind(&schema["additionalProperties"]))
        }
        name => match schema["format"].as_str() {
            Some("date-time") if name == "string" => "time".to_owned(),
            Some("uri") if name == "string" => "address".to_owned(),
            _ => escaped(name),
        },
    });
    let words = words.collect::<Vec<String>>().join(" or ");
    if words.is_empty() { "anything".to_owned() } else { words }
}

/// What a value means: its description, and its bounds where there are any.
fn meaning(described: &Value, schema: &Value) -> String {
    let mut parts = vec![prose(text(described, "description"))];
    if let (Some(least), Some(most)) = (schema.get("minimum"), schema.get("maximum")) {
        parts.push(format!("{least} to {most}."));
    }
    match &schema["default"] {
        Value::Null => {}
        Value::String(default) => parts.push(format!("Otherwise {}.", code(default))),
        default => parts.push(format!("Otherwise {default}.")),
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let row = |cells: &[String], tag: &str| -> String {
        let cells: String = cells.iter().map(|cell| format!("<{tag}>{cell}</{tag}>")).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let body: String = rows.into_iter().map(|cells| row(&cells, "td")).collect();
    let head = row(&head.map(escaped), "th");
    format!(
        "<div class=\"table\" tabindex=\"0\" role=\"group\"><table><thead>{head}</thead><tbody>\n{body}</tbody></table></div>\n"
    )
}

/// A description: plain text in which backticks mark code.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { code(part) } else { escaped(part) }).collect()
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| escaped(&format!("{}{}", first.to_uppercase(), letters.as_str())))
}

fn object_anchor(name: &str) -> String {
    format!("object-{}", escaped(name))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_are_words() {
        for (schema, words) in [
            (json!({ "$ref": "#/components/schemas/A" }), "<a href=\"#object-A\">A</a>"),
            (json!({ "type": "array", "items": { "type": "string" } }), "list of string"),
            (json!({ "type": ["string", "null"], "format": "date-time" }), "time or null"),
            (json!({ "type": "string", "enum": ["a", "b"] }), "<code>a</code> or <code>b</code>"),
            (json!({ "oneOf": [{ "type": "integer" }, { "type": "null" }] }), "integer or null"),
            (
                json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
                "object whose values are integer",
            ),
            (json!({}), "anything"),
        ] {
            assert_eq!(kind(&schema), words);
        }
    }

    #[test]
    fn bounds_and_defaults_are_told() {
        let schema = json!({ "minimum": 1, "maximum": 5, "default": 2 });
        assert_eq!(
            meaning(&json!({ "description": "Most `x`." }), &schema),
            "Most <code>x</code>. 1 to 5. Otherwise 2."
        );
        assert_eq!(meaning(&json!({}), &json!({ "default": "a<b" })), "Otherwise <code>a&lt;b</code>.");
    }
}
