/**
 * Texts of the user are never lost: drafts and waiting messages survive room changes, reloads,
 * other tabs and sign-ins. The built page runs against a fake server that refuses messages on
 * command.
 */
import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { fakeError } from '@maru/testkit/server/answers';
import { startFakeServer } from '@maru/testkit/server/fake-server';
import type { BrowserContext, Page } from 'playwright-core';
import { launchPages } from '../support/fake-pages.ts';
import { enterGuest, goTo, rowOf, say, storedRow } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { newRoom } from '../support/tokens.ts';

const pages = await launchPages();
const server = await startFakeServer();

afterEach(() => {
  server.faults.refuseSends = null;
  server.faults.refusedTokens.clear();
});
after(async () => {
  await pages.close();
  await server.close();
});

/** A user who can sign in again: the fake server accepts any token, and it is the user's id. */
async function newUser(locale = 'en-GB'): Promise<{ context: BrowserContext; user: string }> {
  const context = await pages.newContext({ locale });
  const user = `u-${newRoom()}`;
  const session = { token: user, user: { id: user, name: user } };
  await context.route('**/api/v1/guests', (route) => route.fulfill({ status: 201, json: session }));
  return { context, user };
}

async function enter(context: BrowserContext, user: string, room: string): Promise<Page> {
  return enterGuest(await context.newPage(), { endpoint: server.url, name: user, room, errors: [] });
}

/** The user stays signed in. */
async function stay(context: BrowserContext, user: string, room: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(server.url);
  await page.getByTestId('stay-input').check();
  return enterGuest(page, { endpoint: `${server.url}/#`, name: user, room, errors: [] });
}

const input = (page: Page) => page.getByTestId('message-input');
const shuts = () => {
  server.faults.refuseSends = { times: 1_000, error: fakeError('unavailable') };
};
const opens = () => {
  server.faults.refuseSends = null;
};
const texts = (room: string) => server.log(room).map(({ text }) => text);
const stored = (page: Page) =>
  page.evaluate(() => {
    const { localStorage, sessionStorage } = globalThis as unknown as Record<string, Record<string, string>>;
    return { device: Object.keys(localStorage ?? {}), tab: Object.keys(sessionStorage ?? {}) };
  });

async function queue(page: Page, text: string): Promise<void> {
  await input(page).fill(text);
  await input(page).press('Enter');
  await rowOf(page, text).and(page.locator('[data-state="sending"]')).waitFor();
}

describe('unsent texts of the user', { skip: pages.skip }, () => {
  test('stay over room changes and reloads, and are sent once, in order', async () => {
    const { context, user } = await newUser();
    const [room, other] = [newRoom(), newRoom()];
    const page = await enter(context, user, room);
    const asked: string[] = [];
    page.on('dialog', (dialog) => {
      asked.push(dialog.type());
      void dialog.accept();
    });
    await input(page).fill('half a thou');
    await goTo(page, other);
    await input(page).fill('another');
    await goTo(page, room);
    assert.equal(await input(page).inputValue(), 'half a thou');
    await page.reload();
    assert.deepEqual(asked, [], 'drafts survive a reload');
    await poll('the draft', async () => (await input(page).inputValue()) === 'half a thou');
    shuts();
    await queue(page, 'one');
    await queue(page, 'two');
    const pill = page.getByTestId('connection-state');
    await pill.and(page.locator('[data-state="late"]')).waitFor();
    await page.getByTestId('connection-banner').getByText('kept in this tab').waitFor();
    await page.reload();
    assert.deepEqual(asked, ['beforeunload']);
    await rowOf(page, 'two').and(page.locator('[data-state="sending"]')).waitFor();
    opens();
    await storedRow(page, 'two').waitFor();
    assert.deepEqual(texts(room), ['one', 'two']);
    await pill.and(page.locator('[data-state="connected"]')).waitFor();
    await page.reload();
    assert.equal(asked.length, 1, 'nothing waits');
    await goTo(page, other);
    await poll('the other draft', async () => (await input(page).inputValue()) === 'another');
    await context.close();
  });

  test('are available when the same user signs in again after the session expired', async () => {
    const { context, user } = await newUser();
    const room = newRoom();
    const page = await enter(context, user, room);
    shuts();
    await queue(page, 'waits');
    await input(page).fill('a draft');
    server.faults.refusedTokens.add(user);
    server.dismissAll('expiring');
    await page.getByTestId('sign-in-error').waitFor();
    server.faults.refusedTokens.clear();
    opens();
    await page.getByTestId('name-input').fill(user);
    await page.getByTestId('enter-button').click();
    await storedRow(page, 'waits').waitFor();
    assert.equal(await input(page).inputValue(), 'a draft');
    assert.deepEqual(texts(room), ['waits']);
    await context.close();
  });
});

