//! `changes?since=`: what changed in a view since the state that is here, and the new state made from both.
//!
//! It is an offer to be had more cheaply what `registry.gz` has as well. So whatever is odd about it is no error: it
//! is [`Since::Unusable`], and the caller reads `registry.gz`. What is made from it is the server's own text to the byte
//! or nothing at all.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use http::StatusCode;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::limits::SyncLimits;
use super::members::{Patches, patch};
use super::registry::{IndexFile, Registry};
use super::source::is_for_everybody;
use super::{SyncError, blocking};
use crate::client::connection::Request;
use crate::client::error::Failure;
use crate::client::json_depth::JsonDepth;
use crate::client::{Client, Url};
use crate::model::{Crc32, FullName};

/// What a server answers when it is asked for changes.
pub(crate) enum Since {
    /// There are none.
    Nothing,
    /// These.
    Changes(Box<Changes>),
    /// The server has no such answer, or none that can be used; why.
    Unusable(String),
}

/// A state that is here, as the server knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownState {
    pub(crate) serial: u64,
    /// The checksum of its `registry.gz`.
    pub(crate) registry: Option<Crc32>,
}

/// What changed since a serial.
#[derive(Debug)]
pub(crate) struct Changes {
    serial: u64,
    /// The checksum of `registry.gz` after them, from servers that tell it.
    registry: Option<Crc32>,
    /// Whether everybody gets the state after them.
    pub(crate) is_public: bool,
    /// Files with their checksums now, or nothing where they are gone. If it is not empty, the summaries are in it.
    files: BTreeMap<IndexFile, Option<Crc32>>,
    /// Members of the summaries as they stand there, or nothing where they are gone.
    summaries: BTreeMap<FullName, Option<Box<RawValue>>>,
    /// Texts of packages' files of the same state, from servers that send them along.
    pub(crate) texts: BTreeMap<FullName, String>,
}

/// Asks for what changed since the state `known`.
///
/// # Errors
/// If there is no connection to the server: then there is nothing else to try.
pub(crate) async fn since(
    client: &Client,
    root: &Url,
    limits: &SyncLimits,
    known: KnownState,
) -> Result<Since, SyncError> {
    let since = known.serial;
    let registry = known.registry.map(|crc| format!("&registry={crc}")).unwrap_or_default();
    let request = Request::get(root.join(&format!("changes?since={since}{registry}&packages=true")));
    let answered = async {
        let response = client.ask(&request).await?;
        let is_public = is_for_everybody(&response);
        match response.status {
            StatusCode::OK => Ok((response.body.collect(limits.changes_bytes_max).await?, is_public)),
            status => Err(response.body.error(Failure::Unreadable(format!("{status} was not asked for")))),
        }
    };
    let (text, is_public) = match answered.await {
        Ok(answer) => answer,
        Err(error) if matches!(error.failure, Failure::Resolve(_) | Failure::Connect(_) | Failure::Tls(_)) => {
            return Err(SyncError::Request(error));
        }
        Err(error) => return Ok(Since::Unusable(error.to_string())),
    };
    let (count_max, depth_max) = (limits.changes_max, limits.json_depth_max);
    let read = blocking(move || Ok(Changes::parse(&text, since, count_max, depth_max))).await?;
    let read = read.map(|changes| Changes { is_public, ..changes });
    Ok(match read {
        Ok(changes) if changes.serial == since => {
            match changes.registry == known.registry || changes.registry.is_none() {
                true => Since::Nothing,
                false => Since::Unusable("the same serial stands for another state".to_owned()),
            }
        }
        Ok(changes) => Since::Changes(Box::new(changes)),
        Err(why) => Since::Unusable(why),
    })
}

impl Changes {
    /// Reads an answer about the time since `since`.
    fn parse(text: &[u8], since: u64, count_max: usize, depth_max: usize) -> Result<Self, String> {
        JsonDepth::default().pass(text, depth_max).map_err(|why| why.to_string())?;
        let wire: Wire = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if wire.files.0.len().max(wire.summaries.0.len()) > count_max {
            return Err(format!("it tells more than {count_max} changes"));
        }
        let files = wire.files.distinct(|path, crc: Option<String>| {
            let crc = match crc {
                None => None,
                Some(text) => Some(text.parse().ok()?),
            };
            Some((IndexFile::from_wire(path)?, crc))
        })?;
        let summaries = wire.summaries.distinct(|name, value| Some((name.parse::<FullName>().ok()?, value)))?;
        // A change that leaves the summaries as they are is told with their checksum all the same.
        let is_whole = match files.get(&IndexFile::Summaries) {
            None => files.is_empty() && summaries.is_empty(),
            Some(crc) => crc.is_some(),
        };
        let is_later = wire.serial > since || (wire.serial == since && files.is_empty());
        if !is_whole || !is_later {
            return Err("it contradicts itself".to_owned());
        }
        let registry = wire.registry.map(|crc| crc.parse().map_err(|_| "its registry is no checksum".to_owned()));
        let mut texts = wire.packages.distinct(|name, text| Some((name.parse::<FullName>().ok()?, text)))?;
        let listed = |name: &FullName| files.get(&IndexFile::Package(name.clone())).copied().flatten();
        texts.retain(|name, text| listed(name) == Some(Crc32::of(text.as_bytes())));
        Ok(Self { serial: wire.serial, registry: registry.transpose()?, is_public: true, files, summaries, texts })
    }

