// What axe-core finds on a page, as lines to read.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

export async function axe(page: Page): Promise<string[]> {
  await page.evaluate(SOURCE);
  const violations = await page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: { run: (context: unknown, options: unknown) => Promise<{ violations: unknown }> } }).axe.run;
    const result = await run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } });
    return JSON.stringify(result.violations);
  });
  return (JSON.parse(violations) as Violation[]).flatMap((one) =>
    one.nodes.map((node) => `${one.id}: ${one.help}\n  ${node.html}\n  ${node.failureSummary ?? ''}`));
}
