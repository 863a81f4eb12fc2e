//! Changes members of a JSON object's text and leaves the bytes of all others as they are.
//!
//! Works on compact text whose members are in order of their names' bytes, as registries write it, and finds the
//! members by following strings and brackets alone. So it proves nothing about what a member holds: whoever patches a
//! text checks the result, by its checksum or member by member.

use std::collections::BTreeMap;
use std::iter::Peekable;

/// What is to become of members, by name: a new value, or nothing.
pub(crate) type Patches<'a> = BTreeMap<&'a str, Option<&'a [u8]>>;

/// Why a text cannot be patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its members are not the compact and sorted ones of a registry")]
pub(crate) struct NotCompact;

/// Members of an object without its braces, one after the other.
struct Members<'a> {
    text: &'a [u8],
    at: usize,
}

/// One member.
struct Member<'a> {
    name: &'a [u8],
    value: &'a [u8],
    /// Where `"name":value` begins and ends in the text.
    begin: usize,
    end: usize,
}

impl<'a> Members<'a> {
    /// Reads the next member and the comma behind it.
    fn read(&mut self) -> Option<Result<Member<'a>, NotCompact>> {
        (self.at < self.text.len()).then(|| self.read_member().ok_or(NotCompact))
    }

    fn read_member(&mut self) -> Option<Member<'a>> {
        let (text, begin) = (self.text, self.at);
        let name_begin = begin + usize::from(text[begin] == b'"');
        let name_end = end_of_string(text, name_begin)?;
        let value_begin = name_end + 2;
        if name_begin == begin || text.get(name_end + 1) != Some(&b':') {
            return None;
        }
        let end = end_of_value(text, value_begin)?;
        // A comma promises a member behind it.
        self.at = if end == text.len() { end } else { end + 1 };
        let is_dangling = end + 1 == text.len();
        let member = Member { name: &text[name_begin..name_end], value: &text[value_begin..end], begin, end };
        (!is_dangling && !member.value.is_empty()).then_some(member)
    }
}

/// Where the string ends whose first byte within is at `at`: the place of its closing quote.
fn end_of_string(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += text.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Where the value ends that begins at `at`: the place of the comma behind it, or the text's end.
fn end_of_value(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        let Some(skipped) =
            text.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b','))
        else {
            return (depth == 0).then_some(text.len());
        };
        at += skipped;
        match text[at] {
            b'"' => at = end_of_string(text, at + 1)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// Patches the members in `text`, which is an object's inside, and answers the pieces of the new inside in their
/// order. `accept` looks at every member that stays, and may find that the text is not one to be patched.
///
/// # Errors
/// [`NotCompact`].
pub(crate) fn patch<'a>(
    text: &'a [u8],
    patches: &Patches<'a>,
    accept: impl Fn(&'a [u8], &'a [u8]) -> bool,
) -> Result<Vec<&'a [u8]>, NotCompact> {
    let mut out = Pieces { text, pieces: Vec::new(), kept: None };
    let mut patches = patches.iter().map(|(name, value)| (*name, *value)).peekable();
    let mut members = Members { text, at: 0 };
    let mut last: Option<&[u8]> = None;
    while let Some(member) = members.read() {
        let member = member?;
        if last.is_some_and(|last| last >= member.name) {
            return Err(NotCompact);
        }
        last = Some(member.name);
        out.insert_before(Some(member.name), &mut patches);
        match patches.next_if(|(name, _)| name.as_bytes() == member.name) {
            Some((name, Some(value))) => out.insert(name, value),
            Some((_, None)) => {}
            None if accept(member.name, member.value) => out.keep(&member),
            None => return Err(NotCompact),
        }
    }
    out.insert_before(None, &mut patches);
    out.flush();
    Ok(out.pieces)
}

/// The new inside as it grows.
struct Pieces<'a> {
    text: &'a [u8],
    pieces: Vec<&'a [u8]>,
    /// Members that follow each other in the old text and stay.
    kept: Option<(usize, usize)>,
}

