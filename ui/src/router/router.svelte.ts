// Where the visitor is. Owns the history, the title, the focus and the scroll position after a move; no page touches them.

import { tick } from 'svelte';

import { linkPrefix } from '../api/client';
import { t } from '../texts';
import type { Route } from './routes';
import { routeOf } from './routes';

class Router {
  /** The path without the prefix of a link with a token. */
  path = $state('/');
  query = $state.raw(new URLSearchParams());
  route = $state.raw<Route>({ view: 'home' });
  title = $state('');
  /** What a screen reader is told after a move. */
  announced = $state('');
  /** Rises with each move to another page: what was loaded before is not for this one. */
  moves = $state(0);

  #blocks = new Set<() => boolean>();
  #keepers = new Map<string, () => unknown>();
  #focus = false;
  #first = true;

  constructor() {
    this.#read();
    history.scrollRestoration = 'manual';
    addEventListener('popstate', (event: PopStateEvent) => {
      this.#read();
      this.#focus = true;
      void restore(event.state as Place | null);
    });
    // Somebody comes back from another site, or loads the page again.
    const place = history.state as Place | null;
    if (place?.scroll) void restore(place);
    addEventListener('beforeunload', (event) => {
      if (this.#blocked()) event.preventDefault();
    });
    document.addEventListener('click', (event) => {
      this.#click(event);
    });
    let saving: ReturnType<typeof setTimeout> | undefined;
    addEventListener('scroll', () => {
      clearTimeout(saving);
      saving = setTimeout(() => { this.#keepPlace(); }, 100);
    }, { passive: true });
    addEventListener('pagehide', () => { this.#keepPlace(); });
  }

  /** Goes to an address of ours. */
  go(address: string, options: { replace?: boolean; keepFocus?: boolean } = {}): void {
    if (!options.replace && this.#blocked() && !confirm(t.shell.leaveUnsaved)) return;
    if (options.replace) {
      history.replaceState(history.state, '', linkPrefix + address);
    } else {
      this.#keepPlace();
      history.pushState({ scroll: 0 }, '', linkPrefix + address);
    }
    const before = this.path;
    this.#read();
    if (options.keepFocus) return;
    this.#focus = true;
    if (this.path !== before || !options.replace) scrollTo(0, 0);
    if (this.path === before) void this.#settle();
  }

  /** Changes the query of the page that is shown, without a move. */
  setQuery(changes: Record<string, string>): void {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes)) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
    const text = query.toString();
    this.go(this.path + (text ? `?${text}` : ''), { replace: true, keepFocus: true });
  }

  /** A page says what it shows. Its first word after a move takes the focus to its heading. */
  show(title: string): void {
    this.title = title;
    document.title = title ? t.shell.title(title) : t.shell.name;
    if (this.#focus) void this.#settle();
    // A page that one comes to from outside keeps the focus where browsers put it, unless it is a form. To focus before
    // the first frame would have the page laid out once more.
    else if (this.#first) {
      requestAnimationFrame(() => setTimeout(() => {
        if (document.activeElement === document.body) document.querySelector<HTMLElement>('main [data-focus]')?.focus({ preventScroll: true });
      }));
    }
    this.#first = false;
  }

  /** Has something, which must be plain data, kept with this place in the history; call the result to stop. */
  remember(name: string, what: () => unknown): () => void {
    this.#keepers.set(name, what);
    return () => {
      if (this.#keepers.get(name) === what) this.#keepers.delete(name);
    };
  }

  /** What was kept when this place was left, where somebody came back to it. */
  remembered(name: string): unknown {
    return (history.state as Place | null)?.kept?.[name];
  }

  /** Asks before leaving as long as `unsaved` says so; call the result to stop. */
  guard(unsaved: () => boolean): () => void {
    this.#blocks.add(unsaved);
    return () => this.#blocks.delete(unsaved);
  }

  async #settle(): Promise<void> {
    this.#focus = false;
    this.announced = this.title;
    await tick();
    const asked = document.querySelector<HTMLElement>('main [data-focus]');
    if (asked) {
      asked.focus({ preventScroll: true });
      return;
    }
    const heading = document.querySelector<HTMLElement>('main h1');
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }

  #keepPlace(): void {
    const link = document.activeElement instanceof HTMLAnchorElement ? document.activeElement.getAttribute('href') : null;
    const place: Place = { scroll: scrollY, link, kept: Object.fromEntries([...this.#keepers].map(([name, what]) => [name, what()])) };
    history.replaceState(place, '');
  }

  #blocked(): boolean {
    return [...this.#blocks].some((unsaved) => unsaved());
  }

  #read(): void {
    const path = location.pathname.slice(linkPrefix.length) || '/';
    if (path !== this.path) this.moves += 1;
    this.path = path;
    this.query = new URLSearchParams(location.search);
    this.route = routeOf(path);
  }

  #click(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    const path = link.pathname.startsWith(`${linkPrefix}/`) ? link.pathname.slice(linkPrefix.length) : link.pathname;
    if (routeOf(path).view === 'nowhere') return;
    if (link.pathname === location.pathname && link.hash) return;
    event.preventDefault();
    this.go(path + link.search);
  }
}

/** What the history keeps of a place. */
interface Place {
  scroll?: number;
  /** The link that had the focus. */
  link?: string | null;
  kept?: Record<string, unknown>;
}

/** How long a page may take to get its height back, in milliseconds. */
const HEIGHT_MS_MAX = 3000;

/** The page may still be loading what gave it its height. Who moves on meanwhile is left alone. */
async function restore(place: Place | null): Promise<void> {
  const scroll = place?.scroll ?? 0;
  const address = location.href;
  const moved = new AbortController();
  for (const kind of ['wheel', 'touchstart', 'keydown', 'pointerdown']) {
    addEventListener(kind, () => { moved.abort(); }, { once: true, passive: true, signal: moved.signal });
  }
  const end = performance.now() + HEIGHT_MS_MAX;
  // The page that was left may be as high: it goes first.
  await tick();
  while (scroll > 0 && document.documentElement.scrollHeight < scroll + innerHeight && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  await tick();
  if (moved.signal.aborted || location.href !== address) return;
  moved.abort();
  scrollTo(0, scroll);
  if (!place?.link) return;
  // What is drawn only where it is seen is drawn by now.
  await new Promise((resolve) => requestAnimationFrame(resolve));
  await tick();
  document.querySelector<HTMLElement>(`main a[href="${CSS.escape(place.link)}"]`)?.focus({ preventScroll: true });
}

export const router = new Router();
export { to } from './routes';
