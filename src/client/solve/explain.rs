//! Why nothing fits, in sentences about packages, versions and requirements.
//!
//! The solver proves a contradiction by deriving one incompatibility from two others, often over many versions one by
//! one. A person needs less: the facts at the leaves of that proof, which cannot all hold. Where a part of the proof
//! only shows that versions of one package need some of another, through whatever, that one sentence stands for it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use pubgrub::{DerivationTree, Derived, External, Term, VersionSet as _};

use super::Conflict;
use super::catalog::ABSENT;
use super::provider::{Key, Looked, Provider, ROOT};
use super::version_set::{Place, VersionSet};
use super::words::{joined, versions};

type Tree = DerivationTree<Key, VersionSet, String>;

/// With more facts than this, those about the same two packages become one.
const FACTS_MAX: usize = 12;
/// More lines than this are not read.
const LINES_MAX: usize = 30;
/// Packages named of those through which one needs another.
const VIA_SHOWN_MAX: usize = 3;

/// Something that holds, and has its part in the contradiction.
enum Fact {
    /// Versions of one package need one of some versions of another.
    Needs(Needs),
    /// Versions of a package cannot be used, and why.
    Unusable { key: Key, set: VersionSet, why: String },
    /// Versions that are withdrawn.
    Yanked { key: Key, set: VersionSet },
}

struct Needs {
    key: Key,
    set: VersionSet,
    needed: Key,
    needed_set: VersionSet,
    /// As the package says it; nothing where the need is an indirect one.
    requirement: Option<String>,
    optional: bool,
    via: BTreeSet<Key>,
}

/// Tells why `tree`, which is taken apart, holds.
pub(super) fn conflict(tree: Tree, provider: &Provider<'_>) -> Conflict {
    let tree = Arc::new(tree);
    let packages: BTreeSet<Key> = packages_of(&tree);
    let facts = facts_of(&tree, provider);
    dismantle(tree);
    let name = |key: &Key| provider.entry(*key).name.clone();
    Conflict {
        sentences: sentences(facts, provider),
        packages: packages.iter().filter(|key| **key != ROOT).map(name).collect(),
        counts: provider.counts(),
    }
}

/// Visits every node once, however often it is used and however deep the proof is; `enter` says whether to go on to
/// what a node is derived from.
fn visit(tree: &Arc<Tree>, mut enter: impl FnMut(&Tree) -> bool) {
    let mut seen = HashSet::new();
    let mut left = vec![tree];
    while let Some(node) = left.pop() {
        if seen.insert(Arc::as_ptr(node))
            && enter(node)
            && let DerivationTree::Derived(Derived { cause1, cause2, .. }) = &**node
        {
            left.extend([cause2, cause1]);
        }
    }
}

/// Frees a proof without recursion: its depth is that of the search.
fn dismantle(tree: Arc<Tree>) {
    let mut left = vec![tree];
    while let Some(node) = left.pop() {
        if let Some(DerivationTree::Derived(Derived { cause1, cause2, .. })) = Arc::into_inner(node) {
            left.extend([cause1, cause2]);
        }
    }
}

fn packages_of(tree: &Arc<Tree>) -> BTreeSet<Key> {
    let mut packages = BTreeSet::new();
    visit(tree, |node| {
        match node {
            DerivationTree::Derived(derived) => packages.extend(derived.terms.keys()),
            DerivationTree::External(External::FromDependencyOf(key, _, needed, _)) => packages.extend([*key, *needed]),
            DerivationTree::External(
                External::NotRoot(key, _) | External::NoVersions(key, _) | External::Custom(key, _, _),
            ) => packages.extend([*key]),
        }
        true
    });
    packages
}

fn facts_of(tree: &Arc<Tree>, provider: &Provider<'_>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut indirect = Vec::new();
    visit(tree, |node| match node {
        DerivationTree::Derived(derived) => match need_of(derived) {
            // What a visit of the part finds is told by the one fact.
            Some(need) => {
                indirect.push((need, [Arc::clone(&derived.cause1), Arc::clone(&derived.cause2)]));
                false
            }
            None => true,
        },
        DerivationTree::External(external) => {
            facts.extend(fact_of(external, provider));
            false
        }
    });
    for (mut need, causes) in indirect {
        need.via = causes.iter().flat_map(packages_of).collect();
        need.via.retain(|key| ![need.key, need.needed, ROOT].contains(key));
        if need.via.is_empty() {
            let requirement = requirement_of(provider, need.key, &need.set, need.needed, &need.needed_set);
            need.requirement = requirement.map(|(text, _)| text);
        }
        facts.push(Fact::Needs(need));
    }
    facts
}

