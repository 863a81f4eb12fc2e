// Times for people: how long ago or until, and the exact one.

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const exactFormat = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'long' });
const dayFormat = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });
const shortFormat = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });

const STEPS: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, 'second'],
  [60, 'minute'],
  [24, 'hour'],
  [30, 'day'],
  [12, 'month'],
];

export function ago(time: string | number | Date, now: number): string {
  let amount = (new Date(time).getTime() - now) / 1000;
  if (Math.abs(amount) < 45) return amount > 5 ? 'in a moment' : 'just now';
  for (const [step, unit] of STEPS) {
    if (Math.abs(amount) < step) return relative.format(Math.round(amount), unit);
    amount /= step;
  }
  return relative.format(Math.round(amount), 'year');
}

export function exact(time: string | number | Date): string {
  return exactFormat.format(new Date(time));
}

export function day(time: string | number | Date): string {
  return dayFormat.format(new Date(time));
}

/** A date of the form 2026-11-21, without a year: for the axis of a chart. */
export function shortDay(date: string): string {
  return shortFormat.format(new Date(`${date}T00:00:00Z`));
}

/** The value of an `<input type="datetime-local">` in the visitor's own time. */
export function localInput(time: Date): string {
  const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
