// What went wrong with a call, in the server's words or in ours.

import { t } from '../texts';

/** The one kind of failure that calls have. Status 0 means that there was no answer at all. */
export class Problem extends Error {
  readonly status: number;
  readonly field: string | undefined;

  constructor(status: number, message: string, field?: string) {
    super(message);
    this.name = 'Problem';
    this.status = status;
    this.field = field;
  }

  get offline(): boolean {
    return this.status === 0;
  }
}

/** Reads RFC 9457's `application/problem+json`, and makes do with anything else. */
export async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as { detail?: unknown; title?: unknown; field?: unknown };
    const detail = typeof body.detail === 'string' ? body.detail : typeof body.title === 'string' ? body.title : '';
    const field = typeof body.field === 'string' ? body.field : undefined;
    return new Problem(response.status, sentence(detail || t.error.status(response.status)), field);
  } catch {
    return new Problem(response.status, t.error.status(response.status));
  }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  // A page that tells of a bug is better than one that shows nothing.
  if (error instanceof TypeError) return new Problem(0, t.error.offline);
  return new Problem(0, error instanceof Error ? error.message : String(error));
}

/** The server's details begin small, because they stand behind a title; here they stand alone. */
function sentence(text: string): string {
  const begun = /^[a-z][a-z ]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
