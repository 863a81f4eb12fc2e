//! Reads a backup, as a stream or as a folder, and checks all of it on the way into a [`Sink`].
//!
//! Owns the order of what may come and the digests. A sink hears of the end only when everything was as it was written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::BackupError;
use super::manifest::{DIGESTS, Digests, JSON_BYTES_MAX, MANIFEST, Manifest, ManifestFile};
use super::tar::{self, BLOCK_BYTES, END_BYTES, Header};
use crate::model::Sha256;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 512 << 10;

/// Takes a backup apart.
pub trait Sink {
    /// The backup is going to be this.
    ///
    /// # Errors
    /// If it cannot be taken.
    fn begin(&mut self, manifest: &Manifest) -> Result<(), BackupError>;

    /// A file begins. Files that are left out do not.
    ///
    /// # Errors
    /// If it cannot be taken.
    fn begin_file(&mut self, file: &ManifestFile) -> Result<(), BackupError>;

    /// More of the file.
    ///
    /// # Errors
    /// If it cannot be taken.
    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError>;

    /// The file has all its bytes. Whether they are right is known at the end.
    ///
    /// # Errors
    /// If it cannot be taken.
    fn end_file(&mut self) -> Result<(), BackupError>;

    /// All is there and right.
    ///
    /// # Errors
    /// If it cannot be taken.
    fn end(&mut self, manifest: &Manifest, digests: &BTreeMap<String, Sha256>) -> Result<(), BackupError>;
}

/// Takes only backups that leave nothing out, and only looks at them: for those who keep the stream as it is.
#[derive(Debug, Default)]
pub struct Whole;

impl Sink for Whole {
    fn begin(&mut self, manifest: &Manifest) -> Result<(), BackupError> {
        refuse_left_out(manifest)
    }

    fn begin_file(&mut self, _: &ManifestFile) -> Result<(), BackupError> {
        Ok(())
    }

    fn write(&mut self, _: &[u8]) -> Result<(), BackupError> {
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), BackupError> {
        Ok(())
    }

    fn end(&mut self, _: &Manifest, _: &BTreeMap<String, Sha256>) -> Result<(), BackupError> {
        Ok(())
    }
}

/// Refuses a backup that is of use only to who has an earlier one.
pub(super) fn refuse_left_out(manifest: &Manifest) -> Result<(), BackupError> {
    match manifest.files.iter().find(|file| file.left_out) {
        Some(file) => Err(BackupError::Refused(format!(
            "this backup leaves {} out, because who asked for it had that file; it extends a folder of backups",
            file.name
        ))),
        None => Ok(()),
    }
}

/// A backup on its way into a sink.
pub struct BackupReader<S> {
    sink: S,
    state: State,
    /// Of a header, or of one of the two files that are read whole.
    buffer: Vec<u8>,
    manifest: Option<(Manifest, Sha256)>,
    /// The index of the file that is to come next.
    next: usize,
    files: BTreeMap<String, Sha256>,
    ended: bool,
}

enum State {
    Header,
    /// One of the two files that are read whole: bytes that are to come.
    Json {
        is_manifest: bool,
        left: u64,
    },
    File {
        left: u64,
        sha256: Box<ring::digest::Context>,
    },
    Padding {
        left: usize,
    },
    /// Zeros that came.
    End {
        zeros: usize,
    },
}

impl<S: Sink> BackupReader<S> {
    /// A reader of a stream of which nothing has come yet.
    pub fn new(sink: S) -> Self {
        Self {
            sink,
            state: State::Header,
            buffer: Vec::new(),
            manifest: None,
            next: 0,
            files: BTreeMap::new(),
            ended: false,
        }
    }

