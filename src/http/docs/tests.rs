//! The pages as they are shown: none is missing, and every link between them leads somewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn shown() -> BTreeMap<String, String> {
    let pages = PAGES.iter().map(|shown| {
        let content = page(shown.name).unwrap().unwrap();
        (address(shown.name), String::from_utf8(content.plain.0.to_vec()).unwrap())
    });
    pages.collect()
}

fn attributes<'t>(html: &'t str, name: &str) -> Vec<&'t str> {
    let start = format!(" {name}=\"");
    html.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let pages = shown();
    let anchors: BTreeMap<&str, BTreeSet<&str>> =
        pages.iter().map(|(address, html)| (address.as_str(), attributes(html, "id").into_iter().collect())).collect();
    for (address, html) in &pages {
        assert_eq!(attributes(html, "id").len(), anchors[address.as_str()].len(), "{address} has an anchor twice");
        for link in attributes(html, "href") {
            let (page, anchor) = link.split_once('#').unwrap_or((link, ""));
            let page = if page.is_empty() { address } else { page };
            if page.starts_with("https://")
                || ["/", "/favicon.svg", "/docs/style.css", "/api/v1/openapi.json"].contains(&page)
            {
                continue;
            }
            let known = anchors.get(page).unwrap_or_else(|| panic!("{address} links to {link}, which is not there"));
            assert!(
                anchor.is_empty() || known.contains(anchor),
                "{address} links to {link}, which has no such section"
            );
        }
        for gap in ["title", "pages", "sections", "version", "article"] {
            assert!(!html.contains(&format!("{{{{{gap}}}}}")), "{address} has a gap for its {gap}");
        }
    }
}

#[test]
fn every_call_and_object_is_in_the_reference() {
    let document: serde_json::Value = serde_json::from_slice(&openapi::document().unwrap()).unwrap();
    let html = &shown()["/docs/api"];
    let anchors: BTreeSet<&str> = attributes(html, "id").into_iter().collect();
    let mut calls = 0;
    for item in document["paths"].as_object().unwrap().values() {
        for call in item.as_object().unwrap().values() {
            if let Some(name) = call["operationId"].as_str() {
                assert!(anchors.contains(format!("call-{name}").as_str()), "{name} is not in the reference");
                calls += 1;
            }
        }
    }
    assert!(calls > 60, "{calls}");
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(anchors.contains(format!("object-{name}").as_str()), "{name} is not in the reference");
    }
}

#[test]
fn both_forms_are_the_same() {
    use std::io::Read;
    let content = page("security").unwrap().unwrap();
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&content.gzip.0[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, content.plain.0);
    assert!(page("nowhere").is_none());
}
