//! Power fails at every sync, and every write fails once, in the whole life of a registry.
//!
//! `PACKHOUSE_TEST_FULL=1` visits every moment; without it every few are, so that the test stays short.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use packhouse::service::Refusal;
use packhouse::store::StorageError;
use packhouse::store::media::{Fault, FaultMedia};

use super::reference::{FileRef, Op, Reference, ReleaseRef};
use super::script::{acts, time_of};
use super::world::World;

/// The disk and what should be on it when an act begins, and how much the act writes.
struct Opening {
    act: usize,
    ops: Vec<Op>,
    disk: FaultMedia,
    reference: Reference,
    syncs: u64,
    writes: u64,
}

/// Plays all acts without any fault, checking the registry after each.
fn rehearse() -> Vec<Opening> {
    let media = FaultMedia::new();
    let mut world = World::open(&media).unwrap();
    world.add_user().unwrap();
    world.close();
    let mut disk = media.crash_image();
    let mut reference = Reference::default();
    let mut openings = Vec::new();
    for (act, ops) in acts().into_iter().enumerate() {
        let before = (disk.crash_image(), reference.clone());
        let world = World::open(&disk).unwrap();
        let syncs_at_start = disk.syncs();
        for (at, op) in ops.iter().enumerate() {
            let now = time_of(act, at);
            world.run(op, now).unwrap_or_else(|refusal| panic!("act {act}, {op:?}: {refusal}"));
            reference.apply(op, now).unwrap();
            assert_eq!(world.dump().unwrap(), reference.dump(), "act {act}, {op:?}");
            world.check_served(&reference, &format!("act {act}, {op:?}"));
        }
        assert!(disk.syncs() > syncs_at_start);
        world.close();
        openings.push(Opening {
            act,
            ops,
            disk: before.0,
            reference: before.1,
            syncs: disk.syncs(),
            writes: disk.writes(),
        });
        disk = disk.crash_image();
        let world = World::open(&disk).unwrap();
        world.check_stored(&reference, &format!("after act {act}"));
        world.close();
    }
    openings
}

/// One moment in one act.
type Moment = (usize, u64);

/// Visits moments on all processors, and says how many there were.
fn visit(name: &str, moments: &[Moment], visit_one: impl Fn(Moment) + Sync) {
    let begin = Instant::now();
    let next = AtomicUsize::new(0);
    let slowest = Mutex::new((Duration::ZERO, (0, 0)));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(moment) = moments.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begin = Instant::now();
                    visit_one(*moment);
                    let mut slowest = slowest.lock().unwrap();
                    *slowest = (*slowest).max((begin.elapsed(), *moment));
                }
            });
        }
    });
    let slowest = slowest.into_inner().unwrap();
    println!("{name}: {} moments in {:.1?}, the slowest {slowest:?}", moments.len(), begin.elapsed());
}

/// Every moment if all are asked for, otherwise every `stride`th, with a beginning that the act decides.
fn moments(openings: &[Opening], stride: u64, count: impl Fn(&Opening) -> u64) -> Vec<Moment> {
    let full = std::env::var_os("PACKHOUSE_TEST_FULL").is_some_and(|value| value == "1");
    let stride = if full { 1 } else { stride };
    let of_act = |opening: &Opening| {
        let act = opening.act;
        (0..count(opening)).skip(act % stride as usize).step_by(stride as usize).map(move |n| (act, n))
    };
    openings.iter().flat_map(|opening| of_act(opening).collect::<Vec<_>>()).collect()
}

/// An operation that no act has done, to see that a registry works.
fn probe() -> [Op; 2] {
    let release = ReleaseRef { package: "probe", channel: "alpha", version: "0.1.0" };
    let file = FileRef { release, platform: "any", name: "probe.zip" };
    [Op::CreatePackage { package: "probe" }, Op::Publish { file, seed: 99, size: 300_000, active: true }]
}

