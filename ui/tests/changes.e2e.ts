// Changes made elsewhere appear without a reload, and nobody writes over another's work unknowingly.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { axe } from './support/axe';
import type { Visitor } from './support/browser';
import { launch, visit } from './support/browser';
import type { Client } from './support/server';
import { BINARY, PASSWORD, Server } from './support/server';

let server: Server;
let browser: Browser;
let omni: Client;
const RELEASE = '/api/v1/packages/omni/hello/releases/stable';

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  omni = await server.setUp('omni');
  await omni.send('POST', '/api/v1/packages', { name: 'hello', description: 'Says hello.' });
  await omni.upload(`${RELEASE}/1.0.0/files/any/hello.zip`, 'one');
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

it('what a pipeline publishes appears where one looks', async () => {
  const visitor = await visit(browser, server.origin);
  await visitor.page.goto('/p/omni/hello');
  await visitor.page.getByRole('cell', { name: '1.0.0' }).waitFor();
  const home = await visit(browser, server.origin);
  await home.page.goto('/');
  await home.page.getByText('1.0.0').waitFor();
  await omni.upload(`${RELEASE}/1.1.0/files/any/hello.zip`, 'two');
  await visitor.page.getByRole('cell', { name: '1.1.0' }).waitFor();
  await home.page.getByText('1.1.0').waitFor();
  visitor.complaints.check();
  home.complaints.check();
  await visitor.context.close();
  await home.context.close();
});

it('what the command line publishes appears on the page, the release list and the first page', async () => {
  const token = await omni.send('POST', '/api/v1/tokens', { name: 'pipeline', scopes: ['publish'] });
  const views: Visitor[] = [];
  for (const path of ['/p/omni/hello', '/p/omni/hello/releases', '/']) {
    const visitor = await visit(browser, server.origin);
    await visitor.page.goto(path);
    await visitor.page.getByText('1.1.0').first().waitFor();
    views.push(visitor);
  }
  const folder = await mkdtemp(join(tmpdir(), 'packhouse-cli-'));
  await writeFile(join(folder, 'hello.zip'), 'from a terminal');
  await promisify(execFile)(BINARY, ['publish', server.origin, join(folder, 'hello.zip'), '--package', 'omni.hello', '--version', '1.2.0'], {
    env: { ...process.env, PACKHOUSE_TOKEN: String(token['secret']) },
  });
  for (const { page, complaints, context } of views) {
    await page.getByText('1.2.0').first().waitFor();
    complaints.check();
    await context.close();
  }
  await rm(folder, { recursive: true });
});

it('a scheduled release goes live while one looks at it', async () => {
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: omni.cookie });
  await omni.upload(`${RELEASE}/2.0.0/files/any/hello.zip`, 'three', 'inactive');
  await omni.send('PATCH', `${RELEASE}/2.0.0`, { publish_at: new Date(Date.now() + 4000).toISOString() });
  await page.goto('/p/omni/hello/releases/stable/2.0.0');
  await page.getByText('Scheduled', { exact: true }).waitFor();
  await page.getByText('Active', { exact: true }).waitFor({ timeout: 20_000 });
  complaints.check();
  await context.close();
});

it('the later of two who edit one release is told, and nothing is lost', async () => {
  const first = await visit(browser, server.origin, { cookie: omni.cookie });
  const second = await visit(browser, server.origin, { cookie: omni.cookie });
  second.complaints.allowed.push(/status of 412/);
  for (const { page } of [first, second]) {
    await page.goto('/p/omni/hello/releases/stable/1.0.0/edit');
    await page.getByLabel('Release notes').last().waitFor();
  }
  await first.page.getByLabel('Release notes').last().fill('From the first.');
  await first.page.getByRole('button', { name: 'Save' }).click();
  await first.page.getByText('From the first.').waitFor();
  await second.page.getByLabel('Release notes').last().fill('From the second.');
  await second.page.getByRole('button', { name: 'Save' }).click();
  await second.page.getByText('Somebody else changed this').waitFor();
  await second.page.getByRole('button', { name: 'Show what is there now' }).click();
  await second.page.getByText('From the first.').waitFor();
  expect(await second.page.getByLabel('Release notes').last().inputValue()).toBe('From the second.');
  await second.page.getByRole('button', { name: 'Save mine over it' }).click();
  await second.page.getByRole('heading', { name: '1.0.0' }).waitFor();
  await second.page.getByText('From the second.').waitFor();
  first.complaints.check();
  second.complaints.check();
  await first.context.close();
  await second.context.close();
});

