// What strangers may write is shown as what it is: text.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { launch, visit } from './support/browser';
import { Server } from './support/server';

let server: Server;
let browser: Browser;

const RTL = '\u202Egnp.exe\u202C';
const HOSTILE = [
  '# <script>window.hurt = 1</script> a heading',
  '<img src=x onerror="window.hurt = 2">',
  '<svg onload="window.hurt = 3"><style>*{display:none}</style>',
  '[click](javascript:window.hurt=4) [data](data:text/html,<script>window.hurt=5</script>)',
  '![from elsewhere](https://tracker.example/pixel.png "x") ![bad](javascript:window.hurt=6)',
  '<a href="x" onclick="window.hurt = 7">link</a> <iframe src="https://evil.example"></iframe>',
  `An ${RTL} trick, and עברית in between.`,
  '| <b>a</b> | `<i>` |\n| --- | --- |\n| <script>1</script> | b |',
  '```html\n<script>window.hurt = 8</script>\n```',
  `${'x'.repeat(10_000)}`,
].join('\n\n');

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

it('hostile names and texts do nothing', async () => {
  const omni = await server.setUp('omni');
  await omni.send('POST', '/api/v1/packages', { name: `${'long-'.repeat(18)}name`, description: HOSTILE });
  const name = `${'long-'.repeat(18)}name`;
  const file = encodeURIComponent('<img src=x onerror=alert(1)> & "q" עברית.zip');
  const files = `/api/v1/packages/omni/${name}/releases/stable/1.0.0-${'a'.repeat(50)}/files/any`;
  await omni.upload(`${files}/${file}`, 'bytes');
  await expect(omni.upload(`${files}/${encodeURIComponent(RTL)}.zip`, 'bytes')).rejects.toThrow('formatting characters');
  // What an archive says of itself, and where it would have its icon come from.
  await omni.send('PUT', `${files}/${file}/manifest`, {
    package: {
      title: `<img src=x onerror="window.hurt=12"> ${RTL} ${'T'.repeat(100)}`, icon: 'https://tracker.example/icon.svg',
      description: '<script>window.hurt=13</script>', keywords: ['<b>bold</b>', 'javascript:alert(1)'],
    },
  });
  const told = await omni.send('GET', `/api/v1/packages/omni/${name}`);
  expect([told['title'], told['icon']]).toEqual([expect.stringContaining('<img src=x'), 'https://tracker.example/icon.svg']);
  await omni.send('PATCH', `/api/v1/packages/omni/${name}/releases/stable/1.0.0-${'a'.repeat(50)}`, {
    description: HOSTILE, yanked: '<script>window.hurt = 9</script>',
  });
  await omni.send('POST', '/api/v1/tokens', { name: '<img src=x onerror=window.hurt=10>', scopes: ['read'] });
  // The server's answers hold text only, the page shows nothing but text, and asks no other place for anything.
  for (const width of [320, 1280]) {
    const { page, complaints, context } = await visit(browser, server.origin, { width, cookie: omni.cookie });
    for (const path of [
      '/', `/?search=${encodeURIComponent('<script>window.hurt=11</script>')}`, `/p/omni/${name}`, `/p/omni/${name}/releases`,
      `/p/omni/${name}/releases/stable/1.0.0-${'a'.repeat(50)}`, `/p/omni/${name}/settings`, '/account/tokens',
    ]) {
      await page.goto(path);
      await page.locator('main h1').first().waitFor({ state: 'attached' });
      await page.waitForLoadState('networkidle').catch(() => undefined);
      expect(await page.evaluate(() => (window as unknown as { hurt?: number }).hurt), path).toBeUndefined();
      expect(await page.locator('.prose :is(script, iframe, svg, style, img)').count(), path).toBe(0);
      for (const href of await page.locator('.prose a').evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).protocol))) {
        expect(['http:', 'https:', ':', '']).toContain(href);
      }
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, `${path} at ${width} px is wider than the screen`).toBeLessThanOrEqual(0);
    }
    complaints.check();
    await context.close();
  }
});

it('a sign-in leads back only to pages of this site', async () => {
  const omni = await server.as('omni');
  const { page, context } = await visit(browser, server.origin);
  for (const next of ['https://evil.example/', '//evil.example/', 'javascript:alert(1)', '/\\evil.example']) {
    await context.clearCookies();
    await page.goto(`/signin?next=${encodeURIComponent(next)}`);
    await page.getByLabel('Name').fill('omni');
    await page.getByLabel('Password').fill('correct horse battery');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'omni' }).waitFor();
    expect(new URL(page.url()).origin, next).toBe(server.origin);
  }
  expect(omni.cookie).not.toBe('');
  await context.close();
});
