//! What goes and what stays: cases as an owner would tell them, and any releases at all against the rule in one sentence.

use proptest::prelude::*;

use super::*;
use crate::model::{ChannelId, Markdown, PackageKey, ReleaseId};

/// 2026-11-21, at three in the night.
const TODAY: u32 = 20_778;

fn time(day: u32) -> Timestamp {
    Day::from_number(day).start().plus_seconds(3 * 3600)
}

/// A release that the judge hears of.
#[derive(Debug, Clone)]
struct Heard {
    release: Release,
    platforms: Vec<PlatformId>,
    last_download: Option<Day>,
}

/// Published so many days ago, with a file for each platform.
fn heard(version: &str, age_days: u32, platforms: &[u64]) -> Heard {
    let published = time(TODAY - age_days);
    let release = Release {
        id: ReleaseId(1),
        package: PackageKey(1),
        channel: ChannelId(1),
        version: version.parse().unwrap(),
        active: true,
        published: Some(published),
        publish_at: None,
        yanked: None,
        description: Markdown::default(),
        created: published,
        changed: published,
    };
    Heard { release, platforms: platforms.iter().copied().map(PlatformId).collect(), last_download: None }
}

impl Heard {
    fn downloaded(mut self, days_ago: u32) -> Self {
        self.last_download = Some(Day::from_number(TODAY - days_ago));
        self
    }

    fn yanked(mut self) -> Self {
        self.release.yanked = Some("broken".parse().unwrap());
        self
    }

    fn draft(mut self) -> Self {
        self.release.active = false;
        self
    }
}

fn rule(newest: Option<i64>, days: Option<i64>, downloaded_days: Option<i64>) -> RetentionRule {
    RetentionRule::new(newest, days, downloaded_days).unwrap()
}

fn known_for(days: u32) -> RetentionMoment {
    RetentionMoment { at: time(TODAY), downloads_since: Some(Day::from_number(TODAY - days)) }
}

fn verdicts(rule: RetentionRule, moment: RetentionMoment, releases: &[Heard]) -> Vec<Verdict> {
    let mut judge = Judge::new(rule, moment);
    let hear = |one: &Heard| judge.hear(&one.release, one.platforms.iter().copied(), one.last_download);
    releases.iter().map(hear).collect()
}

/// The versions that go, with the reasons.
fn gone(rule: RetentionRule, moment: RetentionMoment, releases: &[Heard]) -> Vec<String> {
    let verdicts = verdicts(rule, moment, releases);
    let told = releases.iter().zip(verdicts).filter_map(|(one, verdict)| match verdict {
        Verdict::Stays => None,
        Verdict::Goes(why) => Some(format!("{}: {why}", one.release.version)),
    });
    told.collect()
}

#[test]
fn a_rule_has_a_condition_and_numbers_in_range() {
    assert_eq!(RetentionRule::new(None, None, None), Err(InvalidRetention::Empty));
    for number in [i64::MIN, -1, 0, 36_501, i64::MAX] {
        assert_eq!(RetentionRule::new(Some(number), None, None).unwrap_err().field(), "keep_newest");
        assert_eq!(RetentionRule::new(None, Some(number), None).unwrap_err().field(), "keep_days");
        assert_eq!(RetentionRule::new(None, None, Some(number)).unwrap_err().field(), "keep_downloaded_days");
    }
    assert_eq!(RetentionRule::new(Some(10_001), Some(1), None), Err(InvalidRetention::Newest));
    let all = rule(Some(10_000), Some(36_500), Some(1));
    assert_eq!((all.newest(), all.days(), all.downloaded_days()), (Some(10_000), Some(36_500), Some(1)));
    assert_eq!(
        all.to_string(),
        "keeps the 10000 newest, what was published within 36500 days, what was downloaded within 1 day"
    );
}

#[test]
fn the_newest_are_the_highest_versions() {
    let releases = [heard("2.0", 400, &[1]), heard("1.10", 300, &[1]), heard("1.9", 1, &[1]), heard("1.8", 2, &[1])];
    let moment = known_for(1000);
    assert_eq!(
        gone(rule(Some(2), None, None), moment, &releases),
        ["1.9: not among the 2 newest", "1.8: not among the 2 newest"]
    );
    assert_eq!(gone(rule(Some(1), None, None), moment, &releases[..2]), ["1.10: not the newest"]);
}

