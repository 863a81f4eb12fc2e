//! Unpacks an archive into a folder that nothing else has touched: `.zip` and `.tar.gz`, strictly.
//!
//! An archive is hostile until it has been read to its end. What is not a plain file or folder below the folder is
//! refused, and with it the whole archive. The readers here take the small part of both formats that packages need:
//! everything else of them is a way to say something to one program and something else to another.

mod sink;
mod tar;
mod zip;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::Path;

use self::sink::Sink;
pub use self::sink::UnpackLimits;

/// A kind of archive that can be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A ZIP file.
    Zip,
    /// A tar file, compressed with gzip.
    TarGz,
}

/// Why an archive is not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It is damaged, or of a form that is not taken.
    #[error("it cannot be unpacked: {0}")]
    Malformed(String),
    /// An entry is something that no package should hold.
    #[error("it is not unpacked, because it holds {what}: {entry:?}")]
    Refused {
        /// What kind of thing.
        what: &'static str,
        /// The entry's name, made fit for a terminal.
        entry: String,
    },
    /// It would become too much.
    #[error("it is not unpacked, because it would become {0}")]
    TooMuch(String),
    /// The file system failed.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

impl UnpackError {
    fn malformed(why: impl Into<String>) -> Self {
        Self::Malformed(why.into())
    }

    fn refused(what: &'static str, entry: &str) -> Self {
        Self::Refused { what, entry: crate::client::problem::printable(entry).unwrap_or_default() }
    }
}

impl Kind {
    /// What a file of this name is, if it is an archive that can be unpacked.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if name.ends_with(".zip") {
            Some(Self::Zip)
        } else if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
            Some(Self::TarGz)
        } else {
            None
        }
    }
}

/// Unpacks `archive` into `folder`, which must exist, be empty, and belong to the caller alone. If that fails, what is
/// in the folder is worth nothing.
///
/// # Errors
/// [`UnpackError`].
pub fn unpack(archive: &File, kind: Kind, folder: &Path, limits: &UnpackLimits) -> Result<(), UnpackError> {
    let size_bytes = archive.metadata()?.len();
    let mut sink = Sink::new(folder, limits, size_bytes);
    match kind {
        Kind::Zip => zip::unpack(archive, size_bytes, &mut sink),
        Kind::TarGz => tar::unpack(archive, &mut sink),
    }
}
