/**
 * Notices of the web page about messages: title, icon, notifications. And the user's status as
 * others see it.
 */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { type FakeServer, startFakeServer } from '@maru/testkit/server/fake-server';
import type { BrowserContext, Page } from 'playwright-core';
import { launchPages } from '../support/fake-pages.ts';
import { clickNotification, notificationsOf, recordNotifications } from '../support/notifications.ts';
import { assertFocus, enterGuest, myRoom, rowAt } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { newRoom } from '../support/tokens.ts';

const pages = await launchPages();
const { skip } = pages;
/** The room list of the fake server has all rooms, so each test starts with a new server. */
let server: FakeServer;
const BORA = { id: 'bora', name: 'Bora' };
/** Longer than the delay of a notice. */
const QUIET_MS = 1_500;
beforeEach(async () => {
  server = await startFakeServer();
});
afterEach(() => server.close());
after(() => pages.close());

const LANGUAGES = [
  { locale: 'en-GB', inTea: (room: string) => `Bora in #${room}`, hidden: 'You were mentioned', away: 'away' },
  { locale: 'ko-KR', inTea: (room: string) => `#${room} 방의 Bora님`, hidden: '나를 부른', away: '자리 비움' },
] as const;

/** The id of the user of a page. */
const ownId = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const { sessionStorage } = globalThis as unknown as { sessionStorage: { getItem(key: string): string } };
    return JSON.parse(sessionStorage.getItem('maru.session')).user.id;
  });

async function enter(locale: string, room: string): Promise<{ context: BrowserContext; page: Page; me: string }> {
  const context = await pages.newContext({ locale });
  await recordNotifications(context);
  const page = await enterGuest(await context.newPage(), { endpoint: server.url, name: 'Mina', room, errors: [] });
  return { context, page, me: await ownId(page) };
}

async function turnOn(page: Page): Promise<void> {
  await page.keyboard.press('Control+,');
  await page.getByTestId('setting-desktopNotices').check();
  await page.keyboard.press('Escape');
  await page.getByTestId('settings-dialog').waitFor({ state: 'detached' });
}

const titleIs = (page: Page, start: string) =>
  poll(`the title to begin with "${start}"`, async () => (await page.title()).startsWith(start));
const icon = (page: Page) => page.locator('link[rel="icon"]').getAttribute('href');
const shown = async (page: Page) => (await notificationsOf(page)).map(({ title, body }) => `${title}: ${body}`);

describe('an announcement of an administrator', { skip }, () => {
  for (const { locale } of LANGUAGES)
    test(`is on every page, until it is closed (${locale})`, async () => {
      const { context, page } = await enter(locale, newRoom('here'));
      const notice = page.getByTestId('admin-notice');
      await page.getByTestId('all-rooms').click();
      await page.getByTestId('directory').waitFor();
      server.notice({ code: 'announcement', text: 'We restart at noon.' });
      await notice.filter({ hasText: 'We restart at noon.' }).waitFor();
      await page.goBack();
      await page.getByTestId('message-input').waitFor();
      assert.equal(await notice.count(), 1);
      await notice.getByRole('button').press('Enter');
      await notice.waitFor({ state: 'detached' });
      await page.locator('[data-testid="message-input"]:focus').waitFor();
      await page.getByTestId('all-rooms').click();
      await page.getByTestId('directory').waitFor();
      assert.equal(await notice.count(), 0);
      await context.close();
    });
});

const FAILED = { 'en-GB': 'could not be loaded', 'ko-KR': '불러오지 못했습니다' } as const;

describe('the list of rooms', { skip }, () => {
  for (const { locale } of LANGUAGES)
    test(`says that it could not be loaded, and is loaded again (${locale})`, async () => {
      const tea = newRoom('tea');
      server.post(tea, BORA, 'a first one');
      server.faults.refuseRoomLists = true;
      const { context, page } = await enter(locale, newRoom('here'));
      const problem = page.getByTestId('rooms-problem');
      await problem.filter({ hasText: FAILED[locale] }).waitFor();
      assert.equal(await page.locator(`[data-room="${tea}"]`).count(), 0);
      server.faults.refuseRoomLists = false;
      await problem.getByRole('button').press('Enter');
      await myRoom(page, tea).waitFor();
      await problem.waitFor({ state: 'detached' });
      await assertFocus(page, 'the retry');
      await context.close();
    });
});

