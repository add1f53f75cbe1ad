/** Mentions, the user's room list and direct rooms in the web page, in both languages. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import {
  dialogIsClosed,
  eachOf,
  enterBoth,
  goTo,
  menuIsClosed,
  myRoom,
  openMenu,
  rowOf,
  say,
  type TwoPages,
  WORDS,
} from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { newRoom } from '../support/tokens.ts';

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

/** Compressed bytes of all files of the page. */
const loadedBytes = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const { performance } = globalThis as unknown as {
      performance: { getEntriesByType(type: string): Array<{ encodedBodySize: number }> };
    };
    const files = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return files.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
  });

describe('the room list in the web page', { skip }, () => {
  test('loads 25 kB before the sign-in', async () => {
    const first = await (launched as Browser).newPage();
    await first.goto(cluster.endpoint, { waitUntil: 'networkidle' });
    const bytes = await loadedBytes(first);
    await first.context().close();
    assert.ok(bytes > 5_000 && bytes <= 25_000, `${bytes} bytes`);
  });

  test('can mention a person chosen with the keyboard', async () => {
    const { mina } = pages;
    for (const { page, other, otherLanguage } of eachOf(pages)) {
      const name = page === mina ? '준' : 'Mina';
      const input = page.getByTestId('message-input');
      await input.pressSequentially(`tea, @${name.slice(0, 2)}`);
      await page.getByTestId('mention-list').getByRole('option').filter({ hasText: name }).waitFor();
      await input.press('Enter');
      await page.getByTestId('mention-list').waitFor({ state: 'detached' });
      assert.equal(await input.inputValue(), `tea, @${name} `);
      await input.press('Enter');
      await rowOf(other, `tea, @${name}`).getByTestId('marks').filter({ hasText: WORDS[otherLanguage].me }).waitFor();
      assert.match((await rowOf(other, `tea, @${name}`).getAttribute('class')) ?? '', /for-me/);
      assert.doesNotMatch((await rowOf(page, `tea, @${name}`).getAttribute('class')) ?? '', /for-me/);
    }
  });

  test('mentions a person who was chosen before the room changed or the page was loaded again', async () => {
    const { mina } = pages;
    for (const { page, other, otherLanguage } of eachOf(pages)) {
      const name = page === mina ? '준' : 'Mina';
      const input = page.getByTestId('message-input');
      for (const [text, leave] of [
        ['switched', async () => void (await goTo(page, 'lobby'))],
        ['reloaded', async () => void (await page.reload())],
      ] as const) {
        await input.pressSequentially(`${text}, @${name.slice(0, 2)}`);
        await page.getByTestId('mention-list').getByRole('option').filter({ hasText: name }).click();
        await leave();
        await goTo(page, room);
        // Then the page knows names.
        await rowOf(page, `tea, @${name}`).waitFor();
        await poll('the draft', async () => (await input.inputValue()) === `${text}, @${name} `);
        await input.press('Enter');
        await rowOf(other, `${text}, @`).getByTestId('marks').filter({ hasText: WORDS[otherLanguage].me }).waitFor();
        // Only who was chosen for this message.
        await say(page, `${text}: not for @${name} now`);
        await rowOf(other, `${text}: not for @`).waitFor();
        assert.doesNotMatch((await rowOf(other, `${text}: not for @`).getAttribute('class')) ?? '', /for-me/);
      }
      // A name that was typed and not chosen, also after another room was shown.
      await input.fill(`typed, @${name} `);
      await goTo(page, 'lobby');
      await goTo(page, room);
      await poll('the draft', async () => (await input.inputValue()) === `typed, @${name} `);
      await input.press('Enter');
      await rowOf(other, 'typed, @').waitFor();
      assert.doesNotMatch((await rowOf(other, 'typed, @').getAttribute('class')) ?? '', /for-me/);
    }
  });

  test('follows a room, and counts its new messages in the list', async () => {
    const { mina, jun } = pages;
    for (const { page, other } of eachOf(pages)) {
      await page.getByTestId('room-about').click();
      await page.getByTestId('notify-form').locator('input[value="all"]').check();
      await page.getByTestId('notify-submit').click();
      await myRoom(page, room).waitFor();
      await page.keyboard.press('Escape');
      await dialogIsClosed(page);
      await goTo(page, 'lobby');
      const name = page === mina ? 'Mina' : '준';
      await other.getByTestId('message-input').pressSequentially(`@${name.slice(0, 2)}`);
      await other.getByTestId('mention-list').getByRole('option').filter({ hasText: name }).click();
      await other.getByTestId('message-input').press('Enter');
      await myRoom(page, room).locator('[data-testid="mention-count"][data-count="1"]').waitFor();
      await myRoom(page, room).locator('[data-testid="unread-count"][data-count="1"]').waitFor();
      await myRoom(page, room).getByRole('link').click();
      await page.getByTestId('unread-line').waitFor();
      await myRoom(page, room).getByTestId('unread-count').waitFor({ state: 'detached' });
      await myRoom(page, room).getByTestId('mention-count').waitFor({ state: 'detached' });
    }
    assert.equal(await jun.getByTestId('follow-button').count(), 0);
    await jun.getByTestId('room-about').click();
    await jun.getByTestId('notify-form').locator('input[value="off"]').check();
    await jun.getByTestId('notify-submit').click();
    await myRoom(jun, room).waitFor({ state: 'detached' });
    await jun.keyboard.press('Escape');
    await dialogIsClosed(jun);
    await jun.getByTestId('follow-button').click();
    await myRoom(jun, room).waitFor();
    await jun.getByTestId('follow-button').waitFor({ state: 'detached' });
  });
});

