//! Holds content against its digest while others read and write.
//!
//! Owns the reading and the verdict. When to read what, and how fast, is for the services above.

use futures_util::StreamExt as _;

use super::blobs::{LiveBlob, ledger};
use super::file::StorageError;
use super::open::Store;
use super::{ReadError, Snapshot};
use crate::model::Sha256;

impl Store {
    /// The content whose digest comes next behind `after`, or the first of all.
    ///
    /// # Errors
    /// If the file fails.
    pub fn next_blob(&self, after: Option<&Sha256>) -> Result<Option<LiveBlob>, StorageError> {
        ledger::live_blob_after(self.read()?.source(), after)
    }

    /// Reads a content to its end and says what is wrong with it; nothing where it is what was stored, or where nobody
    /// refers to it any more. `pace` is told of each piece and may wait before the next.
    ///
    /// # Errors
    /// If the files fail, so that nothing is known of the content.
    pub async fn verify_blob<F>(
        &self,
        blob: &LiveBlob,
        pace: impl FnMut(u64) -> F,
    ) -> Result<Option<String>, StorageError>
    where
        F: Future<Output = ()>,
    {
        let rows = self.read()?;
        if ledger::find(rows.source(), blob.sha256)?.is_none() {
            return Ok(None);
        }
        let problem = self.content_problem(rows, blob, blob.size_bytes, pace).await?;
        // It may have been given up while it was read.
        let is_live = || Ok::<_, StorageError>(ledger::find(self.read()?.source(), blob.sha256)?.is_some());
        Ok(match problem {
            Some(problem) if is_live()? => Some(problem),
            _ => None,
        })
    }

    /// Reads the first bytes of a content that `rows` have, and says what is wrong with it: where that is all of it,
    /// also whether it fits its digest.
    pub(super) async fn content_problem<F>(
        &self,
        rows: Snapshot,
        blob: &LiveBlob,
        end_bytes: u64,
        mut pace: impl FnMut(u64) -> F,
    ) -> Result<Option<String>, StorageError>
    where
        F: Future<Output = ()>,
    {
        let read = async {
            let source = self.open_blob(&rows, &blob.sha256)?;
            // A snapshot that is held keeps old pages from being used again.
            drop(rows);
            let mut reader = source.reader(0..end_bytes)?;
            let mut sha256 = ring::digest::Context::new(&ring::digest::SHA256);
            while let Some(bytes) = reader.next().await {
                let bytes = bytes?;
                sha256.update(&bytes);
                pace(bytes.len() as u64).await;
            }
            Ok::<_, ReadError>(Sha256::from_ring(&sha256.finish()))
        };
        match read.await {
            Ok(sha256) if end_bytes < blob.size_bytes || sha256 == blob.sha256 => Ok(None),
            Ok(_) => Ok(Some("its bytes are not those that were stored".to_owned())),
            Err(ReadError::Storage(error)) if !matches!(error, StorageError::Corrupt { .. }) => Err(error),
            Err(error) => Ok(Some(error.to_string())),
        }
    }
}
