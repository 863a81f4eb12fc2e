//! Which views have what of a package when its owner's channels change and its releases do not.
//!
//! Most of what the views have then, other views had before: it is found by the channels that its releases are on,
//! so that a change of channels need not read and render all releases of all packages of its owner.

use super::{RenderedContent, RenderedPackage, summary};
use crate::index::view::ViewName;
use crate::model::channel::reach;
use crate::model::{Channel, ChannelId, ChannelName};

/// A change of an owner's channels.
#[derive(Debug)]
pub struct Relisting {
    former: Vec<Listed>,
    next: Vec<Listed>,
    /// Channels that have another name now.
    renamed: Vec<(ChannelName, ChannelName)>,
}

#[derive(Debug)]
struct Listed {
    name: ChannelName,
    default: bool,
    reach: Vec<ChannelId>,
}

impl Listed {
    fn all(channels: &[Channel]) -> Vec<Self> {
        let listed = |channel: &Channel| Self {
            name: channel.name.clone(),
            default: channel.default,
            reach: reach(channel.id, channels),
        };
        channels.iter().map(listed).collect()
    }

    /// Those of the channels in `used` that its readers get, nearest first: what they get of a package follows from
    /// these alone.
    fn reached<'a>(&'a self, used: &'a [ChannelId]) -> impl Iterator<Item = ChannelId> + 'a {
        self.reach.iter().copied().filter(|id| used.contains(id))
    }
}

impl Relisting {
    /// The change from `former` to `next`, all channels of the owner before and behind it.
    #[must_use]
    pub fn new(former: &[Channel], next: &[Channel]) -> Self {
        let renamed = former.iter().filter_map(|old| {
            let new = next.iter().find(|new| new.id == old.id && new.name != old.name)?;
            Some((old.name.clone(), new.name.clone()))
        });
        Self { former: Listed::all(former), next: Listed::all(next), renamed: renamed.collect() }
    }

    /// What [`super::render`] would make of a package from now on that it made `package` of before; its releases are
    /// on the channels `used` and no others. Nothing where a view is to have releases together that none had so
    /// before: the package must then be rendered.
    #[must_use]
    pub fn apply(&self, package: &RenderedPackage, used: &[ChannelId]) -> Option<RenderedPackage> {
        let mut kept: Vec<usize> = Vec::new();
        let mut views = Vec::with_capacity(package.views.len());
        for channel in &self.next {
            if channel.reached(used).next().is_none() {
                continue;
            }
            let same = self.former.iter().find(|former| former.reached(used).eq(channel.reached(used)))?;
            let view = |(view, _): &&(ViewName, usize)| matches!(view, ViewName::Channel(name) if *name == same.name);
            // Drafts alone are on no view.
            let Some((_, at)) = package.views.iter().find(view) else { continue };
            let at = kept.iter().position(|kept| kept == at).unwrap_or_else(|| {
                kept.push(*at);
                kept.len() - 1
            });
            if channel.default {
                views.push((ViewName::Default, at));
            }
            views.push((ViewName::Channel(channel.name.clone()), at));
        }
        let contents = kept.iter().map(|at| self.content(package.contents.get(*at)?));
        Some(RenderedPackage { visibility: package.visibility, contents: contents.collect::<Option<_>>()?, views })
    }

