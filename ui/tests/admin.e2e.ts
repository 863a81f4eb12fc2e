// What admins do: inviting by a link, granting storage, shutting out and letting in again, and what the trail tells of it.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { axe } from './support/axe';
import { launch, visit } from './support/browser';
import { drop } from './support/drop';
import type { Client } from './support/server';
import { PASSWORD, Server } from './support/server';

// What the first page of the server says where nothing is wrong. The disk of this machine may be nearly full.
const WELL = /^All is well\.|^Only .* are free on the disk\./;

let server: Server;
let browser: Browser;
let root: Client;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  root = await server.setUp('root');
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

it('a user is invited by a link that works once, and publishes until the storage is used up', async () => {
  const admin = await visit(browser, server.origin, { cookie: root.cookie });
  admin.complaints.allowed.push(/status of 422.*users/);
  await admin.page.goto('/admin/users');
  await admin.page.getByRole('button', { name: 'Invite a user' }).click();
  const dialog = admin.page.getByRole('dialog');
  // A name that addresses begin with is refused, beside its field.
  await dialog.getByLabel('Name', { exact: true }).fill('admin');
  await dialog.getByRole('button', { name: 'Make the invitation' }).click();
  await dialog.getByText('choose another name').waitFor();
  expect(await dialog.getByLabel('Name', { exact: true }).getAttribute('aria-invalid')).toBe('true');
  await dialog.getByLabel('Name', { exact: true }).fill('mara');
  await dialog.getByLabel('Storage in GB').fill('0.00001');
  await admin.page.keyboard.press('Enter');
  await admin.page.getByRole('dialog', { name: 'mara is invited' }).waitFor();
  const link = (await admin.page.locator('.secret code').textContent()) ?? '';
  expect(link).toContain(`${server.origin}/invitation?token=`);
  await admin.page.keyboard.press('Escape');
  await admin.page.getByRole('row', { name: /mara/ }).getByText('Invited').waitFor();
  // The focus is back where it came from, so that one can go on by keyboard.
  expect(await admin.page.evaluate(() => document.activeElement?.tagName)).not.toBe('BODY');

  const mara = await visit(browser, server.origin);
  mara.complaints.allowed.push(/status of (507|404)/);
  await mara.page.goto(link);
  await mara.page.getByRole('heading', { name: 'Welcome' }).waitFor();
  await mara.page.getByLabel('Password').fill('short');
  await mara.page.keyboard.press('Enter');
  await mara.page.getByText('A password has at least 10').waitFor();
  await mara.page.getByLabel('Password').fill(PASSWORD);
  await mara.page.keyboard.press('Enter');
  await mara.page.getByRole('button', { name: 'mara' }).waitFor();
  await mara.page.getByText('You have no packages yet').waitFor();

  // A page that is too large for what was granted is refused before a byte is sent, and says what would help.
  await mara.page.getByRole('link', { name: 'Create a package' }).click();
  await mara.page.getByLabel('Name', { exact: true }).fill('hello');
  await mara.page.keyboard.press('Enter');
  await mara.page.getByRole('heading', { name: 'New release' }).waitFor();
  await drop(mara.page, [{ name: 'hello-1.0.0.zip', text: 'x'.repeat(20_000) }]);
  await mara.page.getByRole('button', { name: 'Publish 1.0.0' }).click();
  await mara.page.getByText(/hold 0 of 10000 bytes/).waitFor();
  await mara.page.getByText('have an admin raise the quota').waitFor();

  await admin.page.getByRole('button', { name: 'Actions for mara' }).click();
  await admin.page.getByRole('button', { name: 'Change storage…' }).click();
  await admin.page.getByRole('dialog').getByLabel('Storage in GB').fill('much');
  await admin.page.getByRole('dialog').getByRole('button', { name: 'Set' }).click();
  await admin.page.getByText('A number of gigabytes').waitFor();
  await admin.page.getByRole('dialog').getByLabel('Storage in GB').fill('1');
  await admin.page.getByRole('dialog').getByRole('button', { name: 'Set' }).click();
  await admin.page.getByRole('row', { name: /mara/ }).getByText('0 B of 1.0 GB').waitFor();

  await mara.page.getByRole('button', { name: /^Resume / }).click();
  await mara.page.getByText('1.0.0 is published.').waitFor();
  await admin.page.reload();
  await admin.page.getByRole('row', { name: /mara/ }).getByText('20.0 kB of 1.0 GB').waitFor();

  // The link is used up.
  const late = await visit(browser, server.origin);
  late.complaints.allowed.push(/status of 404/);
  await late.page.goto(link);
  await late.page.getByLabel('Password').fill(PASSWORD);
  await late.page.keyboard.press('Enter');
  await late.page.getByRole('alert').getByText('ask for a new one').waitFor();
  for (const one of [admin, mara, late]) {
    one.complaints.check();
    await one.context.close();
  }
});

