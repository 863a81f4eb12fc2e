//! What is to be published of a package: its archives, gathered by release.

use std::collections::{BTreeMap, BTreeSet};

use super::ImportError;
use crate::client::tree::{ArchiveLine, Listed, Releases, RequirementOf};
use crate::model::manifest::InvalidManifest;
use crate::model::{
    ChannelName, DisplayName, FullName, Manifest, Markdown, MimeType, PackageId, PlatformName, Sha256, Timestamp,
    Version, VersionScheme, Visibility, YankReason,
};

/// Why a release was withdrawn of which nobody says why.
const YANKED_BEFORE: &str = "yanked before it was imported";

/// A package to be.
pub(super) struct PackagePlan {
    pub(super) from: FullName,
    pub(super) description: Markdown,
    pub(super) visibility: Visibility,
    pub(super) version_scheme: VersionScheme,
    archives: Vec<Planned>,
}

/// A release to be.
#[derive(Debug)]
pub(super) struct ReleasePlan {
    pub(super) channel: ChannelName,
    pub(super) version: Version,
    pub(super) archives: Vec<Planned>,
}

/// An archive to be, and what it says of its release.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) line: ArchiveLine,
    pub(super) id: PackageId,
    pub(super) channel: Option<ChannelName>,
    pub(super) published: Option<Timestamp>,
    pub(super) yanked: Option<YankReason>,
    pub(super) description: Option<Markdown>,
    pub(super) display_name: DisplayName,
    pub(super) mime_type: MimeType,
    pub(super) requirements: Vec<RequirementOf>,
    pub(super) manifest_sha256: Option<Sha256>,
}

impl PackagePlan {
    /// Of what the tree has of a package. `platforms` are those that are known: an id does not say where a version ends.
    pub(super) fn new(
        from: &FullName,
        lines: Vec<ArchiveLine>,
        releases: Option<Releases>,
        platforms: &BTreeSet<PlatformName>,
    ) -> Result<Self, ImportError> {
        let (package, listed) = match releases {
            Some(Releases { package, releases, .. }) => (Some(package), releases.into_iter().map(Some).collect()),
            None => (None, vec![None; lines.len()]),
        };
        // A tree of another program has lines alone, each of which tells the scheme.
        let of_lines = lines.first().map(|line| line.version_scheme).unwrap_or_default();
        let archives = lines.into_iter().zip(listed).map(|(line, listed)| match listed {
            Some(listed) => Planned::listed(from, line, listed),
            None => Planned::unlisted(from, line, platforms),
        });
        Ok(Self {
            from: from.clone(),
            archives: archives.collect::<Result<_, _>>()?,
            visibility: package.as_ref().map_or(Visibility::Public, |package| package.visibility),
            version_scheme: package.as_ref().and_then(|package| package.version_scheme).unwrap_or(of_lines),
            description: package.map(|package| package.description).unwrap_or_default(),
        })
    }

    /// Whether it is known when any of its releases was published.
    pub(super) fn has_times(&self) -> bool {
        self.archives.iter().any(|archive| archive.published.is_some())
    }

    /// Its releases, each on the channel that `channel` chooses by the one it was on.
    pub(super) fn by_release(self, channel: impl Fn(Option<&ChannelName>) -> ChannelName) -> Vec<ReleasePlan> {
        let mut releases: BTreeMap<(ChannelName, Version), Vec<Planned>> = BTreeMap::new();
        for archive in self.archives {
            let key = (channel(archive.channel.as_ref()), archive.id.version.clone());
            releases.entry(key).or_default().push(archive);
        }
        let plan = |((channel, version), archives)| ReleasePlan { channel, version, archives };
        releases.into_iter().map(plan).collect()
    }
}

impl Planned {
    fn listed(from: &FullName, line: ArchiveLine, listed: Listed) -> Result<Self, ImportError> {
        let id = PackageId { version: listed.version, platform: listed.platform };
        if id.to_string() != line.id || listed.yanked.is_some() != line.is_yanked {
            let file = crate::client::tree::releases_path(from);
            return Err(ImportError::file(file, format!("it contradicts the package's lines about {}", line.id)));
        }
        Ok(Self {
            line,
            id,
            channel: listed.channel,
            published: listed.published,
            yanked: listed.yanked,
            description: listed.description,
            display_name: listed.display_name,
            mime_type: listed.mime_type,
            requirements: listed.requirements,
            manifest_sha256: Some(listed.manifest_sha256),
        })
    }

    /// The platform is one that is known, else the longest there can be, as where it is published.
    fn unlisted(from: &FullName, line: ArchiveLine, platforms: &BTreeSet<PlatformName>) -> Result<Self, ImportError> {
        let is_known = |id: &PackageId| platforms.contains(&id.platform) && !id.platform.is_any();
        let id = PackageId::readings(&line.id).find(is_known).or_else(|| PackageId::readings(&line.id).next());
        let id = id.ok_or_else(|| ImportError::file(from.to_string(), format!("{} is no package id", line.id)))?;
        let last = line.archive_path.rsplit('/').next().unwrap_or_default();
        let last = last.split(['?', '#']).next().unwrap_or_default();
        let name = percent_encoding::percent_decode_str(last).decode_utf8().ok().and_then(|name| name.parse().ok());
        let yanked = if line.is_yanked {
            Some(YANKED_BEFORE.parse().map_err(|why| ImportError::file(from.to_string(), why))?)
        } else {
            None
        };
        Ok(Self {
            display_name: name.unwrap_or_else(|| DisplayName::of_archive(from, &id)),
            line,
            id,
            channel: None,
            published: None,
            yanked,
            description: None,
            mime_type: MimeType::octet_stream(),
            requirements: Vec::new(),
            manifest_sha256: None,
        })
    }
}

