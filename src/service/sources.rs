//! Packages as the index wants them, read from the store.
//!
//! Owns the memory of those that changed last: who publishes one version of a package is likely to publish another,
//! and then only that is read. Without it, a publish reads and decodes all versions that its package ever had.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::index::{FileSource, LineMemory, PackageSource, ReleaseSource};
use crate::model::{Channel, PackageKey, Platform, Release, ReleaseId, UserId};
use crate::store::{Rows, Source, StorageError};

/// What the remembered packages may take together, in bytes: some thousand versions with small manifests.
const KEPT_BYTES_MAX: usize = 8 << 20;
/// What the one that changed last may take, where it is larger: some ten thousand versions.
const LAST_BYTES_MAX: usize = 64 << 20;

/// What the index has of the packages that a commit touched; none where one is gone.
pub(super) type Changed = Vec<(PackageKey, Option<PackageSource>)>;

/// The packages that changed last, as they were after the last commit that the index followed.
#[derive(Default)]
pub(super) struct Sources {
    kept: HashMap<PackageKey, Kept>,
    /// The same packages by when they changed, the longest ago first.
    by_use: BTreeMap<u64, PackageKey>,
    uses: u64,
    bytes: usize,
}

struct Kept {
    source: PackageSource,
    used: u64,
    bytes: usize,
}

impl Sources {
    /// The packages that a commit changed, as `rows` right after it has them; of each, the releases that are named
    /// are read again. They are forgotten until [`Self::keep`] brings them back.
    ///
    /// # Errors
    /// If the store cannot be read; then everything must be forgotten.
    pub(super) fn take<S: Source>(
        &mut self,
        rows: &Rows<S>,
        changes: &BTreeMap<PackageKey, BTreeSet<ReleaseId>>,
    ) -> Result<Changed, StorageError> {
        let mut owners = Owners::default();
        let take = |(id, changed): (&PackageKey, &BTreeSet<ReleaseId>)| {
            let source = match self.remove(*id) {
                Some(source) => update(rows, &mut owners, source, changed)?,
                None => read_with(rows, &mut owners, *id)?,
            };
            Ok((*id, source))
        };
        changes.iter().map(take).collect()
    }

    /// Remembers packages, and forgets others that changed before them where that is too much.
    pub(super) fn keep(&mut self, changed: Changed) {
        for (id, source) in changed {
            let Some(source) = source else { continue };
            self.remove(id);
            self.uses += 1;
            let (used, bytes) = (self.uses, size_bytes(&source));
            self.bytes += bytes;
            self.kept.insert(id, Kept { source, used, bytes });
            self.by_use.insert(used, id);
        }
        while self.bytes > if self.kept.len() == 1 { LAST_BYTES_MAX } else { KEPT_BYTES_MAX }
            && let Some((_, oldest)) = self.by_use.first_key_value()
        {
            self.remove(*oldest);
        }
    }

    fn remove(&mut self, id: PackageKey) -> Option<PackageSource> {
        let kept = self.kept.remove(&id)?;
        self.by_use.remove(&kept.used);
        self.bytes -= kept.bytes;
        Some(kept.source)
    }
}

/// A package as the index wants it, or nothing where it is gone.
///
/// # Errors
/// If the store cannot be read.
pub(super) fn read<S: Source>(rows: &Rows<S>, id: PackageKey) -> Result<Option<PackageSource>, StorageError> {
    read_with(rows, &mut Owners::default(), id)
}

fn read_with<S: Source>(
    rows: &Rows<S>,
    owners: &mut Owners,
    id: PackageKey,
) -> Result<Option<PackageSource>, StorageError> {
    let Some(package) = rows.package(id)? else { return Ok(None) };
    let releases = rows.releases_of(id)?.into_iter().filter(|release| release.active);
    let releases = releases.map(|release| read_release(rows, release)).collect::<Result<_, _>>()?;
    let (channels, platforms) = owners.get(rows, package.owner)?;
    Ok(Some(PackageSource { package, channels, platforms, releases }))
}

