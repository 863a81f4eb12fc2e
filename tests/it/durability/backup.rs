//! Backups of a registry that changes while they are read: each is the state of the moment at which it was begun, and
//! what is not whole, or not right, is never restored.

use std::collections::BTreeMap;
use std::sync::Arc;

use packhouse::model::Sha256;
use packhouse::service::{Refusal, RunningBackup};
use packhouse::store::backup::{
    BackupError, BackupFolder, BackupReader, Manifest, Restore, newest_backup, read_folder,
};
use packhouse::store::media::{Fault, FaultMedia, Media};
use proptest::prelude::*;

use super::model::op;
use super::reference::{FileRef, Op, Reference, ReleaseRef, content};
use super::script::{acts, time_of};
use super::world::{RUNTIME, World, is_same_answer};

const ENTITIES: &str = "packhouse.redb";

fn read_to_end(backup: &mut RunningBackup) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = RUNTIME.block_on(backup.next()).unwrap() {
        bytes.extend_from_slice(&piece);
    }
    bytes
}

fn back_up(world: &World) -> Vec<u8> {
    let mut backup = world.begin_backup(BTreeMap::new()).unwrap();
    let len_bytes = backup.len_bytes();
    let bytes = read_to_end(&mut backup);
    assert_eq!(bytes.len() as u64, len_bytes, "its length was known");
    bytes
}

fn restore_onto(media: &FaultMedia, bytes: &[u8]) -> Result<Manifest, BackupError> {
    let mut reader = BackupReader::new(Restore::into_media(Arc::new(media.clone()))?);
    // Odd pieces, as a network would deliver them.
    bytes.chunks(70_001).try_for_each(|piece| reader.take(piece))?;
    let (restore, manifest) = reader.finish()?;
    RUNTIME.block_on(restore.verify(&|_, _| {}))?;
    restore.commit()?;
    Ok(manifest)
}

fn restored(bytes: &[u8]) -> World {
    let media = FaultMedia::new();
    restore_onto(&media, bytes).unwrap();
    // It is as durable as it looks.
    World::open(&media.crash_image()).unwrap()
}

/// Whether a disk holds nothing.
fn is_empty(media: &FaultMedia) -> bool {
    let has = |name| media.exists(name).unwrap();
    media.list("blobs").unwrap().is_empty() && !has(ENTITIES) && !has("packhouse.redb.restore")
}

fn apply(world: &World, reference: &mut Reference, op: &Op, now: i64) {
    let expected = reference.apply(op, now);
    let answer = world.run(op, now);
    assert!(is_same_answer(expected, &answer), "{op:?}: {answer:?}, not {expected:?}");
}

/// A registry after all acts.
fn grown() -> (World, Reference) {
    let mut world = World::open(&FaultMedia::new()).unwrap();
    world.add_user().unwrap();
    let mut reference = Reference::default();
    for (act, ops) in acts().iter().enumerate() {
        for (at, op) in ops.iter().enumerate() {
            apply(&world, &mut reference, op, time_of(act, at));
        }
    }
    (world, reference)
}

fn assert_is(world: &World, reference: &Reference) {
    assert_eq!(world.dump().unwrap(), reference.dump());
    world.check_served(reference, "restored");
    world.check_stored(reference, "restored");
    world.check_served(reference, "restored and collected");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_backup_is_the_moment_of_its_beginning(
        before in prop::collection::vec(op(), 1..25), during in prop::collection::vec(op(), 1..15),
    ) {
        let mut world = World::open(&FaultMedia::new()).unwrap();
        world.add_user().unwrap();
        let mut reference = Reference::default();
        let first = Op::CreatePackage { package: "app" };
        for (at, op) in std::iter::once(&first).chain(&before).enumerate() {
            apply(&world, &mut reference, op, time_of(1, at));
        }
        let moment = reference.clone();
        let mut backup = world.begin_backup(BTreeMap::new()).unwrap();
        let mut bytes = Vec::new();
        for (at, op) in during.iter().enumerate() {
            apply(&world, &mut reference, op, time_of(2, at));
            // Whoever fetches it takes a piece now and then; meanwhile space is to be returned.
            if at % 2 == 0 {
                bytes.extend(RUNTIME.block_on(backup.next()).unwrap().unwrap_or_default());
            }
            apply(&world, &mut reference, &Op::Collect, time_of(3, at));
        }
        bytes.extend(read_to_end(&mut backup));
        drop(backup);
        assert_is(&restored(&bytes), &moment);
        // The server goes on, and returns what it kept for the backup.
        assert_is(&world, &reference);
    }
}

