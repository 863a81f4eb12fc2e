import { expect, it } from 'vitest';

import { datesBetween } from './days';
import { niceTop, seriesOf } from './series';

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
    { name: '2.0.0', values: [0, 9], total: 9 },
    { name: '1.0.0', values: [1, 2], total: 3 },
    { name: 'not told', values: [1, 0], total: 1 },
  ]);
  const many = Array.from({ length: 20 }, (_, index) => count('2026-01-01', `1.${index}.0`, 20 - index));
  const gathered = seriesOf(many, days, 'version', words);
  expect(gathered.length).toBe(6);
  expect(gathered.at(-1)?.name).toBe('others');
  expect(gathered.reduce((sum, one) => sum + one.total, 0)).toBe(210);
});

it.each([[0, 4], [3, 4], [7, 8], [11, 20], [99, 100], [101, 200], [1204, 2000]])('the top of %d', (highest, top) => {
  expect(niceTop(highest)).toBe(top);
});
