//! Retention rules day by day: a registry whose clock the test sets, and what is left of it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use packhouse::model::{MimeType, RetentionRule, Scope, Timestamp};
use packhouse::service::{
    Caller, ChannelPatch, Clock, Condition, Create, FileName, Identity, NewPackage, PutOptions, Registry,
    RegistryConfig, ReleaseName, ReleasePatch, RetentionQuery, RetentionRun, SignedIn,
};
use packhouse::store::media::FaultMedia;
use serde_json::{Value, json};

use crate::durability::expected_index;

/// The first day, a few hours after rules act.
const BEGIN: &str = "2026-01-01T09:00:00Z";
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A registry, its clock, its disk, and the user `omni`.
struct World {
    registry: Arc<Registry>,
    clock: Arc<AtomicI64>,
    media: FaultMedia,
    caller: Caller,
}

fn open(media: &FaultMedia, now: i64) -> (Arc<Registry>, Arc<AtomicI64>) {
    let config = RegistryConfig { password_rounds: NonZeroU32::new(1), ..RegistryConfig::default() };
    let clock = Arc::new(AtomicI64::new(now));
    let registry = Registry::open_media(Arc::new(media.clone()), config, Clock::Set(Arc::clone(&clock)));
    (Arc::new(registry.unwrap()), clock)
}

impl World {
    async fn new() -> Self {
        let media = FaultMedia::new();
        let registry = open(&media, BEGIN.parse::<Timestamp>().unwrap().as_micros()).0;
        registry.add_user("omni".parse().unwrap(), "correct horse".parse().unwrap(), true).await.unwrap();
        // As the server does when it starts.
        assert_eq!(registry.keep_to_retention().await.unwrap(), None);
        registry.close();
        Self::on(media, BEGIN.parse::<Timestamp>().unwrap().as_micros())
    }

    fn on(media: FaultMedia, now: i64) -> Self {
        let (registry, clock) = open(&media, now);
        let user = registry.all_users().unwrap().remove(0);
        let signed_in = SignedIn { user, scope: Scope::Admin, session: None, token_name: None };
        let caller = Caller { identity: Identity::User(Box::new(signed_in)), origin: "".into(), address: None };
        Self { registry, clock, media, caller }
    }

    fn pass_days(&self, days: i64) {
        self.clock.fetch_add(days * DAY, Ordering::Relaxed);
    }

    async fn package(&self, name: &str) {
        let new = NewPackage {
            name: name.parse().unwrap(),
            description: Default::default(),
            visibility: packhouse::model::Visibility::Public,
            version_scheme: Default::default(),
        };
        self.registry.create_package(&self.caller, new).await.unwrap();
    }

    async fn publish(&self, package: &str, version: &str, platform: &str) {
        let name = FileName {
            release: release(package, version),
            platform: platform.parse().unwrap(),
            display_name: "a.bin".parse().unwrap(),
        };
        let (create, mime_type) = (PutOptions::creating(Create::Active), MimeType::octet_stream());
        let bytes = bytes::Bytes::from(format!("{package} {version} {platform}").repeat(100));
        let mut upload =
            self.registry.begin_upload(&self.caller, name, create, mime_type, None, Some(bytes.len() as u64)).unwrap();
        upload.write(bytes).await.unwrap();
        upload.finish(None).await.unwrap();
    }

    fn download(&self, package: &str, version: &str) {
        let name = FileName {
            release: release(package, version),
            platform: "any".parse().unwrap(),
            display_name: "a.bin".parse().unwrap(),
        };
        self.registry.download(&self.caller, &name).unwrap().counted.count();
    }

    async fn rule(&self, rule: Option<RetentionRule>) {
        let patch = ChannelPatch { retention: Some(rule), ..ChannelPatch::default() };
        self.registry.change_channel(&self.caller, "stable".parse().unwrap(), patch).await.unwrap();
    }

    async fn patch(&self, version: &str, patch: ReleasePatch) {
        self.registry.change_release(&self.caller, release("kit", version), patch, Condition::None).await.unwrap();
    }

    async fn preview(&self) -> Value {
        let query = RetentionQuery { rule: None, cursor: None, limit: 500 };
        let preview = self.registry.preview_retention(&self.caller, &"stable".parse().unwrap(), query).await.unwrap();
        serde_json::to_value(preview).unwrap()
    }

    async fn run(&self) -> Option<RetentionRun> {
        self.registry.keep_to_retention().await.unwrap()
    }

