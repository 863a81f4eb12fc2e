//! What is chosen, what is read for it, and how a contradiction is told.

use std::cell::RefCell;
use std::collections::HashMap;

use super::*;

/// Package files in memory, and which of them were read.
#[derive(Default)]
struct Shelf {
    files: HashMap<FullName, String>,
    read: RefCell<Vec<String>>,
}

impl Packages for Shelf {
    fn lines(&self, name: &FullName) -> Result<Option<String>, LocalError> {
        self.read.borrow_mut().push(name.to_string());
        Ok(self.files.get(name).cloned())
    }

    fn platforms(&self, _: &FullName) -> Result<BTreeSet<PlatformName>, LocalError> {
        Ok(BTreeSet::from(["gen2".parse().unwrap()]))
    }
}

/// A shelf of packages, each written as `omni.name: ID {dependencies}; ID {dependencies}`; `!` before an id yanks it.
fn shelf(packages: &[&str]) -> Shelf {
    let mut shelf = Shelf::default();
    for package in packages {
        let (name, versions) = package.split_once(':').unwrap();
        let mut lines = String::new();
        for version in versions.split(';') {
            let version = version.trim();
            let (id, dependencies) = version.split_once(' ').unwrap_or((version, "{}"));
            let (id, yanked) = id.strip_prefix('!').map_or((id, false), |id| (id, true));
            lines.push_str(&format!("{id} {{\"dependencies\":{dependencies},\"package\":{{\"yanked\":{yanked}}}}}\n"));
        }
        shelf.files.insert(name.parse().unwrap(), lines);
    }
    shelf
}

fn request(roots: &[&str]) -> Request {
    Request {
        roots: roots.iter().map(|root| root.parse().unwrap()).collect(),
        platform: "linux-x64".parse().unwrap(),
        prereleases: false,
        preferred: BTreeMap::new(),
        limits: SolveLimits::default(),
    }
}

fn chosen(shelf: &Shelf, request: &Request) -> Vec<String> {
    let resolution = resolve(shelf, request).unwrap();
    resolution.packages.iter().map(|package| format!("{} {}", package.name, package.id)).collect()
}

