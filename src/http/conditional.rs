//! Conditional requests (RFC 9110 section 13): what the preconditions of a request say about a representation.
//!
//! Owns the decision. Building the 304 or 412 that follows from it belongs to the handlers and `file_response`.

use std::time::{Duration, SystemTime};

use http::header::{HeaderMap, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http::{HeaderValue, Method};
use httpdate::HttpDate;

use crate::model::Timestamp;
use crate::service::Condition;

use super::etag::{ETag, ETagList, is_only_line, parse_list};

/// What a representation can be compared by.
#[derive(Debug, Clone, Default)]
pub struct Validators {
    /// Its strong entity tag.
    pub etag: Option<ETag>,
    /// When it last changed.
    pub last_modified: Option<HttpDate>,
}

/// What the preconditions lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The request is to be carried out.
    Proceed,
    /// The client has it already: answer 304 (Not Modified).
    NotModified,
    /// The client's assumption does not hold: answer 412 (Precondition Failed).
    PreconditionFailed,
}

/// The time as HTTP writes it, in whole seconds.
#[must_use]
pub fn http_date(time: Timestamp) -> HttpDate {
    let seconds = u64::try_from(time.as_seconds()).unwrap_or(0);
    HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Evaluates the preconditions in the order of RFC 9110 section 13.2.2, except `If-Range`.
///
/// `current` is `None` where nothing exists yet, e.g. for a `PUT` that would create. A header that cannot be read counts
/// as a condition that is not met: `If-Match` then fails, `If-None-Match` matches nothing, and an unreadable date is
/// ignored as sections 13.1.3 and 13.1.4 demand.
#[must_use]
pub fn evaluate(method: &Method, headers: &HeaderMap, current: Option<&Validators>) -> Outcome {
    let etag = current.and_then(|current| current.etag.as_ref());
    let last_modified = current.and_then(|current| current.last_modified);
    let reads = matches!(*method, Method::GET | Method::HEAD);

    if headers.contains_key(IF_MATCH) {
        let holds = match parse_list(headers.get_all(IF_MATCH)) {
            Some(ETagList::Any) => current.is_some(),
            Some(ETagList::Tags(tags)) => etag.is_some_and(|etag| tags.iter().any(|tag| etag.equals_strongly(tag))),
            None => false,
        };
        if !holds {
            return Outcome::PreconditionFailed;
        }
    } else if let (Some(limit), Some(changed)) = (date(headers, &IF_UNMODIFIED_SINCE), last_modified)
        && changed > limit
    {
        return Outcome::PreconditionFailed;
    }

    let lines = headers.get_all(IF_NONE_MATCH);
    if lines.iter().next().is_some() {
        let matches = etag.is_some_and(|etag| is_only_line(etag, lines.iter()))
            || match parse_list(lines) {
                Some(ETagList::Any) => current.is_some(),
                Some(ETagList::Tags(tags)) => etag.is_some_and(|etag| tags.iter().any(|tag| etag.equals_weakly(tag))),
                None => false,
            };
        return match (matches, reads) {
            (false, _) => Outcome::Proceed,
            (true, true) => Outcome::NotModified,
            (true, false) => Outcome::PreconditionFailed,
        };
    }
    if reads
        && let (Some(known), Some(changed)) = (date(headers, &IF_MODIFIED_SINCE), last_modified)
        && changed <= known
    {
        return Outcome::NotModified;
    }
    Outcome::Proceed
}

/// The condition of a request that changes something (sections 13.1.1 and 13.1.2): `If-Match`, or `If-None-Match`.
///
/// # Errors
/// If there is one that cannot be read.
pub(super) fn for_change(headers: &HeaderMap) -> Result<Condition, &'static str> {
    if headers.contains_key(IF_MATCH) {
        return match parse_list(headers.get_all(IF_MATCH)) {
            Some(ETagList::Any) => Ok(Condition::Exists),
            // Weak tags equal nothing by the comparison that is due here, and keep their W/.
            Some(ETagList::Tags(tags)) => {
                let mark = |tag: &[u8]| String::from_utf8_lossy(tag).trim_matches('"').to_owned();
                Ok(Condition::Marks(tags.into_iter().map(mark).collect()))
            }
            None => Err("If-Match is * or a list of entity tags, each in quotes"),
        };
    }
    match headers.contains_key(IF_NONE_MATCH).then(|| parse_list(headers.get_all(IF_NONE_MATCH))) {
        None => Ok(Condition::None),
        Some(Some(ETagList::Any)) => Ok(Condition::Absent),
        // Tags are compared weakly here (section 13.1.2), so that W/ does not count.
        Some(Some(ETagList::Tags(tags))) => Ok(Condition::NoneOf(tags.into_iter().map(weak_mark).collect())),
        Some(None) => Err("If-None-Match is * or a list of entity tags, each in quotes"),
    }
}

fn weak_mark(tag: &[u8]) -> String {
    let tag = String::from_utf8_lossy(tag);
    tag.strip_prefix("W/").unwrap_or(&tag).trim_matches('"').to_owned()
}

/// The date in a header that has exactly one line, in any of the three formats of RFC 9110 section 5.6.7.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<HttpDate> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => parse_date(line),
        _ => None,
    }
}

