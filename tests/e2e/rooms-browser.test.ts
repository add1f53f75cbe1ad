/** The room list with its menus, and the directory of all public rooms, in both languages. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { connect } from '../support/client.ts';
import {
  assertFocus,
  dialogIsClosed,
  eachOf,
  enterBoth,
  enterPage,
  goTo,
  myRoom,
  type TwoPages,
} from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { mintToken, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
/** Errors of all pages. */
const errors: string[] = [];
const talk = newRoom('talk');
const notice = newRoom('notice');
/** Unique in this test. */
const suffix = notice.slice(-6);
let pages: TwoPages;
let bot: Awaited<ReturnType<typeof connect>>;
const write = (room: string, text: string) => bot.ok('message:send', { room, clientMsgId: newId(), text });
before(async () => {
  if (typeof launched === 'string') return;
  bot = await connect(cluster.endpoint, { token: mintToken(cluster.jwtSecret, { sub: newId(), name: 'Seo' }) });
  for (const [room, title] of [
    [talk, ''],
    [notice, `전체 공지 ${suffix}`],
  ] as const)
    await bot.ok('room:create', { room, title });
  await bot.ok('room:update', { room: notice, clientMsgId: newId(), topic: 'What everybody should know' });
  await write(talk, 'the first');
  await write(notice, 'to everybody');
  const options = { browser: launched as Browser, endpoint: cluster.endpoint, room: newRoom('own'), errors };
  pages = await enterBoth(options, talk);
});
after(async () => {
  bot?.close();
  if (typeof launched !== 'string') await launched.close();
});

const WORDS = { en: { found: '1 room found' }, ko: { found: '방 1개를 찾았습니다' } } as const;

const row = (page: Page, room: string) => page.locator(`[data-testid="directory-room"][data-room="${room}"]`);
const visited = (page: Page, room: string) => page.locator(`[data-testid="visited-room"][data-room="${room}"]`);
const unread = (page: Page, room: string, count: number) =>
  myRoom(page, room).locator(`[data-testid="unread-count"][data-count="${count}"]`);
const isShown = (page: Page, room: string) =>
  page.locator(`[data-testid="messages"][data-room="${room}"]`).waitFor({ state: 'attached' });
async function openMenu(page: Page, of: ReturnType<typeof visited>): Promise<void> {
  await of.hover();
  await of.getByTestId('room-menu').click();
  await page.getByTestId('room-menu-open').waitFor();
}
async function choose(page: Page, of: ReturnType<typeof visited>, item: string): Promise<void> {
  await openMenu(page, of);
  await page.getByTestId(item).click();
  await page.getByTestId('room-menu-open').waitFor({ state: 'detached' });
}

describe('the directory', { skip }, () => {
  test('finds rooms by initials of Hangul, and adds a joined room to the list', async () => {
    for (const { page, language } of eachOf(pages)) {
      await page.getByTestId('all-rooms').click();
      assert.equal(new URL(page.url()).pathname, '/rooms');
      await page.locator('[data-testid="directory-search"]:focus').waitFor();
      await page.keyboard.type(`ㄱㅈ ${suffix}`);
      await row(page, notice).filter({ hasText: 'What everybody should know' }).waitFor();
      await page.getByTestId('directory-state').filter({ hasText: WORDS[language].found }).waitFor();
      await page.locator('[data-testid="directory-state"][data-state="complete"]').waitFor();
      assert.equal(await page.getByTestId('directory-room').count(), 1);
      await row(page, notice).getByTestId('join-room').click();
      await isShown(page, notice);
      await myRoom(page, notice).filter({ hasText: '전체 공지' }).waitFor();
      await page.goBack();
      await page.getByTestId('directory-search').fill(suffix);
      await row(page, notice).getByTestId('open-room').waitFor();
    }
  });

  test('can be used with only the keyboard', async () => {
    for (const { page } of eachOf(pages)) {
      await page.getByTestId('directory-search').fill(suffix);
      await row(page, notice).waitFor();
      await page.keyboard.press('ArrowDown');
      await page.locator('.directory-name:focus').waitFor();
      await page.keyboard.press('Enter');
      await isShown(page, notice);
      await assertFocus(page, 'a room was opened');
    }
  });
});

