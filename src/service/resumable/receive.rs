//! Receiving the bytes of an upload that survives broken connections, and making them a file when all have come.
//!
//! A task of its own receives them, so that whatever becomes of the request, what arrived is kept: every few MiB while
//! more comes, and all of it when the request ends, however it ends.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::slots::Lease;
use super::{FINISHED_S, UploadState, file_name, options};
use crate::model::{Content, UnfinishedUpload, UploadId};
use crate::service::caller::Caller;
use crate::service::files::{NewContent, Outcome, find_place, put_file};
use crate::service::refusal::Refusal;
use crate::service::uploads::Leftovers;
use crate::service::views::FileView;
use crate::service::{Registry, StorageError};
use crate::store::{BlobWriter, Part, ReadError, StoredBlob};

/// After how many bytes what is durable is kept while more comes: what a crash of the machine loses at most.
const KEEP_BYTES: u64 = 8 << 20;
/// Pieces of a request's body between its connection and the receiver.
const PIECES_MAX: usize = 4;

/// Why an upload does not go on.
#[derive(Debug, thiserror::Error)]
pub enum ContinueError {
    /// For a reason that any use case may have.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The bytes that were sent are not the next ones.
    #[error("this upload is at byte {offset}; go on from there")]
    WrongOffset {
        /// Where to go on.
        offset: u64,
    },
    /// Another request goes on with it.
    #[error("another request sends bytes of this upload at the moment; try again when it has ended")]
    Busy,
    /// The bytes that were sent are not those of their checksum. They are forgotten.
    #[error("the bytes received do not have this checksum; none of them were taken")]
    ChecksumMismatch,
}

impl From<StorageError> for ContinueError {
    fn from(error: StorageError) -> Self {
        Self::Refused(error.into())
    }
}

/// Kinds of checksums of what one request sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksumKind {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// CRC-32 (IEEE), big endian.
    Crc32,
}

/// What the bytes of one request must come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// How it is computed.
    pub kind: ChecksumKind,
    /// What it must be.
    pub expected: Vec<u8>,
}

enum Summing {
    Ring(Box<ring::digest::Context>),
    Crc32(crc32fast::Hasher),
}

impl Summing {
    fn new(kind: ChecksumKind) -> Self {
        match kind {
            ChecksumKind::Sha1 => Self::of(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY),
            ChecksumKind::Sha256 => Self::of(&ring::digest::SHA256),
            ChecksumKind::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
        }
    }

    fn of(algorithm: &'static ring::digest::Algorithm) -> Self {
        Self::Ring(Box::new(ring::digest::Context::new(algorithm)))
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Ring(context) => context.update(bytes),
            Self::Crc32(hasher) => hasher.update(bytes),
        }
    }

    fn is(self, expected: &[u8]) -> bool {
        match self {
            Self::Ring(context) => context.finish().as_ref() == expected,
            Self::Crc32(hasher) => hasher.finalize().to_be_bytes() == expected,
        }
    }
}

/// What the bytes of one request came to.
#[derive(Debug)]
pub struct Received {
    /// How far the upload is.
    pub state: UploadState,
    /// The file, if that was all.
    pub published: Option<(FileView, Outcome)>,
}

/// The way of one request's bytes to an upload. Dropping it keeps what has come.
pub struct Receiving {
    pieces: mpsc::Sender<Piece>,
    answer: oneshot::Receiver<Result<Received, ContinueError>>,
}

enum Piece {
    Bytes(Bytes),
    End,
}

impl Receiving {
    /// Hands over the next bytes, waiting while the disk is behind. Answers false where no more are wanted: the end
    /// then says why.
    pub async fn write(&mut self, bytes: Bytes) -> bool {
        self.pieces.send(Piece::Bytes(bytes)).await.is_ok()
    }

    /// Waits until no more bytes are wanted.
    pub async fn stopped(&self) {
        self.pieces.closed().await;
    }

