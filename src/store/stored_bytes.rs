//! What each user's packages hold, in bytes: kept in step with their files, so that a quota costs no counting.
//!
//! Content that several files share counts for each of them, and content kept elsewhere for nobody.

use redb::ReadableTable;

use super::StorageError;
use super::edit::Edit;
use super::rows::{Rows, Source};
use super::tables;
use crate::model::{Content, PackageKey, ReleaseFile, UserId};

impl<S: Source> Rows<S> {
    /// The bytes of all files in a user's packages.
    ///
    /// # Errors
    /// If the store is damaged or gone.
    pub fn stored_bytes(&self, owner: UserId) -> Result<u64, StorageError> {
        Ok(self.source.table(tables::STORED_BYTES)?.get(owner.0)?.map_or(0, |bytes| bytes.value()))
    }
}

impl Edit<'_, '_> {
    /// Notes that a file of a package comes, goes or becomes another.
    pub(super) fn count_stored(
        &mut self,
        package: PackageKey,
        former: Option<&ReleaseFile>,
        now: Option<&ReleaseFile>,
    ) -> Result<(), StorageError> {
        let (former, now) = (former.map_or(0, stored_bytes), now.map_or(0, stored_bytes));
        if former == now {
            return Ok(());
        }
        let package = self.package(package)?.ok_or_else(|| StorageError::damaged("file", "its package is gone"))?;
        let bytes = self.stored_bytes(package.owner)?.saturating_sub(former).saturating_add(now);
        self.tx().open_table(tables::STORED_BYTES)?.insert(package.owner.0, bytes)?;
        Ok(())
    }

    /// Counts everything, as a directory of the time before these counts needs it once.
    pub(super) fn count_all_stored(&mut self) -> Result<(), StorageError> {
        for id in self.package_ids()? {
            let Some(package) = self.package(id)? else { continue };
            let mut bytes = self.stored_bytes(package.owner)?;
            for release in self.releases_of(id)? {
                bytes = self.files(release.id)?.iter().map(stored_bytes).fold(bytes, u64::saturating_add);
            }
            self.tx().open_table(tables::STORED_BYTES)?.insert(package.owner.0, bytes)?;
        }
        Ok(())
    }
}

fn stored_bytes(file: &ReleaseFile) -> u64 {
    match file.content {
        Content::Blob { .. } => file.size,
        Content::External { .. } | Content::Unseen { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{
        ChannelId, Crc32, FileId, Markdown, Package, PlatformId, Release, ReleaseId, Sha256, Timestamp, TokenKind,
        TokenSecret, Visibility,
    };
    use crate::store::media::FaultMedia;
    use crate::store::{Changes, Follower, IndexEdit, Store, StoreOptions};

    struct Nobody;

    impl Follower for Nobody {
        fn complete(&mut self, _: &mut IndexEdit<'_, '_>, _: &Changes) -> Result<(), StorageError> {
            Ok(())
        }

        fn committed(&mut self, _: Changes) {}
    }

    fn open(media: &FaultMedia) -> Store {
        Store::open_media(Arc::new(media.clone()), StoreOptions::default(), Nobody).unwrap()
    }

    fn package() -> Package {
        Package {
            id: PackageKey(2),
            owner: UserId(1),
            namespace: "omni".parse().unwrap(),
            name: "kit".parse().unwrap(),
            description: Markdown::default(),
            visibility: Visibility::Public,
            version_scheme: Default::default(),
            access_token: TokenSecret::from_random(TokenKind::Access, [0; 32]),
            private_token: None,
            created: Timestamp::from_micros(0),
            changed: Timestamp::from_micros(0),
        }
    }

    fn release() -> Release {
        Release {
            id: ReleaseId(3),
            package: PackageKey(2),
            channel: ChannelId(4),
            version: "1.0.0".parse().unwrap(),
            active: false,
            published: None,
            publish_at: None,
            yanked: None,
            description: Markdown::default(),
            created: Timestamp::from_micros(0),
            changed: Timestamp::from_micros(0),
        }
    }

    fn file(id: u64, size: u64, content: Content) -> ReleaseFile {
        ReleaseFile {
            id: FileId(id),
            release: ReleaseId(3),
            platform: PlatformId(5),
            display_name: format!("{id}.zip").parse().unwrap(),
            size,
            sha256: Sha256::of(b""),
            content,
            mime_type: crate::model::MimeType::octet_stream(),
            chosen_role: None,
            has_manifest: false,
            requirements: Vec::new(),
            created: Timestamp::from_micros(0),
            changed: Timestamp::from_micros(0),
        }
    }

    #[test]
    fn a_directory_of_the_time_before_is_counted_when_it_is_opened() {
        let media = FaultMedia::new();
        let store = open(&media);
        let blob = Content::Blob { crc32: Crc32(0) };
        let elsewhere = Content::External { url: "https://example.org/a".parse().unwrap() };
        store
            .write_and_wait(move |edit| {
                edit.put_package(&package())?;
                edit.put_release(&release())?;
                edit.put_file(&release(), &file(6, 100, blob.clone()))?;
                edit.put_file(&release(), &file(7, 20, blob.clone()))?;
                edit.put_file(&release(), &file(8, 3, elsewhere.clone()))?;
                edit.put_file(&release(), &file(7, 30, blob.clone()))
            })
            .unwrap();
        assert_eq!(store.read().unwrap().stored_bytes(UserId(1)).unwrap(), 130);
        store
            .write_and_wait(|edit| {
                edit.tx().open_table(tables::STORED_BYTES)?.remove(1)?;
                edit.set_format(1)
            })
            .unwrap();
        store.close();
        let store = open(&media);
        assert_eq!(store.read().unwrap().stored_bytes(UserId(1)).unwrap(), 130);
        store.close();
        // It is done once.
        let store = open(&media);
        assert_eq!(store.read().unwrap().stored_bytes(UserId(1)).unwrap(), 130);
        store.close();
    }
}
