//! Finding packages by words, from memory: what of each package is looked through, and which come first.
//!
//! Follows the commits as the snapshot does, and knows private packages too, so that whoever asks says what may be
//! seen. Costs a scan over some hundred bytes per package, and memory for them. Knows no description beyond its first
//! line.

use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::Value;

use super::shared_map::{Named, SharedMap};
use crate::model::{Package, PackageKey, UserId, Visibility};

/// Longest title that is looked through, and shown, in bytes.
const TITLE_BYTES_MAX: usize = 200;
/// Most bytes of keywords that are looked through, all together.
const KEYWORDS_BYTES_MAX: usize = 300;
/// Longest address or path of an icon, in bytes.
const ICON_BYTES_MAX: usize = 2048;
/// Most words of a query; more say nothing new.
const WORDS_MAX: usize = 16;

/// What the newest manifest says of a package to people.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its title.
    pub title: Option<String>,
    /// Its icon: an address, or a path inside of the archive.
    pub icon: Option<String>,
    /// What it is, in a line.
    pub description: Option<String>,
    /// Words by which it is to be found.
    pub keywords: Vec<String>,
}

impl Described {
    /// What an entry of `summaries.gz` says, as far as it has the form.
    #[must_use]
    pub fn of_summary(entry: &str) -> Self {
        #[derive(Deserialize)]
        struct Entry {
            #[serde(default)]
            package: Fields,
        }
        #[derive(Default, Deserialize)]
        struct Fields {
            title: Option<Value>,
            icon: Option<Value>,
            description: Option<Value>,
            keywords: Option<Value>,
        }
        let Ok(entries) = serde_json::from_str::<HashMap<String, Entry>>(&format!("{{{entry}}}")) else {
            return Self::default();
        };
        let Some(fields) = entries.into_values().next().map(|entry| entry.package) else { return Self::default() };
        let text = |value: Option<Value>, bytes_max: usize| match value {
            Some(Value::String(text)) if !text.is_empty() && text.len() <= bytes_max => Some(text),
            _ => None,
        };
        let keywords = match fields.keywords {
            Some(Value::Array(words)) => {
                words.into_iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        Self {
            title: text(fields.title, TITLE_BYTES_MAX),
            icon: text(fields.icon, ICON_BYTES_MAX),
            description: text(fields.description, TITLE_BYTES_MAX),
            keywords,
        }
    }
}

/// What is looked through of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchEntry {
    /// Full name, title, keywords and summary in lower case, each ended by [`END`]; keywords are apart by spaces.
    text: Arc<str>,
    name_len: u16,
    /// The package.
    pub id: PackageKey,
    /// Who owns it.
    pub owner: UserId,
    /// Whether everyone may see it.
    pub public: bool,
}

/// What ends a part of the text. No word has it.
const END: char = '\0';

impl SearchEntry {
    /// The entry of a package.
    #[must_use]
    pub fn new(package: &Package, described: &Described) -> Self {
        let name = package.full_name();
        let mut text = String::with_capacity(128);
        let mut add = |part: &str| {
            text.extend(part.chars().filter(|c| *c != END).flat_map(char::to_lowercase));
            text.push(END);
        };
        add(name.as_str());
        add(described.title.as_deref().unwrap_or_default());
        let mut keywords = String::new();
        for keyword in &described.keywords {
            if keywords.len() + keyword.len() < KEYWORDS_BYTES_MAX {
                keywords.push_str(keyword);
                keywords.push(' ');
            }
        }
        add(&keywords);
        add(&package.description.first_line());
        add(described.description.as_deref().unwrap_or_default());
        Self {
            text: text.into(),
            // A full name has at most 140 bytes, all of them ASCII.
            name_len: name.as_str().len() as u16,
            id: package.id,
            owner: package.owner,
            public: package.visibility == Visibility::Public,
        }
    }

    fn full_name(&self) -> &str {
        &self.text[..usize::from(self.name_len)]
    }

