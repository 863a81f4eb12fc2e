//! A store made small: everything is there as before, and nothing else.

use std::sync::Arc;

use packhouse::store::compact::compact;
use packhouse::store::media::{Fault, FaultMedia, Media};

use super::reference::{FileRef, Op, Reference, ReleaseRef};
use super::script::time_of;
use super::world::{World, config};

fn release(version: &'static str) -> ReleaseRef {
    ReleaseRef { package: "app", channel: "stable", version }
}

fn publish(version: &'static str, seed: u64) -> Op {
    let file = FileRef { release: release(version), platform: "any", name: "a.zip" };
    Op::Publish { file, seed, size: 400_000, active: true }
}

/// A registry whose volumes are each a third dead: too little for the collector.
fn with_holes() -> (FaultMedia, Reference) {
    let media = FaultMedia::new();
    let mut world = World::open(&media).unwrap();
    world.add_user().unwrap();
    let mut reference = Reference::default();
    let mut ops = vec![Op::CreatePackage { package: "app" }];
    ops.extend(["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"].into_iter().zip(1..).map(|(v, n)| publish(v, n)));
    ops.extend(["1.1.0", "1.4.0"].map(|version| Op::DeleteRelease { release: release(version) }));
    ops.push(Op::Collect);
    for (at, op) in ops.iter().enumerate() {
        reference.apply(op, time_of(0, at)).unwrap();
        world.run(op, time_of(0, at)).unwrap();
    }
    world.close();
    (media, reference)
}

fn assert_is(media: &FaultMedia, reference: &Reference) {
    let world = World::open(media).unwrap();
    assert_eq!(world.dump().unwrap(), reference.dump());
    world.check_served(reference, "compacted");
    world.check_stored(reference, "compacted");
    world.close();
}

#[test]
fn all_that_is_referred_to_stays_and_the_rest_goes() {
    let (media, reference) = with_holes();
    let content: u64 = reference.files().map(|file| file.size).sum();
    let shared: Arc<dyn Media> = Arc::new(media.clone());
    let done = compact(&shared, config().store).unwrap();
    assert!(done.after_bytes < done.before_bytes, "{done:?}");
    let blobs: u64 =
        media.list("blobs").unwrap().iter().map(|name| media.file_bytes(&format!("blobs/{name}")).unwrap()).sum();
    assert!(blobs < content + content / 4 + (1 << 20), "{blobs} bytes for {content}");
    assert_is(&media, &reference);
    let again = compact(&shared, config().store).unwrap();
    assert!(again.after_bytes <= again.before_bytes, "{again:?}");
    assert_is(&media, &reference);
}

#[test]
fn a_compaction_that_fails_or_is_cut_off_loses_nothing() {
    for at in [0, 1, 3, 7, 15, 40, 90] {
        let (media, reference) = with_holes();
        media.fail_write_after(at, Fault::DiskFull, true);
        let shared: Arc<dyn Media> = Arc::new(media.clone());
        let failed = compact(&shared, config().store).is_err();
        media.heal();
        assert!(failed, "after {at} writes");
        assert_is(&media, &reference);

        let (media, reference) = with_holes();
        media.freeze_after(at);
        let shared: Arc<dyn Media> = Arc::new(media.clone());
        let _ = compact(&shared, config().store);
        assert_is(&media.torn_image(at), &reference);
    }
}