    fn versions(&self, package: &str) -> Vec<String> {
        let package = format!("omni.{package}").parse().unwrap();
        let page = self.registry.releases(&self.caller, &package, None, None, 1000).unwrap();
        let items = serde_json::to_value(page.items).unwrap();
        items.as_array().unwrap().iter().map(|item| item["version"].as_str().unwrap().to_owned()).collect()
    }
}

fn release(package: &str, version: &str) -> ReleaseName {
    ReleaseName {
        package: format!("omni.{package}").parse().unwrap(),
        channel: "stable".parse().unwrap(),
        version: version.parse().unwrap(),
    }
}

fn newest(number: i64) -> Option<RetentionRule> {
    Some(RetentionRule::new(Some(number), None, None).unwrap())
}

#[tokio::test]
async fn what_was_previewed_goes_in_the_night_and_is_told() {
    let world = World::new().await;
    world.package("kit").await;
    for minor in 0..50 {
        world.publish("kit", &format!("1.{minor}.0"), "any").await;
    }
    world.publish("kit", "0.9.0", "linux-x64").await;
    world.patch("1.5.0", ReleasePatch { active: Some(false), ..ReleasePatch::default() }).await;
    world.rule(newest(3)).await;
    let preview = world.preview().await;
    assert_eq!(preview["acts_at"], "2026-01-02T03:00:00Z");
    assert_eq!(preview["totals"]["releases"], 46);
    assert_eq!(world.run().await, None, "it is not night yet");
    world.pass_days(1);
    let size = preview["totals"]["size"].as_u64().unwrap();
    let expected = RetentionRun { channels: 1, packages: 1, releases: 46, bytes: size, waits: 0 };
    assert_eq!(world.run().await, Some(expected));
    assert_eq!(world.versions("kit"), ["1.49.0", "1.48.0", "1.47.0", "1.5.0", "0.9.0"]);
    assert_eq!(world.run().await, None, "once a day");
    let audit = world.registry.package_audit(&world.caller, &"omni.kit".parse().unwrap(), None, 46).unwrap();
    let audit = serde_json::to_value(audit.items).unwrap();
    for entry in audit.as_array().unwrap() {
        assert_eq!((&entry["actor_kind"], &entry["action"]), (&json!("server"), &json!("release_deleted")));
        assert_eq!(entry["detail"], "by the channel's rule: not among the 3 newest");
    }
    let mut told: Vec<_> = audit.as_array().unwrap().iter().map(|entry| entry["subject"].as_str().unwrap()).collect();
    told.sort_unstable();
    let mut foretold: Vec<_> = preview["items"].as_array().unwrap().iter().collect();
    foretold.sort_by_key(|item| item["version"].as_str().unwrap());
    let mut foretold: Vec<String> =
        foretold.iter().map(|item| format!("stable/{}", item["version"].as_str().unwrap())).collect();
    foretold.sort_unstable();
    assert_eq!(told, foretold);
    // The index has followed, and the space is returned.
    let lines = expected_index::read(&world.registry)[""].packages["omni.kit"].clone();
    let ids: Vec<_> = lines.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(ids, ["0.9.0+linux-x64", "1.47.0", "1.48.0", "1.49.0"]);
    world.registry.collect().unwrap();
    let storage = serde_json::to_value(world.registry.storage(&world.caller).await.unwrap()).unwrap();
    assert_eq!(storage["blobs"], 5);
}

#[tokio::test]
async fn downloads_keep_releases_from_when_enough_days_are_known() {
    let world = World::new().await;
    world.package("kit").await;
    for version in ["1.0.0", "2.0.0", "3.0.0", "4.0.0"] {
        world.publish("kit", version, "any").await;
    }
    world.rule(Some(RetentionRule::new(None, None, Some(10)).unwrap())).await;
    for day in 1..=10 {
        world.pass_days(1);
        if day == 5 {
            world.download("kit", "2.0.0");
        }
        assert_eq!(world.run().await.unwrap().releases, 0, "day {day}");
    }
    assert_eq!(world.preview().await["downloads_count_from"], "2026-01-12");
    // Counted, but not written yet.
    world.download("kit", "1.0.0");
    world.pass_days(1);
    assert_eq!(world.run().await.unwrap().releases, 1);
    assert_eq!(world.versions("kit"), ["4.0.0", "2.0.0", "1.0.0"]);
    for _ in 0..4 {
        world.pass_days(1);
        assert_eq!(world.run().await.unwrap().releases, 0);
    }
    world.pass_days(1);
    let preview = world.preview().await;
    assert_eq!(
        (&preview["items"][0]["last_download"], &preview["items"][0]["version"]),
        (&json!("2026-01-06"), &json!("2.0.0"))
    );
    assert_eq!(world.run().await.unwrap().releases, 1);
    assert_eq!(world.versions("kit"), ["4.0.0", "1.0.0"]);
}

