// The addresses of the views, in both directions. Knows nothing of browsers, so that it can be tested alone.

export type Route =
  | { view: 'home' }
  | { view: 'setup' }
  | { view: 'invitation' }
  | { view: 'signin' }
  | { view: 'newPackage' }
  | { view: 'namespace'; namespace: string }
  | { view: 'account'; section: '' | 'channels' | 'platforms' | 'tokens' }
  | { view: 'admin'; section: '' | 'users' | 'storage' | 'audit' | 'settings' }
  | { view: 'package'; namespace: string; name: string }
  | { view: 'releases' | 'newRelease' | 'stats' | 'settings' | 'audit'; namespace: string; name: string }
  | { view: 'release' | 'editRelease'; namespace: string; name: string; channel: string; version: string }
  | { view: 'nowhere' };

/** Where a user of such a name has no `/NS` page, because something else is there. The server has a list like it. */
const TAKEN = new Set([
  'account', 'admin', 'api', 'assets', 'channels', 'docs', 'download', 'healthz', 'invitation', 'kit', 'metrics', 'new',
  'p', 'readyz', 'registry', 'setup', 'signin', 't', 'v2',
]);

const SECTIONS = {
  account: ['channels', 'platforms', 'tokens'],
  admin: ['users', 'storage', 'audit', 'settings'],
} as const;

/** The route of a path that was stripped of the prefix of a link with a token. */
export function routeOf(pathname: string): Route {
  let parts: string[];
  try {
    parts = pathname.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return { view: 'nowhere' };
  }
  if (parts.at(-1) === '' && parts.length > 1) parts.pop();
  const [first = '', second = '', third = '', fourth, fifth, sixth, seventh] = parts;
  if (first === 'p' && parts.length >= 3) {
    const at = { namespace: second, name: third };
    if (parts.length === 3) return { view: 'package', ...at };
    if (parts.length === 4) {
      if (fourth === 'releases' || fourth === 'stats' || fourth === 'settings' || fourth === 'audit') {
        return { view: fourth, ...at };
      }
      if (fourth === 'new') return { view: 'newRelease', ...at };
    }
    if (fourth === 'releases' && fifth && sixth) {
      if (parts.length === 6) return { view: 'release', ...at, channel: fifth, version: sixth };
      if (parts.length === 7 && seventh === 'edit') return { view: 'editRelease', ...at, channel: fifth, version: sixth };
    }
    return { view: 'nowhere' };
  }
  if (parts.length === 2) {
    const section = SECTIONS.account.find((one) => first === 'account' && one === second);
    if (section) return { view: 'account', section };
    const admin = SECTIONS.admin.find((one) => first === 'admin' && one === second);
    if (admin) return { view: 'admin', section: admin };
    return { view: 'nowhere' };
  }
  if (parts.length !== 1) return { view: 'nowhere' };
  switch (first) {
    case '':
      return { view: 'home' };
    case 'setup':
      return { view: 'setup' };
    case 'invitation':
      return { view: 'invitation' };
    case 'signin':
      return { view: 'signin' };
    case 'new':
      return { view: 'newPackage' };
    case 'account':
      return { view: 'account', section: '' };
    case 'admin':
      return { view: 'admin', section: '' };
    default:
      return TAKEN.has(first) ? { view: 'nowhere' } : { view: 'namespace', namespace: first };
  }
}

const escaped = (part: string) => encodeURIComponent(part).replaceAll('%2B', '+');

function under(namespace: string, name: string, ...rest: string[]): string {
  return `/p/${[namespace, name, ...rest].map(escaped).join('/')}`;
}

export const to = {
  home: '/',
  signIn: (next?: string) => (next && next !== '/' ? `/signin?next=${encodeURIComponent(next)}` : '/signin'),
  newPackage: '/new',
  namespace: (namespace: string) => (TAKEN.has(namespace) ? `/?owner=${namespace}` : `/${namespace}`),
  package: (namespace: string, name: string) => under(namespace, name),
  releases: (namespace: string, name: string, channel = '') =>
    under(namespace, name, 'releases') + (channel ? `?channel=${escaped(channel)}` : ''),
  release: (namespace: string, name: string, channel: string, version: string) =>
    under(namespace, name, 'releases', channel, version),
  editRelease: (namespace: string, name: string, channel: string, version: string) =>
    under(namespace, name, 'releases', channel, version, 'edit'),
  newRelease: (namespace: string, name: string) => under(namespace, name, 'new'),
  stats: (namespace: string, name: string) => under(namespace, name, 'stats'),
  settings: (namespace: string, name: string) => under(namespace, name, 'settings'),
  packageAudit: (namespace: string, name: string) => under(namespace, name, 'audit'),
  account: (section = '') => (section ? `/account/${section}` : '/account'),
  admin: (section = '') => (section ? `/admin/${section}` : '/admin'),
};

/** `NS.NAME` as its two parts: a namespace has no dot. */
export function splitFullName(fullName: string): [string, string] {
  const dot = fullName.indexOf('.');
  return [fullName.slice(0, dot), fullName.slice(dot + 1)];
}
