import { expect, it } from 'vitest';

import { datesBetween } from './days';
import type { DayCount } from '../api/types';
import { niceTop, seriesOf, together } from './series';

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
  expect(seriesOf([counts], days, 'version', words)).toEqual([[
    { name: '2.0.0', colour: 1, values: [0, 9], total: 9 },
    { name: '1.0.0', colour: 2, values: [1, 2], total: 3 },
    { name: 'not told', colour: 3, values: [1, 0], total: 1 },
  ]]);
  const many = Array.from({ length: 20 }, (_, index) => count('2026-01-01', `1.${index}.0`, 20 - index));
  const [gathered = []] = seriesOf([[...many, count('2026-01-02', 'others', 3), count('2026-01-02', 'other', 4)]], days, 'version', words);
  expect(gathered.map((one) => one.name)).toEqual(['1.0.0', '1.1.0', '1.2.0', '1.3.0', '1.4.0', 'others']);
  expect(gathered.reduce((sum, one) => sum + one.total, 0)).toBe(217);
});

it('the latest versions stand by themselves before they are the most frequent', () => {
  const days = datesBetween('2026-01-01', '2026-01-30');
  const old = Array.from({ length: 6 }, (_, index) => count('2026-01-02', `1.${index}.0`, 50));
  const [series = []] = seriesOf([[...old, count('2026-01-30', '2.0.0', 20)]], days, 'version', words);
  expect(series.map((one) => one.name)).toContain('2.0.0');
  expect(series.at(-1)).toMatchObject({ name: 'others', total: 100 });
});

it('weeks end today and lose nothing', () => {
  const days = datesBetween('2026-01-01', '2026-01-16');
  const [series = []] = seriesOf([days.map((day, index) => count(day, '1.0.0', index + 1))], days, 'version', words);
  const weeks = together(days, series, 7);
  expect(weeks.days).toEqual(['2026-01-01', '2026-01-03', '2026-01-10']);
  expect(weeks.series.map((one) => one.values)).toEqual([[3, 42, 91]]);
  expect(together(days, series, 1)).toEqual({ days, series });
});

it('a version has one colour in all pictures of a page', () => {
  const downloads = [count('2026-01-01', '1.0.0', 1), count('2026-01-01', '2.0.0', 9)];
  const checks = [count('2026-01-01', '1.0.0', 50), count('2026-01-01', '0.9.0', 7), count('2026-01-01', '2.0.0', 3)];
  const colours = (pictures: DayCount[][]) => seriesOf(pictures, ['2026-01-01'], 'version', words).map((one) => Object.fromEntries(one.map((one) => [one.name, one.colour])));
  expect(colours([downloads, checks])).toEqual([{ '2.0.0': 1, '1.0.0': 2 }, { '2.0.0': 1, '1.0.0': 2, '0.9.0': 3 }]);
  // More names than there are colours: no two of a picture have the same one, and none has two.
  const some = (first: number, length: number) => Array.from({ length }, (_, index) => count('2026-01-01', `1.${first + index}.0`, 100 - index));
  for (const pictures of [[some(0, 5), some(3, 5)], [some(0, 8), some(5, 6)], [some(0, 6), []]]) {
    const [first = {}, second = {}] = colours(pictures);
    for (const picture of [first, second]) expect(new Set(Object.values(picture)).size).toBe(Object.keys(picture).length);
    for (const [name, colour] of Object.entries(first)) expect(second[name] ?? colour).toBe(colour);
  }
});

it.each([[0, 4, 4], [3, 4, 4], [5, 5, 5], [7, 8, 4], [9, 10, 5], [11, 20, 4], [26, 30, 3], [59, 60, 3], [99, 100, 5], [101, 200, 4], [1204, 2000, 4]])('the top of %d is %d in %d steps', (highest, top, steps) => {
  expect(niceTop(highest)).toEqual({ top, steps });
  expect(Number.isInteger(top / steps)).toBe(true);
});
