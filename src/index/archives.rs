//! Archives as the index names them: their paths below a view's root, and the manifest file beside each.
//!
//! Pure; whether an archive exists and may be read is decided elsewhere.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::model::{FullName, Manifest, PackageId, ReleaseFile};

/// What is encoded of a file's name in a path: all but the unreserved characters (RFC 3986, section 2.3) and `+`,
/// which stands in package ids and must look the same in both.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'+');

/// Where the archive `file` with this id is: its path relative to a view's root, percent-encoded, or the address
/// elsewhere.
#[must_use]
pub fn archive_path(full_name: &FullName, id: &str, file: &ReleaseFile) -> String {
    if let Some(url) = file.content.external_url() {
        return url.as_str().to_owned();
    }
    let display_name = utf8_percent_encode(file.display_name.as_str(), ENCODED);
    format!("archives/{full_name}/{full_name}-{id}/{display_name}")
}

/// The text of the file `archives/FULLNAME/FULLNAME-ID.json`: the whole manifest, if there is one, with
/// `package.archivePath`.
#[must_use]
pub fn manifest_text(manifest: Option<&Manifest>, archive_path: &str) -> String {
    let fields = match manifest {
        Some(manifest) => manifest.with_archive_path(archive_path),
        None => {
            let path = Value::String(archive_path.to_owned());
            let package = Map::from_iter([("archivePath".to_owned(), path)]);
            Map::from_iter([("package".to_owned(), Value::Object(package))])
        }
    };
    Value::Object(fields).to_string()
}

/// All readings of the decoded path segment `FULLNAME-ID` as an id of the package; the first one that exists is
/// meant. None where the segment is not of this package.
pub fn segment_readings<'a>(full_name: &FullName, segment: &'a str) -> impl Iterator<Item = PackageId> + use<'a> {
    let id = segment.strip_prefix(full_name.as_str()).and_then(|rest| rest.strip_prefix('-'));
    id.into_iter().flat_map(PackageId::readings)
}

/// The same for `FULLNAME-ID.json`.
pub fn manifest_segment_readings<'a>(
    full_name: &FullName,
    segment: &'a str,
) -> impl Iterator<Item = PackageId> + use<'a> {
    segment.strip_suffix(".json").into_iter().flat_map({
        let full_name = full_name.clone();
        move |segment| segment_readings(&full_name, segment)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::fixture;

    fn omni_bar() -> FullName {
        "omni.bar".parse().unwrap()
    }

    #[test]
    fn only_the_name_of_the_file_is_encoded() {
        let path = |name: &str| archive_path(&omni_bar(), "1.0.0+wx64.r", &fixture::file(1, 1, name));
        assert_eq!(path("bar-1.0.0+wx64.r_~.zip"), "archives/omni.bar/omni.bar-1.0.0+wx64.r/bar-1.0.0+wx64.r_~.zip");
        assert_eq!(path("ü #?%&.zip"), "archives/omni.bar/omni.bar-1.0.0+wx64.r/%C3%BC%20%23%3F%25%26.zip");
    }

    #[test]
    fn an_archive_elsewhere_is_at_its_address() {
        let file = fixture::external(1, 1, "https://example.com/a b".replace(' ', "+").as_str());
        assert_eq!(archive_path(&omni_bar(), "1.0.0", &file), "https://example.com/a+b");
    }

    #[test]
    fn the_manifest_says_where_the_archive_is() {
        let manifest = Manifest::parse(br#"{"package":{"title":"T"},"x":[1]}"#).unwrap();
        let text = manifest_text(Some(&manifest), "archives/a");
        assert_eq!(text, r#"{"package":{"title":"T","archivePath":"archives/a"},"x":[1]}"#);
        assert_eq!(manifest_text(None, "archives/a"), r#"{"package":{"archivePath":"archives/a"}}"#);
    }

    #[test]
    fn a_segment_is_read_back() {
        let ids = |segment| segment_readings(&omni_bar(), segment).map(|id| id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids("omni.bar-1.0.0+wx64.r"), ["1.0.0+wx64.r"; 3]);
        assert_eq!(ids("omni.bar-1.0.0"), ["1.0.0"]);
        assert!(ids("omni.ba-1.0.0").is_empty() && ids("omni.bar.1.0.0").is_empty() && ids("omni.bar-").is_empty());

        let first = segment_readings(&omni_bar(), "omni.bar-1.0.0+wx64.r").next().unwrap();
        assert_eq!((first.version.as_str(), first.platform.as_str()), ("1.0.0", "wx64.r"));
        let of_json = |segment| manifest_segment_readings(&omni_bar(), segment).next();
        assert_eq!(of_json("omni.bar-1.0.0+wx64.r.json"), Some(first));
        assert_eq!(of_json("omni.bar-1.0.0"), None);
    }
}