    /// A content whose summary has the present name of the channel that its version is on.
    fn content(&self, content: &RenderedContent) -> Option<RenderedContent> {
        let mut content = content.clone();
        if !self.renamed.is_empty()
            && let Some(entry) = &content.summary
        {
            content.summary = Some(summary::with_renamed(entry, &self.renamed)?.into_boxed_str());
        }
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::sync::Arc;

    use super::*;
    use crate::index::fixture::{channel, release, source};
    use crate::index::render::render;
    use crate::index::source::PackageSource;

    /// What is stored of a rendered package, as text.
    fn shown(package: &RenderedPackage) -> String {
        let contents = package
            .contents
            .iter()
            .map(|content| format!("{} {} {:?}", content.file.crc32(), content.file.text_len_bytes(), content.summary));
        format!("{:?} {:?} {:?}", package.visibility, contents.collect::<Vec<_>>(), package.views)
    }

    /// Four channels or less, each of which includes some of those before it, the default among them, and their names.
    fn channels() -> impl Strategy<Value = Vec<Channel>> {
        let of_one = (prop::collection::btree_set(1..4_u64, 0..3), 0..2_usize, prop::bool::weighted(0.9));
        (prop::collection::vec(of_one, 4), 0..4_usize).prop_map(|(of_all, default)| {
            let named = |(at, (includes, name, there)): (usize, (std::collections::BTreeSet<u64>, usize, bool))| {
                let id = at as u64 + 1;
                let name = format!("{}{id}", ["a", "b"][name]);
                let includes: Vec<u64> = includes.into_iter().filter(|other| *other < id).collect();
                there.then(|| channel(id, &name, false, &includes))
            };
            let mut channels: Vec<_> = of_all.into_iter().enumerate().filter_map(named).collect();
            let ids: Vec<_> = channels.iter().map(|channel| channel.id).collect();
            for channel in &mut channels {
                channel.includes.retain(|id| ids.contains(id));
            }
            let count = channels.len();
            if let Some(channel) = channels.get_mut(default % count.max(1)) {
                channel.default = true;
            }
            channels
        })
    }

    proptest! {
        #[test]
        fn equals_rendering_where_it_says_anything(
            former in channels(),
            next in channels(),
            places in prop::collection::vec((1..5_u64, 0..4_u64, any::<bool>(), any::<bool>()), 0..6),
        ) {
            // Releases are on channels that are there before and behind, as the store sees to.
            let there = |id: u64| [&former, &next].iter().all(|all| all.iter().any(|channel| channel.id.0 == id));
            let mut releases = Vec::new();
            for (at, (on, version, active, yanked)) in places.into_iter().enumerate().filter(|(_, (on, ..))| there(*on)) {
                let manifest = format!(r#"{{"package":{{"title":"{at} \u00fc","n":1.0}}}}"#);
                let mut one = release(at as u64 + 1, on, &format!("1.{version}.0")).with(1, "a.zip", Some(&manifest));
                one.release.active = active;
                releases.push(if yanked { one.yanked() } else { one });
            }
            let mut used: Vec<_> = releases.iter().map(|release| release.release.channel).collect();
            used.sort_unstable();
            used.dedup();
            let with = |channels: &[Channel]| {
                let channels: Arc<[Channel]> = channels.into();
                render(&PackageSource { channels, releases: releases.clone(), ..source(1, "omni.kit") })
            };
            let before = with(&former);
            if let Some(behind) = Relisting::new(&former, &next).apply(&before, &used) {
                prop_assert_eq!(shown(&behind), shown(&with(&next)));
            }
        }
    }

    fn with(channels: &[Channel], releases: &[(u64, &str)]) -> (RenderedPackage, Vec<ChannelId>) {
        let releases: Vec<_> = (1..)
            .zip(releases)
            .map(|(id, (channel, version))| release(id, *channel, version).with(1, "a.zip", None))
            .collect();
        let used = releases.iter().map(|release| release.release.channel).collect();
        (render(&PackageSource { channels: channels.into(), releases, ..source(1, "omni.kit") }), used)
    }

    /// The usual cases must not fall back to rendering, which takes half a minute for 100,000 packages.
    #[test]
    fn what_another_view_has_is_taken_from_there() {
        let former = [channel(1, "stable", true, &[]), channel(2, "beta", false, &[1])];
        let apart = [channel(1, "stable", true, &[]), channel(2, "beta", false, &[])];
        let renamed = [channel(1, "main", false, &[]), channel(2, "beta", true, &[1])];
        let (of_one, used) = with(&former, &[(1, "1.0.0"), (1, "2.0.0")]);
        let names =
            |package: &RenderedPackage| package.views.iter().map(|(view, _)| format!("{view:?}")).collect::<String>();

        let moved = Relisting::new(&former, &apart).apply(&of_one, &used).unwrap();
        assert_eq!(moved.views.len(), 2, "{:?}", moved.views);
        let back = Relisting::new(&apart, &former).apply(&moved, &used).unwrap();
        assert_eq!(shown(&back), shown(&of_one));

        let moved = Relisting::new(&former, &renamed).apply(&of_one, &used).unwrap();
        assert!(names(&moved).contains("main") && !names(&moved).contains("stable"), "{:?}", moved.views);
        assert!(moved.contents[0].summary.as_deref().unwrap().contains(r#""channel":"main""#));

        let (of_both, used) = with(&former, &[(1, "1.0.0"), (2, "2.0.0")]);
        assert!(Relisting::new(&former, &apart).apply(&of_both, &used).is_none(), "no view had beta alone");
        let more = [former[0].clone(), former[1].clone(), channel(3, "gamma", false, &[2])];
        assert!(Relisting::new(&former, &more).apply(&of_both, &used).is_some(), "beta's readers had the same");
    }
}