describe('direct rooms in the web page', { skip }, () => {
  test('open from the list of people, with unread count and readers', async () => {
    const { mina, jun } = pages;
    await goTo(mina, room);
    await goTo(jun, room);
    for (const { page, other, language } of eachOf(pages)) {
      const name = page === mina ? '준' : 'Mina';
      await page.getByTestId('person').filter({ hasText: name }).getByTestId('direct-button').click();
      await poll('the direct room to open', () => /\/r\/d-/.test(page.url()));
      const direct = page.url().split('/r/')[1] ?? '';
      await page.locator(`[data-testid="messages"][data-room="${direct}"]`).waitFor({ state: 'attached' });
      await say(page, `just you ${language}`);
      await myRoom(other, direct).locator('[data-testid="unread-count"]').waitFor();
      await myRoom(other, direct).getByRole('link').click();
      await rowOf(other, `just you ${language}`).waitFor();
      await rowOf(page, `just you ${language}`)
        .getByTestId('marks')
        .filter({ hasText: WORDS[language].read })
        .waitFor();
      await openMenu(page, `just you ${language}`);
      await page.getByTestId('pin').click();
      await menuIsClosed(page);
      await goTo(page, room);
      await goTo(other, room);
    }
  });

  test('show the status of the other person, and hide an invisible one', async () => {
    const { mina, jun } = pages;
    for (const { page, other } of eachOf(pages)) {
      const name = page === mina ? 'Mina' : '준';
      const seen = other.getByTestId('person').filter({ hasText: name });
      const choose = async (status: string, text: string) => {
        await page.getByTestId('own-status').click();
        await page.getByTestId('status-form').locator(`input[value="${status}"]`).check();
        await page.getByTestId('status-input').fill(text);
        await page.getByTestId('status-save').click();
        await page.getByTestId('status-dialog').waitFor({ state: 'detached' });
      };
      await choose('dnd', 'writing ✍️');
      await seen.getByTestId('status-text').filter({ hasText: 'writing ✍️' }).waitFor();
      await seen.filter({ hasText: other === jun ? '방해 금지' : 'do not disturb' }).waitFor();
      await choose('invisible', '');
      await seen.waitFor({ state: 'detached' });
      await choose('online', '');
      await seen.waitFor();
    }
  });

  test('causes no script or policy error', () => {
    assert.deepEqual(errors, []);
  });
});
