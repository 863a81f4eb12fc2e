import { expect, it } from 'vitest';

import { datesBetween } from './days';
import { coloursOf, niceTop, seriesOf } from './series';

const words = { others: 'others', unknown: 'not told' };
const count = (date: string, version: string, count: number) => ({ date, version, count, channel: 'stable', platform: 'any' });

it('days are whole and end where they should', () => {
  expect(datesBetween('2026-02-27', '2026-03-02')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02']);
  expect(datesBetween('2026-03-02', '2026-03-01')).toEqual([]);
});

it('series are sorted by their sum, and nothing is lost in the others', () => {
  const days = ['2026-01-01', '2026-01-02'];
  const counts = [
    count('2026-01-01', '1.0.0', 1), count('2026-01-02', '1.0.0', 2), count('2026-01-02', '2.0.0', 9), count('2025-12-31', '3.0.0', 5),
    count('2026-01-01', '', 1),
  ];
  expect(seriesOf(counts, days, 'version', words)).toEqual([
    { name: '2.0.0', colour: 1, values: [0, 9], total: 9 },
    { name: '1.0.0', colour: 3, values: [1, 2], total: 3 },
    { name: 'not told', colour: 4, values: [1, 0], total: 1 },
  ]);
  const many = Array.from({ length: 20 }, (_, index) => count('2026-01-01', `1.${index}.0`, 20 - index));
  const gathered = seriesOf(many, days, 'version', words);
  expect(gathered.length).toBe(6);
  expect(gathered.at(-1)?.name).toBe('others');
  expect(gathered.reduce((sum, one) => sum + one.total, 0)).toBe(210);
});

it('a version has one colour in all pictures of a page', () => {
  const downloads = [count('2026-01-01', '1.0.0', 1), count('2026-01-01', '2.0.0', 9)];
  const checks = [count('2026-01-01', '1.0.0', 50), count('2026-01-01', '0.9.0', 7), count('2026-01-01', '2.0.0', 3)];
  const colours = coloursOf([downloads, checks], 'version', words);
  const colourIn = (counts: typeof downloads) => Object.fromEntries(seriesOf(counts, ['2026-01-01'], 'version', words, colours).map((one) => [one.name, one.colour]));
  expect(colourIn(downloads)).toEqual({ '2.0.0': 1, '1.0.0': 2 });
  expect(colourIn(checks)).toEqual({ '2.0.0': 1, '1.0.0': 2, '0.9.0': 3 });
});

it.each([[0, 4, 4], [3, 4, 4], [5, 5, 5], [7, 8, 4], [9, 10, 5], [11, 20, 4], [26, 30, 3], [59, 60, 3], [99, 100, 5], [101, 200, 4], [1204, 2000, 4]])('the top of %d is %d in %d steps', (highest, top, steps) => {
  expect(niceTop(highest)).toEqual({ top, steps });
  expect(Number.isInteger(top / steps)).toBe(true);
});
