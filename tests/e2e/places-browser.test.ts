/** Addresses, the browser history, and state that survives a room change, in both languages. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { connect } from '../support/client.ts';
import { call } from '../support/http.ts';
import { eachOf, enterBoth, goTo, myRoom, rowAt, type TwoPages } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
/** Errors of all pages. */
const errors: string[] = [];
const room = newRoom('place');
const other = newRoom('place');
let pages: TwoPages;
/** Another user, who sends messages. */
let bot: Awaited<ReturnType<typeof connect>>;
const write = (to: string, text: string) => bot.patient('message:send', { room: to, clientMsgId: newId(), text });
before(async () => {
  if (typeof launched === 'string') return;
  bot = await connect(cluster.endpoint, { token: (await createGuest(cluster.endpoint, 'Bot')).token });
  for (const to of [room, other]) {
    await bot.ok('room:join', { room: to });
    for (let i = 1; i <= 60; i++) await write(to, `cup ${i}`);
  }
  pages = await enterBoth(
    { browser: launched as Browser, endpoint: cluster.endpoint, room: newRoom('own'), errors },
    room,
  );
});
after(async () => {
  bot?.close();
  if (typeof launched !== 'string') await launched.close();
});

const WORDS = {
  en: { missing: 'There is no room', invalid: 'That is not a room name.' },
  ko: { missing: '방이 없습니다.', invalid: '방 이름으로 쓸 수 없습니다.' },
} as const;

const path = (page: Page) => new URL(page.url()).pathname;
const tokenOf = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const { sessionStorage } = globalThis as unknown as { sessionStorage: { getItem(key: string): string } };
    return JSON.parse(sessionStorage.getItem('maru.session')).token;
  });
const statusOf = async (page: Page, id: string) =>
  (await call(cluster.endpoint, `/rooms/${id}`, { token: await tokenOf(page) })).status;
const isShown = (page: Page, id: string) =>
  page.locator(`[data-testid="messages"][data-room="${id}"]`).waitFor({ state: 'attached' });
const problem = (page: Page, reason: string, words: string) =>
  page.locator(`[data-testid="room-problem"][data-reason="${reason}"]`).filter({ hasText: words }).waitFor();

describe('an address', { skip }, () => {
  test('of a missing room shows that, has no composer, and creates the room only on request', async () => {
    for (const { page, language } of eachOf(pages)) {
      const missing = newRoom('typo');
      await page.goto(`${cluster.endpoint}/r/${missing}`);
      await problem(page, 'missing', WORDS[language].missing);
      assert.equal(await page.getByTestId('message-input').count(), 0);
      assert.equal(await statusOf(page, missing), 404);
      await page.getByTestId('create-missing').click();
      await page.getByTestId('message-input').waitFor();
      assert.equal(await statusOf(page, missing), 200);
      // The user who creates a room owns it.
      await page.getByTestId('room-settings').waitFor();
    }
  });

  test('typed into the room field creates nothing either', async () => {
    for (const { page, language } of eachOf(pages)) {
      const missing = newRoom('typo');
      await page.getByTestId('room-jump-input').fill(missing);
      await page.getByTestId('room-jump-input').press('Enter');
      await problem(page, 'missing', WORDS[language].missing);
      assert.equal(await page.getByTestId('message-input').count(), 0);
      assert.equal(await statusOf(page, missing), 404);
    }
  });

  test('that is not a valid room shows that', async () => {
    for (const { page, language } of eachOf(pages)) {
      await page.goto(`${cluster.endpoint}/r/${encodeURIComponent('공지 방')}`);
      await problem(page, 'invalid', WORDS[language].invalid);
      assert.equal(await page.getByTestId('message-input').count(), 0);
    }
  });

  test('of a message shows the message, and works with back and forward', async () => {
    for (const { page } of eachOf(pages)) {
      await page.goto(`${cluster.endpoint}/r/${room}/12`);
      await page.locator('[data-testid="message"][data-seq="12"]:focus').waitFor();
      await goTo(page, `${other}/7`, other);
      assert.equal(path(page), `/r/${other}/7`, 'an address of an earlier version is written anew');
      await page.goBack();
      await isShown(page, room);
      assert.equal(path(page), `/r/${room}/12`);
      await page.goForward();
      await isShown(page, other);
      await page.locator('[data-testid="message"][data-seq="7"]:focus').waitFor();
    }
  });
});

/** The first visible row and its position. */
const topOf = async (page: Page, seq: string) => (await rowAt(page, seq).boundingBox())?.y ?? Number.NaN;
/** A mark on an element disappears when the element is replaced. */
const MARKED = ['.shell', '.panel-start', '.rooms', '.bar'];
const mark = (page: Page) =>
  page.evaluate((selectors) => {
    const { document } = globalThis as unknown as { document: { querySelector(of: string): { isMarked?: boolean } } };
    for (const selector of selectors) document.querySelector(selector).isMarked = true;
  }, MARKED);
const marked = (page: Page) =>
  page.evaluate((selectors) => {
    const { document } = globalThis as unknown as { document: { querySelector(of: string): { isMarked?: boolean } } };
    return selectors.filter((selector) => document.querySelector(selector).isMarked === true);
  }, MARKED);

describe('while the room changes', { skip }, () => {
  test('the shell stays, and the reading position is restored', async () => {
    for (const { page } of eachOf(pages)) {
      await goTo(page, room);
      await rowAt(page, '30').waitFor();
      await mark(page);
      await rowAt(page, '30').evaluate((row) => {
        (row as unknown as { scrollIntoView(options: object): void }).scrollIntoView({ block: 'center' });
      });
      await page.getByTestId('jump-button').waitFor();
      const before = await topOf(page, '30');
      await goTo(page, other);
      await rowAt(page, '20').waitFor();
      await page.goBack();
      await isShown(page, room);
      assert.ok(Math.abs((await topOf(page, '30')) - before) <= 2, 'the row is where it was');
      assert.deepEqual(await marked(page), MARKED);
      await page.getByTestId('message-input').and(page.locator(':focus')).waitFor();
    }
  });

  test('a draft stays with its room', async () => {
    for (const { page } of eachOf(pages)) {
      await goTo(page, room);
      await page.getByTestId('message-input').fill('half a tho');
      await goTo(page, other);
      assert.equal(await page.getByTestId('message-input').inputValue(), '');
      await goTo(page, room);
      assert.equal(await page.getByTestId('message-input').inputValue(), 'half a tho');
      await page.getByTestId('message-input').fill('');
    }
  });

  test('rooms of the list that were never opened count new messages', async () => {
    const followed = newRoom('followed');
    await bot.ok('room:join', { room: followed });
    for (const { page } of eachOf(pages)) {
      const token = await tokenOf(page);
      await call(cluster.endpoint, `/me/rooms/${followed}`, { method: 'PUT', token, body: { notify: 'all' } });
      await page.reload();
      await myRoom(page, followed).waitFor();
    }
    const counts = () =>
      Promise.all(
        eachOf(pages).map(({ page }) =>
          myRoom(page, followed).getByTestId('unread-count').getAttribute('data-count', { timeout: 1_000 }),
        ),
      );
    const before = Number((await counts().catch(() => ['0']))[0]);
    await poll('a message to be counted', async () => {
      await write(followed, 'news');
      const [mina = 0, jun = 0] = (await counts()).map(Number);
      return Math.min(mina, jun) > before;
    });
  });

  test('causes no script or policy error', () => {
    assert.deepEqual(errors, []);
  });
});
