//! Names of users, packages, channels, platforms and files, and the parsers that are the only way to make them.

use std::fmt;
use std::str::FromStr;

use super::limits;

/// Why a text is not a valid name. Its message says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct InvalidName {
    what: &'static str,
    problem: &'static str,
}

/// Declares a checked name: a text that its `check` function has passed.
macro_rules! checked_name {
    ($(#[$meta:meta])* $type:ident, $what:literal, $check:path) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(Box<str>);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                $check(text).map_err(|problem| InvalidName { what: $what, problem })?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($type), self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

checked_name!(
    /// The name of a user, which is also the namespace of the user's packages: `[a-z0-9][a-z0-9-]{0,38}`.
    UserName, "a user name", check_user_name
);
/// Names that new users cannot have: the first parts of addresses that mean something else, and of some that may come
/// to. Users of such a name from before keep it; the page of their packages then has another address.
const RESERVED_USER_NAMES: [&str; 33] = [
    "about",
    "account",
    "admin",
    "api",
    "assets",
    "channels",
    "docs",
    "download",
    "feeds",
    "healthz",
    "help",
    "invitation",
    "kit",
    "login",
    "logout",
    "metrics",
    "new",
    "p",
    "packages",
    "readyz",
    "registry",
    "search",
    "setup",
    "signin",
    "signout",
    "signup",
    "static",
    "status",
    "t",
    "users",
    "v1",
    "v2",
    "v3",
];

impl UserName {
    /// Whether no new user can have this name, because an address begins with it.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        RESERVED_USER_NAMES.contains(&self.as_str())
    }
}

checked_name!(
    /// The name of a package in its namespace: `[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*`, at most 100 bytes.
    ///
    /// Two names that differ only in case cannot stand in one namespace; compare [`PackageName::folded`] for that.
    PackageName, "a package name", check_package_name
);
checked_name!(
    /// The name of a channel: `[A-Za-z0-9][A-Za-z0-9_-]*`, at most 64 bytes.
    ChannelName, "a channel name", check_channel_name
);
checked_name!(
    /// The short form of a channel's name: 1 to 8 visible characters.
    ChannelShort, "the short form of a channel name", check_channel_short
);
checked_name!(
    /// The name of a platform: dot-separated runs of `[0-9A-Za-z-]`, at most 64 bytes, so that a package id with it
    /// stays valid SemVer build metadata.
    PlatformName, "a platform name", check_platform_name
);
checked_name!(
    /// The original name of a file: 1 to 255 bytes that every file system can hold, with no path and nothing unseen.
    DisplayName, "a file name", check_display_name
);

impl PackageName {
    /// The name without regard to case, as it must be unique in its namespace.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl DisplayName {
    /// What an archive is called that nobody named: `FULLNAME-ID.zip`, or `archive.zip` where that is too long.
    #[must_use]
    pub fn of_archive(full_name: &FullName, id: &impl fmt::Display) -> Self {
        let text = format!("{full_name}-{id}.zip");
        // All of a full name and of an id may stand in a file's name, so only the length can be wrong.
        text.parse().unwrap_or_else(|_| Self("archive.zip".into()))
    }
}

impl PlatformName {
    /// The platform of files that run everywhere. It adds no suffix to a package id.
    #[must_use]
    pub fn any() -> Self {
        Self("any".into())
    }

    /// Whether this is the platform `any`.
    #[must_use]
    pub fn is_any(&self) -> bool {
        &*self.0 == "any"
    }
}

impl DisplayName {
    /// The text behind the last dot, lower case, or nothing; `tar` stands before a compression's ending.
    #[must_use]
    pub fn extension(&self) -> String {
        let lower = self.0.to_ascii_lowercase();
        let Some((stem, last)) = lower.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else {
            return String::new();
        };
        if stem.ends_with(".tar") { format!("tar.{last}") } else { last.to_owned() }
    }
}

/// A package's name with its namespace: `omni.kit.window` is the package `kit.window` of the user `omni`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FullName {
    text: Box<str>,
    namespace_bytes: u8,
}

impl FullName {
    /// Joins a namespace and a name.
    #[must_use]
    pub fn new(namespace: &UserName, name: &PackageName) -> Self {
        // A user name has at most 39 bytes.
        Self { text: format!("{namespace}.{name}").into(), namespace_bytes: namespace.as_str().len() as u8 }
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The owner's name.
    #[must_use]
    pub fn namespace(&self) -> UserName {
        UserName(self.text[..usize::from(self.namespace_bytes)].into())
    }

    /// The name within the namespace.
    #[must_use]
    pub fn name(&self) -> PackageName {
        PackageName(self.text[usize::from(self.namespace_bytes) + 1..].into())
    }
}

impl FromStr for FullName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (namespace, name) = text
            .split_once('.')
            .ok_or(InvalidName { what: "a full name", problem: "is NAMESPACE.NAME, such as omni.kit.window" })?;
        Ok(Self::new(&namespace.parse()?, &name.parse()?))
    }
}

impl fmt::Display for FullName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for FullName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FullName({:?})", self.text)
    }
}

impl serde::Serialize for FullName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

fn check_length(text: &str, max: usize, too_long: &'static str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("must not be empty");
    }
    if text.len() > max {
        return Err(too_long);
    }
    Ok(())
}

