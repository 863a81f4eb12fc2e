//! Finds packages in a local copy by words: in names, titles, keywords and descriptions of the summaries.
//!
//! Every word must be found somewhere in a package. Packages come in the order of the best place of each word, added
//! up: the whole name, the beginning of the name, a word of it, the title, a keyword, a part of the name, the
//! description. Among equals the shorter name comes first.

use std::collections::BinaryHeap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::sync::{LocalError, LocalIndex};

/// More words than a person types.
const WORDS_MAX: usize = 32;
/// A description is searched this far, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 64 << 10;

/// What to look for.
#[derive(Debug, Clone)]
pub struct Query {
    words: Vec<String>,
    limit: usize,
}

/// A package that was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Found {
    /// Its full name.
    pub name: String,
    /// Its highest offered version.
    pub version: String,
    /// Its title.
    pub title: String,
    /// What it is, in the words of its owner.
    pub description: String,
    /// Its keywords.
    pub keywords: Vec<String>,
    /// When that version was published, as the registry has it.
    pub published: Option<String>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The best ones, the best first.
    pub packages: Vec<Found>,
    /// How many there are in all.
    pub total: usize,
}

impl Query {
    /// Looks for `words`, which may hold several each, without regard to case; answers at most `limit` packages. No
    /// words find everything, in the order of names.
    #[must_use]
    pub fn new(words: &[String], limit: usize) -> Self {
        let words = words.iter().flat_map(|text| text.split_whitespace());
        Self { words: words.take(WORDS_MAX).map(str::to_lowercase).collect(), limit }
    }
}

/// Searches the summaries of `index`.
///
/// # Errors
/// If they cannot be read.
pub fn search(index: &LocalIndex, query: &Query) -> Result<Findings, LocalError> {
    index.read_summaries(|text| search_text(text, query))
}

fn search_text(summaries: &[u8], query: &Query) -> Result<Findings, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(summaries);
    let findings = deserializer.deserialize_map(Search { query })?;
    deserializer.end()?;
    Ok(findings)
}

/// Of an entry in the summaries, what a search needs. Fields of another shape count as missing: the manifests they come
/// from say what they like.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    package: Fields,
}

#[derive(Deserialize, Default)]
struct Fields {
    #[serde(default, deserialize_with = "text")]
    title: String,
    #[serde(default, deserialize_with = "text")]
    description: String,
    #[serde(default, deserialize_with = "texts")]
    keywords: Vec<String>,
    #[serde(default, deserialize_with = "text")]
    version: String,
    #[serde(default, deserialize_with = "text")]
    published: String,
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        _ => String::new(),
    })
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let string = |value: Value| match value {
        Value::String(text) => Some(text),
        _ => None,
    };
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(values) => values.into_iter().filter_map(string).collect(),
        Value::String(text) => text.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        _ => Vec::new(),
    })
}

/// A package and how well it fits; the worst is the greatest, so that a heap gives it up first.
struct Ranked {
    score: u32,
    found: Found,
}

impl Ranked {
    fn key(&self) -> (std::cmp::Reverse<u32>, usize, &str) {
        // Without words, names stand in their order and not by length.
        let length = if self.score == 0 { 0 } else { self.found.name.len() };
        (std::cmp::Reverse(self.score), length, &self.found.name)
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Goes through the summaries entry by entry and keeps the best.
struct Search<'a> {
    query: &'a Query,
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = Findings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of packages and their summaries")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Findings, A::Error> {
        let mut best = BinaryHeap::new();
        let mut total = 0;
        while let Some((name, Entry { package })) = entries.next_entry::<String, Entry>()? {
            let Some(score) = score(&self.query.words, &name, &package) else { continue };
            total += 1;
            let Fields { title, description, keywords, version, published } = package;
            let published = Some(published).filter(|time| !time.is_empty());
            best.push(Ranked { score, found: Found { name, version, title, description, keywords, published } });
            if best.len() > self.query.limit {
                best.pop();
            }
        }
        let packages = best.into_sorted_vec().into_iter().map(|ranked| ranked.found).collect();
        Ok(Findings { packages, total })
    }
}

