//! Roles of files that were stored before files had roles.
//!
//! Names decide in a release that has a file of any other kind. A release of sidecars alone, such as a certificate, was
//! offered by its first files; they stay its archives, so that locks and update checks hold.

use std::collections::BTreeMap;

use redb::ReadableTable;

use super::StorageError;
use super::edit::Edit;
use super::records::Record;
use super::tables;
use crate::model::file_role::is_sidecar;
use crate::model::{FileId, FileRole, PlatformId, ReleaseFile, ReleaseId};

impl Edit<'_, '_> {
    /// Makes the first file of each platform the archive in every release that has nothing but sidecars.
    pub(super) fn keep_sidecar_archives(&mut self) -> Result<(), StorageError> {
        let mut table = self.tx().open_table(tables::FILES)?;
        let mut chosen: Vec<ReleaseFile> = Vec::new();
        let mut of_release: Vec<ReleaseFile> = Vec::new();
        for row in table.iter()? {
            let (key, bytes) = row?;
            let (release, id) = key.value();
            let file = ReleaseFile::from_bytes((ReleaseId(release), FileId(id)), bytes.value())?;
            if of_release.first().is_some_and(|first| first.release != file.release) {
                chosen.extend(sidecar_archives(std::mem::take(&mut of_release)));
            }
            of_release.push(file);
        }
        chosen.extend(sidecar_archives(of_release));
        for file in chosen {
            table.insert((file.release.0, file.id.0), file.to_bytes()?.as_slice())?;
        }
        Ok(())
    }
}

/// The first file of each platform with the role of an archive, if all files of a release are sidecars without a role.
fn sidecar_archives(files: Vec<ReleaseFile>) -> impl Iterator<Item = ReleaseFile> {
    let all = files.iter().all(|file| file.chosen_role.is_none() && is_sidecar(&file.display_name));
    let mut first: BTreeMap<PlatformId, ReleaseFile> = BTreeMap::new();
    for file in files.into_iter().filter(|_| all) {
        first.entry(file.platform).or_insert(ReleaseFile { chosen_role: Some(FileRole::Archive), ..file });
    }
    first.into_values()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{
        ChannelId, Content, Crc32, MimeType, Package, PackageKey, Release, Sha256, Timestamp, TokenKind, TokenSecret,
        UserId, Visibility,
    };
    use crate::store::media::FaultMedia;
    use crate::store::open::Nobody;
    use crate::store::{Store, StoreOptions};

    fn package() -> Package {
        Package {
            id: PackageKey(1),
            owner: UserId(1),
            namespace: "omni".parse().unwrap(),
            name: "kit".parse().unwrap(),
            description: "".parse().unwrap(),
            visibility: Visibility::Public,
            version_scheme: Default::default(),
            access_token: TokenSecret::from_random(TokenKind::Access, [0; 32]),
            private_token: None,
            created: Timestamp::from_micros(0),
            changed: Timestamp::from_micros(0),
        }
    }

    fn release(id: u64) -> Release {
        Release {
            id: ReleaseId(id),
            package: PackageKey(1),
            channel: ChannelId(1),
            version: format!("1.{id}").parse().unwrap(),
            active: true,
            published: Some(Timestamp::from_micros(0)),
            publish_at: None,
            yanked: None,
            description: "".parse().unwrap(),
            created: Timestamp::from_micros(0),
            changed: Timestamp::from_micros(0),
        }
    }

    fn file(id: u64, release: u64, platform: u64, name: &str) -> ReleaseFile {
        ReleaseFile {
            id: FileId(id),
            release: ReleaseId(release),
            platform: PlatformId(platform),
            display_name: name.parse().unwrap(),
            chosen_role: None,
            size: 1,
            sha256: Sha256::of(b""),
            content: Content::Blob { crc32: Crc32(0) },
            mime_type: MimeType::octet_stream(),
            has_manifest: false,
            requirements: Vec::new(),
            created: Timestamp::from_micros(0),
            changed: Timestamp::from_micros(0),
        }
    }

    /// A release whose signature was its archive gets its program offered; one of certificates alone keeps its archives.
    #[test]
    fn a_directory_of_the_time_before_is_brought_up_once() {
        let media = FaultMedia::new();
        let open = || Store::open_media(Arc::new(media.clone()), StoreOptions::default(), Nobody).unwrap();
        let roles = |store: &Store, release: u64| -> Vec<Option<FileRole>> {
            let files = store.read().unwrap().files(ReleaseId(release)).unwrap();
            files.into_iter().map(|file| file.chosen_role).collect()
        };
        let store = open();
        store
            .write_and_wait(|edit| {
                edit.put_package(&package())?;
                edit.put_file(&release(1), &file(10, 1, 1, "app.zip.sig"))?;
                edit.put_file(&release(1), &file(11, 1, 2, "app.zip"))?;
                edit.put_file(&release(2), &file(20, 2, 1, "roots.pem"))?;
                edit.put_file(&release(2), &file(21, 2, 1, "roots.pem.sha256"))?;
                edit.put_file(&release(2), &file(22, 2, 2, "roots.crt"))?;
                edit.set_format(4)
            })
            .unwrap();
        store.close();
        let store = open();
        assert_eq!(roles(&store, 1), [None, None]);
        assert_eq!(roles(&store, 2), [Some(FileRole::Archive), None, Some(FileRole::Archive)]);
        store.write_and_wait(|edit| edit.put_file(&release(3), &file(30, 3, 1, "later.pem"))).unwrap();
        store.close();
        assert_eq!(roles(&open(), 3), [None]);
    }
}