fn conflict(shelf: &Shelf, roots: &[&str]) -> String {
    match resolve(shelf, &request(roots)) {
        Err(SolveError::Conflict(conflict)) => conflict.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_newest_that_fits_together_is_chosen() {
    let shelf = shelf(&[
        r#"omni.app: 1.0.0 {}; 2.0.0 {"omni.ui": {"version": "1.0.0"}, "omni.core": "^1"}"#,
        r#"omni.ui: 1.0.0 {}; 1.1.0 {"omni.core": "^1.1"}; 1.2.0 {"omni.core": "^2"}; 2.0.0 {}"#,
        "omni.core: 1.0.0; 1.1.0; 1.2.0; 2.0.0",
    ]);
    assert_eq!(chosen(&shelf, &request(&["omni.app"])), ["omni.app 2.0.0", "omni.core 1.2.0", "omni.ui 1.1.0"]);
    assert_eq!(chosen(&shelf, &request(&["omni.app@^1"])), ["omni.app 1.0.0"]);
    let resolution = resolve(&shelf, &request(&["omni.app"])).unwrap();
    assert_eq!(resolution.packages[0].needs, ["omni.core".parse().unwrap(), "omni.ui".parse().unwrap()]);
    assert_eq!(resolution.packages.iter().map(|package| package.root).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(chosen(&shelf, &request(&[])), [""; 0]);
}

#[test]
fn a_file_is_read_once_its_name_is_met_and_a_line_parsed_once_it_is_looked_at() {
    let many: Vec<String> = (0..500).map(|n| format!("1.{n}.0 {{\"omni.core\": \"^1\"}}")).collect();
    let shelf = shelf(&[
        &format!("omni.app: {}", many.join(";")),
        "omni.core: 1.0.0; 1.1.0; !1.2.0; 2.0.0",
        "omni.other: 1.0.0",
        r#"omni.late: 1.0.0 {"omni.other": {}}"#,
    ]);
    let counts = resolve(&shelf, &request(&["omni.app"])).unwrap().counts;
    assert_eq!(*shelf.read.borrow(), ["omni.app", "omni.core"]);
    // The newest of omni.app, and of omni.core the yanked one and the one below.
    assert_eq!((counts.files_read, counts.lines_parsed), (2, 3));
    // Broken lines that nobody looks at harm nobody.
    let mut broken = shelf;
    broken.files.insert("omni.core".parse().unwrap(), "1.0.0 {\n1.1.0 {}\n2.0.0 [\n".to_owned());
    assert_eq!(chosen(&broken, &request(&["omni.app"])), ["omni.app 1.499.0", "omni.core 1.1.0"]);
}

#[test]
fn yanked_versions_stay_with_those_who_have_them() {
    let shelf = shelf(&["omni.a: 1.0.0; !1.1.0", "omni.gone: !1.0.0; !1.1.0", "omni.mixed: 1.0.0; !2.0.0"]);
    let mut request = request(&["omni.a"]);
    assert_eq!(chosen(&shelf, &request), ["omni.a 1.0.0"]);
    request.preferred = BTreeMap::from([("omni.a".parse().unwrap(), "1.1.0".parse().unwrap())]);
    assert!(resolve(&shelf, &request).unwrap().packages[0].yanked);
    request.preferred = BTreeMap::from([("omni.a".parse().unwrap(), "0.9.0".parse().unwrap())]);
    assert_eq!(chosen(&shelf, &request), ["omni.a 1.0.0"]);
    let text = conflict(&shelf, &["omni.gone"]);
    assert_eq!(text, "These cannot all hold:\n* you ask for omni.gone\n* every version of omni.gone is yanked");
    assert!(conflict(&shelf, &["omni.mixed@2"]).contains("* omni.mixed 2.0.0 is yanked"));
}

#[test]
fn prereleases_come_only_when_asked_for() {
    let shelf = shelf(&["omni.a: 1.0.0; 1.1.0-rc.1; 1.1.0-rc.2; 2.0.0-rc.1", "omni.b: 1.0.0-rc.1"]);
    assert_eq!(chosen(&shelf, &request(&["omni.a"])), ["omni.a 1.0.0"]);
    assert_eq!(chosen(&shelf, &request(&["omni.a@^1.1.0-rc.1"])), ["omni.a 1.1.0-rc.2"]);
    assert_eq!(chosen(&shelf, &request(&["omni.a@=1.1.0-rc.1"])), ["omni.a 1.1.0-rc.1"]);
    let wanted = Request { prereleases: true, ..request(&["omni.a"]) };
    assert_eq!(chosen(&shelf, &wanted), ["omni.a 2.0.0-rc.1"]);
    let text = conflict(&shelf, &["omni.b"]);
    assert!(text.contains("the prerelease 1.0.0-rc.1 would do"), "{text}");
}

#[test]
fn archives_are_of_the_platform_or_for_any() {
    let shelf = shelf(&[
        r#"omni.app: 1.0.0+linux-x64 {"filter:platform": {"linux-x86_64": {"omni.linux": {}}, "windows-x86_64": {"omni.win": {}}}};
           1.0.0+windows-x64 {}; 2.0.0+windows-x64"#,
        "omni.linux: 1.0.0; 1.0.0+linux-x64; 1.1.0",
        "omni.gen: 1.0.0+gen2; 0.9.0+gen3",
        "omni.win: 1.0.0+windows-x64",
    ]);
    assert_eq!(chosen(&shelf, &request(&["omni.app"])), ["omni.app 1.0.0+linux-x64", "omni.linux 1.1.0"]);
    assert_eq!(chosen(&shelf, &request(&["omni.gen"])), ["omni.gen 0.9.0+gen3"]);
    let windows = Request { platform: "windows-x64".parse().unwrap(), ..request(&["omni.app"]) };
    assert_eq!(chosen(&shelf, &windows), ["omni.app 2.0.0+windows-x64"]);
    let text = conflict(&shelf, &["omni.win"]);
    assert!(text.contains("you ask for omni.win, of which there is nothing for linux-x64"), "{text}");
}

#[test]
fn an_optional_dependency_holds_only_for_what_is_there_anyway() {
    let shelf = shelf(&[
        r#"omni.app: 1.0.0 {"omni.extra": {"version": "1.0.0", "optional": true}, "omni.none": {"optional": true}}"#,
        "omni.extra: 1.0.0; 1.1.0; 2.0.0",
        r#"omni.user: 1.0.0 {"omni.extra": {}}"#,
        r#"omni.strict: 1.0.0 {"omni.extra": "^2"}"#,
    ]);
    assert_eq!(chosen(&shelf, &request(&["omni.app"])), ["omni.app 1.0.0"]);
    let with_user = ["omni.app 1.0.0", "omni.extra 1.1.0", "omni.user 1.0.0"];
    assert_eq!(chosen(&shelf, &request(&["omni.app", "omni.user"])), with_user);
    assert_eq!(
        conflict(&shelf, &["omni.app", "omni.strict"]),
        "These cannot all hold:\n* you ask for omni.app and omni.strict\n\
         * omni.app 1.0.0 goes only with omni.extra >=1.0.0, <2\n* omni.strict 1.0.0 requires omni.extra ^2\n\
         No version of omni.extra suits both."
    );
}

#[test]
fn a_contradiction_is_told_in_a_few_sentences() {
    let shelf = shelf(&[
        r#"omni.app: 1.0.0 {"omni.ui": {"version": "1.2.0"}, "omni.core": {"version": "2.0.0"}}"#,
        r#"omni.ui: 1.2.0 {"omni.core": {"version": "1.0.0"}}; 1.3.0 {"omni.core": {"version": "1.0.0"}};
           !1.3.1; 1.4.0 {"omni.core": {"version": "1.0.0"}}"#,
        "omni.core: 1.0.0; 2.0.0",
        r#"omni.bad: 1.0.0 {"nodot": {}}; 1.1.0 7"#,
        r#"omni.self: 1.0.0 {"omni.self": "^2"}; 1.1.0 {"omni.self": "=1.1.0"}"#,
    ]);
    assert_eq!(
        conflict(&shelf, &["omni.app"]),
        "These cannot all hold:\n* you ask for omni.app\n\
         * omni.app 1.0.0 requires omni.core >=2.0.0, <3 and omni.ui >=1.2.0, <2\n\
         * every version of omni.ui requires omni.core >=1.0.0, <2\n\
         No version of omni.core suits both."
    );
    let text = conflict(&shelf, &["omni.core@^3", "omni.app"]);
    assert!(text.contains("omni.core ^3, and no such version exists (the newest is 2.0.0)"), "{text}");
    let text = conflict(&shelf, &["omni.none@1"]);
    assert_eq!(text, "you ask for omni.none 1, and there is no package of that name here", "one sentence is no list");
    let text = conflict(&shelf, &["omni.bad"]);
    assert!(text.contains("* omni.bad 1.0.0 cannot be used: its dependencies cannot be read: \"nodot\""), "{text}");
    assert_eq!(chosen(&shelf, &request(&["omni.self"])), ["omni.self 1.1.0"]);
    assert!(conflict(&shelf, &["omni.self@=1.0.0"]).contains("it requires ^2 of itself"));
    let text = conflict(&shelf, &["omni.core@1", "omni.core@2"]);
    assert!(text.contains("* you ask for omni.core 1 and omni.core 2\n"), "{text}");
}

#[test]
fn a_long_search_ends_and_a_deep_proof_is_told() {
    let many: Vec<String> = (0..1_000).map(|n| format!("1.{n}.0 {{\"omni.x{n}\": {{}}}}")).collect();
    let shelf = shelf(&[&format!("omni.app: {}", many.join(";"))]);
    let text = conflict(&shelf, &["omni.app"]);
    assert!(text.lines().count() <= 33, "{text}");
    assert!(text.contains("more of this kind"), "{text}");
    let limits = SolveLimits { steps_max: 100, ..SolveLimits::default() };
    let error = resolve(&shelf, &Request { limits, ..request(&["omni.app"]) }).unwrap_err();
    assert!(matches!(error, SolveError::GaveUp { steps: 100 }), "{error}");
    let limits = SolveLimits { time_max: Duration::ZERO, ..SolveLimits::default() };
    let error = resolve(&shelf, &Request { limits, ..request(&["omni.app"]) }).unwrap_err();
    assert!(matches!(error, SolveError::GaveUp { .. }), "{error}");
}

#[test]
fn roots_are_read_as_written() {
    for (text, shown) in [("omni.a", "omni.a"), ("omni.a@*", "omni.a"), ("omni.a@ ^1.2 , <1.5", "omni.a@^1.2 , <1.5")] {
        assert_eq!(text.parse::<Root>().unwrap().to_string(), shown);
    }
    assert!("a".parse::<Root>().unwrap_err().to_string().contains("NAMESPACE.NAME"));
    assert!("omni.a@x y".parse::<Root>().unwrap_err().to_string().contains("looks like ^1.2"));
}
