//! A synced index as the solver's source.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::Packages;
use crate::client::sync::{LocalError, LocalIndex};
use crate::model::{FullName, PlatformName};

/// The packages of one state of a local copy.
pub struct IndexPackages<'a> {
    index: &'a LocalIndex,
    platforms: OnceCell<HashMap<String, BTreeSet<PlatformName>>>,
}

/// Of an entry in the summaries, what it says about platforms.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    package: Fields,
}

#[derive(Deserialize, Default)]
struct Fields {
    #[serde(default)]
    platforms: Vec<String>,
}

impl<'a> IndexPackages<'a> {
    /// Those of `index`.
    #[must_use]
    pub fn new(index: &'a LocalIndex) -> Self {
        Self { index, platforms: OnceCell::new() }
    }

    fn read_platforms(&self) -> Result<HashMap<String, BTreeSet<PlatformName>>, LocalError> {
        let entries: HashMap<String, Entry> = self.index.read_summaries(|text| serde_json::from_slice(text))?;
        let platforms = |entry: Entry| -> BTreeSet<PlatformName> {
            let names = entry.package.platforms.iter().filter_map(|name| name.parse().ok());
            names.filter(|platform: &PlatformName| !platform.is_any()).collect()
        };
        Ok(entries.into_iter().map(|(name, entry)| (name, platforms(entry))).filter(|(_, p)| !p.is_empty()).collect())
    }
}

impl Packages for IndexPackages<'_> {
    fn lines(&self, name: &FullName) -> Result<Option<String>, LocalError> {
        self.index.package_lines(name)
    }

    fn platforms(&self, name: &FullName) -> Result<BTreeSet<PlatformName>, LocalError> {
        let all = match self.platforms.get() {
            Some(all) => all,
            None => {
                let read = self.read_platforms()?;
                self.platforms.get_or_init(|| read)
            }
        };
        Ok(all.get(name.as_str()).cloned().unwrap_or_default())
    }
}
