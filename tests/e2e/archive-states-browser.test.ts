/**
 * The web page while the archive does not answer, and without an archive. The built page runs
 * against a fake server that fails on command.
 */
import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { startFakeServer } from '@maru/testkit/server/fake-server';
import type { Page } from 'playwright-core';
import { launchPages } from '../support/fake-pages.ts';
import { enterGuest, rowAt } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { newRoom } from '../support/tokens.ts';

const pages = await launchPages();
const { skip } = pages;
const server = await startFakeServer();
const BOT = { id: 'bot', name: 'Bot' };

afterEach(() => {
  Object.assign(server.faults, { archivedBelow: 0, features: ['archive'] });
});
after(async () => {
  await pages.close();
  await server.close();
});

async function enter(locale: string, room: string): Promise<Page> {
  const context = await pages.newContext({ locale });
  return enterGuest(await context.newPage(), { endpoint: server.url, name: 'Mina', room, errors: [] });
}

const scrollToTop = (page: Page) =>
  page.locator('.log').evaluate((box) => {
    box.scrollTop = 0;
  });

function fill(room: string, count: number): void {
  for (let i = 1; i <= count; i++) server.post(room, BOT, `cup ${i}${'\nand saucer'.repeat(i % 3)}`);
}

const LANGUAGES = [
  {
    locale: 'en-GB',
    older: 'Older messages cannot be read right now. They are not lost.',
    search: 'The search does not answer right now.',
    off: 'Search needs the archive',
  },
  {
    locale: 'ko-KR',
    older: '지금은 이전 메시지를 읽을 수 없습니다. 사라진 것은 아닙니다.',
    search: '지금은 검색이 응답하지 않습니다.',
    off: '검색에는 보관소가 필요',
  },
] as const;

describe('an archive that does not answer', { skip }, () => {
  for (const { locale, older, search, off } of LANGUAGES) {
    test(`is not shown as the end of the room, and the page can try again (${locale})`, async () => {
      const room = newRoom('old');
      fill(room, 150);
      server.faults.archivedBelow = 50;
      const page = await enter(locale, room);
      await rowAt(page, '150').waitFor();
      await scrollToTop(page);
      await page.getByTestId('older-problem').filter({ hasText: older }).waitFor();
      assert.equal(await page.getByTestId('beginning').count(), 0);
      assert.equal(await rowAt(page, '51').count(), 1, 'what was read stays');
      server.faults.archivedBelow = 0;
      await page.getByTestId('older-button').click();
      // After a slow answer the next pages are small, so it may take several to reach the first
      // message.
      await poll('the first message', async () => {
        await scrollToTop(page);
        return (await rowAt(page, '1').count()) === 1;
      });
      await page.context().close();
    });

    test(`is reported for searches and jumps (${locale})`, async () => {
      const room = newRoom('old');
      fill(room, 150);
      server.faults.archivedBelow = 40;
      const page = await enter(locale, room);
      await page.keyboard.press('Control+k');
      await page.getByTestId('find-input').fill('cup 20');
      await page.getByTestId('find-problem').filter({ hasText: search }).waitFor();
      server.faults.archivedBelow = 0;
      await page.getByTestId('find-retry').click();
      await page.locator(`[data-testid="hit"][data-room="${room}"][data-seq="20"]`).waitFor();
      server.faults.archivedBelow = 40;
      await page.locator(`[data-testid="hit"][data-room="${room}"][data-seq="20"]`).click();
      await page.getByTestId('jump-problem').waitFor();
      assert.equal(await rowAt(page, '150').count(), 1, 'the list stays where it was');
      server.faults.archivedBelow = 0;
      await page.getByTestId('jump-retry').click();
      await page.locator('[data-testid="message"][data-seq="20"]:focus').waitFor();
      await page.context().close();
    });

    test(`is not needed for a jump to a day, and the page shows what needs it (${locale})`, async () => {
      const room = newRoom('old');
      fill(room, 3);
      server.faults.features = [];
      const page = await enter(locale, room);
      await page.getByTestId('find-button').click();
      await page.getByTestId('find-off').filter({ hasText: off }).waitFor();
      assert.equal(await page.getByTestId('find-input').count(), 0);
      await page.getByTestId('day-input').fill('2020-02-02');
      await page.getByTestId('day-go').click();
      await page.locator('[data-testid="message"][data-seq="1"]:focus').waitFor();
      await page.context().close();
    });
  }
});
