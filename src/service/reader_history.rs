//! The states of the index that readers with private packages were given lately, so that such a reader can be told what
//! changed since one of them.
//!
//! Owns what each reader was given, in memory alone: who could read what at which time is not kept any longer than that.
//! A reader is told of its own states only. A serial does not say whose state it was, so the checksum of `registry.gz`
//! must fit as well.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::caller::Identity;
use crate::index::{RenderedContent, Serial, View, ViewName};
use crate::model::{Crc32, PackageKey, UserId};

/// Readers of views that are remembered, those last seen.
const READERS_MAX: usize = 64;
/// States that are remembered of each, the last ones.
const STATES_MAX: usize = 64;
/// Changes of private packages that are remembered of each.
const NAMES_MAX: usize = 10_000;

/// A state of the index as a client has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownState {
    /// Its serial.
    pub serial: Serial,
    /// The checksum of its `registry.gz`, if the client says so. Without it, no view with private packages is compared.
    pub registry: Option<Crc32>,
}

impl KnownState {
    /// Whether it is that of `view`, as far as it says.
    pub(super) fn is_of(&self, view: &View) -> bool {
        self.serial == view.serial() && self.registry.is_none_or(|crc| crc == view.registry().crc32())
    }
}

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    User(UserId),
    /// Whoever holds a token of the package.
    Package(PackageKey),
}

impl Reader {
    fn of(identity: &Identity) -> Option<Self> {
        match identity {
            Identity::Anonymous => None,
            Identity::User(signed_in) => Some(Self::User(signed_in.user.id)),
            Identity::Access(package) | Identity::Private(package) => Some(Self::Package(*package)),
        }
    }
}

/// What lies between two states of a reader's view.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Between {
    /// The serials of the public views below them.
    pub(super) base: (Serial, Serial),
    /// The private packages that came, went or changed.
    pub(super) names: Vec<Arc<str>>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct ReaderHistory {
    readers: Mutex<Vec<History>>,
}

/// What one reader was given of one view.
#[derive(Debug)]
struct History {
    reader: Reader,
    name: ViewName,
    /// The private packages in the last state.
    contents: Arc<[RenderedContent]>,
    states: VecDeque<Given>,
    names_count: usize,
}

#[derive(Debug)]
struct Given {
    serial: Serial,
    registry: Crc32,
    base: Serial,
    /// The private packages in which it differs from the state before.
    names: Vec<Arc<str>>,
}

impl ReaderHistory {
    /// Notes that `identity` is given `view`, which has `contents` on top of the public view of serial `base`.
    pub(super) fn note(
        &self,
        identity: &Identity,
        name: &ViewName,
        view: &View,
        base: Serial,
        contents: &Arc<[RenderedContent]>,
    ) {
        let Some(reader) = Reader::of(identity) else { return };
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let at = readers.iter().position(|known| known.reader == reader && known.name == *name);
        let mut history = match at {
            Some(at) => readers.remove(at),
            None => {
                if readers.len() >= READERS_MAX {
                    readers.remove(0);
                }
                let (contents, states) = (Arc::clone(contents), VecDeque::new());
                History { reader, name: name.clone(), contents, states, names_count: 0 }
            }
        };
        history.add(view, base, contents);
        readers.push(history);
    }

    /// What lies between the state that a client says to have and `now`, if `identity` was given both.
    pub(super) fn between(
        &self,
        identity: &Identity,
        name: &ViewName,
        known: KnownState,
        now: &View,
    ) -> Option<Between> {
        let (reader, registry) = (Reader::of(identity)?, known.registry?);
        let readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let history = readers.iter().find(|history| history.reader == reader && history.name == *name)?;
        let position = |serial, registry| {
            // A state that came back counts as the later one.
            history.states.iter().rposition(|given| (given.serial, given.registry) == (serial, registry))
        };
        let from = position(known.serial, registry)?;
        let to = position(now.serial(), now.registry().crc32())?;
        let (first, last) = (from.min(to), from.max(to));
        let mut names: Vec<_> =
            history.states.range(first + 1..=last).flat_map(|given| given.names.iter().cloned()).collect();
        names.sort_unstable();
        names.dedup();
        Some(Between { base: (history.states[from].base, history.states[to].base), names })
    }
}

impl History {
    fn add(&mut self, view: &View, base: Serial, contents: &Arc<[RenderedContent]>) {
        let is_same = |last: &Given| last.base == base && Arc::ptr_eq(&self.contents, contents);
        if self.states.back().is_some_and(is_same) {
            return;
        }
        let names = differences(&self.contents, contents);
        self.contents = Arc::clone(contents);
        let (serial, registry) = (view.serial(), view.registry().crc32());
        if let Some(last) = self.states.back()
            && (last.serial, last.registry, last.base) == (serial, registry, base)
            && names.is_empty()
        {
            return;
        }
        self.names_count += names.len();
        self.states.push_back(Given { serial, registry, base, names });
        while self.states.len() > STATES_MAX || (self.names_count > NAMES_MAX && self.states.len() > 1) {
            let forgotten = self.states.pop_front().map_or(0, |given| given.names.len());
            self.names_count -= forgotten;
        }
    }
}

/// The packages that only one of both has, or that they have otherwise.
fn differences(old: &Arc<[RenderedContent]>, new: &Arc<[RenderedContent]>) -> Vec<Arc<str>> {
    if Arc::ptr_eq(old, new) {
        return Vec::new();
    }
    let mut before: HashMap<&str, &RenderedContent> =
        old.iter().map(|content| (content.file.full_name(), content)).collect();
    let mut names: Vec<Arc<str>> = Vec::new();
    for content in &**new {
        let former = before.remove(content.file.full_name());
        let is_same = former
            .is_some_and(|former| former.file.crc32() == content.file.crc32() && former.summary == content.summary);
        if !is_same {
            names.push(content.file.full_name().into());
        }
    }
    names.extend(before.into_keys().map(Arc::from));
    names
}
