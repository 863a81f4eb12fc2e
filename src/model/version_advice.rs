//! Advice about a version that is being published: where it will sort, and why that may surprise its author.

use super::version::{Version, VersionScheme};

/// What the author of a release should know of its version, in whole sentences; nothing where all is as expected.
/// `newest` is the highest other version that readers of the channel are offered.
#[must_use]
pub fn version_advice(new: &Version, newest: Option<&Version>) -> Vec<String> {
    let mut advice = Vec::new();
    let shape = shape(new);
    let below = newest.filter(|newest| !new.is_newer_than(newest));
    if let Some(newest) = below {
        advice.push(if newest.is_newer_than(new) {
            format!(
                "{new} sorts below {newest}, so an update check does not offer it to applications that run {newest}"
            )
        } else {
            format!("{new} and {newest} are the same version to update checks, so neither is offered to the other")
        });
    }
    match shape {
        // These surprise before there is anything to sort below.
        Shape::GitDescribe { tag, trouble, instead } => advice.push(format!(
            "{new} looks like the output of git describe. {trouble}; write {instead}, which sorts between {tag} and the \
             release that follows"
        )),
        Shape::NoNumber => {
            advice.push(format!("{new} does not begin with a number, so it sorts below every version that does"));
        }
        Shape::Revision { release } => advice.push(format!(
            "{new} is read as a prerelease of {release} and sorts below it. If the number behind - is a revision, set \
             the package's version_scheme to debian or calver"
        )),
        Shape::Plain => {
            if let Some((ours, theirs)) = below.and_then(|newest| compared_as_text(new, newest)) {
                let (word, number) = ours.split_at(ours.len() - trailing_digits(&ours));
                let mut advised = format!(
                    "{ours} and {theirs} compare as text, letter by letter; write {word}.{number} from the next release \
                     on, to compare numbers"
                );
                // The spelling with a dot sorts below the one without: it cannot mend a release that has begun.
                if let Some(newest) = below.map(|newest| newest.as_str().split('+').next().unwrap_or_default()) {
                    advised.push_str(&format!(". Until then {newest}.{number} sorts above {newest}"));
                }
                advice.push(advised);
            } else if below.is_some_and(|newest| new.is_prerelease() && !newest.is_prerelease()) {
                advice.push(format!("{new} is a prerelease, which comes before the release it leads to"));
            }
        }
    }
    advice
}

/// How a version is written, where that is often a mistake.
enum Shape<'a> {
    Plain,
    /// `TAG-COUNT-gHASH`, where that does not sort between the tag and the release that follows.
    GitDescribe {
        tag: &'a str,
        trouble: String,
        instead: String,
    },
    /// `RELEASE-NUMBER`.
    Revision {
        release: &'a str,
    },
    /// `rc7`.
    NoNumber,
}

fn shape(version: &Version) -> Shape<'_> {
    let text = version.as_str();
    if !text.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit()) {
        // `r812` numbers its releases by a letter; a word of a prerelease leads to a release.
        let word = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_lowercase();
        let leads = ["alpha", "beta", "rc", "pre", "preview", "dev"].contains(&word.as_str());
        return if leads { Shape::NoNumber } else { Shape::Plain };
    }
    if version.scheme() == VersionScheme::Debian || !version.is_prerelease() {
        return Shape::Plain;
    }
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let clean = text.strip_suffix("-dirty").unwrap_or(text);
    if let Some((head, hash)) = clean.rsplit_once("-g")
        && (4..=64).contains(&hash.len())
        && hash.bytes().all(|b| b.is_ascii_hexdigit())
        && let Some((tag, count)) = head.rsplit_once('-')
        && is_number(count)
    {
        return described(version, tag, count);
    }
    match text.split_once('-') {
        Some((release, number)) if is_number(number) => Shape::Revision { release },
        _ => Shape::Plain,
    }
}

/// The shape of `new`, which git described as `count` commits after `tag`.
fn described<'a>(new: &Version, tag: &'a str, count: &str) -> Shape<'a> {
    let Ok(release) = tag.parse::<Version>() else { return Shape::Plain };
    let release = release.in_scheme(new.scheme());
    if release.is_newer_than(new) {
        let trouble = format!("It is read as a prerelease of {tag} and sorts below it");
        return Shape::GitDescribe { tag, trouble, instead: format!("{}-dev.{count}", next_patch(tag)) };
    }
    if new.scheme() == VersionScheme::Semver && tag.contains('-') && release.is_prerelease() {
        let trouble = "Its last identifier compares as text, letter by letter".to_owned();
        return Shape::GitDescribe { tag, trouble, instead: format!("{tag}.{count}") };
    }
    // In a date, and behind a prerelease that is run on, numbers behind `-` count on from the tag.
    Shape::Plain
}

/// The first release after `tag`: the last of at least three numbers and one more.
fn next_patch(tag: &str) -> String {
    let numbers = tag.trim_start_matches(['v', 'V']);
    let is_plain = numbers.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let next = |last: &str| Some(last.parse::<u64>().ok()?.checked_add(1)?.to_string());
    match (tag.rsplit_once('.'), numbers.split('.').count()) {
        (_, 1) if is_plain => format!("{tag}.0.1"),
        (Some((head, last)), 3..) if is_plain && let Some(next) = next(last) => format!("{head}.{next}"),
        _ => format!("{tag}.1"),
    }
}

