//! The order of versions, by examples of many kinds and by what must hold of all of them.

use proptest::prelude::*;

use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

#[test]
fn real_versions_stand_in_their_order() {
    let ladders: &[&[&str]] = &[
        // SemVer 2.0.0, section 11.4.4.
        &[
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
        ],
        &["1.9", "1.10", "1.10.1", "2.0.0-rc.1", "2.0.0", "10.0.0"],
        &["1.2.3", "1.2.3.4", "1.2.3.5", "1.2.3.10", "1.2.4"],
        &["2025.12.31", "2026.1.5", "2026.11.21", "2026.11.21.1"],
        &["r9", "r812", "r1000"],
        &["20.04.1+dfsg-2", "20.04.1+dfsg-10", "20.4.2", "20.10"],
        &["1.0a", "1.0b", "1.0.1"],
        &["1.0~rc1", "1.0~rc10", "1.0"],
        &["1.0.dev3", "1.0rc2", "1.0rc10", "1.0", "1.0.1"],
        &["1.0.2", "1.0.2k", "1.0.3"],
        &["v1.9.0", "v1.10.0", "1.11.0"],
        &["1.0.0", "1.0.0+a", "1.0.0+b", "1.0.1"],
        &["0.0.0-nightly.20260101", "0.0.0-nightly.20261121", "0.0.0"],
        &["1", "1.0", "1.0.0", "1.0.0.1", "1.1"],
        &["6.1.0-18", "6.1.0"],
        // PEP 440 and Mozilla: a letter before a number announces the release, without one it is a patch.
        &["3.14.0.dev1", "3.14.0a1", "3.14.0b2", "3.14.0b10", "3.14.0rc1", "3.14.0", "3.14.0.post1", "3.14.1"],
        &["59.0a1", "59.0b5", "59.0", "59.0.1"],
        &["1.1.1", "1.1.1a", "1.1.1w", "1.1.2"],
        &["1.0c1", "1.0"],
        // PEP 440, "Summary of permitted suffixes and relative ordering"; Mozilla's toolkit version format.
        &[
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
        ],
        &["3.6b1", "3.6b2pre", "3.6b2", "3.6b3pre", "3.6b3", "3.6"],
        &["2.0b1.dev1", "2.0b1", "2.0b1.1", "2.0"],
        &["1.0b9", "1.0pre1", "1.0pre2", "1.0rc1", "1.0"],
        // Letters of hashes and of other numberings are part of the release.
        &["1.0", "1.0.a1b2c3", "1.0.7f3b2a", "1.1"],
        &["8u25b09", "8u252b09", "8u252b10", "9"],
        // Dates, whose months and days need no zeros.
        &["2023-12-31", "2024-9-5", "2024-09-30", "2024-10-04", "2024-10-04-1", "2024-10-04-10", "2024-11"],
        &["2024-10-04-rc1", "2024-10-04"],
        // git describe, and other numbers behind a dash, are prereleases to SemVer.
        &["1.2.3-14-gabc", "1.2.3", "1.2.4"],
        &["1.0.0-rc.7", "1.0.0-rc.11", "1.0.0-rc11", "1.0.0-rc7"],
    ];
    for ladder in ladders {
        for (low, high) in ladder.iter().zip(&ladder[1..]) {
            assert!(version(low) < version(high), "{low} comes before {high}");
            assert!(version(high) > version(low), "{high} comes behind {low}");
        }
    }
}

/// Someone who ran the beta of a version was never offered its final release, and someone who ran `1.2.3` was offered
/// `v1.2.3` at each check, for ever.
#[test]
fn newer_means_higher_precedence() {
    for (newer, older) in [
        ("1.2.4", "v1.2.3"),
        ("3.14.0", "3.14.0b2"),
        ("2024-10-04", "2024-9-5"),
        ("1.3.0+20", "1.3.0+19"),
        ("1.3.0+100", "1.3.0+20"),
        ("1.3.1", "1.3.0+20"),
        ("1.1.1b", "1.1.1a"),
    ] {
        assert!(version(newer).is_newer_than(&version(older)), "{newer} is newer than {older}");
        assert!(!version(older).is_newer_than(&version(newer)), "{older} is not newer than {newer}");
    }
    for (one, other) in [
        ("v1.2.3", "1.2.3"),
        ("v1.2", "1.2.0"),
        ("1.3.0+20", "1.3.0"),
        ("1.3.0+x", "1.3.0+20"),
        ("1.3.0+1.2", "1.3.0+1"),
        ("1.3.0+020", "1.3.0+20"),
        ("3.14.0rc1", "3.14.0-rc.1"),
        ("2024-09-05", "2024-9-5"),
        ("1.0c1", "1.0rc1"),
        ("1.0.a1", "1.0_A1"),
        ("1.0pre1", "1.0preview1"),
        ("1.0b2.dev1", "1.0beta2-DEV.1"),
    ] {
        assert!(!version(one).is_newer_than(&version(other)), "{one} is not newer than {other}");
        assert!(!version(other).is_newer_than(&version(one)), "{other} is not newer than {one}");
    }
}

