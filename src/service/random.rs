//! Random bits for tokens, sessions and salts.

use ring::rand::{SecureRandom, SystemRandom};

use super::refusal::Refusal;
use crate::model::{TokenKind, TokenSecret};

/// That many unpredictable bytes.
pub(super) fn random_bytes<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Refusal::Unavailable("the system has no random numbers".to_owned()))?;
    Ok(bytes)
}

/// A number that nobody had before, as far as chance allows: 53 bits, which a double holds exactly. For entities whose
/// number is shown: numbers in a row would tell whoever makes two of them how much was made between.
pub(super) fn random_id() -> Result<u64, Refusal> {
    Ok(u64::from_le_bytes(random_bytes()?) >> 11)
}

/// A new token.
pub(super) fn new_token(kind: TokenKind) -> Result<TokenSecret, Refusal> {
    Ok(TokenSecret::from_random(kind, random_bytes()?))
}

/// A secret of 256 bits as 64 hexadecimal digits.
pub(super) fn new_secret() -> Result<String, Refusal> {
    Ok(crate::model::Sha256::from_bytes(random_bytes()?).to_string())
}