/// The need that a derived incompatibility states, if it states one and no more.
fn need_of(derived: &Derived<Key, VersionSet, String>) -> Option<Needs> {
    let mut terms: Vec<_> = derived.terms.iter().collect();
    terms.sort_by_key(|(_, term)| matches!(term, Term::Negative(_)));
    let [(key, Term::Positive(set)), (needed, Term::Negative(needed_set))] = terms.as_slice() else { return None };
    (**key != ROOT).then(|| Needs {
        key: **key,
        set: set.clone(),
        needed: **needed,
        needed_set: needed_set.clone(),
        requirement: None,
        optional: needed_set.contains(&ABSENT),
        via: BTreeSet::new(),
    })
}

fn fact_of(external: &External<Key, VersionSet, String>, provider: &Provider<'_>) -> Option<Fact> {
    match external {
        External::NotRoot(..) => None,
        External::FromDependencyOf(key, set, needed, needed_set) => {
            let (requirement, optional) = requirement_of(provider, *key, set, *needed, needed_set)?;
            Some(Fact::Needs(Needs {
                key: *key,
                set: set.clone(),
                needed: *needed,
                needed_set: needed_set.clone(),
                requirement: Some(requirement),
                optional,
                via: BTreeSet::new(),
            }))
        }
        External::NoVersions(key, set) => {
            let entry = provider.entry(*key);
            let is_version = |place: &Place| entry.version(*place).is_some();
            let end = entry.catalog.as_ref()?.end();
            let places = VersionSet::of_places(0, (0..end).map(|place| set.contains(&place) && is_version(&place)));
            (!places.is_empty()).then_some(Fact::Yanked { key: *key, set: places })
        }
        External::Custom(key, set, why) => Some(Fact::Unusable { key: *key, set: set.clone(), why: why.clone() }),
    }
}

/// The requirement behind a dependency, in the words of the newest version that has it.
fn requirement_of(
    provider: &Provider<'_>,
    key: Key,
    set: &VersionSet,
    needed: Key,
    needed_set: &VersionSet,
) -> Option<(String, bool)> {
    let links = if key == ROOT {
        // They were read before anything else.
        provider.roots().unwrap_or_default()
    } else {
        let entry = provider.entry(key);
        let looked_at = entry.looked_at();
        let says_so =
            |looked: &Looked| looked.known_links().iter().any(|link| link.key == needed && link.set == *needed_set);
        let saying_so = looked_at.iter().filter(|(place, looked)| set.contains(place) && says_so(looked));
        let newest = saying_so.max_by_key(|(place, _)| **place);
        newest.map(|(_, looked)| looked.known_links().clone()).unwrap_or_default()
    };
    let link = links.into_iter().find(|link| link.key == needed && link.set == *needed_set)?;
    Some((link.requirement.to_string(), link.optional))
}

fn sentences(mut facts: Vec<Fact>, provider: &Provider<'_>) -> Vec<String> {
    if facts.len() > FACTS_MAX {
        facts = merged(facts);
    }
    let conclusion = conclusion(&facts, provider);
    facts.sort_by_cached_key(|fact| match fact {
        Fact::Needs(needs) => (needs.key, 0, needs.set.to_string(), needs.needed),
        Fact::Unusable { key, set, .. } => (*key, 1, set.to_string(), 0),
        Fact::Yanked { key, set } => (*key, 2, set.to_string(), 0),
    });
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for fact in &facts {
        let (subject, object) = fact.words(provider);
        match lines.last_mut() {
            Some((last, objects)) if *last == subject => objects.push(object),
            _ => lines.push((subject, vec![object])),
        }
    }
    let hidden = lines.len().saturating_sub(LINES_MAX);
    lines.truncate(LINES_MAX);
    if let ([(subject, objects)], None) = (lines.as_slice(), &conclusion) {
        return vec![format!("{subject} {}", joined(objects))];
    }
    let mut sentences = vec!["These cannot all hold:".to_owned()];
    sentences.extend(lines.into_iter().map(|(subject, objects)| format!("* {subject} {}", joined(&objects))));
    if hidden > 0 {
        sentences.push(format!("* and {hidden} more of this kind"));
    }
    sentences.extend(conclusion);
    sentences
}

