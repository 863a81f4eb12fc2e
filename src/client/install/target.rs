//! Where an archive comes from and what its file is called, from the `archivePath` that the index gives.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::client::Url;
use crate::model::DisplayName;

/// What never stands in an address as it is. `%` does: the path is encoded already.
const NEVER_PLAIN: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'#')
    .add(b'?')
    .add(b'^')
    .add(b'|');

/// The name of a file whose path has none.
const NAMELESS: &str = "archive";

/// An archive's address and file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) file_name: String,
}

impl Target {
    /// Reads an `archivePath`: relative to `root`, which is the folder of `registry.gz`, or an address of its own. There
    /// is no root where all archives are elsewhere.
    pub(super) fn of(root: Option<&Url>, archive_path: &str) -> Result<Self, String> {
        let url = match (is_address(archive_path), root) {
            (true, _) => archive_path.parse::<Url>(),
            (false, Some(root)) => {
                let is_inside = !archive_path.starts_with('/') && !archive_path.split('/').any(str::is_empty);
                if !is_inside {
                    return Err(format!("{archive_path:?} is no relative path"));
                }
                format!("{}{}", root.exposed(), utf8_percent_encode(archive_path, NEVER_PLAIN)).parse()
            }
            (false, None) => return Err("the address of the registry is needed".to_owned()),
        };
        let url = url.map_err(|why| format!("{archive_path:?}: {why}"))?;
        let last = url.path().rsplit('/').next().unwrap_or_default();
        let decoded = percent_decode_str(last).decode_utf8_lossy();
        let name = decoded.parse::<DisplayName>();
        let file_name = name.map_or_else(|_| NAMELESS.to_owned(), |name| name.as_str().to_owned());
        Ok(Self { url, file_name })
    }
}

/// The address of an archive at this path of the view with that root.
///
/// # Errors
/// If the path leads nowhere.
pub fn archive_url(root: Option<&Url>, archive_path: &str) -> Result<Url, String> {
    Target::of(root, archive_path).map(|target| target.url)
}

/// Whether an `archivePath` is an address of its own.
#[must_use]
pub fn is_address(archive_path: &str) -> bool {
    archive_path.contains("://")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn root() -> Url {
        "http://h/t/x/v2/".parse().unwrap()
    }

    #[test]
    fn paths_are_below_the_root_or_addresses() {
        for (path, url, name) in [
            ("archives/o.a/o.a-1+x/a%20b.zip", "http://h/t/x/v2/archives/o.a/o.a-1+x/a%20b.zip", "a b.zip"),
            ("archives/a b.zip", "http://h/t/x/v2/archives/a%20b.zip", "a b.zip"),
            ("https://cdn/x/y.tar.gz?sig=1", "https://cdn/x/y.tar.gz?sig=1", "y.tar.gz"),
            ("https://cdn/x/", "https://cdn/x/", "archive"),
            ("a/%2e%2e%2fb", "http://h/t/x/v2/a/%2e%2e%2fb", "archive"),
        ] {
            let target = Target::of(Some(&root()), path).unwrap();
            assert_eq!((target.url.exposed().as_str(), target.file_name.as_str()), (url, name));
        }
        assert!(Target::of(None, "https://cdn/y.zip").is_ok());
    }

    #[test]
    fn other_paths_are_refused() {
        for path in
            ["", "/etc/passwd", "../../x", "a/../../x", "a/%2e%2e/x", "a//b", "//evil/x", "ftp://h/x", "a\\..\\b"]
        {
            assert!(Target::of(Some(&root()), path).is_err(), "{path}");
        }
        assert!(Target::of(None, "archives/x").unwrap_err().contains("address of the registry"));
    }

    proptest! {
        #[test]
        fn what_is_relative_stays_below_the_root(path in "[a-z./%2e\\\\:? #]{0,20}") {
            if let Ok(target) = Target::of(Some(&root()), &path) {
                prop_assert!(is_address(&path) || target.url.exposed().starts_with("http://h/t/x/v2/"));
                prop_assert!(!target.file_name.contains('/') && !matches!(target.file_name.as_str(), "" | "." | ".."));
            }
        }
    }
}
