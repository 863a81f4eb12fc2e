//! Power fails at every sync of a whole life: what was acknowledged is there, and nothing else stays.

use super::*;

/// One step of the life.
#[derive(Debug, Clone)]
enum Step {
    Put(u64, usize),
    Release(u64, usize),
    Collect,
}

use Step::{Collect, Put, Release};

/// What an earlier run of the server left, closed cleanly.
fn past() -> Vec<Step> {
    let mut past = vec![Put(1, 5_000), Put(2, 270_000), Put(3, 600_000), Put(4, 500_000)];
    past.extend((20..28).map(|seed| Put(seed, 32_000)));
    past
}

/// Uploads across volumes, deletes in both kinds of volume, rewrites and deletes files; packs small content, takes the
/// pack apart, and packs what was in it again.
fn life() -> Vec<Step> {
    vec![
        Put(10, 3_000),
        Put(28, 32_000),
        Collect,
        Release(21, 32_000),
        Release(23, 32_000),
        Release(24, 32_000),
        Put(29, 32_000),
        Put(30, 32_000),
        Put(31, 32_000),
        Collect,
        Release(29, 32_000),
        Release(2, 270_000),
        Collect,
        Put(5, 100_000),
        Release(3, 600_000),
        Release(4, 500_000),
        Collect,
        Put(6, 1_300_000),
        Release(6, 1_300_000),
        Put(7, 40_000),
        Collect,
    ]
}

fn run(rig: &Rig, step: &Step, model: &mut Model) -> Result<(), StorageError> {
    match *step {
        Put(seed, size) => {
            let content = content(seed, size);
            rig.put(&content)?;
            model.insert(Sha256::of(&content), (content, 1));
        }
        Release(seed, size) => {
            let sha256 = Sha256::of(&content(seed, size));
            rig.release(sha256)?;
            model.remove(&sha256);
        }
        Collect => drop(rig.blobs.collect()?),
    }
    Ok(())
}

/// The model before or after the interrupted step, whichever the disk shows.
fn pick<'a>(rig: &Rig, before: &'a Model, after: &'a Model) -> &'a Model {
    let matches = |model: &Model| model.keys().all(|sha256| rig.info(*sha256).is_some());
    let (more, fewer) = if before.len() > after.len() { (before, after) } else { (after, before) };
    if matches(more) { more } else { fewer }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_else_stays() {
    let rig = Rig::new();
    let mut inherited = Model::new();
    for step in past() {
        run(&rig, &step, &mut inherited).unwrap();
    }
    rig.check(&inherited);
    let past = rig.media.clone();
    rig.blobs.close();
    rig.entities.close();
    drop(rig);
    let mut crashes = 0;
    for n in 0.. {
        let media = past.crash_image();
        media.freeze_after(n);
        let (mut before, mut after) = (inherited.clone(), inherited.clone());
        if let Ok(rig) = Rig::open(&media, OPTIONS) {
            for step in life() {
                before.clone_from(&after);
                run(&rig, &step, &mut after).unwrap();
                if media.is_frozen() {
                    break;
                }
                rig.settle();
            }
        }
        let rig = Rig::open(&media.crash_image(), OPTIONS).unwrap();
        rig.check(pick(&rig, &before, &after));
        // And if everything is deleted before the first collection, nothing stays.
        let rig = Rig::open(&media.torn_image(n), OPTIONS).unwrap();
        let model = pick(&rig, &before, &after);
        for (sha256, (content, _)) in model {
            assert_eq!(&rig.read(*sha256, 0..u64::MAX).unwrap(), content);
            rig.release(*sha256).unwrap();
        }
        rig.check(&Model::new());
        if !media.is_frozen() {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 60, "only {crashes} syncs in a whole life");
}