/// The first identifiers by which two prereleases of one release differ, where both are a word and a number run together:
/// SemVer compares them as text (section 11.4.2).
fn compared_as_text(new: &Version, newest: &Version) -> Option<(String, String)> {
    let identifiers = |version: &Version| {
        let text = version.as_str().split('+').next().unwrap_or_default().to_owned();
        text.split_once('-').map(|(_, rest)| rest.split('.').map(str::to_owned).collect::<Vec<_>>())
    };
    if new.release_key() != newest.release_key() || new.scheme() == VersionScheme::Debian {
        return None;
    }
    let pair = identifiers(new)?.into_iter().zip(identifiers(newest)?).find(|(ours, theirs)| ours != theirs)?;
    let (ours, theirs) = (trailing_digits(&pair.0), trailing_digits(&pair.1));
    let is_run_together = ours > 0 && theirs > 0 && pair.0[..pair.0.len() - ours] == pair.1[..pair.1.len() - theirs];
    (is_run_together && ours < pair.0.len()).then_some(pair)
}

fn trailing_digits(text: &str) -> usize {
    text.bytes().rev().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions that sort below the newest were published without a word, and their authors wondered why no application
    /// was offered them.
    #[test]
    fn surprises_are_told() {
        for (new, newest, words) in [
            ("1.0.0-rc11", Some("1.0.0-rc7"), &["sorts below 1.0.0-rc7", "compare as text", "write rc.11"][..]),
            ("1.0.0-rc11", Some("1.0.0-rc7+x"), &["Until then 1.0.0-rc7.11 sorts above 1.0.0-rc7"]),
            ("1.2.3-14-gabc1", Some("1.2.3"), &["sorts below 1.2.3", "git describe", "write 1.2.4-dev.14"]),
            ("v1.2.3-1-gdeadbeef-dirty", None, &["git describe", "write v1.2.4-dev.1,"]),
            ("1.2.3-rc.1-14-gabc1", Some("1.2.3-rc.1"), &["git describe", "as text", "write 1.2.3-rc.1.14"]),
            ("1.9.1", Some("2.0.0"), &["1.9.1 sorts below 2.0.0"]),
            ("1.2.0", Some("v1.2"), &["are the same version"]),
            ("2.36-9", Some("2.36"), &["sorts below 2.36", "version_scheme"]),
            ("rc11", Some("1.0"), &["sorts below 1.0", "does not begin with a number"]),
            ("rc7", None, &["does not begin with a number"]),
            ("2.0.0-beta.1", Some("2.0.0"), &["sorts below 2.0.0", "is a prerelease"]),
        ] {
            let advice = version_advice(&new.parse().unwrap(), newest.map(|text| text.parse().unwrap()).as_ref());
            let text = advice.join(". ");
            for word in words {
                assert!(text.contains(word), "{new} after {newest:?}: {text}");
            }
        }
    }

    /// The advice for the output of git describe was 1.2.3+14, which no application that runs 1.2.3 is offered: build
    /// metadata does not count beside a version that has none. The advice to write rc.11 came after rc7, above which it
    /// does not sort.
    #[test]
    fn advised_versions_sort_where_the_advice_says() {
        let read = |text: &str| text.parse::<Version>().unwrap();
        for (tag, next) in [
            ("1.2.3", "1.2.4"),
            ("v1.2.3", "v1.2.4"),
            ("1.2", "1.2.1"),
            ("7", "7.0.1"),
            ("1.2.3.4", "1.2.3.5"),
            ("1.1.1k", "1.1.1l"),
            ("2026.01.09", "2026.01.10"),
            ("1.2.18446744073709551615", "1.3"),
            ("1.2.3-rc.1", "1.2.3-rc.2"),
            ("1.2.3-rc1", "1.2.3-rc2"),
        ] {
            let advised = |count: u32| {
                let advice = version_advice(&read(&format!("{tag}-{count}-g0abcdef")), None).join(". ");
                let (_, rest) = advice.split_once("write ").unwrap_or_else(|| panic!("{tag}: {advice}"));
                read(rest.split(',').next().unwrap())
            };
            let ladder = [read(tag), advised(9), advised(14), read(next)];
            for pair in ladder.windows(2) {
                assert!(pair[1].is_newer_than(&pair[0]), "{tag}: {ladder:?}");
            }
        }
        for newest in ["1.0.0-rc7", "1.0.0-rc7.20", "1.0.0-rc7+x"] {
            let advice = version_advice(&read("1.0.0-rc11"), Some(&read(newest))).join(". ");
            let (_, rest) = advice.split_once("Until then ").unwrap();
            assert!(read(rest.split(' ').next().unwrap()).is_newer_than(&read(newest)), "{advice}");
        }
    }

    #[test]
    fn the_expected_needs_no_word() {
        for (new, newest) in [
            ("1.0.0", None),
            ("1.0.1", Some("1.0.0")),
            ("1.0.0-rc.11", Some("1.0.0-rc.7")),
            ("2.0.0-beta.1", Some("1.9.0")),
            ("r813", Some("r812")),
            ("2024-10-04", Some("2024-9-5")),
            ("1.3.0+20", Some("1.3.0+19")),
            ("3.14.0", Some("3.14.0rc1")),
            // git describe after a date or after a prerelease that is run on: these sort behind their tags.
            ("2024-10-04-14-gabc1", Some("2024-10-04")),
            ("1.0rc1-14-gabc1", Some("1.0rc1")),
            ("1.0b2", Some("1.0b2.dev1")),
        ] {
            let advice = version_advice(&new.parse().unwrap(), newest.map(|text| text.parse().unwrap()).as_ref());
            assert!(advice.is_empty(), "{new} after {newest:?}: {advice:?}");
        }
        let debian = |text: &str| text.parse::<Version>().unwrap().in_scheme(VersionScheme::Debian);
        assert!(version_advice(&debian("2.36-10"), Some(&debian("2.36-9"))).is_empty());
    }
}
