// A large file over a bad connection: cut twice on the way, then left by a reload and taken up again.

import { open, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { launch, visit } from './support/browser';
import { Wire } from './support/proxy';
import { Server } from './support/server';

const SIZE = 300_000_000;
let server: Server;
let browser: Browser;
let wire: Wire;
let folder: string;
let large: string;
let cookie: string;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  wire = await Wire.to(server.origin);
  folder = await mkdtemp(join(tmpdir(), 'packhouse-large-'));
  large = join(folder, 'disk-image-1.0.0-linux-x64.img');
  const file = await open(large, 'w');
  const part = Buffer.alloc(1_000_000);
  for (let at = 0; at < SIZE; at += part.length) {
    part.writeUInt32LE(at, (at / 1000) % 900_000);
    await file.write(part);
  }
  await file.close();
  const omni = await server.setUp('omni');
  await omni.send('POST', '/api/v1/packages', { name: 'images' });
  cookie = omni.cookie;
});

afterAll(async () => {
  wire.close();
  await browser.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it('300 MB arrive although the connection is cut twice', async () => {
  const { page, complaints, context } = await visit(browser, wire.origin, { cookie });
  complaints.allowed.push(/net::ERR_/);
  await page.goto('/p/omni/images/new');
  await page.getByRole('heading', { name: 'New release' }).waitFor();
  await page.locator('input[type=file]').first().setInputFiles(large);
  wire.sent = 0;
  wire.cutAfter(SIZE / 3, (SIZE * 2) / 3);
  await page.getByRole('button', { name: 'Publish 1.0.0' }).click();
  // Whoever leaves finds it still going.
  await page.getByRole('region', { name: 'Uploads' }).waitFor();
  await page.getByRole('link', { name: 'Packhouse, the first page' }).click();
  await page.getByRole('region', { name: 'Uploads' }).getByText('disk-image-1.0.0-linux-x64.img').waitFor();
  await page.getByText('1.0.0 is published.').waitFor({ timeout: 100_000 });
  expect(wire.cuts).toBe(2);
  // What had arrived was not sent again.
  expect(wire.sent).toBeLessThan(SIZE * 1.2);
  const release = (await (await fetch(`${server.origin}/api/v1/packages/omni/images/releases/stable/1.0.0`)).json()) as {
    active: boolean; files: { size: number }[];
  };
  expect([release.active, release.files[0]?.size]).toEqual([true, SIZE]);
  complaints.check();
  await context.close();
});

it('an upload that a reload stopped goes on with the same file', async () => {
  const { page, complaints, context } = await visit(browser, wire.origin, { cookie });
  complaints.allowed.push(/net::ERR_/);
  await page.goto('/p/omni/images/new');
  await page.getByRole('heading', { name: 'New release' }).waitFor();
  await page.locator('input[type=file]').first().setInputFiles(large);
  await page.getByLabel('Version').fill('1.1.0');
  wire.sent = 0;
  wire.cutAfter(SIZE / 2);
  await page.getByRole('button', { name: 'Publish 1.1.0' }).click();
  while (wire.cuts < 3) await page.waitForTimeout(20);
  await page.getByRole('button', { name: /^Pause / }).click({ timeout: 5000 });
  await page.getByRole('button', { name: /^Resume / }).waitFor();
  page.once('dialog', (dialog) => void dialog.accept());
  await page.reload();
  const tray = page.getByRole('region', { name: 'Uploads' });
  await tray.getByText('These were not finished.').waitFor();
  const before = wire.sent;
  await tray.getByLabel(/Choose disk-image/).setInputFiles(large);
  await page.getByText('1.1.0 is kept as a draft.').waitFor({ timeout: 100_000 });
  expect(wire.sent - before).toBeLessThan(SIZE * 0.75);
  await page.getByRole('button', { name: 'Open 1.1.0' }).click();
  await page.getByRole('button', { name: 'Publish 1.1.0' }).click();
  await page.getByText('Active', { exact: true }).waitFor();
  complaints.check();
  await context.close();
});

it('a server that is down is no catastrophe', async () => {
  const { page, complaints, context } = await visit(browser, wire.origin, { cookie });
  complaints.allowed.push(/net::ERR_/);
  await page.goto('/');
  await page.getByRole('link', { name: /images/ }).first().waitFor();
  wire.down(true);
  await page.getByRole('link', { name: /images/ }).first().click();
  await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
  wire.down(false);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { name: /images/ }).first().waitFor();
  complaints.check();
  await context.close();
});
