//! Release files, what they require, and where their content is.

use super::digest::{Crc32, Sha256};
use super::file_role::FileRole;
use super::id::{FileId, PlatformId, ReleaseId};
use super::limits::{MIME_TYPE_BYTES_MAX, REQUIREMENT_PART_BYTES_MAX, URL_BYTES_MAX};
use super::name::DisplayName;
use super::time::Timestamp;

/// One file of a release for one platform. [`file_role`] says whether it is the *archive* of its platform or an
/// *attachment*.
///
/// [`file_role`]: super::file_role
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFile {
    /// Its id.
    pub id: FileId,
    /// The release.
    pub release: ReleaseId,
    /// What it runs on.
    pub platform: PlatformId,
    /// Its original name, unique within release and platform.
    pub display_name: DisplayName,
    /// The role that somebody chose for it; without one, it follows from the names of the release's files.
    pub chosen_role: Option<FileRole>,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    /// Where its bytes are.
    pub content: Content,
    /// What kind of file it is.
    pub mime_type: MimeType,
    /// Whether a manifest was published with it.
    pub has_manifest: bool,
    /// What it needs to run.
    pub requirements: Vec<Requirement>,
    /// When it was added.
    pub created: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
}

impl AsRef<ReleaseFile> for ReleaseFile {
    fn as_ref(&self) -> &ReleaseFile {
        self
    }
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Here, as the blob of the file's SHA-256.
    Blob {
        /// CRC-32 of the bytes, computed when they came in.
        crc32: Crc32,
    },
    /// Elsewhere; size and SHA-256 were given, not computed.
    External {
        /// Where to fetch it.
        url: ExternalUrl,
    },
    /// Elsewhere; nobody has given size and SHA-256 yet, and the file's fields are zero.
    Unseen {
        /// Where to fetch it.
        url: ExternalUrl,
    },
}

impl ReleaseFile {
    /// The size in bytes, where it is known.
    #[must_use]
    pub fn known_size(&self) -> Option<u64> {
        self.content.is_known().then_some(self.size)
    }

    /// The SHA-256, where it is known.
    #[must_use]
    pub fn known_sha256(&self) -> Option<Sha256> {
        self.content.is_known().then_some(self.sha256)
    }
}

impl Content {
    /// The address, where the bytes are elsewhere.
    #[must_use]
    pub fn external_url(&self) -> Option<&ExternalUrl> {
        match self {
            Self::Blob { .. } => None,
            Self::External { url } | Self::Unseen { url } => Some(url),
        }
    }

    /// Whether size and SHA-256 are known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unseen { .. })
    }

    /// The CRC-32, where the bytes are here.
    #[must_use]
    pub fn crc32(&self) -> Option<Crc32> {
        match self {
            Self::Blob { crc32 } => Some(*crc32),
            Self::External { .. } | Self::Unseen { .. } => None,
        }
    }
}

/// The address of an archive kept elsewhere: an absolute `http` or `https` URL of visible ASCII, at most 2048 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUrl(Box<str>);

/// Why a text is not such an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an external address is an absolute http:// or https:// URL of at most 2048 characters, without spaces")]
pub struct InvalidExternalUrl;

impl ExternalUrl {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ExternalUrl {
    type Err = InvalidExternalUrl;

    fn from_str(text: &str) -> Result<Self, InvalidExternalUrl> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
        let well_formed = host.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'[')
            && text.len() <= URL_BYTES_MAX
            && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b));
        if well_formed { Ok(Self(text.into())) } else { Err(InvalidExternalUrl) }
    }
}

/// A media type such as `application/zip`, at most 127 bytes of visible ASCII (RFC 9110, section 8.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MimeType(Box<str>);

/// Why a text is not a media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a media type is type/subtype, such as application/zip, of at most 127 characters")]
pub struct InvalidMimeType;

impl MimeType {
    /// What a file is when nobody said.
    #[must_use]
    pub fn octet_stream() -> Self {
        Self("application/octet-stream".into())
    }

    /// The type and subtype without parameters.
    #[must_use]
    pub fn essence(&self) -> &str {
        self.0.split(';').next().unwrap_or_default().trim_end()
    }

    /// The media type.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for MimeType {
    type Err = InvalidMimeType;

    fn from_str(text: &str) -> Result<Self, InvalidMimeType> {
        let essence = text.split(';').next().unwrap_or_default().trim_end();
        let is_token = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
        };
        let well_formed = text.len() <= MIME_TYPE_BYTES_MAX
            && essence.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
            && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        if well_formed { Ok(Self(text.into())) } else { Err(InvalidMimeType) }
    }
}

/// Something a file needs to run: an operating system, a library, another package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Requirement {
    /// What kind of thing, such as `os` or `package`.
    #[serde(rename = "type")]
    pub kind: RequirementPart,
    /// Its name.
    pub name: RequirementPart,
    /// Which version of it; may be empty.
    pub version: RequirementPart,
}

/// A part of a requirement: one line of at most 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
pub struct RequirementPart(Box<str>);

/// Why a text is not a part of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("type, name and version of a requirement are lines of at most 256 bytes")]
pub struct InvalidRequirementPart;

impl RequirementPart {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for RequirementPart {
    type Err = InvalidRequirementPart;

    fn from_str(text: &str) -> Result<Self, InvalidRequirementPart> {
        if text.len() > REQUIREMENT_PART_BYTES_MAX || text.chars().any(char::is_control) {
            return Err(InvalidRequirementPart);
        }
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_addresses() {
        for good in ["https://example.org/a.zip", "http://[::1]:8080/a?b=c#d", "https://a/%20"] {
            assert!(good.parse::<ExternalUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "ftp://a",
            "//a",
            "a.zip",
            "https://",
            "https://a b",
            "https:///x",
            "javascript:alert(1)",
            "https://a\n",
        ] {
            assert!(bad.parse::<ExternalUrl>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn media_types() {
        for good in ["application/zip", "text/plain; charset=utf-8", "application/vnd.a+json"] {
            assert!(good.parse::<MimeType>().is_ok(), "{good}");
        }
        for bad in ["", "zip", "a/", "/b", "a/b\r\nX: y", "a b/c", "é/b"] {
            assert!(bad.parse::<MimeType>().is_err(), "{bad:?}");
        }
    }
}
