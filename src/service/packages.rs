//! Packages: making, changing and deleting them, and their tokens.

use super::Registry;
use super::access::open_package;
use super::caller::Caller;
use super::condition::{Condition, package_mark};
use super::deed::{About, Deed};
use super::random::new_token;
use super::refusal::Refusal;
use super::views::{PackageView, package_view};
use crate::model::{
    AuditAction, FullName, Markdown, Package, PackageKey, PackageName, Role, Scope, TokenKind, TokenSecret, User,
    VersionScheme, Visibility,
};
use crate::store::Edit;

/// A package to make.
#[derive(Debug, Clone)]
pub struct NewPackage {
    /// Its name in the caller's namespace.
    pub name: PackageName,
    /// What it is.
    pub description: Markdown,
    /// Who may read it.
    pub visibility: Visibility,
    /// How its versions are read.
    pub version_scheme: VersionScheme,
}

/// What of a package is to change.
#[derive(Debug, Clone, Default)]
pub struct PackagePatch {
    /// What it is.
    pub description: Option<Markdown>,
    /// Who may read it.
    pub visibility: Option<Visibility>,
    /// How its versions are read. Another scheme orders all releases anew.
    pub version_scheme: Option<VersionScheme>,
}

impl Registry {
    /// Makes a package in the caller's namespace.
    ///
    /// # Errors
    /// If the name is taken.
    pub async fn create_package(&self, caller: &Caller, new: NewPackage) -> Result<PackageView, Refusal> {
        let owner = caller.user(Scope::Publish)?.clone();
        let access_token = new_token(TokenKind::Access)?;
        let deed = self.deed(caller);
        self.store
            .write(move |edit| {
                let package = add_package(edit, &deed, &owner, &new, &access_token)?;
                package_view(edit, &deed.caller, &package.full_name())
            })
            .await
    }

    /// One package.
    ///
    /// # Errors
    /// If there is none of that name that the caller may read.
    pub fn package(&self, caller: &Caller, name: &FullName) -> Result<PackageView, Refusal> {
        package_view(&self.store.read()?, caller, name)
    }

    /// Changes a package.
    ///
    /// # Errors
    /// If the caller does not own it.
    pub async fn change_package(
        &self,
        caller: &Caller,
        name: FullName,
        patch: PackagePatch,
        condition: Condition,
    ) -> Result<PackageView, Refusal> {
        let deed = self.deed(caller);
        self.store
            .write(move |edit| {
                let (former, _) = open_package(edit, &deed.caller, &name, Some(Role::Owner))?;
                condition.check(edit, &former, None, Some(&package_mark(&former)))?;
                let mut package = former.clone();
                if let Some(description) = &patch.description {
                    package.description = description.clone();
                }
                package.visibility = patch.visibility.unwrap_or(package.visibility);
                package.version_scheme = patch.version_scheme.unwrap_or(package.version_scheme);
                edit.touch_package(&package, deed.now)?;
                if package.version_scheme != former.version_scheme {
                    edit.read_versions_anew(&package)?;
                }
                if package != former {
                    let about = About::package(&package).detail(changes(&former, &package));
                    deed.note(edit, AuditAction::PackageChanged, about)?;
                }
                package_view(edit, &deed.caller, &name)
            })
            .await
    }

    /// Deletes a package with all its releases.
    ///
    /// # Errors
    /// If the caller does not own it.
    pub async fn delete_package(&self, caller: &Caller, name: FullName, condition: Condition) -> Result<(), Refusal> {
        let deed = self.deed(caller);
        let deleted = self.store.write(move |edit| {
            let (package, _) = open_package(edit, &deed.caller, &name, Some(Role::Owner))?;
            condition.check(edit, &package, None, Some(&package_mark(&package)))?;
            edit.delete_package(&package)?;
            Ok::<(), Refusal>(deed.note(edit, AuditAction::PackageDeleted, About::package(&package))?)
        });
        deleted.await?;
        self.collect_soon();
        Ok(())
    }

    /// Replaces the access or private token of a package; the old one stops at once. A private token is shown only
    /// in this answer.
    ///
    /// # Errors
    /// If the caller does not own the package.
    pub async fn replace_package_token(
        &self,
        caller: &Caller,
        name: FullName,
        kind: TokenKind,
    ) -> Result<String, Refusal> {
        let deed = self.deed(caller);
        let token = new_token(kind)?;
        let secret = token.reveal().to_owned();
        self.store
            .write(move |edit| {
                let (mut package, _) = open_package(edit, &deed.caller, &name, Some(Role::Owner))?;
                let action = match kind {
                    TokenKind::Access => {
                        package.access_token = token.clone();
                        AuditAction::AccessTokenReplaced
                    }
                    TokenKind::Private => {
                        package.private_token = Some(token.digest());
                        AuditAction::PrivateTokenReplaced
                    }
                    TokenKind::Api => {
                        return Err(Refusal::NotFound("a package has access and private tokens".to_owned()));
                    }
                };
                edit.touch_package(&package, deed.now)?;
                Ok(deed.note(edit, action, About::package(&package))?)
            })
            .await?;
        Ok(secret)
    }
}

/// What changed about a package, in words.
fn changes(former: &Package, package: &Package) -> String {
    let described = (former.description != package.description).then_some("description");
    let shown = (former.visibility != package.visibility).then_some(package.visibility.as_str());
    let read = (former.version_scheme != package.version_scheme).then_some(package.version_scheme.as_str());
    described.into_iter().chain(shown).chain(read).collect::<Vec<_>>().join(", ")
}

/// Makes a package of a user's.
pub(super) fn add_package(
    edit: &mut Edit<'_, '_>,
    deed: &Deed,
    owner: &User,
    new: &NewPackage,
    access_token: &TokenSecret,
) -> Result<Package, Refusal> {
    let full_name = FullName::new(&owner.name, &new.name);
    if let Some(taken) = edit.package_by_folded_name(&full_name)? {
        return Err(Refusal::taken("name", format!("the name {} is taken", taken.full_name())));
    }
    let package = Package {
        id: PackageKey(edit.new_id()?),
        owner: owner.id,
        namespace: owner.name.clone(),
        name: new.name.clone(),
        description: new.description.clone(),
        visibility: new.visibility,
        version_scheme: new.version_scheme,
        access_token: access_token.clone(),
        private_token: None,
        created: deed.now,
        changed: deed.now,
    };
    edit.put_package(&package)?;
    deed.note(edit, AuditAction::PackageCreated, About::package(&package).detail(package.visibility.as_str()))?;
    Ok(package)
}
