//! What waits for somebody who publishes: drafts, releases whose time is set, uploads that are not finished.

use serde::Serialize;

use super::Registry;
use super::caller::{Caller, Identity};
use super::refusal::Refusal;
use super::resumable::UploadView;
use crate::model::{ChannelName, FullName, Package, Role, Scope, Timestamp, Version};
use crate::store::{Rows, Source};

/// Packages that are looked at, the caller's own first.
const PACKAGES_MAX: usize = 1000;
/// Releases of each kind that are told, those that changed last first.
const RELEASES_MAX: usize = 100;

/// What waits.
#[derive(Debug, Serialize)]
pub struct AttentionView {
    drafts: Vec<WaitingRelease>,
    scheduled: Vec<WaitingRelease>,
    uploads: Vec<UploadView>,
}

/// A release that nobody sees yet.
#[derive(Debug, Serialize)]
struct WaitingRelease {
    package: FullName,
    channel: ChannelName,
    version: Version,
    changed: Timestamp,
    files: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_at: Option<Timestamp>,
}

impl Registry {
    /// What waits for the caller. Blocks for some milliseconds per thousand releases.
    ///
    /// # Errors
    /// If the caller may not publish anything.
    pub fn attention(&self, caller: &Caller) -> Result<AttentionView, Refusal> {
        let uploads = self.unfinished_uploads(caller)?;
        let rows = self.store.read()?;
        let (mut drafts, mut scheduled) = (Vec::new(), Vec::new());
        for package in publishable(&rows, caller)? {
            let channels = rows.channels(package.owner)?;
            for release in rows.releases_of(package.id)? {
                if release.active || (release.published.is_some() && release.publish_at.is_none()) {
                    continue;
                }
                let Some(channel) = channels.iter().find(|channel| channel.id == release.channel) else { continue };
                let list = if release.publish_at.is_some() { &mut scheduled } else { &mut drafts };
                list.push((
                    release.id,
                    WaitingRelease {
                        package: package.full_name(),
                        channel: channel.name.clone(),
                        version: release.version,
                        changed: release.changed,
                        files: 0,
                        publish_at: release.publish_at,
                    },
                ));
            }
        }
        drafts.sort_by_key(|(_, release)| std::cmp::Reverse(release.changed));
        scheduled.sort_by_key(|(_, release)| release.publish_at);
        let complete = |mut list: Vec<(_, WaitingRelease)>| {
            list.truncate(RELEASES_MAX);
            let with_files = list
                .into_iter()
                .map(|(id, release)| Ok::<_, Refusal>(WaitingRelease { files: rows.files(id)?.len(), ..release }));
            with_files.collect::<Result<Vec<_>, _>>()
        };
        Ok(AttentionView { drafts: complete(drafts)?, scheduled: complete(scheduled)?, uploads })
    }
}

/// The packages that the caller may publish to, as an owner or a member.
fn publishable<S: Source>(rows: &Rows<S>, caller: &Caller) -> Result<Vec<Package>, Refusal> {
    let keys = match &caller.identity {
        Identity::Private(package) => vec![*package],
        _ => {
            let user = caller.user(Scope::Publish)?;
            let mut keys = rows.packages_of(&user.name)?;
            keys.extend(rows.memberships(user.id)?);
            keys
        }
    };
    let mut packages = Vec::new();
    for key in keys.into_iter().take(PACKAGES_MAX) {
        if let Some(package) = rows.package(key)?
            && caller.role(rows, &package)? >= Some(Role::Maintainer)
        {
            packages.push(package);
        }
    }
    Ok(packages)
}
