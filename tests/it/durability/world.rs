//! A registry on a simulated disk, driven by operations and compared with a reference.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use packhouse::model::{FullName, Manifest, MimeType, Scope, Sha256, UserName};
use packhouse::service::{
    Caller, Clock, Condition, Create, DownloadSource, FileName, Identity, NewPackage, PutOptions, Refusal, Registry,
    RegistryConfig, ReleaseName, ReleasePatch, RunningBackup, SignedIn, StartError,
};
use packhouse::store::media::{FaultMedia, Media};
use packhouse::store::{BlobOptions, StoreOptions, Survey};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::expected_index;
use super::reference::{FileRef, Op, Reference, Refused, ReleaseRef, USER, content, dump_release, manifest};

/// Volumes of four chunks, so that blobs often run on into the next one.
pub(crate) const VOLUME_CAP_BYTES: u64 = 1 << 20;

/// How long a registry may take to be itself again after a fault ended.
const RECOVERY: Duration = Duration::from_secs(10);

pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap());

/// A registry, its disk, its clock, and the one user as a caller.
pub(crate) struct World {
    pub(crate) media: FaultMedia,
    registry: Arc<Registry>,
    clock: Arc<AtomicI64>,
    caller: Option<Caller>,
}

pub(crate) fn config() -> RegistryConfig {
    let blobs = BlobOptions {
        volume_cap_bytes: VOLUME_CAP_BYTES,
        active_cache_bytes: 1 << 20,
        sealed_cache_bytes: 1 << 20,
        sealed_open_max: 2,
        floor_bytes: 0,
        roll_over_bytes: 512 << 10,
    };
    RegistryConfig {
        file_bytes_max: 64 << 20,
        quota_bytes: None,
        // So few that old entries are forgotten all the time.
        audit_entries_max: 20,
        store: StoreOptions { cache_bytes: 1 << 20, blobs },
        password_rounds: NonZeroU32::new(10),
        ..RegistryConfig::default()
    }
}

impl World {
    /// Opens the registry that is on `media`.
    pub(crate) fn open(media: &FaultMedia) -> Result<Self, StartError> {
        let clock = Arc::new(AtomicI64::new(0));
        let registry = Registry::open_media(Arc::new(media.clone()), config(), Clock::Set(Arc::clone(&clock)))?;
        let mut world = Self { media: media.clone(), registry: Arc::new(registry), clock, caller: None };
        world.find_user();
        Ok(world)
    }

    /// Makes the user that all operations need.
    pub(crate) fn add_user(&mut self) -> Result<(), Refusal> {
        let (name, password) = (USER.parse::<UserName>().unwrap(), "correct horse".parse().unwrap());
        RUNTIME.block_on(self.registry.add_user(name, password, true))?;
        self.find_user();
        Ok(())
    }

    fn find_user(&mut self) {
        let user = self.registry.all_users().ok().and_then(|users| users.into_iter().next());
        self.caller = user.map(|user| Caller {
            identity: Identity::User(Box::new(SignedIn { user, scope: Scope::Admin, session: None, token_name: None })),
            origin: "http://packages.test".into(),
            address: None,
        });
    }

    /// Whether the user is there, with all that a user has.
    pub(crate) fn has_user(&self) -> bool {
        let Some(caller) = &self.caller else { return false };
        assert_eq!(self.registry.channels(caller).unwrap().items.len(), 3);
        assert_eq!(self.registry.platforms(caller).unwrap().items.len(), 7);
        true
    }

    fn caller(&self) -> &Caller {
        self.caller.as_ref().expect("the user is there")
    }

    /// Begins a backup of this moment.
    pub(crate) fn begin_backup(&self, known: BTreeMap<u32, Sha256>) -> Result<RunningBackup, Refusal> {
        RUNTIME.block_on(self.registry.begin_own_backup(known))
    }

    /// Ends the process cleanly.
    pub(crate) fn close(self) {
        self.registry.close();
    }

    /// Does `op` at `now`.
    pub(crate) fn run(&self, op: &Op, now: i64) -> Result<(), Refusal> {
        self.clock.store(now, Ordering::Relaxed);
        RUNTIME.block_on(self.run_async(op))
    }

