import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { TARGET, schema } from './schema.ts';

it('the types of the API are those of the server', async () => {
  const made = await schema();
  expect(made === readFileSync(TARGET, 'utf8'), 'src/api/schema.ts is stale; run `npm run schema` in ui').toBe(true);
});
