//! The sizes and counts that the rules of the model fix, each with its reason.
//!
//! Limits of the wire (time-outs, bodies, connections) belong to `http`; these hold wherever a value comes from.

/// Longest user name, in bytes. It is a namespace and a path segment.
pub const USER_NAME_BYTES_MAX: usize = 39;
/// Longest package name, in bytes. With the namespace it still fits a file name on every file system.
pub const PACKAGE_NAME_BYTES_MAX: usize = 100;
/// Longest version, in bytes.
pub const VERSION_BYTES_MAX: usize = 64;
/// Longest channel name, in bytes.
pub const CHANNEL_NAME_BYTES_MAX: usize = 64;
/// Longest short form of a channel name, in characters: it stands in narrow columns.
pub const CHANNEL_SHORT_CHARS_MAX: usize = 8;
/// Longest platform name, in bytes.
pub const PLATFORM_NAME_BYTES_MAX: usize = 64;
/// Longest display name of a file, in bytes: what common file systems take.
pub const DISPLAY_NAME_BYTES_MAX: usize = 255;
/// Longest Markdown text (descriptions, release notes), in bytes.
pub const MARKDOWN_BYTES_MAX: usize = 256 * 1024;
/// Longest reason for a yank, in bytes: a sentence or two.
pub const YANK_REASON_BYTES_MAX: usize = 1024;
/// Longest manifest, in bytes of JSON text.
pub const MANIFEST_BYTES_MAX: usize = 1024 * 1024;
/// Deepest nesting of any JSON that is taken in.
pub const JSON_DEPTH_MAX: usize = 64;
/// Most requirements of one file.
pub const REQUIREMENTS_MAX: usize = 1000;
/// Longest part (type, name or version) of a requirement, in bytes.
pub const REQUIREMENT_PART_BYTES_MAX: usize = 256;
/// Longest address of an external archive, in bytes.
pub const URL_BYTES_MAX: usize = 2048;
/// Longest media type, in bytes.
pub const MIME_TYPE_BYTES_MAX: usize = 127;
/// Longest name of an API token, in bytes.
pub const TOKEN_NAME_BYTES_MAX: usize = 100;
/// Longest text in an entry of the audit trail, in bytes: the longest name of a file with its release fits.
pub const AUDIT_TEXT_BYTES_MAX: usize = 512;
/// Shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Longest password, in bytes: hashing must not become a way to burn time.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Most channels, and most platforms, of one user.
pub const CHANNELS_PER_USER_MAX: usize = 100;
/// See [`CHANNELS_PER_USER_MAX`].
pub const PLATFORMS_PER_USER_MAX: usize = 500;
/// Most API tokens of one user.
pub const API_TOKENS_PER_USER_MAX: usize = 200;
/// Most members of one package.
pub const MEMBERS_PER_PACKAGE_MAX: usize = 1000;
/// Most uploads that one user, or the holder of one private token, may have begun and not finished.
pub const UNFINISHED_UPLOADS_MAX: usize = 100;
/// Most files of one release.
pub const FILES_PER_RELEASE_MAX: usize = 1000;

// A full name and a package id must fit one file name: `FULLNAME-VERSION+PLATFORM.json`.
const _: () = assert!(USER_NAME_BYTES_MAX + PACKAGE_NAME_BYTES_MAX + 1 + 5 < DISPLAY_NAME_BYTES_MAX);
const _: () = assert!(MANIFEST_BYTES_MAX >= MARKDOWN_BYTES_MAX);
