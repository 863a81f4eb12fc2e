//! Fetches index files into the folder of arrivals: compressed over the wire, decompressed and verified on disk.
//!
//! A file that arrived is named by the checksum it really has. So one that does not match the registry any more is
//! there already when the registry is read again, and what a broken run fetched serves the next.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

use super::disk::Disk;
use super::limits::SyncLimits;
use super::registry::IndexFile;
use super::{Mismatch, SyncError, blocking};
use crate::client::connection::{Request, is_gone};
use crate::client::gzip::{Decompressed, Gunzip, GunzipError};
use crate::client::json_depth::JsonDepth;
use crate::client::progress::Progress;
use crate::client::{Client, Url};
use crate::model::Crc32;

/// Pieces of a body between the network and the decompression.
const PIECES_AHEAD: usize = 4;

/// The folder of arrivals.
#[derive(Clone)]
pub(crate) struct Arrivals {
    pub(crate) folder: PathBuf,
    pub(crate) disk: Arc<dyn Disk>,
}

impl Arrivals {
    /// Where a file with this checksum is, if it is there.
    pub(crate) fn path(&self, file: &IndexFile, crc: Crc32) -> PathBuf {
        self.folder.join(format!("{crc}-{}.json", file.flat_name()))
    }

    /// Whether the file is there and has its checksum: after a crash it may be there and empty. Removes it if not.
    fn holds(&self, file: &IndexFile, crc: Crc32) -> Result<bool, SyncError> {
        let path = self.path(file, crc);
        match crc_of_file(&path) {
            Ok(actual) if actual == crc => Ok(true),
            Ok(_) => self.disk.remove_file(&path).map(|()| false).map_err(SyncError::disk(&path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(SyncError::disk(&path)(error)),
        }
    }
}

/// The checksum of a file's bytes.
pub(crate) fn crc_of_file(path: &Path) -> io::Result<Crc32> {
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0; 64 << 10];
    let mut crc = crc32fast::Hasher::new();
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Crc32(crc.finalize())),
            n => crc.update(&buffer[..n]),
        }
    }
}

/// Fetches files of one view.
pub(crate) struct Fetcher<'a> {
    pub(crate) client: &'a Client,
    pub(crate) root: &'a Url,
    pub(crate) limits: &'a SyncLimits,
    pub(crate) arrivals: Arrivals,
    pub(crate) progress: &'a dyn Progress,
    /// Decompressed bytes fetched so far by this run.
    pub(crate) run_bytes: Arc<AtomicU64>,
    pub(crate) parts: PartNames,
}

/// Names for files that are still arriving, each given once in a run.
pub(crate) struct PartNames {
    round: u32,
    next: AtomicU64,
}

impl PartNames {
    pub(crate) fn new(round: u32) -> Self {
        Self { round, next: AtomicU64::new(0) }
    }

