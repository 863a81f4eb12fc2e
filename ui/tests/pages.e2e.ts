// Every page at several widths, light and dark: nothing for axe to find, nothing wider than the screen, no complaints.
// It also makes the pictures in `ui/docs`, when PICTURES is set.

import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { axe } from './support/axe';
import { launch, visit } from './support/browser';
import type { Client } from './support/server';
import { Server } from './support/server';
import { furnish } from './support/world';

let server: Server;
let browser: Browser;
let omni: Client;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  ({ omni } = await furnish(server));
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

const VISITOR = ['/', '/omni', '/p/omni/kit.window', '/p/omni/kit.window/releases', '/p/omni/kit.window/releases/stable/1.9.0', '/signin', '/setup', '/invitation', '/p/omni/nothing', '/account'];
const OWNER = [
  '/', '/new', '/p/omni/kit.window', '/p/omni/kit.window/releases/stable/1.11.0', '/p/omni/kit.window/releases/stable/1.11.0/edit',
  '/p/omni/kit.window/new', '/p/omni/kit.window/stats', '/p/omni/build-tools/settings', '/p/omni/kit.window/audit', '/account', '/account/tokens',
  '/account/channels', '/account/platforms', '/admin', '/admin/users', '/admin/storage', '/admin/audit', '/admin/settings',
];
const VIEWS = [
  { width: 1280, height: 900, dark: false }, { width: 390, height: 844, dark: true },
  { width: 390, height: 844, dark: false }, { width: 1280, height: 900, dark: true },
];

it.each(VIEWS)('every page at $width px, dark: $dark', async ({ width, height, dark }) => {
  for (const [cookie, paths] of [['', VISITOR], [omni.cookie, OWNER]] as const) {
    const { page, complaints, context } = await visit(browser, server.origin, { width, height, dark, cookie });
    // What visitors may not see is asked for, and refused.
    complaints.allowed.push(/status of 40[14].*(nothing|members)/);
    for (const path of paths) {
      await page.goto(path);
      await page.locator('main h1').first().waitFor({ state: 'attached' });
      await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
      if (process.env['SHOTS']) {
        await page.screenshot({ path: join(process.env['SHOTS'], `${path.replaceAll('/', '_')}-${width}-${dark ? 'dark' : 'light'}-${cookie ? 'omni' : 'visitor'}.png`), fullPage: true });
      }
      expect(await axe(page), `${path} at ${width}`).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, `${path} at ${width} px is wider than the screen`).toBeLessThanOrEqual(0);
      expect(await page.title(), path).toMatch(/Packhouse$/);
    }
    complaints.check();
    await context.close();
  }
});

it.each([{ width: 320, height: 640 }, { width: 3840, height: 2160 }])('the main pages fit $width px', async ({ width, height }) => {
  const { page, complaints, context } = await visit(browser, server.origin, { width, height, cookie: omni.cookie });
  for (const path of ['/', '/p/omni/kit.window', '/p/omni/kit.window/releases/stable/1.10.0', '/p/omni/kit.window/new', '/p/omni/build-tools/settings', '/account/channels']) {
    await page.goto(path);
    await page.locator('main h1').first().waitFor({ state: 'attached' });
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, `${path} at ${width} px is wider than the screen`).toBeLessThanOrEqual(0);
    if (process.env['SHOTS']) {
      await page.screenshot({ path: join(process.env['SHOTS'], `${path.replaceAll('/', '_')}-${width}.png`) });
    }
  }
  complaints.check();
  await context.close();
});

it('the first view is small and quick', async () => {
  const { page, context } = await visit(browser, server.origin);
  let bytes = 0;
  page.on('response', (response) => {
    bytes += Number(response.headers()['content-length'] ?? 0);
  });
  const tool = await context.newCDPSession(page);
  await tool.send('Performance.enable');
  await page.goto('/');
  await page.getByRole('link', { name: /kit\.window/ }).first().waitFor();
  const { metrics } = await tool.send('Performance.getMetrics');
  const metric = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0;
  const cpuMs = Math.round(metric('TaskDuration') * 1000);
  console.log(`first view: ${(bytes / 1000).toFixed(1)} kB over the wire, ${cpuMs} ms of CPU (script ${Math.round(metric('ScriptDuration') * 1000)} ms)`);
  expect(bytes).toBeLessThan(100_000);
  await context.close();
});

const PICTURES = process.env['PICTURES'];
it.runIf(PICTURES)('the pictures of the README', async () => {
  for (const [name, path, options] of [
    ['landing', '/', { width: 1280, height: 720 }],
    ['package', '/p/omni/kit.window', { width: 1280, height: 900 }],
    ['release', '/p/omni/kit.window/releases/stable/1.10.0', { width: 1280, height: 800 }],
    ['new-release', '/p/omni/kit.window/new', { width: 1280, height: 900 }],
    ['package-phone', '/p/omni/kit.window', { width: 390, height: 844, dark: true }],
  ] as const) {
    const { page, context } = await visit(browser, server.origin, { ...options, scale: 2, cookie: omni.cookie });
    await page.goto(path);
    await page.locator('main h1').first().waitFor({ state: 'attached' });
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
    await page.waitForLoadState('networkidle').catch(() => undefined);
    await page.screenshot({ path: join(PICTURES ?? '', `${name}.png`) });
    await context.close();
  }
});
