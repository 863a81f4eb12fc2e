// Who is signed in. The page was told when it was made; signing in and out change it.

import { api } from '../api/calls';
import type { SessionUser } from '../api/types';

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
  readonly origin: string;

  constructor() {
    const told = start();
    this.user = told.user;
    this.open = told.open;
    this.origin = told.origin;
  }

  begin(user: SessionUser): void {
    this.user = user;
    this.open = false;
  }

  async end(): Promise<void> {
    await api.signOut();
    this.user = null;
  }
}

export const session = new CurrentSession();
