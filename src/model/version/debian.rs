//! The sort keys of versions that are read as Debian reads them (deb-version(7), "Sorting algorithm").
//!
//! The upstream version comes first, then the revision, which stands behind the last `-`; none is the same as `0`. Each is
//! read in turns: a run of other characters, then a run of digits. Digits compare as a number; of the others, `~` sorts
//! before the end of the run, letters after it, everything else after letters.

use super::SortKey;

/// The end of a run of characters that are no digits, and of a part. `~` is the only thing that sorts before it.
const END: u8 = 2;
const TILDE: u8 = 1;
/// Added to characters that are no letters, so that they sort after letters. The characters of a version are ASCII.
const AFTER_LETTERS: u8 = 128;

/// A version without its revision, and the revision, where there is one.
pub(super) fn split(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('-') {
        Some((upstream, revision)) => (upstream, Some(revision).filter(|revision| !revision.is_empty())),
        None => (text, None),
    }
}

/// The key of a version. The release that a version is or leads to is its upstream version up to the first `~`.
pub(super) fn sort_key(text: &str) -> SortKey {
    let (upstream, revision) = split(text);
    let mut bytes = Vec::with_capacity(text.len() * 3);
    let release_len = push_part(&mut bytes, upstream);
    push_part(&mut bytes, revision.unwrap_or("0"));
    let precedence_len = bytes.len();
    bytes.extend_from_slice(text.as_bytes());
    SortKey { bytes, release_len, precedence_len }
}

/// Adds the runs of a part. Returns how long the key is up to the part's first `~`, or to its end.
fn push_part(key: &mut Vec<u8>, mut part: &str) -> usize {
    let mut tilde = None;
    while !part.is_empty() {
        let run = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
        for byte in part[..run].bytes() {
            if byte == b'~' {
                tilde = tilde.or(Some(key.len()));
            }
            key.push(match byte {
                b'~' => TILDE,
                letter if letter.is_ascii_alphabetic() => letter,
                other => other + AFTER_LETTERS,
            });
        }
        key.push(END);
        part = &part[run..];
        let run = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let digits = part[..run].trim_start_matches('0');
        // A version has at most 64 characters.
        key.push(digits.len() as u8);
        key.extend_from_slice(digits.as_bytes());
        part = &part[run..];
    }
    let len = key.len();
    key.push(END);
    tilde.unwrap_or(len)
}
