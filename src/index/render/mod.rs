//! From a package to what it contributes to the files of every view. Pure, so many packages can be rendered at once.
//!
//! Knows the texts of lines and summaries; which views exist and what else is in them does not matter here.

mod line;
mod listing;
mod relist;
mod resolve;
mod summary;

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use self::line::Line;
pub use self::listing::{ListedArchive, Listing, listing};
pub use self::relist::Relisting;
use self::resolve::Releases;
use super::package_file::PackageFile;
use super::source::PackageSource;
use super::view::ViewName;
use crate::model::Visibility;

/// What a package contributes to the views of its owner's channels. It does not say to whom: that a private package is
/// left out of the public views is the index's part.
#[derive(Debug, Clone)]
pub struct RenderedPackage {
    /// Who may read it.
    pub visibility: Visibility,
    /// The contents that its views have of it, each at least in one view.
    pub contents: Vec<RenderedContent>,
    /// The views that have anything of it, each once, and which of the contents they have.
    pub views: Vec<(ViewName, usize)>,
}

impl RenderedPackage {
    /// Keeps of the lines no more than their checksums: for many packages at once whose lines nobody may read soon.
    #[must_use]
    pub fn without_lines(mut self) -> Self {
        for content in &mut self.contents {
            content.file = Arc::new(content.file.without_lines());
        }
        self
    }

    /// Whether all views have the same of both, as far as is known of their lines.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let same = |(left, right): (&RenderedContent, &RenderedContent)| {
            left.summary == right.summary && left.file.is_same(&right.file)
        };
        (self.visibility, &self.views, self.contents.len()) == (other.visibility, &other.views, other.contents.len())
            && self.contents.iter().zip(&other.contents).all(same)
    }

    /// What its owner's default channel has of it, or another one where that has nothing.
    #[must_use]
    pub fn shown_summary(&self) -> Option<&str> {
        let default = self.views.iter().find(|(view, _)| *view == ViewName::Default);
        let of_default = default.and_then(|(_, at)| self.contents.get(*at)?.summary.as_deref());
        of_default.or_else(|| self.contents.iter().find_map(|content| content.summary.as_deref()))
    }
}

/// What those views have of a package whose readers get the same releases.
#[derive(Debug, Clone)]
pub struct RenderedContent {
    /// Its lines.
    pub file: Arc<PackageFile>,
    /// Its entry in `summaries.gz`, name and value; none where no version of it is offered.
    pub summary: Option<Box<str>>,
}

/// Renders a package: each archive once, and once what several channels have alike.
#[must_use]
pub fn render(source: &PackageSource) -> RenderedPackage {
    let package = &source.package;
    let full_name = package.full_name();
    let shared_name: Arc<str> = full_name.as_str().into();
    let platforms: HashMap<_, _> = source.platforms.iter().map(|platform| (platform.id, &platform.name)).collect();
    let releases = Releases::new(source);
    let lines: Vec<Vec<Line<'_>>> = releases
        .get()
        .iter()
        .map(|release| {
            let archives = resolve::archives(release, &platforms).into_iter();
            archives.map(|(platform, file)| Line::new(&full_name, &release.release, platform, file)).collect()
        })
        .collect();

    let mut resolved: Vec<Vec<usize>> = Vec::new();
    let mut rendered = RenderedPackage { visibility: package.visibility, contents: Vec::new(), views: Vec::new() };
    for channel in source.channels.iter() {
        let places = releases.resolve(channel.id);
        let content = resolved.iter().position(|known| *known == places).or_else(|| {
            let mut lines: Vec<_> = places.iter().flat_map(|at| &lines[*at]).collect();
            line::one_per_id(&mut lines);
            if lines.is_empty() {
                return None;
            }
            let file = PackageFile::new(Arc::clone(&shared_name), lines.iter().map(|line| line.text()));
            let channel_name = |line: &Line<'_>| {
                source.channels.iter().find(|channel| channel.id == line.release.channel).map(|channel| &channel.name)
            };
            let summary = summary::entry(package, &lines, channel_name).map(String::into_boxed_str);
            rendered.contents.push(RenderedContent { file: Arc::new(file), summary });
            resolved.push(places);
            Some(resolved.len() - 1)
        });
        let Some(content) = content else { continue };
        if channel.default {
            rendered.views.push((ViewName::Default, content));
        }
        rendered.views.push((ViewName::Channel(channel.name.clone()), content));
    }
    rendered
}

/// Renders many packages, in their order, on all processors.
#[must_use]
pub fn render_all<K: Copy + Send + Sync>(sources: &[(K, Option<PackageSource>)]) -> Vec<(K, Option<RenderedPackage>)> {
    /// Fewer packages than this for each thread are not worth one: it costs as much as rendering a few.
    const PER_THREAD_MIN: usize = 16;
    let one = |(key, source): &(K, Option<PackageSource>)| (*key, source.as_ref().map(render));
    let worth = sources.len() / PER_THREAD_MIN;
    // Asking for the processors reads files of the system, so not each time.
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    let processors = || *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let threads = if worth < 2 { 1 } else { processors().min(worth) };
    if threads < 2 {
        return sources.iter().map(one).collect();
    }
    std::thread::scope(|scope| {
        let shares = sources.chunks(sources.len().div_ceil(threads));
        let workers: Vec<_> =
            shares.map(|share| scope.spawn(move || share.iter().map(one).collect::<Vec<_>>())).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, Vec<_>>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect()
    })
}

/// A value as compact JSON.
#[expect(clippy::expect_used, reason = "values and structs with text keys always have a JSON form")]
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("JSON with text keys")
}

#[cfg(test)]
mod tests;
