//! Keeps the tree tidy: what `rustfmt`, `clippy` and the compiler do not see, such as which way the layers point.
//!
//! The rules stand in [`check`] and the tables above it. A rule that a change breaks on purpose is changed here, in the
//! open.

mod source;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use source::{Source, after_group, is_word};

use crate::support::project;

/// The layers, and those that each may use. `lib.rs` and `main.rs` stand above them.
const LAYERS: [(&str, &[&str]); 7] = [
    ("model", &[]),
    ("store", &["model"]),
    ("index", &["model"]),
    ("service", &["store", "index", "model"]),
    ("http", &["service", "model"]),
    ("client", &["model"]),
    ("cli", &["http", "service", "client", "store", "index", "model"]),
];

/// What stays out of a layer: the words of its code that would give it away.
const FOREIGN: [(&str, &[&str]); 5] = [
    (
        "model",
        &["std::fs", "std::net", "std::process", "SystemTime::now", "Instant::now", "tokio::", "redb::", "hyper::"],
    ),
    ("store", &["hyper::", "std::net"]),
    ("index", &["hyper::", "std::net", "redb::"]),
    ("service", &["hyper::", "redb::"]),
    ("http", &["redb::"]),
];

/// What is never left behind.
const LEFT_OVERS: [&str; 6] =
    ["dbg!", "todo!", "unimplemented!", "#[ignore", "#[allow(dead_code", "#![allow(dead_code"];

/// More lines are two subjects.
const LINES_MAX: usize = 800;
/// A little more than `rustfmt.toml` has, which leaves comments and long literals alone.
const LINE_CHARS_MAX: usize = 124;
/// A word longer than this, such as the bytes of a record, is not worth breaking to keep to that.
const WORD_CHARS_MAX: usize = 80;

#[test]
fn the_tree_is_tidy() {
    let root = project();
    let files = read_tree(root, &["src", "tests", "packaging"]).expect("the tree can be read");
    assert!(files.iter().any(|(path, _)| path == "src/lib.rs"), "the tree is where it was looked for");
    let found = check(&files);
    assert!(found.is_empty(), "{} things to tidy:\n{}", found.len(), found.join("\n"));
}

/// Everything untidy in these files, each given as its path from the top and its text, as `path:line: what`.
fn check(files: &[(String, String)]) -> Vec<String> {
    let sources: Vec<Source> = files.iter().map(|(_, text)| Source::new(text)).collect();
    let test_folders: Vec<String> = files
        .iter()
        .zip(&sources)
        .flat_map(|((path, _), source)| {
            source.test_modules().map(|name| format!("{}/{name}", folder_of_children(path)))
        })
        .collect();
    let mut found = Vec::new();
    for ((path, text), source) in files.iter().zip(&sources) {
        let is_test_file = path.starts_with("tests/")
            || path.ends_with("_tests.rs")
            || test_folders
                .iter()
                .any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(['.', '/'])));
        check_text(path, text, source, &mut found);
        for word in LEFT_OVERS {
            found.extend(source.find(word).map(|at| (path, source.line(at), format!("`{word}` is left over"))));
        }
        if let Some(inside) = path.strip_prefix("src/") {
            check_unwraps(path, source, is_test_file, &mut found);
            check_layers(path, inside, source, is_test_file, &mut found);
        }
    }
    found.sort();
    found.into_iter().map(|(path, line, what)| format!("{path}:{line}: {what}")).collect()
}

type Found<'a> = Vec<(&'a String, usize, String)>;

fn check_text<'a>(path: &'a String, text: &str, source: &Source, found: &mut Found<'a>) {
    if !text.starts_with("//!") {
        found.push((path, 1, "does not begin with `//!`, what it owns and what it must not do".into()));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        found.push((path, lines, format!("has more than {LINES_MAX} lines, and so probably two subjects")));
    }
    for (line, (text, code)) in text.lines().zip(source.code.lines()).enumerate() {
        let chars = text.chars().count();
        // A sentence in a literal is easier to find unbroken.
        let is_literal =
            code.split_whitespace().map(|word| word.chars().count() + 1).sum::<usize>() + WORD_CHARS_MAX < chars;
        let is_word = text.split_whitespace().any(|word| word.chars().count() > WORD_CHARS_MAX);
        let is_comment = text.trim_start().starts_with("//");
        if chars > LINE_CHARS_MAX && !is_word && (is_comment || !is_literal) {
            found.push((path, line + 1, format!("has {chars} characters; a line has at most {LINE_CHARS_MAX}")));
        }
    }
}

