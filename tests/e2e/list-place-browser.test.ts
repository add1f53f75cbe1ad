/**
 * Where the message list opens, where its button leads, and that messages being read do not move.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startFakeServer } from '@maru/testkit/server/fake-server';
import type { Page } from 'playwright-core';
import { launchPages } from '../support/fake-pages.ts';
import { enterGuest, goTo, rowAt } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { newRoom } from '../support/tokens.ts';

const pages = await launchPages();
const { skip } = pages;
const server = await startFakeServer();
const errors: string[] = [];
const BOT = { id: 'bot', name: 'Bot' };
/** Mina's read positions. */
const readUpTo = new Map<string, number>();
server.onRequest = (event, { room, seq }) => {
  if (event === 'room:read') readUpTo.set(room, Number(seq) || (readUpTo.get(room) ?? 0));
};
after(async () => {
  await pages.close();
  await server.close();
});

function fill(room: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const n = server.log(room).length + 1;
    server.post(room, BOT, `cup ${n}${' and saucer'.repeat(n % 19)}`);
  }
}

async function enter(room: string, locale = 'en-GB'): Promise<Page> {
  const context = await pages.newContext({ locale, viewport: { width: 1280, height: 720 } });
  return enterGuest(await context.newPage(), { endpoint: server.url, name: 'Mina', room, errors });
}

const TWO_FRAMES = 'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))';
const newest = (room: string) => String(server.log(room).at(-1)?.seq);
const button = (page: Page) => page.getByTestId('jump-button');
/** Distance from the upper edge of the list, as a fraction of its height. */
const heightAt = (page: Page, selector: string): Promise<number> =>
  page.evaluate(`(() => {
    const box = document.querySelector('.log').getBoundingClientRect();
    return (document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect().top - box.top) / box.height;
  })()`);
const scrollBy = (page: Page, px: number) => page.evaluate(`document.querySelector('.log').scrollTop += ${px}`);
const belowEnd = (page: Page): Promise<number> =>
  page.evaluate(`(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(
    document.querySelector('.log'))`);
/** Messages below the last one that ends on the screen. */
const messagesBelow = (page: Page): Promise<number> =>
  page.evaluate(`(() => {
    const { bottom } = document.querySelector('.log').getBoundingClientRect();
    const rows = [...document.querySelectorAll('.log .message')];
    return rows.filter((row) => row.getBoundingClientRect().bottom > bottom + 1).length;
  })()`);

const unread = (room: string): number => server.log(room).length - (readUpTo.get(room) ?? 0);
const isRead = (room: string) => poll('everything to be read', () => unread(room) === 0);

/** The same user returns after this many more messages. */
async function comeBack(page: Page, room: string, count: number): Promise<void> {
  await isRead(room);
  await page.goto('about:blank');
  fill(room, count);
  await page.goto(`${server.url}/r/${room}`);
  await page.getByTestId('unread-line').waitFor();
}

describe('an opened room', { skip }, () => {
  test('shows the unread line if the unread messages do not fit, and marks them as read at the end', async () => {
    const room = newRoom('open');
    fill(room, 60);
    const page = await enter(room);
    await rowAt(page, newest(room)).waitFor();
    // The unread line is in the last page of messages, or above it.
    for (const count of [50, 160]) {
      await comeBack(page, room, count);
      const at = await heightAt(page, '.unread');
      assert.ok(at >= 0 && at <= 1 / 3, `the line of ${count} messages is at ${at}`);
      assert.equal(unread(room), count);
      assert.equal(await button(page).getAttribute('data-to'), 'end');
      await button(page).click();
      await rowAt(page, newest(room)).waitFor();
      await button(page).waitFor({ state: 'detached' });
      await isRead(room);
    }
    await page.context().close();
  });

  test('shows its end if everything fits, and to a new user', async () => {
    const room = newRoom('open');
    fill(room, 160);
    const page = await enter(room);
    await rowAt(page, newest(room)).waitFor();
    assert.equal(await button(page).count(), 0);
    await comeBack(page, room, 3);
    assert.ok((await belowEnd(page)) <= 1);
    await isRead(room);
    await page.context().close();
  });
});