#[test]
fn what_is_restored_goes_on() {
    let (world, mut reference) = grown();
    let world = restored(&back_up(&world));
    let file = FileRef {
        release: ReleaseRef { package: "app", channel: "stable", version: "3.0.0" },
        platform: "any",
        name: "a.zip",
    };
    apply(&world, &mut reference, &Op::Publish { file, seed: 77, size: 1_600_000, active: true }, time_of(9, 1));
    assert_is(&world, &reference);
    assert_is(&restored(&back_up(&world)), &reference);
}

#[test]
fn what_is_cut_off_or_damaged_is_refused_and_leaves_nothing() {
    let (world, _) = grown();
    let bytes = back_up(&world);
    let mut places: Vec<usize> = (0..40).map(|at| bytes.len() / 40 * at + at * 37 % 4096).collect();
    places.extend([
        0,
        1,
        511,
        512,
        513,
        700,
        bytes.len() - 3000,
        bytes.len() - 1025,
        bytes.len() - 1024,
        bytes.len() - 1,
    ]);
    for place in places {
        let media = FaultMedia::new();
        let cut = restore_onto(&media, &bytes[..place]).unwrap_err();
        assert!(matches!(cut, BackupError::Truncated(_) | BackupError::NoBackup(_)), "cut at {place}: {cut}");
        assert!(is_empty(&media), "cut at {place}");
        for bit in [0, 3, 7] {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            let error = restore_onto(&media, &damaged).expect_err("a changed bit is noticed");
            let noticed = matches!(
                error,
                BackupError::Damaged(_)
                    | BackupError::NoBackup(_)
                    | BackupError::Newer { .. }
                    | BackupError::Truncated(_)
            );
            assert!(noticed, "bit {bit} of byte {place}: {error}");
            assert!(is_empty(&media), "bit {bit} of byte {place}");
        }
    }
    let mut longer = bytes;
    longer.extend_from_slice(&[0; 8192]);
    restore_onto(&FaultMedia::new(), &longer).expect("blocks of zeros may follow, as from a tape");
    longer.push(1);
    assert!(matches!(restore_onto(&FaultMedia::new(), &longer), Err(BackupError::Damaged(_))));
    assert!(matches!(restore_onto(&FaultMedia::new(), b"PK"), Err(BackupError::Truncated(_))));
}

#[test]
fn content_that_was_damaged_before_is_found_at_the_restore() {
    let (world, _) = grown();
    let bytes = content(8, 250_000);
    let names: Vec<String> = world.media.list("blobs").unwrap().iter().map(|name| format!("blobs/{name}")).collect();
    let found = names.iter().find_map(|name| {
        let file = world.media.content(name).unwrap();
        Some((name, file.windows(64).rposition(|window| *window == bytes[1000..1064])?))
    });
    let (name, at) = found.expect("the file of the second release of app is there");
    world.media.damage(name, at as u64);
    let media = FaultMedia::new();
    let error = restore_onto(&media, &back_up(&world)).unwrap_err();
    assert!(matches!(error, BackupError::Unsound(_)), "{error}");
    assert!(is_empty(&media));
}

#[test]
fn a_full_disk_stops_a_restore_and_a_backup_and_harms_neither() {
    let (world, reference) = grown();
    let bytes = back_up(&world);
    for writes in [0, 1, 2] {
        let media = FaultMedia::new();
        media.fail_write_after(writes, Fault::DiskFull, true);
        let error = restore_onto(&media, &bytes).unwrap_err();
        assert_eq!(error.to_string(), "the disk is full");
        media.heal();
        assert!(is_empty(&media), "after {writes} writes");
        assert_is(&restored(&bytes), &reference);
    }
    let media = FaultMedia::new();
    media.set_free_bytes(1000);
    assert_eq!(restore_onto(&media, &bytes).unwrap_err().to_string(), "the disk is full");
    assert!(is_empty(&media));

    world.media.set_free_bytes(1000);
    assert!(matches!(world.begin_backup(BTreeMap::new()), Err(Refusal::DiskFull)));
    world.media.set_free_bytes(1 << 40);
    for writes in [0, 1, 2, 5] {
        world.media.fail_write_after(writes, Fault::DiskFull, true);
        assert!(matches!(world.begin_backup(BTreeMap::new()), Err(Refusal::DiskFull)), "after {writes} writes");
        world.media.heal();
        assert_eq!(world.dump_recovered(), reference.dump());
    }
    assert_is(&restored(&back_up(&world)), &reference);
    assert!(world.media.list("").unwrap().iter().all(|name| !name.contains("backup")));
}

