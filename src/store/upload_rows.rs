//! Unfinished uploads in the tables, together with what the blobs keep of them.

use std::sync::Arc;

use redb::ReadableTable;

use super::StorageError;
use super::blobs::{Part, StoredBlob, ledger};
use super::edit::Edit;
use super::records::Record;
use super::rows::{Rows, Source};
use super::tables;
use crate::model::{Timestamp, UnfinishedUpload, UploadId, Uploader, UserName};

/// In the keys of [`tables::UPLOADS_BY_UPLOADER`]: what the number after it is the id of.
fn uploader_key(uploader: Uploader) -> (u8, u64) {
    match uploader {
        Uploader::User(user) => (0, user.0),
        Uploader::Package(package) => (1, package.0),
    }
}

impl<S: Source> Rows<S> {
    /// An upload.
    pub fn upload(&self, id: UploadId) -> Result<Option<UnfinishedUpload>, StorageError> {
        self.record(tables::UPLOADS, &id.0, id)
    }

    /// The uploads that somebody began, oldest first, finished ones too.
    pub fn uploads_of(&self, uploader: Uploader) -> Result<Vec<UnfinishedUpload>, StorageError> {
        let (kind, id) = uploader_key(uploader);
        let table = self.source().table(tables::UPLOADS_BY_UPLOADER)?;
        let mut uploads = Vec::new();
        for row in table.range((kind, id, 0)..=(kind, id, u64::MAX))? {
            let (key, _) = row?;
            let id = UploadId(key.value().2);
            let upload = self.upload(id)?;
            uploads.push(upload.ok_or_else(|| StorageError::damaged("upload", format!("{} is missing", id.0)))?);
        }
        Ok(uploads)
    }

    /// The bytes that uploads into a namespace, begun and not finished, will have when they are.
    ///
    /// Of one that was begun by a program of the time before this was counted, nothing is known until it goes on.
    pub fn awaited_bytes(&self, namespace: &UserName) -> Result<u64, StorageError> {
        let name = namespace.as_str();
        let table = self.source().table(tables::UPLOADS_BY_NAMESPACE)?;
        let mut rows = table.range((name, 0)..=(name, u64::MAX))?;
        rows.try_fold(0_u64, |sum, row| Ok(sum.saturating_add(row?.1.value())))
    }

    /// Up to `limit` uploads, finished ones too, that expired before a time.
    pub fn uploads_expired(&self, before: Timestamp, limit: usize) -> Result<Vec<UploadId>, StorageError> {
        let table = self.source().table(tables::UPLOADS_BY_END)?;
        let rows = table.range(..(before.as_micros(), 0))?.take(limit);
        rows.map(|row| row.map(|(key, _)| UploadId(key.value().1)).map_err(StorageError::from)).collect()
    }

    /// How many uploads there are that are not finished, and the bytes that are kept of them.
    pub fn unfinished_uploads(&self) -> Result<(u64, u64), StorageError> {
        let table = self.source().table(tables::UPLOADS)?;
        let (mut count, mut bytes) = (0, 0);
        for row in table.iter()? {
            let (id, record) = row?;
            let upload = UnfinishedUpload::from_bytes(UploadId(id.value()), record.value())?;
            if !upload.finished {
                count += 1;
                bytes += upload.offset;
            }
        }
        Ok((count, bytes))
    }
}

impl Edit<'_, '_> {
    /// Adds or replaces an upload.
    pub fn put_upload(&mut self, upload: &UnfinishedUpload) -> Result<(), StorageError> {
        let former = self.upload(upload.id)?;
        let tx = self.tx();
        tx.open_table(tables::UPLOADS)?.insert(upload.id.0, upload.to_bytes()?.as_slice())?;
        let (kind, id) = uploader_key(upload.uploader);
        let mut by_end = tx.open_table(tables::UPLOADS_BY_END)?;
        match former {
            Some(former) => drop(by_end.remove((former.expires.as_micros(), former.id.0))?),
            None => drop(tx.open_table(tables::UPLOADS_BY_UPLOADER)?.insert((kind, id, upload.id.0), ())?),
        }
        by_end.insert((upload.expires.as_micros(), upload.id.0), ())?;
        let namespace = upload.package.namespace();
        let mut awaited = tx.open_table(tables::UPLOADS_BY_NAMESPACE)?;
        if upload.finished {
            awaited.remove((namespace.as_str(), upload.id.0))?;
        } else {
            awaited.insert((namespace.as_str(), upload.id.0), upload.size)?;
        }
        Ok(())
    }

    /// Removes an upload with what is kept of it.
    pub fn delete_upload(&mut self, upload: &UnfinishedUpload) -> Result<(), StorageError> {
        let tx = self.tx();
        tx.open_table(tables::UPLOADS)?.remove(upload.id.0)?;
        let (kind, id) = uploader_key(upload.uploader);
        tx.open_table(tables::UPLOADS_BY_UPLOADER)?.remove((kind, id, upload.id.0))?;
        tx.open_table(tables::UPLOADS_BY_END)?.remove((upload.expires.as_micros(), upload.id.0))?;
        let namespace = upload.package.namespace();
        tx.open_table(tables::UPLOADS_BY_NAMESPACE)?.remove((namespace.as_str(), upload.id.0))?;
        match upload.blob {
            Some(blob) => ledger::drop_part(tx, blob),
            None => Ok(()),
        }
    }

    /// Keeps the next part of an upload's bytes; the upload is to be put too.
    pub fn keep_part(&mut self, part: &Part) -> Result<(), StorageError> {
        ledger::keep_part(self.tx(), part)
    }

    /// Gives up complete content of which parts were kept. Without such parts it does nothing: content that nobody
    /// takes is discarded anyway.
    pub fn give_up(&mut self, stored: &Arc<StoredBlob>) -> Result<(), StorageError> {
        ledger::give_up(self.tx(), stored)
    }
}
