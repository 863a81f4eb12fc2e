//! Changing only what one has seen: marks of what can be changed of a thing, and conditions on them.
//!
//! A mark stands for what editors change, not for everything that is shown: counts, or a release that came meanwhile,
//! do not make a description that somebody edits another.

use std::ops::ControlFlow;

use super::refusal::Refusal;
use crate::model::{Package, Release, ReleaseFile, Sha256};
use crate::store::{Rows, Source};

/// Entries of the audit trail that are looked at for who changed something.
const LOOKED_AT_MAX: usize = 500;

/// Which state a change is meant for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// Whatever it is.
    #[default]
    None,
    /// It is there.
    Exists,
    /// It is not there.
    Absent,
    /// It has one of these marks.
    Marks(Vec<String>),
    /// It is not there, or has none of these marks.
    NoneOf(Vec<String>),
}

impl Condition {
    /// Refuses a change of something that has no mark of its own, where it is meant for another state.
    pub(super) fn check_presence(&self, is_there: bool, what: &str) -> Result<(), Refusal> {
        if self.holds(is_there.then_some("")) {
            return Ok(());
        }
        let state = if is_there { "is there already" } else { "is not there" };
        Err(Refusal::Changed(format!("{what} {state}")))
    }

    /// Whether a thing with this mark, or none, is meant.
    fn holds(&self, present: Option<&str>) -> bool {
        match self {
            Self::None => true,
            Self::Exists => present.is_some(),
            Self::Absent => present.is_none(),
            Self::Marks(marks) => present.is_some_and(|present| marks.iter().any(|mark| mark == present)),
            Self::NoneOf(marks) => present.is_none_or(|present| marks.iter().all(|mark| mark != present)),
        }
    }

    /// Refuses a change of a package, or of the thing of it that the audit trail calls `subject`, that was meant for
    /// another state.
    pub(super) fn check<S: Source>(
        &self,
        rows: &Rows<S>,
        package: &Package,
        subject: Option<&str>,
        present: Option<&str>,
    ) -> Result<(), Refusal> {
        if self.holds(present) {
            return Ok(());
        }
        let what = subject
            .map_or_else(|| package.full_name().to_string(), |subject| format!("{subject} of {}", package.full_name()));
        if matches!(self, Self::Absent | Self::NoneOf(_)) {
            return Err(Refusal::Changed(format!("{what} is there already")));
        }
        if present.is_none() {
            return Err(Refusal::Changed(format!("{what} is not there")));
        }
        let (mut last, mut looked_at) = (None, 0);
        rows.audit_of_package(package.id, u64::MAX, |entry| {
            looked_at += 1;
            let is_about = match (subject, &entry.subject) {
                (None, None) => true,
                (Some(subject), Some(of)) => {
                    of.as_str().strip_prefix(subject).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                }
                _ => false,
            };
            if is_about {
                last = Some(entry);
                return ControlFlow::Break(());
            }
            if looked_at == LOOKED_AT_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let by = last.map(|entry| {
            let who = entry.actor.name.as_ref().map_or(entry.actor.kind.as_str(), |name| name.as_str());
            format!(" by {who} at {}", entry.at)
        });
        Err(Refusal::Changed(format!(
            "{what} was changed meanwhile{}; load it again and repeat your change",
            by.unwrap_or_default()
        )))
    }
}

/// The mark of what can be changed of a package itself.
pub(super) fn package_mark(package: &Package) -> String {
    mark(&[&package.id.0.to_string(), package.visibility.as_str(), package.description.as_str()])
}

/// The mark of a release; its files are part of it.
pub(super) fn release_mark(release: &Release) -> String {
    let time =
        |time: Option<crate::model::Timestamp>| time.map_or_else(String::new, |time| time.as_micros().to_string());
    mark(&[
        &release.id.0.to_string(),
        &release.changed.as_micros().to_string(),
        if release.active { "active" } else { "" },
        &time(release.publish_at),
        release.yanked.as_ref().map_or("", |reason| reason.as_str()),
        release.description.as_str(),
    ])
}

/// The mark of a file: the digest of its content.
pub(super) fn file_mark(file: &ReleaseFile) -> String {
    file.sha256.to_string()
}

fn mark(parts: &[&str]) -> String {
    let mut digest = Sha256::of(parts.join("\0").as_bytes()).to_string();
    digest.truncate(32);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_for_what_they_name() {
        let marks = Condition::Marks(vec!["a".to_owned(), "b".to_owned()]);
        let none_of = Condition::NoneOf(vec!["a".to_owned(), "b".to_owned()]);
        for (condition, none, a, c) in [
            (Condition::None, true, true, true),
            (Condition::Exists, false, true, true),
            (Condition::Absent, true, false, false),
            (marks, false, true, false),
            (none_of, true, false, true),
        ] {
            let holds = [None, Some("a"), Some("c")].map(|present| condition.holds(present));
            assert_eq!(holds, [none, a, c], "{condition:?}");
        }
    }
}
