//! `Range` and `If-Range` (RFC 9110 section 14): which bytes of a representation a request asks for.
//!
//! Owns parsing and evaluation against a length. Sending the bytes is `file_response`'s matter.

use std::ops::Range;

use http::header::{HeaderMap, IF_RANGE, RANGE};
use http::{HeaderValue, Method};

use super::conditional::{Validators, parse_date};
use super::etag::is_tag;

/// How many ranges one request may name. Differential updaters ask for up to a thousand at once; a part costs 16 bytes of
/// memory here until its turn comes. The limit of a request's head allows about as many.
pub const RANGES_MAX: usize = 4096;
/// How many of them may overlap another one. RFC 9110, section 14.2, lets a server refuse more than two.
const OVERLAPS_MAX: usize = 2;

/// What of a representation is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// All of it: 200.
    Whole,
    /// One non-empty range inside the representation: 206.
    One(Range<u64>),
    /// Two to [`RANGES_MAX`] non-empty ranges in the order of the request: 206 in parts.
    Many(Vec<Range<u64>>),
    /// 416, with `Content-Range: bytes */LENGTH`.
    NotSatisfiable,
}

/// Evaluates `Range` and `If-Range` of a request for a representation of `len_bytes`.
///
/// Only `GET` has ranges (RFC 9110 section 14.2), and a unit other than `bytes` is ignored. A set that is malformed,
/// names more than [`RANGES_MAX`] ranges, lets more than two of them overlap, or has none inside the representation is
/// refused.
#[must_use]
pub fn evaluate(method: &Method, headers: &HeaderMap, validators: &Validators, len_bytes: u64) -> Requested {
    if *method != Method::GET || !headers.contains_key(RANGE) || !if_range_holds(headers, validators) {
        return Requested::Whole;
    }
    let mut lines = headers.get_all(RANGE).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => evaluate_set(line.as_bytes(), len_bytes),
        // Not a list header, so two lines have no meaning.
        _ => Requested::NotSatisfiable,
    }
}

/// `If-Range` (RFC 9110 section 13.1.5): the strong tag or exactly the date that the client's part came with.
fn if_range_holds(headers: &HeaderMap, validators: &Validators) -> bool {
    let mut lines = headers.get_all(IF_RANGE).iter();
    match (lines.next(), lines.next()) {
        (None, _) => true,
        (Some(line), None) if is_tag(line.as_bytes()) => {
            validators.etag.as_ref().is_some_and(|etag| etag.equals_strongly(line.as_bytes()))
        }
        (Some(line), None) => is_date(line, validators),
        (Some(_), Some(_)) => false,
    }
}

fn is_date(line: &HeaderValue, validators: &Validators) -> bool {
    validators.last_modified.is_some_and(|changed| parse_date(line) == Some(changed))
}

fn evaluate_set(value: &[u8], len_bytes: u64) -> Requested {
    let Some(equals) = value.iter().position(|byte| *byte == b'=') else {
        // Without a unit there is no telling what is meant; that is an unknown unit.
        return Requested::Whole;
    };
    let (unit, set) = (&value[..equals], &value[equals + 1..]);
    if !unit.trim_ascii().eq_ignore_ascii_case(b"bytes") {
        return Requested::Whole;
    }
    let mut ranges = Vec::new();
    let mut count = 0;
    for spec in set.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|spec| !spec.is_empty()) {
        count += 1;
        if count > RANGES_MAX {
            return Requested::NotSatisfiable;
        }
        match resolve(spec, len_bytes) {
            Spec::Inside(range) => ranges.push(range),
            Spec::Outside => {}
            Spec::Malformed => return Requested::NotSatisfiable,
        }
    }
    if overlaps(&ranges) > OVERLAPS_MAX {
        return Requested::NotSatisfiable;
    }
    match ranges.len() {
        0 => Requested::NotSatisfiable,
        1 => Requested::One(ranges.remove(0)),
        _ => Requested::Many(ranges),
    }
}

enum Spec {
    Inside(Range<u64>),
    Outside,
    Malformed,
}

/// One `FIRST-LAST`, `FIRST-` or `-SUFFIX`, cut to the representation.
fn resolve(spec: &[u8], len_bytes: u64) -> Spec {
    let Some(dash) = spec.iter().position(|byte| *byte == b'-') else { return Spec::Malformed };
    let (first, last) = (&spec[..dash], &spec[dash + 1..]);
    let range = match (first, last) {
        ([], []) => return Spec::Malformed,
        ([], suffix) => {
            let Some(suffix_bytes) = number(suffix) else { return Spec::Malformed };
            len_bytes.saturating_sub(suffix_bytes)..len_bytes
        }
        (first, []) => {
            let Some(first) = number(first) else { return Spec::Malformed };
            first..len_bytes
        }
        (first, last) => {
            let (Some(first), Some(last)) = (number(first), number(last)) else { return Spec::Malformed };
            if last < first {
                return Spec::Malformed;
            }
            first..last.saturating_add(1).min(len_bytes)
        }
    };
    if range.is_empty() { Spec::Outside } else { Spec::Inside(range) }
}

