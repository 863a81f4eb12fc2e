//! The channels and platforms of users as one transaction has read them.
//!
//! The jobs of one commit are often about packages of the same users, and each needs all channels and platforms of the
//! owner several times. Owns what is remembered of them until the commit; whoever changes a row has it forgotten.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::StorageError;
use crate::model::{Channel, Platform, UserId};

/// See the module.
#[derive(Debug, Default)]
pub struct Owners {
    channels: Known<Channel>,
    platforms: Known<Platform>,
}

type Known<T> = RefCell<HashMap<UserId, Arc<[T]>>>;

impl Owners {
    /// The channels of a user: those that are remembered, or else what `read` finds.
    pub(super) fn channels(
        memory: Option<&Self>,
        owner: UserId,
        read: impl FnOnce() -> Result<Vec<Channel>, StorageError>,
    ) -> Result<Arc<[Channel]>, StorageError> {
        remembered(memory.map(|owners| &owners.channels), owner, read)
    }

    /// The same of platforms.
    pub(super) fn platforms(
        memory: Option<&Self>,
        owner: UserId,
        read: impl FnOnce() -> Result<Vec<Platform>, StorageError>,
    ) -> Result<Arc<[Platform]>, StorageError> {
        remembered(memory.map(|owners| &owners.platforms), owner, read)
    }

    /// Has all of a user read anew.
    pub(super) fn forget(&self, owner: UserId) {
        self.channels.borrow_mut().remove(&owner);
        self.platforms.borrow_mut().remove(&owner);
    }
}

fn remembered<T>(
    memory: Option<&Known<T>>,
    owner: UserId,
    read: impl FnOnce() -> Result<Vec<T>, StorageError>,
) -> Result<Arc<[T]>, StorageError> {
    let Some(memory) = memory else { return Ok(read()?.into()) };
    if let Some(known) = memory.borrow().get(&owner) {
        return Ok(Arc::clone(known));
    }
    let found: Arc<[T]> = read()?.into();
    memory.borrow_mut().insert(owner, Arc::clone(&found));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::model::{Channel, ChannelId, Platform, PlatformId, Timestamp, UserId};
    use crate::store::media::FaultMedia;
    use crate::store::open::Nobody;
    use crate::store::{Store, StoreOptions};

    fn channel(id: u64, name: &str) -> Channel {
        Channel {
            id: ChannelId(id),
            owner: UserId(1),
            name: name.parse().unwrap(),
            short: "s".parse().unwrap(),
            default: false,
            includes: Vec::new(),
            retention: None,
            created: Timestamp::from_micros(0),
            changed: Timestamp::from_micros(0),
        }
    }

    fn platform(id: u64, name: &str) -> Platform {
        Platform {
            id: PlatformId(id),
            owner: UserId(1),
            name: name.parse().unwrap(),
            created: Timestamp::from_micros(0),
            changed: Timestamp::from_micros(0),
        }
    }

    #[test]
    fn a_job_sees_what_it_and_those_before_it_in_the_commit_have_changed() {
        let store = Store::open_media(Arc::new(FaultMedia::new()), StoreOptions::default(), Nobody).unwrap();
        store
            .write_and_wait(|edit| {
                let owner = UserId(1);
                let channels = |edit: &crate::store::Edit<'_, '_>| -> Vec<String> {
                    edit.channels(owner).unwrap().iter().map(|channel| channel.name.to_string()).collect()
                };
                let platforms = |edit: &crate::store::Edit<'_, '_>| -> Vec<String> {
                    edit.platforms(owner).unwrap().iter().map(|platform| platform.name.to_string()).collect()
                };
                assert!(channels(edit).is_empty() && platforms(edit).is_empty());
                edit.put_channel(&channel(1, "stable"))?;
                edit.put_platform(&platform(1, "linux"))?;
                assert_eq!((channels(edit), platforms(edit)), (vec!["stable".to_owned()], vec!["linux".to_owned()]));
                edit.put_channel(&channel(1, "beta"))?;
                edit.put_platform(&platform(2, "mac"))?;
                assert_eq!(channels(edit), ["beta"]);
                assert_eq!(platforms(edit), ["linux", "mac"]);
                edit.delete_channel(owner, ChannelId(1))?;
                edit.delete_platform(&platform(1, "linux"))?;
                assert!(channels(edit).is_empty());
                assert_eq!(platforms(edit), ["mac"]);
                Ok(())
            })
            .unwrap();
        assert_eq!(store.read().unwrap().platforms(UserId(1)).unwrap().len(), 1);
    }
}
