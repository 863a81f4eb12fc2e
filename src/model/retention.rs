//! Retention rules: which releases of a channel may go, and why.
//!
//! Owns the whole decision, as a function of what is known of a package's releases and of a moment. A rule says what
//! stays; only what none of its conditions keeps may go. Whatever is not known counts as a reason to stay.

use std::collections::BTreeSet;
use std::fmt;

use super::id::PlatformId;
use super::release::Release;
use super::time::{Day, Timestamp};

/// The most releases of a package that a rule can keep by their number.
pub const KEEP_NEWEST_MAX: u32 = 10_000;
/// The most days that a rule can keep releases for: a hundred years.
pub const KEEP_DAYS_MAX: u32 = 36_500;

/// What of a channel stays: a release goes only when no condition that is set keeps it. At least one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionRule {
    newest: Option<u32>,
    days: Option<u32>,
    downloaded_days: Option<u32>,
}

/// Why numbers are no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRetention {
    /// No condition is set: everything but the newest would go.
    #[error(
        "a rule keeps something: set keep_newest, keep_days or keep_downloaded_days. To keep everything, have no rule"
    )]
    Empty,
    /// The number of releases is out of range.
    #[error("keep_newest is how many releases of a package stay: a number from 1 to {KEEP_NEWEST_MAX}, or null")]
    Newest,
    /// The days are out of range.
    #[error("keep_days is for how many days releases stay: a number from 1 to {KEEP_DAYS_MAX}, or null")]
    Days,
    /// The days since a download are out of range.
    #[error(
        "keep_downloaded_days is for how many days releases stay after a download: a number from 1 to \
         {KEEP_DAYS_MAX}, or null"
    )]
    DownloadedDays,
}

impl InvalidRetention {
    /// Which input is at fault.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Empty => "retention",
            Self::Newest => "keep_newest",
            Self::Days => "keep_days",
            Self::DownloadedDays => "keep_downloaded_days",
        }
    }
}

impl RetentionRule {
    /// A rule of up to three conditions: how many of a package's releases stay, for how many days after they were
    /// published, and for how many after they were last downloaded.
    ///
    /// # Errors
    /// If none is set, or a number is out of range.
    pub fn new(newest: Option<i64>, days: Option<i64>, downloaded_days: Option<i64>) -> Result<Self, InvalidRetention> {
        if newest.is_none() && days.is_none() && downloaded_days.is_none() {
            return Err(InvalidRetention::Empty);
        }
        Ok(Self {
            newest: in_range(newest, KEEP_NEWEST_MAX, InvalidRetention::Newest)?,
            days: in_range(days, KEEP_DAYS_MAX, InvalidRetention::Days)?,
            downloaded_days: in_range(downloaded_days, KEEP_DAYS_MAX, InvalidRetention::DownloadedDays)?,
        })
    }

    /// How many of a package's releases stay, those of the highest versions.
    #[must_use]
    pub fn newest(&self) -> Option<u32> {
        self.newest
    }

    /// For how many days releases stay after they were published.
    #[must_use]
    pub fn days(&self) -> Option<u32> {
        self.days
    }

    /// For how many days releases stay after they were last downloaded, or published.
    #[must_use]
    pub fn downloaded_days(&self) -> Option<u32> {
        self.downloaded_days
    }
}

fn in_range(number: Option<i64>, max: u32, wrong: InvalidRetention) -> Result<Option<u32>, InvalidRetention> {
    let parse = |number| u32::try_from(number).ok().filter(|number| (1..=max).contains(number)).ok_or(wrong);
    number.map(parse).transpose()
}

impl fmt::Display for RetentionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.newest.map(|newest| format!("the {newest} newest")));
        parts.extend(self.days.map(|days| format!("what was published within {}", counted(days))));
        parts.extend(self.downloaded_days.map(|days| format!("what was downloaded within {}", counted(days))));
        write!(f, "keeps {}", parts.join(", "))
    }
}

/// A rule as a channel has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The rule.
    pub rule: RetentionRule,
    /// Since when it has been this one.
    pub since: Timestamp,
}

