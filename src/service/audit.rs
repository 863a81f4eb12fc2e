//! Reading the audit trail: owners that of their packages, admins all of it.

use std::ops::ControlFlow;

use serde::Serialize;

use super::Registry;
use super::access::open_package;
use super::caller::Caller;
use super::refusal::Refusal;
use super::views::Page;
use crate::model::audit::AuditText;
use crate::model::{AuditEntry, FullName, Role, Timestamp, UserName};

/// Most entries that one call looks at for those that are asked for: a page may then be short and still have a next.
const LOOKED_AT_MAX: usize = 20_000;

/// Which entries to list.
#[derive(Debug, Default)]
pub struct AuditQuery {
    /// Only what this user did, or what was done to it.
    pub user: Option<UserName>,
    /// Only what was done to packages of this name.
    pub package: Option<FullName>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// Most entries on a page.
    pub limit: usize,
}

/// An entry of the audit trail.
#[derive(Debug, Serialize)]
pub struct AuditView {
    id: u64,
    at: Timestamp,
    actor: Option<String>,
    actor_kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_name: Option<String>,
    address: Option<String>,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<FullName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl AuditView {
    fn of(entry: AuditEntry) -> Self {
        let text = |text: Option<AuditText>| text.map(|text| text.as_str().to_owned());
        Self {
            id: entry.id,
            at: entry.at,
            actor: text(entry.actor.name),
            actor_kind: entry.actor.kind.as_str(),
            token_name: text(entry.actor.token_name),
            address: text(entry.address),
            action: entry.action.as_str(),
            package: entry.package.map(|(_, name)| name),
            subject: text(entry.subject),
            detail: text(entry.detail),
        }
    }
}

/// A page that is being filled.
struct Filling {
    page: Page<AuditView>,
    limit: usize,
    looked_at: usize,
    last: u64,
}

impl Filling {
    fn new(limit: usize) -> Self {
        Self { page: Page { items: Vec::new(), next: None }, limit, looked_at: 0, last: 0 }
    }

    fn take(&mut self, entry: AuditEntry, wanted: bool) -> ControlFlow<()> {
        if self.page.items.len() == self.limit || self.looked_at == LOOKED_AT_MAX {
            self.page.next = Some(self.last.to_string());
            return ControlFlow::Break(());
        }
        self.looked_at += 1;
        self.last = entry.id;
        if wanted {
            self.page.items.push(AuditView::of(entry));
        }
        ControlFlow::Continue(())
    }
}

impl Registry {
    /// What was done to a package, newest first.
    ///
    /// # Errors
    /// If the caller does not own it.
    pub fn package_audit(
        &self,
        caller: &Caller,
        name: &FullName,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<AuditView>, Refusal> {
        let rows = self.store.read()?;
        let (package, _) = open_package(&rows, caller, name, Some(Role::Owner))?;
        let mut filling = Filling::new(limit);
        rows.audit_of_package(package.id, parse_cursor(cursor)?, |entry| filling.take(entry, true))?;
        Ok(filling.page)
    }

    /// What was done on the server, newest first. A page may hold fewer entries than there is room for, and still have
    /// a next one.
    ///
    /// # Errors
    /// If the caller is no admin.
    pub fn audit(&self, caller: &Caller, query: &AuditQuery) -> Result<Page<AuditView>, Refusal> {
        caller.admin()?;
        let rows = self.store.read()?;
        let mut filling = Filling::new(query.limit);
        let is = |text: &Option<AuditText>, name: &UserName| text.as_ref().is_some_and(|t| t.as_str() == name.as_str());
        rows.audit_before(parse_cursor(query.cursor.as_deref())?, |entry| {
            let by_user =
                query.user.as_ref().is_none_or(|user| is(&entry.actor.name, user) || is(&entry.subject, user));
            let of_package = query.package.as_ref().is_none_or(|wanted| {
                entry.package.as_ref().is_some_and(|(_, name)| name.as_str().eq_ignore_ascii_case(wanted.as_str()))
            });
            filling.take(entry, by_user && of_package)
        })?;
        Ok(filling.page)
    }
}

fn parse_cursor(cursor: Option<&str>) -> Result<u64, Refusal> {
    cursor.map_or(Ok(u64::MAX), |cursor| cursor.parse().map_err(|_| Refusal::wrong_cursor()))
}
