// Counts per day and name, gathered into a few series with the rest as "others".

import type { DayCount } from '../api/types';

export type Dimension = 'version' | 'channel' | 'platform';

export interface Series {
  name: string;
  total: number;
  /** In the order of the days. */
  values: number[];
}

/** More colours than this nobody tells apart. */
export const SERIES_MAX = 5;

export function seriesOf(
  counts: readonly DayCount[], days: readonly string[], dimension: Dimension, words: { others: string; unknown: string },
): Series[] {
  const at = new Map(days.map((day, index) => [day, index]));
  const byName = new Map<string, number[]>();
  for (const one of counts) {
    const index = at.get(one.date);
    if (index === undefined) continue;
    const name = one[dimension] || words.unknown;
    const values = byName.get(name) ?? days.map(() => 0);
    values[index] = (values[index] ?? 0) + one.count;
    byName.set(name, values);
  }
  const all = [...byName].map(([name, values]) => ({ name, values, total: values.reduce((sum, value) => sum + value, 0) }));
  all.sort((a, b) => b.total - a.total || a.name.localeCompare(b.name, 'en', { numeric: true }));
  if (all.length <= SERIES_MAX + 1) return all;
  const rest = all.slice(SERIES_MAX);
  const values = days.map((_, index) => rest.reduce((sum, one) => sum + (one.values[index] ?? 0), 0));
  return [...all.slice(0, SERIES_MAX), { name: words.others, values, total: values.reduce((sum, value) => sum + value, 0) }];
}

/** A round number at or above the highest, for the top of an axis. */
export function niceTop(highest: number): number {
  if (highest <= 4) return 4;
  const power = 10 ** Math.floor(Math.log10(highest));
  const step = [1, 2, 4, 5, 8, 10].find((one) => one * power >= highest) ?? 10;
  return step * power;
}
