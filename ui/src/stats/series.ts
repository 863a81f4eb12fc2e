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

/** The last days are this part of all. */
const RECENT = 6;

/** The rest has the last colour, which is grey. */
const OTHERS_COLOUR = SERIES_MAX + 1;

/** What the server counts versions as that are too many for one day. */
const MANY = 'other';

interface Words {
  others: string;
  unknown: string;
}

const byName = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });
const sum = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** What was counted of each name, in the order of the days. */
function gather(counts: readonly DayCount[], days: readonly string[], dimension: Dimension, words: Words): Map<string, number[]> {
  const at = new Map(days.map((day, index) => [day, index]));
  const found = new Map<string, number[]>();
  for (const one of counts) {
    const index = at.get(one.date);
    if (index === undefined) continue;
    const name = dimension === 'version' && one.version === MANY ? words.others : one[dimension] || words.unknown;
    const values = found.get(name) ?? days.map(() => 0);
    values[index] = (values[index] ?? 0) + one.count;
    found.set(name, values);
  }
  return found;
}

/**
 * Names that are shown by themselves: in turn the most frequent of the last days and of all, so that the latest version
 * stands there before it is the most frequent, and what was before it is no grey. Each picture has the same say.
 */
function chosen(pictures: readonly Map<string, number[]>[], others: string): string[] {
  const share = (part: (values: readonly number[]) => readonly number[]) => {
    const shares = new Map<string, number>();
    for (const found of pictures) {
      const all = sum([...found.values()].map((values) => sum(part(values))));
      for (const [name, values] of found) if (name !== others && all > 0) shares.set(name, (shares.get(name) ?? 0) + sum(part(values)) / all);
    }
    return [...shares].filter(([, share]) => share > 0).sort((a, b) => b[1] - a[1] || byName(a[0], b[0])).map(([name]) => name);
  };
  const recent = share((values) => values.slice(-Math.ceil(values.length / RECENT)));
  const ever = share((values) => values);
  return [...new Set(ever.flatMap((name, place) => [recent[place] ?? name, name]))].slice(0, SERIES_MAX);
}

/**
 * The series of the pictures of a page, those of each by their sum and the rest at the end. They are the same ones in all
 * pictures, in the same colours.
 */
export function seriesOf(pictures: readonly (readonly DayCount[])[], days: readonly string[], dimension: Dimension, words: Words): Series[][] {
  const gathered = pictures.map((counts) => gather(counts, days, dimension, words));
  const names = chosen(gathered, words.others);
  return gathered.map((found) => {
    const shown = names.flatMap((name, index) => {
      const values = found.get(name);
      return values ? [{ name, colour: index + 1, values, total: sum(values) }] : [];
    });
    shown.sort((a, b) => b.total - a.total || byName(a.name, b.name));
    const rest = [...found].filter(([name]) => !names.includes(name)).map(([, values]) => values);
    if (rest.length === 0) return shown;
    const values = days.map((_, index) => sum(rest.map((one) => one[index] ?? 0)));
    return [...shown, { name: words.others, colour: OTHERS_COLOUR, values, total: sum(values) }];
  });
}

/** Days together, so that a bar is wide enough to be seen; the last ones are whole, and what begins before them may not be. */
export function together(days: readonly string[], series: readonly Series[], size: number): { days: string[]; series: Series[] } {
  if (size <= 1) return { days: [...days], series: [...series] };
  const first = days.length % size;
  const begins = days.map((_, index) => index).filter((index) => index === 0 || (index - first) % size === 0);
  const merge = (values: readonly number[]) => begins.map((begin, at) => sum(values.slice(begin, begins[at + 1])));
  return { days: begins.map((begin) => days[begin] ?? ''), series: series.map((one) => ({ ...one, values: merge(one.values) })) };
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
