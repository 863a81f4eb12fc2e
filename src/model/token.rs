//! Tokens: their kinds, their text, and what an API token may do.

use std::fmt;
use std::str::FromStr;

use super::digest::Sha256;

/// What a token is for. Its prefix makes it recognizable, by people and by scanners that look for leaked secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A user's token for programs, with scopes.
    Api,
    /// A package's token that lets CI publish to it.
    Private,
    /// A package's token that lets clients read it while it is private.
    Access,
}

impl TokenKind {
    /// What every token of this kind begins with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Api => "ph_api_",
            Self::Private => "ph_prv_",
            Self::Access => "ph_acc_",
        }
    }
}

/// A whole token: its kind's prefix and 64 hexadecimal digits (256 random bits). Never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSecret {
    kind: TokenKind,
    text: Box<str>,
}

/// Why a text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token is ph_api_, ph_prv_ or ph_acc_ and 64 hexadecimal digits")]
pub struct InvalidToken;

impl TokenSecret {
    /// Makes a token from 256 random bits.
    #[must_use]
    pub fn from_random(kind: TokenKind, bits: [u8; 32]) -> Self {
        Self { kind, text: format!("{}{}", kind.prefix(), Sha256::from_bytes(bits)).into() }
    }

    /// What the token is for.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The token's text. Show it to its owner only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What is stored of it, and by which it is found. Looking a digest up takes no time that depends on how much of
    /// a guessed token is right.
    #[must_use]
    pub fn digest(&self) -> Sha256 {
        Sha256::of(self.text.as_bytes())
    }
}

impl FromStr for TokenSecret {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let kinds = [TokenKind::Api, TokenKind::Private, TokenKind::Access];
        let kind = kinds.into_iter().find(|kind| text.starts_with(kind.prefix())).ok_or(InvalidToken)?;
        let digits = &text[kind.prefix().len()..];
        if digits.len() != 64 || !digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(InvalidToken);
        }
        Ok(Self { kind, text: text.into() })
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSecret({}…)", self.kind.prefix())
    }
}

/// What an API token may do. Each scope contains those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read what its user may read.
    Read,
    /// Make packages, releases and files as well.
    Publish,
    /// Everything its user may do.
    Admin,
}

/// Why a text is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is read, publish or admin")]
pub struct InvalidScope;

impl Scope {
    /// The scope's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Publish => "publish",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        [Self::Read, Self::Publish, Self::Admin].into_iter().find(|s| s.as_str() == text).ok_or(InvalidScope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_and_hides_in_logs() {
        for kind in [TokenKind::Api, TokenKind::Private, TokenKind::Access] {
            let token = TokenSecret::from_random(kind, [7; 32]);
            assert_eq!(token.reveal().parse(), Ok(token.clone()));
            assert!(!format!("{token:?}").contains("0707"));
        }
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let long = format!("ph_api_{}", "a".repeat(65));
        let upper = format!("ph_api_{}", "A".repeat(64));
        for text in ["", "ph_api_", "ph_xyz_", long.as_str(), upper.as_str(), &"é".repeat(40)] {
            assert_eq!(text.parse::<TokenSecret>(), Err(InvalidToken), "{text}");
        }
    }

    #[test]
    fn scopes_contain_those_before() {
        assert!(Scope::Admin > Scope::Publish && Scope::Publish > Scope::Read);
        assert_eq!("publish".parse(), Ok(Scope::Publish));
        assert_eq!("Publish".parse::<Scope>(), Err(InvalidScope));
    }
}
