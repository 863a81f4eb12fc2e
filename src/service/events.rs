//! What changed, told to those who look on, as far as they may see it at that moment.
//!
//! Owns a bounded history of what commits changed. A commit only adds to it; each listener reads from it at its own
//! pace, and one that falls behind the history is told to look at everything again. So listeners cost commits nothing.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Registry;
use super::caller::{Caller, Credentials, Identity};
use super::refusal::Refusal;
use crate::model::{Release, Role, UserId};
use crate::store::{Notice, Rows, Source};

/// What is remembered for listeners that come back: a page of work of a busy server.
const REMEMBERED_MAX: usize = 4096;
/// Listeners at once.
const LISTENERS_MAX: usize = 500;
/// Listeners at once from one address, so that nobody takes the places of all.
const LISTENERS_PER_ADDRESS_MAX: usize = 100;
/// The longest silence, so that proxies and clients know that somebody is there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a listener waits after one piece of news for more, so that a burst comes together.
const GATHER: Duration = Duration::from_millis(50);

/// Something that a listener is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `package`, `package_gone`, `release`, `release_gone`, `account`, or `reset`: look at everything again.
    pub name: &'static str,
    /// JSON.
    pub data: Value,
}

/// What a listener is told at once.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// The serial up to which the listener knows everything now, from which it can go on later.
    pub serial: u64,
    /// What happened; nothing, where it only shows that somebody is there.
    pub events: Vec<Event>,
}

/// The history.
#[derive(Debug)]
pub(super) struct History {
    remembered: Mutex<Remembered>,
    grown: watch::Sender<u64>,
    listeners: Mutex<Listeners>,
}

/// How many listen, by where from.
#[derive(Debug, Default)]
struct Listeners {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Listeners {
    /// Takes a place, or says why there is none.
    fn take(&mut self, address: Option<IpAddr>) -> Result<(), Refusal> {
        if self.all >= LISTENERS_MAX {
            return Err(Refusal::Unavailable("too many listen to events already".to_owned()));
        }
        if let Some(address) = address {
            let count = self.by_address.entry(address).or_default();
            if *count >= LISTENERS_PER_ADDRESS_MAX {
                return Err(Refusal::Unavailable(format!(
                    "{LISTENERS_PER_ADDRESS_MAX} listen to events from {address} already; close some"
                )));
            }
            *count += 1;
        }
        self.all += 1;
        Ok(())
    }

