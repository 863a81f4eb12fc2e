//! Uploads: bytes come in as a stream, become a blob, and then a file of a release.

use std::sync::Arc;

use bytes::Bytes;

use super::Registry;
use super::caller::Caller;
use super::deed::{over_quota, quota_left};
use super::files::{FileName, NewContent, Outcome, PutOptions, find_place, put_file};
use super::refusal::Refusal;
use super::views::FileView;
use crate::model::{Content, FileRole, MimeType, Sha256, UserId};
use crate::store::{BlobWriter, Rows, Source};

/// A file that is coming in. Dropping it leaves nothing behind.
pub struct Upload {
    registry: Arc<Registry>,
    caller: Caller,
    name: FileName,
    options: PutOptions,
    mime_type: MimeType,
    role: Option<FileRole>,
    writer: BlobWriter,
    room: Room,
    // Behind the writer: its content is discarded by the time the collector is called.
    leftovers: Leftovers,
}

/// Has the collector return the space of an upload that comes to nothing, or takes the place of another one, when it is
/// dropped.
pub(super) struct Leftovers {
    registry: Arc<Registry>,
    pub(super) expected: bool,
}

impl Leftovers {
    pub(super) fn new(registry: &Arc<Registry>) -> Self {
        Self { registry: Arc::clone(registry), expected: true }
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        if self.expected {
            self.registry.collect_soon();
        }
    }
}

/// What a quota leaves for a file that is coming in. The commit that publishes it counts again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    owner: UserId,
    bytes_max: Option<u64>,
}

impl Room {
    /// Refuses a file that is larger.
    pub(super) fn check(&self, registry: &Registry, bytes: u64) -> Result<(), Refusal> {
        if self.bytes_max.is_none_or(|bytes_max| bytes <= bytes_max) {
            return Ok(());
        }
        Err(over_quota(&registry.store.read()?, self.owner, registry.config().quota_bytes)?)
    }
}

impl Registry {
    /// Begins an upload: everything that can be refused before the first byte is.
    ///
    /// # Errors
    /// If the caller may not publish there, the file is too large, or the disk has no room for it.
    pub fn begin_upload(
        self: &Arc<Self>,
        caller: &Caller,
        name: FileName,
        options: PutOptions,
        mime_type: MimeType,
        role: Option<FileRole>,
        size: Option<u64>,
    ) -> Result<Upload, Refusal> {
        let rows = self.store.read()?;
        let place = find_place(&rows, caller, &name, &options)?;
        place.check_role(role)?;
        if size.is_some_and(|size| size > self.config().file_bytes_max) {
            return Err(self.too_large());
        }
        let room = self.room(&rows, place.package.owner, place.former_bytes())?;
        room.check(self, size.unwrap_or(0))?;
        let writer = self.store.begin_blob(size)?;
        let leftovers = Leftovers::new(self);
        let (registry, caller) = (self.clone(), caller.clone());
        Ok(Upload { registry, caller, name, options, mime_type, role, writer, room, leftovers })
    }

    /// What a file of that owner's may take, in the place of one with `former_bytes`.
    pub(super) fn room<S: Source>(&self, rows: &Rows<S>, owner: UserId, former_bytes: u64) -> Result<Room, Refusal> {
        let left = quota_left(rows, owner, self.config().quota_bytes)?;
        Ok(Room { owner, bytes_max: left.map(|left| left.saturating_add(former_bytes).max(former_bytes)) })
    }

    pub(super) fn too_large(&self) -> Refusal {
        Refusal::TooLarge { limit_bytes: self.config().file_bytes_max }
    }
}

impl Upload {
    /// Takes the next bytes, waiting while the disk is behind.
    ///
    /// # Errors
    /// If the file grows too large or the disk is full.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Refusal> {
        if self.writer.len_bytes() + bytes.len() as u64 > self.registry.config().file_bytes_max {
            return Err(self.registry.too_large());
        }
        self.room.check(&self.registry, self.writer.len_bytes() + bytes.len() as u64)?;
        Ok(self.writer.write(bytes).await?)
    }

    /// Makes the bytes a file of its release. It is durable, and in the index, when this returns.
    ///
    /// # Errors
    /// If the bytes are not those that `expected` names, or meanwhile something else took their place.
    pub async fn finish(self, expected: Option<Sha256>) -> Result<(FileView, Outcome), Refusal> {
        let Self { registry, caller, name, options, mime_type, role, writer, mut leftovers, .. } = self;
        let stored = writer.finish().await?;
        if let Some(expected) = expected.filter(|expected| *expected != stored.sha256()) {
            return Err(Refusal::invalid(
                "Repr-Digest",
                format!("the bytes received have the SHA-256 {}, not {expected}; nothing was stored", stored.sha256()),
            ));
        }
        let deed = registry.deed(&caller);
        let new = NewContent {
            size: stored.size_bytes(),
            sha256: stored.sha256(),
            content: Content::Blob { crc32: stored.crc32() },
            mime_type,
            role,
        };
        let size_bytes = stored.size_bytes();
        let (put, is_new) = registry
            .store
            .write_content(stored.row_bytes(), move |edit| {
                let mut is_new = false;
                let put = put_file(edit, &deed, &name, &options, &new, |edit| {
                    is_new = edit.adopt_blob(&stored)?;
                    Ok(())
                })?;
                Ok::<_, Refusal>((put, is_new))
            })
            .await?;
        leftovers.expected = !is_new || put.outcome == Outcome::Replaced;
        registry.counters.count_upload(size_bytes);
        Ok((put.view, put.outcome))
    }
}