    /// What the backup is, once its beginning has come.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref().map(|(manifest, _)| manifest)
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// If they cannot be right, or the sink fails.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<(), BackupError> {
        while !bytes.is_empty() {
            let taken = match &mut self.state {
                State::Header => {
                    let taken = bytes.len().min(BLOCK_BYTES - self.buffer.len());
                    self.buffer.extend_from_slice(&bytes[..taken]);
                    if self.buffer.len() == BLOCK_BYTES {
                        self.header()?;
                    }
                    taken
                }
                State::Json { is_manifest, left } => {
                    let taken = least(bytes.len(), *left);
                    self.buffer.extend_from_slice(&bytes[..taken]);
                    *left -= taken as u64;
                    if *left == 0 {
                        let is_manifest = *is_manifest;
                        self.json(is_manifest)?;
                    }
                    taken
                }
                State::File { left, sha256 } => {
                    let taken = least(bytes.len(), *left);
                    sha256.update(&bytes[..taken]);
                    *left -= taken as u64;
                    let at_end = *left == 0;
                    self.sink.write(&bytes[..taken])?;
                    if at_end {
                        self.end_file()?;
                    }
                    taken
                }
                State::Padding { left } => {
                    let taken = bytes.len().min(*left);
                    *left -= taken;
                    if bytes[..taken].iter().any(|byte| *byte != 0) {
                        return Err(BackupError::Damaged("there is something between its files".to_owned()));
                    }
                    if *left == 0 {
                        self.state = State::Header;
                    }
                    taken
                }
                State::End { zeros } => {
                    *zeros = zeros.saturating_add(bytes.len());
                    if bytes.iter().any(|byte| *byte != 0) {
                        return Err(BackupError::Damaged("there is something behind its end".to_owned()));
                    }
                    bytes.len()
                }
            };
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// [`BackupError::Truncated`], and if the sink fails.
    pub fn finish(mut self) -> Result<(S, Manifest), BackupError> {
        let complete = matches!(self.state, State::End { zeros } if zeros >= END_BYTES);
        let place = self.place();
        match self.manifest.take() {
            None if self.buffer.is_empty() => Err(BackupError::NoBackup("it is empty".to_owned())),
            Some((manifest, _)) if complete => {
                self.sink.end(&manifest, &self.files)?;
                Ok((self.sink, manifest))
            }
            _ => Err(BackupError::Truncated(place)),
        }
    }

    /// Where in the backup the reader is.
    fn place(&self) -> String {
        let Some((manifest, _)) = &self.manifest else { return MANIFEST.to_owned() };
        match manifest.files.get(self.next) {
            _ if self.ended => "its last block".to_owned(),
            Some(file) => file.name.clone(),
            None => DIGESTS.to_owned(),
        }
    }

    fn header(&mut self) -> Result<(), BackupError> {
        let block: [u8; BLOCK_BYTES] = self.buffer[..].try_into().unwrap_or([0; BLOCK_BYTES]);
        self.buffer.clear();
        if self.ended {
            return match block.iter().all(|byte| *byte == 0) {
                true => {
                    self.state = State::End { zeros: BLOCK_BYTES };
                    Ok(())
                }
                false => Err(BackupError::Damaged("there is something behind its end".to_owned())),
            };
        }
        let header = Header::read(&block);
        let Some((manifest, _)) = &self.manifest else {
            let header = header.filter(|header| header.name == MANIFEST && header.size_bytes <= JSON_BYTES_MAX);
            let wrong = || BackupError::NoBackup(format!("it does not begin with {MANIFEST}"));
            self.begin_json(true, header.ok_or_else(wrong)?.size_bytes);
            return Ok(());
        };
        let damaged = |name: &str| BackupError::Damaged(format!("the header of {name}"));
        while manifest.files.get(self.next).is_some_and(|file| file.left_out) {
            self.next += 1;
        }
        let Some(file) = manifest.files.get(self.next) else {
            let header = header.filter(|header| header.name == DIGESTS && header.size_bytes <= JSON_BYTES_MAX);
            self.begin_json(false, header.ok_or_else(|| damaged(DIGESTS))?.size_bytes);
            return Ok(());
        };
        header
            .filter(|header| header.name == file.name && header.size_bytes == file.size_bytes)
            .ok_or_else(|| damaged(&file.name))?;
        self.sink.begin_file(file)?;
        let sha256 = Box::new(ring::digest::Context::new(&ring::digest::SHA256));
        self.state = State::File { left: file.size_bytes, sha256 };
        if file.size_bytes == 0 { self.end_file() } else { Ok(()) }
    }

    fn begin_json(&mut self, is_manifest: bool, left: u64) {
        self.state = State::Json { is_manifest, left };
    }

    fn json(&mut self, is_manifest: bool) -> Result<(), BackupError> {
        let bytes = std::mem::take(&mut self.buffer);
        match &self.manifest {
            Some((_, sha256)) if !is_manifest => {
                Digests::check(&bytes, *sha256, &self.files)?;
                self.ended = true;
            }
            _ => {
                let manifest = Manifest::read(&bytes)?;
                for file in manifest.files.iter().filter(|file| file.left_out) {
                    self.files.extend(file.digest().map(|sha256| (file.name.clone(), sha256)));
                }
                self.sink.begin(&manifest)?;
                self.manifest = Some((manifest, Sha256::of(&bytes)));
            }
        }
        self.pad(bytes.len() as u64);
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), BackupError> {
        let State::File { sha256, .. } = std::mem::replace(&mut self.state, State::Header) else { return Ok(()) };
        self.sink.end_file()?;
        let file = self.manifest.as_ref().and_then(|(manifest, _)| manifest.files.get(self.next));
        if let Some(file) = file {
            self.files.insert(file.name.clone(), Sha256::from_ring(&sha256.finish()));
            let size_bytes = file.size_bytes;
            self.next += 1;
            self.pad(size_bytes);
        }
        Ok(())
    }

    fn pad(&mut self, size_bytes: u64) {
        let left = tar::padding(size_bytes);
        self.state = if left == 0 { State::Header } else { State::Padding { left } };
    }
}

/// Reads the backup that is a folder. `reached` hears how many bytes are done.
///
/// # Errors
/// If it is none, is damaged, or the sink fails.
pub fn read_folder<S: Sink>(
    folder: &Path,
    mut sink: S,
    reached: impl Fn(&Manifest, u64),
) -> Result<(S, Manifest), BackupError> {
    let text = read_json(&folder.join(MANIFEST))?;
    let manifest = Manifest::read(&text)?;
    refuse_left_out(&manifest)?;
    sink.begin(&manifest)?;
    let mut files = BTreeMap::new();
    let mut buffer = vec![0; PIECE_BYTES];
    let mut done = 0;
    reached(&manifest, 0);
    for entry in &manifest.files {
        let path = folder.join(&entry.name);
        let failed = |source| BackupError::file(path.display(), source);
        let mut file = File::open(&path).map_err(failed)?.take(entry.size_bytes.saturating_add(1));
        sink.begin_file(entry)?;
        let mut sha256 = ring::digest::Context::new(&ring::digest::SHA256);
        let mut size_bytes = 0;
        loop {
            let count = file.read(&mut buffer).map_err(failed)?;
            if count == 0 {
                break;
            }
            size_bytes += count as u64;
            sha256.update(&buffer[..count]);
            sink.write(&buffer[..count])?;
            reached(&manifest, done + size_bytes);
        }
        if size_bytes != entry.size_bytes {
            return Err(BackupError::Damaged(format!("{} does not have its {} bytes", entry.name, entry.size_bytes)));
        }
        done += size_bytes;
        sink.end_file()?;
        files.insert(entry.name.clone(), Sha256::from_ring(&sha256.finish()));
    }
    Digests::check(&read_json(&folder.join(DIGESTS))?, Sha256::of(&text), &files)?;
    sink.end(&manifest, &files)?;
    Ok((sink, manifest))
}

/// Reads one of the two files of a folder that are JSON.
pub(super) fn read_json(path: &Path) -> Result<Vec<u8>, BackupError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(JSON_BYTES_MAX + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > JSON_BYTES_MAX => {
            Err(BackupError::Damaged(format!("{} is too large", path.display())))
        }
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(BackupError::NoBackup(format!("there is no {}", path.display())))
        }
        Err(error) => Err(BackupError::file(path.display(), error)),
    }
}

fn least(len: usize, left: u64) -> usize {
    // The lesser of both fits.
    (len as u64).min(left) as usize
}
