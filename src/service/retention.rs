//! Retention rules of channels: what of a package they let go, and when they act.
//!
//! Owns how releases are read to be judged by [`crate::model::retention`], and the days on which rules act: once a day,
//! and not on the days after the clock leapt. Removes nothing.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;

use crate::model::file_role::archives;
use crate::model::retention::{Judge, Verdict, WhyGone};
use crate::model::{
    ChannelId, Day, PackageKey, PlatformId, Release, ReleaseFile, ReleaseId, RetentionMoment, RetentionRule, Timestamp,
};
use crate::store::{RetentionMarks, Rows, Source, StorageError};

/// When rules act, in seconds of the day in UTC: at 03:00, when it is night where most of the traffic sleeps.
const ACTS_AT_S: i64 = 3 * 60 * 60;
/// How long a new or changed rule does nothing, in seconds, so that a slip can be mended.
const NOTICE_S: i64 = 60 * 60;
/// The longest time between two days of acting, in seconds, after which the clock is trusted as before.
const LEAP_S: i64 = 3 * 24 * 60 * 60;
/// How far a clock may be set back without a doubt about it, in seconds.
const SET_BACK_S: i64 = 60 * 60;
/// On how many days nothing is removed after a clock leapt, so that somebody can notice.
const WAITS: u32 = 7;
/// Most previews that are looked up at a time; others wait.
const PREVIEWS_AT_ONCE_MAX: usize = 2;

/// What the work on retention rules needs beside the store.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) previews: Semaphore,
    /// Releases removed since the start.
    pub(super) removed: AtomicU64,
    /// Bytes of their files.
    pub(super) removed_bytes: AtomicU64,
}

impl Default for Work {
    fn default() -> Self {
        let previews = Semaphore::new(PREVIEWS_AT_ONCE_MAX);
        Self { previews, removed: AtomicU64::new(0), removed_bytes: AtomicU64::new(0) }
    }
}

/// The releases of one package on one channel, as a rule judges them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged {
    pub(super) package: PackageKey,
    pub(super) channel: ChannelId,
    pub(super) rule: RetentionRule,
    pub(super) moment: RetentionMoment,
}

/// A release that a rule lets go.
#[derive(Debug)]
pub(super) struct Doomed {
    pub(super) release: Release,
    pub(super) files: Vec<ReleaseFile>,
    pub(super) last_download: Option<Day>,
    pub(super) why: WhyGone,
}

impl Doomed {
    /// The bytes of its files that are kept here.
    pub(super) fn size_bytes(&self) -> u64 {
        self.files.iter().filter(|file| file.content.external_url().is_none()).map(|file| file.size).sum()
    }
}

impl Judged {
    /// Hands every release to `visit`, highest version first, with what the rule says of those that it lets go, until
    /// it says stop.
    pub(super) fn each<S: Source>(
        &self,
        rows: &Rows<S>,
        mut visit: impl FnMut(&Release, Option<Doomed>) -> Result<ControlFlow<()>, StorageError>,
    ) -> Result<(), StorageError> {
        if self.lets_any_go(rows)? {
            self.each_by_files(rows, visit)
        } else {
            rows.releases_below(self.package, self.channel, None, |release| visit(&release, None))
        }
    }

    /// Hands those that the rule lets go to `visit`, highest version first, until it says stop.
    pub(super) fn each_doomed<S: Source>(
        &self,
        rows: &Rows<S>,
        mut visit: impl FnMut(Doomed) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        if !self.lets_any_go(rows)? {
            return Ok(());
        }
        self.each_by_files(rows, |_, doomed| Ok(doomed.map_or(ControlFlow::Continue(()), &mut visit)))
    }

    /// [`Judged::each`] of a package whose files have to be read.
    fn each_by_files<S: Source>(
        &self,
        rows: &Rows<S>,
        mut visit: impl FnMut(&Release, Option<Doomed>) -> Result<ControlFlow<()>, StorageError>,
    ) -> Result<(), StorageError> {
        let mut judge = Judge::new(self.rule, self.moment);
        rows.releases_below(self.package, self.channel, None, |release| {
            let doomed = self.hear(rows, &mut judge, &release)?;
            visit(&release, doomed)
        })
    }

