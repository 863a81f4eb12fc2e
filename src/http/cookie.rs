//! Cookies (RFC 6265): reading one by its name, and setting the session's.

use http::HeaderValue;
use http::header::{COOKIE, HeaderMap};

/// The value of the first cookie called `name`, as it was sent. Quotes around a value belong to it.
#[must_use]
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(found, value)| (found.trim() == name).then(|| value.trim()))
}

/// A cookie that only this site's own pages send along and that no script can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetCookie<'a> {
    /// A token (RFC 9110 section 5.6.2).
    pub name: &'a str,
    /// Cookie octets: no spaces, quotes, commas, semicolons, backslashes.
    pub value: &'a str,
    /// How long the browser keeps it; 0 deletes it.
    pub max_age_seconds: u64,
    /// Whether it may travel over HTTPS only: set exactly where the site is served over HTTPS.
    pub secure: bool,
}

/// The name or the value has a character that a cookie cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cookie's name is a token, and its value has no spaces, quotes, commas, semicolons or backslashes")]
pub struct InvalidCookie;

impl SetCookie<'_> {
    /// The value of `Set-Cookie`.
    ///
    /// # Errors
    /// If name or value could be mistaken for something else.
    pub fn header_value(&self) -> Result<HeaderValue, InvalidCookie> {
        let name_fits = !self.name.is_empty() && self.name.bytes().all(is_token_character);
        let value_fits = self.value.bytes().all(is_cookie_octet);
        if !name_fits || !value_fits {
            return Err(InvalidCookie);
        }
        let secure = if self.secure { "; Secure" } else { "" };
        let Self { name, value, max_age_seconds, .. } = self;
        HeaderValue::try_from(format!(
            "{name}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Lax{secure}"
        ))
        .map_err(|_| InvalidCookie)
    }
}

fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `cookie-octet` of RFC 6265 section 4.1.1.
fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_str(line).unwrap())).collect()
    }

    #[test]
    fn reading() {
        let headers = headers(&["a=1; session=x=y;b", "session=second; c = 3 "]);
        assert_eq!(read(&headers, "a"), Some("1"));
        assert_eq!(read(&headers, "session"), Some("x=y"));
        assert_eq!(read(&headers, "c"), Some("3"));
        assert_eq!(read(&headers, "b"), None);
        assert_eq!(read(&headers, "sess"), None);
        assert_eq!(read(&HeaderMap::new(), "a"), None);
    }

    #[test]
    fn setting() {
        let cookie = SetCookie { name: "s", value: "abc", max_age_seconds: 60, secure: false };
        assert_eq!(cookie.header_value().unwrap(), "s=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        let secure = SetCookie { secure: true, ..cookie };
        assert_eq!(secure.header_value().unwrap(), "s=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        for value in ["a;b", "a b", "a,b", "\"a\"", "a\\b", "a\r\nb", "é"] {
            assert_eq!(SetCookie { value, ..cookie }.header_value(), Err(InvalidCookie), "{value}");
        }
        for name in ["", "a=b", "a b", "a;b"] {
            assert_eq!(SetCookie { name, ..cookie }.header_value(), Err(InvalidCookie), "{name}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(line in "[ -~]{0,40}", name in "[ -~]{0,4}") {
            let _ = read(&headers(&[&line]), &name);
        }

        #[test]
        fn what_is_set_can_be_read(value in "[!#-+\\--:<-\\[\\]-~]{0,20}") {
            let set = SetCookie { name: "s", value: &value, max_age_seconds: 1, secure: true }.header_value().unwrap();
            let sent_back = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            let sent_back = headers(&["t=1", &sent_back]);
            prop_assert_eq!(read(&sent_back, "s"), Some(value.as_str()));
        }
    }
}
