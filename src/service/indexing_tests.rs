//! Tests of making the index anew.

use std::num::NonZeroU32;
use std::sync::atomic::AtomicI64;

use super::super::caller::{Identity, SignedIn};
use super::*;
use crate::model::{Scope, Sha256};
use crate::service::{Create, ExternalArchive, FileName, NewPackage, PutOptions, RegistryConfig, ReleaseName};
use crate::store::media::FaultMedia;

fn open_registry(media: &FaultMedia) -> Registry {
    let config = RegistryConfig { password_rounds: NonZeroU32::new(1), ..RegistryConfig::default() };
    let clock = Clock::Set(Arc::new(AtomicI64::new(1_800_000_000_000_000)));
    Registry::open_media(Arc::new(media.clone()), config, clock).unwrap()
}

/// The first start of a new version renders every package again, and noted that it had before it began. A start that
/// was cut off on the way left an index without the packages that were not rendered yet, for good.
#[tokio::test]
async fn a_start_that_was_cut_off_while_it_rendered_is_made_up_for_by_the_next() {
    let media = FaultMedia::new();
    let registry = open_registry(&media);
    let user = registry.add_user("omni".parse().unwrap(), "correct horse".parse().unwrap(), true).await.unwrap();
    let signed_in = SignedIn { user, scope: Scope::Admin, session: None, token_name: None };
    let caller = Caller { identity: Identity::User(Box::new(signed_in)), origin: "".into(), address: None };
    let new = NewPackage {
        name: "kit".parse().unwrap(),
        description: Default::default(),
        visibility: Visibility::Public,
        version_scheme: Default::default(),
    };
    registry.create_package(&caller, new).await.unwrap();
    let package: FullName = "omni.kit".parse().unwrap();
    let release =
        ReleaseName { package: package.clone(), channel: "stable".parse().unwrap(), version: "1.0.0".parse().unwrap() };
    let file = FileName { release, platform: "any".parse().unwrap(), display_name: "a.zip".parse().unwrap() };
    let url = "https://archives.test/a.zip".parse().unwrap();
    let archive = ExternalArchive { url, size: 1, sha256: Sha256::of(b"a"), role: None };
    registry.put_external(&caller, file, PutOptions::creating(Create::Active), archive).await.unwrap();
    // So far such a start had come.
    registry.store.write_and_wait(|edit| edit.index().clear(1_900_000_000_000_000)).unwrap();
    registry.close();
    drop(registry);
    for _ in 0..2 {
        let registry = open_registry(&media);
        assert!(registry.package_lines(&caller, &ViewName::Default, &package).is_ok());
        registry.close();
    }
}
