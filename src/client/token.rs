//! A token as the client holds it: shown to nobody but the registry.

use std::fmt;
use std::str::FromStr;

use http::HeaderValue;

/// A token that opens something at a registry. Neither `Debug` nor any message shows it.
#[derive(Clone)]
pub struct Token(HeaderValue);

/// Why a text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token is 1 to 4096 characters from ! to ~, without blanks; look for a line or quotes too many")]
pub struct InvalidToken;

const TOKEN_BYTES_MAX: usize = 4096;

impl FromStr for Token {
    type Err = InvalidToken;

    /// Blanks and line ends around the token are ignored, because a file usually ends with one.
    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let text = text.trim();
        if text.is_empty() || text.len() > TOKEN_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidToken);
        }
        let mut value = HeaderValue::from_str(&format!("Bearer {text}")).map_err(|_| InvalidToken)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl Token {
    /// The value of the `Authorization` field (RFC 6750 section 2.1).
    pub(crate) fn authorization(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_trimmed_and_never_shown() {
        let token: Token = "ph_api_secret\r\n".parse().unwrap();
        assert_eq!(token.authorization().to_str().unwrap(), "Bearer ph_api_secret");
        assert!(!format!("{token:?} {:?}", token.authorization()).contains("secret"));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", " \n", "two words", "a\nb", "é", &"x".repeat(4097)] {
            assert_eq!(text.parse::<Token>().unwrap_err(), InvalidToken, "{text:?}");
        }
    }
}
