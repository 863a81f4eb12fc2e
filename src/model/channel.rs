//! Channels and platforms, which belong to a user, and what a new user starts with.

use super::id::{ChannelId, PlatformId, UserId};
use super::name::{ChannelName, ChannelShort, PlatformName};
use super::retention::Retention;
use super::time::Timestamp;

/// A stage of a user's releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// Whose it is.
    pub owner: UserId,
    /// Its name, unique among the owner's.
    pub name: ChannelName,
    /// Its short form.
    pub short: ChannelShort,
    /// Whether it is the owner's default; exactly one is.
    pub default: bool,
    /// Channels of the owner whose releases its readers get too. No cycles.
    pub includes: Vec<ChannelId>,
    /// What of its releases stays; all of them, where there is no rule.
    pub retention: Option<Retention>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
}

/// What files run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// Its id.
    pub id: PlatformId,
    /// Whose it is.
    pub owner: UserId,
    /// Its name, unique among the owner's.
    pub name: PlatformName,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
}

/// A new user's channels: name, short form, and the channel before it that it includes. The first is the default.
pub const FIRST_CHANNELS: [(&str, &str, Option<&str>); 3] =
    [("stable", "S", None), ("beta", "B", Some("stable")), ("alpha", "A", Some("beta"))];

/// A new user's platforms.
pub const FIRST_PLATFORMS: [&str; 7] =
    ["any", "linux-x64", "linux-arm64", "windows-x64", "windows-arm64", "macos-x64", "macos-arm64"];

/// The channels whose releases a reader of `channel` gets, nearest first: itself, then what it includes, what those
/// include, and so on; each once. `channels` are all of the owner's.
#[must_use]
pub fn reach(channel: ChannelId, channels: &[Channel]) -> Vec<ChannelId> {
    let mut reached = vec![channel];
    let mut next = 0;
    while let Some(id) = reached.get(next).copied() {
        next += 1;
        let included = channels.iter().find(|c| c.id == id).map(|c| c.includes.as_slice()).unwrap_or_default();
        for id in included {
            if !reached.contains(id) {
                reached.push(*id);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(id: u64, includes: &[u64]) -> Channel {
        Channel {
            id: ChannelId(id),
            owner: UserId(1),
            name: "c".parse().unwrap(),
            short: "c".parse().unwrap(),
            default: false,
            includes: includes.iter().copied().map(ChannelId).collect(),
            retention: None,
            created: Timestamp::from_micros(0),
            changed: Timestamp::from_micros(0),
        }
    }

    #[test]
    fn reach_is_nearest_first_and_ends_in_cycles() {
        let channels = [channel(1, &[]), channel(2, &[1]), channel(3, &[2, 4]), channel(4, &[1]), channel(5, &[5])];
        let reached = |id| reach(ChannelId(id), &channels).iter().map(|c| c.0).collect::<Vec<_>>();
        assert_eq!(reached(1), [1]);
        assert_eq!(reached(3), [3, 2, 4, 1]);
        assert_eq!(reached(5), [5]);
    }

    #[test]
    fn the_first_names_are_valid() {
        for (name, short, _) in FIRST_CHANNELS {
            assert!(name.parse::<ChannelName>().is_ok() && short.parse::<ChannelShort>().is_ok());
        }
        assert!(FIRST_PLATFORMS.iter().all(|name| name.parse::<PlatformName>().is_ok()));
    }
}
