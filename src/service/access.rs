//! May this caller do this with that package? The one place that answers.

use super::caller::{Caller, Identity};
use super::refusal::Refusal;
use crate::model::{FullName, Package, Role, Scope, Visibility};
use crate::store::{Rows, Source};

impl Caller {
    /// What the caller may do with a package, if anything at all beyond what everyone may.
    pub(super) fn role<S: Source>(&self, rows: &Rows<S>, package: &Package) -> Result<Option<Role>, Refusal> {
        match &self.identity {
            Identity::Anonymous => Ok(None),
            Identity::Access(opened) => Ok((*opened == package.id).then_some(Role::Reader)),
            Identity::Private(opened) => Ok((*opened == package.id).then_some(Role::Maintainer)),
            Identity::User(signed_in) => {
                let cap = match signed_in.scope {
                    Scope::Read => Role::Reader,
                    Scope::Publish => Role::Maintainer,
                    Scope::Admin => Role::Owner,
                };
                let user = &signed_in.user;
                if user.id == package.owner || (user.admin && signed_in.scope == Scope::Admin) {
                    return Ok(Some(cap));
                }
                Ok(rows.member(package.id, user.id)?.map(|member| member.role.min(cap)))
            }
        }
    }

    /// What the caller may do with a package that it may at least read.
    ///
    /// # Errors
    /// As if the package did not exist, if it may not.
    pub(super) fn reader<S: Source>(&self, rows: &Rows<S>, package: &Package) -> Result<Option<Role>, Refusal> {
        let role = self.role(rows, package)?;
        if role.is_none() && package.visibility == Visibility::Private {
            return Err(Refusal::no_package(package.full_name()));
        }
        Ok(role)
    }

    /// Requires a role.
    ///
    /// # Errors
    /// If the caller has less; as if the package did not exist where the caller may not know of it.
    pub(super) fn require<S: Source>(&self, rows: &Rows<S>, package: &Package, needed: Role) -> Result<Role, Refusal> {
        let role = self.reader(rows, package)?;
        match role {
            Some(role) if role >= needed => Ok(role),
            _ => Err(self.lacking(package, role, needed)),
        }
    }

    fn lacking(&self, package: &Package, role: Option<Role>, needed: Role) -> Refusal {
        let name = package.full_name();
        let who = match needed {
            Role::Reader => "its members",
            Role::Maintainer => "its owners and maintainers",
            Role::Owner => "its owners",
        };
        match &self.identity {
            Identity::Anonymous => Refusal::sign_in(),
            Identity::User(signed_in) if signed_in.user.id == package.owner => Refusal::Forbidden(format!(
                "this API token has the scope {}, which is too narrow for this",
                signed_in.scope.as_str()
            )),
            _ => match role {
                Some(role) => Refusal::Forbidden(format!("a {} may not do this with {name}; {who} may", role.as_str())),
                None => Refusal::Forbidden(format!("you may not do this with {name}; {who} may")),
            },
        }
    }
}

/// The package of that name, and what the caller may do with it, which is at least `needed`; nothing is needed to
/// read a public one.
pub(super) fn open_package<S: Source>(
    rows: &Rows<S>,
    caller: &Caller,
    name: &FullName,
    needed: Option<Role>,
) -> Result<(Package, Option<Role>), Refusal> {
    let package = rows.package_by_name(name)?.ok_or_else(|| Refusal::no_package(name))?;
    let role = match needed {
        Some(needed) => Some(caller.require(rows, &package, needed)?),
        None => caller.reader(rows, &package)?,
    };
    Ok((package, role))
}
