//! What is being done: by whom, when and from where, with the limits that hold for it. What it changes goes with an
//! entry of the audit trail, in the same commit.

use std::time::Duration;

use super::Registry;
use super::caller::{Caller, Identity};
use super::refusal::Refusal;
use crate::model::audit::{Actor, ActorKind, AuditText};
use crate::model::{AuditAction, AuditEntry, Package, Release, Timestamp, UserId, UserName};
use crate::store::{Edit, Rows, Source, StorageError};

/// See the module. Cheap to take into a commit.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    /// Who asked for it.
    pub(super) caller: Caller,
    /// When.
    pub(super) now: Timestamp,
    actor: Actor,
    audit_entries_max: u64,
    quota_bytes: Option<u64>,
    release_open: Duration,
}

/// What an entry of the audit trail is about.
#[derive(Debug, Default)]
pub(super) struct About<'a> {
    package: Option<&'a Package>,
    subject: Option<AuditText>,
    detail: Option<AuditText>,
}

impl<'a> About<'a> {
    /// About a thing by its name. A secret has none.
    pub(super) fn thing(name: impl std::fmt::Display) -> Self {
        Self { subject: Some(AuditText::new(&name.to_string())), ..Self::default() }
    }

    /// About a package.
    pub(super) fn package(package: &'a Package) -> Self {
        Self { package: Some(package), ..Self::default() }
    }

    /// About something of a package.
    pub(super) fn of(self, package: &'a Package) -> Self {
        Self { package: Some(package), ..self }
    }

    /// With more to say. Nothing is said in no words.
    pub(super) fn detail(self, detail: impl std::fmt::Display) -> Self {
        let text = AuditText::new(&detail.to_string());
        Self { detail: (!text.as_str().is_empty()).then_some(text), ..self }
    }
}

impl Registry {
    /// What a caller does now.
    pub(super) fn deed(&self, caller: &Caller) -> Deed {
        let actor = match &caller.identity {
            Identity::User(signed_in) => Actor {
                kind: if signed_in.token_name.is_some() { ActorKind::ApiToken } else { ActorKind::User },
                name: Some(AuditText::new(signed_in.user.name.as_str())),
                token_name: signed_in.token_name.as_ref().map(|name| AuditText::new(name.as_str())),
            },
            Identity::Private(_) => Actor { kind: ActorKind::PrivateToken, name: None, token_name: None },
            // Nobody else changes anything but by becoming a user, which is said then.
            Identity::Access(_) | Identity::Anonymous => {
                Actor { kind: ActorKind::Server, name: None, token_name: None }
            }
        };
        Deed {
            caller: caller.clone(),
            now: self.clock.now(),
            actor,
            audit_entries_max: self.config().audit_entries_max,
            quota_bytes: self.config().quota_bytes,
            release_open: self.config().release_open,
        }
    }

    /// What the server does now by itself, or for its operator.
    pub(super) fn own_deed(&self) -> Deed {
        self.deed(&Caller { identity: Identity::Anonymous, origin: "".into(), address: None })
    }
}

impl Deed {
    /// The same, done by the user that the caller turned out to be.
    pub(super) fn by(self, kind: ActorKind, name: &UserName) -> Self {
        Self { actor: Actor { kind, name: Some(AuditText::new(name.as_str())), token_name: None }, ..self }
    }

    /// Refuses to add a file to a release that has been active for long, unless an owner asks for just that. What is
    /// added to an active release is noted in words.
    pub(super) fn check_not_late(&self, release: &Release, late: bool) -> Result<&'static str, Refusal> {
        let Some(published) = release.published else { return Ok("") };
        let open_s = i64::try_from(self.release_open.as_secs()).unwrap_or(i64::MAX);
        if self.now <= published.plus_seconds(open_s) {
            return Ok("to a release that was active already");
        }
        if late {
            return Ok("late, to a release that had long been active");
        }
        Err(Refusal::conflict(format!(
            "{} has been active since {published}, and files are added to a release for {} after that; publish a new \
             version, or have an owner say late=true",
            release.version,
            hours(self.release_open)
        )))
    }

    /// Notes in the audit trail what was done.
    pub(super) fn note(
        &self,
        edit: &mut Edit<'_, '_>,
        action: AuditAction,
        about: About<'_>,
    ) -> Result<(), StorageError> {
        let entry = AuditEntry {
            id: 0,
            at: self.now,
            actor: self.actor.clone(),
            address: self.caller.address.map(|address| AuditText::new(&address.to_string())),
            action,
            package: about.package.map(|package| (package.id, package.full_name())),
            subject: about.subject,
            detail: about.detail,
        };
        edit.add_audit(&entry, self.audit_entries_max)
    }

    /// Refuses what would have a user's packages hold more than they may, when `former_bytes` make room for
    /// `new_bytes`.
    pub(super) fn check_quota<S: Source>(
        &self,
        rows: &Rows<S>,
        owner: UserId,
        former_bytes: u64,
        new_bytes: u64,
    ) -> Result<(), Refusal> {
        match quota_left(rows, owner, self.quota_bytes)? {
            // What takes no more room than before is always taken.
            Some(left) if new_bytes > left.saturating_add(former_bytes) && new_bytes > former_bytes => {
                Err(over_quota(rows, owner, self.quota_bytes)?)
            }
            _ => Ok(()),
        }
    }
}

/// How many bytes a user's packages may still take, besides what uploads that are not finished will bring; none where
/// nothing limits them.
pub(super) fn quota_left<S: Source>(
    rows: &Rows<S>,
    owner: UserId,
    default_bytes: Option<u64>,
) -> Result<Option<u64>, StorageError> {
    let user = rows.user(owner)?.ok_or_else(|| StorageError::damaged("package", "its owner is gone"))?;
    let Some(quota) = user.quota_bytes.or(default_bytes) else { return Ok(None) };
    let taken = rows.stored_bytes(owner)?.saturating_add(rows.awaited_bytes(&user.name)?);
    Ok(Some(quota.saturating_sub(taken)))
}

/// Says that a user's packages hold as much as they may.
pub(super) fn over_quota<S: Source>(
    rows: &Rows<S>,
    owner: UserId,
    default_bytes: Option<u64>,
) -> Result<Refusal, StorageError> {
    let user = rows.user(owner)?.ok_or_else(|| StorageError::damaged("package", "its owner is gone"))?;
    Ok(Refusal::OverQuota {
        quota_bytes: user.quota_bytes.or(default_bytes).unwrap_or(u64::MAX),
        stored_bytes: rows.stored_bytes(owner)?,
        awaited_bytes: rows.awaited_bytes(&user.name)?,
        owner: user.name,
    })
}

/// A span in words.
fn hours(span: Duration) -> String {
    match span.as_secs() {
        s if s % 3600 == 0 && s > 0 => format!("{} h", s / 3600),
        s => format!("{s} s"),
    }
}
