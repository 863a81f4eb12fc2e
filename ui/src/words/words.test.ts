import { expect, it } from 'vitest';

import { count, duration, size } from './size';
import { ago } from './time';

it.each([[0, '0 B'], [999, '999 B'], [1000, '1.0 kB'], [12_400_000, '12.4 MB'], [999_999, '1.0 MB'], [2e9, '2.0 GB']])(
  '%d bytes',
  (bytes, text) => {
    expect(size(bytes)).toBe(text);
  },
);

it('counts and durations', () => {
  expect(count(1204)).toBe('1,204');
  expect([duration(0.2), duration(59), duration(61), duration(3700), duration(Infinity)]).toEqual(['1 s', '59 s', '2 min', '1 h 2 min', '']);
});

it.each([
  [-10, 'just now'], [-60, '1 minute ago'], [-3600 * 3, '3 hours ago'], [-86_400, 'yesterday'], [-86_400 * 3, '3 days ago'],
  [86_400 * 2, 'in 2 days'], [-86_400 * 400, 'last year'], [20, 'in a moment'],
])('%d s from now', (seconds, text) => {
  expect(ago(seconds * 1000, 0)).toBe(text);
});
