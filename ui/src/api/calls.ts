// Every call that the pages make, by what it does.

import { call, get, path, send, withQuery } from './client';
import type { Answer } from './client';
import type {
  ApiToken, Attention, AuditItem, Channel, Invitation, ListedPackage, Member, Package, Page, PendingUpload, Platform,
  Release, ReleaseFile, RetentionPreview, Role, ServerSettings, ServerStatus, Session, Statistics, StorageReport, User, VersionScheme, Visibility,
} from './types';

const V1 = '/api/v1';

export const addresses = {
  session: `${V1}/session`,
  packages: (query: { search?: string; owner?: string; cursor?: string; limit?: number; sort?: string; role?: string }) =>
    withQuery(`${V1}/packages`, { ...query, view: 'brief' }),
  package: (namespace: string, name: string) => path`/api/v1/packages/${namespace}/${name}`,
  members: (namespace: string, name: string) => path`/api/v1/packages/${namespace}/${name}/members`,
  releases: (namespace: string, name: string, query: { channel?: string; cursor?: string; limit?: number }) =>
    withQuery(path`/api/v1/packages/${namespace}/${name}/releases`, query),
  offers: (namespace: string, name: string, query: { channel?: string | undefined } = {}) =>
    withQuery(path`/api/v1/packages/${namespace}/${name}/offers`, query),
  release: (namespace: string, name: string, channel: string, version: string) =>
    path`/api/v1/packages/${namespace}/${name}/releases/${channel}/${version}`,
  file: (namespace: string, name: string, channel: string, version: string, platform: string, file: string) =>
    path`/api/v1/packages/${namespace}/${name}/releases/${channel}/${version}/files/${platform}/${file}`,
  statistics: (namespace: string, name: string, days: number) =>
    withQuery(path`/api/v1/packages/${namespace}/${name}/statistics`, { days }),
  packageAudit: (namespace: string, name: string, cursor?: string) =>
    withQuery(path`/api/v1/packages/${namespace}/${name}/audit`, { cursor, limit: 100 }),
  tokens: `${V1}/tokens`,
  channels: `${V1}/channels`,
  platforms: `${V1}/platforms`,
  users: (cursor?: string) => withQuery(`${V1}/users`, { cursor }),
  uploads: `${V1}/uploads`,
  events: `${V1}/events`,
  attention: `${V1}/attention`,
  storage: `${V1}/admin/storage`,
  settings: `${V1}/admin/settings`,
  status: `${V1}/admin/status`,
  audit: (query: { user?: string; package?: string; cursor?: string }) =>
    withQuery(`${V1}/admin/audit`, { ...query, limit: 100 }),
};

export interface ReleasePatch {
  active?: boolean;
  publish_at?: string | null;
  yanked?: string | null;
  description?: string;
}

