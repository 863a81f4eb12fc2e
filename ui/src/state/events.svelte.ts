// What changes elsewhere, as the server tells it (server-sent events), so that pages need no reload.

import { addresses } from '../api/calls';
import { linkPrefix } from '../api/client';
import type { Resource } from './resource.svelte';
import { forgetAll } from './resource.svelte';

export interface Change {
  kind: 'package' | 'package_gone' | 'release' | 'release_gone' | 'account' | 'reset';
  package?: string;
  channel?: string;
  version?: string;
}

const KINDS = ['package', 'package_gone', 'release', 'release_gone', 'account', 'reset'] as const;
/** Several changes at once, as when a pipeline publishes, are shown once. */
const GATHER_MS = 150;

type Listener = { wants: (change: Change) => boolean; run: () => void; timer: ReturnType<typeof setTimeout> | undefined };

/** A tab that nobody looks at gives its connection back: browsers keep only six to a server, for all tabs together. */
const HIDDEN_MS_MAX = 30_000;

/** Browsers come back by themselves after a lost connection, but not after an answer such as a proxy's 502. */
const AGAIN_MS_MIN = 2000;
const AGAIN_MS_MAX = 60_000;

/** How long a connection may be gone before somebody is told. */
const LOST_MS = 4000;

class Connection {
  /** Whether the server has not answered for a while. */
  lost = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  found(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.lost = false;
  }

  missed(): void {
    this.#timer ??= setTimeout(() => (this.lost = true), LOST_MS);
  }
}

export const connection = new Connection();

const listeners = new Set<Listener>();
let source: EventSource | undefined;
let closing: ReturnType<typeof setTimeout> | undefined;
let again: ReturnType<typeof setTimeout> | undefined;
let againMs = AGAIN_MS_MIN;

/** Tells those who listen; also of what this browser did itself. */
export function tell(change: Change): void {
  for (const listener of listeners) {
    if (change.kind !== 'reset' && !listener.wants(change)) continue;
    clearTimeout(listener.timer);
    listener.timer = setTimeout(listener.run, GATHER_MS);
  }
}

function connect(): void {
  clearTimeout(closing);
  if (source && source.readyState !== EventSource.CLOSED) return;
  clearTimeout(again);
  const mine = (source = new EventSource(linkPrefix + addresses.events));
  mine.addEventListener('open', () => {
    againMs = AGAIN_MS_MIN;
    connection.found();
  });
  mine.addEventListener('error', () => {
    if (source === mine) connection.missed();
    if (mine.readyState !== EventSource.CLOSED || source !== mine) return;
    source = undefined;
    again = setTimeout(() => {
      if (listeners.size === 0 || document.hidden) return;
      connect();
      // Whatever happened meanwhile.
      tell({ kind: 'reset' });
    }, againMs);
    againMs = Math.min(AGAIN_MS_MAX, againMs * 2);
  });
  for (const kind of KINDS) {
    source.addEventListener(kind, (event: MessageEvent<string>) => {
      let body: object = {};
      try {
        body = JSON.parse(event.data || '{}') as object;
      } catch {
        // Whatever it was, something changed.
      }
      if (kind === 'reset') forgetAll();
      tell({ ...body, kind });
    });
  }
}

let hiding: ReturnType<typeof setTimeout> | undefined;
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding);
  if (document.hidden) {
    hiding = setTimeout(() => {
      source?.close();
      source = undefined;
      connection.found();
    }, HIDDEN_MS_MAX);
  } else if (listeners.size > 0 && !source) {
    connect();
    // Whatever happened meanwhile.
    tell({ kind: 'reset' });
  }
});

/** Runs something after changes that are wanted; call the result to stop. */
export function onChange(wants: (change: Change) => boolean, run: () => void): () => void {
  const listener: Listener = { wants, run, timer: undefined };
  listeners.add(listener);
  connect();
  return () => {
    clearTimeout(listener.timer);
    listeners.delete(listener);
    // A page change lets go of all and takes hold again at once.
    clearTimeout(closing);
    closing = setTimeout(() => {
      if (listeners.size > 0) return;
      source?.close();
      source = undefined;
      connection.found();
    }, 1000);
  };
}

/** Loads a resource again after changes that are wanted, for as long as its component lives. */
export function follow<T>(what: Resource<T>, wants: (change: Change) => boolean): void {
  $effect(() => onChange(wants, () => void what.reload()));
}

/** Whether a change is one of this package, of something in it, or of what one may do to it. */
export function isOf(change: Change, namespace: string, name: string): boolean {
  return change.kind === 'account' || change.package === `${namespace}.${name}`;
}
