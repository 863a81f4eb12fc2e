// What a visitor's device is offered, and which files of a release are shown as its archives.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { axe } from './support/axe';
import { launch, visit } from './support/browser';
import type { Client } from './support/server';
import { Server } from './support/server';

let server: Server;
let browser: Browser;
let omni: Client;
const RELEASES = '/api/v1/packages/omni/app/releases/stable';

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  omni = await server.setUp('omni');
  await omni.send('POST', '/api/v1/packages', { name: 'app', description: 'An application.' });
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** A draft of these files, in the order in which they arrive, and then active. */
async function publish(version: string, ...files: string[]): Promise<void> {
  for (const file of files) await omni.upload(`${RELEASES}/${version}/files/${file}`, `${version} ${file}`, 'inactive');
  await omni.send('PATCH', `${RELEASES}/${version}`, { active: true });
}

/** Where the large button of the package's page leads, with what it says. */
async function button(): Promise<{ href: string; text: string } | undefined> {
  const visitor = await visit(browser, server.origin);
  await visitor.page.goto('/p/omni/app');
  await visitor.page.locator('.download').waitFor();
  const link = visitor.page.locator('.download > a.primary, .download > .primary');
  const found = (await link.count()) === 0 ? undefined
    : { href: (await link.getAttribute('href')) ?? '', text: (await link.innerText()).replace(/\s+/g, ' ').trim() };
  visitor.complaints.check();
  await visitor.context.close();
  return found;
}

it('offers the archive for the platform, whatever arrived first, and an older one where the newest release has none', async () => {
  // The signature came first, and the button once offered it.
  await publish('1.0.0', 'linux-x64/app.tar.gz.sig', 'linux-x64/app.tar.gz', 'windows-x64/app.zip');
  expect(await button()).toMatchObject({ href: expect.stringContaining('/1.0.0/files/linux-x64/app.tar.gz') });
  expect((await button())?.href).toMatch(/app\.tar\.gz$/);

  // A release without a file for this device: the update check stays with the older one, and so does the button.
  await publish('1.1.0', 'windows-x64/app.zip', 'any/SHA256SUMS');
  const older = await button();
  expect(older?.href).toMatch(/1\.0\.0\/files\/linux-x64\/app\.tar\.gz$/);
  expect(older?.text).toContain('1.0.0');
  const update = await omni.send('GET', '/api/v1/updates?id=omni.app&platform=linux-x64');
  expect(update['filename']).toBe(server.origin + (older?.href ?? ''));

  // Archives for any platform count in a release without one for a specific platform.
  await publish('1.2.0', 'any/docs.zip', 'windows-x64/app.zip');
  expect((await button())?.href).toMatch(/1\.0\.0\/files\/linux-x64\/app\.tar\.gz$/);
  await publish('1.3.0', 'any/app.zip', 'linux-x64/app.zip.sha256');
  expect((await button())?.href).toMatch(/1\.3\.0\/files\/any\/app\.zip$/);
});

it('tells archives and attachments apart, and lets a draft choose', async () => {
  for (const file of ['app.zip.asc', 'app.zip', 'symbols.zip']) await omni.upload(`${RELEASES}/2.0.0/files/any/${file}`, file, 'inactive');
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: omni.cookie });
  await page.goto('/p/omni/app/releases/stable/2.0.0');
  const rows = () => page.locator('table.cards tbody tr').evaluateAll((rows) =>
    rows.map((row) => (row.querySelector('td') as HTMLElement).innerText.split(/\n|\s(?=A)/).map((part) => part.trim()).filter(Boolean).join(' ')));
  await page.getByRole('row', { name: /symbols/ }).waitFor();
  expect(await rows()).toEqual(['app.zip Archive', 'app.zip.asc Attachment', 'symbols.zip Attachment']);
  await page.getByRole('button', { name: 'Make archive: symbols.zip' }).click();
  await page.getByRole('button', { name: 'Make attachment: symbols.zip' }).waitFor();
  expect(await rows()).toEqual(['symbols.zip Archive', 'app.zip.asc Attachment', 'app.zip Attachment']);
  expect(await axe(page)).toEqual([]);

  // What is published stays what it is.
  await omni.send('PATCH', `${RELEASES}/2.0.0`, { active: true });
  await page.reload();
  await page.getByText('Attachment').first().waitFor();
  expect(await page.getByRole('button', { name: /Make/ }).count()).toBe(0);
  complaints.check();
  await context.close();
  expect((await button())?.href).toMatch(/2\.0\.0\/files\/any\/symbols\.zip$/);
});
