// Uploads under way. They belong to no page: whoever starts one may leave, come back, and find it still going.
//
// A publication is a release with its files on their way: first the draft is made, then the files come, and only when
// all are here does it become what was asked for. A browser that closes in between leaves a draft and resumable parts.

import type { Upload } from 'tus-js-client';

import { addresses, api } from '../api/calls';
import { linkPrefix } from '../api/client';
import { asProblem } from '../api/problem';
import type { PendingUpload } from '../api/types';
import { router, to } from '../router/router.svelte';
import { splitFullName } from '../router/routes';
import { tell } from '../state/events.svelte';
import { toasts } from '../state/toasts.svelte';
import { t } from '../texts';

export type TransferState = 'waiting' | 'uploading' | 'retrying' | 'paused' | 'failed' | 'done' | 'stopped';

/** What becomes of the release when all its files are here. */
export type After = { kind: 'publish' } | { kind: 'draft' } | { kind: 'schedule'; at: string };

const AT_ONCE_MAX = 3;
/** A lost connection is tried again for about five minutes; then the owner is asked. */
const RETRY_DELAYS_MS = [0, 1000, 2000, 4000, 8000, 15_000, 30_000, 60_000, 60_000, 120_000];
/** How fast the shown speed follows the real one. */
const SPEED_WEIGHT = 0.25;
const SPEED_EVERY_MS = 400;

export class Transfer {
  readonly id = crypto.randomUUID?.() ?? String(Math.random());
  state = $state<TransferState>('waiting');
  sent = $state(0);
  /** Bytes per second. */
  speed = $state(0);
  error = $state('');
  readonly file: File;
  readonly platform: string;
  readonly resumeUrl: string | undefined;
  upload: Upload | undefined;
  #measuredAt = 0;
  #measuredSent = 0;

  constructor(file: File, platform: string, resumeUrl?: string) {
    this.file = file;
    this.platform = platform;
    this.resumeUrl = resumeUrl;
  }

  get secondsLeft(): number {
    return this.speed > 0 ? (this.file.size - this.sent) / this.speed : Infinity;
  }

  progress(sent: number): void {
    const now = performance.now();
    if (this.state === 'retrying') this.state = 'uploading';
    this.sent = sent;
    if (this.#measuredAt === 0 || sent < this.#measuredSent) {
      this.#measuredAt = now;
      this.#measuredSent = sent;
      return;
    }
    const passed = now - this.#measuredAt;
    if (passed < SPEED_EVERY_MS) return;
    const current = ((sent - this.#measuredSent) * 1000) / passed;
    this.speed = this.speed === 0 ? current : this.speed + (current - this.speed) * SPEED_WEIGHT;
    this.#measuredAt = now;
    this.#measuredSent = sent;
  }

  rest(): void {
    this.speed = 0;
    this.#measuredAt = 0;
  }
}

export interface Job {
  namespace: string;
  name: string;
  channel: string;
  version: string;
  /** Nothing: leave them as they are. */
  notes: string | undefined;
  after: After;
}

export class Publication {
  readonly job: Job;
  readonly transfers: Transfer[];
  state = $state<'uploading' | 'finishing' | 'failed' | 'done'>('uploading');
  error = $state('');

  constructor(job: Job, transfers: Transfer[]) {
    this.job = job;
    this.transfers = transfers;
  }

  get fullName(): string {
    return `${this.job.namespace}.${this.job.name}`;
  }

  get address(): string {
    return to.release(this.job.namespace, this.job.name, this.job.channel, this.job.version);
  }
}

class Uploads {
  publications = $state.raw<Publication[]>([]);

  constructor() {
    addEventListener('online', () => {
      for (const { transfer } of this.#all()) if (transfer.state === 'retrying') this.resume(transfer);
    });
    addEventListener('beforeunload', (event) => {
      if (this.busy) event.preventDefault();
    });
  }

  get busy(): boolean {
    return this.#all().some(({ transfer }) => transfer.state === 'uploading' || transfer.state === 'retrying' || transfer.state === 'waiting');
  }

  of(namespace: string, name: string, channel: string, version: string): Publication | undefined {
    return this.publications.find(({ job, state }) =>
      state !== 'done' && job.namespace === namespace && job.name === name && job.channel === channel && job.version === version);
  }

  /** Makes the draft and starts; fails if the server refuses the draft. */
  async publish(job: Job, files: { file: File; platform: string }[]): Promise<Publication> {
    await api.putRelease(job.namespace, job.name, job.channel, job.version, job.notes === undefined ? {} : { description: job.notes });
    const publication = new Publication(job, files.map(({ file, platform }) => new Transfer(file, platform)));
    this.publications = [...this.publications, publication];
    tell({ kind: 'release', package: publication.fullName });
    this.#next();
    if (files.length === 0) await this.#finish(publication);
    return publication;
  }

  /** Goes on with an upload that another tab or an earlier visit began. */
  goOn(pending: PendingUpload, file: File): void {
    const [namespace, name] = splitFullName(pending.package);
    const job: Job = { namespace, name, channel: pending.channel, version: pending.version, notes: undefined, after: { kind: 'draft' } };
    const publication = new Publication(job, [new Transfer(file, pending.platform, pending.url)]);
    this.publications = [...this.publications, publication];
    this.#next();
  }

  pause(transfer: Transfer): void {
    if (transfer.state === 'done') return;
    void transfer.upload?.abort();
    transfer.state = 'paused';
    transfer.rest();
    this.#next();
  }

  resume(transfer: Transfer): void {
    transfer.error = '';
    transfer.state = 'waiting';
    this.#next();
  }

  /** Gives one file up, and what the server has of it. The release then stays a draft. */
  stop(publication: Publication, transfer: Transfer): void {
    void transfer.upload?.abort(true).catch(() => undefined);
    transfer.state = 'stopped';
    transfer.rest();
    this.#next();
    this.#check(publication);
  }

  retryFinish(publication: Publication): void {
    void this.#finish(publication);
  }

  dismiss(publication: Publication): void {
    for (const transfer of publication.transfers) if (transfer.state !== 'done') void transfer.upload?.abort();
    this.publications = this.publications.filter((one) => one !== publication);
  }

  #all(): { publication: Publication; transfer: Transfer }[] {
    return this.publications.flatMap((publication) => publication.transfers.map((transfer) => ({ publication, transfer })));
  }

  #next(): void {
    const all = this.#all();
    let room = AT_ONCE_MAX - all.filter(({ transfer }) => transfer.state === 'uploading' || transfer.state === 'retrying').length;
    for (const { publication, transfer } of all) {
      if (room <= 0) return;
      if (transfer.state !== 'waiting') continue;
      room -= 1;
      transfer.state = 'uploading';
      void this.#start(publication, transfer);
    }
  }

  async #start(publication: Publication, transfer: Transfer): Promise<void> {
    try {
      transfer.upload ??= await this.#make(publication, transfer);
      // Paused or stopped while it was being made.
      if (transfer.state !== 'uploading') return;
      transfer.upload.start();
    } catch (error) {
      this.#fail(transfer, asProblem(error).message);
    }
  }

