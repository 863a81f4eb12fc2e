//! The texts that a package becomes.

use super::*;
use crate::index::fixture::{channel, release, source, text};
use crate::index::source::ReleaseSource;
use crate::model::{Crc32, Sha256};

fn rendered(releases: Vec<ReleaseSource>) -> RenderedPackage {
    render(&PackageSource { releases, ..source(1, "omni.kit.window") })
}

fn content<'a>(package: &'a RenderedPackage, view: &str) -> Option<&'a RenderedContent> {
    let name = match view {
        "" => ViewName::Default,
        channel => ViewName::Channel(channel.parse().unwrap()),
    };
    let (_, at) = package.views.iter().find(|(view, _)| *view == name)?;
    Some(&package.contents[*at])
}

fn lines(package: &RenderedPackage, view: &str) -> Vec<String> {
    let Some(content) = content(package, view) else { return Vec::new() };
    let text = text(&content.file.render().unwrap());
    assert_eq!(Crc32::of(text.as_bytes()), content.file.crc32());
    assert_eq!(text.len() as u64, content.file.text_len_bytes());
    assert!(text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

fn ids(package: &RenderedPackage, view: &str) -> Vec<String> {
    lines(package, view).iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

fn summary(package: &RenderedPackage, view: &str) -> Option<String> {
    content(package, view)?.summary.as_deref().map(str::to_owned)
}

#[test]
fn a_line_has_what_a_solver_needs_and_the_manifests_own_words() {
    let manifest = r#"{"package":{"title":"T"},"targets":{"config":["release"]},"x":1,
        "dependencies":{"omni.z":{"version":"1.10"},"filter:platform":{"windows":{"omni.a":{}}},"n":1.10}}"#;
    let package = rendered(vec![release(1, 1, "1.0.0").with(100, "kit window.zip", Some(manifest))]);
    let sha256 = Sha256::of(&10_u64.to_le_bytes());
    let line = format!(
        concat!(
            r#"1.0.0+wx64.r {{"dependencies":{{"omni.z":{{"version":"1.10"}},"#,
            r#""filter:platform":{{"windows":{{"omni.a":{{}}}}}},"n":1.10}},"targets":{{"config":["release"]}},"#,
            r#""package":{{"archivePath":"archives/omni.kit.window/omni.kit.window-1.0.0+wx64.r/kit%20window.zip","#,
            r#""size":10,"sha256":"{}"}}}}"#
        ),
        sha256
    );
    assert_eq!(lines(&package, ""), [line]);
}

#[test]
fn a_line_without_a_manifest_has_the_package_alone() {
    let package = rendered(vec![release(1, 1, "1.0.0").with(1, "a.zip", None).yanked()]);
    let sha256 = Sha256::of(&10_u64.to_le_bytes());
    let line = format!(
        r#"1.0.0 {{"package":{{"archivePath":"archives/omni.kit.window/omni.kit.window-1.0.0/a.zip","size":10,"sha256":"{sha256}","yanked":true}}}}"#
    );
    assert_eq!(lines(&package, ""), [line]);
}

#[test]
fn lines_are_ordered_by_version_then_platform() {
    let package = rendered(vec![
        release(1, 1, "1.10.0").with(1, "a", None),
        release(2, 1, "1.9.0").with(5, "w", None).with(1, "a", None).with(2, "l", None).with(1, "a.sig", None),
        release(3, 1, "1.10.0-rc.1").with(1, "a", None),
        release(4, 1, "1.9.0+b2").with(2, "l", None).with(1, "a", None),
        release(5, 1, "2.0.0"),
        release(6, 1, "3.0.0").with(999, "of an unknown platform", None),
    ]);
    let expected =
        ["1.9.0", "1.9.0+linux-x64", "1.9.0+windows-arm64", "1.9.0+b2", "1.9.0+b2.linux-x64", "1.10.0-rc.1", "1.10.0"];
    assert_eq!(ids(&package, ""), expected);
    assert!(lines(&package, "")[0].contains("/a\""), "the first file of a platform is its archive");
}

#[test]
fn of_two_archives_with_one_id_the_longer_platform_is_meant() {
    let package = rendered(vec![
        release(1, 1, "1.0.0+a").with(102, "b.zip", None),
        release(2, 1, "1.0.0").with(101, "a.b.zip", None),
    ]);
    assert_eq!(ids(&package, ""), ["1.0.0+a.b"]);
    assert!(lines(&package, "")[0].contains("/a.b.zip\""));
    assert!(summary(&package, "").unwrap().contains(r#""platforms":["a.b"]"#));
}

#[test]
fn the_nearest_release_of_a_version_counts() {
    let package = rendered(vec![
        release(1, 1, "1.0.0").with(1, "stable", None).with(2, "stable", None),
        release(2, 2, "1.0.0").with(1, "beta", None),
        release(3, 3, "2.0.0").with(1, "alpha", None),
    ]);
    assert_eq!(ids(&package, "stable"), ["1.0.0", "1.0.0+linux-x64"]);
    assert_eq!(ids(&package, "beta"), ["1.0.0"]);
    assert!(lines(&package, "beta")[0].contains("/beta\""));
    assert_eq!(ids(&package, "alpha"), ["1.0.0", "2.0.0"]);
    assert!(summary(&package, "alpha").unwrap().contains(r#""version":"2.0.0""#));
    assert!(summary(&package, "beta").unwrap().contains(r#""channel":"beta""#));
}

#[test]
fn channels_with_the_same_releases_share_one_content() {
    let package = rendered(vec![release(1, 1, "1.0.0").with(1, "a", None)]);
    assert_eq!((package.contents.len(), package.views.len()), (1, 4));
    assert!(summary(&package, "alpha").unwrap().contains(r#""channel":"stable""#));

    let beta = rendered(vec![release(1, 2, "1.0.0").with(1, "a", None)]);
    assert_eq!((beta.contents.len(), beta.views.len()), (1, 2));
    assert!(content(&beta, "").is_none() && content(&beta, "stable").is_none());
}

#[test]
fn the_default_view_shows_the_default_channel() {
    let channels = [channel(1, "stable", false, &[]), channel(2, "nightly", true, &[])];
    let releases = vec![release(1, 1, "1.0.0").with(1, "a", None), release(2, 2, "2.0.0").with(1, "a", None)];
    let package = render(&PackageSource { channels: channels.into(), releases, ..source(1, "omni.bar") });
    assert_eq!(ids(&package, ""), ["2.0.0"]);
    assert_eq!(ids(&package, "stable"), ["1.0.0"]);
}

#[test]
fn a_package_without_archives_is_nowhere() {
    let draft = {
        let mut draft = release(2, 1, "2.0.0").with(1, "a", None);
        draft.release.active = false;
        draft
    };
    let package = rendered(vec![release(1, 1, "1.0.0"), draft]);
    assert!(package.views.is_empty() && package.contents.is_empty());
}

#[test]
fn a_summary_shows_the_highest_offered_version() {
    let manifest = r#"{"package":{"title":"Kit \"W\"","keywords":["a",1.10],"icon":null,"authors":["Ü"],"version":"9",
        "category":"ui","repository":{"type":"git"},"description":"Shows windows","archivePath":"x"},"dependencies":{}}"#;
    let package = rendered(vec![
        release(3, 1, "3.0.0").with(1, "a", None).yanked(),
        release(9, 1, "2.0.0").with(5, "w", None).with(2, "l", Some(manifest)),
        release(1, 1, "1.0.0").with(1, "a", None),
        release(4, 1, "4.0.0"),
    ]);
    let expected = concat!(
        r#""omni.kit.window":{"package":{"title":"Kit \"W\"","description":"Shows windows","#,
        r#""keywords":["a",1.10],"category":"ui","authors":["Ü"],"repository":{"type":"git"},"version":"2.0.0","#,
        r#""package_id":"2.0.0+linux-x64","published":"1970-01-01T00:00:09Z","channel":"stable","#,
        r#""platforms":["linux-x64","windows-arm64"]}}"#
    );
    assert_eq!(summary(&package, "").unwrap(), expected);
}

#[test]
fn a_summary_without_a_manifest_says_what_the_package_says() {
    let mut source = source(1, "omni.kit.window");
    source.releases.push(release(1, 1, "1.0.0").with(1, "a", None));
    let start = r#""omni.kit.window":{"package":{"title":"kit.window","version":"1.0.0","#;
    assert!(summary(&render(&source), "").unwrap().starts_with(start));

    source.package.description = "# Windows\n\nMany.".parse().unwrap();
    assert!(summary(&render(&source), "").unwrap().contains(r#""title":"kit.window","description":"Windows","#));

    let manifest = format!(r#"{{"package":{{"icon":"data:{}","description":null}}}}"#, "x".repeat(10_000));
    source.releases[0] = release(1, 1, "1.0.0").with(1, "a", Some(&manifest));
    assert!(summary(&render(&source), "").unwrap().contains(r#""description":"Windows","version""#));
}

#[test]
fn what_is_only_yanked_has_lines_and_no_summary() {
    let package = rendered(vec![release(1, 1, "1.0.0").with(1, "a", None).yanked()]);
    assert_eq!(ids(&package, ""), ["1.0.0"]);
    assert_eq!(summary(&package, ""), None);
}

#[test]
fn many_are_rendered_in_order() {
    let sources: Vec<_> = (0..100_u64)
        .map(|key| {
            let mut source = source(key, &format!("omni.p{key}"));
            source.releases.push(release(1, 1, "1.0.0").with(1, "a", None));
            (key, (key % 7 > 0).then_some(source))
        })
        .collect();
    for (at, (key, package)) in render_all(&sources).into_iter().enumerate() {
        assert_eq!(key, at as u64);
        let name = package.map(|package| package.contents[0].file.full_name().to_owned());
        assert_eq!(name, (key % 7 > 0).then(|| format!("omni.p{key}")));
    }
}