it('who is disabled is out at once, and in again when enabled', async () => {
  const admin = await visit(browser, server.origin, { cookie: root.cookie });
  const maras = await server.as('mara');
  const mara = await visit(browser, server.origin, { cookie: maras.cookie });
  mara.complaints.allowed.push(/status of 401/);
  await mara.page.goto('/account/tokens');
  await mara.page.getByRole('heading', { name: 'API tokens' }).waitFor();
  await admin.page.goto('/admin/users');
  await admin.page.getByRole('button', { name: 'Actions for mara' }).click();
  await admin.page.getByRole('button', { name: 'Disable…' }).click();
  await admin.page.getByRole('button', { name: 'Disable mara' }).click();
  await admin.page.getByText('mara is disabled.').waitFor();
  await admin.page.getByRole('row', { name: /mara/ }).getByText('Disabled').waitFor();
  await mara.page.reload();
  await mara.page.getByRole('heading', { name: 'Sign in to see this' }).waitFor();
  await mara.page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
  await mara.page.getByLabel('Name').fill('mara');
  await mara.page.getByLabel('Password').fill(PASSWORD);
  await mara.page.keyboard.press('Enter');
  await mara.page.getByRole('alert').waitFor();
  await admin.page.getByRole('button', { name: 'Actions for mara' }).click();
  await admin.page.getByRole('button', { name: 'Enable', exact: true }).click();
  await admin.page.getByRole('row', { name: /mara/ }).getByText('Active').waitFor();
  await mara.page.getByLabel('Password').fill(PASSWORD);
  await mara.page.keyboard.press('Enter');
  await mara.page.getByRole('heading', { name: 'API tokens' }).waitFor();
  // Who forgot the password gets a new link.
  await admin.page.getByRole('button', { name: 'Actions for mara' }).click();
  await admin.page.getByRole('button', { name: 'New sign-in link' }).click();
  await admin.page.locator('.secret code').getByText('/invitation?token=').waitFor();
  admin.complaints.check();
  mara.complaints.check();
  await admin.context.close();
  await mara.context.close();
});

it('the trail tells what was done, and finds it by user and package', async () => {
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: root.cookie });
  await page.goto('/admin/audit');
  for (const action of ['invited mara', 'accepted the invitation', 'made the package mara.hello', 'published']) {
    await page.getByRole('cell', { name: action }).first().waitFor();
  }
  const all = await page.getByRole('row').count();
  await page.getByLabel('Package', { exact: true }).fill('mara.hello');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.getByRole('row').count()).toBeLessThan(all);
  expect(new URL(page.url()).searchParams.get('package')).toBe('mara.hello');
  expect(await page.getByRole('cell', { name: 'invited mara' }).count()).toBe(0);
  await page.getByLabel('Package', { exact: true }).fill('mara.nothing');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByText('Nothing matches the filter.').waitFor();
  await page.goto('/admin');
  await page.getByText(WELL).waitFor();
  await page.getByText('Unfinished uploads').waitFor();
  complaints.check();
  await context.close();
});