    /// Ends the request. What has come is durable when this returns, or, if that was all, the file is published.
    ///
    /// # Errors
    /// Whatever stopped it.
    pub async fn finish(self) -> Result<Received, ContinueError> {
        // Fails if the receiver ended before: it says why.
        let _ = self.pieces.send(Piece::End).await;
        let stopped = |_| ContinueError::Refused(Refusal::Unavailable("the server is stopping".to_owned()));
        self.answer.await.map_err(stopped)?
    }
}

impl Registry {
    /// Goes on with an upload of the caller's at `offset`. `len` is how many bytes the request will bring, if known.
    ///
    /// # Errors
    /// If the upload is elsewhere, is received by another request, or its bytes could not be published anyway.
    pub async fn continue_upload(
        self: &Arc<Self>,
        caller: &Caller,
        id: UploadId,
        offset: u64,
        len: Option<u64>,
        checksum: Option<Checksum>,
    ) -> Result<Receiving, ContinueError> {
        let rows = self.store.read()?;
        let upload = self.own_upload(&rows, caller, id)?;
        if !upload.finished {
            find_place(&rows, caller, &file_name(&upload), &options(&upload))?;
        }
        drop(rows);
        let lease = self.unfinished.take_over(id, false).await.ok_or(ContinueError::Busy)?;
        // It may have gone on meanwhile.
        let upload = self.own_upload(&self.store.read()?, caller, id)?;
        let at = lease.writer.as_ref().map_or(upload.offset, |writer| writer.len_bytes());
        let at = if upload.finished { upload.size } else { at };
        if at != offset {
            return Err(ContinueError::WrongOffset { offset: at });
        }
        if len.is_some_and(|len| len > upload.size - at) {
            return Err(Refusal::TooLarge { limit_bytes: upload.size - at }.into());
        }
        lease.taken.note(at);
        let place = self.unfinished.places.clone().try_acquire_owned();
        let place = place.map_err(|_| Refusal::Unavailable("too many uploads at once".to_owned()))?;
        let (sender, receiver) = mpsc::channel(PIECES_MAX);
        let (answered, answer) = oneshot::channel();
        let sitting =
            Sitting { registry: Arc::clone(self), caller: caller.clone(), lease, upload, checksum, wake: None };
        tokio::spawn(async move {
            let received = sitting.receive(receiver).await;
            if let Err(Err(error)) = answered.send(received) {
                tracing::debug!(%error, "an upload was interrupted");
            }
            drop(place);
        });
        Ok(Receiving { pieces: sender, answer })
    }
}

/// One request that goes on with an upload.
struct Sitting {
    registry: Arc<Registry>,
    caller: Caller,
    lease: Lease,
    upload: UnfinishedUpload,
    checksum: Option<Checksum>,
    /// The commit that keeps a part, while it is under way.
    wake: Option<JoinHandle<Result<Part, Refusal>>>,
}

/// How the bytes of a request ended.
enum End {
    Complete,
    Cut,
    Refused(ContinueError),
}

impl Sitting {
    async fn receive(mut self, pieces: mpsc::Receiver<Piece>) -> Result<Received, ContinueError> {
        if self.upload.finished {
            return Ok(self.received(None));
        }
        let mut writer = match self.lease.writer.take() {
            Some(writer) => writer,
            None => Box::new(self.take_up().await?),
        };
        let mark = self.checksum.is_some().then(|| writer.mark());
        let mut end = self.take_pieces(&mut writer, pieces, mark.is_some()).await?;
        let summed = matches!(end, End::Complete);
        if let Some(mark) = mark.filter(|_| !summed) {
            // What cannot be checked is not taken.
            writer.roll_back(mark).await?;
        }
        if writer.len_bytes() == self.upload.size && !matches!(end, End::Refused(_)) {
            return self.complete(*writer).await;
        }
        let part = writer.whole_part().await?;
        let kept = self.keep(part).await?;
        writer.note_kept(&kept);
        self.upload.offset = writer.len_bytes();
        self.lease.writer = Some(writer);
        if let End::Refused(error) = std::mem::replace(&mut end, End::Cut) {
            return Err(error);
        }
        Ok(self.received(None))
    }

