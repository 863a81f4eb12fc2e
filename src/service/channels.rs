//! A user's own channels.

use super::Registry;
use super::caller::Caller;
use super::deed::{About, Deed};
use super::refusal::{Refusal, listed};
use super::views::{ChannelView, Page};
use crate::model::channel::reach;
use crate::model::limits::CHANNELS_PER_USER_MAX;
use crate::model::{
    AuditAction, Channel, ChannelId, ChannelName, ChannelShort, Retention, RetentionRule, Scope, Timestamp, UserId,
};
use crate::store::{Edit, Rows, Source};

/// A channel to make.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// Its name.
    pub name: ChannelName,
    /// Its short form; the name's beginning where it is not given.
    pub short: Option<ChannelShort>,
    /// Whether it becomes the default.
    pub default: bool,
    /// The channels it includes.
    pub includes: Vec<ChannelName>,
    /// What of its releases stays, if not all.
    pub retention: Option<RetentionRule>,
}

/// What of a channel is to change.
#[derive(Debug, Clone, Default)]
pub struct ChannelPatch {
    /// A new name.
    pub name: Option<ChannelName>,
    /// A new short form.
    pub short: Option<ChannelShort>,
    /// `true` makes it the default; the default cannot be given up, only handed on.
    pub default: Option<bool>,
    /// The channels it includes.
    pub includes: Option<Vec<ChannelName>>,
    /// What of its releases stays; the inner level has no rule where all do.
    pub retention: Option<Option<RetentionRule>>,
}

impl Registry {
    /// The caller's channels.
    ///
    /// # Errors
    /// If the caller is no user.
    pub fn channels(&self, caller: &Caller) -> Result<Page<ChannelView>, Refusal> {
        let user = caller.user(Scope::Read)?;
        let channels = self.store.read()?.channels(user.id)?;
        Ok(Page::whole(channels.iter().map(|channel| ChannelView::of(channel, &channels)).collect()))
    }

    /// Makes a channel for the caller.
    ///
    /// # Errors
    /// If the name is taken or a rule is broken.
    pub async fn create_channel(&self, caller: &Caller, new: NewChannel) -> Result<ChannelView, Refusal> {
        let owner = caller.user(Scope::Admin)?.id;
        let deed = self.deed(caller);
        let now = deed.now;
        // It has no id before it is made; none is as high as this one.
        let plan =
            |channels: &[Channel]| planned(channels, made(channels, &new, owner, ChannelId(u64::MAX), now)?, now);
        let turn = self.look_ahead(owner, plan).await?;
        self.store
            .write(move |edit| {
                let _turn = &turn;
                let channels = edit.channels(owner)?;
                // Before an id is taken, so that what is refused has written nothing.
                made(&channels, &new, owner, ChannelId(u64::MAX), now)?;
                let channel = made(&channels, &new, owner, ChannelId(edit.new_id()?), now)?;
                save(edit, &deed, &channel, AuditAction::ChannelCreated)
            })
            .await
    }

    /// Changes one of the caller's channels.
    ///
    /// # Errors
    /// If there is no such channel or a rule is broken.
    pub async fn change_channel(
        &self,
        caller: &Caller,
        name: ChannelName,
        patch: ChannelPatch,
    ) -> Result<ChannelView, Refusal> {
        let owner = caller.user(Scope::Admin)?.id;
        let deed = self.deed(caller);
        let now = deed.now;
        let plan = |channels: &[Channel]| planned(channels, patched(channels, &name, &patch, now)?, now);
        let turn = self.look_ahead(owner, plan).await?;
        self.store
            .write(move |edit| {
                let _turn = &turn;
                let channel = patched(&edit.channels(owner)?, &name, &patch, now)?;
                save(edit, &deed, &channel, AuditAction::ChannelChanged)
            })
            .await
    }

    /// Deletes one of the caller's channels.
    ///
    /// # Errors
    /// If it is the default, has releases, or another channel includes it.
    pub async fn delete_channel(&self, caller: &Caller, name: ChannelName) -> Result<(), Refusal> {
        let user = caller.user(Scope::Admin)?;
        let (owner, namespace) = (user.id, user.name.clone());
        let deed = self.deed(caller);
        let turn = self.look_ahead(owner, |channels| without(channels, &name)).await?;
        self.store
            .write(move |edit| {
                let _turn = &turn;
                let channels = edit.channels(owner)?;
                without(&channels, &name)?;
                let channel = named(&channels, &name)?;
                let mut users = Vec::new();
                for package in edit.packages_of(&namespace)? {
                    if edit.has_releases(package, channel.id)?
                        && let Some(package) = edit.package(package)?
                    {
                        users.push(package.full_name());
                    }
                }
                if !users.is_empty() {
                    let users: Vec<&str> = users.iter().map(|name| name.as_str()).collect();
                    return Err(Refusal::conflict(format!("{name} has releases of {}", listed(&users))));
                }
                edit.delete_channel(owner, channel.id)?;
                Ok(deed.note(edit, AuditAction::ChannelDeleted, About::thing(&name))?)
            })
            .await
    }
}