/// A decimal number; one too big for 64 bits is beyond every end, so it counts as the biggest.
fn number(digits: &[u8]) -> Option<u64> {
    let well_formed = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    well_formed.then(|| {
        digits.iter().fold(0u64, |value, digit| value.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    })
}

/// How many ranges begin inside of one that begins before them. So the parts together are at most three times as long as
/// the representation.
fn overlaps(ranges: &[Range<u64>]) -> usize {
    let mut sorted: Vec<_> = ranges.iter().collect();
    sorted.sort_unstable_by_key(|range| range.start);
    let mut end = 0;
    let mut count = 0;
    for range in sorted {
        count += usize::from(range.start < end);
        end = end.max(range.end);
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::etag::ETag;
    use super::Requested::{Many, NotSatisfiable, One, Whole};
    use super::*;

    fn set(value: &str, len_bytes: u64) -> Requested {
        evaluate_set(value.as_bytes(), len_bytes)
    }

    #[test]
    fn sets() {
        for (value, expected) in [
            ("bytes=0-0", One(0..1)),
            ("bytes=0-", One(0..10)),
            ("bytes=0-9", One(0..10)),
            ("bytes=0-99999999999999999999999", One(0..10)),
            ("bytes=5-18446744073709551615", One(5..10)),
            ("bytes=9-", One(9..10)),
            ("bytes=-3", One(7..10)),
            ("bytes=-30", One(0..10)),
            ("Bytes= 1-2 ", One(1..3)),
            ("bytes=0-1,4-5", Many(vec![0..2, 4..6])),
            ("bytes=4-5, ,0-1", Many(vec![4..6, 0..2])),
            ("bytes=0-1,2-3", Many(vec![0..2, 2..4])),
            ("bytes=0-1,50-60", One(0..2)),
            ("lines=1-2", Whole),
            ("nonsense", Whole),
            ("bytes=10-", NotSatisfiable),
            ("bytes=10-12,-0", NotSatisfiable),
            ("bytes=-0", NotSatisfiable),
            ("bytes=5-2", NotSatisfiable),
            ("bytes=50-40", NotSatisfiable),
            ("bytes=", NotSatisfiable),
            ("bytes=,", NotSatisfiable),
            ("bytes=-", NotSatisfiable),
            ("bytes=1", NotSatisfiable),
            ("bytes=a-b", NotSatisfiable),
            ("bytes=+1-2", NotSatisfiable),
            ("bytes=1-2-3", NotSatisfiable),
            ("bytes=0-1,x", NotSatisfiable),
            ("bytes=0-5,5-9", Many(vec![0..6, 5..10])),
            ("bytes=0-,-1", Many(vec![0..10, 9..10])),
            ("bytes=3-4,3-4,3-4", Many(vec![3..5, 3..5, 3..5])),
            ("bytes=3-4,3-4,3-4,3-4", NotSatisfiable),
            ("bytes=0-,1-1,2-2,3-3", NotSatisfiable),
        ] {
            assert_eq!(set(value, 10), expected, "{value}");
        }
        assert_eq!(set("bytes=0-", 0), NotSatisfiable);
        assert_eq!(set("bytes=-1", 0), NotSatisfiable);
    }

    #[test]
    fn no_more_ranges_than_allowed() {
        let ranges = |count: u64| (0..count).map(|n| format!("{0}-{0}", 2 * n)).collect::<Vec<_>>().join(",");
        let most = set(&format!("bytes={}", ranges(RANGES_MAX as u64)), 1 << 20);
        assert!(matches!(most, Many(ranges) if ranges.len() == RANGES_MAX));
        assert_eq!(set(&format!("bytes={}", ranges(RANGES_MAX as u64 + 1)), 1 << 20), NotSatisfiable);
    }

    #[test]
    fn conditions_of_a_range() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let validators =
            Validators { etag: Some(ETag::strong("a").unwrap()), last_modified: Some(date.parse().unwrap()) };
        for (if_range, applies) in [
            ("\"a\"", true),
            ("W/\"a\"", false),
            ("\"b\"", false),
            (date, true),
            ("Sun, 06 Nov 1994 08:49:38 GMT", false),
            ("Sun, 06 Nov 1994 08:49:36 GMT", false),
            ("a", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_static("bytes=1-2"));
            headers.insert(IF_RANGE, if_range.parse().unwrap());
            let expected = if applies { One(1..3) } else { Whole };
            assert_eq!(evaluate(&Method::GET, &headers, &validators, 10), expected, "{if_range}");
        }
    }

    #[test]
    fn only_one_range_header_and_only_get() {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_static("bytes=1-2"));
        assert_eq!(evaluate(&Method::HEAD, &headers, &Validators::default(), 10), Whole);
        headers.append(RANGE, HeaderValue::from_static("bytes=3-4"));
        assert_eq!(evaluate(&Method::GET, &headers, &Validators::default(), 10), NotSatisfiable);
    }

    proptest! {
        #[test]
        fn any_value_gives_sound_ranges(
            value in "bytes=([0-9]{0,3}-[0-9]{0,3},? ?){0,20}|(bytes)?[=,0-9a-z -]{0,40}|\\PC{0,20}",
            len_bytes in prop_oneof![0u64..600, Just(u64::MAX)],
        ) {
            let ranges = match set(&value, len_bytes) {
                Whole | NotSatisfiable => vec![],
                One(range) => vec![range],
                Many(ranges) => {
                    prop_assert!((2..=RANGES_MAX).contains(&ranges.len()));
                    ranges
                }
            };
            for range in &ranges {
                prop_assert!(range.start < range.end && range.end <= len_bytes);
            }
            prop_assert!(overlaps(&ranges) <= OVERLAPS_MAX);
            let asked: u128 = ranges.iter().map(|range| u128::from(range.end - range.start)).sum();
                    prop_assert!(asked <= 3 * u128::from(len_bytes));
        }

        #[test]
        fn a_range_inside_is_itself(first in 0u64..1000, len in 1u64..1000, more in 0u64..1000) {
            let last = first + len - 1;
            prop_assert_eq!(set(&format!("bytes={first}-{last}"), last + 1 + more), One(first..last + 1));
        }
    }
}