#[tokio::test]
async fn a_rule_that_changes_has_its_own_time() {
    let world = World::new().await;
    world.package("kit").await;
    for version in ["1.0.0", "2.0.0", "3.0.0"] {
        world.publish("kit", version, "any").await;
    }
    world.rule(newest(2)).await;
    // Half an hour before the night of the day after, it is changed; saying the same again is no change.
    world.clock.store("2026-01-02T02:30:00Z".parse::<Timestamp>().unwrap().as_micros(), Ordering::Relaxed);
    world.rule(newest(2)).await;
    assert_eq!(world.preview().await["acts_at"], "2026-01-02T03:00:00Z");
    world.rule(newest(1)).await;
    assert_eq!(world.preview().await["acts_at"], "2026-01-03T03:00:00Z");
    world.clock.store("2026-01-02T03:00:00Z".parse::<Timestamp>().unwrap().as_micros(), Ordering::Relaxed);
    assert_eq!(world.run().await, Some(RetentionRun::default()));
    world.pass_days(1);
    assert_eq!(world.run().await.unwrap().releases, 2);
    world.rule(None).await;
    world.publish("kit", "4.0.0", "any").await;
    world.pass_days(1);
    assert_eq!(world.run().await, Some(RetentionRun::default()));
    assert_eq!(world.versions("kit"), ["4.0.0", "3.0.0"]);
}

#[tokio::test]
async fn a_clock_that_leaps_removes_nothing_for_days() {
    let world = World::new().await;
    world.package("kit").await;
    for version in ["1.0.0", "2.0.0", "3.0.0"] {
        world.publish("kit", version, "any").await;
    }
    world.rule(Some(RetentionRule::new(None, Some(30), None).unwrap())).await;
    world.pass_days(1);
    assert_eq!(world.run().await.unwrap().waits, 0);
    let right = world.clock.load(Ordering::Relaxed);
    world.pass_days(3650);
    for waits in [7, 6, 5] {
        assert_eq!(world.run().await, Some(RetentionRun { waits, ..RetentionRun::default() }));
        world.pass_days(1);
    }
    // It is set right, and the days begin anew.
    world.clock.store(right + DAY, Ordering::Relaxed);
    assert_eq!(world.run().await, None);
    for waits in [6, 5, 4, 3, 2, 1] {
        world.pass_days(1);
        assert_eq!(world.run().await, Some(RetentionRun { waits, ..RetentionRun::default() }));
    }
    world.pass_days(1);
    assert_eq!(world.run().await, Some(RetentionRun { channels: 1, ..RetentionRun::default() }));
    assert_eq!(world.versions("kit").len(), 3);
}

/// Power fails at any sync of a night: what was removed is, the rest goes the next time, the newest are there at every
/// moment, and each removal is told once.
#[tokio::test]
async fn a_run_that_is_cut_off_is_taken_up() {
    let world = World::new().await;
    world.package("kit").await;
    for minor in 10..60 {
        world.publish("kit", &format!("1.{minor}.0"), "any").await;
    }
    world.rule(newest(3)).await;
    world.pass_days(1);
    let now = world.clock.load(Ordering::Relaxed);
    world.registry.close();
    let night = world.media.crash_image();
    let mut cut_off = 0;
    for syncs in 0.. {
        let media = night.crash_image();
        let world = World::on(media.clone(), now);
        media.freeze_after(syncs);
        world.run().await;
        let was_cut_off = media.is_frozen();
        world.registry.close();
        let world = World::on(media.crash_image(), now);
        let left = world.versions("kit");
        assert_eq!(left[..3], ["1.59.0", "1.58.0", "1.57.0"], "{syncs}");
        cut_off += u32::from((4..50).contains(&left.len()));
        let run = world.run().await;
        assert_eq!(run.map_or(0, |run| run.releases) as usize, left.len() - 3, "{syncs}");
        assert_eq!(world.versions("kit").len(), 3);
        expected_index::read(&world.registry);
        let audit = world.registry.package_audit(&world.caller, &"omni.kit".parse().unwrap(), None, 1000).unwrap();
        let audit = serde_json::to_value(audit.items).unwrap();
        let told = audit.as_array().unwrap().iter().filter(|entry| entry["action"] == "release_deleted");
        assert_eq!(told.count(), 47, "{syncs}");
        world.registry.close();
        if !was_cut_off {
            break;
        }
    }
    assert!(cut_off > 1, "some nights were cut off in their middle");
}
