// Counts per day and name, gathered into a few series with the rest as "others".

import type { DayCount } from '../api/types';

export type Dimension = 'version' | 'channel' | 'platform';

export interface Series {
  name: string;
  /** Its colour, from 1. */
  colour: number;
  total: number;
  /** In the order of the days. */
  values: number[];
}

/** More colours than this nobody tells apart. */
export const SERIES_MAX = 5;

/** The rest has the last colour, which is grey. */
const OTHERS_COLOUR = SERIES_MAX + 1;

/**
 * The colour of each name, for all pictures of a page: what is the same has the same one in each. The most frequent of
 * the first counts choose first.
 */
export function coloursOf(counts: readonly (readonly DayCount[])[], dimension: Dimension, words: { unknown: string }): Map<string, number> {
  const colours = new Map<string, number>();
  for (const some of counts) {
    const totals = new Map<string, number>();
    for (const one of some) totals.set(one[dimension] || words.unknown, (totals.get(one[dimension] || words.unknown) ?? 0) + one.count);
    const names = [...totals].sort((a, b) => b[1] - a[1] || byName(a[0], b[0])).slice(0, SERIES_MAX + 1);
    for (const [name] of names) if (!colours.has(name)) colours.set(name, (colours.size % SERIES_MAX) + 1);
  }
  return colours;
}

const byName = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });

export function seriesOf(
  counts: readonly DayCount[], days: readonly string[], dimension: Dimension, words: { others: string; unknown: string },
  colours: Map<string, number> = coloursOf([counts], dimension, words),
): Series[] {
  const at = new Map(days.map((day, index) => [day, index]));
  const found = new Map<string, number[]>();
  for (const one of counts) {
    const index = at.get(one.date);
    if (index === undefined) continue;
    const name = one[dimension] || words.unknown;
    const values = found.get(name) ?? days.map(() => 0);
    values[index] = (values[index] ?? 0) + one.count;
    found.set(name, values);
  }
  const all = [...found].map(([name, values]) => ({
    name, colour: colours.get(name) ?? OTHERS_COLOUR, values, total: values.reduce((sum, value) => sum + value, 0),
  }));
  all.sort((a, b) => b.total - a.total || byName(a.name, b.name));
  if (all.length <= SERIES_MAX + 1) return all;
  const rest = all.slice(SERIES_MAX);
  const values = days.map((_, index) => rest.reduce((sum, one) => sum + (one.values[index] ?? 0), 0));
  return [...all.slice(0, SERIES_MAX), { name: words.others, colour: OTHERS_COLOUR, values, total: values.reduce((sum, value) => sum + value, 0) }];
}

/** A round number at or above the highest, for the top of an axis, and into how many whole steps it falls. */
export function niceTop(highest: number): { top: number; steps: number } {
  if (highest <= 4) return { top: 4, steps: 4 };
  const power = 10 ** Math.floor(Math.log10(highest));
  const [times, steps] = TOPS.find(([times]) => times * power >= highest) ?? [10, 5];
  return { top: times * power, steps };
}

/** Multiples of a power of ten, each with the steps that are whole for all of them from 5 on. */
const TOPS = [[1, 5], [2, 4], [3, 3], [4, 4], [5, 5], [6, 3], [8, 4], [10, 5]] as const;
