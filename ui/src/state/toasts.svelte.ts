// Short notes about what was done, with a way back where there is one.

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action: { label: string; run: () => void } | undefined;
}

const SHOWN_MS = 6000;
const SHOWN_MAX = 3;

class Toasts {
  items = $state.raw<Toast[]>([]);
  #next = 1;

  say(text: string, action?: Toast['action']): void {
    this.#add(text, false, action);
  }

  // Advice of the server about what was just done. It may be long, so it stays longer.
  warn(texts: readonly string[] | undefined): void {
    for (const text of texts ?? []) this.#add(text, true, undefined, SHOWN_MS * 5);
  }

  fail(text: string): void {
    this.#add(text, true, undefined);
  }

  close(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }

  #add(text: string, bad: boolean, action: Toast['action'], shownMs = bad ? SHOWN_MS * 2 : SHOWN_MS): void {
    const id = this.#next++;
    this.items = [...this.items, { id, text, bad, action }].slice(-SHOWN_MAX);
    setTimeout(() => {
      this.close(id);
    }, shownMs);
  }
}

export const toasts = new Toasts();
