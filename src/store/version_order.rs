//! The order of releases by version: the table of their sort keys, when a package reads its versions in another scheme, and
//! when a program with other sort keys opens the directory.

use redb::ReadableTable;

use super::StorageError;
use super::edit::Edit;
use super::records::Record;
use super::tables;
use crate::model::{Package, Release, ReleaseId};

impl Edit<'_, '_> {
    /// Orders the releases of a package by the scheme that the package has now.
    pub fn read_versions_anew(&mut self, package: &Package) -> Result<(), StorageError> {
        for mut release in self.releases_of(package.id)? {
            let key = (package.id.0, release.channel.0, release.version.sort_key());
            self.tx().open_table(tables::RELEASES_BY_VERSION)?.remove(key)?;
            release.version = release.version.in_scheme(package.version_scheme);
            let key = (package.id.0, release.channel.0, release.version.sort_key());
            self.tx().open_table(tables::RELEASES_BY_VERSION)?.insert(key, release.id.0)?;
            self.tx().open_table(tables::RELEASES)?.insert(release.id.0, release.to_bytes()?.as_slice())?;
            self.note_release(&release);
        }
        Ok(())
    }

    /// Orders all releases anew, as the sort keys of this program have them.
    pub(super) fn order_all_releases(&mut self) -> Result<(), StorageError> {
        let tx = self.tx();
        let releases = tx.open_table(tables::RELEASES)?;
        let mut by_version = tx.open_table(tables::RELEASES_BY_VERSION)?;
        by_version.retain(|_, _| false)?;
        for row in releases.iter()? {
            let (id, bytes) = row?;
            let release = Release::from_bytes(ReleaseId(id.value()), bytes.value())?;
            let key = (release.package.0, release.channel.0, release.version.sort_key());
            by_version.insert(key, release.id.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use redb::ReadableTableMetadata;

    use super::*;
    use crate::model::{
        ChannelId, PackageKey, Timestamp, TokenKind, TokenSecret, UserId, Version, VersionScheme, Visibility,
    };
    use crate::store::media::FaultMedia;
    use crate::store::open::Nobody;
    use crate::store::{Source, Store, StoreOptions};

    fn package() -> Package {
        Package {
            id: PackageKey(1),
            owner: UserId(1),
            namespace: "omni".parse().unwrap(),
            name: "kit".parse().unwrap(),
            description: "".parse().unwrap(),
            visibility: Visibility::Public,
            version_scheme: VersionScheme::default(),
            access_token: TokenSecret::from_random(TokenKind::Access, [0; 32]),
            private_token: None,
            created: Timestamp::from_micros(0),
            changed: Timestamp::from_micros(0),
        }
    }

    fn release(id: u64, version: &str) -> Release {
        Release {
            id: ReleaseId(id),
            package: PackageKey(1),
            channel: ChannelId(1),
            version: version.parse().unwrap(),
            active: true,
            published: Some(Timestamp::from_micros(0)),
            publish_at: None,
            yanked: None,
            description: "".parse().unwrap(),
            created: Timestamp::from_micros(0),
            changed: Timestamp::from_micros(0),
        }
    }

    /// Releases with their sort keys of format 4, lowest first. A letter before a number was part of the release, and a
    /// date was a year with a prerelease, which compares as text.
    const FORMAT_4: [(u64, &str, &[u8]); 5] = [
        (11, "3.13.9", b"\x03\x013\x03\x0213\x03\x019\x01\x02\x013.13.9"),
        (12, "3.14.0", b"\x03\x013\x03\x0214\x01\x02\x013.14.0"),
        (13, "3.14.0b2", b"\x03\x013\x03\x0214\x03\x00\x02b\x00\x03\x012\x01\x02\x013.14.0b2"),
        (14, "2024-10-04", b"\x03\x042024\x01\x01\x0310-04\x00\x01\x012024-10-04"),
        (15, "2024-9-5", b"\x03\x042024\x01\x01\x039-5\x00\x01\x012024-9-5"),
    ];

    fn listed(store: &Store) -> Vec<String> {
        let releases = store.read().unwrap().releases(PackageKey(1), ChannelId(1)).unwrap();
        releases.into_iter().map(|release| release.version.to_string()).collect()
    }

    /// A directory of format 4 has its releases under keys of the former order. Without new keys, lists and update checks
    /// would stay in that order, and no release whose key changed would be found by its version.
    #[test]
    fn releases_of_format_4_get_new_keys() {
        let media = FaultMedia::new();
        let open = || Store::open_media(Arc::new(media.clone()), StoreOptions::default(), Nobody).unwrap();
        let store = open();
        store
            .write_and_wait(|edit| {
                edit.put_package(&package())?;
                for (id, version, _) in FORMAT_4 {
                    edit.put_release(&release(id, version))?;
                }
                let mut table = edit.tx().open_table(tables::RELEASES_BY_VERSION)?;
                table.retain(|_, _| false)?;
                for (id, _, key) in FORMAT_4 {
                    table.insert((1, 1, key), id)?;
                }
                drop(table);
                edit.set_format(4)
            })
            .unwrap();
        assert_eq!(listed(&store), ["2024-9-5", "2024-10-04", "3.14.0b2", "3.14.0", "3.13.9"]);
        let found = |store: &Store, version: &str| {
            let rows = store.read().unwrap();
            let release = rows.release_by_version(&package(), ChannelId(1), &version.parse().unwrap()).unwrap();
            release.map(|release| release.id.0)
        };
        assert_eq!(found(&store, "3.14.0b2"), None, "its key is another one now");
        store.close();
        for _ in 0..2 {
            let store = open();
            assert_eq!(listed(&store), ["2024-10-04", "2024-9-5", "3.14.0", "3.14.0b2", "3.13.9"]);
            for (id, version, _) in FORMAT_4 {
                assert_eq!(found(&store, version), Some(id), "{version}");
            }
            let rows = store.read().unwrap();
            let below: Version = "3.14.0".parse().unwrap();
            let mut next = None;
            rows.releases_below(PackageKey(1), ChannelId(1), Some(&below), |release| {
                next = Some(release.version);
                Ok(std::ops::ControlFlow::Break(()))
            })
            .unwrap();
            assert_eq!(next.unwrap().as_str(), "3.14.0b2", "a page of a list begins where the one before it ended");
            assert_eq!(
                rows.source().table(tables::RELEASES_BY_VERSION).unwrap().len().unwrap(),
                5,
                "no key is left over"
            );
            drop(rows);
            store.close();
        }
    }
}