    fn give_back(&mut self, address: Option<IpAddr>) {
        self.all -= 1;
        if let Some(address) = address
            && let Some(count) = self.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

#[derive(Debug)]
struct Remembered {
    notices: VecDeque<(u64, Arc<Notice>)>,
    /// Everything after this serial is in `notices`.
    complete_from: u64,
    last: u64,
}

impl History {
    pub(super) fn new(now_micros: u64) -> Self {
        let remembered = Remembered { notices: VecDeque::new(), complete_from: now_micros, last: now_micros };
        Self { remembered: Mutex::new(remembered), grown: watch::Sender::new(now_micros), listeners: Mutex::default() }
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        // The counts are valid between any two statements.
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // What is remembered is valid between any two statements.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what a commit changed.
    pub(super) fn add(&self, notices: Vec<Notice>, now_micros: u64) {
        if notices.is_empty() {
            return;
        }
        let mut remembered = self.lock();
        for notice in notices {
            let serial = now_micros.max(remembered.last + 1);
            remembered.last = serial;
            remembered.notices.push_back((serial, Arc::new(notice)));
        }
        while remembered.notices.len() > REMEMBERED_MAX {
            if let Some((serial, _)) = remembered.notices.pop_front() {
                remembered.complete_from = serial;
            }
        }
        let last = remembered.last;
        drop(remembered);
        self.grown.send_replace(last);
    }

    /// What came after `since`, and a serial behind it that tells nothing but the time; nothing in place of the list
    /// where that is not remembered.
    fn since(&self, since: u64, now_micros: u64) -> (u64, Option<Vec<Arc<Notice>>>) {
        let mut remembered = self.lock();
        let known = since >= remembered.complete_from && since <= remembered.last;
        let first = remembered.notices.partition_point(|(serial, _)| *serial <= since);
        let notices = known.then(|| remembered.notices.range(first..).map(|(_, notice)| Arc::clone(notice)).collect());
        // Nobody learns from it when others changed something that is hidden from them.
        remembered.last = remembered.last.max(now_micros);
        (remembered.last, notices)
    }
}

/// Somebody who looks on.
pub struct Listener {
    registry: Arc<Registry>,
    credentials: Credentials,
    anonymous: bool,
    origin: Arc<str>,
    address: Option<IpAddr>,
    since: u64,
    grown: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    greeted: bool,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.registry.history.listeners().give_back(self.address);
    }
}

impl Registry {
    /// Begins to tell what changes, from the serial `since` on where it is given.
    ///
    /// # Errors
    /// If too many listen already, or too many from the caller's address.
    pub fn listen(
        self: &Arc<Self>,
        credentials: Credentials,
        caller: &Caller,
        since: Option<u64>,
    ) -> Result<Listener, Refusal> {
        let history = &self.history;
        history.listeners().take(caller.address)?;
        let mut grown = history.grown.subscribe();
        grown.mark_changed();
        let since = since.unwrap_or_else(|| history.since(0, self.now_micros()).0);
        let stopping = self.stopping.subscribe();
        Ok(Listener {
            registry: Arc::clone(self),
            credentials,
            anonymous: matches!(caller.identity, Identity::Anonymous),
            origin: Arc::clone(&caller.origin),
            address: caller.address,
            since,
            grown,
            stopping,
            greeted: false,
        })
    }

    /// How many listen to events.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.history.listeners().all
    }

    /// Ends what would go on for ever, so that the server can stop.
    pub fn begin_stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(super) fn now_micros(&self) -> u64 {
        self.clock.now().as_micros().unsigned_abs()
    }
}

impl Listener {
    /// The next news. Waits for them, but not longer than some seconds, after which there may be none. Nothing where
    /// there will be no more: the server stops, or whoever listens is not who they were.
    pub async fn next(&mut self) -> Option<News> {
        let end = tokio::time::Instant::now() + HEARTBEAT;
        loop {
            let waited = tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                changed = timeout(HEARTBEAT.min(end - tokio::time::Instant::now()), self.grown.changed()) => changed,
            };
            let is_news = match waited {
                Ok(Ok(())) => true,
                Ok(Err(_)) => return None,
                Err(_) => false,
            };
            if is_news && self.greeted {
                sleep(GATHER).await;
            }
            let greeting = !std::mem::replace(&mut self.greeted, true);
            let news = self.news().ok()?;
            // What others changed that is hidden from this one is not even told as silence.
            if !news.events.is_empty() || !is_news || greeting || tokio::time::Instant::now() >= end {
                return Some(news);
            }
        }
    }

