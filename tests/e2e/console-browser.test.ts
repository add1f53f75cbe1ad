/** The administrators' console in Chromium: typical tasks of an operator, in both languages. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Notice } from '@maru/protocol';
import type { Browser, Locator, Page } from 'playwright-core';
import { findingsOf, installAxe } from '../support/axe.ts';
import { launchBrowser } from '../support/browser.ts';
import { connect, type TestClient } from '../support/client.ts';
import { type Cluster, clusterCommand, startCluster } from '../support/cluster.ts';
import { assertProblem, call } from '../support/http.ts';
import { enterPage } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { createGuest, mintToken, newId, newRoom } from '../support/tokens.ts';

const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
const errors: string[] = [];
const open: TestClient[] = [];
let cluster: Cluster;
before(async () => {
  if (skip === false) cluster = await startCluster({ gateways: 2 });
});
after(async () => {
  for (const client of open) client.close();
  if (typeof launched !== 'string') await launched.close();
  await cluster?.stop();
});

const tokenOf = (sub: string, roles: string[] = []) =>
  mintToken(cluster.jwtSecret, { sub, name: sub, roles, exp: Math.floor(Date.now() / 1_000) + 3_600 });

async function enter(sub: string): Promise<TestClient> {
  const client = await connect(cluster.endpoint, { token: tokenOf(sub) });
  open.push(client);
  return client;
}

async function openConsole(locale: string, token: string | null, dark = false): Promise<Page> {
  const context = await (launched as Browser).newContext({ locale, colorScheme: dark ? 'dark' : 'light' });
  const page = await context.newPage();
  page.on('pageerror', (error) => errors.push(error.message));
  page.setDefaultTimeout(30_000);
  await page.goto(`${cluster.endpoint}/console/`);
  if (token === null) return page;
  await page.getByTestId('token-input').fill(token);
  await page.getByTestId('token-enter').click();
  await page.getByTestId('nodes').waitFor();
  return page;
}

const row = (page: Page, table: string, key: string) => page.locator(`[data-testid="${table}"] tr[data-key="${key}"]`);
async function view(page: Page, name: string): Promise<void> {
  await page.getByTestId(`view-${name}`).click();
  // The previous view may have fields with the same names.
  await page.locator(`[data-testid="view-${name}"][aria-current="page"]`).waitFor();
}

/** Resolves when the server has answered, so that the rows are those of the search. */
async function search(page: Page, text: string): Promise<void> {
  const answered = page.waitForResponse((response) => new URL(response.url()).searchParams.get('q') === text);
  await page.getByTestId('console-search').fill(text);
  await answered;
}

/** The dialog names the target of the act, and closes when the act is done. */
async function confirm(page: Page, names: string, reason?: string): Promise<void> {
  await page.getByTestId('confirm-dialog').filter({ hasText: names }).waitFor();
  if (reason !== undefined) await page.getByTestId('confirm-reason').fill(reason);
  await page.getByTestId('confirm-act').click();
  await page.getByTestId('confirm-dialog').waitFor({ state: 'detached' });
}

