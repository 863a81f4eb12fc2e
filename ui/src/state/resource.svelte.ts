// Something that is loaded: shown from memory at once where it was seen before, then made sure of.
//
// While it is asked for again the old value stays, so that nothing on the page jumps.

import { untrack } from 'svelte';

import { call } from '../api/client';
import { Problem, asProblem } from '../api/problem';

interface Seen {
  data: unknown;
  etag: string | undefined;
}

const SEEN_MAX = 100;
const seen = new Map<string, Seen>();

/** Forgets what was loaded, as when another user signs in. */
export function forgetAll(): void {
  seen.clear();
}

/** Something that a page collected, for when one comes back to it. */
export function keep(key: string, data: unknown): void {
  remember(key, { data, etag: undefined });
}

export function recall(key: string): unknown {
  return seen.get(key)?.data;
}

export class Resource<T> {
  value = $state.raw<T | undefined>();
  etag = $state.raw<string | undefined>();
  problem = $state.raw<Problem | undefined>();
  /** Whether it takes so long that something should move. */
  slow = $state(false);
  #address: string | undefined;
  #abort: AbortController | undefined;

  get loading(): boolean {
    return this.value === undefined && this.problem === undefined;
  }

  /** A newer state that came as the answer to a change. */
  set(value: T, etag?: string): void {
    this.value = value;
    this.etag = etag;
    if (this.#address) remember(this.#address, { data: value, etag });
  }

  reload(): Promise<void> {
    return this.#address === undefined ? Promise.resolve() : this.#load(this.#address);
  }

  async open(address: string | undefined): Promise<void> {
    if (address === this.#address) return;
    this.#abort?.abort();
    this.#address = address;
    const known = address === undefined ? undefined : seen.get(address);
    this.value = known?.data as T | undefined;
    this.etag = known?.etag;
    this.problem = undefined;
    if (address !== undefined) await this.#load(address);
  }

  close(): void {
    this.#abort?.abort();
  }

  async #load(address: string): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    const timer = setTimeout(() => (this.slow = true), 150);
    try {
      const { data, etag } = await call<T>(address, { signal: abort.signal });
      if (abort.signal.aborted) return;
      remember(address, { data, etag });
      this.value = data;
      this.etag = etag;
      this.problem = undefined;
    } catch (error) {
      if (abort.signal.aborted) return;
      const problem = asProblem(error);
      this.problem = problem;
      // What is gone or closed is not shown from memory; what could not be reached is, and what one may see after signing
      // in again.
      if (problem.status !== 401 && problem.status >= 400 && problem.status < 500) {
        this.value = undefined;
        seen.delete(address);
      }
    } finally {
      clearTimeout(timer);
      if (!abort.signal.aborted) this.slow = false;
    }
  }
}

function remember(address: string, what: Seen): void {
  seen.delete(address);
  seen.set(address, what);
  for (const oldest of seen.keys()) {
    if (seen.size <= SEEN_MAX) break;
    seen.delete(oldest);
  }
}

/** A resource that follows an address for as long as its component lives. */
export function resource<T>(address: () => string | undefined): Resource<T> {
  const made = new Resource<T>();
  $effect(() => {
    const now = address();
    untrack(() => void made.open(now));
  });
  $effect(() => () => {
    made.close();
  });
  return made;
}