    /// How well a word fits, if at all and no worse than `worst`: less is better. The cheap questions come first, and
    /// no more are asked than `worst` allows.
    fn rank(&self, word: &Finder<'_>, worst: u32) -> Option<u32> {
        let at = word.find(self.text.as_bytes())?;
        let needle = word.needle();
        let name = self.full_name().as_bytes();
        let own = &name[name.iter().position(|byte| *byte == b'.').map_or(0, |dot| dot + 1)..];
        let in_name = if needle == name || needle == own {
            Some(0)
        } else if own.starts_with(needle) || name.starts_with(needle) {
            Some(1)
        } else if worst >= 2 && begins_a_word(name, word) {
            Some(2)
        } else {
            None
        };
        let rank = match in_name {
            Some(rank) => rank,
            None if worst < 3 => return None,
            None => {
                let mut parts = self.text.as_bytes()[name.len() + 1..].split(|byte| *byte == END as u8);
                let (title, keywords) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                if begins_a_word(title, word) {
                    3
                } else if begins_a_word(keywords, word) {
                    4
                } else if at < name.len() {
                    5
                } else if word.find(title).is_some() || word.find(keywords).is_some() {
                    6
                } else {
                    7
                }
            }
        };
        (rank <= worst).then_some(rank)
    }
}

fn begins_a_word(text: &[u8], word: &Finder<'_>) -> bool {
    word.find_iter(text).any(|at| at == 0 || !text[at - 1].is_ascii_alphanumeric() && text[at - 1].is_ascii())
}

impl Named for SearchEntry {
    fn name(&self) -> &str {
        self.full_name()
    }
}

/// All packages, to be found by words.
pub struct SearchIndex {
    entries: ArcSwap<SharedMap<SearchEntry>>,
    /// What is in the entries, for the one who changes them.
    known: Mutex<HashMap<PackageKey, SearchEntry>>,
}

impl Default for SearchIndex {
    fn default() -> Self {
        Self { entries: ArcSwap::from_pointee(SharedMap::new()), known: Mutex::default() }
    }
}

impl SearchIndex {
    /// Takes packages in, in the place of what was known of them, and shows them in one step; nothing where one is
    /// gone. Costs nothing where nothing changed.
    pub fn apply(&self, changes: Vec<(PackageKey, Option<SearchEntry>)>) {
        // Nothing panics with the lock held but for want of memory.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut removed = Vec::new();
        let mut added = Vec::new();
        for (id, entry) in changes {
            let former = known.get(&id);
            if former == entry.as_ref() {
                continue;
            }
            if let Some(former) = former.filter(|former| entry.as_ref().is_none_or(|new| new.name() != former.name())) {
                removed.push(former.clone());
            }
            match &entry {
                Some(entry) => known.insert(id, entry.clone()),
                None => known.remove(&id),
            };
            added.extend(entry);
        }
        // A package may have the name of one that went in the same step.
        removed.retain(|gone| added.iter().all(|entry| entry.name() != gone.name()));
        if removed.is_empty() && added.is_empty() {
            return;
        }
        let gone = removed.iter().map(|entry| (entry.name(), None));
        let next = self.entries.load().apply(gone.chain(added.iter().map(|entry| (entry.name(), Some(entry.clone())))));
        self.entries.store(Arc::new(next));
    }

    /// The packages that may be seen and have all words of the query, the best first: `limit` of them behind the first
    /// `skip`. Exact names come before beginnings of names, of words in names, of titles and of keywords.
    pub fn find(
        &self,
        query: &str,
        skip: usize,
        limit: usize,
        may_see: impl Fn(&SearchEntry) -> bool,
    ) -> Vec<PackageKey> {
        let words: Vec<String> = query.split_whitespace().take(WORDS_MAX).map(str::to_lowercase).collect();
        let finders: Vec<Finder<'_>> = words.iter().map(|word| Finder::new(word.as_str())).collect();
        let entries = self.entries.load();
        // The best so far, the worst of them on top: whatever is worse than that need not be ranked to the end, which is
        // most of it where a word is in every package.
        let mut best: BinaryHeap<(u32, u16, &str, PackageKey)> = BinaryHeap::new();
        let end = skip.saturating_add(limit);
        for entry in entries.iter() {
            let worst = best.peek().filter(|_| best.len() >= end).map_or(u32::MAX, |(rank, ..)| *rank);
            let rank = finders.iter().try_fold(0, |sum, word| entry.rank(word, worst - sum).map(|rank| sum + rank));
            let Some(rank) = rank.filter(|_| may_see(entry)) else { continue };
            let candidate = (rank, entry.name_len, entry.name(), entry.id);
            if best.len() < end {
                best.push(candidate);
            } else if let Some(mut top) = best.peek_mut()
                && candidate < *top
            {
                *top = candidate;
            }
        }
        best.into_sorted_vec().into_iter().skip(skip).map(|(.., id)| id).collect()
    }

    /// How many packages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.load().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for SearchIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchIndex").field("packages", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{TokenKind, TokenSecret};

    fn package(id: u64, name: &str, description: &str, visibility: Visibility) -> Package {
        let (namespace, name) = name.split_once('.').unwrap();
        Package {
            id: PackageKey(id),
            owner: UserId(1),
            namespace: namespace.parse().unwrap(),
            name: name.parse().unwrap(),
            description: description.parse().unwrap(),
            visibility,
            version_scheme: Default::default(),
            access_token: TokenSecret::from_random(TokenKind::Access, [0; 32]),
            private_token: None,
            created: crate::model::Timestamp::from_micros(0),
            changed: crate::model::Timestamp::from_micros(0),
        }
    }

