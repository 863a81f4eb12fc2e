//! Sharing a package with other users.

use super::Registry;
use super::access::open_package;
use super::caller::{Caller, Identity};
use super::deed::About;
use super::refusal::Refusal;
use super::views::{MemberView, Page};
use crate::model::limits::MEMBERS_PER_PACKAGE_MAX;
use crate::model::{AuditAction, FullName, Member, Role, Scope, UserName};
use crate::store::StorageError;

impl Registry {
    /// The members of a package, its owner first.
    ///
    /// # Errors
    /// If the caller is no member, or shows a token of the package and so is nobody in particular.
    pub fn members(&self, caller: &Caller, name: &FullName) -> Result<Page<MemberView>, Refusal> {
        let rows = self.store.read()?;
        let (package, _) = open_package(&rows, caller, name, Some(Role::Reader))?;
        // Tokens of a package are passed on to programs and people who need not know who else has to do with it.
        caller.user(Scope::Read)?;
        let owner = MemberView {
            user: package.namespace.clone(),
            role: Role::Owner.as_str(),
            created: package.created,
            changed: package.created,
        };
        let mut items = vec![owner];
        for member in rows.members(package.id)? {
            let user = rows.user(member.user)?.ok_or_else(|| StorageError::damaged("member", "its user is gone"))?;
            items.push(MemberView {
                user: user.name,
                role: member.role.as_str(),
                created: member.created,
                changed: member.changed,
            });
        }
        Ok(Page::whole(items))
    }

    /// Lets a user in or changes the role; answers whether the user is new.
    ///
    /// # Errors
    /// If the caller does not own the package, or the user does (whose role is fixed).
    pub async fn put_member(
        &self,
        caller: &Caller,
        name: FullName,
        user: UserName,
        role: Role,
    ) -> Result<(MemberView, bool), Refusal> {
        let deed = self.deed(caller);
        let now = deed.now;
        self.store
            .write(move |edit| {
                let (package, _) = open_package(edit, &deed.caller, &name, Some(Role::Owner))?;
                let found = edit.user_by_name(&user)?;
                let found = found.ok_or_else(|| Refusal::NotFound(format!("there is no user {user}")))?;
                if found.id == package.owner {
                    return Err(Refusal::conflict(format!("{user} owns {name}; that role is fixed")));
                }
                let former = edit.member(package.id, found.id)?;
                if former.is_none() && edit.members(package.id)?.len() >= MEMBERS_PER_PACKAGE_MAX {
                    return Err(Refusal::conflict(format!("a package has at most {MEMBERS_PER_PACKAGE_MAX} members")));
                }
                let created = former.as_ref().map_or(now, |former| former.created);
                let member = Member { package: package.id, user: found.id, role, created, changed: now };
                edit.put_member(&member)?;
                if former.as_ref().is_none_or(|former| former.role != role) {
                    let added = former.is_none();
                    let action = if added { AuditAction::MemberAdded } else { AuditAction::MemberChanged };
                    deed.note(edit, action, About::thing(&found.name).of(&package).detail(role.as_str()))?;
                }
                let view = MemberView { user: found.name, role: role.as_str(), created, changed: now };
                Ok((view, former.is_none()))
            })
            .await
    }

    /// Takes a member out. Members may leave by themselves.
    ///
    /// # Errors
    /// If the caller may not, or the user is no member.
    pub async fn delete_member(&self, caller: &Caller, name: FullName, user: UserName) -> Result<(), Refusal> {
        let leaving = matches!(&caller.identity, Identity::User(signed_in) if signed_in.user.name == user);
        let needed = if leaving { Role::Reader } else { Role::Owner };
        let deed = self.deed(caller);
        self.store
            .write(move |edit| {
                let (package, _) = open_package(edit, &deed.caller, &name, Some(needed))?;
                let found = edit.user_by_name(&user)?;
                let member = match &found {
                    Some(found) => edit.member(package.id, found.id)?,
                    None => None,
                };
                let member = member.ok_or_else(|| Refusal::NotFound(format!("{user} is no member of {name}")))?;
                edit.delete_member(package.id, member.user)?;
                Ok(deed.note(edit, AuditAction::MemberRemoved, About::thing(&user).of(&package))?)
            })
            .await
    }
}
