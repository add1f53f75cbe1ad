/**
 * Acts on messages in the web page with only the keyboard, and refused acts. The server is a fake
 * one.
 */
import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import type { ErrorCode } from '@maru/protocol';
import { startFakeServer } from '@maru/testkit/server/fake-server';
import type { Page } from 'playwright-core';
import { launchPages } from '../support/fake-pages.ts';
import { assertFocus, chip, enterGuest, goTo, rowAt, say, storedRow } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { newRoom } from '../support/tokens.ts';

const pages = await launchPages();
const { skip } = pages;
const server = await startFakeServer();
const BOT = { id: 'bot', name: 'Bot' };

afterEach(() => {
  server.faults.refuseActs = null;
});
after(async () => {
  await pages.close();
  await server.close();
});

async function enter(locale: string, room: string): Promise<Page> {
  const context = await pages.newContext({ locale });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  return enterGuest(await context.newPage(), { endpoint: server.url, name: 'Mina', room, errors: [] });
}

const refuse = (code: ErrorCode) => {
  server.faults.refuseActs = { times: 1, error: { code, message: code, retryable: false } };
};

/** The test id of the element with the focus. */
const focused = (page: Page) =>
  page.evaluate(
    () =>
      (globalThis as unknown as { document: { activeElement: { dataset: { testid?: string } } } }).document
        .activeElement.dataset.testid,
  );

/** Records for each edit field whether it has the focus as soon as it is in the page. */
const WATCH_EDIT_FOCUS = `(() => {
  const seen = [];
  let last = null;
  new MutationObserver(() => {
    const field = document.querySelector('#edit-text');
    if (field !== null && field !== last) seen.push(document.activeElement === field);
    last = field;
  }).observe(document.body, { childList: true, subtree: true });
  return seen;
})()`;

/** Moves from the composer to the menu of the newest message. */
async function openByKeyboard(page: Page): Promise<void> {
  await page.getByTestId('message-input').focus();
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focused(page), 'message-menu');
  await page.keyboard.press('Enter');
  await page.locator('[data-testid="offered-emoji"]:focus').first().waitFor();
}

const LANGUAGES = [
  {
    locale: 'en-GB',
    here: /online/,
    away: /not in this room now/,
    reacted: /🎉 1: .?Bot.?$/,
    tooOften: /was not changed: It was edited too often\. Your text is there/,
    forbidden: /Your role does not allow this\./,
  },
  {
    locale: 'ko-KR',
    here: /접속 중/,
    away: /지금 이 방에 없음/,
    reacted: /🎉 1: .?Bot.?$/,
    tooOften: /수정하지 못했습니다: 너무 여러 번 수정되었습니다\. 쓴 내용은/,
    forbidden: /지금 역할로는 할 수 없습니다\./,
  },
] as const;

describe('acts on messages with the keyboard', { skip }, () => {
  for (const { locale } of LANGUAGES) {
    test(`can open, use and close the menu (${locale})`, async () => {
      const page = await enter(locale, newRoom('acts'));
      await say(page, 'cups');
      await openByKeyboard(page);
      await page.keyboard.press('ArrowRight');
      assert.equal(await page.locator(':focus').getAttribute('data-emoji'), '❤️');
      for (const [key, item] of [
        ['ArrowDown', 'reply-in-thread'],
        ['ArrowDown', 'edit'],
        ['Home', 'offered-emoji'],
        ['End', 'delete'],
        ['ArrowDown', 'offered-emoji'],
      ] as const) {
        await page.keyboard.press(key);
        assert.equal(await focused(page), item, key);
      }
      if (locale === 'en-GB') {
        await page.keyboard.press('e');
        assert.equal(await focused(page), 'edit', 'the first letter of an item');
      }
      await page.keyboard.press('Escape');
      await page.getByTestId('menu').waitFor({ state: 'detached' });
      assert.equal(await focused(page), 'message-menu');
      await page.context().close();
    });

    test(`can edit the last own message with the up arrow, and cancel (${locale})`, async () => {
      const room = newRoom('acts');
      const page = await enter(locale, room);
      const hasFocusAtOnce = await page.evaluateHandle(WATCH_EDIT_FOCUS);
      await say(page, 'a cup of tee');
      server.post(room, BOT, 'tee?');
      await rowAt(page, '2').waitFor();
      await page.keyboard.press('ArrowUp');
      await page.locator('[data-testid="edit-input"]:focus').waitFor();
      await page.keyboard.type('s');
      await page.keyboard.press('Escape');
      await page.locator('[data-testid="message-input"]:focus').waitFor();
      assert.match((await rowAt(page, '1').textContent()) ?? '', /a cup of tee(?!s)/);
      await page.keyboard.press('ArrowUp');
      const field = page.getByTestId('edit-input');
      assert.equal(await field.inputValue(), 'a cup of tee', 'a cancelled change is dropped');
      await field.fill('a cup of tea');
      await page.keyboard.press('Enter');
      await page.locator('[data-testid="message-input"]:focus').waitFor();
      await rowAt(page, '1').filter({ hasText: 'a cup of tea' }).waitFor();
      assert.equal(server.log(room).at(-1)?.type, 'message.edit');
      assert.deepEqual(await hasFocusAtOnce.jsonValue(), [true, true], 'the next key belongs to the field');
      await page.context().close();
    });

    test(`can copy text and a link, pin, and react (${locale})`, async () => {
      const room = newRoom('acts');
      const page = await enter(locale, room);
      await say(page, 'kettle');
      const clipboard = () =>
        page.evaluate(() =>
          (
            globalThis as unknown as { navigator: { clipboard: { readText(): Promise<string> } } }
          ).navigator.clipboard.readText(),
        );
      for (const [item, copied] of [
        ['copy-text', /^kettle$/],
        ['copy-link', new RegExp(`^http://127\\.0\\.0\\.1:\\d+/.*${room}/1$`)],
      ] as const) {
        await openByKeyboard(page);
        await page.getByTestId(item).press('Enter');
        await page.getByTestId('copy-note').waitFor();
        assert.match(await clipboard(), copied);
        await assertFocus(page, item);
      }
      await page.getByTestId('message-menu').focus();
      await page.keyboard.press('ArrowLeft');
      assert.equal(await focused(page), 'quick-reply');
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      assert.equal(await focused(page), 'quick-emoji');
      await page.keyboard.press('Enter');
      await chip(page, 'kettle', '😂').waitFor();
      await assertFocus(page, 'a reaction');
      await page.context().close();
    });
  }
});

