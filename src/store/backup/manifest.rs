//! What a backup says of itself: its first and its last file, both JSON.
//!
//! `backup.json` comes first and says what follows; `digests.json` comes last, when the digests are known. Neither can
//! change without being noticed: the last one has the digest of the first.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::BackupError;
use crate::model::{Sha256, Timestamp};
use crate::store::blobs::volumes_of_backup::{file_name, number_of_file};

/// The version of the form of a backup that this program writes, and the newest that it reads.
pub(super) const BACKUP_FORMAT: u32 = 1;
/// The name of the first file.
pub const MANIFEST: &str = "backup.json";
/// The name of the last file.
pub(super) const DIGESTS: &str = "digests.json";
/// The name of the file with the entities.
pub(super) const ENTITIES: &str = "packhouse.redb";
/// Most bytes of each of the two files: a hundred for each volume, of which there are a million.
pub(super) const JSON_BYTES_MAX: u64 = 128 << 20;

/// What a backup is and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the backup.
    pub packhouse_backup: u32,
    /// The version of the program that made it.
    pub version: String,
    /// The serial of the index in it: the backup is the state after the change with this serial, and before the next.
    pub serial: u64,
    /// When it was made.
    pub made: String,
    /// Its files, in their order: the entities, then the volumes.
    pub files: Vec<ManifestFile>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Its name in a data directory.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// Its SHA-256, where an earlier backup has told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Whether its bytes are left out, because who asked for the backup has them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
}

/// The last file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// The SHA-256 of the first file.
    pub manifest: String,
    /// The SHA-256 of each other file.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads the first file of a backup and checks that it makes sense.
    ///
    /// # Errors
    /// [`BackupError::Newer`] and [`BackupError::Damaged`].
    pub fn read(bytes: &[u8]) -> Result<Self, BackupError> {
        #[derive(Deserialize)]
        struct Version {
            packhouse_backup: u32,
        }
        let damaged = |detail: String| BackupError::Damaged(format!("{MANIFEST}: {detail}"));
        let version: Version = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if version.packhouse_backup > BACKUP_FORMAT {
            return Err(BackupError::Newer { found: version.packhouse_backup });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        let mut last = 0;
        for (at, file) in manifest.files.iter().enumerate() {
            let number = if at == 0 && file.name == ENTITIES { Some(0) } else { number_of_file(&file.name) };
            match number.filter(|number| at == 0 || *number > last) {
                Some(number) => last = number,
                None => {
                    return Err(damaged(format!("{:?} is no file of a data directory, or out of order", file.name)));
                }
            }
            if file.left_out && file.digest().is_none() {
                return Err(damaged(format!("{} is left out without a digest", file.name)));
            }
        }
        if manifest.files.first().is_none_or(|file| file.name != ENTITIES || file.left_out) {
            return Err(damaged(format!("{ENTITIES} is missing")));
        }
        Ok(manifest)
    }

    /// When it was made.
    #[must_use]
    pub fn made(&self) -> Timestamp {
        self.made.parse().unwrap_or(Timestamp::from_micros(0))
    }

    /// The bytes of all files that are in it.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().filter(|file| !file.left_out).fold(0, |sum, file| sum.saturating_add(file.size_bytes))
    }

    /// The bytes of all files, whether they are in it or left out.
    #[must_use]
    pub fn whole_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size_bytes))
    }
}

impl ManifestFile {
    /// The file of a volume.
    pub(super) fn volume(number: u32, size_bytes: u64) -> Self {
        Self { name: file_name(number), size_bytes, sha256: None, left_out: false }
    }

    /// Its SHA-256, where that is known.
    #[must_use]
    pub fn digest(&self) -> Option<Sha256> {
        self.sha256.as_deref()?.parse().ok()
    }

    /// The number of the volume that it is.
    #[must_use]
    pub fn volume_number(&self) -> Option<u32> {
        number_of_file(&self.name)
    }
}

impl Digests {
    /// Reads the last file of a backup and compares it with what came before it.
    ///
    /// # Errors
    /// [`BackupError::Damaged`], which names the file.
    pub fn check(bytes: &[u8], manifest: Sha256, files: &BTreeMap<String, Sha256>) -> Result<Self, BackupError> {
        let damaged = |what: &str| BackupError::Damaged(format!("{what} is not what was backed up"));
        let digests: Self = serde_json::from_slice(bytes).map_err(|_| damaged(DIGESTS))?;
        if digests.manifest != manifest.to_string() {
            return Err(damaged(MANIFEST));
        }
        for (name, sha256) in files {
            if digests.files.get(name) != Some(&sha256.to_string()) {
                return Err(damaged(name));
            }
        }
        if digests.files.len() != files.len() { Err(damaged(DIGESTS)) } else { Ok(digests) }
    }
}

/// JSON as it stands in a backup.
pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, crate::store::StorageError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| crate::store::StorageError::Internal { detail: error.to_string() })?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(files: &str) -> String {
        format!(r#"{{"packhouse_backup":1,"version":"0","serial":7,"made":"2026-11-21T08:30:00Z","files":[{files}]}}"#)
    }

    #[test]
    fn only_what_is_a_data_directory_is_a_backup() {
        let entities = r#"{"name":"packhouse.redb","size_bytes":3}"#;
        let volume = r#"{"name":"blobs/00000002.redb","size_bytes":4}"#;
        let manifest = Manifest::read(text(&format!("{entities},{volume}")).as_bytes()).unwrap();
        assert_eq!((manifest.serial, manifest.size_bytes(), manifest.files[1].volume_number()), (7, 7, Some(2)));
        for wrong in [
            String::new(),
            volume.to_owned(),
            format!("{entities},{volume},{volume}"),
            format!(r#"{entities},{{"name":"../x","size_bytes":4}}"#),
            format!(r#"{entities},{{"name":"blobs/../00001.redb","size_bytes":4}}"#),
            format!(r#"{entities},{{"name":"blobs/00000002.redb","size_bytes":4,"left_out":true}}"#),
        ] {
            assert!(matches!(Manifest::read(text(&wrong).as_bytes()), Err(BackupError::Damaged(_))), "{wrong}");
        }
        let newer = Manifest::read(br#"{"packhouse_backup":2,"anything":"else"}"#);
        assert!(matches!(newer, Err(BackupError::Newer { found: 2 })));
    }
}