#[test]
fn an_interrupted_restore_is_no_data_directory_and_can_be_begun_again() {
    let (world, reference) = grown();
    let bytes = back_up(&world);
    let media = FaultMedia::new();
    let mut reader = BackupReader::new(Restore::into_media(Arc::new(media.clone())).unwrap());
    reader.take(&bytes[..bytes.len() - 2000]).unwrap();
    // As a kill leaves it: nobody cleans up.
    std::mem::forget(reader);
    let Err(error) = World::open(&media) else { panic!("half a directory was opened") };
    assert!(error.to_string().contains("run `packhouse restore` again"), "{error}");
    restore_onto(&media, &bytes).unwrap();
    assert_is(&World::open(&media).unwrap(), &reference);
    assert!(restore_onto(&media, &bytes).unwrap_err().to_string().contains("an empty directory"));
}

#[test]
fn a_folder_takes_up_new_sealed_volumes_only() {
    let (world, mut reference) = grown();
    let temp = tempfile::tempdir().unwrap();
    let add = |world: &World, keep| {
        let folder = BackupFolder::open(temp.path()).unwrap();
        let known: BTreeMap<u32, Sha256> = folder.known();
        let mut backup = world.begin_backup(known.clone()).unwrap();
        let mut reader = BackupReader::new(folder);
        let mut received = 0;
        while let Some(piece) = RUNTIME.block_on(backup.next()).unwrap() {
            reader.take(&piece).unwrap();
            received += piece.len();
        }
        let (folder, manifest) = reader.finish().unwrap();
        (known.len(), received, manifest, folder.keep(keep).unwrap())
    };
    let check = |reference: &Reference| {
        let media = FaultMedia::new();
        let folder = newest_backup(temp.path()).unwrap();
        let sink = Restore::into_media(Arc::new(media.clone())).unwrap();
        let (restore, _) = read_folder(&folder, sink, |_, _| {}).unwrap();
        RUNTIME.block_on(restore.verify(&|_, _| {})).unwrap();
        restore.commit().unwrap();
        assert_is(&World::open(&media).unwrap(), reference);
    };
    let (known, whole, manifest, _) = add(&world, None);
    assert_eq!((known, manifest.files.iter().filter(|file| file.left_out).count()), (0, 0));
    check(&reference);
    // Nothing happened: only what is not sealed comes again.
    let (known, again, manifest, kept) = add(&world, None);
    let sealed: u64 = manifest.files.iter().filter(|file| file.left_out).map(|file| file.size_bytes).sum();
    assert!(known > 0 && sealed > 0, "{manifest:?}");
    // The entities have a page or two more.
    let again_whole = again as u64 + sealed;
    assert!(again_whole.abs_diff(whole as u64) < 16_384, "{whole} {again} {sealed}");
    assert_eq!((kept.kept, kept.removed), (2, 0));
    check(&reference);
    // More volumes come, and only they do. What breaks off on the way changes nothing.
    let file = FileRef {
        release: ReleaseRef { package: "app", channel: "stable", version: "3.0.0" },
        platform: "any",
        name: "a.zip",
    };
    let before = reference.clone();
    apply(&world, &mut reference, &Op::Publish { file, seed: 78, size: 2_100_000, active: true }, time_of(9, 1));
    {
        let folder = BackupFolder::open(temp.path()).unwrap();
        assert!(BackupFolder::open(temp.path()).unwrap_err().to_string().contains("another backup is being written"));
        let mut backup = world.begin_backup(folder.known()).unwrap();
        let mut reader = BackupReader::new(folder);
        reader.take(&RUNTIME.block_on(backup.next()).unwrap().unwrap()).unwrap();
        assert!(reader.finish().is_err());
    }
    check(&before);
    let (_, received, manifest, kept) = add(&world, Some(1));
    let left_out: u64 = manifest.files.iter().filter(|file| file.left_out).map(|file| file.size_bytes).sum();
    assert!(left_out >= sealed && received as u64 <= manifest.size_bytes() + 32_768, "{left_out} {received}");
    assert_eq!((kept.kept, kept.removed), (1, 2));
    check(&reference);
    // A backup that lost a file is not built upon, and not restored.
    let folder = newest_backup(temp.path()).unwrap();
    let volume = folder.join(&manifest.files[1].name);
    std::fs::write(&volume, b"something else").unwrap();
    let sink = Restore::into_media(Arc::new(FaultMedia::new())).unwrap();
    assert!(matches!(read_folder(&folder, sink, |_, _| {}), Err(BackupError::Damaged(_))));
    let (_, received, ..) = add(&world, None);
    assert!(received as u64 > manifest.files[1].size_bytes);
    check(&reference);
}