export const api = {
  setUp: (token: string, name: string, password: string) =>
    send<Session>('POST', `${V1}/setup`, { token, name, password }),
  signIn: (name: string, password: string) => send<Session>('POST', addresses.session, { name, password }),
  signOut: () => send<undefined>('DELETE', addresses.session),
  acceptInvitation: (token: string, password: string) => send<Session>('POST', `${V1}/invitation`, { token, password }),

  packages: (query: Parameters<typeof addresses.packages>[0], signal?: AbortSignal) =>
    get<Page<ListedPackage>>(addresses.packages(query), signal),
  createPackage: (body: { name: string; description?: string; visibility: Visibility }) =>
    send<Package>('POST', `${V1}/packages`, body),
  changePackage: (
    namespace: string, name: string, body: { description?: string; visibility?: Visibility; version_scheme?: VersionScheme }, ifMatch?: string,
  ): Promise<Answer<Package>> => call(addresses.package(namespace, name), { method: 'PATCH', body, ifMatch }),
  deletePackage: (namespace: string, name: string) => send<undefined>('DELETE', addresses.package(namespace, name)),
  replaceToken: (namespace: string, name: string, kind: 'access' | 'private') =>
    send<{ token: string }>('POST', path`/api/v1/packages/${namespace}/${name}/tokens/${kind}`),
  putMember: (namespace: string, name: string, user: string, role: Role) =>
    send<Member>('PUT', path`/api/v1/packages/${namespace}/${name}/members/${user}`, { role }),
  deleteMember: (namespace: string, name: string, user: string) =>
    send<undefined>('DELETE', path`/api/v1/packages/${namespace}/${name}/members/${user}`),

  releases: (namespace: string, name: string, query: { channel?: string; cursor?: string; limit?: number }) =>
    get<Page<Release>>(addresses.releases(namespace, name, query)),
  release: (namespace: string, name: string, channel: string, version: string, signal?: AbortSignal) =>
    get<Release>(addresses.release(namespace, name, channel, version), signal),
  putRelease: (namespace: string, name: string, channel: string, version: string, body: ReleasePatch) =>
    send<Release>('PUT', addresses.release(namespace, name, channel, version), body),
  changeRelease: (
    namespace: string, name: string, channel: string, version: string, body: ReleasePatch, ifMatch?: string,
  ): Promise<Answer<Release>> =>
    call(addresses.release(namespace, name, channel, version), { method: 'PATCH', body, ifMatch }),
  deleteRelease: (namespace: string, name: string, channel: string, version: string) =>
    send<undefined>('DELETE', addresses.release(namespace, name, channel, version)),
  setRole: (
    namespace: string, name: string, channel: string, version: string, platform: string, file: string, role: ReleaseFile['role'],
  ) => send<ReleaseFile>('PATCH', addresses.file(namespace, name, channel, version, platform, file), { role }),
  deleteFile: (namespace: string, name: string, channel: string, version: string, platform: string, file: string) =>
    send<undefined>('DELETE', addresses.file(namespace, name, channel, version, platform, file)),

  markdown: async (text: string): Promise<string> =>
    (await send<{ html: string }>('POST', `${V1}/markdown`, { text })).html,

  changePassword: (name: string, old_password: string, password: string) =>
    send<User>('PATCH', path`/api/v1/users/${name}`, { old_password, password }),
  tokens: () => get<Page<ApiToken>>(addresses.tokens),
  createToken: (name: string, scopes: string[], expires: string | null) =>
    send<ApiToken>('POST', addresses.tokens, { name, scopes, expires }),
  deleteToken: (id: number) => send<undefined>('DELETE', path`/api/v1/tokens/${String(id)}`),
  channels: () => get<Page<Channel>>(addresses.channels),
  createChannel: (body: Partial<Channel>) => send<Channel>('POST', addresses.channels, body),
  changeChannel: (name: string, body: Partial<Channel>) => send<Channel>('PATCH', path`/api/v1/channels/${name}`, body),
  previewRetention: (
    name: string,
    rule: { keep_newest: string; keep_days: string; keep_downloaded_days: string },
    cursor?: string,
    signal?: AbortSignal,
  ) => get<RetentionPreview>(withQuery(path`/api/v1/channels/${name}/retention`, { ...rule, cursor }), signal),
  deleteChannel: (name: string) => send<undefined>('DELETE', path`/api/v1/channels/${name}`),
  platforms: () => get<Page<Platform>>(addresses.platforms),
  createPlatform: (name: string) => send<Platform>('POST', addresses.platforms, { name }),
  renamePlatform: (name: string, to: string) => send<Platform>('PATCH', path`/api/v1/platforms/${name}`, { name: to }),
  deletePlatform: (name: string) => send<undefined>('DELETE', path`/api/v1/platforms/${name}`),

  users: (cursor?: string) => get<Page<User>>(addresses.users(cursor)),
  inviteUser: (body: { name: string; admin: boolean; quota_bytes?: number | null }) =>
    send<User & Invitation>('POST', `${V1}/users`, body),
  newInvitation: (name: string) => send<Invitation>('POST', path`/api/v1/users/${name}/invitation`),
  changeUser: (name: string, body: { admin?: boolean; disabled?: boolean; quota_bytes?: number | null }) =>
    send<User>('PATCH', path`/api/v1/users/${name}`, body),
  deleteUser: (name: string) => send<undefined>('DELETE', path`/api/v1/users/${name}`),

  uploads: () => get<Page<PendingUpload>>(addresses.uploads),
  deleteUpload: async (url: string): Promise<void> => {
    const address = new URL(url, location.href);
    await fetch(address.pathname, { method: 'DELETE', headers: { 'tus-resumable': '1.0.0' } });
  },
  attention: () => get<Attention>(addresses.attention),
  statistics: (namespace: string, name: string, days: number) =>
    get<Statistics>(addresses.statistics(namespace, name, days)),
  audit: (query: { user?: string; package?: string; cursor?: string }) => get<Page<AuditItem>>(addresses.audit(query)),
  packageAudit: (namespace: string, name: string, cursor?: string) =>
    get<Page<AuditItem>>(addresses.packageAudit(namespace, name, cursor)),
  storage: () => get<StorageReport>(addresses.storage),
  settings: () => get<ServerSettings>(addresses.settings),
  status: () => get<ServerStatus>(addresses.status),
};
