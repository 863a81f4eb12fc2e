//! Uploads that survive broken connections and restarts: beginning, looking at and giving up one.
//!
//! Owns who may do what with an upload that is not finished, how many there may be and when they expire. How the bytes
//! are received is for [`receive`]; what they become in the end is decided as for any other upload of a file.

mod receive;
mod slots;

use std::sync::Arc;

use serde::Serialize;

pub use receive::{Checksum, ChecksumKind, ContinueError, Received, Receiving};
pub(super) use slots::Slots;

use super::Registry;
use super::caller::{Caller, Identity};
use super::files::{Create, FileName, PutOptions, find_place};
use super::refusal::Refusal;
use super::releases::ReleaseName;
use super::uploads::Leftovers;
use super::views::Sha256Text;
use crate::model::limits::UNFINISHED_UPLOADS_MAX;
use crate::model::{
    ChannelName, DisplayName, FileRole, FullName, MimeType, PlatformName, Scope, Sha256, Timestamp, UnfinishedUpload,
    UploadId, Uploader, Version,
};
use crate::store::{Rows, Source};

/// How long a finished upload is remembered, in seconds, for a client that missed the answer.
const FINISHED_S: i64 = 60 * 60;
/// Expired uploads that are removed in one commit.
const EXPIRED_AT_ONCE_MAX: usize = 100;

/// An upload to begin.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// What the bytes are to become.
    pub name: FileName,
    /// What may be made for it.
    pub options: PutOptions,
    /// What kind of file it is.
    pub mime_type: MimeType,
    /// The role that the file is to have, where the uploader chose one.
    pub role: Option<FileRole>,
    /// How many bytes there will be.
    pub size: u64,
    /// The SHA-256 they must have.
    pub sha256: Option<Sha256>,
}

/// An upload that is not finished.
#[derive(Debug, Serialize)]
pub struct UploadView {
    id: u64,
    url: String,
    package: FullName,
    channel: ChannelName,
    version: Version,
    platform: PlatformName,
    filename: DisplayName,
    size: u64,
    offset: u64,
    sha256: Option<Sha256Text>,
    created: Timestamp,
    expires: Timestamp,
}