/// The package that `source` was before the releases in `changed`, and perhaps what its owner has, changed.
fn update<S: Source>(
    rows: &Rows<S>,
    owners: &mut Owners,
    source: PackageSource,
    changed: &BTreeSet<ReleaseId>,
) -> Result<Option<PackageSource>, StorageError> {
    let Some(package) = rows.package(source.package.id)? else { return Ok(None) };
    let mut releases = source.releases;
    releases.retain(|known| !changed.contains(&known.release.id));
    for id in changed {
        if let Some(release) = rows.release(*id)?.filter(|release| release.active) {
            releases.push(read_release(rows, release)?);
        }
    }
    // They are in order but for the last ones, and whoever renders them wants them so.
    releases.sort_by(|left, right| left.release.version.cmp(&right.release.version));
    let (channels, platforms) = owners.get(rows, package.owner)?;
    Ok(Some(PackageSource { package, channels, platforms, releases }))
}

fn read_release<S: Source>(rows: &Rows<S>, release: Release) -> Result<ReleaseSource, StorageError> {
    let mut files = Vec::new();
    for file in rows.files(release.id)? {
        let manifest = if file.has_manifest { rows.manifest(file.id)? } else { None };
        files.push(FileSource { file, manifest, line: LineMemory::default() });
    }
    Ok(ReleaseSource { release, files })
}

/// What packages of one owner have in common, read once for all that a commit changed.
#[derive(Default)]
struct Owners(HashMap<UserId, Owned>);

/// All channels and platforms of one owner.
type Owned = (Arc<[Channel]>, Arc<[Platform]>);

impl Owners {
    fn get<S: Source>(&mut self, rows: &Rows<S>, owner: UserId) -> Result<Owned, StorageError> {
        if let Some(known) = self.0.get(&owner) {
            return Ok(known.clone());
        }
        let read: Owned = (rows.channels(owner)?, rows.platforms(owner)?);
        self.0.insert(owner, read.clone());
        Ok(read)
    }
}

/// About how much memory a package takes.
fn size_bytes(source: &PackageSource) -> usize {
    let of_file = |file: &FileSource| {
        let manifest = file.manifest.as_ref().map_or(0, |manifest| map_bytes(manifest.fields()));
        let requirements = &file.file.requirements;
        let texts = requirements.iter().map(|requirement| requirement.name.as_str().len() + 96).sum::<usize>();
        size_of::<FileSource>() + 64 + texts + manifest + file.line.size_bytes()
    };
    let of_release = |release: &ReleaseSource| {
        let notes = release.release.description.as_str().len();
        size_of::<ReleaseSource>() + 64 + notes + release.files.iter().map(of_file).sum::<usize>()
    };
    let description = source.package.description.as_str().len();
    size_of::<PackageSource>() + 128 + description + source.releases.iter().map(of_release).sum::<usize>()
}

fn map_bytes(map: &serde_json::Map<String, Value>) -> usize {
    map.iter().map(|(key, value)| key.len() + 64 + value_bytes(value)).sum()
}