describe('people in the web page', { skip }, () => {
  for (const { locale, here, away, reacted } of LANGUAGES) {
    test(`are shown as reactors and authors, and can be mentioned (${locale})`, async () => {
      const room = newRoom('acts');
      server.post(room, BOT, 'beep');
      server.postAct(room, BOT, 'message.react', { seq: 1, emoji: '🎉', active: true });
      const page = await enter(locale, room);
      await say(page, 'hello');
      assert.match((await chip(page, 'beep', '🎉').getAttribute('aria-label')) ?? '', reacted);
      await rowAt(page, '1').hover();
      await rowAt(page, '1').getByTestId('message-menu').click();
      await page.getByTestId('show-reactors').press('Enter');
      await page.locator('[data-testid="reactor"][data-emoji="🎉"]').filter({ hasText: 'Bot' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByTestId('reactors').waitFor({ state: 'detached' });
      await assertFocus(page, 'reading who reacted');
      await rowAt(page, '1').getByTestId('author').click();
      const card = page.getByTestId('person-card');
      await card.filter({ hasText: away }).filter({ hasText: 'bot' }).waitFor();
      await card.getByTestId('card-mention').press('Enter');
      await page.locator('[data-testid="message-input"]:focus').waitFor();
      assert.equal(await page.getByTestId('message-input').inputValue(), '@Bot ');
      await page.keyboard.press('Enter');
      await poll('the mention', () => server.log(room).at(-1)?.mentions?.[0] === 'bot');
      await page.getByTestId('person-button').first().press('Enter');
      await card.filter({ hasText: here }).waitFor();
      assert.equal(await card.getByTestId('card-direct').count(), 0, 'nobody writes to themselves');
      await page.keyboard.press('Escape');
      assert.equal(await focused(page), 'person-button');
      await page.context().close();
    });
  }
});

describe('deleting an own message', { skip }, () => {
  for (const { locale } of LANGUAGES) {
    test(`is shown immediately, and can be undone for some time (${locale})`, async () => {
      const room = newRoom('acts');
      const page = await enter(locale, room);
      await say(page, 'a secret');
      const remove = async () => {
        await openByKeyboard(page);
        await page.keyboard.press('End');
        await page.keyboard.press('Enter');
        await page.locator('[data-testid="undo"]:focus').waitFor();
      };
      await remove();
      assert.equal(await page.getByText('a secret').count(), 0);
      assert.equal(await rowAt(page, '1').getAttribute('data-deleted'), 'true');
      await page.keyboard.press('Enter');
      await storedRow(page, 'a secret').waitFor();
      await assertFocus(page, 'undoing a deletion');
      assert.equal(server.log(room).length, 1, 'nothing was sent');
      await remove();
      await page.getByTestId('undo').waitFor({ state: 'detached' });
      await assertFocus(page, 'a deletion');
      assert.equal(server.log(room)[1]?.type, 'message.delete');
      await page.context().close();
    });
  }

  test('is sent when the user leaves the page or the room', async () => {
    const [room, other] = [newRoom('acts'), newRoom('acts')];
    const page = await enter('en-GB', room);
    await say(page, 'one');
    await say(page, 'two');
    const remove = async (text: string) => {
      await storedRow(page, text).hover();
      await storedRow(page, text).getByTestId('message-menu').click();
      await page.getByTestId('delete').click();
      await page.getByTestId('undo').waitFor();
    };
    await remove('one');
    await goTo(page, other);
    await poll('the first deletion', () => server.log(room).length === 3);
    await goTo(page, room);
    await remove('two');
    await page.reload();
    await poll('the second deletion', () => server.log(room).length === 4);
    await page.context().close();
  });
});

describe('a refused act', { skip }, () => {
  for (const { locale, tooOften, forbidden } of LANGUAGES) {
    test(`is undone and shows the reason, and a refused text is kept (${locale})`, async () => {
      const room = newRoom('acts');
      const page = await enter(locale, room);
      await say(page, 'before');
      refuse('conflict');
      await page.keyboard.press('ArrowUp');
      await page.getByTestId('edit-input').fill('after');
      await page.keyboard.press('Enter');
      await page.getByTestId('act-problem').filter({ hasText: tooOften }).waitFor();
      await storedRow(page, 'before').waitFor();
      await page.keyboard.press('ArrowUp');
      await page.locator('[data-testid="edit-input"]:focus').waitFor();
      assert.equal(await page.getByTestId('edit-input').inputValue(), 'after');
      await page.keyboard.press('Enter');
      await storedRow(page, 'after').waitFor();
      await poll('the edit', () => server.log(room).length === 2);
      refuse('forbidden');
      await openByKeyboard(page);
      await page.keyboard.press('Enter');
      await page.getByTestId('act-problem').filter({ hasText: forbidden }).waitFor();
      await chip(page, 'after', '👍').waitFor({ state: 'detached' });
      await page.getByTestId('act-problem').getByRole('button').press('Enter');
      await assertFocus(page, 'reading why');
      await page.context().close();
    });
  }
});
