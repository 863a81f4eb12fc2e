//! Random lives of a registry, compared with the reference.

use proptest::prelude::*;

use super::reference::{FileRef, Op, Reference, ReleaseRef};
use super::script::time_of;
use super::world::{World, is_same_answer};
use packhouse::store::media::FaultMedia;

#[derive(Debug, Clone)]
enum Step {
    Do(Op),
    /// A clean stop and a start.
    Reopen,
    /// Power fails right after the last answer, tearing what was not synced where a seed is given.
    Crash(Option<u64>),
    /// Power fails during the operation, at the sync after that many.
    CrashDuring(u64, Op),
}

fn release() -> impl Strategy<Value = ReleaseRef> {
    let package = prop::sample::select(vec!["app", "App-2", "a.b"]);
    let channel = prop::sample::select(vec!["stable", "beta"]);
    let version = prop::sample::select(vec!["1.0.0", "1.10.0", "1.9.0-rc.1"]);
    (package, channel, version).prop_map(|(package, channel, version)| ReleaseRef { package, channel, version })
}

fn file() -> impl Strategy<Value = FileRef> {
    let platform = prop::sample::select(vec!["any", "linux-x64", "wx64.r"]);
    let name = prop::sample::select(vec!["a.zip", "a.zip.sig"]);
    (release(), platform, name).prop_map(|(release, platform, name)| FileRef { release, platform, name })
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let package = || prop::sample::select(vec!["app", "App-2", "a.b"]);
    // Few seeds and sizes, so that the same bytes come again.
    let size = prop_oneof![
        4 => prop::sample::select(vec![0_usize, 1, 5_000, 16_364, 262_124, 262_125]),
        2 => 0_usize..900_000,
        1 => 1_000_000_usize..2_200_000,
    ];
    prop_oneof![
        4 => package().prop_map(|package| Op::CreatePackage { package }),
        10 => (file(), 0_u64..3, size, any::<bool>())
            .prop_map(|(file, seed, size, active)| Op::Publish { file, seed, size, active }),
        2 => (file(), prop::sample::select(vec!["One", "Two"])).prop_map(|(file, title)| Op::Manifest { file, title }),
        3 => release().prop_map(|release| Op::Activate { release }),
        2 => release().prop_map(|release| Op::Deactivate { release }),
        2 => release().prop_map(|release| Op::Yank { release }),
        1 => release().prop_map(|release| Op::Restore { release }),
        3 => file().prop_map(|file| Op::DeleteFile { file }),
        2 => release().prop_map(|release| Op::DeleteRelease { release }),
        1 => package().prop_map(|package| Op::DeletePackage { package }),
        2 => Just(Op::Collect),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => op().prop_map(Step::Do),
        1 => Just(Step::Reopen),
        1 => prop::option::of(any::<u64>()).prop_map(Step::Crash),
        2 => (0_u64..8, op()).prop_map(|(syncs, op)| Step::CrashDuring(syncs, op)),
    ]
}

fn live(steps: &[Step]) -> Result<(), TestCaseError> {
    let media = FaultMedia::new();
    let mut world = World::open(&media).unwrap();
    world.add_user().unwrap();
    let mut reference = Reference::default();
    // So that most operations have something to work on.
    reference.apply(&Op::CreatePackage { package: "app" }, 1).unwrap();
    world.run(&Op::CreatePackage { package: "app" }, 1).unwrap();
    for (at, step) in steps.iter().enumerate() {
        let now = time_of(1, at);
        match step {
            Step::Do(op) => {
                let expected = reference.apply(op, now);
                let answer = world.run(op, now);
                prop_assert!(is_same_answer(expected, &answer), "{:?}: {:?}, not {:?}", op, answer, expected);
            }
            Step::Reopen => {
                let media = world.media.clone();
                world.close();
                world = World::open(&media).unwrap();
            }
            Step::Crash(seed) => {
                let disk = match seed {
                    Some(seed) => world.media.torn_image(*seed),
                    None => world.media.crash_image(),
                };
                world = World::open(&disk).unwrap();
            }
            Step::CrashDuring(syncs, op) => {
                let mut after = reference.clone();
                let expected = after.apply(op, now);
                world.media.freeze_after(*syncs);
                let answer = world.run(op, now);
                let is_durable = !world.media.is_frozen();
                prop_assert!(is_same_answer(expected, &answer), "{:?}: {:?}, not {:?}", op, answer, expected);
                world = World::open(&world.media.torn_image(*syncs)).unwrap();
                if is_durable || world.dump().unwrap() == after.dump() {
                    reference = after;
                }
            }
        }
        prop_assert_eq!(world.dump().unwrap(), reference.dump(), "after {:?}", step);
    }
    world.check_served(&reference, "in the end");
    let media = world.media.clone();
    world.close();
    let world = World::open(&media).unwrap();
    prop_assert_eq!(world.dump().unwrap(), reference.dump());
    world.check_served(&reference, "reopened");
    world.check_stored(&reference, "reopened");
    world.check_served(&reference, "collected");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_registry_is_its_reference(steps in prop::collection::vec(step(), 1..40)) {
        live(&steps)?;
    }
}