    /// The registry after these changes, and its text.
    ///
    /// # Errors
    /// If `text` is not in the form that servers write, so that what they write now cannot be told from it, or is not
    /// what the server takes it for.
    pub(crate) fn registry(&self, base: &Registry, text: &[u8]) -> Result<(Registry, Vec<u8>), String> {
        let no_text_of_servers =
            || "registry.json is not in the form in which servers with changes write it".to_owned();
        let tail = format!("}},\"serial\":{}}}", base.serial.as_deref().unwrap_or_default());
        let inside = text.strip_prefix(HEAD).and_then(|text| text.strip_suffix(tail.as_bytes()));
        let inside = inside.ok_or_else(no_text_of_servers)?;
        let files: Vec<_> =
            self.files.iter().map(|(file, crc)| (file.wire_path(), crc.map(|crc| format!("\"{crc}\"")))).collect();
        let patches: Patches<'_> =
            files.iter().map(|(path, crc)| (path.as_str(), crc.as_ref().map(String::as_bytes))).collect();
        // What the registry's parser accepted is a checksum if it has its length; a name in quotes that it accepted
        // can only differ from its text by escapes.
        let is_plain = |path: &[u8], crc: &[u8]| !path.contains(&b'\\') && crc.len() == CRC_TEXT_BYTES;
        let pieces = patch(inside, &patches, is_plain).map_err(|_| no_text_of_servers())?;
        let tail = format!("}},\"serial\":{}}}", self.serial);
        let new_text = [&[HEAD][..], &pieces, &[tail.as_bytes()]].concat().concat();
        if self.registry.is_some_and(|crc| crc != Crc32::of(&new_text)) {
            return Err("they do not lead to the registry of the server".to_owned());
        }
        let mut registry = Registry { files: base.files.clone(), serial: Some(self.serial.to_string()) };
        for (file, crc) in &self.files {
            match crc {
                Some(crc) => registry.files.insert(file.clone(), *crc),
                None => registry.files.remove(file),
            };
        }
        Ok((registry, new_text))
    }

    /// The pieces of the text of the summaries after these changes. Only their checksum tells whether they are right.
    pub(crate) fn summaries<'a>(&'a self, text: &'a [u8]) -> Option<Vec<&'a [u8]>> {
        let inside = text.strip_prefix(b"{")?.strip_suffix(b"}")?;
        let value = |value: &'a Option<Box<RawValue>>| value.as_ref().map(|value| value.get().as_bytes());
        let patches = self.summaries.iter().map(|(name, entry)| (name.as_str(), value(entry))).collect();
        let pieces = patch(inside, &patches, |_, _| true).ok()?;
        Some([&[&b"{"[..]][..], &pieces, &[b"}"]].concat())
    }
}

/// How a registry's text begins.
const HEAD: &[u8] = br#"{"files":{"#;
/// A checksum in quotes.
const CRC_TEXT_BYTES: usize = 10;

#[derive(Deserialize)]
struct Wire {
    serial: u64,
    registry: Option<String>,
    files: Pairs<Option<String>>,
    summaries: Pairs<Option<Box<RawValue>>>,
    #[serde(default = "Pairs::none")]
    packages: Pairs<String>,
}

/// The members of an object, as they come.
struct Pairs<V>(Vec<(String, V)>);

impl<V> Pairs<V> {
    fn none() -> Self {
        Self(Vec::new())
    }

    /// The members by what their names and values mean.
    fn distinct<K: Ord, T>(self, read: impl Fn(&str, V) -> Option<(K, T)>) -> Result<BTreeMap<K, T>, String> {
        let mut all = BTreeMap::new();
        for (name, value) in self.0 {
            let (key, value) = read(&name, value).ok_or_else(|| format!("{name:?} has no place in it"))?;
            if all.insert(key, value).is_some() {
                return Err(format!("{name:?} is in it twice"));
            }
        }
        Ok(all)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Pairs<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Pairs<V>, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    all.push(entry);
                }
                Ok(Pairs(all))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}