/// How well a package fits all words; nothing if one of them is nowhere in it.
fn score(words: &[String], name: &str, package: &Fields) -> Option<u32> {
    let name = name.to_lowercase();
    let short = name.split_once('.').map_or(name.as_str(), |(_, short)| short);
    let title = package.title.to_lowercase();
    let keywords: Vec<String> = package.keywords.iter().map(|keyword| keyword.to_lowercase()).collect();
    let mut description = None;
    let mut sum = 0;
    for word in words {
        let word = word.as_str();
        sum += if name == word || short == word {
            1000
        } else if name.starts_with(word) || short.starts_with(word) {
            600
        } else if has_word(short, word) {
            400
        } else if has_word(&title, word) {
            200
        } else if keywords.iter().any(|keyword| keyword == word) {
            150
        } else if name.contains(word) {
            120
        } else if title.contains(word) || keywords.iter().any(|keyword| has_word(keyword, word)) {
            80
        } else {
            let description = description.get_or_insert_with(|| {
                let end = package.description.floor_char_boundary(DESCRIPTION_BYTES_MAX);
                package.description[..end].to_lowercase()
            });
            match (has_word(description, word), description.contains(word)) {
                (true, _) => 40,
                (false, true) => 10,
                (false, false) => return None,
            }
        };
    }
    Some(sum)
}

/// Whether one of the words that letters and digits make in `text` is `word`, or `word` begins and ends with words.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn names(summaries: &Value, words: &[&str], limit: usize) -> (Vec<String>, usize) {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let found = search_text(summaries.to_string().as_bytes(), &Query::new(&words, limit)).unwrap();
        (found.packages.into_iter().map(|package| package.name).collect(), found.total)
    }

    fn summaries() -> Value {
        let entry = |title: &str, keywords: Value, description: &str| {
            json!({"package": {
                "title": title, "keywords": keywords, "description": description, "version": "1.0.0",
            }})
        };
        json!({
            "acme.draws": entry("A Window Maker", json!(["ui"]), ""),
            "acme.other": entry("Other", json!([1, "window"]), ""),
            "acme.text": entry("Text", json!(null), "Shows a window with text"),
            "acme.xwindowx": entry("X", json!("gui, x"), ""),
            "omni.kit.window": entry("Kit", json!(["UI"]), "Kit's own"),
            "omni.window": entry("Windows", json!([]), ""),
            "omni.windowing": entry("W", json!([]), "ui"),
            "odd.entry": {"package": {"title": 7, "description": [], "keywords": {}, "version": null}},
            "odd.empty": {},
        })
    }

    #[test]
    fn the_nearest_to_the_name_comes_first() {
        let all = [
            "omni.window",
            "omni.windowing",
            "omni.kit.window",
            "acme.draws",
            "acme.other",
            "acme.xwindowx",
            "acme.text",
        ];
        assert_eq!(names(&summaries(), &["Window"], 9), (all.map(str::to_owned).to_vec(), 7));
        assert_eq!(names(&summaries(), &["window"], 2).0, all[..2]);
        assert_eq!(names(&summaries(), &["omni.kit.window"], 9).0, ["omni.kit.window"]);
    }

    #[test]
    fn all_words_must_be_found() {
        assert_eq!(names(&summaries(), &["kit ui"], 9).0, ["omni.kit.window"]);
        assert_eq!(names(&summaries(), &["kit", "nothing"], 9), (vec![], 0));
        assert_eq!(names(&summaries(), &["gui"], 9).0, ["acme.xwindowx"]);
        assert_eq!(
            names(&summaries(), &[], 3),
            (vec!["acme.draws".into(), "acme.other".into(), "acme.text".into()], 9)
        );
        assert_eq!(names(&summaries(), &["ui"], 0), (vec![], 3));
    }

    #[test]
    fn what_are_no_summaries_is_refused() {
        for text in ["", "[]", "{\"a\": 1}", "{} x"] {
            assert!(search_text(text.as_bytes(), &Query::new(&[], 1)).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_searched(name in "\\PC{0,20}", title in "\\PC{0,20}", word in "\\PC{0,5}", limit in 0usize..3) {
            let summaries = json!({name.clone(): {"package": {"title": title, "description": name}}});
            let (found, total) = names(&summaries, &[&word], limit);
            prop_assert!(found.len() <= limit && found.len() <= total);
        }
    }
}