#[test]
fn schemes_read_the_same_text_in_their_own_way() {
    let newer = |newer: &str, older: &str, scheme| version(newer).in_scheme(scheme).is_newer_than(&version(older));
    for (revised, plain) in [("2.36-9", "2.36"), ("1.2.3-1", "1.2.3")] {
        assert!(!newer(revised, plain, VersionScheme::Semver) && newer(plain, revised, VersionScheme::Semver));
        assert!(newer(revised, plain, VersionScheme::Debian) && newer(revised, plain, VersionScheme::Calver));
    }
    assert!(newer("24.04-2", "24.04-1", VersionScheme::Calver) && newer("24.04.1", "24.04-rc1", VersionScheme::Calver));
    assert!(newer("24.04", "24.04-rc1", VersionScheme::Calver) && newer("24.04", "24.04b1", VersionScheme::Calver));
    assert!(newer("1.0", "1.0~rc1", VersionScheme::Debian) && newer("1.0a1", "1.0", VersionScheme::Debian));
    assert!(!newer("1.0-0", "1.0", VersionScheme::Debian) && !newer("1.0", "1.0-0", VersionScheme::Debian));
    let debian = version("1.0~rc1-3").in_scheme(VersionScheme::Debian);
    assert!(!debian.is_prerelease(), "dpkg knows no prereleases");
    assert_eq!(debian.without_revision().unwrap().as_str(), "1.0~rc1");
    assert!(version("1.0-").in_scheme(VersionScheme::Debian).without_revision().is_none());
    assert!(version("1.0-3").without_revision().is_none(), "3 is a prerelease of 1.0 to SemVer");
    assert_eq!(debian.release_key(), version("1.0-2").in_scheme(VersionScheme::Debian).release_key());
    assert_eq!(debian.in_scheme(VersionScheme::Semver).sort_key(), version("1.0~rc1-3").sort_key());
}

#[test]
fn some_versions_are_reserved() {
    for text in ["latest", "LATEST", "1.0.0.json", "1.0.JSON"] {
        assert!(version(text).reserved().is_some(), "{text}");
    }
    for text in ["1.0.0", "latest1", "json", "1.0json", "1.0.json5"] {
        assert!(version(text).reserved().is_none(), "{text}");
    }
}

#[test]
fn only_versions_are_versions() {
    for good in ["1", "r812", "1.2.3-rc.1+x.y", "a_b", &"1".repeat(64), "1..2", "1-", "20.04.1+dfsg-2", "v"] {
        assert!(good.parse::<Version>().is_ok(), "{good}");
    }
    for bad in ["", ".1", "-1", "+1", "1/2", "1 2", "1%2", "é", "1\0", "latest!", &"1".repeat(65)] {
        assert!(bad.parse::<Version>().is_err(), "{bad:?}");
    }
}

#[test]
fn prereleases_are_known() {
    for text in [
        "1.0.0-rc.1",
        "1.0rc1",
        "2.0~1",
        "0.1.dev2",
        "3.14.0b2",
        "59.0a1",
        "1.2-14-gabc",
        "1.0.a1",
        "1.0_b2",
        "1.0b2.dev3",
        "1.0b2.post3",
        "1.0b2-1",
        "1.0b2~1",
        "1.0b2+x",
        "1.0b2.1",
        "3.6b2pre",
        "1.0.post1.dev2",
    ] {
        assert!(version(text).is_prerelease(), "{text}");
    }
    for text in ["1.0.0", "1.0.0+rc.1", "r812", "beta", "1.0.2k", "1.1.1a", "2024-10-04", "a1", "1.0.post1"] {
        assert!(!version(text).is_prerelease(), "{text}");
    }
}

/// A commit's hash in a version, as in 1.0.a1b2c3, made it a prerelease of 1.0, below it and left out of
/// requirements; so did the builds of Java 8 and others that number by letters.
#[test]
fn letters_of_hashes_announce_nothing() {
    for text in
        ["1.0.a1b2c3", "8u252b09", "1.0.7f3b2a", "1.0.c0ffee1", "r1.0b2", "1.0b2a", "1.0..a1", "1.0.b2.c3", "1.0.f00b4"]
    {
        assert!(!version(text).is_prerelease(), "{text}");
    }
}

