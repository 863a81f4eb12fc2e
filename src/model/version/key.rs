//! The sort keys of versions that are read as SemVer or as dates.
//!
//! Where two versions are both SemVer, the order is SemVer 2.0.0's precedence (section 11); everything else falls in
//! place by the same reading:
//!
//! 1. A `v` before a digit does not count. Behind the first `+` stands build metadata.
//! 2. Before the first `-` or `~`, or before a word such as `rc` or `beta`, stands the release: numbers and words,
//!    divided by `.`, `_` and the change between letters and digits. Zeros at its end do not count (`1.0` is `1.0.0`).
//!    Numbers compare as numbers, a word comes before any number, the end before both.
//! 3. In a date (`2024-10-04`), and with [`VersionScheme::Calver`] before any number, a `-` divides as a `.` does.
//! 4. A letter of PEP 440 before a number begins a prerelease where it stands behind numbers alone and no other letters
//!    follow: `3.14.0b2`, `59.0.a1`. A letter without a number is part of the release, as in `1.1.1a`, and so are the
//!    letters of a hash, as in `1.0.a1b2c3`.
//! 5. What follows is a prerelease, which comes before none; its identifiers compare as SemVer's do. Where it is run on,
//!    a word such as `dev` or `pre` behind others makes a version that comes before the one without it: `1.0b2.dev1` is
//!    a development build of `1.0b2`.
//! 6. Versions that are equal so far are ordered by build metadata, then by their text: no two versions are equal.

use super::{SortKey, VersionScheme};

/// Words that, behind a release's numbers, announce the release rather than extend it.
const PRERELEASE_WORDS: &[&str] = &["alpha", "beta", "canary", "dev", "nightly", "pre", "preview", "rc", "snapshot"];

/// Letters that do the same where a number follows them directly (PEP 440, "Pre-releases"; Mozilla's `59.0b5`).
const PRERELEASE_LETTERS: &[&str] = &["a", "b", "c"];

/// Words that may follow the number of such a letter, beside those of prereleases (PEP 440, "Post-releases").
const POST_RELEASE_WORDS: &[&str] = &["post", "rev", "r"];

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// A word of a prerelease that is run on, in the spelling by which it sorts: PEP 440 has several for each. `pre` and `rc`
/// stay apart, so that an update leads from the one to the other.
fn normal_word(word: &str) -> &str {
    let same: [(&str, &[&str]); 4] = [("alpha", &["a"]), ("beta", &["b"]), ("pre", &["preview"]), ("rc", &["c"])];
    let known = same.iter().find(|(_, spellings)| is_one_of(word, spellings)).map(|(normal, _)| *normal);
    let known = known.or_else(|| PRERELEASE_WORDS.iter().copied().find(|known| word.eq_ignore_ascii_case(known)));
    known.unwrap_or(word)
}

/// Whether a word of a prerelease that is run on makes a version which comes before the one without the word. The first
/// word is the stage of the prerelease, of which `dev` comes before all others.
fn comes_before_the_end(word: &str, is_first: bool) -> bool {
    if is_first { word.eq_ignore_ascii_case("dev") } else { is_one_of(word, PRERELEASE_WORDS) }
}

/// A version's text taken apart; all parts are slices of it.
struct Parts<'a> {
    release: &'a str,
    prerelease: Prerelease<'a>,
    build: Option<&'a str>,
}

#[derive(Clone, Copy)]
enum Prerelease<'a> {
    None,
    /// Behind `-`: its identifiers are divided by dots alone, as SemVer has it.
    Dotted(&'a str),
    /// Behind `~` or run on (`1.0rc2`): letters and digits divide as well.
    Natural(&'a str),
}

impl Prerelease<'_> {
    fn is_none(self) -> bool {
        matches!(self, Self::None)
    }
}