#[test]
fn any_condition_keeps() {
    let releases = [
        heard("5", 90, &[1]),
        heard("4", 30, &[1]),
        heard("3", 29, &[1]),
        heard("2", 90, &[1]).downloaded(20),
        heard("1", 90, &[1]).downloaded(21),
    ];
    let moment = known_for(1000);
    assert_eq!(gone(rule(None, Some(30), None), moment, &releases).len(), 3);
    assert_eq!(
        gone(rule(Some(1), Some(30), Some(20)), moment, &releases),
        [
            "4: not the newest; published 30 days ago, kept for 30; not downloaded for 30 days, kept for 20",
            "1: not the newest; published 90 days ago, kept for 30; not downloaded for 21 days, kept for 20",
        ]
    );
    assert_eq!(gone(rule(Some(2), Some(30), Some(21)), moment, &releases), [""; 0]);
}

#[test]
fn a_yanked_release_takes_no_place_but_stays_as_long_as_its_neighbours() {
    let releases = [
        heard("4", 90, &[1]),
        heard("3", 90, &[1]).yanked(),
        heard("2", 90, &[1]),
        heard("1.1", 90, &[1]).yanked(),
        heard("1", 90, &[1]),
    ];
    let moment = known_for(1000);
    assert_eq!(gone(rule(Some(3), None, None), moment, &releases), [""; 0]);
    assert_eq!(
        gone(rule(Some(2), None, None), moment, &releases),
        ["1.1: not among the 2 newest", "1: not among the 2 newest"]
    );
    assert_eq!(gone(rule(None, Some(10), None), moment, &releases).len(), 4);
}

#[test]
fn drafts_are_not_touched_and_keep_nobody_else() {
    let mut scheduled = heard("6", 90, &[1]).draft();
    scheduled.release.published = None;
    scheduled.release.publish_at = Some(time(TODAY + 1));
    let releases = [scheduled, heard("5", 90, &[1]), heard("4", 90, &[1]).draft(), heard("3", 90, &[1])];
    assert_eq!(gone(rule(Some(1), None, None), known_for(1000), &releases), ["3: not the newest"]);
}

#[test]
fn every_platform_keeps_its_update_and_a_package_its_last_release() {
    let releases = [
        heard("5", 900, &[1]).yanked(),
        heard("4", 900, &[1]),
        heard("3", 900, &[1, 2]),
        heard("2.1", 900, &[3]).yanked(),
        heard("2", 900, &[2, 3]),
        heard("1", 900, &[1, 2, 3]),
    ];
    assert_eq!(
        gone(rule(None, Some(1), None), known_for(1000), &releases),
        ["2.1: published 900 days ago, kept for 1", "1: published 900 days ago, kept for 1"]
    );
    let all_yanked = [heard("2", 900, &[1]).yanked(), heard("1", 900, &[1]).yanked()];
    assert_eq!(gone(rule(None, Some(1), None), known_for(1000), &all_yanked).len(), 1);
}

#[test]
fn what_is_not_known_keeps() {
    let releases = [heard("2", 900, &[1]), heard("1", 900, &[1])];
    let ten = rule(None, None, Some(10));
    assert_eq!(gone(ten, known_for(11), &releases), ["1: not downloaded for 900 days, kept for 10"]);
    // Of the first of the ten days, only a part is known.
    assert_eq!(gone(ten, known_for(10), &releases), [""; 0]);
    assert_eq!(gone(ten, RetentionMoment { at: time(TODAY), downloads_since: None }, &releases), [""; 0]);
}

#[test]
fn what_came_here_lately_has_time_to_be_downloaded() {
    let mut imported = heard("1", 900, &[1]);
    imported.release.created = time(TODAY - 5);
    let releases = [heard("2", 900, &[1]), imported];
    assert_eq!(gone(rule(None, None, Some(5)), known_for(1000), &releases), [""; 0]);
    assert_eq!(gone(rule(None, None, Some(4)), known_for(1000), &releases).len(), 1);
}

#[test]
fn a_clock_that_was_set_back_removes_nothing_younger_than_it() {
    let releases = [heard("2", 30, &[1]), heard("1", 30, &[1])];
    let moment = RetentionMoment { at: time(TODAY - 31), downloads_since: Some(Day::default()) };
    assert_eq!(gone(rule(Some(1), None, None), moment, &releases), [""; 0]);
}

fn any_rule() -> impl Strategy<Value = RetentionRule> {
    let number = || prop::option::of(1..6_i64);
    let rules = (number(), number(), number());
    rules.prop_filter_map("no condition", |(newest, days, downloads)| RetentionRule::new(newest, days, downloads).ok())
}

