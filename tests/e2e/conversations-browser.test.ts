/** Messages in the web page: acts of both users, each in their own language. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { connect } from '../support/client.ts';
import {
  assertFocus,
  chip,
  dialogIsClosed,
  eachOf,
  enterBoth,
  goTo,
  menuIsClosed,
  openMenu,
  rowAt,
  rowOf,
  say,
  seqOf,
  storedRow,
  type TwoPages,
  WORDS,
} from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
/** Errors of all pages. */
const errors: string[] = [];
const room = newRoom('talk');
let pages: TwoPages;
before(async () => {
  if (typeof launched === 'string') return;
  const options = { browser: launched as Browser, endpoint: cluster.endpoint, room, errors };
  pages = await enterBoth(options, newRoom('start'));
});
after(async () => {
  if (typeof launched !== 'string') await launched.close();
});

describe('messages in the web page', { skip }, () => {
  test('edits an own message', async () => {
    const { jun } = pages;
    for (const { page, other, language, otherLanguage } of eachOf(pages)) {
      await say(page, `tee ${language}`);
      await openMenu(page, `tee ${language}`);
      await page.getByTestId('edit').click();
      await page.getByTestId('edit-input').fill(`tea ${language}`);
      await page.getByTestId('edit-submit').click();
      await page.locator('[data-testid="message-input"]:focus').waitFor();
      await storedRow(page, `tea ${language}`).filter({ hasText: WORDS[language].edited }).waitFor();
      await storedRow(other, `tea ${language}`).filter({ hasText: WORDS[otherLanguage].edited }).waitFor();
    }
    await openMenu(jun, 'tea en');
    assert.equal(await jun.getByTestId('edit').count(), 0);
    assert.equal(await jun.getByTestId('delete').count(), 0);
    await jun.keyboard.press('Escape');
    await menuIsClosed(jun);
  });

  test('reacts with an offered emoji, with a chip, and with any other emoji', async () => {
    for (const { page, other, language } of eachOf(pages)) {
      const text = `tea ${language}`;
      await openMenu(page, text);
      await page.locator('[data-testid="offered-emoji"][data-emoji="👍"]').click();
      await menuIsClosed(page);
      await assertFocus(page, 'a reaction');
      await chip(other, text, '👍').filter({ hasText: '1' }).click();
      for (const one of [page, other]) {
        await chip(one, text, '👍').filter({ hasText: '2' }).waitFor();
        assert.equal(await chip(one, text, '👍').getAttribute('aria-pressed'), 'true');
      }
      await openMenu(page, text);
      await page.getByTestId('other-emoji').click();
      await page.getByTestId('emoji-search').fill(language === 'ko' ? '게' : 'crab');
      await page.locator('[data-testid="emoji"][data-emoji="🦀"]').click();
      await page.getByTestId('react-panel').waitFor({ state: 'detached' });
      await assertFocus(page, 'another emoji');
      await chip(other, text, '🦀').filter({ hasText: '1' }).waitFor();
      assert.equal(await chip(other, text, '🦀').getAttribute('aria-pressed'), 'false');
      // The chip disappears while it has the focus.
      await chip(page, text, '🦀').focus();
      await page.keyboard.press('Enter');
      await chip(other, text, '🦀').waitFor({ state: 'detached' });
      await chip(page, text, '🦀').waitFor({ state: 'detached' });
      await assertFocus(page, 'the removal of a reaction');
    }
  });

  test('pins messages for moderators, and lists them for all', async () => {
    const { mina, jun } = pages;
    await openMenu(mina, 'tea ko');
    await mina.getByTestId('pin').click();
    await menuIsClosed(mina);
    await openMenu(jun, 'tea en');
    assert.equal(await jun.getByTestId('pin').count(), 0);
    await jun.keyboard.press('Escape');
    for (const { page, language } of eachOf(pages)) {
      await page.getByTestId('room-about').click();
      await page.getByTestId('pinned-message').filter({ hasText: 'tea ko' }).waitFor();
      assert.match(
        (await page.getByTestId('moderation-dialog').textContent()) ?? '',
        language === 'ko' ? /고정된 메시지/ : /Pinned messages/,
      );
      if (page === jun) assert.equal(await page.getByTestId('unpin').count(), 0);
      await page.getByTestId('show-pinned').click();
      await page.locator('[data-testid="message"]:focus').filter({ hasText: 'tea ko' }).waitFor();
    }
    await mina.getByTestId('room-about').click();
    await mina.getByTestId('unpin').click();
    await mina.getByText('Nothing is pinned.').waitFor();
    await assertFocus(mina, 'the removal of a pin');
    await mina.keyboard.press('Escape');
    await dialogIsClosed(mina);
  });
});