    /// The writer of an upload that is not in memory.
    async fn take_up(&self) -> Result<BlobWriter, ContinueError> {
        let left_bytes = self.upload.size - self.upload.offset;
        let store = &self.registry.store;
        let Some(blob) = self.upload.blob else { return Ok(store.begin_blob(Some(left_bytes))?) };
        match store.reopen_blob(blob, left_bytes).await {
            Ok(writer) => Ok(writer),
            Err(ReadError::Storage(error)) => Err(error.into()),
            Err(error) => {
                // It will never be whole again.
                tracing::error!(%error, upload = self.upload.id.0, "an unfinished upload is damaged and given up");
                self.registry.forget_upload(self.upload.id).await?;
                Err(Refusal::Gone("this upload was damaged; begin another".to_owned()).into())
            }
        }
    }

    async fn take_pieces(
        &mut self,
        writer: &mut BlobWriter,
        mut pieces: mpsc::Receiver<Piece>,
        checked: bool,
    ) -> Result<End, ContinueError> {
        let mut summing = self.checksum.as_ref().map(|checksum| Summing::new(checksum.kind));
        let mut next_keep = writer.len_bytes() + KEEP_BYTES;
        let end = loop {
            let piece = tokio::select! {
                biased;
                () = self.lease.taken.interrupt.notified() => break End::Refused(ContinueError::Busy),
                piece = pieces.recv() => piece,
            };
            let bytes = match piece {
                Some(Piece::Bytes(bytes)) => bytes,
                Some(Piece::End) => break End::Complete,
                None => break End::Cut,
            };
            if bytes.len() as u64 > self.upload.size - writer.len_bytes() {
                let limit_bytes = self.upload.size - writer.len_bytes();
                break End::Refused(Refusal::TooLarge { limit_bytes }.into());
            }
            if let Some(summing) = &mut summing {
                summing.update(&bytes);
            }
            writer.write(bytes).await?;
            self.lease.taken.note(writer.len_bytes());
            if !checked && writer.len_bytes() >= next_keep {
                next_keep = writer.len_bytes() + KEEP_BYTES;
                self.keep_meanwhile(writer).await?;
            }
        };
        self.kept_meanwhile(writer).await?;
        if let (End::Complete, Some(summing), Some(checksum)) = (&end, summing, &self.checksum)
            && !summing.is(&checksum.expected)
        {
            return Ok(End::Refused(ContinueError::ChecksumMismatch));
        }
        Ok(end)
    }

    /// Has what is durable kept while more is received.
    async fn keep_meanwhile(&mut self, writer: &mut BlobWriter) -> Result<(), ContinueError> {
        self.kept_meanwhile(writer).await?;
        if let Some(part) = writer.durable_part() {
            self.wake = Some(tokio::spawn(keep(Arc::clone(&self.registry), self.upload.id, part)));
        }
        Ok(())
    }

    async fn kept_meanwhile(&mut self, writer: &mut BlobWriter) -> Result<(), ContinueError> {
        if let Some(wake) = self.wake.take() {
            let part = wake.await.map_err(|error| Refusal::Unavailable(error.to_string()))??;
            writer.note_kept(&part);
        }
        Ok(())
    }

    async fn keep(&mut self, part: Part) -> Result<Part, ContinueError> {
        self.upload.expires = self.registry.upload_end(self.registry.clock.now());
        Ok(keep(Arc::clone(&self.registry), self.upload.id, part).await?)
    }