fn any_release() -> impl Strategy<Value = Heard> {
    let last_download = prop::option::of(0..8_u32);
    (
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.2),
        0..8_u32,
        prop::collection::btree_set(1..4_u64, 0..3),
        last_download,
    )
        .prop_map(|(active, yanked, age, platforms, last_download)| {
            let mut one = heard("1", age, &platforms.into_iter().collect::<Vec<_>>());
            one.release.active = active;
            if yanked {
                one = one.yanked();
            }
            if let Some(days) = last_download {
                one = one.downloaded(days);
            }
            one
        })
}

fn any_releases() -> impl Strategy<Value = Vec<Heard>> {
    prop::collection::vec(any_release(), 0..12)
}

/// The rule, said of all releases at once and in another way than the judge goes through them.
fn must_stay(rule: RetentionRule, known: u32, releases: &[Heard], at: usize) -> bool {
    let one = &releases[at];
    let above = &releases[..at];
    let age = one.release.published.unwrap().day().days_until(Day::from_number(TODAY));
    let unused = one.last_download.map_or(age, |day| age.min(day.days_until(Day::from_number(TODAY))));
    let updates_someone = one.release.is_offered()
        && one.platforms.iter().any(|platform| {
            !above.iter().any(|other| other.release.is_offered() && other.platforms.contains(platform))
        });
    let offered_above = above.iter().filter(|other| other.release.is_offered()).count();
    !one.release.active
        || !above.iter().any(|other| other.release.active)
        || updates_someone
        || rule.newest().is_some_and(|newest| offered_above < newest as usize)
        || rule.days().is_some_and(|days| age < days)
        || rule.downloaded_days().is_some_and(|days| unused <= days || known <= days)
}

proptest! {
    #[test]
    fn just_what_no_condition_keeps_goes(rule in any_rule(), known in 0..9_u32, releases in any_releases()) {
        let verdicts = verdicts(rule, known_for(known), &releases);
        for (at, verdict) in verdicts.iter().enumerate() {
            prop_assert_eq!(*verdict == Verdict::Stays, must_stay(rule, known, &releases, at), "{}", at);
        }
        // What is left is left by the next run too: nothing stays only because of what goes.
        let mut left = releases;
        let mut verdicts = verdicts.into_iter();
        left.retain(|_| verdicts.next() == Some(Verdict::Stays));
        prop_assert!(gone(rule, known_for(known), &left).is_empty());
    }

    /// A commit hears only of some, and an owner adds conditions.
    #[test]
    fn to_hear_or_to_ask_less_keeps_more(
        rule in any_rule(),
        other in any_rule(),
        known in 0..9_u32,
        releases in any_releases(),
        heard_of in prop::collection::vec(any::<bool>(), 12),
    ) {
        let moment = known_for(known);
        let all = verdicts(rule, moment, &releases);
        let mut judge = Judge::new(rule, moment);
        for ((one, verdict), _) in releases.iter().zip(&all).zip(&heard_of).filter(|(_, heard)| **heard) {
            let judged = judge.hear(&one.release, one.platforms.iter().copied(), one.last_download);
            prop_assert!(judged == Verdict::Stays || judged == *verdict);
        }
        let number = |left: Option<u32>, right: Option<u32>| left.max(right).map(i64::from);
        let both = RetentionRule::new(
            number(rule.newest(), other.newest()),
            number(rule.days(), other.days()),
            number(rule.downloaded_days(), other.downloaded_days()),
        ).unwrap();
        for (verdict, of_both) in all.iter().zip(verdicts(both, moment, &releases)) {
            prop_assert!(*verdict != Verdict::Stays || of_both == Verdict::Stays);
        }
    }

    /// When the judge says that it has heard enough, those below that have files for these platforms are judged as if
    /// it had heard of all.
    #[test]
    fn enough_is_enough(rule in any_rule(), known in 0..9_u32, releases in any_releases()) {
        let moment = known_for(known);
        let all = verdicts(rule, moment, &releases);
        let mut judge = Judge::new(rule, moment);
        for (at, one) in releases.iter().enumerate() {
            judge.hear(&one.release, one.platforms.iter().copied(), one.last_download);
            for (below, verdict) in releases.iter().zip(&all).skip(at + 1) {
                let platforms: BTreeSet<_> = below.platforms.iter().copied().collect();
                if judge.has_heard_enough(&platforms) {
                    let mut judge = judge.clone();
                    let judged = judge.hear(&below.release, below.platforms.iter().copied(), below.last_download);
                    prop_assert_eq!(&judged, verdict);
                }
            }
        }
    }
}