describe('threads in the web page', { skip }, () => {
  test('replies in a thread, and its root counts the replies', async () => {
    for (const { page, other, language, otherLanguage } of eachOf(pages)) {
      const [root, reply] = [`root ${language}`, `reply ${language}`];
      await say(page, root);
      const seq = await seqOf(page, root);
      await openMenu(page, root);
      await page.getByTestId('reply-in-thread').click();
      await page.getByTestId('thread-root').filter({ hasText: root }).waitFor();
      await assertFocus(page, 'opening a thread');
      await page.getByTestId('reply-input').fill(reply);
      await page.getByTestId('reply-input').press('Enter');
      await page.getByTestId('reply').filter({ hasText: reply }).waitFor();
      await rowAt(other, seq).getByTestId('replies').click();
      await other.getByTestId('reply').filter({ hasText: reply }).waitFor();
      await other.getByTestId('reply-input').fill(`and ${reply}`);
      await other.getByTestId('reply-input').press('Enter');
      for (const [one, words] of [
        [page, WORDS[language]],
        [other, WORDS[otherLanguage]],
      ] as const) {
        await one
          .getByTestId('reply')
          .filter({ hasText: `and ${reply}` })
          .waitFor();
        await rowAt(one, seq).getByTestId('replies').filter({ hasText: words.replies }).waitFor();
        await one.getByTestId('thread-close').click();
        await one.getByTestId('thread').waitFor({ state: 'detached' });
        await assertFocus(one, 'closing a thread');
      }
      // A reply in the room leads to its thread.
      await rowOf(page, `and ${reply}`).getByTestId('thread-link').click();
      await page.getByTestId('thread-root').filter({ hasText: root }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByTestId('thread').waitFor({ state: 'detached' });
    }
  });
});

/** Connects another client, which sends many messages. */
async function withBot(
  send: (say: (text: string, thread?: number) => Promise<number>) => Promise<void>,
): Promise<void> {
  const { token } = await createGuest(cluster.endpoint, 'Bot');
  const bot = await connect(cluster.endpoint, { token });
  await send(async (text, thread) => {
    const reply = thread === undefined ? {} : { thread };
    return (await bot.ok('message:send', { room, clientMsgId: newId(), text, ...reply })).seq;
  });
  bot.close();
}

describe('a long room in the web page', { skip }, () => {
  test('reads a long thread in pages', async () => {
    const { jun } = pages;
    let seq = 0;
    await withBot(async (send) => {
      seq = await send('a long one');
      for (let i = 1; i <= 70; i++) await send(`line ${i}`, seq);
    });
    await rowAt(jun, String(seq)).getByTestId('replies').filter({ hasText: '70' }).click();
    const replies = jun.getByTestId('thread-replies').getByTestId('reply');
    await replies.filter({ hasText: 'line 70' }).waitFor();
    assert.equal(await replies.filter({ hasText: /line 1(?!\d)/ }).count(), 0);
    const first = replies.filter({ hasText: /line 1(?!\d)/ });
    // After a slow answer, the next pages are small.
    while ((await first.count()) === 0) {
      const before = await replies.count();
      await jun.getByTestId('older-replies').click();
      await poll('older replies', async () => (await replies.count()) > before);
    }
    assert.equal(await replies.count(), 70);
    await assertFocus(jun, 'loading older replies');

    // After another room and back, the reading position is the same.
    const isOnScreen = (text: RegExp) =>
      poll(`${text} on the screen`, () =>
        jun.evaluate((source) => {
          const { document } = globalThis as unknown as {
            document: { querySelector(selector: string): { children: Iterable<Row>; getBoundingClientRect(): Box } };
          };
          interface Box {
            top: number;
            bottom: number;
          }
          interface Row {
            textContent: string;
            getBoundingClientRect(): Box;
          }
          const log = document.querySelector('.thread-log').getBoundingClientRect();
          const rows = [...document.querySelector('[data-testid="thread-replies"]').children];
          const box = rows.find((row) => new RegExp(source).test(row.textContent))?.getBoundingClientRect();
          return box !== undefined && box.top >= log.top - 1 && box.bottom <= log.bottom + 1;
        }, text.source),
      );
    await replies.filter({ hasText: /line 30(?!\d)/ }).scrollIntoViewIfNeeded();
    await isOnScreen(/line 30(?!\d)/);
    await goTo(jun, 'lobby');
    await jun.getByTestId('thread').waitFor({ state: 'detached' });
    await goTo(jun, room);
    await isOnScreen(/line 30(?!\d)/);
    await jun.getByTestId('thread-close').click();
  });

  test('shows a pinned message that is not loaded, and returns to the newest', async () => {
    const { mina, jun } = pages;
    await say(mina, 'the rules');
    const seq = await seqOf(mina, 'the rules');
    await openMenu(mina, 'the rules');
    await mina.getByTestId('pin').click();
    await menuIsClosed(mina);
    // One user may send 100 messages at once.
    for (const from of [1, 76]) {
      await withBot(async (send) => {
        for (let i = from; i < from + 75; i++) await send(`news ${i}`);
      });
    }
    await jun.reload();
    // If the messages are unread, the room opens at the unread line.
    await poll('the newest message', async () => {
      // The button disappears when the list arrives, possibly at this moment.
      await jun
        .getByTestId('jump-button')
        .click({ timeout: 500 })
        .catch(() => undefined);
      return jun.getByTestId('message').filter({ hasText: 'news 150' }).isVisible();
    });
    assert.equal(await rowAt(jun, seq).count(), 0);
    await jun.getByTestId('room-about').click();
    await jun.locator(`[data-testid="pinned-message"][data-seq="${seq}"]`).getByTestId('show-pinned').click();
    await jun.locator(`[data-testid="message"][data-seq="${seq}"]:focus`).waitFor();
    assert.equal(await jun.getByTestId('message').filter({ hasText: 'news 150' }).count(), 0);
    await jun.getByTestId('jump-button').click();
    await jun.getByTestId('message').filter({ hasText: 'news 150' }).waitFor();
    await jun.getByTestId('jump-button').waitFor({ state: 'detached' });
    await assertFocus(jun, 'going back to the newest message');
  });
});

describe('deletions in the web page', { skip }, () => {
  test('deletes an own message directly, and any message after confirmation for a moderator', async () => {
    const { mina, jun } = pages;
    for (const { page, other, language, otherLanguage } of eachOf(pages)) {
      await say(page, `secret ${language}`);
      const seq = await seqOf(page, `secret ${language}`);
      await openMenu(page, `secret ${language}`);
      await page.getByTestId('delete').click();
      await page.locator('[data-testid="undo"]:focus').waitFor();
      for (const [one, words] of [
        [page, WORDS[language]],
        [other, WORDS[otherLanguage]],
      ] as const) {
        await rowAt(one, seq).filter({ hasText: words.deleted }).waitFor();
        assert.equal(await one.getByText(`secret ${language}`).count(), 0);
      }
    }
    await say(jun, 'buy watches');
    await openMenu(mina, 'buy watches');
    await mina.getByTestId('delete').click();
    await mina.getByTestId('delete-confirm').click();
    await jun.getByText('관리자가 삭제한 메시지입니다.').waitFor();
  });

  test('causes no script or policy error', () => {
    assert.deepEqual(errors, []);
  });
});
