// The documents of the API, as the pages use them.

export type Role = 'owner' | 'maintainer' | 'reader';
export type Visibility = 'public' | 'private';

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface SessionUser {
  name: string;
  admin: boolean;
}

export interface Session {
  user: SessionUser;
}

export interface User {
  name: string;
  admin: boolean;
  disabled: boolean;
  invited?: boolean;
  quota_bytes?: number | null;
  stored_bytes?: number;
  created: string;
  changed: string;
}

export interface Invitation {
  invitation: string;
  invitation_expires: string;
}

export interface ApiToken {
  id: number;
  name: string;
  scopes: string[];
  created: string;
  expires: string | null;
  last_used: string | null;
  secret?: string;
}

export interface Channel {
  name: string;
  short: string;
  default: boolean;
  includes: string[];
  created: string;
  changed: string;
}

export interface Platform {
  name: string;
  created: string;
  changed: string;
}

export interface Package {
  namespace: string;
  name: string;
  full_name: string;
  description: string;
  description_html: string;
  summary?: string;
  title?: string;
  icon?: string;
  visibility: Visibility;
  access_token?: string;
  private_token_set: boolean;
  role: Role | null;
  latest: Record<string, string>;
  /** What those get who ask for no channel. */
  default_channel?: string;
  /** The owner's, for those who may publish. */
  channels?: string[];
  platforms?: string[];
  downloads?: number;
  created: string;
  changed: string;
}

export interface Member {
  user: string;
  role: Role;
  created: string;
  changed: string;
}

export interface ReleaseFile {
  platform: string;
  display_name: string;
  filename: string | null;
  size: number;
  mime_type: string;
  extension: string;
  sha256: string;
  crc32: string | null;
  external_url: string | null;
  url: string;
  downloads?: number;
  created: string;
  changed: string;
}

export interface Release {
  channel: string;
  version: string;
  active: boolean;
  published: string | null;
  publish_at: string | null;
  yanked: string | null;
  description: string;
  description_html: string;
  files: ReleaseFile[];
  downloads?: number;
  created: string;
  changed: string;
}

export interface PendingUpload {
  id: string;
  url: string;
  package: string;
  channel: string;
  version: string;
  platform: string;
  filename: string;
  size: number;
  offset: number;
  created: string;
  expires: string;
}

export interface Draft {
  package: string;
  channel: string;
  version: string;
  changed: string;
  files: number;
  publish_at?: string;
}

export interface Attention {
  drafts: Draft[];
  scheduled: Draft[];
  uploads: PendingUpload[];
}

export interface DayCount {
  date: string;
  version: string;
  channel: string;
  platform: string;
  count: number;
}

export interface Statistics {
  from: string;
  to: string;
  downloads: DayCount[];
  checks: DayCount[];
}

export interface AuditItem {
  id: string | number;
  at: string;
  actor: string | null;
  actor_kind: 'user' | 'api_token' | 'private_token' | 'setup' | 'server';
  token_name?: string | null;
  address: string | null;
  action: string;
  package?: string | null;
  subject?: string | null;
  detail?: string | null;
}

export interface StorageReport {
  disk_free_bytes: number;
  disk_total_bytes: number;
  entities_bytes: number;
  volumes: { number: number; sealed: boolean; size_bytes: number; live_bytes: number }[];
  blobs: number;
  blob_bytes: number;
  users: { name: string; stored_bytes: number; quota_bytes: number | null }[];
}

export interface ServerSettings {
  version: string;
  started: string;
  items: { name: string; value: string; source: 'default' | 'flag' | 'environment' | 'file' }[];
}

export interface ServerStatus {
  ready: boolean;
  serial: number | string;
  packages: number;
  releases: number;
  users: number;
  uploads: number;
  connections: number;
  tls: boolean;
}
