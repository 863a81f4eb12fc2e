// Days as `2026-11-21`, which sort as they are.

const DAY_MS = 86_400_000;
const DAYS_MAX = 1000;

export function datesBetween(from: string, to: string): string[] {
  const days: string[] = [];
  const end = Date.parse(`${to}T00:00:00Z`);
  for (let at = Date.parse(`${from}T00:00:00Z`); at <= end && days.length < DAYS_MAX; at += DAY_MS) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}