fn value_bytes(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(value_bytes).sum(),
            Value::Object(map) => map_bytes(map),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{
        ChannelId, Content, FileId, FullName, Manifest, MimeType, Package, PlatformId, ReleaseFile, Sha256, Timestamp,
        TokenKind, TokenSecret, User, Visibility,
    };
    use crate::store::media::FaultMedia;
    use crate::store::{Changes, Edit, Follower, IndexEdit, Store, StoreOptions};

    const NOW: i64 = 1_000_000;

    fn package(id: u64, description: &str) -> Package {
        let full_name: FullName = format!("omni.p{id}").parse().unwrap();
        Package {
            id: PackageKey(id),
            owner: UserId(1),
            namespace: full_name.namespace(),
            name: full_name.name(),
            description: description.parse().unwrap(),
            visibility: Visibility::Public,
            version_scheme: Default::default(),
            access_token: TokenSecret::from_random(TokenKind::Access, [id as u8; 32]),
            private_token: None,
            created: Timestamp::from_micros(NOW),
            changed: Timestamp::from_micros(NOW),
        }
    }

    fn release(package: u64, number: u64, active: bool) -> Release {
        let now = Timestamp::from_micros(NOW);
        Release {
            id: ReleaseId(package * 100 + number),
            package: PackageKey(package),
            channel: ChannelId(1),
            version: format!("1.{number}").parse().unwrap(),
            active,
            published: None,
            publish_at: None,
            yanked: None,
            description: "".parse().unwrap(),
            created: now,
            changed: now,
        }
    }

    fn file(release: &Release, has_manifest: bool) -> ReleaseFile {
        ReleaseFile {
            id: FileId(release.id.0),
            release: release.id,
            platform: PlatformId(1),
            display_name: "a.zip".parse().unwrap(),
            size: 1,
            sha256: Sha256::of(b"a"),
            content: Content::External { url: "https://example.org/a.zip".parse().unwrap() },
            mime_type: MimeType::octet_stream(),
            chosen_role: None,
            has_manifest,
            requirements: Vec::new(),
            created: release.created,
            changed: release.changed,
        }
    }

    #[derive(Debug, Clone, Copy)]
    enum Op {
        Describe(u64),
        /// An active release without a file, a draft, or an active release.
        Put(u64, u64, u64),
        Manifest(u64, u64),
        DeleteRelease(u64, u64),
        DeletePackage(u64),
    }

    fn ops() -> impl Strategy<Value = Op> {
        let (package, number) = (1..4_u64, 1..5_u64);
        prop_oneof![
            1 => package.clone().prop_map(Op::Describe),
            6 => (package.clone(), number.clone(), 0..3_u64).prop_map(|(p, n, kind)| Op::Put(p, n, kind)),
            2 => (package.clone(), number.clone()).prop_map(|(p, n)| Op::Manifest(p, n)),
            2 => (package.clone(), number).prop_map(|(p, n)| Op::DeleteRelease(p, n)),
            1 => package.prop_map(Op::DeletePackage),
        ]
    }

    fn run(edit: &mut Edit<'_, '_>, op: Op) -> Result<(), StorageError> {
        let (Op::Describe(id)
        | Op::Put(id, ..)
        | Op::Manifest(id, _)
        | Op::DeleteRelease(id, _)
        | Op::DeletePackage(id)) = op;
        if edit.package(PackageKey(id))?.is_none() {
            edit.put_package(&package(id, ""))?;
        }
        match op {
            Op::Describe(id) => edit.put_package(&package(id, "words")),
            Op::Put(id, number, kind) => {
                let release = release(id, number, kind != 1);
                edit.put_release(&release)?;
                if kind > 0 { edit.put_file(&release, &file(&release, false)) } else { Ok(()) }
            }
            Op::Manifest(id, number) => {
                let release = release(id, number, true);
                edit.put_release(&release)?;
                edit.set_manifest(FileId(release.id.0), Some(&Manifest::parse(br#"{"targets":[1]}"#).unwrap()))?;
                edit.put_file(&release, &file(&release, true))
            }
            Op::DeleteRelease(id, number) => edit.delete_release(&release(id, number, true)),
            Op::DeletePackage(id) => match edit.package(PackageKey(id))? {
                Some(package) => edit.delete_package(&package),
                None => Ok(()),
            },
        }
    }

    /// A store, and what its last commit changed.
    fn store() -> (Store, mpsc::Receiver<Changes>) {
        let (sender, receiver) = mpsc::channel();
        let told = Told(sender);
        let store = Store::open_media(Arc::new(FaultMedia::default()), StoreOptions::default(), told).unwrap();
        (store, receiver)
    }

    /// Passes on what each commit changed.
    struct Told(mpsc::Sender<Changes>);

    impl Follower for Told {
        fn complete(&mut self, _: &mut IndexEdit<'_, '_>, _: &Changes) -> Result<(), StorageError> {
            Ok(())
        }

        fn committed(&mut self, changes: Changes) {
            self.0.send(changes).unwrap();
        }
    }

    fn sorted(source: Option<PackageSource>) -> Option<String> {
        source.map(|mut source| {
            source.releases.sort_by_key(|release| release.release.id);
            format!("{source:?}")
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn what_is_remembered_is_what_would_be_read(
            commits in prop::collection::vec(prop::collection::vec(ops(), 1..4), 1..12),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (store, changes) = store();
            let mut sources = Sources::default();
            for ops in commits {
                while changes.try_recv().is_ok() {}
                let job = move |edit: &mut Edit<'_, '_>| ops.iter().try_for_each(|op| run(edit, *op));
                runtime.block_on(store.write(job)).unwrap();
                let changed = changes.try_iter().last().unwrap().packages;
                let rows = store.read().unwrap();
                let taken = sources.take(&rows, &changed).unwrap();
                for (id, source) in &taken {
                    prop_assert_eq!(sorted(source.clone()), sorted(read(&rows, *id).unwrap()));
                }
                sources.keep(taken);
            }
        }
    }

    /// What a commit does.
    type Job = Box<dyn Fn(&mut Edit<'_, '_>) -> Result<(), StorageError> + Send>;

    /// Every change of a channel used to render all packages of its owner: half a minute for 100,000 of them, in which
    /// no other commit could be made.
    #[test]
    fn only_what_views_show_of_a_channel_is_looked_at() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (store, changes) = store();
        let commit = |job: Job| {
            while changes.try_recv().is_ok() {}
            runtime.block_on(store.write(move |edit| job(edit))).unwrap();
            changes.try_iter().last().map_or(0, |changes| changes.channels.len())
        };
        let now = Timestamp::from_micros(NOW);
        let channel = |id: u64, name: &str, short: &str, includes: &[u64]| Channel {
            id: ChannelId(id),
            owner: UserId(1),
            name: name.parse().unwrap(),
            short: short.parse().unwrap(),
            default: false,
            includes: includes.iter().copied().map(ChannelId).collect(),
            retention: None,
            created: now,
            changed: now,
        };
        let user = User {
            id: UserId(1),
            name: "omni".parse().unwrap(),
            password: None,
            invitation: None,
            quota_bytes: None,
            admin: false,
            disabled: false,
            created: now,
            changed: now,
        };
        let put = |channel: Channel| -> Job { Box::new(move |edit| edit.put_channel(&channel)) };
        commit(Box::new(move |edit| {
            edit.put_user(&user)?;
            edit.put_package(&package(1, ""))
        }));
        assert_eq!(commit(put(channel(1, "stable", "S", &[]))), 0, "nothing is on a new channel");
        assert_eq!(commit(put(channel(2, "beta", "B", &[1]))), 1, "but what it includes");
        assert_eq!(commit(put(channel(2, "beta", "Be", &[1]))), 0, "no view shows the short name");
        assert_eq!(commit(put(channel(2, "preview", "Be", &[1]))), 1);
        assert_eq!(commit(put(channel(2, "preview", "Be", &[]))), 1);
        assert_eq!(commit(Box::new(|edit| edit.delete_channel(UserId(1), ChannelId(2)))), 0);
    }

    #[test]
    fn the_longest_unchanged_are_forgotten_first() {
        let source = |id: u64| PackageSource {
            package: package(id, &"d".repeat(200 << 10)),
            channels: Arc::new([]),
            platforms: Arc::new([]),
            releases: Vec::new(),
        };
        let mut sources = Sources::default();
        sources.keep((0..30).map(|id| (PackageKey(id), Some(source(id)))).collect());
        sources.keep(vec![(PackageKey(0), Some(source(0)))]);
        sources.keep((30..60).map(|id| (PackageKey(id), Some(source(id)))).collect());
        assert!(sources.bytes <= KEPT_BYTES_MAX && sources.bytes > KEPT_BYTES_MAX / 2);
        assert_eq!(sources.bytes, sources.kept.values().map(|kept| kept.bytes).sum::<usize>());
        assert_eq!(sources.by_use.len(), sources.kept.len());
        assert!(sources.kept.contains_key(&PackageKey(0)), "it changed after others");
        assert!(!sources.kept.contains_key(&PackageKey(1)));
        assert!(sources.kept.contains_key(&PackageKey(59)));
    }
}