describe('the button to the end', { skip }, () => {
  test('counts the messages below, and goes to the unread line first', async () => {
    const room = newRoom('jump');
    fill(room, 100);
    const page = await enter(room);
    await isRead(room);
    await scrollBy(page, -1_500);
    await button(page).filter({ hasText: 'Jump to latest' }).waitFor();
    fill(room, 45);
    server.postAct(room, BOT, 'room.mute', { user: 'someone' });
    await button(page).filter({ hasText: '45 new messages' }).waitFor();
    assert.equal(await button(page).getAttribute('data-to'), 'line');
    await button(page).click();
    await poll('the line to be there', async () => (await button(page).getAttribute('data-to')) === 'end');
    const at = await heightAt(page, '.unread');
    assert.ok(at >= 0 && at <= 1 / 3, `the line is at ${at}`);
    const below = await messagesBelow(page);
    assert.ok(below > 0 && below < 45);
    await button(page)
      .filter({ hasText: `${below} new messages` })
      .waitFor();
    await button(page).click();
    await button(page).waitFor({ state: 'detached' });
    await isRead(room);
    await page.context().close();
  });

  test('goes up to messages that arrived while the window was in the background', async () => {
    const room = newRoom('jump');
    fill(room, 30);
    const page = await enter(room);
    await isRead(room);
    await page.evaluate(`Object.defineProperty(document, 'hasFocus', { value: () => false, configurable: true });
      window.dispatchEvent(new Event('blur'));
      ${TWO_FRAMES}`);
    fill(room, 40);
    await rowAt(page, newest(room)).waitFor();
    await page.getByTestId('unread-line').waitFor({ state: 'attached' });
    assert.equal(unread(room), 40);
    await page.evaluate(`delete document.hasFocus; window.dispatchEvent(new Event('focus'))`);
    await isRead(room);
    await button(page).filter({ hasText: '40 new messages' }).click();
    await poll('the line to be on the screen', async () => (await heightAt(page, '.unread')) >= 0);
    await button(page).filter({ hasText: 'Jump to latest' }).click();
    await button(page).waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('draws no line above messages that are read immediately', async () => {
    const room = newRoom('jump');
    fill(room, 3);
    const page = await enter(room);
    await isRead(room);
    await page.reload();
    await rowAt(page, newest(room)).waitFor();
    fill(room, 2);
    await rowAt(page, newest(room)).waitFor();
    assert.equal(await page.getByTestId('unread-line').count(), 0);
    await page.context().close();
  });
});

describe('a link to a message', { skip }, () => {
  for (const [locale, missing] of [
    ['en-GB', 'This message is no longer here.'],
    ['ko-KR', '이 메시지는 더 이상 없습니다.'],
  ] as const) {
    test(`shows a deleted message, or that the message does not exist (${locale})`, async () => {
      const room = newRoom('link');
      fill(room, 150);
      server.postAct(room, BOT, 'message.delete', { seq: 20 });
      const page = await enter(room, locale);
      await rowAt(page, '150').waitFor();
      await goTo(page, `${room}/20`, room);
      await page.locator('[data-testid="message"][data-seq="20"][data-deleted]:focus').waitFor();
      assert.equal(await rowAt(page, '20').getAttribute('aria-current'), 'location');
      const at = await heightAt(page, '[data-seq="20"]');
      assert.ok(at > 0.3 && at < 0.7, `the message is at ${at}`);
      await goTo(page, `${room}/9999`, room);
      await page.getByTestId('jump-problem').filter({ hasText: missing }).waitFor();
      assert.equal(await rowAt(page, '20').count(), 1, 'the list stays where it was');
      await page.context().close();
    });
  }
});

describe('the message being read', { skip }, () => {
  test('does not move when something above it or the window size changes', async () => {
    const room = newRoom('still');
    fill(room, 120);
    const page = await enter(room);
    await rowAt(page, newest(room)).waitFor();
    await scrollBy(page, -2_000);
    await button(page).waitFor();
    const changes: Array<[what: string, change: () => Promise<unknown>]> = [
      ['rows that grow', () => page.evaluate(grow('220px'))],
      ['rows that shrink', () => page.evaluate(grow('0px'))],
      ['a compact list', () => page.evaluate(`document.documentElement.dataset.density = 'compact'`)],
      ['a narrow window', () => page.setViewportSize({ width: 700, height: 720 })],
      ['a wide window', () => page.setViewportSize({ width: 1280, height: 720 })],
      ['older messages', () => scrollBy(page, 0)],
    ];
    for (const [what, change] of changes) {
      const row = await page.evaluateHandle<{ getBoundingClientRect(): { bottom: number } }>(FIRST_ROW);
      const before = await row.evaluate((it) => it.getBoundingClientRect().bottom);
      await change();
      await page.evaluate(TWO_FRAMES);
      const moved = Math.abs((await row.evaluate((it) => it.getBoundingClientRect().bottom)) - before);
      assert.ok(moved <= 2, `${what}: moved by ${moved} px`);
    }
    await page.context().close();
  });

  test('causes no script or policy error', () => {
    // The fake server has no room directory.
    assert.deepEqual(
      errors.filter((error) => !error.includes('404')),
      [],
    );
  });
});

const FIRST_ROW = `[...document.querySelectorAll('.log .message')].find(
  (row) => row.getBoundingClientRect().top >= document.querySelector('.log').getBoundingClientRect().top)`;

/** Changes the height of rows, like parts of texts that load later. */
const grow = (px: string) => `(() => {
  const first = ${FIRST_ROW};
  for (const row of [...document.querySelectorAll('.log .message')]) {
    if (row === first) return;
    row.style.paddingBlockEnd = ${JSON.stringify(px)};
  }
})()`;