impl<'a> Pieces<'a> {
    fn keep(&mut self, member: &Member<'a>) {
        match &mut self.kept {
            Some((_, end)) if *end + 1 == member.begin => *end = member.end,
            _ => {
                self.flush();
                self.kept = Some((member.begin, member.end));
            }
        }
    }

    fn flush(&mut self) {
        if let Some((begin, end)) = self.kept.take() {
            self.comma();
            self.pieces.push(&self.text[begin..end]);
        }
    }

    fn comma(&mut self) {
        if !self.pieces.is_empty() {
            self.pieces.push(b",");
        }
    }

    fn insert(&mut self, name: &'a str, value: &'a [u8]) {
        self.flush();
        self.comma();
        self.pieces.extend([b"\"", name.as_bytes(), b"\":", value]);
    }

    /// Inserts what is new and comes before `name`.
    fn insert_before(
        &mut self,
        name: Option<&[u8]>,
        patches: &mut Peekable<impl Iterator<Item = (&'a str, Option<&'a [u8]>)>>,
    ) {
        while let Some((name, value)) = patches.next_if(|(new, _)| name.is_none_or(|name| new.as_bytes() < name)) {
            if let Some(value) = value {
                self.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn patched(text: &str, patches: &[(&str, Option<&str>)]) -> Option<String> {
        let patches = patches.iter().map(|(name, value)| (*name, value.map(str::as_bytes))).collect();
        let pieces = patch(text.as_bytes(), &patches, |_, _| true).ok()?;
        Some(String::from_utf8(pieces.concat()).unwrap())
    }

    #[test]
    fn members_come_go_and_change_and_others_keep_their_bytes() {
        let text = r#""b":{"x": [1,2,"}\","]},"d":1.50,"f":"\\""#;
        assert_eq!(patched(text, &[]).unwrap(), text);
        assert_eq!(patched(text, &[("d", None)]).unwrap(), r#""b":{"x": [1,2,"}\","]},"f":"\\""#);
        assert_eq!(
            patched(text, &[("a", Some("0")), ("c", Some("[]")), ("d", Some("{}")), ("g", Some("null"))]).unwrap(),
            r#""a":0,"b":{"x": [1,2,"}\","]},"c":[],"d":{},"f":"\\","g":null"#
        );
        assert_eq!(patched(text, &[("b", None), ("d", None), ("e", None), ("f", None)]).unwrap(), "");
        assert_eq!(patched("", &[("a", Some("1")), ("b", None)]).unwrap(), r#""a":1"#);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            r#""b":1,"a":2"#,
            r#""a":1,"a":2"#,
            r#" "a":1"#,
            r#""a" :1"#,
            r#""a":1,"#,
            r#""a":"#,
            r#""a":,"b":1"#,
            r#""a":1}"#,
            r#""a":[1"#,
            r#""a":"1"#,
            r#""a"#,
            r#""a":1, "b":2"#,
            ",",
            "a",
        ] {
            assert_eq!(patched(text, &[("x", Some("1"))]), None, "{text}");
        }
        assert!(patch(br#""a":1"#, &Patches::new(), |name, value| (name, value) != (b"a", b"1")).is_err());
    }

    fn text_of(members: &BTreeMap<String, String>) -> String {
        let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        members.join(",")
    }

    proptest! {
        #[test]
        fn a_patched_text_is_the_text_of_the_patched_object(
            old in prop::collection::btree_map("[a-d]{1,2}", "[0-9]|\\{\"[a-d,]\":\\[\\]\\}|\"[,{}]\"", 0..8),
            changes in prop::collection::btree_map("[a-d]{1,2}", prop::option::of("[0-9]"), 0..8),
        ) {
            let mut new = old.clone();
            for (name, value) in &changes {
                match value {
                    Some(value) => new.insert(name.clone(), value.clone()),
                    None => new.remove(name),
                };
            }
            let changes: Vec<_> = changes.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
            prop_assert_eq!(patched(&text_of(&old), &changes), Some(text_of(&new)));
        }

        #[test]
        fn noise_never_panics(noise in "[\"\\\\,:{}\\[\\]a]{0,30}") {
            let _ = patched(&noise, &[("a", Some("1")), ("b", None)]);
        }
    }
}