    fn received(&self, published: Option<(FileView, Outcome)>) -> Received {
        let UnfinishedUpload { id, size, offset, expires, .. } = self.upload;
        let offset = if published.is_some() || self.upload.finished { size } else { offset };
        Received { state: UploadState { id, offset, size, expires }, published }
    }

    /// Publishes the whole. A refusal leaves nothing behind; a failure that may pass leaves what was kept before.
    async fn complete(mut self, writer: BlobWriter) -> Result<Received, ContinueError> {
        let mut leftovers = Leftovers::new(&self.registry);
        let stored = Arc::new(writer.finish().await?);
        let published = self.publish(&stored).await;
        match published {
            Ok((view, outcome, is_new)) => {
                leftovers.expected = !is_new || outcome == Outcome::Replaced;
                Ok(self.received(Some((view, outcome))))
            }
            Err(refusal @ (Refusal::DiskFull | Refusal::Unavailable(_) | Refusal::Store(_))) => Err(refusal.into()),
            Err(refusal) => {
                let id = self.upload.id;
                let give_up = self.registry.store.write(move |edit| {
                    edit.give_up(&stored)?;
                    match edit.upload(id)? {
                        Some(upload) => Ok(edit.delete_upload(&upload)?),
                        None => Ok::<_, Refusal>(()),
                    }
                });
                give_up.await?;
                Err(refusal.into())
            }
        }
    }

    async fn publish(&mut self, stored: &Arc<StoredBlob>) -> Result<(FileView, Outcome, bool), Refusal> {
        if let Some(expected) = self.upload.sha256.filter(|expected| *expected != stored.sha256()) {
            return Err(Refusal::invalid(
                "sha256",
                format!("the bytes received have the SHA-256 {}, not {expected}; nothing was stored", stored.sha256()),
            ));
        }
        let deed = self.registry.deed(&self.caller);
        let new = NewContent {
            size: stored.size_bytes(),
            sha256: stored.sha256(),
            content: Content::Blob { crc32: stored.crc32() },
            mime_type: self.upload.mime_type.clone(),
            role: self.upload.role,
        };
        self.upload.expires = deed.now.plus_seconds(FINISHED_S);
        let (expires, id) = (self.upload.expires, self.upload.id);
        let (name, options) = (file_name(&self.upload), options(&self.upload));
        let (stored, size_bytes) = (Arc::clone(stored), stored.size_bytes());
        let publish = self.registry.store.write_content(stored.row_bytes(), move |edit| {
            let mut upload = edit.upload(id)?.ok_or_else(|| Refusal::Gone("this upload was deleted".to_owned()))?;
            // What it held of the quota is free for what it becomes.
            (upload.finished, upload.blob, upload.offset, upload.expires) = (true, None, upload.size, expires);
            edit.put_upload(&upload)?;
            let mut is_new = false;
            let put = put_file(edit, &deed, &name, &options, &new, |edit| {
                is_new = edit.adopt_blob(&stored)?;
                Ok(())
            })?;
            if put.outcome == Outcome::Unchanged {
                edit.give_up(&stored)?;
            }
            Ok::<_, Refusal>((put.view, put.outcome, is_new))
        });
        let published = publish.await?;
        self.registry.counters.count_upload(size_bytes);
        Ok(published)
    }
}

/// Keeps a part and extends the upload's time.
async fn keep(registry: Arc<Registry>, id: UploadId, part: Part) -> Result<Part, Refusal> {
    let expires = registry.upload_end(registry.clock.now());
    let kept = part.clone();
    let keep = registry.store.write(move |edit| {
        let mut upload = edit.upload(id)?.ok_or_else(|| Refusal::Gone("this upload was deleted".to_owned()))?;
        edit.keep_part(&kept)?;
        (upload.offset, upload.blob, upload.expires) = (kept.end_bytes(), Some(kept.blob_id()), expires);
        Ok::<_, Refusal>(edit.put_upload(&upload)?)
    });
    keep.await?;
    Ok(part)
}