/// The channel that `new` asks for.
fn made(
    channels: &[Channel],
    new: &NewChannel,
    owner: UserId,
    id: ChannelId,
    now: Timestamp,
) -> Result<Channel, Refusal> {
    if channels.len() >= CHANNELS_PER_USER_MAX {
        return Err(Refusal::conflict(format!("a user has at most {CHANNELS_PER_USER_MAX} channels")));
    }
    check_name_is_free(channels, &new.name, None)?;
    let includes = included(channels, &new.includes)?;
    let short = match &new.short {
        Some(short) => short.clone(),
        None => {
            let start: String = new.name.as_str().chars().take(8).collect();
            start.parse().map_err(|problem| Refusal::invalid("short", problem))?
        }
    };
    Ok(Channel {
        id,
        owner,
        name: new.name.clone(),
        short,
        default: new.default,
        includes,
        retention: new.retention.map(|rule| Retention { rule, since: now }),
        created: now,
        changed: now,
    })
}

/// The channel of that name as `patch` wants it.
fn patched(channels: &[Channel], name: &ChannelName, patch: &ChannelPatch, now: Timestamp) -> Result<Channel, Refusal> {
    let mut channel = named(channels, name)?.clone();
    if let Some(new_name) = &patch.name {
        check_name_is_free(channels, new_name, Some(channel.id))?;
        channel.name = new_name.clone();
    }
    if let Some(short) = &patch.short {
        channel.short = short.clone();
    }
    if let Some(default) = patch.default {
        if channel.default && !default {
            return Err(Refusal::conflict("one channel is the default; make another one the default instead"));
        }
        channel.default = default;
    }
    if let Some(includes) = &patch.includes {
        channel.includes = included(channels, includes)?;
    }
    // The same rule again is no change: it goes on to act when it would have.
    if let Some(rule) = patch.retention
        && rule != channel.retention.map(|known| known.rule)
    {
        channel.retention = rule.map(|rule| Retention { rule, since: now });
    }
    channel.changed = now;
    Ok(channel)
}

/// All channels with this one among them, which takes the default over if it wants it; no circles.
fn planned(channels: &[Channel], channel: Channel, now: Timestamp) -> Result<Vec<Channel>, Refusal> {
    let mut planned = channels.to_vec();
    for other in planned.iter_mut().filter(|other| channel.default && other.default && other.id != channel.id) {
        other.default = false;
        other.changed = now;
    }
    let (id, includes) = (channel.id, channel.includes.clone());
    match planned.iter_mut().find(|known| known.id == id) {
        Some(known) => *known = channel,
        None => planned.push(channel),
    }
    if includes.iter().any(|included| reach(*included, &planned).contains(&id)) {
        return Err(Refusal::invalid("includes", "channels cannot include each other in a circle"));
    }
    Ok(planned)
}

/// All channels without the one of that name, which is neither the default nor included.
fn without(channels: &[Channel], name: &ChannelName) -> Result<Vec<Channel>, Refusal> {
    let channel = named(channels, name)?;
    if channel.default {
        return Err(Refusal::conflict(format!("{name} is your default channel; make another one the default first")));
    }
    let including = channels.iter().filter(|other| other.includes.contains(&channel.id));
    let including: Vec<&str> = including.map(|other| other.name.as_str()).collect();
    if !including.is_empty() {
        return Err(Refusal::conflict(format!("{name} is included by {}", listed(&including))));
    }
    Ok(channels.iter().filter(|other| other.id != channel.id).cloned().collect())
}

/// Saves a channel and those that it changes with it.
fn save(edit: &mut Edit<'_, '_>, deed: &Deed, channel: &Channel, action: AuditAction) -> Result<ChannelView, Refusal> {
    let former = edit.channels(channel.owner)?;
    let all = planned(&former, channel.clone(), deed.now)?;
    for one in all.iter().filter(|one| !former.contains(one)) {
        edit.put_channel(one)?;
    }
    let former = former.iter().find(|former| former.id == channel.id);
    let former_rule = former.and_then(|former| former.retention).map(|retention| retention.rule);
    let mut detail = Vec::new();
    detail.extend(channel.default.then(|| "default".to_owned()));
    match channel.retention.map(|retention| retention.rule) {
        rule if rule == former_rule => {}
        Some(rule) => detail.push(rule.to_string()),
        None => detail.push("keeps everything".to_owned()),
    }
    deed.note(edit, action, About::thing(&channel.name).detail(detail.join("; ")))?;
    Ok(ChannelView::of(channel, &all))
}

fn included(channels: &[Channel], names: &[ChannelName]) -> Result<Vec<ChannelId>, Refusal> {
    let mut ids = Vec::new();
    for name in names {
        let channel = channels.iter().find(|channel| channel.name == *name);
        let id = channel
            .map(|channel| channel.id)
            .ok_or_else(|| Refusal::invalid("includes", format!("there is no channel {name}")))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Two names that differ only in case would be taken for each other.
fn check_name_is_free(channels: &[Channel], name: &ChannelName, own: Option<ChannelId>) -> Result<(), Refusal> {
    let taken = channels.iter().any(|c| Some(c.id) != own && c.name.as_str().eq_ignore_ascii_case(name.as_str()));
    if taken { Err(Refusal::taken("name", format!("you have a channel {name} already"))) } else { Ok(()) }
}

pub(super) fn named<'a>(channels: &'a [Channel], name: &ChannelName) -> Result<&'a Channel, Refusal> {
    let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
    channels.iter().find(|channel| channel.name == *name).ok_or_else(|| Refusal::no_such("channel", name, &names))
}

/// An owner's channel by name.
pub(super) fn channel_named<S: Source>(rows: &Rows<S>, owner: UserId, name: &ChannelName) -> Result<Channel, Refusal> {
    let channels = rows.channels(owner)?;
    named(&channels, name).cloned()
}
