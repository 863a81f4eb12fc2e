//! Random lives, compared with a map.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Op {
    Put { seed: u64, size: usize },
    PutSmall { seed: u64, count: u64 },
    Abandon { seed: u64, size: usize },
    Release { nth: usize },
    Read { nth: usize, start: u64, len: u64 },
    Collect,
    Reopen,
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    // Few seeds and sizes, so that the same content comes again.
    let size = prop_oneof![
        3 => 0usize..40_000,
        3 => prop::sample::select(vec![0, 1, 5_000, 16_364, 262_123, 262_124, 262_125]),
        3 => 0usize..900_000,
        1 => 1_000_000usize..2_500_000,
    ];
    let seed = 0u64..4;
    prop_oneof![
        8 => (seed.clone(), size.clone()).prop_map(|(seed, size)| Op::Put { seed, size }),
        3 => (100u64..120, 1u64..16).prop_map(|(seed, count)| Op::PutSmall { seed, count }),
        2 => (seed, size).prop_map(|(seed, size)| Op::Abandon { seed, size }),
        6 => any::<usize>().prop_map(|nth| Op::Release { nth }),
        3 => (any::<usize>(), 0u64..1_000_000, 0u64..600_000).prop_map(|(nth, start, len)| Op::Read { nth, start, len }),
        2 => Just(Op::Collect),
        1 => Just(Op::Reopen),
        1 => Just(Op::Crash),
    ]
}

fn nth(model: &Model, nth: usize) -> Option<Sha256> {
    model.keys().nth(nth.checked_rem(model.len())?).copied()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_a_map(ops in prop::collection::vec(op(), 1..30)) {
        let mut rig = Rig::new();
        let mut model = Model::new();
        for op in ops {
            match op {
                Op::Put { seed, size } => {
                    let content = content(seed, size);
                    let adopted = rig.put(&content).unwrap();
                    let entry = model.entry(Sha256::of(&content)).or_insert((content, 0));
                    entry.1 += 1;
                    prop_assert_eq!(adopted == Adopted::New, entry.1 == 1);
                }
                // Enough of them for packs.
                Op::PutSmall { seed, count } => for seed in seed..seed + count {
                    let content = content(seed, 32_768 - 100 * (seed as usize - 100));
                    rig.put(&content).unwrap();
                    model.entry(Sha256::of(&content)).or_insert((content, 0)).1 += 1;
                },
                Op::Abandon { seed, size } => drop(rig.store(&content(seed, size)).unwrap()),
                Op::Release { nth: n } => if let Some(sha256) = nth(&model, n) {
                    rig.release(sha256).unwrap();
                    let references = &mut model.get_mut(&sha256).unwrap().1;
                    *references -= 1;
                    if *references == 0 {
                        model.remove(&sha256);
                    }
                },
                Op::Read { nth: n, start, len } => if let Some(sha256) = nth(&model, n) {
                    let content = &model[&sha256].0;
                    let bytes = rig.read(sha256, start..start + len).unwrap();
                    let size = content.len() as u64;
                    let (start, end) = (start.min(size) as usize, (start + len).min(size) as usize);
                    prop_assert_eq!(bytes, &content[start..end]);
                },
                Op::Collect => drop(rig.blobs.collect().unwrap()),
                Op::Reopen => rig = rig.reopen(),
                Op::Crash => {
                    let image = rig.media.crash_image();
                    rig = Rig::open(&image, OPTIONS).unwrap();
                }
            }
        }
        rig.check(&model);
    }
}
