//! `packhouse search`: words into a search of the local copy, what it finds into lines.

use std::fmt::Write;

use serde_json::json;

use super::Failure;
use super::args::SearchArgs;
use super::output::Output;
use crate::client::problem::printable;
use crate::client::search::{Findings, Query, search};
use crate::client::sync::LocalIndex;

/// Characters of a title and description that are told.
const SHOWN_CHARS_MAX: usize = 100;

/// Searches. Finding nothing is no failure.
///
/// # Errors
/// If there is no local copy, or it cannot be read.
pub fn run(args: &SearchArgs, output: &Output) -> Result<(), Failure> {
    let index = LocalIndex::open(&args.index).map_err(Failure::of)?;
    let findings = search(&index, &Query::new(&args.words, args.limit)).map_err(Failure::of)?;
    output.result(&words(&findings), &json!({ "packages": findings.packages, "total": findings.total }))
}

fn words(findings: &Findings) -> String {
    let mut text = String::new();
    for package in &findings.packages {
        let shown = |text: &str| printable(text).unwrap_or_default();
        // A title that only says the name again is none.
        let own_name = package.name.split_once('.').map_or("", |(_, name)| name);
        let title = Some(&package.title).filter(|title| *title != own_name);
        let about = [title, Some(&package.description)].map(|text| text.map_or_else(String::new, |text| shown(text)));
        let mut about = about.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(": ");
        if let Some((end, _)) = about.char_indices().nth(SHOWN_CHARS_MAX) {
            about.truncate(end);
            about.push('…');
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {}", shown(&package.name), shown(&package.version));
        if !about.is_empty() {
            let _ = writeln!(text, "    {about}");
        }
    }
    let more = findings.total - findings.packages.len();
    if findings.total == 0 {
        text.push_str("nothing was found\n");
    } else if more > 0 {
        let _ = writeln!(text, "and {more} more; --limit shows them");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::search::Found;

    #[test]
    fn findings_read_well_and_drive_no_terminal() {
        let package = Found {
            name: "omni.foo".into(),
            version: "1.0.0".into(),
            title: "Foo\u{1b}[2J".into(),
            description: "x".repeat(200),
            keywords: vec![],
            published: None,
        };
        let shown = words(&Findings { packages: vec![package], total: 3 });
        assert!(shown.starts_with("omni.foo 1.0.0\n    Foo [2J: xxx"), "{shown}");
        assert!(shown.ends_with("x…\nand 2 more; --limit shows them\n"), "{shown}");
        assert_eq!(words(&Findings { packages: vec![], total: 0 }), "nothing was found\n");
        let plain = Found {
            name: "omni.kit.foo".into(),
            version: "1.0.0".into(),
            title: "kit.foo".into(),
            description: String::new(),
            keywords: vec![],
            published: None,
        };
        assert_eq!(words(&Findings { packages: vec![plain], total: 1 }), "omni.kit.foo 1.0.0\n");
    }
}
