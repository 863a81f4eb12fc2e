// The documents of the API under the names that the pages have for them. Their shapes are the server's (`schema.ts`).

import type { components } from './schema';

type Schemas = components['schemas'];

export type Role = Schemas['Role'];
export type VersionScheme = Schemas['VersionScheme'];
export type Visibility = Schemas['Visibility'];
export type Session = Schemas['Session'];
export type ApiToken = Schemas['ApiToken'] & { secret?: string };
export type Channel = Schemas['Channel'];
export type RetentionRule = Schemas['Retention'];
export type RetentionPreview = Schemas['RetentionPreview'];
export type DoomedRelease = Schemas['DoomedRelease'];
export type Platform = Schemas['Platform'];
export type Member = Schemas['Member'];

export type User = Schemas['User'];
export type Package = Schemas['Package'];
export type ListedPackage = Schemas['BriefPackage'];
export type ReleaseFile = Schemas['File'];
export type Release = Schemas['Release'];
export type Offer = Schemas['Offer'];
export type Invitation = Schemas['Invitation'];
export type PendingUpload = Schemas['Upload'];
export type Attention = Schemas['Attention'];
export type Statistics = Schemas['Statistics'];
export type DayCount = Statistics['downloads'][number];
export type AuditItem = Schemas['AuditEntry'];
export type StorageReport = Schemas['Storage'];
export type ServerSettings = Schemas['Settings'];
export type ServerStatus = Schemas['ServerStatus'];

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface SessionUser {
  name: string;
  admin: boolean;
}
