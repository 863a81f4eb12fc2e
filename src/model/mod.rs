//! The words of a registry and their rules: names, versions, ids, digests, entities.
//!
//! Everything here is plain data and pure functions. Nothing in this folder reads a clock, a file or a socket, and
//! nothing here knows how a value is stored or sent. A value of one of these types has passed its parser.

pub mod audit;
pub mod byte_order_mark;
pub mod channel;
pub mod dependency;
pub mod digest;
pub mod durations;
pub mod file;
pub mod file_role;
pub mod id;
pub mod limits;
pub mod manifest;
pub mod markdown;
mod media_type_guess;
pub mod name;
mod nearest;
pub mod package;
pub mod package_id;
pub mod release;
pub mod retention;
pub mod time;
pub mod token;
pub mod upload;
pub mod user;
pub mod version;
pub mod version_advice;
mod version_comparator;
pub mod version_requirement;

pub use audit::{AuditAction, AuditEntry};
pub use channel::{Channel, Platform};
pub use dependency::Dependency;
pub use digest::{Crc32, Sha256};
pub use durations::Durations;
pub use file::{Content, ExternalUrl, MimeType, ReleaseFile, Requirement, RequirementPart};
pub use file_role::FileRole;
pub use id::{ApiTokenId, ChannelId, FileId, PackageKey, PlatformId, ReleaseId, UploadId, UserId};
pub use manifest::Manifest;
pub use markdown::Markdown;
pub use name::{ChannelName, ChannelShort, DisplayName, FullName, InvalidName, PackageName, PlatformName, UserName};
pub use nearest::nearest;
pub use package::{Member, Package, Role, Visibility};
pub use package_id::PackageId;
pub use release::{Release, YankReason};
pub use retention::{Retention, RetentionMoment, RetentionRule};
pub use time::{Day, Timestamp};
pub use token::{Scope, TokenKind, TokenSecret};
pub use upload::{UnfinishedUpload, Uploader};
pub use user::{ApiToken, Invitation, Label, Password, PasswordHash, Session, User};
pub use version::{Version, VersionScheme};
pub use version_advice::version_advice;
pub use version_requirement::{InvalidVersionRequirement, VersionRequirement};
