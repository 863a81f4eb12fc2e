//! Writes fail at every place: the error is clear, and the store works on in the same process.

use super::*;
use crate::store::media::Fault;

fn is_fair(error: &StorageError, fault: Fault) -> bool {
    match error {
        StorageError::DiskFull => fault == Fault::DiskFull,
        StorageError::Io { .. } => fault == Fault::Device,
        _ => false,
    }
}

/// Runs one failing life; answers whether any fault struck.
fn live_through(n: u64, fault: Fault, repeats: bool) -> bool {
    let rig = Rig::new();
    let mut model = Model::new();
    let old = content(1, 700_000);
    rig.put(&old).unwrap();
    model.insert(Sha256::of(&old), (old.clone(), 1));
    let writes = rig.media.writes();
    rig.media.fail_write_after(n, fault, repeats);
    let mut doubtful = Vec::new();
    // Enough small ones for a pack, which the collection makes.
    let small = (10..19).map(|seed| (seed, 30_000));
    for (seed, size) in [(2, 5_000), (3, 600_000)].into_iter().chain(small) {
        let content = content(seed, size);
        match rig.put(&content) {
            Ok(_) => drop(model.insert(Sha256::of(&content), (content, 1))),
            Err(error) => {
                assert!(is_fair(&error, fault), "write {n}: {error:?}");
                doubtful.push(content);
            }
        }
    }
    let released = match rig.release(Sha256::of(&old)) {
        Ok(_) => true,
        Err(error) => {
            assert!(is_fair(&error, fault), "write {n}: {error:?}");
            rig.media.heal();
            rig.info(Sha256::of(&old)).is_none()
        }
    };
    if released {
        model.remove(&Sha256::of(&old));
    }
    if let Err(error) = rig.blobs.collect() {
        assert!(is_fair(&error, fault), "write {n}: {error:?}");
    }
    let struck = rig.media.writes() - writes > n;
    rig.media.heal();
    // A failed commit may have come through after all; then the content is there, whole.
    for content in doubtful {
        if rig.info(Sha256::of(&content)).is_some() {
            model.insert(Sha256::of(&content), (content, 1));
        }
    }
    let after = content(4, 300_000);
    rig.put(&after).unwrap();
    model.insert(Sha256::of(&after), (after, 1));
    for (sha256, (content, _)) in &model {
        assert_eq!(&rig.read(*sha256, 0..u64::MAX).unwrap(), content, "write {n}");
    }
    // What could not be discarded in the storm is swept at the next start.
    let rig = rig.reopen();
    rig.check(&model);
    struck
}

#[test]
fn every_write_may_fail_and_the_store_goes_on() {
    for (fault, repeats) in [(Fault::DiskFull, true), (Fault::DiskFull, false), (Fault::Device, false)] {
        let mut n = 0;
        while live_through(n, fault, repeats) {
            n += 1;
        }
        assert!(n > 10, "only {n} writes in a life");
    }
}