#[test]
fn keys_leave_out_what_does_not_count() {
    let same_release = ["1.2", "1.2.0", "v1.2.0-rc.1", "1.2rc3", "1.2~1+x", "1.2.0+1.2"].map(version);
    let same_precedence = ["2.0.0-rc.1+a", "2.0.0-rc.1", "v2-rc.1"].map(version);
    for pair in same_release.windows(2) {
        assert_eq!(pair[0].release_key(), pair[1].release_key(), "{pair:?}");
    }
    for pair in same_precedence.windows(2) {
        assert_eq!(pair[0].precedence_key(), pair[1].precedence_key(), "{pair:?}");
    }
    assert_ne!(version("1.2.0-rc.1").precedence_key(), version("1.2.0").precedence_key());
    assert_ne!(version("1.2").release_key(), version("1.2k").release_key());
}

fn any_version() -> impl Strategy<Value = Version> {
    "[0-9a-cvrR][0-9ab.+_~rc-]{0,12}|2[0-9]{3}-[0-9]{1,2}(-[0-9]{1,2})?[a-c0-9.+-]{0,3}".prop_map(|text| version(&text))
}

fn any_scheme() -> impl Strategy<Value = VersionScheme> {
    (0..3usize).prop_map(|at| [VersionScheme::Semver, VersionScheme::Calver, VersionScheme::Debian][at])
}

/// A version of Python's, with what it sorts by: two numbers, the stage and its number, the post-release, and the
/// development release.
fn pep_440() -> impl Strategy<Value = ([(u32, u32); 4], String)> {
    let maybe = || proptest::option::of(0..12u32);
    let stage = proptest::option::of((0..3usize, 0..12u32));
    (1..3u32, 0..3u32, stage, maybe(), maybe()).prop_map(|(major, minor, stage, post, dev)| {
        let suffix = |word: &str, number: Option<u32>| number.map_or_else(String::new, |n| format!("{word}{n}"));
        let stage_text = stage.map_or_else(String::new, |(at, n)| format!("{}{n}", ["a", "b", "rc"][at]));
        let text = format!("{major}.{minor}{stage_text}{}{}", suffix(".post", post), suffix(".dev", dev));
        let stage = match stage {
            Some((at, number)) => (1 + at as u32, number),
            // A development release of the release itself comes before all stages.
            None if post.is_none() && dev.is_some() => (0, 0),
            None => (4, 0),
        };
        let dev = dev.map_or((1, 0), |dev| (0, dev));
        ([(major, minor), stage, post.map_or((0, 0), |post| (1, post)), dev], text)
    })
}

fn semver_text() -> impl Strategy<Value = String> {
    "(0|[1-9][0-9]?)\\.(0|[1-9])\\.(0|[1-9])(-(0|[1-9][0-9]?|[a-c-]{1,3}|[0-9]?rc[0-9]{1,2})(\\.(0|[1-9]|[a-c]{1,2})){0,2})?(\\+[a-c0-9-]{1,3})?"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_order_is_total(a in any_version(), b in any_version(), c in any_version()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b) == Ordering::Equal);
        let mut sorted = [a, b, c];
        sorted.sort();
        prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
    }

    #[test]
    fn shorter_keys_keep_the_order(a in any_version(), b in any_version(), scheme in any_scheme()) {
        let (a, b) = (a.in_scheme(scheme), b.in_scheme(scheme));
        let expected = a.precedence_key().cmp(b.precedence_key());
        prop_assert!(expected == Ordering::Equal || expected == a.cmp(&b));
        let release = a.release_key().cmp(b.release_key());
        prop_assert!(release == Ordering::Equal || release == expected);
        prop_assert!(a.sort_key().starts_with(a.precedence_key()));
    }

    /// PEP 440 orders by release, prerelease, post-release and development release in turn, each of which sorts below
    /// or above the versions without it.
    #[test]
    fn python_versions_compare_as_pep_440_has_it(a in pep_440(), b in pep_440()) {
        prop_assert_eq!(version(&a.1).precedence_key().cmp(version(&b.1).precedence_key()), a.0.cmp(&b.0), "{} {}", a.1, b.1);
    }

    #[test]
    fn precedence_is_semvers(a in semver_text(), b in semver_text()) {
        let expected = semver_crate(&a).cmp_precedence(&semver_crate(&b));
        prop_assert_eq!(version(&a).precedence_key().cmp(version(&b).precedence_key()), expected);
    }

    #[test]
    fn it_is_semver_precedence_where_both_are_semver(a in semver_text(), b in semver_text()) {
        let (left, right) = (semver_crate(&a), semver_crate(&b));
        let expected = left.cmp_precedence(&right);
        let found = version(&a).cmp(&version(&b));
        prop_assert!(expected == found || expected == Ordering::Equal, "{} {} {:?} {:?}", a, b, expected, found);
    }
}

fn semver_crate(text: &str) -> semver::Version {
    semver::Version::parse(text).unwrap()
}
