import { expect, it } from 'vitest';

import { Heights } from './heights';

it('what was measured is kept, what was not is guessed', () => {
  const heights = new Heights();
  expect(heights.data()).toBeUndefined();
  expect(heights.of(3, 100)).toBe(100);
  heights.set(3, 1500, 20, 800);
  heights.set(4, 1400, 20, 800);
  expect(heights.line).toBe(75);
  expect([heights.of(2, 7), heights.of(3, 7), heights.of(4, 7)]).toEqual([7, 1500, 1400]);
  const again = new Heights(JSON.parse(JSON.stringify(heights.data())) as ReturnType<Heights['data']>);
  expect(again.data()).toEqual(heights.data());
  expect([again.line, again.of(2, 7), again.of(3, 7)]).toEqual([75, 7, 1500]);
});

it('another width forgets', () => {
  const heights = new Heights({ width: 800, line: 75, chunks: [1500, null, 1400] });
  heights.set(1, 900, 10, 800.4);
  expect([heights.of(0, 7), heights.of(1, 7)]).toEqual([1500, 900]);
  heights.set(1, 970, 10, 390);
  expect([heights.line, heights.of(0, 7), heights.of(1, 7)]).toEqual([97, 7, 970]);
});
