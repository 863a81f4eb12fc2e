//! `packhouse backup`: flags into a backup of a running server or of a stopped one's directory, its report into words.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::json;

use super::args::BackupArgs;
use super::export::count;
use super::output::Output;
use super::units::human_bytes;
use super::{Failure, connect, in_process};
use crate::client::backup::{IncomingBackup, fetch_backup};
use crate::client::progress::Task;
use crate::model::Sha256;
use crate::service::RunningBackup;
use crate::store::backup::{BackupFolder, BackupReader, Kept, Manifest, Whole};

/// What follows the name of a file that is not whole yet.
const UNFINISHED: &str = ".part";

/// Backs up.
///
/// # Errors
/// Wrong usage, or why it failed: then there is nothing new, and older backups are as they were.
pub fn run(args: &BackupArgs, output: &Output) -> Result<(), Failure> {
    let target = Target::open(args)?;
    match &args.url {
        Some(url) => {
            let root = connect::server_url(url)?;
            let token = connect::token(args.token_file.as_deref())?;
            let client = connect::client(&root, token, args.ca_file.as_deref(), output);
            connect::block_on(async {
                let incoming = fetch_backup(&client, &root, &target.known()).await.map_err(Failure::of)?;
                transfer(Source::Server(Box::new(incoming)), target, args, output).await
            })
        }
        None => in_process::with_registry(&args.data, |registry| {
            connect::block_on(async {
                let backup = registry.begin_own_backup(target.known()).await.map_err(Failure::of)?;
                transfer(Source::Directory(Box::new(backup)), target, args, output).await
            })
        }),
    }
}

/// Where a backup comes from.
enum Source {
    Server(Box<IncomingBackup>),
    Directory(Box<RunningBackup>),
}

impl Source {
    fn len_bytes(&self) -> Option<u64> {
        match self {
            Self::Server(incoming) => incoming.len_bytes,
            Self::Directory(backup) => Some(backup.len_bytes()),
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        match self {
            Self::Server(incoming) => incoming.body.piece().await.map_err(Failure::of),
            Self::Directory(backup) => backup.next().await.map_err(Failure::of),
        }
    }
}

async fn transfer(mut source: Source, mut target: Target, args: &BackupArgs, output: &Output) -> Result<(), Failure> {
    let progress = output.progress();
    progress.begin(Task::Copy { bytes: source.len_bytes().unwrap_or_default() });
    let mut received_bytes = 0;
    while let Some(bytes) = source.piece().await? {
        target.take(&bytes)?;
        received_bytes += bytes.len() as u64;
        progress.reached(received_bytes);
    }
    let (manifest, place, kept) = target.finish(args.keep)?;
    drop(progress);
    let volumes = manifest.files.len() as u64 - 1;
    let left_out = manifest.files.iter().filter(|file| file.left_out).count() as u64;
    let mut words = format!(
        "{place}: serial {}, {}, {} received",
        manifest.serial,
        count(volumes, "volume"),
        human_bytes(received_bytes)
    );
    if left_out > 0 {
        words.push_str(&format!(", {left_out} shared with the backup before"));
    }
    let mut value = json!({
        "to": place,
        "serial": manifest.serial,
        "made": manifest.made,
        "received_bytes": received_bytes,
        "whole_bytes": manifest.whole_bytes(),
        "volumes": volumes,
        "volumes_shared": left_out,
    });
    if let Some(kept) = kept {
        value["kept"] = kept.kept.into();
        value["removed"] = kept.removed.into();
        words.push_str(&format!("\n{} kept, {} removed", count(kept.kept as u64, "backup"), kept.removed));
    }
    if args.to == "-" {
        output.note(&words);
        return Ok(());
    }
    output.result(&words, &value)
}

/// Where a backup goes.
enum Target {
    Folder(Box<BackupReader<BackupFolder>>, BTreeMap<u32, Sha256>),
    File(Part, Box<BackupReader<Whole>>),
    StandardOutput(Box<BackupReader<Whole>>),
}

impl Target {
    fn open(args: &BackupArgs) -> Result<Self, Failure> {
        let path = Path::new(&args.to);
        let is_folder = args.to != "-" && (args.to.ends_with('/') || path.is_dir());
        if args.keep.is_some() && !is_folder {
            return Err(Failure::Usage(
                "--keep is for a folder of backups: one that is there, or --to NAME/".to_owned(),
            ));
        }
        if args.keep == Some(0) {
            return Err(Failure::Usage("--keep is a number from 1 on".to_owned()));
        }
        if is_folder {
            let folder = BackupFolder::open(path).map_err(Failure::of)?;
            let known = folder.known();
            return Ok(Self::Folder(Box::new(BackupReader::new(folder)), known));
        }
        let reader = Box::new(BackupReader::new(Whole));
        if args.to == "-" { Ok(Self::StandardOutput(reader)) } else { Ok(Self::File(Part::open(path)?, reader)) }
    }

    /// What need not come again.
    fn known(&self) -> BTreeMap<u32, Sha256> {
        match self {
            Self::Folder(_, known) => known.clone(),
            _ => BTreeMap::new(),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Folder(reader, _) => reader.take(bytes).map_err(Failure::of),
            Self::File(part, reader) => {
                part.write(bytes)?;
                reader.take(bytes).map_err(Failure::of)
            }
            Self::StandardOutput(reader) => {
                let written = io::stdout().lock().write_all(bytes);
                written.map_err(|error| Failure::Failed(format!("standard output: {error}")))?;
                reader.take(bytes).map_err(Failure::of)
            }
        }
    }

    /// What was backed up, where it is, and what the folder holds.
    fn finish(self, keep: Option<usize>) -> Result<(Manifest, String, Option<Kept>), Failure> {
        match self {
            Self::Folder(reader, _) => {
                let (folder, manifest) = reader.finish().map_err(Failure::of)?;
                let kept = folder.keep(keep).map_err(Failure::of)?;
                Ok((manifest, kept.backup.display().to_string(), Some(kept)))
            }
            Self::File(part, reader) => {
                let (_, manifest) = reader.finish().map_err(Failure::of)?;
                let place = part.path.display().to_string();
                part.commit()?;
                Ok((manifest, place, None))
            }
            Self::StandardOutput(reader) => {
                let (_, manifest) = reader.finish().map_err(Failure::of)?;
                let flushed = io::stdout().lock().flush();
                flushed.map_err(|error| Failure::Failed(format!("standard output: {error}")))?;
                Ok((manifest, "standard output".to_owned(), None))
            }
        }
    }
}

/// A file that gets its name when it is whole, and takes the place of one that has it.
struct Part {
    path: PathBuf,
    part: PathBuf,
    file: Option<File>,
}

impl Part {
    fn open(path: &Path) -> Result<Self, Failure> {
        let mut part = path.as_os_str().to_owned();
        part.push(UNFINISHED);
        let part = PathBuf::from(part);
        let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let file = opened.map_err(|error| Failure::Failed(format!("{}: {error}", part.display())))?;
        Ok(Self { path: path.to_owned(), part, file: Some(file) })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).map_err(|error| Failure::Failed(format!("{}: {error}", self.part.display())))
    }

    fn commit(mut self) -> Result<(), Failure> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        file.sync_all()
            .and_then(|()| fs::rename(&self.part, &self.path))
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(|error| Failure::Failed(format!("{}: {error}", self.path.display())))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // What cannot be removed is overwritten by the next attempt.
            let _ = fs::remove_file(&self.part);
        }
    }
}
