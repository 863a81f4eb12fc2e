//! Keeps to the retention rules: once a day, removes what no condition keeps, as an owner's deletion would.
//!
//! Everything is found by reading, and judged again in the commit that removes it, some releases at a time: a publish
//! never waits for more than one such batch. A run that is cut off is begun again, and finds what is left.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Registry;
use super::deed::{About, Deed};
use super::refusal::Refusal;
use super::retention::{Judged, Turn, acts, turn};
use crate::model::{AuditAction, Channel, PackageKey, ReleaseId, RetentionMoment};
use crate::store::{Edit, RetentionMarks, StorageError};

/// How long after its start the server lets rules rest: a clock may be wrong then, and who restored a backup may want to
/// change a rule.
const AFTER_START: Duration = Duration::from_secs(10 * 60);
/// How often it is looked whether it is time, so that a clock that was set is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The shortest time between two runs, by a clock that nobody can set.
const BETWEEN_RUNS: Duration = Duration::from_secs(12 * 60 * 60);
/// How soon a run is begun again that failed.
const RETRY: Duration = Duration::from_secs(15 * 60);
/// Most releases that are removed in one commit.
const REMOVED_AT_ONCE_MAX: usize = 10;
/// Files of these, beyond which no further release is removed in the same commit.
const FILES_AT_ONCE: usize = 50;
/// Most releases of a package that are found before they are removed.
const FOUND_AT_ONCE_MAX: usize = 5_000;
/// Packages that are looked at in one go.
const PACKAGES_AT_ONCE: usize = 200;

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionRun {
    /// Channels with a rule that acts.
    pub channels: u64,
    /// Packages that lost releases.
    pub packages: u64,
    /// Releases that were removed.
    pub releases: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// On how many days rules are to wait, if the clock leapt; then nothing was removed.
    pub waits: u32,
}

