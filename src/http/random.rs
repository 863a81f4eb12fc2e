//! Short random identifiers for log lines and multipart boundaries. Not for secrets that are stored or compared.

use ring::rand::{SecureRandom, SystemRandom};

/// `N` random bytes as `2 * N` lower-case hexadecimal digits.
///
/// If the system has no randomness to give, the digits are zeros: such an identifier only serves to find a log line or
/// to separate parts, and failing a request for it would help nobody.
pub(super) fn hex_id<const N: usize>() -> String {
    let mut bytes = [0; N];
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_length_and_differ() {
        let (first, second) = (hex_id::<8>(), hex_id::<8>());
        assert_eq!(first.len(), 16);
        assert_ne!(first, second);
    }
}
