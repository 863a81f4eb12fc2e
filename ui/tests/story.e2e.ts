// The whole story: somebody who read nothing sets the server up, publishes by dropping a file, shares, and hands out a link.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { launch, visit } from './support/browser';
import { drop } from './support/drop';
import { PASSWORD, Server } from './support/server';

let server: Server;
let browser: Browser;
let folder: string;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  folder = await mkdtemp(join(tmpdir(), 'packhouse-files-'));
  for (const name of ['hello-1.2.0-linux-x64.tar.gz', 'hello-1.2.0-win-x64.zip', 'hello-1.3.0.zip']) {
    await writeFile(join(folder, name), `the content of ${name}`);
  }
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it('an owner goes from the setup link to a published file', async () => {
  const { page, complaints, context } = await visit(browser, server.origin);
  await page.goto('/');
  await page.getByText('This server has no account yet').waitFor();
  await page.goto(server.setupUrl);
  await page.getByLabel('Name', { exact: true }).fill('Omni!');
  await page.getByLabel('Password').fill('short');
  await page.keyboard.press('Enter');
  await page.getByText('A name has at most 39').waitFor();
  await page.getByText('A password has at least 10').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('omni');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');

  await page.getByRole('heading', { name: 'New package' }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/new');
  await page.getByLabel('Name', { exact: true }).fill('hello');
  await page.getByText('It will be called omni.hello.').waitFor();
  await page.keyboard.press('Enter');

  await page.getByRole('heading', { name: 'New release' }).waitFor();
  await drop(page, [
    { name: 'hello-1.2.0-linux-x64.tar.gz', text: 'for linux' },
    { name: 'hello-1.2.0-win-x64.zip', text: 'for windows' },
    { name: '.DS_Store', text: 'left behind' },
  ]);
  expect(await page.getByLabel('Platform of hello-1.2.0-linux-x64.tar.gz').inputValue()).toBe('linux-x64');
  expect(await page.getByLabel('Platform of hello-1.2.0-win-x64.zip').inputValue()).toBe('windows-x64');
  expect(await page.getByText('.DS_Store').count()).toBe(0);
  expect(await page.getByLabel('Version').inputValue()).toBe('1.2.0');
  await page.getByLabel('Release notes').last().fill('The **first** one.');
  await page.getByRole('button', { name: 'Publish 1.2.0' }).click();
  await page.getByText('1.2.0 is published.').waitFor();
  await page.getByText('Active', { exact: true }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/p/omni/hello/releases/stable/1.2.0');

  // What was published is what one downloads.
  await page.goto('/p/omni/hello');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: /Download for Linux x64/ }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('hello-1.2.0-linux-x64.tar.gz');
  // And what the commands on the page fetch.
  const command = await page.locator('.command code').first().textContent();
  const address = /http\S+/.exec(command ?? '')?.[0] ?? '';
  expect(await (await fetch(address)).text()).toBe('for linux');
  complaints.check();
  await context.close();
});

it('keys do it all: search, the list of keys, a new release, back', async () => {
  const omni = await server.as('omni');
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: omni.cookie });
  await page.goto('/');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('search');
  await page.keyboard.type('hel');
  await page.getByRole('heading', { name: 'Packages with “hel”' }).waitFor();
  await page.getByRole('link', { name: 'omni/hello' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /hello/ }).first().waitFor();
  // The heading gets the focus once it is drawn.
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
  await page.keyboard.press('n');
  await page.getByRole('heading', { name: 'New release' }).waitFor();
  await page.goBack();
  await page.goBack();
  expect(await page.getByLabel('Search packages').inputValue()).toBe('hel');
  await page.locator('body').click({ position: { x: 5, y: 400 } });
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'hidden' });
  await page.keyboard.press('/');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('search');
  complaints.check();
  await context.close();
});

