//! Everything that a server shows, as one text.

use std::fmt::Write;

use serde_json::Value;

use crate::support::{Client, Scope, TestServer};

/// Users, tokens, channels, platforms, packages, members, releases, files and their bytes, and every file of the index.
pub(super) fn dump(server: &TestServer) -> String {
    let (root, omni) = (server.token("root", Scope::Admin), server.token("omni", Scope::Admin));
    let mut text = String::new();
    list(&root, "/api/v1/users", &mut text);
    for path in ["/api/v1/tokens", "/api/v1/channels", "/api/v1/platforms"] {
        list(&omni, path, &mut text);
    }
    for package in list(&root, "/api/v1/packages", &mut text) {
        let path = format!("/api/v1/packages/{}/{}", field(&package, "namespace"), field(&package, "name"));
        list(&omni, &format!("{path}/members"), &mut text);
        for release in list(&omni, &format!("{path}/releases"), &mut text) {
            for file in release["files"].as_array().expect("a release has files") {
                let url = field(file, "url");
                let bytes = omni.get(url.strip_prefix(&server.origin()).unwrap_or(url)).is(200).body;
                writeln!(text, "{url}: {:08x}", crc32fast::hash(&bytes)).unwrap();
            }
        }
    }
    for root in ["/v2/", "/channels/stable/v2/", "/channels/beta/v2/", "/channels/alpha/v2/"] {
        index(&server.anonymous(), root, &mut text);
    }
    text
}

fn list(client: &Client, path: &str, text: &mut String) -> Vec<Value> {
    let mut answer = client.get(&format!("{path}?limit=100")).is(200).json();
    assert_eq!(answer["next"], Value::Null, "it fits one page");
    let items = answer["items"].as_array_mut().expect("a list has items");
    for item in items.iter_mut() {
        // Being asked is no change.
        item.as_object_mut().expect("they are objects").remove("last_used");
        writeln!(text, "{path}: {item}").unwrap();
    }
    std::mem::take(items)
}

fn index(client: &Client, root: &str, text: &mut String) {
    let answer = client.get(&format!("{root}registry.gz")).send();
    writeln!(text, "{root}: {} {:08x}", answer.status, crc32fast::hash(&answer.body)).unwrap();
    if answer.status == 200 {
        let registry: Value = serde_json::from_str(&answer.gunzip()).expect("it is JSON");
        writeln!(text, "{root}: {registry}").unwrap();
        for path in registry["files"].as_object().expect("it has files").keys() {
            let file = client.get(&format!("{root}{path}")).is(200);
            writeln!(text, "{root}{path}: {}", file.gunzip()).unwrap();
        }
    }
}

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("it is a text")
}