    fn give(&self) -> String {
        format!("part-{}-{}", self.round, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// How fetching a set of files went.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Files that were there from an earlier run.
    pub(crate) reused: u64,
    /// Files that came over the wire.
    pub(crate) fetched: u64,
    /// One that is not what the registry lists.
    pub(crate) mismatch: Option<Mismatch>,
    /// The files that are there now, with the checksums that they really have.
    pub(crate) arrived: Vec<(IndexFile, Crc32)>,
}

enum Fetched {
    Reused,
    Whole,
    Other(Option<Crc32>),
}

impl Fetcher<'_> {
    /// Makes all of `files` arrive, several at a time. A file that does not match is reported, not an error.
    pub(crate) async fn fetch_all(&self, files: &[(IndexFile, Crc32)]) -> Result<Outcome, SyncError> {
        let mut outcome = Outcome::default();
        let mut results = stream::iter(files)
            .map(|(file, crc)| async move { self.fetch(file, *crc).await.map(|fetched| (file, *crc, fetched)) })
            .buffer_unordered(self.limits.parallel.max(1));
        let mut done = 0;
        while let Some((file, listed, fetched)) = results.try_next().await? {
            match fetched {
                Fetched::Reused => {
                    outcome.reused += 1;
                    outcome.arrived.push((file.clone(), listed));
                }
                Fetched::Whole => {
                    outcome.fetched += 1;
                    outcome.arrived.push((file.clone(), listed));
                }
                Fetched::Other(received) => {
                    outcome.arrived.extend(received.map(|crc| (file.clone(), crc)));
                    outcome.fetched += u64::from(received.is_some());
                    outcome.mismatch = Some(Mismatch { file: file.wire_path(), listed, received });
                }
            }
            done += 1;
            self.progress.reached(done);
        }
        Ok(outcome)
    }

    async fn fetch(&self, file: &IndexFile, crc: Crc32) -> Result<Fetched, SyncError> {
        let (arrivals, wanted) = (self.arrivals.clone(), file.clone());
        if blocking(move || arrivals.holds(&wanted, crc)).await? {
            return Ok(Fetched::Reused);
        }
        let limits = self.client.limits();
        let mut attempt = 1;
        loop {
            // Breaks before the answer were tried again by the client; this is for those in the middle of a body.
            match self.try_fetch(file).await {
                Ok(Some(arrived)) if arrived.crc == crc => return Ok(Fetched::Whole),
                Ok(other) => return Ok(Fetched::Other(other.map(|arrived| arrived.crc))),
                Err(SyncError::Request(error)) if error.is_connection() && attempt < limits.attempts_max => {
                    tokio::time::sleep(limits.backoff_before(attempt)).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Fetches a file whatever its checksum; nothing if the server does not have it any more.
    async fn try_fetch(&self, file: &IndexFile) -> Result<Option<Decompressed>, SyncError> {
        let response = self.client.send(&Request::get(self.root.join(&file.wire_path()))).await?;
        if is_gone(response.status) {
            return Ok(None);
        }
        let mut body = response.or_refusal().await?.body;
        let bytes_max = self.limits.file_gz_bytes_max;
        body.check_declared(bytes_max)?;
        let (pieces, receiver) = mpsc::channel(PIECES_AHEAD);
        let part = Part {
            file: file.clone(),
            path: self.arrivals.folder.join(self.parts.give()),
            arrivals: self.arrivals.clone(),
            limits: self.limits.clone(),
            run_bytes: Arc::clone(&self.run_bytes),
        };
        let writing = tokio::task::spawn_blocking(move || part.receive(receiver));
        let received = async {
            while let Some(piece) = body.piece().await? {
                if body.received_bytes() > bytes_max {
                    return Err(body.error(crate::client::error::Failure::TooLarge { bytes_max }));
                }
                if pieces.send(piece).await.is_err() {
                    // The writing side has failed and says why below.
                    break;
                }
            }
            Ok(())
        }
        .await;
        drop(pieces);
        let written = writing.await.map_err(SyncError::crashed)?;
        // A broken connection makes the data end too early: the cause is the news, not its effect.
        received?;
        written.map(Some)
    }
}

/// A file on its way to the disk.
struct Part {
    file: IndexFile,
    path: PathBuf,
    arrivals: Arrivals,
    limits: SyncLimits,
    run_bytes: Arc<AtomicU64>,
}

impl Part {
    fn receive(self, pieces: mpsc::Receiver<Bytes>) -> Result<Decompressed, SyncError> {
        let written = self.write(pieces);
        if written.is_err() {
            // What is left of it is removed with all arrivals after the next sync that ends well.
            let _ = self.arrivals.disk.remove_file(&self.path);
        }
        written
    }

    fn write(&self, mut pieces: mpsc::Receiver<Bytes>) -> Result<Decompressed, SyncError> {
        let disk = &self.arrivals.disk;
        let output = disk.create(&self.path).map_err(SyncError::disk(&self.path))?;
        let mut checked = Checked { output, depth: JsonDepth::default(), part: self, refusal: None };
        let mut gunzip = Gunzip::new(self.limits.file_bytes_max);
        while let Some(piece) = pieces.blocking_recv() {
            let pushed = gunzip.push(&piece, &mut checked);
            if let Some(refusal) = checked.refusal.take() {
                return Err(refusal);
            }
            pushed.map_err(|error| self.failed(error))?;
        }
        let decompressed = gunzip.finish().map_err(|error| self.failed(error))?;
        let path = self.arrivals.path(&self.file, decompressed.crc);
        disk.rename(&self.path, &path).map_err(SyncError::disk(&path))?;
        Ok(decompressed)
    }

    fn failed(&self, error: GunzipError) -> SyncError {
        match error {
            GunzipError::Output(error) => SyncError::disk(&self.path)(error),
            source => SyncError::File { file: self.file.wire_path(), source },
        }
    }
}

/// Lets text through to the disk as long as it is bearable.
struct Checked<'a> {
    output: Box<dyn Write + Send>,
    depth: JsonDepth,
    part: &'a Part,
    refusal: Option<SyncError>,
}

impl Write for Checked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let limits = &self.part.limits;
        let size_bytes = bytes.len() as u64;
        let run_bytes = self.part.run_bytes.fetch_add(size_bytes, Ordering::Relaxed).saturating_add(size_bytes);
        if let Err(why) = self.depth.pass(bytes, limits.json_depth_max) {
            self.refusal = Some(SyncError::TooDeep { file: self.part.file.wire_path(), why });
        } else if run_bytes > limits.run_bytes_max {
            self.refusal = Some(SyncError::TooMuch { bytes_max: limits.run_bytes_max });
        }
        if self.refusal.is_some() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.output.write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
