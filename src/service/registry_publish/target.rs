//! What `FULLNAME-VERSION[+PLATFORM]` stands for: package, version and platform.
//!
//! Names and versions may have hyphens, versions may have build metadata, so a text alone has several readings. What the
//! metadata says decides; else what is there; else what such ids look like.

use crate::model::file_role::archive_of;
use crate::model::{Channel, ChannelName, DisplayName, FullName, Manifest, Package, PackageId, UserId};
use crate::service::caller::{Caller, Identity};
use crate::service::channels::channel_named;
use crate::service::files::FileName;
use crate::service::refusal::Refusal;
use crate::service::releases::ReleaseName;
use crate::store::{Rows, Source};

/// What the metadata says of the package id.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// `package.name`: the full name, or the name within its namespace.
    name: Option<String>,
    /// `package.version`.
    version: Option<String>,
    /// Whether it names targets, so that the id ends with a platform.
    has_targets: bool,
}

impl Said {
    /// What a manifest says.
    ///
    /// # Errors
    /// If name or version are no texts.
    pub(super) fn of(manifest: Option<&Manifest>) -> Result<Self, Refusal> {
        let Some(manifest) = manifest else { return Ok(Self::default()) };
        let text = |field: &str| match manifest.package(field) {
            None | Some(serde_json::Value::Null) => Ok(None),
            Some(serde_json::Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(Refusal::invalid("metadata", format!("package.{field} is a text, not {other}"))),
        };
        let targets = [manifest.fields().get("targets"), manifest.package("targets"), manifest.package("target")];
        let has_targets = targets.into_iter().flatten().any(|value| match value {
            serde_json::Value::Object(fields) => !fields.is_empty(),
            serde_json::Value::Array(items) => !items.is_empty(),
            _ => false,
        });
        Ok(Self { name: text("name")?, version: text("version")?, has_targets })
    }

    fn fits_name(&self, name: &FullName) -> bool {
        let is = |said: &str| said == name.as_str() || said == name.name().as_str();
        self.name.as_deref().is_none_or(is)
    }

    fn fits_id(&self, id: &PackageId) -> bool {
        self.version.as_deref().is_none_or(|said| said == id.version.as_str())
    }
}

/// A package id that is split.
pub(super) struct Target<'a> {
    pub(super) name: FullName,
    /// The package, where there is one that the caller may know of.
    pub(super) package: Option<Package>,
    /// `VERSION[+PLATFORM]`.
    pub(super) id: &'a str,
    /// Whether the text can be split in one way only.
    pub(super) is_plain: bool,
}