    fn news(&mut self) -> Result<News, Refusal> {
        let registry = &self.registry;
        self.grown.mark_unchanged();
        let (serial, notices) = registry.history.since(self.since, registry.now_micros());
        self.since = serial;
        // Rights may have changed since the last time.
        let identity = registry.identify(&self.credentials)?;
        if !self.anonymous && matches!(identity, Identity::Anonymous) {
            return Err(Refusal::sign_in());
        }
        let caller = Caller { identity, origin: Arc::clone(&self.origin), address: None };
        let Some(notices) = notices else {
            return Ok(News { serial, events: vec![Event { name: "reset", data: json!({}) }] });
        };
        let mut events: Vec<Event> = Vec::new();
        if !notices.is_empty() {
            let rows = registry.store.read()?;
            for notice in notices {
                if let Some(event) = tell(&rows, &caller, &notice)?
                    && !events.contains(&event)
                {
                    events.push(event);
                }
            }
        }
        Ok(News { serial, events })
    }
}

/// What a caller may hear of a change.
fn tell<S: Source>(rows: &Rows<S>, caller: &Caller, notice: &Notice) -> Result<Option<Event>, Refusal> {
    let event = |name, data| Ok(Some(Event { name, data }));
    match notice {
        Notice::Package { key, name, was_public } => {
            let Some(package) = rows.package(*key)? else { return Ok(None) };
            match caller.reader(rows, &package) {
                Ok(_) => event("package", json!({ "package": name })),
                Err(Refusal::NotFound(_)) if *was_public => event("package_gone", json!({ "package": name })),
                Err(Refusal::NotFound(_)) => Ok(None),
                Err(refusal) => Err(refusal),
            }
        }
        Notice::PackageGone { name, was_public, readers } => {
            let knew = *was_public || signed_in(caller).is_some_and(|(user, admin)| admin || readers.contains(&user));
            if knew { event("package_gone", json!({ "package": name })) } else { Ok(None) }
        }
        Notice::Release { id, package, channel, version, was_active } => {
            let Some(package) = rows.package(*package)? else { return Ok(None) };
            let role = match caller.reader(rows, &package) {
                Ok(role) => role,
                Err(Refusal::NotFound(_)) => return Ok(None),
                Err(refusal) => return Err(refusal),
            };
            let sees_drafts = role >= Some(Role::Maintainer);
            let now: Option<Release> = rows.release(*id)?;
            let name = match now {
                Some(release) if release.active || sees_drafts => "release",
                _ if *was_active || sees_drafts => "release_gone",
                _ => return Ok(None),
            };
            let channels = rows.channels(package.owner)?;
            let Some(channel) = channels.iter().find(|known| known.id == *channel) else { return Ok(None) };
            event(name, json!({ "package": package.full_name(), "channel": channel.name, "version": version.as_str() }))
        }
        Notice::Account(user) => match signed_in(caller) {
            Some((own, _)) if own == *user => event("account", json!({})),
            _ => Ok(None),
        },
    }
}

fn signed_in(caller: &Caller) -> Option<(UserId, bool)> {
    match &caller.identity {
        Identity::User(signed_in) => Some((signed_in.user.id, signed_in.user.admin)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_the_places_of_all() {
        let mut listeners = Listeners::default();
        let (greedy, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        for _ in 0..LISTENERS_PER_ADDRESS_MAX {
            listeners.take(Some(greedy)).unwrap();
        }
        assert!(listeners.take(Some(greedy)).unwrap_err().to_string().contains("from 10.0.0.1 already"));
        listeners.take(Some(other)).unwrap();
        listeners.give_back(Some(greedy));
        listeners.take(Some(greedy)).unwrap();
        for _ in listeners.all..LISTENERS_MAX {
            listeners.take(None).unwrap();
        }
        assert!(listeners.take(None).is_err() && listeners.take(Some(other)).is_err());
        listeners.give_back(Some(other));
        assert_eq!((listeners.all, listeners.by_address.len()), (LISTENERS_MAX - 1, 1));
    }

    #[test]
    fn what_is_forgotten_is_said_to_be() {
        let history = History::new(100);
        history.add(vec![Notice::Account(UserId(1)), Notice::Account(UserId(2))], 200);
        assert_eq!(history.since(100, 0).1.unwrap().len(), 2);
        assert_eq!(history.since(200, 0).1.unwrap().len(), 1);
        assert_eq!(history.since(201, 0).1.unwrap().len(), 0);
        for unknown in [99, 202] {
            assert_eq!(history.since(unknown, 0).1, None, "{unknown}");
        }
        // A serial that was told stays behind what comes later, be the clock set back.
        let (told, _) = history.since(201, 500);
        assert_eq!(told, 500);
        history.add(vec![Notice::Account(UserId(3))], 300);
        assert_eq!(history.since(told, 0).1.unwrap().len(), 1);
        history.add((0..REMEMBERED_MAX as u64).map(|id| Notice::Account(UserId(id))).collect(), 1000);
        assert_eq!(history.since(told, 0).1, None);
        assert_eq!(history.lock().notices.len(), REMEMBERED_MAX);
    }
}
