//! Choosing the role of a file, and what keeps the roles of a published release as they are.

use super::Registry;
use super::caller::Caller;
use super::files::{FileName, Place};
use super::refusal::Refusal;
use super::views::FileView;
use crate::model::file_role::{archive_of, is_sidecar, role_in};
use crate::model::{AuditAction, FileRole, Release, ReleaseFile};
use crate::store::{Edit, StorageError};

impl Registry {
    /// Chooses the role of a file of a draft, or leaves it to the files' names. Where the file becomes the archive of
    /// its platform, the former archive becomes an attachment.
    ///
    /// # Errors
    /// If the caller may not publish, or the release was active and would have another archive.
    pub async fn set_role(&self, caller: &Caller, name: FileName, role: Option<FileRole>) -> Result<FileView, Refusal> {
        self.edit_file(caller, name, AuditAction::FileRoleSet, move |edit, release, file, now| {
            if file.chosen_role == role {
                return Ok(());
            }
            let mut files = edit.files(release.id)?;
            let former = archive_of(&files, file.platform).map(|archive| archive.id);
            give_role(edit, release, &mut files, file, role)?;
            let archive = archive_of(&files, file.platform);
            if release.is_sealed() && archive.map(|archive| archive.id) != former {
                return Err(sealed_role(release, file, archive.is_some_and(|archive| archive.id == file.id)));
            }
            file.changed = now;
            Ok(())
        })
        .await
    }
}

impl Place {
    /// Refuses a role that the file cannot have because the release was active.
    pub(super) fn check_role(&self, role: Option<FileRole>) -> Result<(), Refusal> {
        let (Some(role), Some(release)) = (role, self.release.as_ref().filter(|release| release.is_sealed())) else {
            return Ok(());
        };
        if let Some(former) = &self.former
            && role_in(&self.files, former) != role
        {
            return Err(sealed_role(release, former, role == FileRole::Archive));
        }
        let archive = self.platform.as_ref().and_then(|platform| archive_of(&self.files, platform.id));
        match archive.filter(|_| role == FileRole::Archive && self.former.is_none()) {
            Some(archive) => Err(Refusal::conflict(format!(
                "{} was published with the archive {} for this platform, which cannot become another; add the file as an \
                 attachment, or publish a new version",
                release.version, archive.display_name
            ))),
            None => Ok(()),
        }
    }
}

/// Gives a file a role, in `files` too, which are those of its release. Of a platform, one file at most is chosen to be
/// the archive.
pub(super) fn give_role(
    edit: &mut Edit<'_, '_>,
    release: &Release,
    files: &mut [ReleaseFile],
    file: &mut ReleaseFile,
    role: Option<FileRole>,
) -> Result<(), StorageError> {
    file.chosen_role = role;
    for other in files.iter_mut().filter(|other| other.platform == file.platform) {
        if other.id == file.id {
            other.chosen_role = role;
        } else if role == Some(FileRole::Archive) && other.chosen_role == role {
            other.chosen_role = None;
            edit.put_file(release, other)?;
        }
    }
    Ok(())
}

/// Makes sure that no attachment of a published release becomes an archive because the archive is deleted.
pub(super) fn keep_attachments(
    edit: &mut Edit<'_, '_>,
    release: &Release,
    deleted: &ReleaseFile,
) -> Result<(), StorageError> {
    let files = edit.files(release.id)?;
    let is_archive = role_in(&files, deleted) == FileRole::Archive;
    if !release.is_sealed() || !is_archive {
        return Ok(());
    }
    for file in files.into_iter().filter(|file| file.platform == deleted.platform && file.id != deleted.id) {
        if file.chosen_role.is_none() && !is_sidecar(&file.display_name) {
            edit.put_file(release, &ReleaseFile { chosen_role: Some(FileRole::Attachment), ..file })?;
        }
    }
    Ok(())
}

fn sealed_role(release: &Release, file: &ReleaseFile, becomes_archive: bool) -> Refusal {
    let (is, not) = if becomes_archive { ("an attachment", "the archive") } else { ("the archive", "an attachment") };
    Refusal::conflict(format!(
        "{} was published with {} as {is} for its platform; it cannot become {not}: publish a new version",
        release.version, file.display_name
    ))
}
