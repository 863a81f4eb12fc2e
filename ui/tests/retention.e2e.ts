// What a channel keeps: a rule is typed, shows what it would remove, is saved, and is taken back; by keyboard and on a phone too.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { axe } from './support/axe';
import { launch, visit } from './support/browser';
import type { Client } from './support/server';
import { Server } from './support/server';

let server: Server;
let browser: Browser;
let omni: Client;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  omni = await server.setUp('omni');
  for (const name of ['hello', 'tools']) {
    await omni.send('POST', '/api/v1/packages', { name, description: '', visibility: 'public' });
    for (let minor = 0; minor < (name === 'hello' ? 120 : 3); minor += 1) {
      await omni.upload(`/api/v1/packages/omni/${name}/releases/beta/1.${minor}.0/files/any/a.bin`, `${name} ${minor}`);
    }
  }
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

interface Channels {
  items: { name: string; retention: unknown }[];
}

const ruleOf = async (name: string) => {
  const answer = await fetch(`${server.origin}/api/v1/channels`, { headers: { cookie: omni.cookie } });
  return ((await answer.json()) as Channels).items.find((channel) => channel.name === name)?.retention;
};

it('a rule shows what it would remove before it is saved', async () => {
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: omni.cookie });
  complaints.allowed.push(/status of 422.*retention/);
  await page.goto('/account/channels');
  const row = page.getByRole('row', { name: /^beta/ });
  await row.getByText('everything').waitFor();
  await page.getByRole('button', { name: 'Retention of the channel beta' }).click();
  const dialog = page.getByRole('dialog', { name: 'What beta keeps' });
  await dialog.getByText('Without a rule, everything stays.').waitFor();
  const save = dialog.getByRole('button', { name: 'Save the rule' });
  expect(await save.isDisabled()).toBe(true);
  expect(await dialog.getByRole('button', { name: 'Keep everything' }).count()).toBe(0);

  const newest = dialog.getByLabel('Newest releases');
  await newest.fill('0');
  await dialog.getByText(/a number from 1 to 10000/).waitFor();
  expect(await newest.getAttribute('aria-invalid')).toBe('true');
  expect(await save.isDisabled()).toBe(true);
  await newest.fill('500');
  await dialog.getByText('Nothing would go: all 123 releases stay.').waitFor();
  await newest.fill('2');
  await dialog.getByText('119 releases of 2 packages,').waitFor();
  await dialog.getByText('A release stays while it is among the 2 newest of its package.').waitFor();
  await dialog.getByText('4 releases stay.').waitFor();
  const list = dialog.getByRole('region', { name: 'Releases that would go' });
  expect(await list.getByRole('row').count()).toBe(101);
  await list.getByRole('button', { name: 'Show more' }).click();
  await list.getByRole('cell', { name: 'omni.tools' }).waitFor();
  expect(await list.getByRole('row').count()).toBe(120);
  expect(await list.getByText('not among the 2 newest').count()).toBe(119);

  await dialog.getByLabel('Days after download').fill('30');
  await dialog.getByText(/The server does not know of downloads for long enough yet/).waitFor();
  await dialog.getByText('Nothing would go: all 123 releases stay.').waitFor();
  await dialog.getByText('or for 30 days after it was last downloaded.').waitFor();
  expect(await axe(page)).toEqual([]);
  // Nothing is saved by looking.
  expect(await ruleOf('beta')).toBe(null);
  await newest.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await page.getByText('The rule of beta is saved.').waitFor();
  expect(await ruleOf('beta')).toEqual({ keep_newest: 2, keep_days: null, keep_downloaded_days: 30 });
  await row.getByText('the 2 newest and 30 days after a download').waitFor();

  await page.getByRole('button', { name: 'Retention of the channel beta' }).click();
  expect(await newest.inputValue()).toBe('2');
  await dialog.getByText('Nothing would go').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Retention of the channel beta' }).click();
  await dialog.getByRole('button', { name: 'Keep everything' }).click();
  await page.getByText('The channel beta keeps everything.').waitFor();
  await row.getByText('everything').waitFor();
  expect(await ruleOf('beta')).toBe(null);
  complaints.check();
  await context.close();
});

it('by keyboard, on a phone, in the dark', async () => {
  const { page, complaints, context } = await visit(browser, server.origin, { width: 390, height: 844, dark: true, cookie: omni.cookie });
  await page.goto('/account/channels');
  const opener = page.getByRole('button', { name: 'Retention of the channel beta' });
  await opener.waitFor();
  await opener.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'What beta keeps' });
  await dialog.getByLabel('Newest releases').focus();
  await page.keyboard.type('3');
  await dialog.getByText('117 releases of 1 package,').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  const focused = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  expect(focused).toBe('Releases that would go');
  expect(await axe(page)).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/retention-phone.png` });
  await page.setViewportSize({ width: 1280, height: 900 });
  if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/retention-wide.png` });
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Retention of the channel beta');
  complaints.check();
  await context.close();
});