    async fn run_async(&self, op: &Op) -> Result<(), Refusal> {
        let (registry, caller) = (&self.registry, self.caller());
        let change = |release: &ReleaseRef, patch| {
            registry.change_release(caller, release_name(release), patch, Condition::None)
        };
        match op {
            Op::CreatePackage { package } => {
                let new = NewPackage {
                    name: package.parse().unwrap(),
                    description: format!("# The package {package}\n\nMore about it.").parse().unwrap(),
                    visibility: packhouse::model::Visibility::Public,
                    version_scheme: Default::default(),
                };
                registry.create_package(caller, new).await.map(drop)
            }
            Op::Publish { file, seed, size, active } => {
                let bytes = content(*seed, *size);
                let create = if *active { Create::Active } else { Create::Inactive };
                let options = PutOptions { platform: true, ..PutOptions::creating(create) };
                let (name, mime_type) = (file_name(file), MimeType::octet_stream());
                let mut upload = registry.begin_upload(caller, name, options, mime_type, None, Some(*size as u64))?;
                // Odd pieces, as a network would deliver them.
                for piece in bytes.chunks(70_001) {
                    upload.write(bytes.slice_ref(piece)).await?;
                }
                upload.finish(Some(Sha256::of(&bytes))).await.map(drop)
            }
            Op::Manifest { file, title } => {
                let manifest = Manifest::parse(manifest(title).to_string().as_bytes()).unwrap();
                registry.put_manifest(caller, file_name(file), manifest, Condition::None).await.map(drop)
            }
            Op::Activate { release } => {
                change(release, ReleasePatch { active: Some(true), ..ReleasePatch::default() }).await.map(drop)
            }
            Op::Deactivate { release } => {
                change(release, ReleasePatch { active: Some(false), ..ReleasePatch::default() }).await.map(drop)
            }
            Op::Yank { release } => {
                let reason = Some("broken".parse().unwrap());
                change(release, ReleasePatch { yanked: Some(reason), ..ReleasePatch::default() }).await.map(drop)
            }
            Op::Restore { release } => {
                change(release, ReleasePatch { yanked: Some(None), ..ReleasePatch::default() }).await.map(drop)
            }
            Op::DeleteFile { file } => registry.delete_file(caller, file_name(file), Condition::None).await,
            Op::DeleteRelease { release } => {
                registry.delete_release(caller, release_name(release), Condition::None).await
            }
            Op::DeletePackage { package } => registry.delete_package(caller, full_name(package), Condition::None).await,
            Op::Collect => {
                let registry = Arc::clone(registry);
                tokio::task::spawn_blocking(move || registry.collect()).await.unwrap().map(drop)
            }
        }
    }

    /// Everything that the user can see apart from the bytes of the files, as [`Reference::dump`] has it.
    pub(crate) fn dump(&self) -> Result<Value, Refusal> {
        let (registry, caller) = (&self.registry, self.caller());
        let query = packhouse::service::PackageQuery { limit: 1000, ..Default::default() };
        let mut packages = BTreeMap::new();
        for package in registry.packages(caller, &query)?.items {
            let package = serde_json::to_value(package).unwrap();
            let name = package["name"].as_str().unwrap().to_owned();
            let mut releases = BTreeMap::new();
            for release in registry.releases(caller, &full_name(&name), None, None, 1000)?.items {
                let release = serde_json::to_value(release).unwrap();
                let [channel, version] = ["channel", "version"].map(|field| release[field].as_str().unwrap());
                let (key, dumped) = dump_release(&release, |platform, display_name| {
                    let file_name = FileName {
                        release: ReleaseName {
                            package: full_name(&name),
                            channel: channel.parse().unwrap(),
                            version: version.parse().unwrap(),
                        },
                        platform: platform.parse().unwrap(),
                        display_name: display_name.parse().unwrap(),
                    };
                    match registry.manifest(caller, &file_name) {
                        Ok(manifest) => Ok(Value::Object(manifest.fields().clone())),
                        Err(Refusal::NotFound(_)) => Ok(Value::Null),
                        Err(refusal) => Err(refusal),
                    }
                })?;
                releases.insert(key, dumped);
            }
            packages.insert(name, json!({ "description": package["description"], "releases": releases }));
        }
        Ok(json!(packages))
    }