/// The date in a header value, if it is one.
pub(super) fn parse_date(value: &HeaderValue) -> Option<HttpDate> {
    value.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLDER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const NEWER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn validators() -> Validators {
        Validators { etag: Some(ETag::strong("a").unwrap()), last_modified: Some(CHANGED.parse().unwrap()) }
    }

    fn run(method: &Method, headers: &[(&'static str, &str)], current: Option<&Validators>) -> Outcome {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        evaluate(method, &headers, current)
    }

    #[test]
    fn each_condition_alone_and_their_precedence() {
        use Outcome::{NotModified, PreconditionFailed, Proceed};
        let asctime = "Sun Nov  6 08:49:37 1994";
        for (headers, read, write) in [
            (&[][..], Proceed, Proceed),
            (&[("if-none-match", "\"a\"")], NotModified, PreconditionFailed),
            (&[("if-none-match", "W/\"a\"")], NotModified, PreconditionFailed),
            (&[("if-none-match", "\"b\", \"a\"")], NotModified, PreconditionFailed),
            (&[("if-none-match", "\"b\"")], Proceed, Proceed),
            (&[("if-none-match", "*")], NotModified, PreconditionFailed),
            (&[("if-none-match", "nonsense")], Proceed, Proceed),
            (&[("if-match", "\"a\"")], Proceed, Proceed),
            (&[("if-match", "W/\"a\"")], PreconditionFailed, PreconditionFailed),
            (&[("if-match", "\"b\"")], PreconditionFailed, PreconditionFailed),
            (&[("if-match", "*")], Proceed, Proceed),
            (&[("if-match", "nonsense")], PreconditionFailed, PreconditionFailed),
            (&[("if-modified-since", OLDER)], Proceed, Proceed),
            (&[("if-modified-since", CHANGED)], NotModified, Proceed),
            (&[("if-modified-since", NEWER)], NotModified, Proceed),
            (&[("if-modified-since", asctime)], NotModified, Proceed),
            (&[("if-modified-since", "yesterday")], Proceed, Proceed),
            (&[("if-unmodified-since", OLDER)], PreconditionFailed, PreconditionFailed),
            (&[("if-unmodified-since", CHANGED)], Proceed, Proceed),
            // A tag outranks a date, in both directions.
            (&[("if-none-match", "\"b\""), ("if-modified-since", NEWER)], Proceed, Proceed),
            (&[("if-match", "\"a\""), ("if-unmodified-since", OLDER)], Proceed, Proceed),
            // If-Match is asked before If-None-Match.
            (&[("if-match", "\"b\""), ("if-none-match", "\"a\"")], PreconditionFailed, PreconditionFailed),
            (&[("if-match", "\"a\""), ("if-none-match", "\"a\"")], NotModified, PreconditionFailed),
        ] {
            assert_eq!(run(&Method::GET, headers, Some(&validators())), read, "GET {headers:?}");
            assert_eq!(run(&Method::HEAD, headers, Some(&validators())), read, "HEAD {headers:?}");
            assert_eq!(run(&Method::PUT, headers, Some(&validators())), write, "PUT {headers:?}");
        }
    }

    #[test]
    fn nothing_there_yet() {
        for (header, value, expected) in [
            ("if-none-match", "*", Outcome::Proceed),
            ("if-none-match", "\"a\"", Outcome::Proceed),
            ("if-match", "*", Outcome::PreconditionFailed),
            ("if-match", "\"a\"", Outcome::PreconditionFailed),
            ("if-unmodified-since", OLDER, Outcome::Proceed),
        ] {
            assert_eq!(run(&Method::PUT, &[(header, value)], None), expected, "{header}: {value}");
        }
    }

    #[test]
    fn conditions_of_changes() {
        let run = |headers: &[(&'static str, &str)]| {
            let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            for_change(&headers.collect())
        };
        let marks = |marks: &[&str]| Ok(Condition::Marks(marks.iter().map(|&mark| mark.to_owned()).collect()));
        assert_eq!(run(&[]), Ok(Condition::None));
        assert_eq!(run(&[("if-match", "*")]), Ok(Condition::Exists));
        assert_eq!(run(&[("if-match", "\"a\", \"b\"")]), marks(&["a", "b"]));
        assert_eq!(run(&[("if-match", "W/\"a\"")]), marks(&["W/\"a"]));
        assert_eq!(run(&[("if-none-match", "*")]), Ok(Condition::Absent));
        assert_eq!(
            run(&[("if-none-match", "\"a\", W/\"b\"")]),
            Ok(Condition::NoneOf(vec!["a".to_owned(), "b".to_owned()]))
        );
        assert!(run(&[("if-none-match", "a")]).is_err() && run(&[("if-match", "a")]).is_err());
    }

    #[test]
    fn dates_from_timestamps() {
        let time: Timestamp = "1994-11-06T08:49:37.9Z".parse().unwrap();
        assert_eq!(http_date(time).to_string(), CHANGED);
        assert_eq!(http_date(Timestamp::from_micros(0)).to_string(), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert!(http_date(Timestamp::MAX).to_string().ends_with("9999 21:59:59 GMT"));
    }
}
