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
        Shape::GitDescribe { release, count } => advice.push(format!(
            "{new} looks like the output of git describe. It is read as a prerelease of {release} and sorts below it; \
             write {release}+{count} for the {count} commits after {release}"
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
                advice.push(format!(
                    "{ours} and {theirs} compare as text, letter by letter; write {word}.{number} to compare numbers"
                ));
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
    /// `TAG-COUNT-gHASH`.
    GitDescribe {
        release: &'a str,
        count: &'a str,
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
        && let Some((release, count)) = head.rsplit_once('-')
        && is_number(count)
    {
        return Shape::GitDescribe { release, count };
    }
    match text.split_once('-') {
        Some((release, number)) if is_number(number) => Shape::Revision { release },
        _ => Shape::Plain,
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
            ("1.2.3-14-gabc1", Some("1.2.3"), &["sorts below 1.2.3", "git describe", "write 1.2.3+14"]),
            ("v1.2.3-1-gdeadbeef-dirty", None, &["git describe"]),
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
        ] {
            let advice = version_advice(&new.parse().unwrap(), newest.map(|text| text.parse().unwrap()).as_ref());
            assert!(advice.is_empty(), "{new} after {newest:?}: {advice:?}");
        }
        let debian = |text: &str| text.parse::<Version>().unwrap().in_scheme(VersionScheme::Debian);
        assert!(version_advice(&debian("2.36-10"), Some(&debian("2.36-9"))).is_empty());
    }
}
