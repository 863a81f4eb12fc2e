//! Text in HTML.

/// The text with everything escaped that HTML gives a meaning, in content and in quoted attributes.
#[must_use]
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_html_gives_a_meaning_is_escaped() {
        assert_eq!(escaped(r#"<a href="x">'&'é"#), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;é");
    }
}
