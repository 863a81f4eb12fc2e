//! Reads one Rust source as text: what is code in it, and which of its lines are tests or carry a reason.
//!
//! This is a scanner and no parser. It relies on what `rustfmt` leaves behind and knows no rule of the house.

use std::ops::Range;

/// A source file with its comments and the contents of its literals blanked out, so that a search finds only code.
pub(super) struct Source {
    /// The code, byte for byte where the text had it.
    pub(super) code: String,
    tests: Vec<Range<usize>>,
    excused: Vec<Range<usize>>,
}

impl Source {
    /// Scans a file's text.
    pub(super) fn new(text: &str) -> Self {
        let code = blank(text);
        let mut tests = Vec::new();
        let mut excused = Vec::new();
        for (at, _) in code.match_indices("#[").chain(code.match_indices("#![")) {
            let end = after_group(&code, at);
            let attribute = &code[at..end];
            let region = at..if attribute.starts_with("#!") { code.len() } else { after_item(&code, end) };
            if attribute.contains("cfg(test)") || attribute.contains("cfg(all(test") {
                tests.push(region);
            } else if attribute.contains("expect(") && attribute.contains("reason") {
                excused.push(region);
            }
        }
        Self { code, tests, excused }
    }

    /// Whether this place is compiled for tests only.
    pub(super) fn is_test(&self, at: usize) -> bool {
        self.tests.iter().any(|region| region.contains(&at))
    }

    /// Whether this place stands under an `#[expect(…, reason = "…")]`.
    pub(super) fn is_excused(&self, at: usize) -> bool {
        self.excused.iter().any(|region| region.contains(&at))
    }

    /// Modules that are files of their own and declared for tests only.
    pub(super) fn test_modules(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().filter_map(|region| {
            let item = self.code[region.clone()].strip_suffix(';')?;
            item.rsplit_once("mod ").map(|(_, name)| name.trim())
        })
    }

    /// The line of a place, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    /// Every place where `word` stands as code, not as the end of a longer word.
    pub(super) fn find<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let inside_word = |at: &usize| word.starts_with(is_word) && self.code[..*at].ends_with(is_word);
        self.code.match_indices(word).map(|(at, _)| at).filter(move |at| !inside_word(at))
    }
}

/// Whether a character may stand in an identifier.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The place behind the brackets that open at or behind `at`.
pub(super) fn after_group(code: &str, at: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, c) in code[at..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth <= 1 => return at + offset + 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// The place behind the item or statement that begins at `at`, attributes before it included.
fn after_item(code: &str, mut at: usize) -> usize {
    while let Some(offset) = code[at..].find(['(', '[', '{', ';', '=']) {
        at += offset;
        match code.as_bytes()[at] {
            b';' => return at + 1,
            b'{' => return after_group(code, at),
            // A value: braces in it end nothing.
            b'=' if !code[at..].starts_with("=>") => return after_statement(code, at),
            b'=' => at += 2,
            _ => at = after_group(code, at),
        }
    }
    code.len()
}

fn after_statement(code: &str, mut at: usize) -> usize {
    while let Some(offset) = code[at..].find(['(', '[', '{', ';', '}']) {
        at += offset;
        match code.as_bytes()[at] {
            b';' => return at + 1,
            b'}' => return at,
            _ => at = after_group(code, at),
        }
    }
    code.len()
}

/// The text with every byte of a comment or inside a literal made a space. Line ends stay.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let Some((kept, length)) = opaque(rest, code.ends_with(is_word)) else {
            let c = rest.chars().next().unwrap_or(' ');
            code.push(c);
            at += c.len_utf8();
            continue;
        };
        code.push_str(&rest[..kept]);
        code.extend(rest.as_bytes()[kept..length].iter().map(|b| if *b == b'\n' { '\n' } else { ' ' }));
        at += length;
    }
    code
}

/// If a comment or literal begins here: how many of its bytes stay, as its opening, and its whole length in bytes.
fn opaque(rest: &str, in_word: bool) -> Option<(usize, usize)> {
    let until = |from: usize, end: &str| rest[from..].find(end).map_or(rest.len(), |found| from + found + end.len());
    if rest.starts_with("//") {
        return Some((0, rest.find('\n').unwrap_or(rest.len())));
    }
    if rest.starts_with("/*") {
        return Some((0, after_block_comment(rest)));
    }
    if let Some(inner) = rest.strip_prefix('"') {
        return Some((1, 1 + after_escaped(inner, '"')));
    }
    if let Some(inner) = rest.strip_prefix('\'') {
        // A lifetime has no closing quote behind its first character.
        let mut chars = inner.chars();
        let is_char = chars.next() == Some('\\') || chars.next() == Some('\'');
        return is_char.then(|| (1, 1 + after_escaped(inner, '\'')));
    }
    if in_word {
        return None;
    }
    let raw = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let opening = rest.len() - raw.len() + hashes + 1;
    raw[hashes..].starts_with('"').then(|| (opening, until(opening, &format!("\"{}", "#".repeat(hashes)))))
}

fn after_escaped(inner: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    inner.len()
}

fn after_block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let step = match rest.as_bytes()[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

#[test]
fn comments_and_literals_are_no_code() {
    let source = Source::new(concat!(
        "a(); // b()\n/* c /* d */ e */ f::<'g>('\\'', '\"', 'h', b'i');\n",
        "let j = \"k \\\" l\n\"; let m = r#\"n\" o\"#; let bar = br\"p\\\"; q!(ä, 'ö', \"ü\");",
    ));
    let words: String = source.code.chars().filter(|c| is_word(*c)).collect();
    assert_eq!(words, "afgbletjletmrletbarbrqä");
    assert_eq!(source.line(source.code.find("let m").unwrap_or(0)), 4);
}

#[test]
fn regions_end_with_their_items() {
    let source = Source::new(concat!(
        "fn a() {}\n#[cfg(test)]\n#[path = \"x\"]\nmod b;\nfn c() {\n",
        "    #[expect(clippy::unwrap_used, reason = \"r\")]\n    let d = [1; 2].map(|x| { x; x })\n        .e();\n",
        "    f();\n}\n#[expect(g)]\nfn h() { i() }\n#[cfg(test)]\nmod j { fn k() { l() } }\nfn m() {}\n",
    ));
    let at = |word: &str| source.find(word).next().unwrap_or(usize::MAX);
    assert_eq!(source.test_modules().collect::<Vec<_>>(), ["b"]);
    assert_eq!(["mod b", "k()", "l()", "c()", "m()"].map(|w| source.is_test(at(w))), [true, true, true, false, false]);
    assert_eq!(["e()", "f()", "i()"].map(|word| source.is_excused(at(word))), [true, false, false]);
}