for (const locale of ['en-GB', 'ko-KR']) {
  describe(`the console (${locale})`, { skip }, () => {
    test('finds an abuser, revokes the user, deletes a room, and shows the audit', async () => {
      const [abuser, room] = [`abuser-${newId().slice(0, 8)}`, newRoom('console')];
      const client = await enter(abuser);
      await client.ok('room:create', { room, title: 'Spam' });
      const page = await openConsole(locale, tokenOf('root', ['admin']));
      await view(page, 'users');
      await search(page, abuser.slice(0, 12));
      await row(page, 'users', abuser).getByTestId('open-user').click();
      await page.locator('[data-testid="sessions"] tbody tr').waitFor();
      await page.getByTestId('revoke-user').click();
      await confirm(page, abuser, 'spam');
      await page.getByTestId('revoked').waitFor();
      await poll('the user to be cut', () => client.payloads<Notice>('notice').some(({ code }) => code === 'revoked'));

      await view(page, 'rooms');
      await search(page, room);
      await row(page, 'rooms', room).getByTestId('close-room').click();
      await confirm(page, room);
      await row(page, 'rooms', room).locator('.chip-warn').waitFor();
      await row(page, 'rooms', room).getByTestId('delete-room').click();
      await confirm(page, room);
      await row(page, 'rooms', room).waitFor({ state: 'detached' });

      await view(page, 'audit');
      await page.getByTestId('filter-user').fill(abuser);
      await page.getByTestId('filter').click();
      const revoked = page.locator('[data-testid="audit"] tbody tr').filter({ hasText: 'user.revoke' });
      await revoked.filter({ hasText: abuser }).filter({ hasText: 'spam' }).waitFor();
      await page.context().close();
    });

    test('gives a role in a room, and shows why it cannot', async () => {
      const [owner, helper, room] = [`owner-${newId()}`, `helper-${newId()}`, newRoom('roles')];
      await (await enter(owner)).ok('room:create', { room });
      const client = await enter(helper);
      const page = await openConsole(locale, tokenOf('root', ['admin']));
      await view(page, 'users');
      await search(page, helper);
      await row(page, 'users', helper).getByTestId('open-user').click();
      const form = page.getByTestId('role-form');
      await form.getByTestId('role-room').fill(room);
      await form.getByTestId('set-role').click();
      await confirm(page, helper);
      await form.getByRole('status').filter({ hasText: room }).waitFor();
      assert.equal((await client.ok('room:join', { room })).role, 'moderator');
      await form.getByTestId('role-room').fill(newRoom('none'));
      await form.getByTestId('set-role').click();
      await page.getByTestId('confirm-act').click();
      await page.getByTestId('confirm-dialog').getByRole('alert').waitFor();
      await installAxe(page);
      assert.deepEqual(await findingsOf(page), []);
      await page.context().close();
    });

    test('sends an announcement to all users, and axe reports nothing in any view and theme', async () => {
      const client = await enter(`reader-${newId()}`);
      const options = { browser: launched as Browser, endpoint: cluster.endpoint, name: 'Reader', locale, errors };
      const reader = await enterPage({ ...options, room: newRoom('read') });
      for (const dark of [false, true]) {
        const page = await openConsole(locale, tokenOf('root', ['admin']), dark);
        await installAxe(page);
        for (const name of ['nodes', 'rooms', 'users', 'reports', 'audit', 'announce', 'settings']) {
          await view(page, name);
          await page.locator(`#console-main h1`).waitFor();
          await page.locator('.list-state .hint').filter({ hasText: '…' }).waitFor({ state: 'detached' });
          assert.deepEqual(await findingsOf(page), [], `${name} ${dark ? 'dark' : 'light'}`);
        }
        await view(page, 'announce');
        const text = `noon ${newId()}`;
        await page.getByTestId('announce-text').fill(text);
        await page.getByTestId('announce').click();
        await confirm(page, text);
        await poll('the notice', () => client.payloads<Notice>('notice').some((notice) => notice.text === text));
        await reader.getByTestId('admin-notice').filter({ hasText: text }).waitFor();
        await page.context().close();
      }
      await reader.context().close();
    });
  });
}