fn check_works(world: &World, reference: &mut Reference, when: &str) {
    for op in probe() {
        let now = time_of(99, 0);
        world.run(&op, now).unwrap_or_else(|refusal| panic!("{when}: {refusal}"));
        reference.apply(&op, now).unwrap();
    }
    assert_eq!(world.dump().unwrap(), reference.dump(), "{when}");
    world.check_served(reference, when);
}

#[test]
fn a_power_failure_at_any_sync_loses_nothing_acknowledged() {
    let openings = rehearse();
    // Syncs that a run makes more than the rehearsal, since jobs meet in other groups, are left to other moments.
    let moments = moments(&openings, 3, |opening| opening.syncs);
    assert!(moments.len() > 100, "only {} syncs", moments.len());
    visit("power failures", &moments, |(act, n)| lose_power(&openings[act], n));
}

fn lose_power(opening: &Opening, n: u64) {
    let media = opening.disk.crash_image();
    media.freeze_after(n);
    let world = World::open(&media).unwrap();
    let (mut before, mut after) = (opening.reference.clone(), opening.reference.clone());
    for (at, op) in opening.ops.iter().enumerate() {
        if media.is_frozen() {
            break;
        }
        before.clone_from(&after);
        let now = time_of(opening.act, at);
        world.run(op, now).unwrap();
        after.apply(op, now).unwrap();
        if !media.is_frozen() {
            before.clone_from(&after);
        }
    }
    world.close();
    let images = [media.crash_image(), media.torn_image(n), media.torn_image(n + 1_000_000)];
    for (image, disk) in images.into_iter().enumerate() {
        let when = format!("act {}, power failed at sync {n}, image {image}", opening.act);
        let world = World::open(&disk).unwrap_or_else(|error| panic!("{when}: {error}"));
        let dump = world.dump().unwrap();
        let mut reference = if dump == after.dump() { after.clone() } else { before.clone() };
        assert_eq!(dump, reference.dump(), "{when}");
        world.check_served(&reference, &when);
        world.check_stored(&reference, &when);
        world.check_served(&reference, &when);
        if image == 0 {
            check_works(&world, &mut reference, &when);
            world.close();
            let world = World::open(&disk.crash_image()).unwrap();
            assert_eq!(world.dump().unwrap(), reference.dump(), "{when}");
            world.check_stored(&reference, &when);
        }
    }
}

#[test]
fn a_power_failure_during_the_first_start_leaves_a_usable_directory() {
    let mut failures = 0;
    for n in 0.. {
        let media = FaultMedia::new();
        media.freeze_after(n);
        let mut world = World::open(&media).unwrap();
        let had_power = !media.is_frozen();
        world.add_user().unwrap();
        let is_made = had_power && !media.is_frozen();
        world.close();
        for disk in [media.crash_image(), media.torn_image(n), media.torn_image(n + 1_000_000)] {
            let mut world = World::open(&disk).unwrap_or_else(|error| panic!("power failed at sync {n}: {error}"));
            let has_user = world.has_user();
            assert!(has_user || !is_made, "the account is lost, sync {n}");
            if !has_user {
                world.add_user().unwrap();
            }
            check_works(&world, &mut Reference::default(), &format!("first start, sync {n}"));
        }
        if !media.is_frozen() {
            break;
        }
        failures += 1;
    }
    assert!(failures > 10, "only {failures} syncs");
}

#[test]
fn any_write_may_fail_and_the_registry_goes_on() {
    let openings = rehearse();
    // A disk that stays full costs a reopening a quarter of a second after it has room again.
    for (fault, repeats, stride) in
        [(Fault::DiskFull, false, 17), (Fault::Device, false, 13), (Fault::DiskFull, true, 61)]
    {
        let moments = moments(&openings, stride, |opening| opening.writes);
        assert!(moments.len() > 20, "only {} writes", moments.len());
        let refused = AtomicU64::new(0);
        let name = format!("{fault:?}{}", if repeats { " for a while" } else { "" });
        visit(&name, &moments, |(act, n)| {
            refused.fetch_add(fail_write(&openings[act], n, fault, repeats), Ordering::Relaxed);
        });
        let refused = refused.into_inner();
        println!("{name}: {refused} operations were refused");
        assert!(refused > 0, "no fault was ever noticed");
    }
}

