//! `Content-Disposition: attachment` (RFC 6266) with a file name of any characters (RFC 8187).

use std::fmt::Write as _;

use http::HeaderValue;

/// The header value that makes a browser save the response as `filename` rather than show it.
///
/// Safe for any string: what a header cannot carry, or what separates folders, is written as `_` in the plain form and
/// percent-encoded in the exact one.
#[must_use]
pub fn attachment(filename: &str) -> HeaderValue {
    let plain: String = filename.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != filename {
        value.push_str("; filename*=UTF-8''");
        for byte in filename.bytes() {
            if is_attr_char(byte) {
                value.push(byte as char);
            } else {
                // Writing to a string does not fail.
                let _ = write!(value, "%{byte:02X}");
            }
        }
    }
    // Only visible ASCII was written, which every header can carry.
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// What every client reads alike in a quoted string. A `%` or a backslash is decoded by some.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '%' | '/')
}

/// `attr-char` of RFC 8187 section 3.2.1.
fn is_attr_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names() {
        for (filename, value) in [
            ("tool-1.0.zip", r#"attachment; filename="tool-1.0.zip""#),
            ("a b;c.zip", r#"attachment; filename="a b;c.zip""#),
            ("naïve.zip", r#"attachment; filename="na_ve.zip"; filename*=UTF-8''na%C3%AFve.zip"#),
            ("a\"b\\c\r\n", r#"attachment; filename="a_b_c__"; filename*=UTF-8''a%22b%5Cc%0D%0A"#),
            ("50%.txt", r#"attachment; filename="50_.txt"; filename*=UTF-8''50%25.txt"#),
            ("../etc", r#"attachment; filename=".._etc"; filename*=UTF-8''..%2Fetc"#),
            ("", r#"attachment; filename="""#),
        ] {
            assert_eq!(attachment(filename), value);
        }
    }

    proptest! {
        #[test]
        fn the_exact_name_comes_back(filename: String) {
            let value = attachment(&filename);
            let value = value.to_str().unwrap();
            let (plain, exact) = match value.split_once("\"; filename*=UTF-8''") {
                Some((plain, exact)) => (plain, percent_decode_str(exact).decode_utf8().unwrap().into_owned()),
                None => (value.strip_suffix('"').unwrap(), filename.clone()),
            };
            let plain = plain.strip_prefix("attachment; filename=\"").unwrap();
            prop_assert!(!plain.contains('"'));
            prop_assert_eq!(plain.chars().count(), filename.chars().count());
            prop_assert_eq!(exact, filename);
        }
    }
}