it('whoever is signed out while writing signs in again on the spot, and nothing is lost', async () => {
  const client = await server.as('omni');
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: client.cookie });
  complaints.allowed.push(/status of 401/);
  await page.goto('/p/omni/hello/settings');
  const text = page.getByRole('textbox', { name: 'Description' });
  await text.fill('A text that took an hour.');
  await client.send('DELETE', '/api/v1/session');
  await page.getByRole('button', { name: 'Save the description' }).click();
  const dialog = page.getByRole('dialog', { name: 'You were signed out' });
  await dialog.waitFor();
  expect(await axe(page)).toEqual([]);
  await dialog.getByLabel('Password of omni').fill('not this one');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('Password of omni').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  expect(await text.inputValue()).toBe('A text that took an hour.');
  await page.getByRole('button', { name: 'Save the description' }).click();
  await page.getByText('The description is saved.').waitFor();
  expect((await client.send('GET', '/api/v1/packages/omni/hello'))['description']).toBe('A text that took an hour.');
  complaints.check();
  await context.close();
});

it('who was signed out in another tab is told when coming back, and a public page stays as it is', async () => {
  const client = await server.as('omni');
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: client.cookie });
  complaints.allowed.push(/status of 401/);
  await page.goto('/p/omni/hello/new');
  await page.getByRole('textbox', { name: 'Release notes' }).fill('Half a sentence');
  await client.send('DELETE', '/api/v1/session');
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  const dialog = page.getByRole('dialog', { name: 'You were signed out' });
  await dialog.waitFor();
  await dialog.getByRole('button', { name: 'Not now' }).click();
  await dialog.waitFor({ state: 'hidden' });
  expect(await page.getByRole('textbox', { name: 'Release notes' }).inputValue()).toBe('Half a sentence');
  complaints.check();
  await context.close();
});

it('a server that is gone is told of, and what could not be shown comes by itself when it is back', async () => {
  const { page, complaints, context } = await visit(browser, server.origin);
  complaints.allowed.push(/ERR_(CONNECTION|INCOMPLETE|NETWORK|EMPTY|SOCKET)/);
  await page.goto('/p/omni/hello');
  await page.getByRole('heading', { name: 'Use it' }).waitFor();
  await server.kill();
  await page.getByText('The server does not answer.').waitFor();
  await page.getByRole('link', { name: 'Releases', exact: true }).click();
  await page.getByText('The server cannot be reached').waitFor();
  await server.restart();
  await page.getByRole('cell', { name: '1.0.0' }).waitFor({ timeout: 30_000 });
  await page.getByText('The server does not answer.').waitFor({ state: 'hidden' });
  complaints.check();
  await context.close();
});

it('the latest release of a channel is offered, however many there are on another', async () => {
  await omni.send('POST', '/api/v1/packages', { name: 'nightly', description: 'Built every night.' });
  const releases = '/api/v1/packages/omni/nightly/releases';
  await omni.upload(`${releases}/stable/1.0.0/files/any/nightly.zip`, 'stable');
  for (let build = 0; build < 51; build += 1) await omni.send('PUT', `${releases}/alpha/2.0.${build}`, { active: true });
  const { page, complaints, context } = await visit(browser, server.origin);
  await page.goto('/p/omni/nightly');
  const link = page.getByRole('link', { name: /^Download/ });
  await link.waitFor();
  expect(await link.getAttribute('href')).toContain('/stable/1.0.0/files/any/nightly.zip');
  complaints.check();
  await context.close();
});