impl<'a> Parts<'a> {
    fn of(text: &'a str, scheme: VersionScheme) -> Self {
        let (head, build) = match text.split_once('+') {
            Some((head, build)) => (head, Some(build)),
            None => (text, None),
        };
        let head = match head.strip_prefix(['v', 'V']) {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
            _ => head,
        };
        let marked = mark(head, scheme);
        if let Some(at) = announced(&head[..marked]) {
            return Self { release: &head[..at], prerelease: Prerelease::Natural(&head[at..]), build };
        }
        let prerelease = match head.as_bytes().get(marked) {
            Some(b'-') if scheme == VersionScheme::Semver && date_len(head) == 0 => {
                Prerelease::Dotted(&head[marked + 1..])
            }
            Some(_) => Prerelease::Natural(&head[marked + 1..]),
            None => Prerelease::None,
        };
        Self { release: &head[..marked], prerelease, build }
    }
}

/// Where the `-` or `~` stands behind which a prerelease begins, or the end.
fn mark(head: &str, scheme: VersionScheme) -> usize {
    let date = date_len(head);
    let is_mark = |at: usize, byte: u8| match byte {
        b'~' => true,
        b'-' => {
            let before_digit = head.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
            at >= date && !(before_digit && (date > 0 || scheme == VersionScheme::Calver))
        }
        _ => false,
    };
    head.bytes().enumerate().find(|(at, byte)| is_mark(*at, *byte)).map_or(head.len(), |(at, _)| at)
}

/// How long the date is with which a version begins: a year of four digits, a month and perhaps a day of one or two,
/// divided by `-`. 0 where there is none.
fn date_len(head: &str) -> usize {
    let bytes = head.as_bytes();
    let number = |from: usize, digits: std::ops::RangeInclusive<usize>, values: std::ops::RangeInclusive<u32>| {
        let len = bytes.get(from..)?.iter().take_while(|b| b.is_ascii_digit()).count();
        (digits.contains(&len) && values.contains(&head[from..from + len].parse().ok()?)).then_some(from + len)
    };
    let divided = |at: usize| (bytes.get(at) == Some(&b'-')).then_some(at + 1);
    let month = || number(divided(number(0, 4..=4, 1900..=2999)?)?, 1..=2, 1..=12);
    let Some(month) = month() else { return 0 };
    divided(month).and_then(|day| number(day, 1..=2, 1..=31)).unwrap_or(month)
}