    /// Whether the rule lets any release go, as far as can be told without its files. They only give reasons to stay,
    /// and of most packages nothing goes: so theirs are not read.
    fn lets_any_go<S: Source>(&self, rows: &Rows<S>) -> Result<bool, StorageError> {
        let mut judge = Judge::new(self.rule, self.moment);
        let mut any = false;
        rows.releases_below(self.package, self.channel, None, |release| {
            any = matches!(judge.hear(&release, [], self.last_download(rows, &release)?), Verdict::Goes(_));
            Ok(if any { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(any)
    }

    /// Which of these releases the rule lets go now. Reads no more of the others than that needs, so that a commit can
    /// ask.
    pub(super) fn still_doomed<S: Source>(
        &self,
        rows: &Rows<S>,
        ids: &[ReleaseId],
    ) -> Result<Vec<Doomed>, StorageError> {
        let mut left: Vec<Release> = Vec::new();
        let mut platforms: BTreeSet<PlatformId> = BTreeSet::new();
        for id in ids {
            let release = rows.release(*id)?;
            if let Some(release) = release.filter(|r| (r.package, r.channel) == (self.package, self.channel)) {
                platforms.extend(archives(&rows.files(release.id)?).into_keys());
                left.push(release);
            }
        }
        left.sort_by(|a, b| a.version.cmp(&b.version));
        let mut judge = Judge::new(self.rule, self.moment);
        let mut doomed = Vec::new();
        rows.releases_below(self.package, self.channel, None, |release| {
            if left.is_empty() || judge.has_heard_enough(&platforms) {
                return Ok(ControlFlow::Break(()));
            }
            let heard = self.hear(rows, &mut judge, &release)?;
            if left.pop_if(|next| next.id == release.id).is_some() {
                doomed.extend(heard);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for release in left.iter().rev() {
            doomed.extend(self.hear(rows, &mut judge, release)?);
        }
        Ok(doomed)
    }

    fn hear<S: Source>(
        &self,
        rows: &Rows<S>,
        judge: &mut Judge,
        release: &Release,
    ) -> Result<Option<Doomed>, StorageError> {
        if !release.active {
            return Ok(None);
        }
        let files = rows.files(release.id)?;
        let last_download = self.last_download(rows, release)?;
        Ok(match judge.hear(release, archives(&files).into_keys(), last_download) {
            Verdict::Stays => None,
            Verdict::Goes(why) => Some(Doomed { release: release.clone(), files, last_download, why }),
        })
    }

    fn last_download<S: Source>(&self, rows: &Rows<S>, release: &Release) -> Result<Option<Day>, StorageError> {
        if self.rule.downloaded_days().is_some() { rows.last_download(release.id) } else { Ok(None) }
    }
}

/// What a day means for the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is not time yet.
    NotYet,
    /// It is time; how many further days are to pass before rules act, and none if they act now.
    Due { waits: u32 },
    /// The clock was set back: from here on, so many days are to pass.
    SetBack { waits: u32 },
}

/// What there is to do now.
pub(super) fn turn(marks: RetentionMarks, now: Timestamp) -> Turn {
    if now.plus_seconds(SET_BACK_S) < marks.run {
        return Turn::SetBack { waits: WAITS };
    }
    if next_time(marks.run) > now {
        return Turn::NotYet;
    }
    Turn::Due { waits: waits_at(marks, now) }
}

fn waits_at(marks: RetentionMarks, now: Timestamp) -> u32 {
    if marks.run.plus_seconds(LEAP_S) < now { WAITS } else { marks.waits.saturating_sub(1) }
}

/// The first time at which rules may act that is later than `time`.
fn next_time(time: Timestamp) -> Timestamp {
    let of_day = time.day().start().plus_seconds(ACTS_AT_S);
    if of_day > time { of_day } else { of_day.plus_days(1) }
}

/// Whether a rule that has been set since then acts now.
pub(super) fn acts(since: Timestamp, now: Timestamp) -> bool {
    since.plus_seconds(NOTICE_S) <= now
}

/// When a rule that has been set since then acts next, as things stand.
pub(super) fn next_action(marks: RetentionMarks, since: Timestamp, now: Timestamp) -> Timestamp {
    let (mut time, waits) = match turn(marks, now) {
        Turn::Due { waits } => (now, waits),
        Turn::SetBack { waits } => (now, waits),
        Turn::NotYet => {
            let next = next_time(now);
            (next, waits_at(marks, next))
        }
    };
    for _ in 0..waits.min(WAITS) {
        time = next_time(time);
    }
    // A rule of the future was set while the clock was wrong.
    let since = since.min(now);
    while !acts(since, time) {
        time = next_time(time);
    }
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn marks(run: &str, waits: u32) -> RetentionMarks {
        RetentionMarks { run: at(run), waits }
    }

    #[test]
    fn rules_act_once_a_day() {
        let done = marks("2026-11-21T03:00:10Z", 0);
        for (now, expected) in [
            ("2026-11-21T03:00:10Z", Turn::NotYet),
            ("2026-11-22T02:59:59Z", Turn::NotYet),
            ("2026-11-22T03:00:00Z", Turn::Due { waits: 0 }),
            // The server was off in the night.
            ("2026-11-22T09:00:00Z", Turn::Due { waits: 0 }),
            ("2026-11-24T03:00:00Z", Turn::Due { waits: 0 }),
        ] {
            assert_eq!(turn(done, at(now)), expected, "{now}");
        }
    }

    #[test]
    fn after_a_leap_of_the_clock_they_wait() {
        let done = marks("2026-11-21T03:00:10Z", 0);
        assert_eq!(turn(done, at("2036-01-01T00:00:00Z")), Turn::Due { waits: WAITS });
        assert_eq!(turn(done, at("1970-01-01T00:00:00Z")), Turn::SetBack { waits: WAITS });
        // A clock that is set right by minutes is none to doubt.
        assert_eq!(turn(done, at("2026-11-21T02:30:00Z")), Turn::NotYet);
        let waiting = marks("2026-11-21T03:00:10Z", WAITS);
        assert_eq!(turn(waiting, at("2026-11-22T03:00:00Z")), Turn::Due { waits: WAITS - 1 });
        assert_eq!(turn(marks("2026-11-21T03:00:10Z", 1), at("2026-11-22T03:00:00Z")), Turn::Due { waits: 0 });
    }

    /// What is foretold comes true: day by day as the server goes through them.
    #[test]
    fn the_next_action_is_foretold() {
        for (run, waits, since, now) in [
            ("2026-11-21T03:00:10Z", 0, "2026-11-01T00:00:00Z", "2026-11-21T12:00:00Z"),
            ("2026-11-21T03:00:10Z", 0, "2026-11-22T02:30:00Z", "2026-11-22T02:30:00Z"),
            ("2026-11-21T03:00:10Z", 0, "2026-11-01T00:00:00Z", "2026-11-22T09:00:00Z"),
            ("2026-11-21T03:00:10Z", 0, "2026-11-22T08:30:00Z", "2026-11-22T09:00:00Z"),
            ("2026-11-21T03:00:10Z", 4, "2026-11-01T00:00:00Z", "2026-11-21T12:00:00Z"),
            ("2026-11-21T03:00:10Z", 1, "2026-11-01T00:00:00Z", "2026-11-21T12:00:00Z"),
            ("2026-10-21T03:00:10Z", 0, "2026-10-01T00:00:00Z", "2026-11-21T12:00:00Z"),
            ("2036-10-21T03:00:10Z", 0, "2036-10-01T00:00:00Z", "2026-11-21T12:00:00Z"),
        ] {
            let (mut now, mut marks) = (at(now), marks(run, waits));
            let since = at(since).min(now);
            let foretold = next_action(marks, since, now);
            let acted = loop {
                match turn(marks, now) {
                    Turn::Due { waits: 0 } if acts(since, now) => break now,
                    Turn::Due { waits } | Turn::SetBack { waits } => marks = RetentionMarks { run: now, waits },
                    Turn::NotYet => {}
                }
                now = next_time(now);
            };
            assert_eq!(acted, foretold, "{run} {waits} {since}");
        }
    }
}
