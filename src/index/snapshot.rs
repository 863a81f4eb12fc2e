//! A snapshot: all public views in one state.
//!
//! Immutable. A reader who takes everything from one snapshot sees files that fit together.

use std::sync::Arc;

use super::serial::Serial;
use super::shared_map::{Named, SharedMap};
use super::view::{View, ViewName};
use crate::model::ChannelName;

/// See the module. Cloning costs nothing.
#[derive(Debug, Clone)]
pub struct Snapshot {
    default: Arc<View>,
    channels: SharedMap<ChannelView>,
    /// What a view is before its first package.
    empty: Arc<View>,
}

#[derive(Debug, Clone)]
struct ChannelView {
    name: ChannelName,
    view: Arc<View>,
}

impl Named for ChannelView {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl Snapshot {
    /// Without any package.
    pub(super) fn empty(serial: Serial) -> Self {
        let empty = Arc::new(View::empty(serial));
        Self { default: Arc::clone(&empty), channels: SharedMap::new(), empty }
    }

    /// A view. The default view always exists, that of a channel while anything public is on it.
    #[must_use]
    pub fn view(&self, name: &ViewName) -> Option<&Arc<View>> {
        match name {
            ViewName::Default => Some(&self.default),
            ViewName::Channel(channel) => self.channels.get(channel.as_str()).map(|channel| &channel.view),
        }
    }

    /// What a view is that no package is on.
    #[must_use]
    pub fn empty_view(&self) -> Arc<View> {
        Arc::clone(&self.empty)
    }

    /// All views, in no order.
    pub fn views(&self) -> impl Iterator<Item = (ViewName, &Arc<View>)> {
        let channels = self.channels.iter().map(|channel| (ViewName::Channel(channel.name.clone()), &channel.view));
        std::iter::once((ViewName::Default, &self.default)).chain(channels)
    }

    /// The view that the next state of `name` comes from.
    pub(super) fn base(&self, name: &ViewName) -> &Arc<View> {
        self.view(name).unwrap_or(&self.empty)
    }

    /// The snapshot with its views changed last at these serials.
    pub(super) fn with_serials(&self, serials: &[(ViewName, Serial)]) -> Self {
        // Views that are one stay one.
        let mut made: Vec<(&Arc<View>, Serial, Arc<View>)> = Vec::new();
        let mut views = Vec::new();
        for (name, serial) in serials {
            let Some(view) = self.view(name) else { continue };
            let known = made.iter().find(|(of, at, _)| Arc::ptr_eq(of, view) && at == serial);
            let next = match known {
                Some((_, _, next)) => Arc::clone(next),
                None => Arc::new(view.with_serial(*serial)),
            };
            made.push((view, *serial, Arc::clone(&next)));
            views.push((name.clone(), next));
        }
        self.with(views)
    }

    /// The snapshot with these views in the place of their former states. A channel that nothing is on is gone.
    pub(super) fn with(&self, views: impl IntoIterator<Item = (ViewName, Arc<View>)>) -> Self {
        let mut next = self.clone();
        let mut channels = Vec::new();
        for (name, view) in views {
            match name {
                ViewName::Default => {
                    // A view that nothing was on yet is what channels begin as, and those that have the same are one.
                    if view.is_empty() && Arc::ptr_eq(&self.default, &self.empty) {
                        next.empty = Arc::clone(&view);
                    }
                    next.default = view;
                }
                ViewName::Channel(name) => channels.push(ChannelView { name, view }),
            }
        }
        next.channels = self.channels.apply(
            channels.iter().map(|channel| (channel.name(), (!channel.view.is_empty()).then(|| channel.clone()))),
        );
        next
    }
}