fn check_user_name(text: &str) -> Result<(), &'static str> {
    check_length(text, limits::USER_NAME_BYTES_MAX, "has at most 39 characters")?;
    let bytes = text.as_bytes();
    let well_formed = bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !well_formed || bytes[0] == b'-' {
        return Err("is made of a-z, 0-9 and -, and begins with a letter or digit");
    }
    Ok(())
}

fn check_package_name(text: &str) -> Result<(), &'static str> {
    check_length(text, limits::PACKAGE_NAME_BYTES_MAX, "has at most 100 characters")?;
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if !text.as_bytes()[0].is_ascii_alphanumeric() || !text.split('.').all(is_word) {
        return Err(
            "is made of words of A-Z, a-z, 0-9, _ and - with single dots between them, and begins with a letter or \
             digit",
        );
    }
    Ok(())
}

fn check_channel_name(text: &str) -> Result<(), &'static str> {
    check_length(text, limits::CHANNEL_NAME_BYTES_MAX, "has at most 64 characters")?;
    let bytes = text.as_bytes();
    let well_formed = bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(b));
    if !well_formed || !bytes[0].is_ascii_alphanumeric() {
        return Err("is made of A-Z, a-z, 0-9, _ and -, and begins with a letter or digit");
    }
    Ok(())
}

fn check_channel_short(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.chars().count() > limits::CHANNEL_SHORT_CHARS_MAX {
        return Err("has 1 to 8 characters");
    }
    if text.chars().any(|c| is_unseen(c) || c.is_whitespace()) {
        return Err("has visible characters only");
    }
    Ok(())
}

fn check_platform_name(text: &str) -> Result<(), &'static str> {
    check_length(text, limits::PLATFORM_NAME_BYTES_MAX, "has at most 64 characters")?;
    let is_run = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !text.split('.').all(is_run) {
        return Err("is made of runs of 0-9, A-Z, a-z and - with single dots between them");
    }
    Ok(())
}

fn check_display_name(text: &str) -> Result<(), &'static str> {
    check_length(text, limits::DISPLAY_NAME_BYTES_MAX, "has at most 255 bytes")?;
    if text == "." || text == ".." || text.contains(['/', '\\']) {
        return Err("is the name of a file alone, without folders");
    }
    if text.chars().any(is_unseen) || text.starts_with(' ') || text.ends_with(' ') {
        return Err("has no control or formatting characters, and no space at its ends");
    }
    Ok(())
}

/// Control characters, and the formatting characters that make a text look like another one.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &[&str] = &[
        "",
        ".",
        "..",
        "../a",
        "a/b",
        "a\\b",
        "a\0b",
        "a b",
        " a",
        "%2f",
        "é",
        "a\u{202e}b",
        "-a",
        ".a",
        "a..b",
        "a.",
        "a%00",
    ];

    #[test]
    fn user_names() {
        for good in ["a", "omni", "0x", "a-b-", &"a".repeat(39)] {
            assert!(good.parse::<UserName>().is_ok(), "{good}");
        }
        for bad in HOSTILE.iter().copied().chain(["Omni", "a.b", "a_b", &"a".repeat(40)]) {
            assert!(bad.parse::<UserName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn package_names() {
        for good in ["a", "kit.window", "A_b-.c", "0", "a.-b", &"a".repeat(100)] {
            assert!(good.parse::<PackageName>().is_ok(), "{good}");
        }
        for bad in HOSTILE.iter().copied().chain(["_a", "a+b", &"a".repeat(101), &"a".repeat(300)]) {
            assert!(bad.parse::<PackageName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn channel_and_platform_names() {
        for bad in HOSTILE {
            assert!(bad.parse::<ChannelName>().is_err(), "{bad:?}");
        }
        for good in ["wx64.r", "linux-x64", "any", "-", "0"] {
            assert!(good.parse::<PlatformName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "a.", ".a", "a..b", "a_b", "a+b", "a/b", &"a".repeat(65)] {
            assert!(bad.parse::<PlatformName>().is_err(), "{bad:?}");
        }
        assert!("β".parse::<ChannelShort>().is_ok());
        assert!("123456789".parse::<ChannelShort>().is_err());
    }

    #[test]
    fn display_names() {
        for good in ["a.zip", "Ünï côde (1).tar.gz", "a b", ".hidden", "a+b", "%2f"] {
            assert!(good.parse::<DisplayName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a\\b", "a\0", "a\n", " a", "a ", "exe\u{202e}gpj", &"a".repeat(256)] {
            assert!(bad.parse::<DisplayName>().is_err(), "{bad:?}");
        }
        let extension = |name: &str| name.parse::<DisplayName>().unwrap().extension();
        assert_eq!(extension("a.ZIP"), "zip");
        assert_eq!(extension("a.tar.gz"), "tar.gz");
        assert_eq!(extension("tar.gz"), "gz");
        assert_eq!(extension(".hidden"), "");
        assert_eq!(extension("plain"), "");
    }

    #[test]
    fn the_first_dot_splits_a_full_name() {
        let full: FullName = "omni.kit.window".parse().unwrap();
        assert_eq!(full.namespace().as_str(), "omni");
        assert_eq!(full.name().as_str(), "kit.window");
        assert_eq!(full, FullName::new(&full.namespace(), &full.name()));
        for bad in ["omni", "omni.", ".kit", "Omni.kit", "omni..kit"] {
            assert!(bad.parse::<FullName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn messages_say_what_would_be_right() {
        let message = "Omni".parse::<UserName>().unwrap_err().to_string();
        assert_eq!(message, "a user name is made of a-z, 0-9 and -, and begins with a letter or digit");
    }
}