/// Plays an act while write `n` fails, and answers how many operations were refused.
fn fail_write(opening: &Opening, n: u64, fault: Fault, repeats: bool) -> u64 {
    let media = opening.disk.crash_image();
    media.fail_write_after(n, fault, repeats);
    let world = World::open(&media).unwrap_or_else(|_| {
        media.heal();
        World::open(&media).unwrap_or_else(|error| panic!("act {}, write {n}: {error}", opening.act))
    });
    let mut reference = opening.reference.clone();
    let mut refused = 0;
    for (at, op) in opening.ops.iter().enumerate() {
        let now = time_of(opening.act, at);
        let when = format!("act {}, {op:?}, {fault:?} at write {n}", opening.act);
        let answer = world.run(op, now);
        let before = reference.dump();
        reference.apply(op, now).unwrap();
        let Err(refusal) = answer else { continue };
        refused += 1;
        assert!(is_fair(&refusal, fault), "{when}: {refusal:?}");
        media.heal();
        // A commit that failed at its very end may count after all, but then as a whole.
        let dump = world.dump_recovered();
        if dump != reference.dump() {
            assert_eq!(dump, before, "{when}");
            world.run(op, now).unwrap_or_else(|refusal| panic!("{when}, again: {refusal}"));
        } else if matches!(op, Op::Collect) {
            world.run(op, now).unwrap_or_else(|refusal| panic!("{when}, again: {refusal}"));
        }
        assert_eq!(world.dump().unwrap(), reference.dump(), "{when}");
        world.check_served(&reference, &when);
    }
    media.heal();
    let when = format!("act {}, {fault:?} at write {n}", opening.act);
    assert_eq!(world.dump_recovered(), reference.dump(), "{when}");
    check_works(&world, &mut reference, &when);
    world.close();
    // What could not be discarded is found at the next start.
    let world = World::open(&media.crash_image()).unwrap();
    assert_eq!(world.dump().unwrap(), reference.dump(), "{when}");
    world.check_stored(&reference, &when);
    world.check_served(&reference, &when);
    refused
}

/// Whether this is how such a fault may be told: a full disk as a full disk, a broken one as an error of the store.
fn is_fair(refusal: &Refusal, fault: Fault) -> bool {
    match fault {
        Fault::DiskFull => matches!(refusal, Refusal::DiskFull),
        Fault::Device => matches!(refusal, Refusal::Store(StorageError::Io { .. } | StorageError::Latched)),
    }
}

#[test]
fn a_full_disk_refuses_uploads_before_they_begin_and_takes_them_again() {
    let opening = rehearse().pop().unwrap();
    let media = opening.disk.crash_image();
    let world = World::open(&media).unwrap();
    let mut reference = opening.reference;
    media.set_free_bytes(1_000_000);
    let release = ReleaseRef { package: "app", channel: "stable", version: "3.0.0" };
    let file = FileRef { release, platform: "any", name: "app.zip" };
    let large = Op::Publish { file, seed: 50, size: 3_000_000, active: true };
    let writes = media.writes();
    assert!(matches!(world.run(&large, time_of(50, 0)), Err(Refusal::DiskFull)));
    assert_eq!(media.writes(), writes, "it was refused before anything was written");
    assert_eq!(world.dump().unwrap(), reference.dump());
    media.set_free_bytes(1 << 40);
    world.run(&large, time_of(50, 1)).unwrap();
    reference.apply(&large, time_of(50, 1)).unwrap();
    world.check_served(&reference, "with room again");
    world.close();
}
