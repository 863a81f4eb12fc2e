//! Growing waits after failed sign-ins, per address and per account.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::refusal::Refusal;
use crate::model::Timestamp;

/// Failures that cost nothing yet: people mistype.
const FREE_FAILURES: u32 = 5;
/// The longest wait, in seconds.
const WAIT_S_MAX: i64 = 15 * 60;
/// A failure is forgotten after that many seconds without another.
const MEMORY_S: i64 = 60 * 60;
/// Most addresses and accounts that are remembered; the ones that failed longest ago go first.
const SUBJECTS_MAX: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    /// An IPv4 address, or the /64 an IPv6 address is in: who has one of those has all.
    Address(IpAddr),
    Account(String),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    fn wait_s(self) -> i64 {
        let beyond = self.count.saturating_sub(FREE_FAILURES);
        if beyond == 0 { 0 } else { (1_i64 << (beyond - 1).min(20)).min(WAIT_S_MAX) }
    }
}

/// Remembers failed sign-ins.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    failures: Mutex<HashMap<Subject, Failures>>,
}

impl Throttle {
    /// Counts an attempt as failed before it is checked, so that attempts at once do not slip through together.
    ///
    /// # Errors
    /// If the address or the account has to wait.
    pub(super) fn begin(&self, address: IpAddr, account: &str, now: Timestamp) -> Result<(), Refusal> {
        self.count(&subjects(address, account), now)
    }

    fn count(&self, subjects: &[Subject], now: Timestamp) -> Result<(), Refusal> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= SUBJECTS_MAX {
            forget(&mut failures, now);
        }
        let waits = subjects.iter().filter_map(|subject| {
            let past = failures.get(subject)?;
            let end = past.last.plus_seconds(past.wait_s());
            (end > now).then(|| (end.as_micros() - now.as_micros()) as u64 / 1_000_000 + 1)
        });
        if let Some(retry_after_s) = waits.max() {
            return Err(Refusal::TooManyTries { retry_after_s });
        }
        for subject in subjects {
            let past = failures.entry(subject.clone()).or_insert(Failures { count: 0, last: now });
            if past.last.plus_seconds(MEMORY_S) < now {
                past.count = 0;
            }
            *past = Failures { count: past.count.saturating_add(1), last: now };
        }
        Ok(())
    }

    /// Counts an attempt from an address, where there is no account to count it for.
    ///
    /// # Errors
    /// If the address has to wait.
    pub(super) fn begin_from(&self, address: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        self.count(&[network(address)], now)
    }

    /// Whether the address or the account has to wait.
    pub(super) fn waits(&self, address: IpAddr, account: &str, now: Timestamp) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let mut past = subjects(address, account).into_iter().filter_map(|subject| failures.get(&subject).copied());
        past.any(|past| past.last.plus_seconds(past.wait_s()) > now)
    }

    /// The attempt was right after all: its account and address start afresh.
    pub(super) fn succeed(&self, address: IpAddr, account: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for subject in subjects(address, account) {
            failures.remove(&subject);
        }
    }
}

fn subjects(address: IpAddr, account: &str) -> [Subject; 2] {
    [network(address), Subject::Account(account.to_owned())]
}

fn network(address: IpAddr) -> Subject {
    Subject::Address(match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    })
}

/// Makes room: first what is old, then the older half of the rest.
fn forget(failures: &mut HashMap<Subject, Failures>, now: Timestamp) {
    failures.retain(|_, past| past.last.plus_seconds(MEMORY_S) >= now);
    if failures.len() >= SUBJECTS_MAX {
        let mut times: Vec<Timestamp> = failures.values().map(|past| past.last).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        failures.retain(|_, past| past.last > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn waits_grow_and_end() {
        let throttle = Throttle::default();
        let address = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..FREE_FAILURES + 1 {
            throttle.begin(address, "omni", at(100)).unwrap();
        }
        let Err(Refusal::TooManyTries { retry_after_s }) = throttle.begin(address, "omni", at(100)) else {
            panic!("the wait has begun");
        };
        assert_eq!(retry_after_s, 2);
        throttle.begin(address, "omni", at(102)).unwrap();
        assert!(throttle.begin(address, "omni", at(103)).is_err(), "the next wait is longer");
        assert!(throttle.begin(IpAddr::from([192, 0, 2, 2]), "omni", at(103)).is_err(), "the account waits too");
        assert!(throttle.begin(address, "other", at(103)).is_err(), "the address waits too");
        assert!(throttle.begin(IpAddr::from([192, 0, 2, 2]), "other", at(103)).is_ok());
        throttle.succeed(address, "omni");
        assert!(throttle.begin(address, "omni", at(103)).is_ok());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..SUBJECTS_MAX as u32 * 2 {
            throttle.begin(IpAddr::from(n.to_be_bytes()), &n.to_string(), at(i64::from(n / 100))).unwrap();
        }
        assert!(throttle.failures.lock().unwrap().len() <= SUBJECTS_MAX + 2);
    }
}
