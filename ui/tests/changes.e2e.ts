// Changes made elsewhere appear without a reload, and nobody writes over another's work unknowingly.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { Visitor } from './support/browser';
import { launch, visit } from './support/browser';
import type { Client } from './support/server';
import { BINARY, Server } from './support/server';

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