/// A manifest without the path that registries write into it: what is left where that is its last field is what was
/// published, and where it is another, it was published so. Nothing where nothing is left.
pub(super) fn original_manifest(text: &[u8]) -> Result<Option<Manifest>, InvalidManifest> {
    // The path may be what is too much in it.
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text)?;
    let mut is_empty = false;
    if let Some(package) = fields.get_mut("package").and_then(serde_json::Value::as_object_mut) {
        if package.keys().next_back().is_some_and(|last| last == "archivePath") {
            package.remove("archivePath");
        }
        is_empty = package.is_empty();
    }
    if is_empty && fields.keys().next_back().is_some_and(|last| last == "package") {
        fields.remove("package");
    }
    if fields.is_empty() {
        return Ok(None);
    }
    Manifest::parse(serde_json::Value::Object(fields).to_string().as_bytes()).map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(id: &str) -> ArchiveLine {
        ArchiveLine {
            id: id.to_owned(),
            archive_path: "archives/a%20b.zip?x".to_owned(),
            size_bytes: 1,
            sha256: Sha256::of(b""),
            is_yanked: true,
            version_scheme: VersionScheme::Debian,
            is_unseen: false,
        }
    }

    #[test]
    fn ids_are_read_by_the_platforms_there_are() {
        let of = |id: &str, platforms: &[&str]| {
            let platforms = platforms.iter().map(|name| name.parse().unwrap()).collect();
            let planned = Planned::unlisted(&"o.a".parse().unwrap(), line(id), &platforms).unwrap();
            format!("{} {}", planned.id.version, planned.id.platform)
        };
        assert_eq!(of("1.0+a.b", &["b", "any"]), "1.0+a b");
        assert_eq!(of("1.0+a.b", &[]), "1.0 a.b");
        assert_eq!(of("1.0", &["b"]), "1.0 any");
        let planned = Planned::unlisted(&"o.a".parse().unwrap(), line("1.0"), &BTreeSet::new()).unwrap();
        assert_eq!((planned.display_name.as_str(), planned.yanked.unwrap().as_str()), ("a b.zip", YANKED_BEFORE));
    }

    #[test]
    fn lines_tell_the_scheme_where_nothing_else_does() {
        let plan = PackagePlan::new(&"o.a".parse().unwrap(), vec![line("1.0-1")], None, &BTreeSet::new()).unwrap();
        assert_eq!(plan.version_scheme, VersionScheme::Debian);
    }

    #[test]
    fn the_path_at_the_end_was_added() {
        for (served, published) in [
            (r#"{"package":{"archivePath":"p"}}"#, None),
            (r#"{"package":{"title":"T","archivePath":"p"},"x":1}"#, Some(r#"{"package":{"title":"T"},"x":1}"#)),
            (r#"{"package":{"archivePath":"p","title":"T"}}"#, Some(r#"{"package":{"archivePath":"p","title":"T"}}"#)),
            (r#"{"x":1,"package":{"archivePath":"p"}}"#, Some(r#"{"x":1}"#)),
            (r#"{"package":{"archivePath":"p"},"x":1}"#, Some(r#"{"package":{},"x":1}"#)),
        ] {
            let original = original_manifest(served.as_bytes()).unwrap();
            assert_eq!(original.map(|manifest| manifest.to_text()).as_deref(), published, "{served}");
        }
        assert!(original_manifest(b"[]").is_err());
    }

    proptest! {
        /// Whatever was published is served alike after a way through a tree.
        #[test]
        fn what_is_served_again_is_the_same(
            package in prop::collection::vec("(title|archivePath|x)", 0..3),
            others in prop::collection::vec("[a-c]", 0..2),
            at in 0_usize..3,
        ) {
            let object = |names: &[String]| serde_json::Map::from_iter(names.iter().map(|name| (name.clone(), "v".into())));
            let mut fields = serde_json::Map::new();
            for (n, name) in others.iter().enumerate() {
                if n == at {
                    fields.insert("package".into(), object(&package).into());
                }
                fields.insert(name.clone(), "v".into());
            }
            if at >= others.len() && at < 2 {
                fields.insert("package".into(), object(&package).into());
            }
            let published = Manifest::parse(serde_json::Value::Object(fields).to_string().as_bytes()).unwrap();
            let serve = |manifest: Option<&Manifest>| {
                let none = Manifest::parse(b"{}").unwrap();
                serde_json::Value::Object(manifest.unwrap_or(&none).with_archive_path("p")).to_string()
            };
            let served = serve(Some(&published));
            let again = original_manifest(served.as_bytes()).unwrap();
            prop_assert_eq!(serve(again.as_ref()), served);
        }
    }
}
