//! Sets of versions and lists in words.

use pubgrub::VersionSet as _;

use super::catalog::ABSENT;
use super::provider::Entry;
use super::version_set::{Place, VersionSet};

/// Runs of versions that are told one by one.
const RUNS_SHOWN_MAX: usize = 3;

/// `a`, `a and b`, `a, b and c`.
pub(super) fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A package and versions of it: `omni.foo 1.2.0`, `omni.foo 1.2.0 to 1.4.1`, `every version of omni.foo`; and whether
/// that is grammatically more than one.
pub(super) fn versions(entry: &Entry, set: &VersionSet) -> (String, bool) {
    let name = &entry.name;
    let Some(catalog) = &entry.catalog else { return (name.to_string(), false) };
    let looked_at = entry.looked_at();
    let is_yanked = |place: &Place| looked_at.get(place).is_some_and(|looked| looked.line.is_yanked);
    let mut runs: Vec<(Place, Place)> = Vec::new();
    let mut is_everything = true;
    let mut is_open = false;
    for place in ABSENT + 1..catalog.end() {
        if set.contains(&place) {
            match runs.last_mut() {
                Some((first, last)) if is_open && catalog.is_prerelease(*first) == catalog.is_prerelease(place) => {
                    *last = place;
                }
                _ => runs.push((place, place)),
            }
            is_open = true;
        } else if !is_yanked(&place) {
            is_everything &= catalog.is_prerelease(place);
            is_open = false;
        }
    }
    let version = |place: Place| &catalog.id(place).version;
    let run = |(first, last): &(Place, Place)| {
        if first == last { version(*first).to_string() } else { format!("{} to {}", version(*first), version(*last)) }
    };
    let is_plural = !matches!(runs.as_slice(), [(first, last)] if first == last);
    let count: Place = runs.iter().map(|(first, last)| last - first + 1).sum();
    match runs.as_slice() {
        [] => (format!("no version of {name}"), false),
        [_] if is_everything && is_plural => (format!("every version of {name}"), false),
        [first, .., last] if runs.len() > RUNS_SHOWN_MAX => {
            (format!("{count} of the versions {} to {} of {name}", version(first.0), version(last.1)), true)
        }
        few => (format!("{name} {}", joined(&few.iter().map(run).collect::<Vec<_>>())), is_plural),
    }
}
