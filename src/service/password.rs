//! Hashing and checking passwords, off the threads that serve requests.

use std::num::NonZeroU32;
use std::sync::Arc;

use ring::pbkdf2;
use tokio::sync::Semaphore;

use super::random::random_bytes;
use super::refusal::Refusal;
use crate::model::{Password, PasswordHash};

/// PBKDF2-HMAC-SHA-256 iterations of a new hash.
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();
/// Hashes that are computed at once: a flood of sign-ins must not take every core from downloads.
const HASHES_AT_ONCE_MAX: usize = 2;

/// Computes password hashes, a bounded number at a time.
#[derive(Clone)]
pub(super) struct PasswordHasher {
    turns: Arc<Semaphore>,
    rounds: NonZeroU32,
}

impl PasswordHasher {
    /// A hasher; `rounds` other than the default are for tests that make many accounts.
    pub(super) fn new(rounds: Option<NonZeroU32>) -> Self {
        Self { turns: Arc::new(Semaphore::new(HASHES_AT_ONCE_MAX)), rounds: rounds.unwrap_or(ROUNDS) }
    }

    /// Hashes a new password with fresh salt.
    pub(super) async fn hash(&self, password: Password) -> Result<PasswordHash, Refusal> {
        let (rounds, salt) = (self.rounds, random_bytes()?);
        self.compute(move || {
            let mut hash = [0; 32];
            pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.reveal().as_bytes(), &mut hash);
            PasswordHash { rounds: rounds.get(), salt, hash }
        })
        .await
    }

    /// Whether a text is the password. Where there is no such user, pass nothing: it takes as long.
    pub(super) async fn matches(&self, attempt: String, stored: Option<PasswordHash>) -> Result<bool, Refusal> {
        let rounds = self.rounds;
        self.compute(move || {
            let known = stored.is_some();
            let stored = stored.unwrap_or(PasswordHash { rounds: rounds.get(), salt: [0; 16], hash: [0; 32] });
            let rounds = NonZeroU32::new(stored.rounds).unwrap_or(rounds);
            let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
            // `verify` compares in constant time.
            pbkdf2::verify(algorithm, rounds, &stored.salt, attempt.as_bytes(), &stored.hash).is_ok() && known
        })
        .await
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let stopping = || Refusal::Unavailable("the server is stopping".to_owned());
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| stopping())?;
        let result = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        result.await.map_err(|_| stopping())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_itself_alone() {
        let hasher = PasswordHasher::new(NonZeroU32::new(10));
        let hash = hasher.hash("correct horse".parse().unwrap()).await.unwrap();
        assert!(hasher.matches("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.matches("correct horsf".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.matches("correct horse".to_owned(), None).await.unwrap());
        let again = hasher.hash("correct horse".parse().unwrap()).await.unwrap();
        assert_ne!(hash, again, "each hash has its own salt");
    }
}