describe('lists and acts of the console', { skip }, () => {
  test('deletes a reported message', async () => {
    const room = newRoom('reported');
    const [author, member] = [await enter(`author-${newId()}`), await enter(`member-${newId()}`)];
    await author.ok('room:join', { room });
    const { seq } = await author.ok('message:send', { room, clientMsgId: newId(), text: 'buy now' });
    await member.ok('message:report', { room, seq, reason: 'spam' });
    const page = await openConsole('en-GB', tokenOf('root', ['admin']));
    await view(page, 'reports');
    await row(page, 'reported-rooms', room).getByTestId('open-reports').click();
    await page.getByTestId('delete-message').click();
    await confirm(page, author.session.user.id);
    const { messages } = await author.ok('messages:read', { room });
    assert.deepEqual([messages[0]?.text, messages[0]?.deleted?.by], ['', 'root']);
    await page.context().close();
  });

  test('shows how busy a room is while its list is open', async () => {
    const room = newRoom('busy');
    const client = await enter(`busy-${newId()}`);
    await client.ok('room:join', { room });
    const page = await openConsole('en-GB', tokenOf('root', ['admin']));
    await view(page, 'rooms');
    await row(page, 'rooms', room).getByText('–', { exact: true }).first().waitFor();
    await client.ok('message:send', { room, clientMsgId: newId(), text: 'hello' });
    await row(page, 'rooms', room).getByText('–', { exact: true }).waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('stays with an act that runs, and reads the list again if its target is gone', async () => {
    const room = newRoom('gone');
    const [owner, member] = [await enter(`owner-${newId()}`), await enter(`member-${newId()}`)];
    await owner.ok('room:create', { room });
    const { seq } = await owner.ok('message:send', { room, clientMsgId: newId(), text: 'buy now' });
    await member.ok('message:report', { room, seq, reason: 'spam' });
    const page = await openConsole('en-GB', tokenOf('root', ['admin']));
    await view(page, 'reports');
    await row(page, 'reported-rooms', room).getByTestId('open-reports').click();
    await page.getByTestId('close-report').click();
    const { reports } = await owner.ok('room:reports', { room });
    await owner.ok('room:report-close', { room, id: reports[0]?.id as string });
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/reports/*', (route) => held.then(() => route.continue()));
    const dialog = page.getByTestId('confirm-dialog');
    await page.getByTestId('confirm-act').click();
    await page.keyboard.press('Escape');
    assert.equal(await dialog.getByText('Cancel').isDisabled(), true);
    answer();
    await dialog.getByRole('alert').filter({ hasText: 'no longer there' }).waitFor();
    await page.locator('[data-testid="report-list"] tbody tr').waitFor({ state: 'detached' });
    await dialog.getByText('Cancel').click();
    await dialog.waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('does not move the buttons of a user when a search is answered', async () => {
    const user = `still-${newId()}`;
    await enter(user);
    const page = await openConsole('en-GB', tokenOf('root', ['admin']));
    await view(page, 'users');
    await row(page, 'users', user).getByTestId('open-user').click();
    await page.locator('[data-testid="sessions"] tbody tr').waitFor();
    // A shorter list may scroll the page back, so the distance to the title is compared.
    const topOf = async (locator: Locator) => (await locator.boundingBox())?.y ?? Number.NaN;
    const distance = async () =>
      (await topOf(page.getByTestId('revoke-user'))) - (await topOf(page.locator('#console-main h1')));
    const before = await distance();
    await search(page, user.slice(0, 12));
    await page.getByTestId('open-absent').waitFor();
    assert.equal(await distance(), before);
    await page.context().close();
  });

  test('opens a user by the id although the search failed', async () => {
    const page = await openConsole('en-GB', tokenOf('root', ['admin']));
    await view(page, 'users');
    await page.route('**/admin/users?*', (route) => route.abort());
    await page.getByTestId('console-search').fill('absent');
    await page.getByTestId('open-absent').click();
    await page.locator('[data-testid="user-details"][data-user="absent"]').waitFor();
    await page.context().close();
  });
});

describe('the console', { skip }, () => {
  test('explains a drain before it drains a node, and the node comes back', async () => {
    const page = await openConsole('en-GB', tokenOf('root', ['admin']));
    await poll('both nodes', async () => (await page.locator('[data-testid="nodes"] tbody tr').count()) === 2);
    const name = (await page.locator('[data-testid="nodes"] tbody tr').first().getAttribute('data-key')) ?? '';
    const pidOf = async () => (await cluster.status()).processes.find((one) => one.name === name)?.pid;
    const before = await pidOf();
    await row(page, 'nodes', name).getByTestId('drain').click();
    await confirm(page, name);
    await poll('another process', async () => ![before, null, undefined].includes(await pidOf()), {
      timeoutMs: 40_000,
    });
    await page.context().close();
  });

  test('accepts a token that the cluster printed, and the cluster prints no token for a guest id', async () => {
    const print = (...args: string[]) => clusterCommand(cluster.dataDir, 'token', '--name', 'Root', ...args);
    const { code, stdout } = await print('--sub', 'root', '--role', 'admin');
    assert.equal(code, 0);
    const page = await openConsole('en-GB', stdout.trim());
    await page.context().close();
    const member = (await print('--sub', 'mina')).stdout.trim();
    assertProblem(await call(cluster.endpoint, '/admin/nodes', { token: member }), 403, 'forbidden');
    assert.notEqual((await print('--sub', 'guest-1')).code, 0);
  });

  test('refuses tokens of other users, stores none on the device, and cannot be framed', async () => {
    const page = await openConsole('en-GB', null);
    const guest = await createGuest(cluster.endpoint, 'Guest');
    await page.getByTestId('token-input').fill(guest.token);
    await page.getByTestId('token-enter').click();
    await page.getByTestId('token-problem').waitFor();
    await page.getByTestId('token-input').fill(tokenOf('root', ['admin']));
    await page.getByTestId('token-enter').click();
    await page.getByTestId('nodes').waitFor();
    const stored = await page.evaluate(() => {
      const { localStorage, sessionStorage } = globalThis as unknown as Record<
        'localStorage' | 'sessionStorage',
        object
      >;
      return JSON.stringify([localStorage, sessionStorage]);
    });
    assert.doesNotMatch(stored, /eyJ/);
    const { headers } = await fetch(`${cluster.endpoint}/console/`);
    assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
    await page.reload();
    await page.getByTestId('token-input').waitFor();
    await page.context().close();
  });

  test('had no script error', () => assert.deepEqual(errors, []));
});