/// The moment at which releases are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionMoment {
    /// Ages are measured up to here.
    pub at: Timestamp,
    /// Every download after this day is known; where there is none, no download is.
    pub downloads_since: Option<Day>,
}

/// What becomes of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Stays,
    /// It may go.
    Goes(WhyGone),
}

/// Why a release may go: what became of each condition of the rule, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhyGone {
    rule: RetentionRule,
    age_days: u32,
    unused_days: u32,
}

impl fmt::Display for WhyGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.rule.newest.map(|newest| match newest {
            1 => "not the newest".to_owned(),
            newest => format!("not among the {newest} newest"),
        }));
        parts.extend(self.rule.days.map(|days| format!("published {} ago, kept for {days}", counted(self.age_days))));
        let unused = |days| format!("not downloaded for {}, kept for {days}", counted(self.unused_days));
        parts.extend(self.rule.downloaded_days.map(unused));
        f.write_str(&parts.join("; "))
    }
}

fn counted(days: u32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// Judges the releases of one package on one channel, which it hears of from the highest version down.
///
/// What it does not hear of can only make it keep more, so it need not hear of all that stay. Whatever the rule says,
/// these stay: what is not active; the highest active release; and of each platform the highest release that is
/// offered and has a file for it, so that no rule leaves an application without its update. A yanked release takes
/// none of the places of the newest, but stays as long as a release in its place would: locks that hold it lose it no
/// sooner than others.
#[derive(Debug, Clone)]
pub struct Judge {
    rule: RetentionRule,
    moment: RetentionMoment,
    offered: u32,
    has_highest: bool,
    covered: BTreeSet<PlatformId>,
}

impl Judge {
    /// Begins with a package.
    #[must_use]
    pub fn new(rule: RetentionRule, moment: RetentionMoment) -> Self {
        Self { rule, moment, offered: 0, has_highest: false, covered: BTreeSet::new() }
    }

    /// Whether hearing of more high releases would change nothing for those that have files for just these platforms.
    #[must_use]
    pub fn has_heard_enough(&self, platforms: &BTreeSet<PlatformId>) -> bool {
        self.has_highest
            && self.rule.newest.is_none_or(|newest| self.offered >= newest)
            && platforms.is_subset(&self.covered)
    }

    /// Judges the next lower release, with the platforms of its files and the day of its last download that is known.
    pub fn hear(
        &mut self,
        release: &Release,
        platforms: impl IntoIterator<Item = PlatformId>,
        last_download: Option<Day>,
    ) -> Verdict {
        let Some(published) = release.published.filter(|_| release.active) else { return Verdict::Stays };
        let is_among_newest = self.rule.newest.is_some_and(|newest| self.offered < newest);
        let is_highest = !std::mem::replace(&mut self.has_highest, true);
        let mut is_highest_of_platform = false;
        if release.is_offered() {
            self.offered = self.offered.saturating_add(1);
            for platform in platforms {
                is_highest_of_platform |= self.covered.insert(platform);
            }
        }
        if is_highest || is_highest_of_platform || is_among_newest {
            return Verdict::Stays;
        }
        let (at, today) = (self.moment.at, self.moment.at.day());
        // Of a release of the future, the clock was wrong then or is wrong now.
        let is_of_the_future = published > at || release.created > at;
        let is_young = self.rule.days.is_some_and(|days| published.plus_days(days) > at);
        // Who publishes a release has a use for it: it has as long to be downloaded as others after a download.
        let used = published.max(release.created).day().max(last_download.unwrap_or_default());
        let is_used = self.rule.downloaded_days.is_some_and(|days| {
            used.plus(days) >= today || self.moment.downloads_since.is_none_or(|since| since.plus(days) >= today)
        });
        if is_of_the_future || is_young || is_used {
            return Verdict::Stays;
        }
        let age_days = published.day().days_until(today);
        Verdict::Goes(WhyGone { rule: self.rule, age_days, unused_days: used.days_until(today) })
    }
}

#[cfg(test)]
#[path = "retention_tests.rs"]
mod tests;