    /// Waits until the registry answers again after a fault that has ended, and says what it holds.
    pub(crate) fn dump_recovered(&self) -> Value {
        let end = Instant::now() + RECOVERY;
        loop {
            match self.dump() {
                Ok(dump) => return dump,
                Err(refusal) if Instant::now() > end => panic!("it does not recover: {refusal}"),
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// Checks that the index and the bytes of all files are those of `reference`.
    pub(crate) fn check_served(&self, reference: &Reference, when: &str) {
        assert_eq!(expected_index::read(&self.registry), expected_index::render(reference), "{when}");
        RUNTIME.block_on(async {
            let mut seen = HashSet::new();
            for (package, release, file) in all_files(reference) {
                let bytes = file.bytes.as_ref().expect("the bytes are here");
                if !seen.insert(file.sha256) {
                    continue;
                }
                let name = FileName {
                    release: ReleaseName {
                        package: full_name(package),
                        channel: release.0.parse().unwrap(),
                        version: release.1.parse().unwrap(),
                    },
                    platform: file.platform.parse().unwrap(),
                    display_name: file.name.parse().unwrap(),
                };
                let download = self.registry.download(self.caller(), &name).unwrap();
                let DownloadSource::Blob(blob) = download.source else { panic!("{when}: {name:?} is elsewhere") };
                assert_eq!(blob.size_bytes(), file.size, "{when}: {name:?}");
                let chunks: Vec<_> = blob.reader(0..u64::MAX).unwrap().map(Result::unwrap).collect().await;
                assert!(chunks.concat() == *bytes, "{when}: {name:?} has other bytes");
            }
        });
    }

    /// Checks that after a collection exactly the content of `reference` is stored, and no other file is there.
    pub(crate) fn check_stored(&self, reference: &Reference, when: &str) {
        let survey = check_stored(&self.registry, reference, when);
        let names: HashSet<String> = survey.volumes.iter().map(|volume| format!("{:08}.redb", volume.number)).collect();
        let files: HashSet<String> = self.media.list("blobs").unwrap().into_iter().collect();
        assert_eq!(files, names, "{when}");
    }
}

/// Checks that after a collection exactly the content of `reference` is stored: each blob once, with as many references
/// as files, and nothing dead but the lesser half of a sealed volume.
pub(crate) fn check_stored(registry: &Registry, reference: &Reference, when: &str) -> Survey {
    // The second run removes what the first one has moved.
    for _ in 0..2 {
        let collected = registry.collect().unwrap();
        assert_eq!((collected.damaged_chunks, collected.blobs_in_use), (0, 0), "{when}");
    }
    let survey = registry.survey().unwrap();
    let mut expected: BTreeMap<Sha256, (u64, u64)> = BTreeMap::new();
    for file in reference.files().filter(|file| file.bytes.is_some()) {
        expected.entry(file.sha256).or_insert((file.size, 0)).1 += 1;
    }
    let found: BTreeMap<_, _> =
        survey.blobs.iter().map(|blob| (blob.sha256, (blob.size_bytes, blob.references))).collect();
    assert_eq!(found, expected, "{when}");
    assert_eq!(survey.garbage_blobs, 0, "{when}");
    // Small content is in the entity file, or in packs, of which some may be dead.
    let live: u64 = survey.volumes.iter().map(|volume| volume.live_bytes).sum();
    let live = live + survey.row_bytes - survey.dead_packed_bytes;
    assert!(survey.dead_packed_bytes * 4 <= survey.packed_bytes + survey.dead_packed_bytes, "{when}: {survey:?}");
    assert_eq!(live, expected.values().map(|(size, _)| size).sum::<u64>(), "{when}: {survey:?}");
    for volume in &survey.volumes {
        if volume.active {
            assert_eq!(volume.payload_bytes, volume.live_bytes, "{when}: orphans: {survey:?}");
        } else {
            let worth_keeping = volume.live_bytes > 0 && volume.live_bytes >= volume.peak_bytes / 2;
            assert!(worth_keeping, "{when}: volume {} should be gone: {survey:?}", volume.number);
        }
    }
    survey
}

type FileIn<'a> = (&'a str, &'a (String, String), &'a super::reference::File);

fn all_files(reference: &Reference) -> impl Iterator<Item = FileIn<'_>> {
    reference.packages.iter().flat_map(|(name, package)| {
        let releases = package.releases.iter();
        releases.flat_map(move |(key, release)| release.files.iter().map(move |file| (name.as_str(), key, file)))
    })
}

/// Whether the registry answers as the rules have it.
pub(crate) fn is_same_answer(expected: Result<(), Refused>, answer: &Result<(), Refusal>) -> bool {
    matches!(
        (expected, answer),
        (Ok(()), Ok(()))
            | (Err(Refused::NotFound), Err(Refusal::NotFound(_)))
            | (Err(Refused::Conflict), Err(Refusal::Conflict { .. }))
            | (Err(Refused::Invalid), Err(Refusal::Invalid { .. }))
    )
}

fn full_name(package: &str) -> FullName {
    format!("{USER}.{package}").parse().unwrap()
}

fn release_name(release: &ReleaseRef) -> ReleaseName {
    ReleaseName {
        package: full_name(release.package),
        channel: release.channel.parse().unwrap(),
        version: release.version.parse().unwrap(),
    }
}

fn file_name(file: &FileRef) -> FileName {
    FileName {
        release: release_name(&file.release),
        platform: file.platform.parse().unwrap(),
        display_name: file.name.parse().unwrap(),
    }
}
