// Statistics with counts from real downloads and update checks: the picture, and the numbers behind it.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { axe } from './support/axe';
import { launch, visit } from './support/browser';
import type { Client } from './support/server';
import { Server } from './support/server';

let server: Server;
let browser: Browser;
let omni: Client;
const RELEASE = '/api/v1/packages/omni/lamp/releases';
/** Downloads by version, channel and platform. */
const DOWNLOADS = [
  ['1.0.0', 'stable', 'linux-x64', 3], ['1.1.0', 'stable', 'linux-x64', 5], ['1.1.0', 'stable', 'windows-x64', 2], ['2.0.0-rc.1', 'beta', 'any', 1],
] as const;
/** Update checks by the version that asks. */
const CHECKS = [['1.0.0', 4], ['1.1.0', 2], ['0.9.0', 1]] as const;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  omni = await server.setUp('omni');
  await omni.send('POST', '/api/v1/packages', { name: 'lamp', description: 'Firmware of a lamp.' });
  for (const [version, channel, platform, times] of DOWNLOADS) {
    const file = `${RELEASE}/${channel}/${version}/files/${platform}/lamp.bin`;
    await omni.upload(file, `${version} for ${platform}`, 'inactive');
    await omni.send('PATCH', `${RELEASE}/${channel}/${version}`, { active: true }).catch(() => undefined);
    for (let time = 0; time < times; time += 1) await (await fetch(server.origin + file)).arrayBuffer();
  }
  for (const [version, times] of CHECKS) {
    for (let time = 0; time < times; time += 1) {
      await (await fetch(`${server.origin}/api/v1/updates?id=omni.lamp&platform=linux-x64&version=${version}`)).arrayBuffer();
    }
  }
  // What was counted is written when the server stops.
  await server.end();
  await server.restart();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

const choice = (page: Page, label: string) => page.locator('label').filter({ hasText: label }).getByRole('combobox');

it.each([{ width: 1280, dark: false }, { width: 390, dark: true }])('the picture and its numbers agree at $width px', async ({ width, dark }) => {
  const { page, complaints, context } = await visit(browser, server.origin, { width, dark, cookie: omni.cookie });
  await page.goto('/p/omni/lamp/stats');
  const downloads = page.getByRole('region', { name: 'Downloads', exact: true });
  await downloads.getByRole('img', { name: /^Downloads by Version from / }).waitFor();
  const legend = async () => (await downloads.locator('figcaption li').allInnerTexts()).map((line) => line.replace(/\s+/g, ' ').trim());
  expect(await legend()).toEqual(['1.1.0 7', '1.0.0 3', '2.0.0-rc.1 1']);
  // Bars as high as what they stand for.
  const heights = await downloads.locator('svg rect.series').evaluateAll((all) => all.filter((one) => one.closest('[role=img]')).map((one) => Number(one.getAttribute('height'))));
  expect(heights.length).toBe(3);
  expect((heights[0] ?? 0) / (heights[2] ?? 1)).toBeCloseTo(7, 1);
  await downloads.getByText('Show the numbers').click();
  const today = new Date().toISOString().slice(0, 10);
  const row = downloads.getByRole('row', { name: new RegExp(today) });
  expect((await row.getByRole('cell').allInnerTexts()).slice(1)).toEqual(['7', '3', '1', '11']);
  await choice(page, 'By').selectOption('platform');
  await expect.poll(legend).toEqual(['linux-x64 8', 'windows-x64 2', 'any 1']);
  expect(new URL(page.url()).searchParams.get('by')).toBe('platform');
  await choice(page, 'By').selectOption('channel');
  await expect.poll(legend).toEqual(['stable 10', 'beta 1']);
  await choice(page, 'Period').selectOption('7');
  await choice(page, 'By').selectOption('version');
  const checks = page.getByRole('region', { name: 'Update checks' });
  await expect.poll(async () => (await checks.locator('figcaption li').allInnerTexts()).map((line) => line.replace(/\s+/g, ' ').trim()))
    .toEqual(['1.0.0 4', '1.1.0 2', '0.9.0 1']);
  expect(await axe(page)).toEqual([]);
  // A copied link opens the same view.
  await choice(page, 'By').selectOption('platform');
  const again = await visit(browser, server.origin, { width, dark, cookie: omni.cookie });
  await again.page.goto(page.url());
  expect(await choice(again.page, 'By').inputValue()).toBe('platform');
  expect(await choice(again.page, 'Period').inputValue()).toBe('7');
  complaints.check();
  await context.close();
  await again.context.close();
});

it('counts stand where one looks: on the package, its releases and files', async () => {
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: omni.cookie });
  await page.goto('/p/omni/lamp');
  await page.getByText('Downloads, 90 days').waitFor();
  await page.locator('dd').getByText('11', { exact: true }).waitFor();
  await page.goto('/?sort=downloads');
  await page.getByText('11 downloads').first().waitFor();
  complaints.check();
  const visitor = await visit(browser, server.origin);
  await visitor.page.goto('/p/omni/lamp/stats');
  await visitor.page.getByRole('heading', { name: 'Sign in to see this' }).waitFor();
  visitor.complaints.check();
  await context.close();
  await visitor.context.close();
});