/// What was said about an upload, by name.
pub type Metadata = Vec<(&'static str, String)>;

/// How far an upload is.
#[derive(Debug, Clone)]
pub struct UploadState {
    /// Its id.
    pub id: UploadId,
    /// How many bytes have come.
    pub offset: u64,
    /// How many there will be.
    pub size: u64,
    /// When it is forgotten, unless more comes.
    pub expires: Timestamp,
}

impl Registry {
    /// Begins an upload; everything that can be refused before the first byte is.
    ///
    /// # Errors
    /// If the caller may not publish there, has begun too many, the file is too large, or the quota or the disk has no
    /// room for it.
    pub async fn create_upload(&self, caller: &Caller, new: NewUpload) -> Result<UploadState, Refusal> {
        let uploader = caller.uploader()?;
        let rows = self.store.read()?;
        let place = find_place(&rows, caller, &new.name, &new.options)?;
        place.check_role(new.role)?;
        if new.size > self.config().file_bytes_max {
            return Err(self.too_large());
        }
        // The commit that begins it counts again.
        self.room(&rows, place.package.owner, place.former_bytes())?.check(self, new.size)?;
        drop(rows);
        let writer = self.store.begin_blob(Some(new.size))?;
        let now = self.clock.now();
        let expires = self.upload_end(now);
        let deed = self.deed(caller);
        let caller = caller.clone();
        let id = self
            .store
            .write(move |edit| {
                let place = find_place(edit, &caller, &new.name, &new.options)?;
                deed.check_quota(edit, place.package.owner, place.former_bytes(), new.size)?;
                if edit.uploads_of(uploader)?.iter().filter(|upload| !upload.finished).count() >= UNFINISHED_UPLOADS_MAX
                {
                    return Err(Refusal::conflict(format!(
                        "you have {UNFINISHED_UPLOADS_MAX} unfinished uploads; finish some, delete some, or wait until they expire"
                    )));
                }
                let id = UploadId(edit.new_id()?);
                edit.put_upload(&UnfinishedUpload {
                    id,
                    uploader,
                    package: new.name.release.package.clone(),
                    channel: new.name.release.channel.clone(),
                    version: new.name.release.version.clone(),
                    platform: new.name.platform.clone(),
                    display_name: new.name.display_name.clone(),
                    mime_type: new.mime_type.clone(),
                    role: new.role,
                    create_active: new.options.release.map(|create| create == Create::Active),
                    create_platform: new.options.platform,
                    late: new.options.late,
                    sha256: new.sha256,
                    size: new.size,
                    offset: 0,
                    blob: None,
                    finished: false,
                    created: now,
                    expires,
                })?;
                Ok((id, new.size))
            })
            .await;
        let (id, size) = id?;
        if let Ok(mut lease) = self.unfinished.take(id) {
            lease.writer = Some(Box::new(writer));
        }
        Ok(UploadState { id, offset: 0, size, expires })
    }

    /// The caller's unfinished uploads, oldest first.
    ///
    /// # Errors
    /// If the caller may not publish anything.
    pub fn unfinished_uploads(&self, caller: &Caller) -> Result<Vec<UploadView>, Refusal> {
        let uploads = self.store.read()?.uploads_of(caller.uploader()?)?;
        let now = self.clock.now();
        let wanted = uploads.into_iter().filter(|upload| !upload.finished && upload.expires > now);
        Ok(wanted.map(|upload| self.upload_view(caller, upload)).collect())
    }

    /// One unfinished upload of the caller's.
    ///
    /// # Errors
    /// If it is unknown, or has expired.
    pub fn unfinished_upload(&self, caller: &Caller, id: UploadId) -> Result<UploadView, Refusal> {
        Ok(self.upload_view(caller, self.own_upload(&self.store.read()?, caller, id)?))
    }

    /// How far an upload of the caller's is, and what was said about it when it began.
    ///
    /// # Errors
    /// As for [`Self::unfinished_upload`].
    pub fn upload_state(&self, caller: &Caller, id: UploadId) -> Result<(UploadState, Metadata), Refusal> {
        let upload = self.own_upload(&self.store.read()?, caller, id)?;
        let offset = self.unfinished.received_bytes(id).unwrap_or(upload.offset);
        let mut said = vec![
            ("package", upload.package.to_string()),
            ("channel", upload.channel.to_string()),
            ("version", upload.version.to_string()),
            ("platform", upload.platform.to_string()),
            ("filename", upload.display_name.to_string()),
            ("filetype", upload.mime_type.as_str().to_owned()),
        ];
        if let Some(active) = upload.create_active {
            said.push(("create", if active { "active" } else { "inactive" }.to_owned()));
        }
        if let Some(role) = upload.role {
            said.push(("role", role.to_string()));
        }
        if let Some(sha256) = upload.sha256 {
            said.push(("sha256", sha256.to_string()));
        }
        Ok((UploadState { id, offset, size: upload.size, expires: upload.expires }, said))
    }

    /// Gives up an upload of the caller's. Nothing of it is left.
    ///
    /// # Errors
    /// If it is unknown, or another request goes on with it.
    pub async fn delete_upload(self: &Arc<Self>, caller: &Caller, id: UploadId) -> Result<(), ContinueError> {
        self.own_upload(&self.store.read().map_err(Refusal::from)?, caller, id)?;
        let mut lease = self.unfinished.take_over(id, true).await.ok_or(ContinueError::Busy)?;
        self.forget_upload(id).await?;
        if let Some(writer) = lease.writer.take() {
            writer.discard();
        }
        self.collect_soon();
        Ok(())
    }

    /// How many uploads are not finished, and the bytes that are kept of them.
    ///
    /// # Errors
    /// If the store fails.
    pub fn count_unfinished_uploads(&self) -> Result<(u64, u64), Refusal> {
        Ok(self.store.read()?.unfinished_uploads()?)
    }

    /// Removes uploads whose time is over, and lets writers go that wait for more since long.
    pub(super) async fn expire_uploads(self: &Arc<Self>) -> Result<(), Refusal> {
        self.unfinished.drop_idle();
        loop {
            let expired = self.store.read()?.uploads_expired(self.clock.now(), EXPIRED_AT_ONCE_MAX)?;
            let mut removed = false;
            for id in &expired {
                // Of one that goes on, the time is extended.
                let Ok(mut lease) = self.unfinished.take(*id) else { continue };
                self.forget_upload(*id).await?;
                if let Some(writer) = lease.writer.take() {
                    writer.discard();
                }
                drop(Leftovers::new(self));
                removed = true;
            }
            if !removed || expired.len() < EXPIRED_AT_ONCE_MAX {
                return Ok(());
            }
        }
    }

    async fn forget_upload(&self, id: UploadId) -> Result<(), Refusal> {
        let forget = self.store.write(move |edit| match edit.upload(id)? {
            Some(upload) => Ok(edit.delete_upload(&upload)?),
            None => Ok::<_, Refusal>(()),
        });
        forget.await
    }

    /// The upload, if it is the caller's. Of those of others nobody learns.
    fn own_upload<S: Source>(
        &self,
        rows: &Rows<S>,
        caller: &Caller,
        id: UploadId,
    ) -> Result<UnfinishedUpload, Refusal> {
        let uploader = caller.uploader()?;
        let upload = rows.upload(id)?.filter(|upload| upload.uploader == uploader);
        // A number that was given and is no longer known was that of an upload that is over, as far as anyone can tell.
        let upload = upload.ok_or_else(|| Refusal::NotFound(format!("there is no upload {}; begin another", id.0)))?;
        if upload.expires <= self.clock.now() {
            return Err(Refusal::Gone("this upload has expired; begin another".to_owned()));
        }
        Ok(upload)
    }

    fn upload_view(&self, caller: &Caller, upload: UnfinishedUpload) -> UploadView {
        UploadView {
            id: upload.id.0,
            url: format!("{}/api/v1/uploads/{}", caller.origin, upload.id.0),
            offset: self.unfinished.received_bytes(upload.id).unwrap_or(upload.offset),
            package: upload.package,
            channel: upload.channel,
            version: upload.version,
            platform: upload.platform,
            filename: upload.display_name,
            size: upload.size,
            sha256: upload.sha256.map(Sha256Text),
            created: upload.created,
            expires: upload.expires,
        }
    }

    fn upload_end(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(i64::try_from(self.config().upload_expiry.as_secs()).unwrap_or(i64::MAX))
    }
}

impl Caller {
    /// By what right the caller uploads.
    fn uploader(&self) -> Result<Uploader, Refusal> {
        match &self.identity {
            Identity::Private(package) => Ok(Uploader::Package(*package)),
            _ => Ok(Uploader::User(self.user(Scope::Publish)?.id)),
        }
    }
}

/// The names of what an upload is to become.
fn file_name(upload: &UnfinishedUpload) -> FileName {
    FileName {
        release: ReleaseName {
            package: upload.package.clone(),
            channel: upload.channel.clone(),
            version: upload.version.clone(),
        },
        platform: upload.platform.clone(),
        display_name: upload.display_name.clone(),
    }
}

fn options(upload: &UnfinishedUpload) -> PutOptions {
    let release = upload.create_active.map(|active| if active { Create::Active } else { Create::Inactive });
    PutOptions { release, platform: upload.create_platform, late: upload.late, ..PutOptions::default() }
}
