//! A data directory with users of every kind, made once per test run and copied for each server.
//!
//! Its password hashes have one round, so that signing in costs nothing; and it was made an hour ago, so that one of
//! its tokens has expired.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use packhouse::model::Scope;
use packhouse::model::{Timestamp, User};
use packhouse::service::{Caller, Clock, Identity, Registry, RegistryConfig, SignedIn, UserPatch};

use super::files::Files;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The accounts: an admin, an owner, those who become members of its packages, one who has nothing to do with them, and
/// one that is disabled.
const USERS: [&str; 7] = ["root", "omni", "olga", "mara", "rita", "uma", "dina"];
const SCOPES: [Scope; 3] = [Scope::Read, Scope::Publish, Scope::Admin];

/// The files of the directory, and the tokens that work on it.
pub(super) struct Prepared {
    pub(super) files: Files,
    tokens: HashMap<(String, Scope), String>,
    /// A token of `omni`'s that has expired.
    pub(super) expired_token: String,
}

static PREPARED: LazyLock<Prepared> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (tokens, expired_token) = runtime.block_on(fill(folder.path()));
    Prepared { files: Files::read(folder.path()), tokens, expired_token }
});

impl Prepared {
    pub(super) fn get() -> &'static Self {
        &PREPARED
    }

    pub(super) fn token(&self, user: &str, scope: Scope) -> &str {
        &self.tokens[&(user.to_owned(), scope)]
    }
}

async fn fill(folder: &Path) -> (HashMap<(String, Scope), String>, String) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros() as i64;
    let an_hour_ago = now - 3_600_000_000;
    let config = RegistryConfig { password_rounds: NonZeroU32::new(1), ..RegistryConfig::default() };
    let clock = Clock::Set(Arc::new(AtomicI64::new(an_hour_ago)));
    let registry = Registry::open(folder, config, clock).expect("a new registry opens");
    let token = async |user: &str, name: &str, scope, expires| {
        let made = registry.add_token_for(&user.parse().unwrap(), name.parse().unwrap(), vec![scope], expires).await;
        made.expect("a token is made").secret.expect("its secret is shown")
    };
    let mut tokens = HashMap::new();
    let mut root: Option<User> = None;
    for name in USERS {
        let made = registry.add_user(name.parse().unwrap(), PASSWORD.parse().unwrap(), name == "root").await;
        root.get_or_insert(made.expect("a user is made"));
        for scope in SCOPES {
            tokens.insert((name.to_owned(), scope), token(name, scope.as_str(), scope, None).await);
        }
    }
    let expires = Some(Timestamp::from_micros(an_hour_ago + 1_000_000));
    let expired_token = token("omni", "expired", Scope::Admin, expires).await;
    let signed_in = SignedIn { user: root.expect("the first"), scope: Scope::Admin, session: None, token_name: None };
    let caller = Caller { identity: Identity::User(Box::new(signed_in)), origin: "".into(), address: None };
    let disabled = UserPatch { disabled: Some(true), ..UserPatch::default() };
    registry.change_user(&caller, &"dina".parse().unwrap(), disabled).await.expect("a user is disabled");
    registry.close();
    (tokens, expired_token)
}
