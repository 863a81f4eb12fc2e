//! Small random universes, in which everything can be tried: the solver must find an answer exactly where there is one,
//! and the one with the newest roots.

use std::collections::BTreeMap;

use packhouse::client::solve::{Request, Root, SolveError, SolveLimits, resolve};
use proptest::prelude::*;
use semver::{Version, VersionReq};

use super::universe::{Release, Roots, Universe};

const NAMES: [&str; 6] = ["omni.a", "omni.b", "omni.c", "omni.d", "omni.e", "omni.none"];
/// All versions that there can be. A package has some of them.
const VERSIONS: [&str; 8] = ["0.1.0", "0.2.0", "1.0.0-rc.1", "1.0.0", "1.1.0", "1.2.0-rc.1", "2.0.0", "2.1.0+x"];

fn requirement() -> impl Strategy<Value = VersionReq> {
    let texts = ["*", "^1", "^0.1", ">=0.2", "<1.1", "=1.0.0", "^2", ">=1.0.0-rc.1", "~1.1", ">=0.2, <2", "^3"];
    proptest::sample::select(texts.to_vec()).prop_map(|text| text.parse().unwrap())
}

fn release() -> impl Strategy<Value = Release> {
    let need = (proptest::sample::select(&NAMES[..]), requirement(), proptest::bool::weighted(0.2));
    let requires = proptest::collection::btree_map(0..3_u8, need, 0..3);
    (requires, proptest::bool::weighted(0.1)).prop_map(|(requires, yanked)| {
        let mut by_name = BTreeMap::new();
        for (name, requirement, optional) in requires.into_values() {
            by_name.insert(name.to_owned(), (requirement, optional));
        }
        let requires = by_name.into_iter().map(|(name, (requirement, optional))| (name, requirement, optional));
        Release { requires: requires.collect(), yanked }
    })
}

fn universe() -> impl Strategy<Value = Universe> {
    let versions = proptest::collection::btree_map(proptest::sample::select(&VERSIONS[..]), release(), 1..6);
    proptest::collection::vec(versions, NAMES.len() - 1).prop_map(|packages| {
        let parsed = packages.into_iter().map(|versions| {
            versions.into_iter().map(|(version, release)| (version.parse::<Version>().unwrap(), release)).collect()
        });
        Universe { packages: NAMES.iter().map(|name| (*name).to_owned()).zip(parsed).collect() }
    })
}

fn roots() -> impl Strategy<Value = Vec<(String, VersionReq)>> {
    proptest::collection::btree_map(proptest::sample::select(&NAMES[..5]), requirement(), 1..4)
        .prop_map(|roots| roots.into_iter().map(|(name, requirement)| (name.to_owned(), requirement)).collect())
        .prop_shuffle()
}

fn request(roots: &Roots) -> Request {
    let root = |(name, requirement): &(String, VersionReq)| format!("{name}@{requirement}").parse::<Root>().unwrap();
    Request {
        roots: roots.iter().map(root).collect(),
        platform: "linux-x64".parse().unwrap(),
        prereleases: false,
        preferred: BTreeMap::new(),
        limits: SolveLimits::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn there_is_an_answer_exactly_where_trying_everything_finds_one(universe in universe(), roots in roots()) {
        let best = universe.best_roots(&roots, 10_000_000).unwrap();
        match resolve(&universe, &request(&roots)) {
            Ok(resolution) => {
                let faults = universe.faults(&roots, &resolution);
                prop_assert!(faults.is_empty(), "{:?}", faults);
                let version = |name: &String| {
                    let package = resolution.packages.iter().find(|package| package.name.as_str() == name).unwrap();
                    package.id.version.as_str().parse().unwrap()
                };
                prop_assert_eq!(Some(roots.iter().map(|(name, _)| version(name)).collect::<Vec<Version>>()), best);
            }
            Err(SolveError::Conflict(conflict)) => {
                prop_assert_eq!(best, None, "{}", conflict);
                // What it is said to be about is enough for it.
                let mut names: std::collections::BTreeSet<String> =
                    conflict.packages.iter().map(ToString::to_string).collect();
                names.extend(roots.iter().map(|(name, _)| name.clone()));
                prop_assert_eq!(universe.restricted(&names).best_roots(&roots, 10_000_000).unwrap(), None, "{}", conflict);
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn the_same_question_has_the_same_answer(universe in universe(), roots in roots()) {
        let answers = [0, 1].map(|_| match resolve(&universe, &request(&roots)) {
            Ok(resolution) => format!("{resolution:?}"),
            Err(error) => error.to_string(),
        });
        prop_assert_eq!(&answers[0], &answers[1]);
    }
}
