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

/// Uploads across volumes, deletes in both kinds of volume, rewrites and deletes files.
fn life() -> Vec<Step> {
    vec![
        Put(1, 5_000),
        Put(2, 270_000),
        Put(3, 600_000),
        Put(4, 500_000),
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
    let mut crashes = 0;
    for n in 0.. {
        let media = FaultMedia::new();
        media.freeze_after(n);
        let (mut before, mut after) = (Model::new(), Model::new());
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
        for image in [media.crash_image(), media.torn_image(n), media.torn_image(n + 1_000_000)] {
            let rig = Rig::open(&image, OPTIONS).unwrap();
            let model = pick(&rig, &before, &after);
            rig.check(model);
            // And it is as good as new.
            let mut model = model.clone();
            run(&rig, &Put(99, 300_000), &mut model).unwrap();
            rig.check(&model);
        }
        if !media.is_frozen() {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 60, "only {crashes} syncs in a whole life");
}