fn check_unwraps<'a>(path: &'a String, source: &Source, is_test_file: bool, found: &mut Found<'a>) {
    for word in [".unwrap()", ".expect("] {
        for at in source.find(word) {
            if !is_test_file && !source.is_test(at) && !source.is_excused(at) {
                found.push((path, source.line(at), format!("`{word}` without a reason in an `#[expect(…)]`")));
            }
        }
    }
}

fn check_layers<'a>(path: &'a String, inside: &str, source: &Source, is_test_file: bool, found: &mut Found<'a>) {
    let layer = inside.split(['/', '.']).next().unwrap_or_default();
    if layer == "lib" || layer == "main" {
        return;
    }
    let Some((_, below)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        found.push((path, 1, format!("`{layer}` is no layer of the house")));
        return;
    };
    for (at, used) in top_level_names(inside, source) {
        // Tests may set up what stands further down.
        let may = below.contains(&used)
            || ((is_test_file || source.is_test(at)) && below.iter().any(|next| uses_of(next).contains(&used)));
        if LAYERS.iter().any(|(name, _)| *name == used) && used != layer && !may {
            found.push((path, source.line(at), format!("`{layer}` may not use `{used}`")));
        }
    }
    for word in FOREIGN.iter().filter(|(name, _)| *name == layer).flat_map(|(_, words)| *words) {
        for at in source.find(word) {
            if !is_test_file && !source.is_test(at) {
                found.push((path, source.line(at), format!("`{word}` does not belong into `{layer}`")));
            }
        }
    }
}

fn uses_of(layer: &str) -> &'static [&'static str] {
    LAYERS.iter().find(|(name, _)| *name == layer).map_or(&[], |(_, below)| below)
}

/// Every mention of a module at the top of the crate: `crate::name`, each in `crate::{name, …}`, and `super::…::name`
/// where that many steps lead to the top.
fn top_level_names<'a>(inside: &str, source: &'a Source) -> Vec<(usize, &'a str)> {
    let code = source.code.as_str();
    let steps = inside.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    let mut names = Vec::new();
    for (root, in_tests) in [
        ("crate::".to_owned(), None),
        ("super::".repeat(steps), Some(false)),
        ("super::".repeat(steps + 1), Some(true)),
    ] {
        for at in source.find(&root) {
            let exact = !code[..at].ends_with("super::") && in_tests.is_none_or(|tests| source.is_test(at) == tests);
            if exact {
                names.extend(names_of_group(code, at + root.len()));
            }
        }
    }
    names
}

/// The first word at `at`, or if a `{…}` stands there the first word of each of its parts.
fn names_of_group(code: &str, at: usize) -> Vec<(usize, &str)> {
    let word_at = |at: usize| {
        let rest = &code[at..];
        (at, &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())])
    };
    if !code[at..].starts_with('{') {
        return vec![word_at(at)];
    }
    let end = after_group(code, at);
    let mut names = Vec::new();
    let mut depth = 0;
    let mut expects_name = false;
    for (offset, c) in code[at..end].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 1 && expects_name && is_word(c) => names.push(word_at(at + offset)),
            _ => {}
        }
        expects_name = depth == 1 && (matches!(c, '{' | ',') || (expects_name && c.is_whitespace()));
    }
    names
}

/// The folder in which the modules declared in this file are looked for.
fn folder_of_children(path: &str) -> &str {
    let stem = path.trim_end_matches(".rs");
    ["/mod", "/lib", "/main"].iter().find_map(|name| stem.strip_suffix(name)).unwrap_or(stem)
}

/// The Rust files under these folders of `root`, by path; a folder that is not there has none.
fn read_tree(root: &Path, folders: &[&str]) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).filter(|path| path.is_dir()).collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path)?));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What is found in one file, as `line: what`.
fn found_in(path: &str, text: &str) -> Vec<String> {
    let found = check(&[(path.to_owned(), text.to_owned())]);
    found.iter().map(|line| line.strip_prefix(&format!("{path}:")).unwrap_or(line).to_owned()).collect()
}

