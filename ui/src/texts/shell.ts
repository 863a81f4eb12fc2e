// Words that every page has.

export const shell = {
  name: 'Packhouse',
  title: (page: string) => `${page} · Packhouse`,
  skip: 'Skip to the content',
  search: 'Search packages',
  searchShort: 'Search',
  signIn: 'Sign in',
  signOut: 'Sign out',
  signedOut: 'You are signed out.',
  packages: 'Your packages',
  account: 'Account',
  admin: 'Server',
  newPackage: 'New package',
  documentation: 'Documentation',
  documentationShort: 'Docs',
  menuOf: (name: string) => `Account of ${name}`,
  offline: 'You are offline. What you see may be out of date; nothing you entered is lost.',
  online: 'Back online.',
  lost: 'The server does not answer. What you see may be out of date; nothing you entered is lost.',
  again: {
    title: 'You were signed out',
    text: 'The session ended, here or elsewhere. Sign in to go on; all that you entered on this page is still here.',
    password: (name: string) => `Password of ${name}`,
    later: 'Not now',
  },
  throughLink: 'You see this through a link that opens a private package.',
  leaveUnsaved: 'This page has changes that are not saved. Leave it all the same?',
  keys: 'Keys',
  keyList: [
    ['/', 'search'],
    ['n', 'new release of this package, or a new package'],
    ['?', 'this list'],
    ['Esc', 'close what is open'],
    ['Enter', 'do what the blue button says'],
  ],
  home: 'Packhouse, the first page',
  notifications: 'Notes',
};

export const common = {
  cancel: 'Cancel',
  close: 'Close',
  save: 'Save',
  saved: 'Saved.',
  delete: 'Delete',
  edit: 'Edit',
  show: 'Show',
  hide: 'Hide',
  loading: 'Loading…',
  more: 'Show more',
  all: 'All',
  none: 'none',
  never: 'never',
  copied: 'Copied',
  copyCommand: 'Copy the command',
  copyText: 'Copy',
  copyFailed: 'The browser did not let it be copied. Select the text and copy it by hand.',
  copySha256: (of: string) => `Copy the SHA-256 of ${of}`,
  tryAgain: 'Try again',
  undo: 'Undo',
  typeName: (name: string) => `Type ${name} to confirm`,
  preview: 'Preview',
  write: 'Write',
  nothingToPreview: 'Nothing to preview yet.',
  markdownHint: 'Markdown: # heading, **bold**, - list, `code`, [link](address). HTML is shown as text.',
  optional: 'optional',
  conflict: 'Somebody else changed this while you were editing.',
  conflictText: 'Your text is still here and nothing was saved over theirs.',
  conflictShow: 'Show what is there now',
  conflictOverwrite: 'Save mine over it',
  pending: 'Working…',
  required: 'This is needed.',
  private: 'Private',
  public: 'Public',
  channel: 'Channel',
  platform: 'Platform',
  name: 'Name',
  actions: 'Actions',
};

export const error = {
  offline: 'The server could not be reached. Nothing was changed; try again when you are online.',
  status: (status: number) => `The server answered with status ${status}.`,
};

interface Trouble {
  title: string;
  /** Nothing: what the server says. */
  text?: string;
}

type Kind = 'offline' | 'signedOut' | 'missingSignedOut' | 'forbidden' | 'missing' | 'link' | 'other';

export const trouble: Record<Kind, Trouble> & { home: string } = {
  home: 'To the first page',
  offline: {
    title: 'The server cannot be reached',
    text: 'Either this device is offline or the server is. Nothing is lost; try again in a moment.',
  },
  signedOut: { title: 'Sign in to see this', text: 'This page is only for those who are signed in. You come back here afterwards.' },
  missingSignedOut: {
    title: 'Nothing here that you may see',
    text: 'There is nothing at this address, or it is private. If you have an account that may see it, sign in.',
  },
  forbidden: {
    title: 'Not for this account',
    text: 'It needs rights that this account does not have. An owner of the package, or an admin of this server, can give them.',
  },
  missing: {
    title: 'There is nothing here',
    text: 'It was deleted or renamed, the address has a typing error, or it is private and not shared with you.',
  },
  link: {
    title: 'This link no longer opens it',
    text: 'The token in the link was replaced. Ask whoever gave it to you for a new one.',
  },
  other: { title: 'That did not work' },
};