it('yank with a reason, restore, take back, delete with the name typed', async () => {
  const omni = await server.as('omni');
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: omni.cookie });
  await page.goto('/p/omni/hello/releases/stable/1.2.0');
  const more = page.getByRole('button', { name: 'More actions' });
  await more.click();
  await page.getByRole('button', { name: 'Yank…' }).click();
  await page.getByLabel('Reason, shown to everyone').fill('It forgets to say hello.');
  await page.getByRole('button', { name: 'Yank 1.2.0' }).click();
  await page.getByText('It forgets to say hello.').waitFor();
  await page.getByRole('button', { name: 'Restore' }).click();
  await page.getByText('Active', { exact: true }).waitFor();
  await more.click();
  await page.getByRole('button', { name: 'Take back…' }).click();
  await page.getByRole('button', { name: 'Take 1.2.0 back' }).click();
  await page.getByText('Inactive', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Publish 1.2.0' }).click();
  await page.getByText('Active', { exact: true }).waitFor();
  await omni.send('PUT', '/api/v1/packages/omni/hello/releases/beta/9.0.0');
  await page.goto('/p/omni/hello/releases/beta/9.0.0');
  await more.click();
  await page.getByRole('button', { name: 'Delete…' }).click();
  const confirm = page.getByRole('button', { name: 'Delete 9.0.0' });
  expect(await confirm.isDisabled()).toBe(true);
  await page.getByLabel('Type 9.0.0 to confirm').fill('9.0.0');
  await confirm.click();
  await page.getByText('9.0.0 is deleted.').waitFor();
  expect(new URL(page.url()).pathname).toBe('/p/omni/hello/releases');
  complaints.check();
  await context.close();
});

it('a private package opens by a link for a customer, until its token is replaced', async () => {
  const omni = await server.as('omni');
  const owner = await visit(browser, server.origin, { cookie: omni.cookie });
  await owner.page.goto('/p/omni/hello/settings');
  await owner.page.getByRole('button', { name: 'Make private…' }).click();
  await owner.page.getByRole('dialog').getByRole('button', { name: 'Make private' }).click();
  await owner.page.getByText('The package is private.').waitFor();
  await owner.page.getByRole('button', { name: 'Copy the link' }).click();
  const link = await owner.page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/\/t\/ph_acc_[^/]+\/p\/omni\/hello$/);

  const customer = await visit(browser, server.origin);
  customer.complaints.allowed.push(/status of 40[14]/);
  await customer.page.goto('/p/omni/hello');
  await customer.page.getByRole('heading', { name: 'Nothing here that you may see' }).waitFor();
  await customer.page.goto(link);
  await customer.page.getByRole('link', { name: /Download for Linux x64/ }).waitFor();
  await customer.page.getByRole('link', { name: 'All releases' }).click();
  await customer.page.getByRole('link', { name: '1.2.0' }).click();
  await customer.page.getByRole('heading', { name: '1.2.0' }).waitFor();
  expect(customer.page.url()).toContain('/t/ph_acc_');
  const [download] = await Promise.all([
    customer.page.waitForEvent('download'),
    customer.page.getByRole('link', { name: 'hello-1.2.0-linux-x64.tar.gz' }).click(),
  ]);
  expect(await download.failure()).toBeNull();

  await owner.page.locator('.tokens').getByRole('button', { name: 'Replace…' }).first().click();
  await owner.page.getByRole('button', { name: 'Replace the token' }).click();
  await owner.page.getByRole('dialog').waitFor({ state: 'hidden' });
  await customer.page.goto(link);
  await customer.page.getByRole('heading', { name: 'This link no longer opens it' }).waitFor();
  await omni.send('PATCH', '/api/v1/packages/omni/hello', { visibility: 'public' });
  owner.complaints.check();
  customer.complaints.check();
  await owner.context.close();
  await customer.context.close();
});