/// Makes one fact of those about the same two packages, which says less and is still true.
fn merged(facts: Vec<Fact>) -> Vec<Fact> {
    let mut rest = Vec::new();
    let mut by_pair: BTreeMap<(Key, Key), Needs> = BTreeMap::new();
    for fact in facts {
        let Fact::Needs(needs) = fact else {
            rest.push(fact);
            continue;
        };
        if needs.needed_set.is_empty() {
            rest.push(Fact::Needs(needs));
            continue;
        }
        match by_pair.get_mut(&(needs.key, needs.needed)) {
            None => {
                by_pair.insert((needs.key, needs.needed), needs);
            }
            Some(all) => {
                all.requirement = all.requirement.take().filter(|text| needs.requirement.as_ref() == Some(text));
                all.set = all.set.union(&needs.set);
                all.needed_set = all.needed_set.union(&needs.needed_set);
                all.optional |= needs.optional;
                all.via.extend(needs.via);
            }
        }
    }
    rest.extend(by_pair.into_values().map(Fact::Needs));
    rest
}

/// Names the package of which several things are asked that exclude each other, if there is exactly one.
fn conclusion(facts: &[Fact], provider: &Provider<'_>) -> Option<String> {
    let mut asked: BTreeMap<Key, Vec<&VersionSet>> = BTreeMap::new();
    for fact in facts {
        if let Fact::Needs(needs) = fact {
            asked.entry(needs.needed).or_default().push(&needs.needed_set);
        }
    }
    let contradicts = |sets: &[&VersionSet]| {
        sets.len() > 1
            && sets.iter().all(|set| !set.is_empty())
            && sets.iter().fold(VersionSet::full(), |all, set| all.intersection(set)).is_empty()
    };
    let mut found = asked.iter().filter(|(_, sets)| contradicts(sets));
    let ((key, sets), None) = (found.next()?, found.next()) else { return None };
    let all = if sets.len() == 2 { "both" } else { "all of them" };
    Some(format!("No version of {} suits {all}.", provider.entry(*key).name))
}

impl Fact {
    /// Whom it is about with the verb, and what it says.
    fn words(&self, provider: &Provider<'_>) -> (String, String) {
        let subject = |key: Key, set: &VersionSet, one: &str, many: &str| {
            let (text, is_plural) = versions(&provider.entry(key), set);
            format!("{text} {}", if is_plural { many } else { one })
        };
        match self {
            Self::Needs(needs) => {
                let subject = match (needs.key, needs.optional) {
                    (ROOT, _) => "you ask for".to_owned(),
                    (key, false) => subject(key, &needs.set, "requires", "require"),
                    (key, true) => subject(key, &needs.set, "goes only with", "go only with"),
                };
                (subject, needs.object(provider))
            }
            Self::Unusable { key, set, why } => {
                (format!("{} be used:", subject(*key, set, "cannot", "cannot")), why.clone())
            }
            Self::Yanked { key, set } => (subject(*key, set, "is", "are"), "yanked".to_owned()),
        }
    }
}

impl Needs {
    fn object(&self, provider: &Provider<'_>) -> String {
        let entry = provider.entry(self.needed);
        let mut text = match self.requirement.as_deref() {
            Some("*") => entry.name.to_string(),
            Some(requirement) => format!("{} {requirement}", entry.name),
            None => versions(&entry, &self.needed_set).0,
        };
        let Some(catalog) = &entry.catalog else {
            return format!("{text}, and there is no package of that name here");
        };
        if self.needed_set.is_empty() {
            let everything = catalog.everything();
            if everything.is_empty() {
                return format!("{text}, of which there is nothing for {}", provider.request().platform);
            }
            let newest = catalog.newest_first(&everything).find(|place| !catalog.is_prerelease(*place));
            let newest = newest.or_else(|| catalog.newest_first(&everything).next());
            let newest = newest.and_then(|place| entry.version(place));
            let newest = newest.map_or_else(String::new, |version| format!(" (the newest is {version})"));
            text.push_str(&format!(", and no such version exists{newest}"));
            if let Some(version) = self.prerelease(provider) {
                text.push_str(&format!("; the prerelease {version} would do, if prereleases were wanted"));
            }
        }
        let via: Vec<String> =
            self.via.iter().take(VIA_SHOWN_MAX).map(|key| provider.entry(*key).name.to_string()).collect();
        if !via.is_empty() {
            let more = self.via.len() - via.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            text.push_str(&format!(" (through {}{more})", via.join(", ")));
        }
        text
    }

    /// The newest prerelease that would meet the requirement.
    fn prerelease(&self, provider: &Provider<'_>) -> Option<String> {
        let entry = provider.entry(self.needed);
        let catalog = entry.catalog.as_ref()?;
        let set = catalog.admitted(&self.requirement.as_deref()?.parse().ok()?, true);
        let place = catalog.newest_first(&set).next()?;
        entry.version(place).map(ToString::to_string)
    }
}
