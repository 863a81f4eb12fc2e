//! The calls of the API, by subject: what each does, answers and refuses. Who may call them is `roles`' matter.

mod administration;
mod attention;
mod audit;
mod channels;
mod conditions;
mod downloads;
mod events;
mod files;
mod index;
mod kit;
mod members;
mod openapi;
mod packages;
mod pages;
mod platforms;
mod problems;
mod proxies;
mod registry;
mod releases;
mod search;
mod session;
mod setup;
mod statistics;
mod tokens;
mod updates;
mod uploads;
mod users;

use serde_json::Value;

/// The values of a field of each item of a list.
fn each(list: &Value, field: &str) -> Vec<String> {
    let items = list["items"].as_array().expect("a list has items");
    items.iter().map(|item| item[field].as_str().expect("it is a text").to_owned()).collect()
}
