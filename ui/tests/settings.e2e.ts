// What only owners set, seen from both sides: tokens that open what they should and no more, roles, and the end of it all.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { launch, visit } from './support/browser';
import type { Client } from './support/server';
import { PASSWORD, Server } from './support/server';

let server: Server;
let browser: Browser;
let omni: Client;
const PACKAGE = '/api/v1/packages/omni/tools';

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  omni = await server.setUp('omni');
  await omni.send('POST', '/api/v1/users', { name: 'mara', password: PASSWORD });
  await omni.send('POST', '/api/v1/packages', { name: 'tools', description: 'Compilers.', visibility: 'private' });
  await omni.upload(`${PACKAGE}/releases/stable/1.0.0/files/any/tools.zip`, 'one');
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

const publishWith = (token: string, version: string) =>
  fetch(`${server.origin}${PACKAGE}/releases/stable/${version}/files/any/tools.zip?create=active`, {
    method: 'PUT', headers: { authorization: `Bearer ${token}` }, body: version,
  });

it('a private token publishes, is shown once, and stops when it is replaced', async () => {
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: omni.cookie });
  await page.goto('/p/omni/tools/settings');
  const tokens = page.getByRole('region', { name: 'Tokens' });
  await tokens.getByText('There is none yet.').waitFor();
  await tokens.getByRole('button', { name: 'Make a token' }).click();
  const shown = async () => (await tokens.locator('.secret code').getByText(/^ph_prv_/).textContent()) ?? '';
  await tokens.getByText('it is not shown again').waitFor();
  const first = await shown();
  expect((await publishWith(first, '1.1.0')).status).toBe(201);
  await page.reload();
  await tokens.getByText('There is one.').waitFor();
  expect(await page.getByText(first).count()).toBe(0);
  await tokens.getByRole('button', { name: 'Replace…' }).last().click();
  await page.getByRole('dialog', { name: 'Replace the private token?' }).getByRole('button', { name: 'Replace the token' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  const second = await shown();
  expect(second).not.toBe(first);
  expect((await publishWith(first, '1.2.0')).status).toBe(401);
  expect((await publishWith(second, '1.2.0')).status).toBe(201);
  complaints.check();
  await context.close();
});

it('a reader reads, a maintainer publishes, and who is removed does neither', async () => {
  const owner = await visit(browser, server.origin, { cookie: omni.cookie });
  owner.complaints.allowed.push(/status of 4(04|22).*members/);
  await owner.page.goto('/p/omni/tools/settings');
  const members = owner.page.getByRole('region', { name: 'Members' });
  await members.getByText('Shared with nobody yet.').waitFor();
  await members.getByLabel('Name of the user').fill('nobody');
  await members.getByRole('button', { name: 'Add', exact: true }).click();
  await members.getByText('no user nobody').waitFor();
  await members.getByLabel('Name of the user').fill('mara');
  await members.getByLabel('Role', { exact: true }).selectOption('reader');
  await members.getByLabel('Role', { exact: true }).focus();
  await owner.page.keyboard.press('Tab');
  await owner.page.keyboard.press('Enter');
  await owner.page.getByText('mara is a member now.').waitFor();

  const mara = await visit(browser, server.origin, { cookie: (await server.as('mara')).cookie });
  mara.complaints.allowed.push(/status of 40[34]/);
  await mara.page.goto('/p/omni/tools');
  await mara.page.getByRole('link', { name: /^Download/ }).waitFor();
  expect(await mara.page.getByRole('link', { name: 'New release' }).count()).toBe(0);
  await mara.page.goto('/p/omni/tools/new');
  await mara.page.getByRole('heading', { name: 'Not for this account' }).waitFor();
  await mara.page.goto('/');
  await mara.page.getByRole('region', { name: 'Yours' }).getByRole('link', { name: 'omni/tools' }).waitFor();

  // Becoming a maintainer takes a choice, and shows where mara looks without a reload.
  await mara.page.goto('/p/omni/tools');
  await mara.page.getByRole('link', { name: /^Download/ }).waitFor();
  await members.getByLabel('Role of mara').selectOption('maintainer');
  await owner.page.getByText('mara is changed.').waitFor();
  await mara.page.getByRole('link', { name: 'New release' }).waitFor();
  // It can be undone at once.
  await owner.page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => members.getByLabel('Role of mara').inputValue()).toBe('reader');

  await members.getByRole('button', { name: 'Remove mara' }).click();
  await owner.page.getByRole('dialog').getByRole('button', { name: 'Remove mara' }).click();
  await owner.page.getByText('mara is no longer a member.').waitFor();
  await mara.page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
  owner.complaints.check();
  mara.complaints.check();
  await owner.context.close();
  await mara.context.close();
});

it('the description is edited with a preview, and what one did not save is asked about', async () => {
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: omni.cookie });
  await page.goto('/p/omni/tools/settings');
  await page.getByLabel('Description').last().fill('# Tools\n\nCompilers **and** linkers.');
  const questions: string[] = [];
  page.on('dialog', (dialog) => {
    questions.push(dialog.type());
    void (questions.length === 1 ? dialog.dismiss() : dialog.accept());
  });
  await page.getByRole('link', { name: 'Overview' }).click();
  await expect.poll(() => questions.length).toBe(1);
  expect(new URL(page.url()).pathname).toBe('/p/omni/tools/settings');
  await page.getByRole('button', { name: 'Save the description' }).click();
  await page.getByText('The description is saved.').waitFor();
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('main').locator('strong').getByText('and').waitFor();
  expect(questions.length).toBe(1);
  await page.getByRole('link', { name: 'History' }).click();
  await page.getByRole('cell', { name: /changed the package/ }).first().waitFor();
  complaints.check();
  await context.close();
});

it('a package goes for good when its name is typed', async () => {
  const { page, complaints, context } = await visit(browser, server.origin, { cookie: omni.cookie });
  await page.goto('/p/omni/tools/settings');
  await page.getByRole('button', { name: 'Delete this package…' }).click();
  const confirm = page.getByRole('button', { name: 'Delete omni.tools' });
  await page.getByLabel('Type omni.tools to confirm').fill('omni.tool');
  expect(await confirm.isDisabled()).toBe(true);
  // Leaving the question leaves the package.
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Delete this package…' }).click();
  expect(await page.getByLabel('Type omni.tools to confirm').inputValue()).toBe('');
  await page.getByLabel('Type omni.tools to confirm').fill('omni.tools');
  await page.keyboard.press('Enter');
  await page.getByText('omni.tools is deleted.').waitFor();
  expect(new URL(page.url()).pathname).toBe('/');
  await page.getByText('You have no packages yet').waitFor();
  complaints.check();
  await context.close();
});