  async #make(publication: Publication, transfer: Transfer): Promise<Upload> {
    const { Upload, DetailedError } = await import('tus-js-client');
    const { job } = publication;
    const upload: Upload = new Upload(transfer.file, {
      endpoint: linkPrefix + addresses.uploads,
      uploadUrl: transfer.resumeUrl ? new URL(transfer.resumeUrl, location.href).pathname : null,
      metadata: {
        package: publication.fullName,
        channel: job.channel,
        version: job.version,
        platform: transfer.platform,
        filename: transfer.file.name,
        create: 'inactive',
        // The platform was chosen from a list, or made on purpose.
        create_platform: 'true',
        ...(transfer.file.type ? { filetype: transfer.file.type } : {}),
      },
      retryDelays: RETRY_DELAYS_MS,
      removeFingerprintOnSuccess: true,
      // The same file for the same place is recognized after a reload.
      fingerprint: (file) => {
        const { name, size, lastModified } = file as File;
        const place = [publication.fullName, job.channel, job.version, transfer.platform];
        return Promise.resolve(['packhouse', ...place, name, size, lastModified].join('|'));
      },
      onProgress: (sent) => {
        transfer.progress(sent);
      },
      onShouldRetry: (error) => {
        const response = error instanceof DetailedError ? error.originalResponse : null;
        const status = response?.getStatus() ?? 0;
        // A conflict over where to go on says where; any other, such as over a release that is out, stays one. A quota
        // and a disk that are full (507) want somebody to make room.
        const astray = status === 409 && Boolean(response?.getHeader('Upload-Offset'));
        const again = status === 0 || (status >= 500 && status !== 507) || astray || status === 423 || status === 429;
        if (again && transfer.state === 'uploading') {
          transfer.state = 'retrying';
          transfer.rest();
        }
        return again;
      },
      onError: (error) => {
        const response = error instanceof DetailedError ? error.originalResponse : null;
        this.#fail(transfer, response ? detail(response.getBody(), response.getStatus()) : t.error.offline);
      },
      onSuccess: () => {
        transfer.sent = transfer.file.size;
        transfer.state = 'done';
        transfer.rest();
        tell({ kind: 'release', package: publication.fullName });
        this.#next();
        this.#check(publication);
      },
    });
    if (!transfer.resumeUrl) {
      const [previous] = await upload.findPreviousUploads();
      if (previous) upload.resumeFromPreviousUpload(previous);
    }
    return upload;
  }

  #fail(transfer: Transfer, message: string): void {
    // What comes after a pause is the pause's own echo.
    if (transfer.state === 'paused' || transfer.state === 'stopped') return;
    transfer.state = 'failed';
    transfer.error = message;
    transfer.upload = undefined;
    transfer.rest();
    this.#next();
  }

  #check(publication: Publication): void {
    const { transfers } = publication;
    if (transfers.every((one) => one.state === 'done' || one.state === 'stopped')) void this.#finish(publication);
  }

  async #finish(publication: Publication): Promise<void> {
    const { job, transfers } = publication;
    publication.state = 'finishing';
    publication.error = '';
    // Without one of its files a release is not what was to be published.
    const after: After = transfers.some((one) => one.state === 'stopped') ? { kind: 'draft' } : job.after;
    try {
      if (after.kind === 'publish') {
        const { data } = await api.changeRelease(job.namespace, job.name, job.channel, job.version, { active: true });
        toasts.warn(data.warnings);
      } else if (after.kind === 'schedule') {
        await api.changeRelease(job.namespace, job.name, job.channel, job.version, { publish_at: after.at });
      }
    } catch (error) {
      publication.state = 'failed';
      publication.error = asProblem(error).message;
      return;
    }
    publication.state = 'done';
    tell({ kind: 'release', package: publication.fullName });
    const words = { publish: t.publish.published, schedule: t.publish.scheduled, draft: t.publish.drafted }[after.kind];
    const here = router.path === publication.address;
    toasts.say(words(job.version), here ? undefined : { label: t.publish.open(job.version), run: () => { router.go(publication.address); } });
    this.publications = this.publications.filter((one) => one !== publication);
  }
}

function detail(body: string, status: number): string {
  try {
    const problem = JSON.parse(body) as { detail?: unknown };
    if (typeof problem.detail === 'string') return problem.detail;
  } catch {
    // Not from this server, but from something before it.
  }
  return t.error.status(status);
}

export const uploads = new Uploads();