describe('a visited room that is not in the list', { skip }, () => {
  test('counts a mention in the list and in the title', async () => {
    const room = newRoom('looked-at');
    await bot.ok('room:create', { room });
    for (const locale of ['en-GB', 'ko-KR']) {
      const options = { browser: launched as Browser, endpoint: cluster.endpoint, errors, locale };
      const page = await enterPage({ ...options, name: 'Visitor', room });
      await goTo(page, 'lobby');
      const session = await page.evaluate(() =>
        String((globalThis as unknown as { sessionStorage: Record<string, string> }).sessionStorage['maru.session']),
      );
      const { user } = JSON.parse(session) as { user: { id: string } };
      await bot.ok('message:send', { room, clientMsgId: newId(), text: 'hi', mentions: [user.id] });
      const shown = visited(page, room);
      await shown.locator('[data-testid="mention-count"][data-count="1"]').waitFor();
      await poll('the title', async () => (await page.title()).startsWith('(1) '));
      await shown.getByRole('link').click();
      await shown.getByTestId('mention-count').waitFor({ state: 'detached' });
      await poll('the title without it', async () => !(await page.title()).startsWith('('));
      await page.context().close();
    }
  });
});

describe('the room list', { skip }, () => {
  test('counts and quotes new messages, and marks them as read', async () => {
    for (const { page } of eachOf(pages)) await goTo(page, talk);
    await write(notice, 'tea is ready');
    for (const { page } of eachOf(pages)) {
      await unread(page, notice, 1).waitFor();
      await myRoom(page, notice).filter({ hasText: 'Seo: tea is ready' }).waitFor();
      await choose(page, myRoom(page, notice), 'mark-read');
      await unread(page, notice, 1).waitFor({ state: 'detached' });
      await assertFocus(page, 'a menu of a room');
    }
  });

  test('ignores a room whose notifications are off', async () => {
    const { mina, jun } = pages;
    await choose(mina, myRoom(mina, notice), 'notify-none');
    await openMenu(mina, myRoom(mina, notice));
    await mina.locator('[data-testid="notify-none"][aria-checked="true"]').waitFor();
    await mina.keyboard.press('Escape');
    await write(notice, 'more tea');
    await unread(jun, notice, 1).waitFor();
    assert.equal(await myRoom(mina, notice).getByTestId('unread-count').count(), 0);
  });

  test('keeps a visited room, and marks a draft', async () => {
    for (const { page } of eachOf(pages)) {
      await visited(page, talk).waitFor();
      await page.getByTestId('message-input').fill('half a tho');
      await goTo(page, notice);
      await visited(page, talk).getByTestId('draft-mark').waitFor();
      await choose(page, visited(page, talk), 'follow');
      await myRoom(page, talk).getByTestId('draft-mark').waitFor();
      await choose(page, myRoom(page, talk), 'unfollow');
      await visited(page, talk).waitFor();
    }
  });

  test('finds a room while the user types, and opens it with the arrow keys', async () => {
    for (const { page } of eachOf(pages)) {
      await page.getByTestId('room-jump-input').fill(`ㄱㅈ`);
      await myRoom(page, notice).waitFor();
      assert.equal(await visited(page, talk).count(), 0);
      await page.getByTestId('room-jump-input').press('Enter');
      await isShown(page, notice);
      await myRoom(page, notice).getByRole('link').focus();
      await page.keyboard.press('End');
      await page.keyboard.press('ArrowRight');
      await page.getByTestId('room-menu-open').waitFor();
      await page.keyboard.press('Escape');
      await page.locator('.room-item:last-child .room-link:focus').waitFor();
    }
  });

  test('opens the settings of a room that is not shown', async () => {
    const { mina } = pages;
    const own =
      (await mina
        .locator('[data-testid="visited-room"]')
        .evaluateAll((all) =>
          all.map((one) => one.getAttribute('data-room')).find((room) => room?.startsWith('own-')),
        )) ?? '';
    await choose(mina, visited(mina, own), 'open-settings');
    await mina.getByTestId('section-settings').waitFor();
    assert.equal(new URL(mina.url()).pathname, `/r/${own}`);
    await mina.locator('#room-title').fill('Our own');
    await mina.getByTestId('settings-save').click();
    await visited(mina, own).filter({ hasText: 'Our own' }).waitFor();
    await mina.keyboard.press('Escape');
    await dialogIsClosed(mina);
  });

  test('is beside the room at 1024 pixels, but the people are not', async () => {
    const { jun } = pages;
    await jun.setViewportSize({ width: 1024, height: 768 });
    await myRoom(jun, notice).waitFor();
    assert.equal(await jun.getByTestId('people').count(), 0);
    await jun.getByTestId('people-button').waitFor();
  });

  test('causes no script or policy error', () => {
    assert.deepEqual(errors, []);
  });
});