/// Where a prerelease word begins behind at least one number, if one does.
fn announced(release: &str) -> Option<usize> {
    let tokens: Vec<(usize, Token<'_>)> = tokens(release).collect();
    let first_number = tokens.iter().position(|(_, token)| matches!(token, Token::Number(_)))?;
    let begins = |place: usize| match tokens[place].1 {
        Token::Number(_) => false,
        Token::Word(word) => is_one_of(word, PRERELEASE_WORDS) || is_prerelease_letter(&tokens, place),
    };
    (first_number + 1..tokens.len()).find(|place| begins(*place)).map(|place| tokens[place].0)
}

/// Whether the word at `place` is a letter that begins a prerelease. PEP 440 lets one `.` or `_` stand before the letter.
/// Other letters before it, or behind its number, are those of a hash or of the numbering of builds.
fn is_prerelease_letter(tokens: &[(usize, Token<'_>)], place: usize) -> bool {
    let (before, rest) = tokens.split_at(place);
    let [(at, Token::Word(letter)), (number_at, Token::Number(_)), rest @ ..] = rest else { return false };
    let Some((last_at, Token::Number(last))) = before.last() else { return false };
    let is_run_on = *number_at == at + letter.len() && at - (last_at + last.len()) <= 1;
    let follows = match rest.first() {
        Some((_, Token::Word(word))) => is_one_of(word, PRERELEASE_WORDS) || is_one_of(word, POST_RELEASE_WORDS),
        Some((_, Token::Number(_))) | None => true,
    };
    let is_behind_numbers = before.iter().all(|(_, token)| matches!(token, Token::Number(_)));
    is_one_of(letter, PRERELEASE_LETTERS) && is_run_on && follows && is_behind_numbers
}

#[derive(Clone, Copy, PartialEq)]
enum Token<'a> {
    Number(&'a str),
    Word(&'a str),
}

/// Runs of digits and runs of letters with their positions; everything else only divides.
fn tokens(text: &str) -> impl Iterator<Item = (usize, Token<'_>)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while bytes.get(at).is_some_and(|b| !b.is_ascii_alphanumeric()) {
            at += 1;
        }
        let start = at;
        let digits = bytes.get(start)?.is_ascii_digit();
        while bytes.get(at).is_some_and(|b| if digits { b.is_ascii_digit() } else { b.is_ascii_alphabetic() }) {
            at += 1;
        }
        let run = &text[start..at];
        Some((start, if digits { Token::Number(run) } else { Token::Word(run) }))
    })
}

// The marks of a key. Within a list the end comes first, so that fewer come before more.
const END: u8 = 1;
const WORD: u8 = 2;
const NUMBER: u8 = 3;
// In a prerelease SemVer puts numbers before words (section 11.4.3).
const IDENTIFIER_NUMBER: u8 = 2;
const IDENTIFIER_WORD: u8 = 3;
// Less than the end: a development build of a prerelease comes before the prerelease.
const DEVELOPMENT: u8 = 0;
// A prerelease comes before none (section 11.3); build metadata comes behind none.
const PRERELEASE: u8 = 1;
const NO_PRERELEASE: u8 = 2;
const NO_BUILD: u8 = 1;
const BUILD: u8 = 2;

/// The key of a version.
pub(super) fn sort_key(text: &str, scheme: VersionScheme) -> SortKey {
    let parts = Parts::of(text, scheme);
    let mut key = Vec::with_capacity(text.len() * 3);

    let mut release: Vec<Token<'_>> = tokens(parts.release).map(|(_, token)| token).collect();
    while matches!(release.last(), Some(Token::Number(digits)) if digits.bytes().all(|b| b == b'0')) {
        release.pop();
    }
    for token in release {
        push_token(&mut key, token, NUMBER, WORD);
    }
    key.push(END);
    let release_len = key.len();

    match parts.prerelease {
        Prerelease::None => key.push(NO_PRERELEASE),
        Prerelease::Dotted(identifiers) => {
            key.push(PRERELEASE);
            for identifier in identifiers.split('.') {
                let numeric = !identifier.is_empty() && identifier.bytes().all(|b| b.is_ascii_digit());
                let token = if numeric { Token::Number(identifier) } else { Token::Word(identifier) };
                push_token(&mut key, token, IDENTIFIER_NUMBER, IDENTIFIER_WORD);
            }
            key.push(END);
        }
        Prerelease::Natural(text) => {
            key.push(PRERELEASE);
            for (place, (_, token)) in tokens(text).enumerate() {
                match token {
                    Token::Word(word) => {
                        let mark = if comes_before_the_end(word, place == 0) { DEVELOPMENT } else { IDENTIFIER_WORD };
                        push_token(&mut key, Token::Word(normal_word(word)), IDENTIFIER_NUMBER, mark);
                    }
                    number => push_token(&mut key, number, IDENTIFIER_NUMBER, IDENTIFIER_WORD),
                }
            }
            key.push(END);
        }
    }
    let precedence_len = key.len();

    match parts.build {
        None => key.push(NO_BUILD),
        Some(build) => {
            key.push(BUILD);
            for (_, token) in tokens(build) {
                push_token(&mut key, token, NUMBER, WORD);
            }
            key.push(END);
        }
    }
    key.extend_from_slice(text.as_bytes());
    SortKey { bytes: key, release_len, precedence_len }
}

/// Numbers as their count of digits and the digits, words ended by a byte below all letters.
fn push_token(key: &mut Vec<u8>, token: Token<'_>, number: u8, word: u8) {
    match token {
        Token::Number(digits) => {
            let digits = digits.trim_start_matches('0');
            // A version has at most 64 characters.
            key.extend([number, digits.len() as u8]);
            key.extend_from_slice(digits.as_bytes());
        }
        Token::Word(text) => {
            key.push(word);
            key.extend_from_slice(text.as_bytes());
            key.push(0);
        }
    }
}

/// Whether a version comes before the release it leads to.
pub(super) fn is_prerelease(text: &str, scheme: VersionScheme) -> bool {
    !Parts::of(text, scheme).prerelease.is_none()
}
