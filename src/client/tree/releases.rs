//! `releases/FULLNAME.json`: what the lines of a package do not say about its releases.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};

use crate::model::{
    ChannelName, Crc32, DisplayName, Markdown, MimeType, PlatformName, Sha256, Timestamp, Version, VersionScheme,
    Visibility, YankReason,
};

/// The releases of a package in a view, archive by archive, in the order of its lines.
#[derive(Debug, Deserialize)]
pub struct Releases {
    /// The checksum of the lines that these belong to.
    #[serde(deserialize_with = "parsed")]
    pub lines: Crc32,
    /// The package.
    pub package: Package,
    /// Each archive.
    pub releases: Vec<Listed>,
}

/// What is told of a package.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// What it is.
    #[serde(deserialize_with = "parsed")]
    pub description: Markdown,
    /// Who may read it.
    #[serde(deserialize_with = "parsed")]
    pub visibility: Visibility,
    /// How its versions are read; nothing where the tree is of a time before packages could choose.
    #[serde(default, deserialize_with = "parsed_some")]
    pub version_scheme: Option<VersionScheme>,
}

/// An archive and the release that it is of.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    /// The package id.
    pub id: String,
    /// What of the id is the version.
    #[serde(deserialize_with = "parsed")]
    pub version: Version,
    /// What of the id is the platform.
    #[serde(deserialize_with = "parsed")]
    pub platform: PlatformName,
    /// The channel that the release is on.
    #[serde(default, deserialize_with = "parsed_some")]
    pub channel: Option<ChannelName>,
    /// When it was first active.
    #[serde(default, deserialize_with = "parsed_some")]
    pub published: Option<Timestamp>,
    /// Why it was withdrawn.
    #[serde(default, deserialize_with = "parsed_some")]
    pub yanked: Option<YankReason>,
    /// Release notes.
    #[serde(default, deserialize_with = "parsed_some")]
    pub description: Option<Markdown>,
    /// What the archive is called.
    #[serde(deserialize_with = "parsed")]
    pub display_name: DisplayName,
    /// What kind of file it is.
    #[serde(deserialize_with = "parsed")]
    pub mime_type: MimeType,
    /// What it needs to run.
    #[serde(default)]
    pub requirements: Vec<RequirementOf>,
    /// The digest of the manifest's file.
    #[serde(deserialize_with = "parsed")]
    pub manifest_sha256: Sha256,
}

/// Something an archive needs to run, as the API has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementOf {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    version: String,
}

fn parsed<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn parsed_some<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

impl Releases {
    /// Reads the file.
    ///
    /// # Errors
    /// If it is not of that form.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// Whether these are the archives with these ids, in their order.
    pub fn are_of<'a>(&self, mut ids: impl Iterator<Item = &'a str>) -> bool {
        self.releases.iter().all(|listed| ids.next() == Some(&*listed.id)) && ids.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_break_a_rule_do_not_get_in() {
        let text = format!(
            r#"{{"lines":"00000000","package":{{"description":"","visibility":"public"}},"releases":[{{"id":"1","version":"1",
            "platform":"any","published":null,"display_name":"a.zip","mime_type":"a/b","manifest_sha256":"{}"}}]}}"#,
            "0".repeat(64)
        );
        let releases = Releases::parse(text.as_bytes()).unwrap();
        assert_eq!(releases.package.version_scheme, None, "trees of earlier programs do not tell it");
        let debian = text.replacen("\"public\"", "\"public\",\"version_scheme\":\"debian\"", 1);
        assert_eq!(Releases::parse(debian.as_bytes()).unwrap().package.version_scheme, Some(VersionScheme::Debian));
        assert!(Releases::parse(debian.replace("debian", "pacman").as_bytes()).is_err());
        assert!(releases.are_of(["1"].into_iter()) && !releases.are_of(["1", "2"].into_iter()));
        for (right, wrong) in [("a.zip", "../a"), ("\"any\"", "\"../any\""), ("public", "secret"), ("00000000", "0")] {
            assert!(Releases::parse(text.replacen(right, wrong, 1).as_bytes()).is_err(), "{wrong}");
        }
    }
}
