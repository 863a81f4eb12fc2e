// One's own account.

import { count, size } from '../words/size';

const days = (number: number) => (number === 1 ? '1 day' : `${count(number)} days`);
const releases = (number: number) => (number === 1 ? '1 release' : `${count(number)} releases`);
const packages = (number: number) => (number === 1 ? '1 package' : `${count(number)} packages`);
/** One, or one and two, or one, two and three. */
const listed = (parts: string[], last: string) =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} ${last} ${parts.at(-1) ?? ''}`;

interface Rule {
  keep_newest: number | null;
  keep_days: number | null;
  keep_downloaded_days: number | null;
}

export const account = {
  title: 'Account',
  navigation: 'Pages of your account',
  sections: { '': 'Password', tokens: 'API tokens', channels: 'Channels', platforms: 'Platforms' },
  signedInAs: (name: string) => `Signed in as ${name}.`,
  password: {
    title: 'Password',
    old: 'Current password',
    new: 'New password',
    action: 'Change the password',
    done: 'The password is changed. Other browsers are signed out.',
    wrong: 'That is not your current password.',
  },
  tokens: {
    title: 'API tokens',
    lead: 'A token lets a program act as you, as far as its scope goes.',
    new: 'New token',
    name: 'Name',
    nameHint: 'Where it is used, such as “laptop” or “release pipeline”.',
    scope: 'It may',
    scopes: { read: 'Read', publish: 'Publish', admin: 'Everything' },
    scopeHints: {
      read: 'see and download what you may see',
      publish: 'also make packages and releases, and upload files',
      admin: 'also all else that you may: members, settings, deleting',
    },
    expires: 'Expires',
    expiries: { '30': 'in 30 days', '90': 'in 90 days', '365': 'in a year', '': 'never' },
    action: 'Make the token',
    created: 'Created',
    lastUsed: 'Last used',
    made: (name: string) => `This is the token “${name}”. Copy it now; it is not shown again.`,
    delete: 'Delete',
    deleteOf: (name: string) => `Delete the token ${name}`,
    deleteTitle: (name: string) => `Delete the token “${name}”?`,
    deleteText: 'Programs that use it are refused from now on.',
    deleteAction: 'Delete the token',
    deleted: (name: string) => `The token “${name}” is deleted.`,
    empty: 'No tokens yet',
    emptyText: 'Make one to publish from a terminal or a pipeline. It goes into the variable PACKHOUSE_TOKEN.',
    expired: 'expired',
  },
  channels: {
    title: 'Channels',
    lead: 'Stages of your releases. Those who follow a channel also get the releases of the channels it includes.',
    new: 'New channel',
    name: 'Name',
    short: 'Short name',
    shortHint: 'At most 8 characters.',
    default: 'Default',
    isDefault: 'Default',
    makeDefault: 'Make default',
    makeDefaultOf: (name: string) => `Make ${name} the default channel`,
    defaultHint: 'What those get who ask for no channel.',
    includes: 'Includes',
    includesNone: 'only its own releases',
    action: 'Make the channel',
    save: 'Save the channel',
    editOf: (name: string) => `Edit the channel ${name}`,
    deleteOf: (name: string) => `Delete the channel ${name}`,
    deleteTitle: (name: string) => `Delete the channel ${name}?`,
    deleteText: 'Only a channel without releases can be deleted.',
    deleteAction: 'Delete the channel',
    saved: (name: string) => `The channel ${name} is saved.`,
    deleted: (name: string) => `The channel ${name} is deleted.`,
    keeps: 'Keeps',
    keepsAll: 'everything',
    /** The rule in few words. */
    keepsShort: (rule: Rule) =>
      listed(
        [
          ...(rule.keep_newest ? [`the ${count(rule.keep_newest)} newest`] : []),
          ...(rule.keep_days ? [days(rule.keep_days)] : []),
          ...(rule.keep_downloaded_days ? [`${days(rule.keep_downloaded_days)} after a download`] : []),
        ],
        'and',
      ),
  },
  retention: {
    action: 'Retention',
    actionOf: (name: string) => `Retention of the channel ${name}`,
    title: (name: string) => `What ${name} keeps`,
    lead: 'Once a day, releases go that no condition keeps, of all your packages on this channel. Fields that are empty do not count.',
    newest: 'Newest releases',
    newestHint: 'Of each package, those with the highest versions.',
    days: 'Days after publishing',
    downloadedDays: 'Days after download',
    downloadedDaysHint: 'The last one, or publishing.',
    /** The rule in a sentence. */
    sentence: (rule: Rule) =>
      `A release stays ${listed(
        [
          ...(rule.keep_newest
            ? [rule.keep_newest === 1 ? 'while it is the newest of its package' : `while it is among the ${count(rule.keep_newest)} newest of its package`]
            : []),
          ...(rule.keep_days ? [`for ${days(rule.keep_days)} after it was published`] : []),
          ...(rule.keep_downloaded_days ? [`for ${days(rule.keep_downloaded_days)} after it was last downloaded`] : []),
        ],
        'or',
      )}.`,
    always: 'Drafts always stay, and so does the newest release for each platform, so that updates go on working. A yanked release stays as long as others in its place.',
    everything: 'Without a rule, everything stays.',
    nothingGoes: (stay: number) => (stay === 0 ? 'Nothing would go: there are no releases yet.' : `Nothing would go: all ${releases(stay)} stay.`),
    goes: (total: { releases: number; packages: number; size: number; stay: number; complete: boolean }) =>
      `${total.complete ? '' : 'At least '}${releases(total.releases)} of ${packages(total.packages)}, ${size(total.size)}, would go`,
    stay: (stay: number) => `${releases(stay)} stay.`,
    unknown: (date: string) => `The server does not know of downloads for long enough yet. Until ${date} it keeps everything.`,
    gone: 'Releases that would go',
    package: 'Package',
    version: 'Version',
    why: 'Why',
    size: 'Size',
    yanked: 'yanked',
    more: 'Show more',
    save: 'Save the rule',
    remove: 'Keep everything',
    saved: (name: string) => `The rule of ${name} is saved.`,
    removed: (name: string) => `The channel ${name} keeps everything.`,
  },
  platforms: {
    title: 'Platforms',
    lead: 'What your files run on. Names that stand in file names are recognized when you drop files.',
    new: 'New platform',
    name: 'Name',
    nameHint: 'Letters, digits and - in parts separated by dots, such as linux-x64 or wx64.r.',
    action: 'Add',
    rename: 'Rename',
    renameOf: (name: string) => `Rename ${name}`,
    renameTitle: (name: string) => `Rename ${name}`,
    renameText: 'Package ids change with it: programs that have the old name need the new one.',
    renameAction: 'Rename',
    deleteOf: (name: string) => `Delete ${name}`,
    deleteTitle: (name: string) => `Delete the platform ${name}?`,
    deleteText: 'Only a platform without files can be deleted.',
    deleteAction: 'Delete the platform',
    saved: (name: string) => `The platform ${name} is there.`,
    deleted: (name: string) => `The platform ${name} is deleted.`,
    anyHint: 'for files that run everywhere; it adds nothing to a package id',
  },
};
