// Makes `src/api/schema.ts` from the server's own description of its API: `npm run schema`. A test says when it is stale.

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import openapiTS, { astToString } from 'openapi-typescript';

const FOLDER = resolve(import.meta.dirname, '../../src/http/openapi');
const SUBJECTS = /include_str!\("openapi\/(\w+\.json)"\)/g;
export const TARGET = resolve(import.meta.dirname, '../src/api/schema.ts');

interface Part {
  paths: object;
  schemas: object;
}

/** The document as the server puts it together. */
function compose(): object {
  const source = readFileSync(`${FOLDER}.rs`, 'utf8');
  const [frameName = '', ...names] = [...source.matchAll(SUBJECTS)].map((match) => match[1] ?? '');
  const read = (name: string): unknown => JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
  const frame = read(frameName) as { paths: object; components: { schemas: object } };
  for (const name of names) {
    const part = read(name) as Part;
    Object.assign(frame.paths, part.paths);
    Object.assign(frame.components.schemas, part.schemas);
  }
  return frame;
}

export async function schema(): Promise<string> {
  const nodes = await openapiTS(compose() as Parameters<typeof openapiTS>[0], { alphabetize: true });
  return `// Made by build/schema.ts from src/http/openapi; not to be edited.\n\n${astToString(nodes)}`;
}

if (process.env['WRITE_SCHEMA']) writeFileSync(TARGET, await schema());