    fn entry(
        id: u64,
        name: &str,
        title: &str,
        keywords: &[&str],
        description: &str,
    ) -> (PackageKey, Option<SearchEntry>) {
        let described = Described {
            title: Some(title.to_owned()),
            keywords: keywords.iter().map(|&word| word.to_owned()).collect(),
            ..Described::default()
        };
        (PackageKey(id), Some(SearchEntry::new(&package(id, name, description, Visibility::Public), &described)))
    }

    fn find(index: &SearchIndex, query: &str) -> Vec<u64> {
        index.find(query, 0, 100, |_| true).into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn the_best_come_first() {
        let index = SearchIndex::default();
        index.apply(vec![
            entry(1, "omni.other", "", &[], "Has a window somewhere."),
            entry(2, "omni.unwindowed", "", &[], ""),
            entry(3, "omni.b", "", &["window"], ""),
            entry(4, "omni.a", "The Window", &[], ""),
            entry(5, "omni.kit-window", "", &[], ""),
            entry(6, "omni.windows", "", &[], ""),
            entry(7, "omni.window", "", &[], ""),
            entry(8, "omni.none", "", &[], ""),
        ]);
        assert_eq!(find(&index, "WINDOW"), [7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(find(&index, "omni.window"), [7, 6]);
        assert_eq!(find(&index, "window the"), [4, 1]);
        assert_eq!(find(&index, "nowhere"), [0; 0]);
        assert_eq!(find(&index, "").len(), 8);
        let page = |skip| index.find("window", skip, 3, |_| true).into_iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!((page(0), page(3), page(6)), (vec![7, 6, 5], vec![4, 3, 2], vec![1]));
    }

    proptest! {
        #[test]
        fn a_page_is_a_part_of_the_whole(
            texts in prop::collection::btree_map("o\\.[ab][ab-]{0,3}", ("[ab ]{0,4}", "[ab]{0,2}", "[ab ]{0,5}"), 0..40),
            query in "[ab]{1,2}( [ab]{1,2})?",
            skip in 0..12_usize,
            limit in 0..6_usize,
        ) {
            let index = SearchIndex::default();
            let of_text = |(n, (name, (title, word, line))): (usize, (&String, &(String, String, String)))| {
                entry(n as u64, name, title, &[word], line)
            };
            index.apply(texts.iter().enumerate().map(of_text).collect());
            let whole = find(&index, &query);
            let page: Vec<_> = index.find(&query, skip, limit, |_| true).into_iter().map(|id| id.0).collect();
            prop_assert_eq!(page, whole.into_iter().skip(skip).take(limit).collect::<Vec<_>>());
        }
    }

    #[test]
    fn only_what_may_be_seen_is_found() {
        let index = SearchIndex::default();
        let private = SearchEntry::new(&package(1, "omni.kit", "", Visibility::Private), &Described::default());
        index.apply(vec![(PackageKey(1), Some(private))]);
        assert!(index.find("kit", 0, 10, |entry| entry.public).is_empty());
        assert_eq!(index.find("kit", 0, 10, |entry| entry.owner == UserId(1)), [PackageKey(1)]);
    }

    #[test]
    fn changes_are_followed() {
        let index = SearchIndex::default();
        index.apply(vec![entry(1, "omni.kit", "", &[], "")]);
        index.apply(vec![entry(1, "omni.kit", "Title", &[], "")]);
        assert_eq!((find(&index, "title"), index.len()), (vec![1], 1));
        // One that goes and one that takes its name.
        index.apply(vec![(PackageKey(1), None), entry(2, "omni.kit", "", &[], "")]);
        assert_eq!(find(&index, "kit"), [2]);
        index.apply(vec![(PackageKey(1), None), (PackageKey(2), None)]);
        assert!(index.is_empty());
    }

    #[test]
    fn summaries_are_read_as_far_as_they_have_the_form() {
        let entry = r#""omni.kit":{"package":{"title":"Kit","keywords":["a",1,"b"],"icon":"i.png","version":"1"}}"#;
        let described = Described::of_summary(entry);
        assert_eq!(described.title.as_deref(), Some("Kit"));
        assert_eq!(described.icon.as_deref(), Some("i.png"));
        assert_eq!(described.keywords, ["a", "b"]);
        assert_eq!(Described::of_summary(r#""a":{"package":{"title":7,"keywords":{}}}"#), Described::default());
        assert_eq!(Described::of_summary("nonsense"), Described::default());
    }
}
