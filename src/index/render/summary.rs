//! A package's entry in `summaries.gz`: what a list of packages shows of the highest offered version.

use serde::Serialize;
use serde_json::Value;

use super::line::Line;
use crate::index::segments::Members;
use crate::model::{ChannelName, Package, Timestamp, VersionScheme};

/// The longest value, in bytes of JSON, that one field of a manifest may bring into a file that everybody reads.
/// Longer ones (pictures as `data:` addresses) are left out.
const FIELD_BYTES_MAX: usize = 8 << 10;

#[derive(Serialize)]
struct Entry<'a> {
    package: Fields<'a>,
}

#[derive(Serialize)]
struct Fields<'a> {
    title: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keywords: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authors: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<Value>,
    version: &'a str,
    package_id: &'a str,
    /// How versions of the package are read, where that is not the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    version_scheme: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a ChannelName>,
    platforms: Vec<&'a str>,
}

/// The entry of a package with these lines, which are in order; none where no version is offered. `channel` tells the
/// name of the channel that a release is on.
pub(super) fn entry<'a>(
    package: &Package,
    lines: &[&'a Line<'a>],
    channel: impl Fn(&'a Line<'a>) -> Option<&'a ChannelName>,
) -> Option<String> {
    let last = lines.iter().rposition(|line| line.release.is_offered())?;
    let version = &lines[last].release.version;
    let first = lines[..last].iter().rposition(|line| line.release.version != *version).map_or(0, |before| before + 1);
    let shown = lines[first];
    let field = |name: &str| {
        let value = shown.source.manifest.as_ref()?.package(name)?;
        (!value.is_null() && super::json(value).len() <= FIELD_BYTES_MAX).then(|| value.clone())
    };
    let first_line = || Some(package.description.first_line()).filter(|line| !line.is_empty()).map(Value::String);
    let fields = Fields {
        title: field("title").unwrap_or_else(|| Value::String(package.name.as_str().to_owned())),
        description: field("description").or_else(first_line),
        icon: field("icon"),
        keywords: field("keywords"),
        category: field("category"),
        authors: field("authors"),
        repository: field("repository"),
        version: version.as_str(),
        package_id: shown.id(),
        version_scheme: Some(package.version_scheme).filter(|scheme| !scheme.is_default()).map(VersionScheme::as_str),
        published: shown.release.published,
        channel: channel(shown),
        platforms: lines[first..=last].iter().map(|line| line.platform.as_str()).collect(),
    };
    Some(Members::entry(package.full_name().as_str(), &super::json(&Entry { package: fields })))
}

/// The same entry where channels have other names now, by their former ones; none where it cannot be read.
pub(super) fn with_renamed(entry: &str, renamed: &[(ChannelName, ChannelName)]) -> Option<String> {
    let mut value: Value = serde_json::from_str(Members::value(entry)).ok()?;
    let channel = value.get_mut("package")?.get_mut("channel")?;
    if let Some((_, name)) = renamed.iter().find(|(former, _)| *channel == former.as_str()) {
        *channel = Value::String(name.to_string());
    }
    Some(Members::entry(Members::name(entry), &super::json(&value)))
}