describe('notices', { skip }, () => {
  for (const { locale, inTea, hidden } of LANGUAGES) {
    test(`show mentions in other rooms until they are read (${locale})`, async () => {
      const [room, tea] = [newRoom('here'), newRoom('tea')];
      const { context, page, me } = await enter(locale, room);
      const plain = await icon(page);
      server.post(tea, BORA, 'a first one');
      server.post(tea, BORA, 'are you there?', { mentions: [me] });
      await titleIs(page, '(1) #');
      await poll('the icon to show it', async () => decodeURIComponent((await icon(page)) ?? '').includes('>1</text>'));
      await page.waitForTimeout(QUIET_MS);
      assert.deepEqual(await shown(page), [], 'off until the person turns them on');

      await turnOn(page);
      server.post(tea, BORA, 'Mina?', { mentions: [me] });
      server.post(tea, BORA, 'tea is ready', { mentions: [me] });
      await poll('one notification', async () => (await shown(page)).join() === `${inTea(tea)} (2): tea is ready`);
      await titleIs(page, '(3) #');
      // A message that the reader is looking at causes no notice.
      server.post(room, BORA, 'here', { mentions: [me] });
      await rowAt(page, '1').waitFor();
      await page.waitForTimeout(QUIET_MS);
      assert.equal((await notificationsOf(page)).length, 1);

      await clickNotification(page, 0);
      await page.locator(`[data-testid="messages"][data-room="${tea}"]`).waitFor({ state: 'attached' });
      await rowAt(page, '4').waitFor();
      await titleIs(page, '#');
      await poll('the plain icon', async () => (await icon(page)) === plain);
      assert.deepEqual(
        (await notificationsOf(page)).map(({ isOpen }) => isOpen),
        [false],
      );
      await context.close();
    });

    test(`hide the text if the user wants that, and close when it is read (${locale})`, async () => {
      const [room, tea] = [newRoom('here'), newRoom('tea')];
      const { context, page, me } = await enter(locale, room);
      await turnOn(page);
      await page.keyboard.press('Control+,');
      await page.getByTestId('setting-noticesShowText').uncheck();
      await page.keyboard.press('Escape');
      server.post(tea, BORA, 'a secret', { mentions: [me] });
      await poll('one notification', async () => (await notificationsOf(page)).length === 1);
      assert.match((await shown(page))[0] ?? '', new RegExp(hidden));
      await page.getByTestId('mark-all-read').click();
      await poll('it is closed', async () => (await notificationsOf(page))[0]?.isOpen === false);
      await titleIs(page, '#');
      await context.close();
    });
  }
});

describe('notices of two tabs', { skip }, () => {
  test('are shown by one, and with "do not disturb" by none', async () => {
    const [room, tea] = [newRoom('here'), newRoom('tea')];
    const { context, page, me } = await enter('en-GB', room);
    await turnOn(page);
    const session = await page.evaluate(() =>
      (globalThis as unknown as { sessionStorage: { getItem(key: string): string } }).sessionStorage.getItem(
        'maru.session',
      ),
    );
    const second = await context.newPage();
    await second.addInitScript((text) => {
      (
        globalThis as unknown as { sessionStorage: { setItem(key: string, value: string): void } }
      ).sessionStorage.setItem('maru.session', text);
    }, session);
    await second.goto(`${server.url}/r/${room}`);
    await second.getByTestId('message-input').waitFor();
    assert.equal(await ownId(second), me);
    server.post(tea, BORA, 'both?', { mentions: [me] });
    for (const each of [page, second]) await titleIs(each, '(1) #');
    const counts = async () => [(await notificationsOf(page)).length, (await notificationsOf(second)).length];
    await poll('one notification', async () => (await counts()).join() === '1,0');
    await page.waitForTimeout(QUIET_MS);
    assert.deepEqual(await counts(), [1, 0]);
    await page.close();
    await second.getByTestId('own-status').click();
    await second.getByTestId('status-form').locator('input[value="dnd"]').check();
    await second.getByTestId('status-save').click();
    await second.locator('[data-testid="own-status"][data-status="dnd"]').waitFor();
    server.post(tea, BORA, 'quiet', { mentions: [me] });
    await titleIs(second, '(2) #');
    await second.waitForTimeout(QUIET_MS);
    assert.equal((await notificationsOf(second)).length, 0);
    await second.getByTestId('own-status').click();
    await second.getByTestId('status-form').locator('input[value="online"]').check();
    await second.getByTestId('status-save').click();
    server.post(tea, BORA, 'loud', { mentions: [me] });
    await poll('the other tab took over', async () => (await notificationsOf(second)).length === 1);
    await context.close();
  });
});

describe('the own status', { skip }, () => {
  for (const { locale, away } of LANGUAGES)
    test(`is visible to others, and becomes away while the device is idle (${locale})`, async () => {
      const room = newRoom('here');
      const watcher = await enter(locale, room);
      const { context, page, me } = await (async () => {
        const context = await pages.newContext({ locale });
        const page = await context.newPage();
        await page.clock.install();
        await enterGuest(page, { endpoint: server.url, name: 'Jun', room, errors: [] });
        return { context, page, me: await ownId(page) };
      })();
      const seen = watcher.page.locator(`[data-testid="person"][data-user="${me}"]`);
      await page.getByTestId('own-status').click();
      await page.getByTestId('status-input').fill('in Busan 🚄');
      await page.getByTestId('status-save').click();
      await seen.getByTestId('status-text').filter({ hasText: 'in Busan 🚄' }).waitFor();
      const dot = await seen.locator('.status-dot').boundingBox();
      assert.ok(dot !== null && dot.width === dot.height && dot.width >= 8, JSON.stringify(dot));
      await page.clock.fastForward(10 * 60_000 + 1_000);
      await seen.filter({ hasText: away }).waitFor();
      assert.equal(await page.getByTestId('own-status').getAttribute('data-status'), 'away');
      await page.mouse.move(50, 50);
      await seen.filter({ hasNotText: away }).waitFor();
      await seen.getByTestId('status-text').filter({ hasText: 'in Busan 🚄' }).waitFor();

      // The status survives a reload, and a lost connection that the server treats as an absence.
      await page.getByTestId('own-status').click();
      await page.getByTestId('status-form').locator('input[value="invisible"]').check();
      await page.getByTestId('status-save').click();
      await seen.waitFor({ state: 'detached' });
      server.presence.forget(me);
      await page.reload();
      await page.locator('[data-testid="own-status"][data-status="invisible"]').waitFor();
      assert.equal(await seen.count(), 0);
      for (const each of [context, watcher.context]) await each.close();
    });
});
