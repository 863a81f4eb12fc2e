// The documents of the API under the names that the pages have for them. Their shapes are the server's (`schema.ts`).

import type { components } from './schema';

type Schemas = components['schemas'];

export type Role = Schemas['Role'];
export type Visibility = Schemas['Visibility'];
export type Session = Schemas['Session'];
export type ApiToken = Schemas['ApiToken'] & { secret?: string };
export type Channel = Schemas['Channel'];
export type Platform = Schemas['Platform'];
export type Member = Schemas['Member'];

export type User = Schemas['User'] & {
  invited?: boolean;
  quota_bytes?: number | null;
  stored_bytes?: number;
};

export type Package = Schemas['Package'] & {
  summary?: string;
  title?: string;
  icon?: string;
  downloads?: number;
};

export type ReleaseFile = Schemas['File'] & { downloads?: number };
export type Release = Omit<Schemas['Release'], 'files'> & { downloads?: number; files: ReleaseFile[] };

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface SessionUser {
  name: string;
  admin: boolean;
}

export interface Invitation {
  invitation: string;
  invitation_expires: string;
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
