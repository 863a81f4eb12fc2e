// Who is signed in. The page was told when it was made; signing in and out change it.

import { addresses, api } from '../api/calls';
import { get, linkPrefix, unknown } from '../api/client';
import type { Session, SessionUser } from '../api/types';

interface Start {
  user: SessionUser | null;
  /** Whether the server waits for its first account. */
  open: boolean;
  /** Where the server is reached, as its operator or this browser says. */
  origin: string;
}

function start(): Start {
  const told = document.querySelector<HTMLMetaElement>('meta[name=packhouse]')?.content ?? '';
  try {
    const state = JSON.parse(told) as Start;
    return { ...state, origin: state.origin || location.origin };
  } catch {
    return { user: null, open: false, origin: location.origin };
  }
}

class CurrentSession {
  user = $state.raw<SessionUser | null>(null);
  open = $state(false);
  /** Whether the server no longer knows the user that the page shows, and whoever sits there should be told. */
  ended = $state(false);
  readonly origin: string;
  #dismissed = false;

  constructor() {
    const told = start();
    this.user = told.user;
    this.open = told.open;
    this.origin = told.origin;
    unknown.tell = (change) => {
      // Whoever did not want to sign in again is asked once something cannot be done without it.
      if (this.user && !linkPrefix && (change || !this.#dismissed)) this.ended = true;
    };
    // Signed out in another tab, or overnight.
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void this.check();
    });
  }

  begin(user: SessionUser): void {
    this.user = user;
    this.open = false;
    this.ended = this.#dismissed = false;
  }

  dismiss(): void {
    this.ended = false;
    this.#dismissed = true;
  }

  /** Asks whether the session still holds, where something looks as if it might not. */
  async check(): Promise<void> {
    if (!this.user || linkPrefix) return;
    try {
      this.user = (await get<Session>(addresses.session)).user;
    } catch {
      // Whoever is no longer known is told so by the answer; any other trouble says nothing about the session.
    }
  }

  async end(): Promise<void> {
    await api.signOut();
    this.user = null;
    this.ended = false;
  }
}

export const session = new CurrentSession();