it('a maintainer publishes but does not own; others are told what is not theirs', async () => {
  const omni = await server.as('omni');
  await omni.send('POST', '/api/v1/users', { name: 'mara', password: PASSWORD });
  await omni.send('POST', '/api/v1/users', { name: 'uma', password: PASSWORD });
  const owner = await visit(browser, server.origin, { cookie: omni.cookie });
  await owner.page.goto('/p/omni/hello/settings');
  await owner.page.getByLabel('Name of the user').fill('mara');
  await owner.page.getByRole('button', { name: 'Add', exact: true }).click();
  await owner.page.getByText('mara is a member now.').waitFor();

  const mara = await visit(browser, server.origin);
  await mara.page.goto('/signin?next=%2Fp%2Fomni%2Fhello%2Fnew');
  await mara.page.getByLabel('Name').fill('mara');
  await mara.page.getByLabel('Password').fill(PASSWORD);
  await mara.page.keyboard.press('Enter');
  await mara.page.getByRole('heading', { name: 'New release' }).waitFor();
  await mara.page.locator('input[type=file]').first().setInputFiles(join(folder, 'hello-1.3.0.zip'));
  await mara.page.getByRole('button', { name: 'More ways' }).click();
  await mara.page.getByRole('button', { name: 'Keep as draft' }).click();
  await mara.page.getByText('This is a draft.').waitFor();
  await mara.page.getByText('1.3.0 is kept as a draft.').waitFor();
  await mara.page.getByRole('button', { name: 'Publish 1.3.0' }).click();
  await mara.page.getByText('Active', { exact: true }).waitFor();
  await mara.page.goto('/p/omni/hello/settings');
  await mara.page.getByRole('heading', { name: 'Not for this account' }).waitFor();
  mara.complaints.allowed.push(/status of 403/);

  const stranger = await visit(browser, server.origin);
  await stranger.page.goto('/account/tokens');
  await stranger.page.getByRole('heading', { name: 'Sign in to see this' }).waitFor();
  await stranger.page.getByRole('link', { name: 'Sign in' }).first().click();
  await stranger.page.getByLabel('Name').fill('uma');
  await stranger.page.getByLabel('Password').fill('not the password');
  await stranger.page.keyboard.press('Enter');
  await stranger.page.getByRole('alert').waitFor();
  stranger.complaints.allowed.push(/status of 401/);
  stranger.complaints.found.length = 0;
  await stranger.page.getByLabel('Password').fill(PASSWORD);
  await stranger.page.keyboard.press('Enter');
  await stranger.page.getByRole('heading', { name: 'API tokens' }).waitFor();
  await stranger.page.getByRole('button', { name: 'uma' }).click();
  await stranger.page.getByRole('button', { name: 'Sign out' }).click();
  await stranger.page.getByText('You are signed out.').waitFor();
  for (const one of [owner, stranger]) {
    one.complaints.check();
    await one.context.close();
  }
  await mara.context.close();
});

it('tokens, channels and platforms of an account', async () => {
  const omni = await server.as('omni');
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: omni.cookie });
  await page.goto('/account/tokens');
  await page.getByLabel('Name').fill('laptop');
  await page.getByRole('button', { name: 'Make the token' }).click();
  const secret = await page.locator('.secret code').textContent();
  expect(secret).toMatch(/^ph_api_/);
  const opened = await fetch(`${server.origin}/api/v1/auth`, { headers: { authorization: `Bearer ${secret ?? ''}` } });
  expect(opened.status).toBe(200);
  await page.getByRole('button', { name: 'Delete the token laptop' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete the token' }).click();
  await page.getByText('No tokens yet').waitFor();

  await page.getByRole('link', { name: 'Channels' }).click();
  await page.getByRole('button', { name: 'New channel' }).click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('nightly');
  await page.getByRole('dialog').getByLabel('beta').check();
  await page.getByRole('button', { name: 'Make the channel' }).click();
  await page.getByRole('cell', { name: 'nightly', exact: true }).first().waitFor();

  await page.getByRole('link', { name: 'Platforms' }).click();
  await page.getByLabel('New platform').fill('wx64.r');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByText('wx64.r', { exact: true }).waitFor();
  await page.goto('/p/omni/hello/new');
  await page.getByRole('heading', { name: 'New release' }).waitFor();
  await drop(page, [{ name: 'omni.hello-2.0.0+wx64.r.zip', text: 'kit' }]);
  expect(await page.getByLabel('Platform of omni.hello-2.0.0+wx64.r.zip').inputValue()).toBe('wx64.r');
  complaints.check();
  await context.close();
});