#[test]
fn what_is_tidy_is_left_alone() {
    let text = "//! Subject.\nuse crate::{model::{Version, index::store}, store};\nuse std::{fs, cli};\n\
        fn a() {\n    #[expect(clippy::unwrap_used, reason = \"why\")]\n    let b = c()\n        .unwrap();\n\
        \x20   b.unwrap_or(\"d.unwrap() dbg!(e)\"); // f.unwrap()\n}\n\
        #[cfg(test)]\nmod tests {\n    use super::super::g;\n    fn h() { i.unwrap().expect(\"j\") }\n}\n";
    assert_eq!(found_in("src/service/k.rs", text), [""; 0]);
    assert_eq!(found_in("src/main.rs", "//! l\nuse crate::cli;\n"), [""; 0]);
    assert_eq!(found_in("tests/it/m.rs", "//! n\nfn o() { p.unwrap() }\n"), [""; 0]);
}

#[test]
fn untidy_files_are_reported_with_their_lines() {
    let word = "é".repeat(61);
    let long = format!("// {word} {word}é\n// {word} {word}\n// {word}{word}\n{}", "\n".repeat(LINES_MAX));
    assert_eq!(
        found_in("tests/it/a.rs", &long),
        [
            "1: does not begin with `//!`, what it owns and what it must not do",
            "1: has 127 characters; a line has at most 124",
            "2: has 126 characters; a line has at most 124",
            "803: has more than 800 lines, and so probably two subjects",
        ]
    );
    let text = "//! a\nfn b() {\n    dbg!(c.unwrap());\n    #[expect(clippy::expect_used)]\n    d.expect(\"e\");\n}\n\
        #[cfg(test)]\nmod tests {\n    #[ignore = \"f\"]\n    fn g() { todo!() }\n}\n#[allow(dead_code)]\nfn h() {}\n";
    assert_eq!(
        found_in("src/lib.rs", text),
        [
            "3: `.unwrap()` without a reason in an `#[expect(…)]`",
            "3: `dbg!` is left over",
            "5: `.expect(` without a reason in an `#[expect(…)]`",
            "9: `#[ignore` is left over",
            "10: `todo!` is left over",
            "12: `#[allow(dead_code` is left over",
        ]
    );
}

#[test]
fn an_arrow_the_wrong_way_is_reported() {
    let text = "//! a\nuse crate::{\n    index::b,\n    model::{http, c}, store,\n};\nuse super::super::cli::d;\n\
        fn e() { crate::http::f(); super::client() }\n#[cfg(test)]\n\
        mod tests {\n    use super::super::super::service;\n}\n";
    assert_eq!(
        found_in("src/store/g.rs", text),
        [
            "3: `store` may not use `index`",
            "6: `store` may not use `cli`",
            "7: `store` may not use `http`",
            "10: `store` may not use `service`",
        ]
    );
    assert_eq!(found_in("src/http/mod.rs", "//! a\nuse crate::store;\n"), ["2: `http` may not use `store`"]);
    assert_eq!(found_in("src/http/b.rs", "//! a\n#[cfg(test)]\nmod c {\n    use crate::store;\n}\n"), [""; 0]);
    assert_eq!(found_in("src/client.rs", "//! a\nuse super::cli;\n"), ["2: `client` may not use `cli`"]);
    assert_eq!(found_in("src/model/b.rs", "//! a\nuse std::fs;\n"), ["2: `std::fs` does not belong into `model`"]);
    assert_eq!(found_in("src/util/b.rs", "//! a\n"), ["1: `util` is no layer of the house"]);
}

#[test]
fn a_module_declared_for_tests_is_a_test_in_its_own_file() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let tests = "//! a\nfn b() { c.unwrap() }\n";
    let files = [
        file("src/store/mod.rs", "//! a\n#[cfg(test)]\nmod faults;\nmod faulty;\n"),
        file("src/store/faults.rs", tests),
        file("src/store/faults/disk.rs", tests),
        file("src/store/faulty.rs", tests),
    ];
    assert_eq!(check(&files), ["src/store/faulty.rs:2: `.unwrap()` without a reason in an `#[expect(…)]`"]);
}