it('a user with packages cannot be deleted before them, and no one else sees the server’s pages', async () => {
  const admin = await visit(browser, server.origin, { cookie: root.cookie });
  admin.complaints.allowed.push(/status of 409/);
  await admin.page.goto('/admin/users');
  await admin.page.getByRole('button', { name: 'Actions for mara' }).click();
  await admin.page.getByRole('button', { name: 'Delete…' }).click();
  await admin.page.getByLabel('Type mara to confirm').fill('mara');
  await admin.page.getByRole('button', { name: 'Delete mara' }).click();
  await admin.page.getByRole('dialog').getByRole('alert').getByText('hello').waitFor();
  await admin.page.keyboard.press('Escape');
  await admin.page.getByRole('row', { name: /mara/ }).waitFor();
  const mara = await visit(browser, server.origin, { cookie: (await server.as('mara')).cookie });
  for (const path of ['/admin', '/admin/users', '/admin/audit']) {
    await mara.page.goto(path);
    await mara.page.getByRole('heading', { name: 'Not for this account' }).waitFor();
  }
  admin.complaints.check();
  mara.complaints.check();
  await admin.context.close();
  await mara.context.close();
});

it('a backup is one click, and says afterwards that it was made', async () => {
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: root.cookie });
  await page.goto('/admin/storage');
  await page.getByText('No backup was made since the server started.').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download a backup' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^packhouse-.*\.tar$/);
  const path = await download.path();
  // The first file of the archive tells what the others are.
  expect((await readFile(path)).subarray(0, 11).toString()).toBe('backup.json');
  await page.reload();
  await page.getByText('The last backup was complete').waitFor();
  await page.goto('/admin/audit');
  await page.getByText('backed up the server').first().waitFor();
  complaints.check();
  await context.close();
});

it('what failed or is damaged is told on the first page of the server, and what comes next', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'packhouse-backups-'));
  await writeFile(join(folder, 'a file'), 'is no folder');
  for (const [to, words] of [
    [join(folder, 'backups'), [/^The newest one in the folder of scheduled backups was made just now\. The next one is made (tomorrow|in 24 hours)/]],
    [join(folder, 'a file'), [/^The last backup failed just now: .*a file/, /^The folder of scheduled backups has none yet\. It is tried again in 15 minutes/]],
  ] as const) {
    const other = await Server.start(['--backup-to', to]);
    const { page, complaints, context } = await visit(browser, other.origin, { cookie: (await other.setUp('root')).cookie });
    await page.goto('/admin/storage');
    for (const text of words) {
      await expect.poll(async () => {
        await page.reload();
        await page.getByRole('heading', { name: 'Backup' }).waitFor();
        return (await page.getByRole('region', { name: 'Backup' }).locator('p, .text').allInnerTexts()).some((line) => text.test(line.trim()));
      }, { message: String(text), timeout: 20_000 }).toBe(true);
    }
    await page.getByText('Not all content was read since the server started. The next reading begins in 10 minutes.').waitFor();
    await page.goto('/admin');
    await (to.endsWith('a file') ? page.getByText('The last backup failed. See Storage') : page.getByText(WELL)).waitFor();
    complaints.check();
    // A disk that forgets takes more than a test: the answer is the server's, but for this.
    await page.route('**/api/v1/admin/status', async (route) => {
      const answer = await route.fetch();
      const status = (await answer.json()) as { scrub: object };
      const scrub = { ...status.scrub, damaged: ['ab'.repeat(32)], begun: new Date().toISOString(), next: null, round_bytes: 0 };
      await route.fulfill({ response: answer, json: { ...status, scrub } });
    });
    await page.goto('/admin');
    await page.getByText('Some stored files are damaged.').waitFor();
    expect(await page.getByText('All is well.').count()).toBe(0);
    await page.getByRole('link', { name: 'See Storage' }).first().click();
    await page.getByText('One file is not what was stored.').waitFor();
    await page.getByText('ababababab…').waitFor();
    await page.getByRole('progressbar', { name: 'Verification' }).waitFor();
    expect(await axe(page)).toEqual([]);
    await context.close();
    await other.stop();
  }
  await rm(folder, { recursive: true, force: true });
});