describe('unsent texts of the user in several tabs', { skip: pages.skip }, () => {
  test('are separate in two tabs, also in a duplicated one', async () => {
    const { context, user } = await newUser();
    const room = newRoom();
    const page = await enter(context, user, room);
    await say(page, 'hello');
    shuts();
    await queue(page, 'waits in one');
    await input(page).fill('draft of one');
    const [copy] = await Promise.all([context.waitForEvent('page'), page.evaluate('void window.open(location.href)')]);
    await storedRow(copy, 'hello').waitFor();
    assert.equal(await input(copy).inputValue(), '');
    assert.equal(await rowOf(copy, 'waits in one').count(), 0);
    await input(copy).fill('draft of two');
    await queue(copy, 'waits in two');
    await input(copy).fill('draft of two');
    await page.reload();
    await poll('the draft', async () => (await input(page).inputValue()) === 'draft of one');
    opens();
    await storedRow(page, 'waits in one').waitFor();
    await storedRow(copy, 'waits in two').waitFor();
    assert.deepEqual(texts(room).sort(), ['hello', 'waits in one', 'waits in two']);
    await copy.reload();
    await poll('the draft', async () => (await input(copy).inputValue()) === 'draft of two');
    await context.close();
  });

  test('stay on the device if the user wants that, until the user signs out in any tab', async () => {
    const { context, user } = await newUser('ko-KR');
    const room = newRoom();
    const first = await stay(context, user, room);
    shuts();
    await queue(first, '보낼 말');
    await input(first).fill('쓰던 말');
    await poll('the draft to be kept', async () => (await stored(first)).device.some((key) => key.includes('drafts')));
    assert.deepEqual((await stored(first)).tab, ['maru.tab']);
    await first.close();

    const page = await context.newPage();
    await page.goto(`${server.url}/#/${room}`);
    await poll('the draft', async () => (await input(page).inputValue()) === '쓰던 말');
    await rowOf(page, '보낼 말').and(page.locator('[data-state="sending"]')).waitFor();
    const other = await context.newPage();
    await other.goto(`${server.url}/#/${room}`);
    await input(other).waitFor();
    await page.getByTestId('leave-button').click();
    await page.getByTestId('sign-out').click();
    const question = page.getByTestId('kept-question');
    await question.getByText('보내지 않은 글 2개').waitFor();
    await question.getByRole('button', { name: '로그인 유지' }).click();
    await question.waitFor({ state: 'detached' });
    await page.getByTestId('sign-out').click();
    await page.getByTestId('sign-out-anyway').click();
    await page.getByTestId('name-input').waitFor();
    await other.getByTestId('name-input').waitFor();
    for (const each of [page, other]) {
      const { device } = await stored(each);
      assert.deepEqual(
        device.filter((key) => key.includes('kept') || key.includes('session')),
        [],
      );
    }
    assert.deepEqual(texts(room), []);
    await context.close();
  });
});