impl<'a> Target<'a> {
    /// Splits `FULLNAME-ID`, where both may have hyphens: where the metadata says; else the longest name of a package
    /// that has this id; else the longest name of a package that the caller may know of, where the id looks like a
    /// version; or the first name that such an id follows; or the only one there can be. An id looks like a version that
    /// begins with a number and a dot (`md-5-0.11.0` is of `md-5`), or with a digit where none does. Packages that the
    /// caller may not know of are as if they were not there.
    pub(super) fn split<S: Source>(
        rows: &Rows<S>,
        caller: &Caller,
        text: &'a str,
        said: &Said,
    ) -> Result<Self, Refusal> {
        let mut splits: Vec<(FullName, &str)> = text
            .match_indices('-')
            .filter_map(|(at, _)| {
                let (name, id) = (text[..at].parse().ok()?, &text[at + 1..]);
                PackageId::readings(id).next().map(|_| (name, id))
            })
            .collect();
        let is_plain = splits.len() == 1;
        if !splits.is_empty() {
            splits.retain(|(name, _)| said.fits_name(name));
            if let (true, Some(name)) = (splits.is_empty(), &said.name) {
                return Err(disagrees(text, "package.name", name));
            }
            splits.retain(|(_, id)| PackageId::readings(id).any(|id| said.fits_id(&id)));
            if let (true, Some(version)) = (splits.is_empty(), &said.version) {
                return Err(disagrees(text, "package.version", version));
            }
        }
        let is_any_dotted = splits.iter().any(|(_, id)| begins_with_dotted_number(id));
        let looks_like_version = |id: &str| match is_any_dotted {
            true => begins_with_dotted_number(id),
            false => id.starts_with(|c: char| c.is_ascii_digit()),
        };
        let first = splits.iter().find(|(_, id)| looks_like_version(id));
        // `omni.http-body-1.0.0` is a new package even where `omni.http` is there, unless that has such a version already.
        let may_be_new = first.is_some_and(|(name, _)| own_namespace(caller, name).is_ok());
        let mut known = Vec::new();
        for (name, id) in splits.iter().rev() {
            let Some(package) = rows.package_by_name(name)? else { continue };
            match caller.reader(rows, &package) {
                Ok(_) => known.push((name.clone(), package, *id)),
                Err(Refusal::NotFound(_)) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        if said.version.is_none() {
            for (name, package, id) in &known {
                if has_version(rows, package, id)? {
                    return Ok(Self { name: name.clone(), package: Some(package.clone()), id, is_plain });
                }
            }
        }
        let is_said = said.version.is_some() || said.name.is_some();
        let found = known.into_iter().find(|(_, _, id)| is_said || !may_be_new || looks_like_version(id));
        if let Some((name, package, id)) = found {
            return Ok(Self { name, package: Some(package), id, is_plain });
        }
        let only = if splits.len() == 1 || is_said { splits.first() } else { None };
        let (name, id) = first.or(only).ok_or_else(|| {
            Refusal::invalid(
                "package_id",
                "a package id is FULLNAME-VERSION[+PLATFORM], such as omni.foo-1.0.0+wx64.r; the version of a new package \
                 begins with a digit where the name has a hyphen, or stands in package.version of the metadata",
            )
        })?;
        Ok(Self { name: name.clone(), package: None, id, is_plain })
    }
}

fn disagrees(text: &str, field: &str, said: &str) -> Refusal {
    Refusal::invalid("package_id", format!("the metadata says {field} {said}, which is not what {text} says"))
}

/// Where a package id leads.
pub(super) struct Place {
    pub(super) channel: Channel,
    pub(super) id: PackageId,
    /// The name of the archive that is there.
    existing: Option<DisplayName>,
}

impl Place {
    /// What a text stands for that may be read in several ways: as what is there; else, for a platform that the owner
    /// has; else, for the platform that is left behind the version that the metadata says, or where it names targets;
    /// else, as a version with build metadata.
    pub(super) fn find<S: Source>(
        rows: &Rows<S>,
        package: &Package,
        channel: Option<&ChannelName>,
        text: &str,
        said: &Said,
    ) -> Result<Self, Refusal> {
        let channel = channel_of(rows, package.owner, channel)?;
        let channels = rows.channels(package.owner)?;
        let mut all = vec![&channel];
        all.extend(channels.iter().filter(|other| other.id != channel.id));
        if let Some(Found { id, channel: on, display_name }) = published(rows, package, &all, text, said)? {
            // The same id may be on several channels; only an archive of this one has its name here.
            let existing = (on == channel.name).then_some(display_name);
            return Ok(Self { channel, id, existing });
        }
        let platforms = rows.platforms(package.owner)?;
        let is_known =
            |id: &PackageId| !id.platform.is_any() && platforms.iter().any(|platform| platform.name == id.platform);
        let readings: Vec<PackageId> = PackageId::readings(text).filter(|id| said.fits_id(id)).collect();
        let known = readings.iter().find(|id| is_known(id));
        let other = if said.has_targets || said.version.is_some() { readings.first() } else { readings.last() };
        let id = known.or(other).cloned();
        let id = id.ok_or_else(|| Refusal::invalid("package_id", format!("{text} is no VERSION[+PLATFORM]")))?;
        Ok(Self { channel, id, existing: None })
    }

    /// The file's full name. An archive that is there keeps its own.
    pub(super) fn file_name(&self, package: &FullName, display_name: Option<&DisplayName>) -> FileName {
        let chosen = self.existing.as_ref().or(display_name).cloned();
        FileName {
            release: ReleaseName {
                package: package.clone(),
                channel: self.channel.name.clone(),
                version: self.id.version.clone(),
            },
            platform: self.id.platform.clone(),
            display_name: chosen.unwrap_or_else(|| DisplayName::of_archive(package, &self.id)),
        }
    }
}

/// An archive that is there.
pub(super) struct Found {
    pub(super) id: PackageId,
    channel: ChannelName,
    display_name: DisplayName,
}

/// The reading of an id for which there is an archive, on the first of the channels that has one, and its name.
pub(super) fn published<S: Source>(
    rows: &Rows<S>,
    package: &Package,
    channels: &[&Channel],
    text: &str,
    said: &Said,
) -> Result<Option<Found>, Refusal> {
    let platforms = rows.platforms(package.owner)?;
    let readings: Vec<PackageId> = PackageId::readings(text).filter(|id| said.fits_id(id)).collect();
    for channel in channels {
        for id in &readings {
            let Some(platform) = platforms.iter().find(|platform| platform.name == id.platform) else { continue };
            let Some(release) = rows.release_by_version(package, channel.id, &id.version)? else { continue };
            if let Some(archive) = archive_of(&rows.files(release.id)?, platform.id) {
                let (id, channel) = (id.clone(), channel.name.clone());
                return Ok(Some(Found { id, channel, display_name: archive.display_name.clone() }));
            }
        }
    }
    Ok(None)
}

/// Whether a text begins like `1.0`.
fn begins_with_dotted_number(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < text.len() && rest.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a package has a release, on any channel, that an id may mean.
fn has_version<S: Source>(rows: &Rows<S>, package: &Package, id: &str) -> Result<bool, Refusal> {
    for channel in rows.channels(package.owner)?.iter() {
        for reading in PackageId::readings(id) {
            if rows.release_by_version(package, channel.id, &reading.version)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A channel by its name, or the owner's default.
pub(super) fn channel_of<S: Source>(
    rows: &Rows<S>,
    owner: UserId,
    name: Option<&ChannelName>,
) -> Result<Channel, Refusal> {
    match name {
        Some(name) => channel_named(rows, owner, name),
        None => {
            let default = rows.channels(owner)?.iter().find(|channel| channel.default).cloned();
            default.ok_or_else(|| Refusal::NotFound("the owner has no default channel; name one".to_owned()))
        }
    }
}

/// The caller, if a missing package of that name is the caller's to make.
pub(super) fn own_namespace(caller: &Caller, name: &FullName) -> Result<UserId, Refusal> {
    match &caller.identity {
        Identity::User(signed_in) if signed_in.user.name == name.namespace() => Ok(signed_in.user.id),
        _ => Err(Refusal::no_package(name)),
    }
}
