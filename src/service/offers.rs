//! What a channel of a package offers to each platform, by the rule of the update check.

use serde::Serialize;

use super::Registry;
use super::access::open_package;
use super::caller::Caller;
use super::channels::channel_named;
use super::downloads::offered;
use super::platforms::any_platform;
use super::refusal::Refusal;
use super::updates::default_channel;
use super::views::{FileView, Page, ReleaseViews};
use crate::model::file_role::{archive_for, archive_for_others};
use crate::model::{ChannelName, FullName, PlatformId, PlatformName, Release, ReleaseFile, Timestamp, Version};
use crate::store::StorageError;

/// What a platform is offered.
#[derive(Debug, Serialize)]
pub struct Offer {
    /// None for the platforms that the package has no files for.
    platform: Option<PlatformName>,
    channel: ChannelName,
    version: Version,
    published: Option<Timestamp>,
    file: FileView,
}

impl Registry {
    /// What each platform that the package has files for is offered by a channel, or by the owner's default; and what
    /// all others are. A platform that is offered nothing is left out. This is no update check: nothing is counted.
    ///
    /// # Errors
    /// If there is no such package or channel, as far as the caller may know.
    pub fn offers(
        &self,
        caller: &Caller,
        name: &FullName,
        channel: Option<&ChannelName>,
    ) -> Result<Page<Offer>, Refusal> {
        let rows = self.store.read()?;
        let (package, _) = open_package(&rows, caller, name, None)?;
        let channel = match channel {
            Some(channel) => channel_named(&rows, package.owner, channel)?,
            None => default_channel(&rows, &package)?,
        };
        let views = ReleaseViews::new(&rows, &package, caller)?;
        let any = any_platform(&rows, package.owner)?;
        let newest = |pick: &dyn Fn(&[ReleaseFile]) -> Option<ReleaseFile>| {
            let pick = |release: &Release| Ok(pick(&rows.files(release.id)?));
            Ok::<_, StorageError>(offered(&rows, &package, channel.id, None, 1, pick)?.pop())
        };
        let mut found = Vec::new();
        let mut used: Vec<PlatformId> = Vec::new();
        for platform in views.platforms.iter() {
            if rows.platform_uses(platform.id)?.contains(&package.id) {
                used.push(platform.id);
                let own = newest(&|files| archive_for(files, platform.id, any).cloned())?;
                found.extend(own.map(|own| (Some(platform.name.clone()), own)));
            }
        }
        if any.is_some_and(|any| used.contains(&any)) {
            found.extend(newest(&|files| archive_for_others(files, any).cloned())?.map(|others| (None, others)));
        }
        let offer = |(platform, (release, file)): (Option<PlatformName>, (Release, ReleaseFile))| {
            Ok::<_, StorageError>(Offer {
                platform,
                channel: views.channel_name(&release)?.clone(),
                file: views.file(&rows, &release, &file)?,
                version: release.version,
                published: release.published,
            })
        };
        Ok(Page::whole(found.into_iter().map(offer).collect::<Result<_, StorageError>>()?))
    }
}