describe('a sign-out on all devices', { skip: pages.skip }, () => {
  for (const locale of ['en-GB', 'ko-KR'])
    test(`takes no other answer while it waits (${locale})`, async () => {
      const context = await pages.newContext({ locale });
      // Only a session with the token of an account can end on other devices.
      const user = `${btoa(JSON.stringify({ kid: 'maru-account' }))}.${newRoom()}`;
      await context.route('**/api/v1/guests', (route) =>
        route.fulfill({ status: 201, json: { token: user, user: { id: user, name: 'Mina' } } }),
      );
      await context.route('**/api/v1/sign-in/renew', (route) => route.abort());
      let answer: (() => Promise<void>) | undefined;
      await context.route('**/api/v1/sign-out', (route) => {
        answer = () => route.fulfill({ json: {} });
      });
      const page = await enter(context, 'Mina', newRoom());
      await input(page).fill('a draft');
      await page.reload();
      await page.getByTestId('leave-button').click();
      await page.getByTestId('sign-out').click();
      const question = page.getByTestId('kept-question');
      await page.getByTestId('sign-out-anyway').click();
      await page.getByTestId('sign-out-busy').waitFor();
      assert.equal(await page.getByTestId('enter-button').isDisabled(), true);
      await question.getByRole('button').first().dispatchEvent('click');
      await question.getByRole('button').last().dispatchEvent('click');
      assert.equal(await question.isVisible(), true);
      await poll('the request', () => answer !== undefined);
      await answer?.();
      await page.getByTestId('name-input').waitFor();
      await context.close();
    });
});

describe('a draft', { skip: pages.skip }, () => {
  test('is joined with the text of an ended tab for the same room', async () => {
    const { context, user } = await newUser();
    const [room, other] = [newRoom(), newRoom()];
    const page = await stay(context, user, room);
    await input(page).fill('a long text');
    const second = await context.newPage();
    await second.goto(`${server.url}/#/${room}`);
    await input(second).fill('hi');
    await second.close();
    await page.evaluate('document.activeElement.setSelectionRange(2, 6)');
    await page.evaluate(`void document.dispatchEvent(new Event('visibilitychange'))`);
    await poll('both texts', async () => (await input(page).inputValue()) === 'a long text\nhi');
    assert.equal(await page.evaluate('document.activeElement.selectionStart'), 2);
    assert.equal(await page.evaluate('document.activeElement.selectionEnd'), 6);
    await input(page).press('Control+End');
    await input(page).pressSequentially(' there');
    await goTo(page, other);
    await goTo(page, room);
    assert.equal(await input(page).inputValue(), 'a long text\nhi there');
    await page.reload();
    await poll('the draft', async () => (await input(page).inputValue()) === 'a long text\nhi there');
    await context.close();
  });

  test('is joined with the edit of an ended tab for the same message', async () => {
    const { context, user } = await newUser();
    const room = newRoom();
    const page = await stay(context, user, room);
    await say(page, 'hello');
    const second = await context.newPage();
    await second.goto(`${server.url}/#/${room}`);
    for (const [each, text] of [
      [page, 'mine'],
      [second, 'theirs'],
    ] as const) {
      await storedRow(each, 'hello').waitFor();
      await input(each).press('ArrowUp');
      await each.getByTestId('edit-input').fill(text);
    }
    await second.close();
    await page.evaluate(`void document.dispatchEvent(new Event('visibilitychange'))`);
    const device = () => page.evaluate(`JSON.stringify(Object.values(localStorage))`);
    await poll('the joined draft', async () => /mine\\+ntheirs/.test(String(await device())));
    await page.getByTestId('edit-input').press('!');
    assert.equal(await page.getByTestId('edit-input').inputValue(), 'theirs\nmine!');
    await page.reload();
    await storedRow(page, 'hello').waitFor();
    await input(page).press('ArrowUp');
    assert.equal(await page.getByTestId('edit-input').inputValue(), 'theirs\nmine!');
    await context.close();
  });
});
