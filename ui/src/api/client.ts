// One call to the server: addresses, JSON, problems, entity tags. What is called stands in `calls.ts`.

import { Problem, asProblem, problemOf } from './problem';

/** `/t/TOKEN` where the page was opened through a link with a token; it goes before every path that is asked for. */
export const linkPrefix = /^\/t\/[^/]+/.exec(location.pathname)?.[0] ?? '';

/** The parts of a path, escaped. */
export function path(strings: TemplateStringsArray, ...parts: string[]): string {
  return strings.reduce((whole, text, index) => whole + encodeURIComponent(parts[index - 1] ?? '') + text);
}

export type Query = Record<string, string | number | undefined>;

export function withQuery(address: string, query: Query): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (pairs.length === 0) return address;
  return `${address}?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString()}`;
}

export interface Options {
  method?: string;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** The state that a change is meant for; the server refuses it with 412 if there is a newer one. */
  ifMatch?: string | undefined;
}

export interface Answer<T> {
  data: T;
  etag: string | undefined;
}

/** Who wants to know that an answer was 401: what there is to be done about it is no matter of a call. */
export const unknown = { tell: (change: boolean): void => void change };

/** How long a call may take. Uploads go another way. */
const TIMEOUT_MS = 30_000;

export async function call<T>(address: string, options: Options = {}): Promise<Answer<T>> {
  const headers = new Headers({ accept: 'application/json' });
  if (options.body !== undefined) headers.set('content-type', 'application/json');
  if (options.ifMatch) headers.set('if-match', options.ifMatch);
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(linkPrefix + address, {
      method: options.method ?? 'GET',
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      credentials: 'same-origin',
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw asProblem(new TypeError('no answer'));
  }
  if (response.status === 401) unknown.tell(options.method !== undefined && options.method !== 'GET');
  if (!response.ok) throw await problemOf(response);
  const etag = response.headers.get('etag') ?? undefined;
  if (response.status === 204) return { data: undefined as T, etag };
  try {
    return { data: (await response.json()) as T, etag };
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, asProblem(new TypeError('cut')).message);
  }
}

export async function get<T>(address: string, signal?: AbortSignal): Promise<T> {
  return (await call<T>(address, { signal })).data;
}

export async function send<T>(method: string, address: string, body?: unknown, ifMatch?: string): Promise<T> {
  return (await call<T>(address, { method, body, ifMatch })).data;
}