/// Keeps to the rules for ever.
pub(super) async fn keep(registry: Arc<Registry>) {
    // Downloads are known from the beginning on, not only when rules first act.
    while let Err(error) = registry.begin_retention().await {
        tracing::error!(%error, "retention rules could not be begun; trying again");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    tokio::time::sleep(AFTER_START).await;
    loop {
        let begun = Instant::now();
        let wait = match registry.keep_to_retention().await {
            Ok(None) => LOOK_EVERY,
            Ok(Some(run)) => {
                let RetentionRun { channels, packages, releases, bytes, waits } = run;
                let took_ms = begun.elapsed().as_millis();
                if waits > 0 {
                    tracing::warn!(waits, "the clock leapt, or the server was off for days: retention rules wait");
                } else {
                    tracing::info!(channels, packages, releases, bytes, took_ms, "retention rules were kept");
                }
                BETWEEN_RUNS
            }
            Err(error) => {
                tracing::error!(%error, "retention rules could not be kept; trying again");
                RETRY
            }
        };
        tokio::time::sleep(wait).await;
    }
}

impl Registry {
    /// Begins to count days and downloads, if that was not begun.
    async fn begin_retention(&self) -> Result<(), Refusal> {
        let rows = self.store.read()?;
        if rows.retention_marks()?.is_some() {
            return Ok(());
        }
        let now = self.clock.now();
        // Should the clock be behind what is here, downloads since then are not known.
        let known_after = rows.last_change()?.map_or(now, |changed| changed.max(now)).day();
        self.store
            .write(move |edit| {
                edit.know_downloads_after(known_after)?;
                Ok::<(), Refusal>(edit.set_retention_marks(RetentionMarks { run: now, waits: 0 })?)
            })
            .await
    }

    /// Does what retention rules ask for, if it is time. The server does it by itself.
    ///
    /// # Errors
    /// If the store fails; what was removed is, and the rest is removed by another call.
    pub async fn keep_to_retention(self: &Arc<Self>) -> Result<Option<RetentionRun>, Refusal> {
        self.begin_retention().await?;
        let now = self.clock.now();
        let rows = self.store.read()?;
        let Some(marks) = rows.retention_marks()? else { return Ok(None) };
        let (waits, was_set_back) = match turn(marks, now) {
            Turn::NotYet => return Ok(None),
            Turn::Due { waits } => (waits, false),
            Turn::SetBack { waits } => (waits, true),
        };
        let mut run = RetentionRun { waits, ..RetentionRun::default() };
        if waits == 0 {
            // What was downloaded a moment ago counts.
            let registry = Arc::clone(self);
            let written = tokio::task::spawn_blocking(move || registry.write_statistics()).await;
            written.map_err(|_| Refusal::Unavailable("the server is stopping".to_owned()))??;
            let known_after = self.store.read()?.downloads_known_after()?;
            // One of the future was noted while the clock was wrong; now it is trusted.
            let known_after = known_after.unwrap_or(now.day()).min(now.day());
            let moment = RetentionMoment { at: now, downloads_since: Some(known_after) };
            for channel in rows.channels_with_retention()? {
                if channel.retention.is_some_and(|retention| acts(retention.since, now)) {
                    run.channels += 1;
                    let kept = self.keep_to_rule_of(&channel, moment, &mut run).await;
                    // Also of a run that fails, so that its space is returned.
                    if run.releases > 0 {
                        self.collect_soon();
                    }
                    kept?;
                }
            }
        }
        self.store
            .write(move |edit| Ok::<(), Refusal>(edit.set_retention_marks(RetentionMarks { run: now, waits })?))
            .await?;
        // Set back, the clock may be right now, and the night may come as foretold.
        Ok((!was_set_back).then_some(run))
    }

    async fn keep_to_rule_of(
        self: &Arc<Self>,
        channel: &Channel,
        moment: RetentionMoment,
        run: &mut RetentionRun,
    ) -> Result<(), Refusal> {
        let packages = {
            let rows = self.store.read()?;
            let owner = rows.user(channel.owner)?;
            let owner = owner.ok_or_else(|| StorageError::damaged("channel", "its owner is gone"))?;
            rows.packages_of(&owner.name)?
        };
        for some in packages.chunks(PACKAGES_AT_ONCE) {
            loop {
                let found = self.find_doomed(some.to_vec(), channel, moment).await?;
                let mut removed = 0;
                for (package, releases) in &found {
                    let of_package = self.remove_doomed(*package, releases, channel, moment, run).await?;
                    run.packages += u64::from(of_package > 0);
                    removed += of_package;
                }
                // Of a package with very many, the rest is found when these are gone.
                if removed == 0 || found.iter().all(|(_, releases)| releases.len() < FOUND_AT_ONCE_MAX) {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn find_doomed(
        self: &Arc<Self>,
        packages: Vec<PackageKey>,
        channel: &Channel,
        moment: RetentionMoment,
    ) -> Result<Vec<(PackageKey, Vec<ReleaseId>)>, Refusal> {
        let registry = Arc::clone(self);
        let (id, retention) = (channel.id, channel.retention);
        let look = move || {
            let mut found = Vec::new();
            let Some(rule) = retention.map(|retention| retention.rule) else { return Ok(found) };
            let rows = registry.store.read()?;
            for package in packages {
                let judged = Judged { package, channel: id, rule, moment };
                let mut of_package = Vec::new();
                judged.each_doomed(&rows, |doomed| {
                    of_package.push(doomed.release.id);
                    let is_full = of_package.len() == FOUND_AT_ONCE_MAX;
                    if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })?;
                if !of_package.is_empty() {
                    found.push((package, of_package));
                }
            }
            Ok::<_, StorageError>(found)
        };
        let looked = tokio::task::spawn_blocking(look).await;
        Ok(looked.map_err(|_| Refusal::Unavailable("the server is stopping".to_owned()))??)
    }

    /// Removes releases of a package; answers how many.
    async fn remove_doomed(
        self: &Arc<Self>,
        package: PackageKey,
        releases: &[ReleaseId],
        channel: &Channel,
        moment: RetentionMoment,
        run: &mut RetentionRun,
    ) -> Result<u64, Refusal> {
        let mut removed = 0;
        let mut left = releases;
        while !left.is_empty() {
            let begun = Instant::now();
            let deed = self.own_deed();
            let batch: Arc<[ReleaseId]> = left.iter().take(REMOVED_AT_ONCE_MAX).copied().collect();
            let channel = channel.clone();
            let job = move |edit: &mut Edit<'_, '_>| remove(edit, &deed, package, &channel, moment, &batch);
            let done = self.store.write(job).await?;
            left = &left[done.looked_at.clamp(1, left.len())..];
            removed += done.releases;
            run.releases += done.releases;
            run.bytes += done.bytes;
            self.retention.removed.fetch_add(done.releases, Ordering::Relaxed);
            self.retention.removed_bytes.fetch_add(done.bytes, Ordering::Relaxed);
            // Half of the time is for others.
            tokio::time::sleep(begun.elapsed()).await;
        }
        Ok(removed)
    }
}

/// What one commit did.
#[derive(Debug, Default)]
struct Removed {
    /// So many of the batch, from its beginning.
    looked_at: usize,
    releases: u64,
    bytes: u64,
}

/// Removes what of a batch is still to go.
fn remove(
    edit: &mut Edit<'_, '_>,
    deed: &Deed,
    package: PackageKey,
    channel: &Channel,
    moment: RetentionMoment,
    batch: &[ReleaseId],
) -> Result<Removed, Refusal> {
    let all = Removed { looked_at: batch.len(), ..Removed::default() };
    let Some(package) = edit.package(package)? else { return Ok(all) };
    // A rule that was changed meanwhile has its own time to act.
    let present = edit.channels(channel.owner)?.iter().find(|present| present.id == channel.id).cloned();
    let Some(present) = present.filter(|present| present.retention == channel.retention) else { return Ok(all) };
    let Some(retention) = present.retention else { return Ok(all) };
    let mut looked_at = 0;
    let mut files = 0;
    for id in batch {
        looked_at += 1;
        files += edit.files(*id)?.len();
        if files >= FILES_AT_ONCE {
            break;
        }
    }
    let mut done = Removed { looked_at, ..Removed::default() };
    let judged = Judged { package: package.id, channel: channel.id, rule: retention.rule, moment };
    for doomed in judged.still_doomed(edit, &batch[..looked_at])? {
        let name = format!("{}/{}", present.name, doomed.release.version);
        tracing::debug!(package = %package.full_name(), release = name, why = %doomed.why, "a release is removed");
        edit.delete_release(&doomed.release)?;
        let about = About::thing(name).of(&package).detail(format_args!("by the channel's rule: {}", doomed.why));
        deed.note(edit, AuditAction::ReleaseDeleted, about)?;
        done.releases += 1;
        done.bytes += doomed.size_bytes();
    }
    if done.releases > 0 {
        edit.touch_package(&package, deed.now)?;
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::atomic::AtomicI64;

    use super::*;
    use crate::model::{ChannelName, RetentionRule, Scope, Visibility};
    use crate::service::{
        Caller, ChannelPatch, Clock, Condition, Create, ExternalArchive, FileName, Identity, NewPackage, PutOptions,
        RegistryConfig, ReleaseName, ReleasePatch, SignedIn,
    };
    use crate::store::media::FaultMedia;

    const NOW: i64 = 1_800_000_000_000_000;

    fn release(version: &str) -> ReleaseName {
        ReleaseName {
            package: "omni.kit".parse().unwrap(),
            channel: "stable".parse().unwrap(),
            version: version.parse().unwrap(),
        }
    }

    fn yank() -> ReleasePatch {
        ReleasePatch { yanked: Some(Some("broken".parse().unwrap())), ..ReleasePatch::default() }
    }

    /// What becomes of releases that were found, when `change` comes before the commit that is to remove them: those
    /// that are left, lowest first.
    async fn left_after(change: impl AsyncFnOnce(&Registry, &Caller)) -> Vec<String> {
        let config = RegistryConfig { password_rounds: NonZeroU32::new(1), ..RegistryConfig::default() };
        let clock = Clock::Set(Arc::new(AtomicI64::new(NOW)));
        let registry = Arc::new(Registry::open_media(Arc::new(FaultMedia::new()), config, clock).unwrap());
        let user = registry.add_user("omni".parse().unwrap(), "correct horse".parse().unwrap(), true).await.unwrap();
        let signed_in = SignedIn { user, scope: Scope::Admin, session: None, token_name: None };
        let caller = Caller { identity: Identity::User(Box::new(signed_in)), origin: "".into(), address: None };
        let new = NewPackage {
            name: "kit".parse().unwrap(),
            description: Default::default(),
            visibility: Visibility::Public,
            version_scheme: Default::default(),
        };
        registry.create_package(&caller, new).await.unwrap();
        for (version, platform) in [("1", "any"), ("2", "any"), ("3", "linux-x64"), ("4", "any"), ("5", "linux-x64")] {
            let file = FileName {
                release: release(version),
                platform: platform.parse().unwrap(),
                display_name: "a.zip".parse().unwrap(),
            };
            let url = "https://archives.test/a.zip".parse().unwrap();
            let archive = ExternalArchive { url, size: 1, sha256: crate::model::Sha256::of(b"a"), role: None };
            registry.put_external(&caller, file, PutOptions::creating(Create::Active), archive).await.unwrap();
        }
        let rule = RetentionRule::new(Some(1), None, None).unwrap();
        let patch = ChannelPatch { retention: Some(Some(rule)), ..ChannelPatch::default() };
        let stable: ChannelName = "stable".parse().unwrap();
        registry.change_channel(&caller, stable.clone(), patch).await.unwrap();
        let rows = registry.store.read().unwrap();
        let channel = rows.channels_with_retention().unwrap().remove(0);
        let package = rows.package_by_name(&"omni.kit".parse().unwrap()).unwrap().unwrap().id;
        let now = registry.clock.now();
        let moment = RetentionMoment { at: now, downloads_since: Some(now.day()) };
        let found = registry.find_doomed(vec![package], &channel, moment).await.unwrap();
        assert_eq!(found[0].1.len(), 3);
        change(&registry, &caller).await;
        let mut run = RetentionRun::default();
        let removed = registry.remove_doomed(package, &found[0].1, &channel, moment, &mut run).await.unwrap();
        assert_eq!(removed, run.releases);
        let rows = registry.store.read().unwrap();
        let mut left = rows.releases(package, channel.id).unwrap();
        left.reverse();
        left.iter().map(|release| release.version.to_string()).collect()
    }

    /// What was found is judged again in the commit: what became the update of somebody meanwhile stays.
    #[tokio::test]
    async fn what_owners_do_meanwhile_counts() {
        assert_eq!(left_after(async |_, _| {}).await, ["4", "5"]);
        let yanked = left_after(async |registry, caller| {
            registry.change_release(caller, release("4"), yank(), Condition::None).await.unwrap();
        });
        assert_eq!(yanked.await, ["2", "4", "5"], "the update of `any` is another now");
    }

    #[tokio::test]
    async fn a_rule_that_changed_meanwhile_removes_nothing() {
        let changed = left_after(async |registry, caller| {
            let patch = ChannelPatch { retention: Some(None), ..ChannelPatch::default() };
            registry.change_channel(caller, "stable".parse().unwrap(), patch).await.unwrap();
        });
        assert_eq!(changed.await, ["1", "2", "3", "4", "5"]);
        let gone = left_after(async |registry, caller| {
            registry.delete_package(caller, "omni.kit".parse().unwrap(), Condition::None).await.unwrap();
        });
        assert!(gone.await.is_empty());
        let withdrawn = left_after(async |registry, caller| {
            let patch = ReleasePatch { active: Some(false), ..ReleasePatch::default() };
            registry.change_release(caller, release("2"), patch, Condition::None).await.unwrap();
        });
        assert_eq!(withdrawn.await, ["2", "4", "5"]);
    }
}
