/**
 * The archive in the web page: scrolling back, days, and search, with PostgreSQL and an archiver.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { importRoom } from '../support/import-room.ts';
import { assertFocus, enterPage, goTo, rowAt } from '../support/pages.ts';
import { memoryOf, scrollList } from '../support/scroll.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
const errors: string[] = [];
const room = newRoom('tea');
const COUNT = 2_150;
const HOUR_MS = 3_600_000;
/** The newest message is an hour old. */
const lastTs = Date.now() - HOUR_MS;
const tsOf = (seq: number) => lastTs - (COUNT - seq) * HOUR_MS;
const PEOPLE = [
  { id: 'ines', name: 'Inès' },
  { id: 'bo', name: 'Bo' },
];

/** Messages of different heights. Only the first ones have left the hot log. */
function messageAt(seq: number) {
  const from = PEOPLE[Math.floor(seq / 3) % 2] ?? { id: 'bo', name: 'Bo' };
  const text = seq === 7 ? '첫 도자기 <b>glaze</b> recipe' : `cup ${seq}${' and saucer'.repeat(seq % 19)}`;
  return { ts: tsOf(seq), from, text };
}

const PAGES = [
  { locale: 'en-GB', name: 'Mina', query: 'glaze rec', marks: ['glaze', 'rec'], nothing: 'Nothing was found.' },
  { locale: 'ko-KR', name: '준', query: '도자기', marks: ['도자기'], nothing: '찾은 메시지가 없습니다.' },
] as const;

const enter = (of: (typeof PAGES)[number], into = room): Promise<Page> =>
  enterPage({ browser: launched as Browser, endpoint: cluster.endpoint, room: into, errors, ...of });

before(async () => {
  if (typeof launched === 'string') return;
  const messages = Array.from({ length: COUNT }, (_, i) => messageAt(i + 1));
  await importRoom(cluster, { room, messages });
});
after(async () => {
  if (typeof launched !== 'string') await launched.close();
});

describe('the archive in the web page', { skip }, () => {
  test('scrolls to the first message and back with few rows, and the messages being read do not move', async () => {
    const page = await enter(PAGES[0]);
    await rowAt(page, String(COUNT)).waitFor();
    const { nodes: nodesBefore } = await memoryOf(page);
    await goTo(page, `${room}/620`, room);
    await page.locator('[data-testid="message"][data-seq="620"]:focus').waitFor();
    const up = await scrollList(page, { screens: -3, steps: 400 });
    await rowAt(page, '1').waitFor();
    await page.getByTestId('beginning').waitFor();
    const down = await scrollList(page, { screens: 8, steps: 9 });
    assert.equal(await rowAt(page, '1').count(), 0, 'what is far away is dropped');
    for (const { driftPxMax, rowsMax } of [up, down]) {
      assert.ok(driftPxMax <= 2, `rows moved by ${driftPxMax} px`);
      assert.ok(rowsMax <= 500, `${rowsMax} rows in the document`);
    }
    await page.getByTestId('jump-button').click();
    await rowAt(page, String(COUNT)).waitFor();
    await page.getByTestId('jump-button').waitFor({ state: 'detached' });
    const { nodes } = await memoryOf(page);
    assert.ok(nodes <= nodesBefore * 1.5, `${nodes} nodes, ${nodesBefore} before`);
    await page.context().close();
  });

  for (const of of PAGES) {
    test(`finds a message while the user types, and opens it in its place (${of.locale})`, async () => {
      const start = newRoom('start');
      const page = await enter(of, start);
      await page.keyboard.press('Control+k');
      const field = page.getByTestId('find-input');
      await field.pressSequentially(of.query);
      const hit = page.locator(`[data-testid="hit"][data-room="${room}"]`);
      await hit.waitFor();
      // Texts are not interpreted as markup.
      assert.match((await hit.locator('.hit-text').textContent()) ?? '', /첫 도자기 <b>glaze<\/b> recipe/);
      assert.deepEqual(await hit.locator('mark').allTextContents(), [...of.marks]);
      await field.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.locator('[data-testid="message"][data-seq="7"]:focus').waitFor();
      assert.equal(await rowAt(page, '7').getAttribute('aria-current'), 'location');
      assert.match(page.url(), new RegExp(`/r/${room}/7$`));
      await page.getByTestId('jump-button').click();
      await rowAt(page, String(COUNT)).waitFor();
      assert.match(page.url(), new RegExp(`/r/${room}$`));
      await page.keyboard.press('Control+k');
      await field.fill('qqq zzz');
      await page.getByTestId('find-status').filter({ hasText: of.nothing }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByTestId('find').waitFor({ state: 'detached' });
      await assertFocus(page, 'closing the search');
      await page.context().close();
    });
  }

  test('loads more hits while scrolling, and filters by room and author', async () => {
    const page = await enter(PAGES[0]);
    await page.getByTestId('find-button').click();
    await page.getByTestId('find-input').fill('saucer');
    await page.getByTestId('hit').nth(19).scrollIntoViewIfNeeded();
    await page.getByTestId('hit').nth(39).waitFor();
    await page.getByTestId('find-scope').selectOption(room);
    await page.locator('.find-filters summary').click();
    await page.getByTestId('find-author').selectOption('ines');
    await page.locator('.find-results[aria-busy="false"]').waitFor();
    await page.getByTestId('hit').first().waitFor();
    const authors = await page.locator('.hit-author').allTextContents();
    assert.deepEqual([...new Set(authors)], ['Inès']);
    await page.context().close();
  });

  test('jumps to a day in a narrow window, and follows a link to a message', async () => {
    const page = await enter(PAGES[1], newRoom('start'));
    await page.setViewportSize({ width: 360, height: 700 });
    await goTo(page, room);
    const day = new Date(tsOf(300));
    day.setHours(0, 0, 0, 0);
    const first = Array.from({ length: COUNT }, (_, i) => i + 1).find((seq) => tsOf(seq) >= day.getTime());
    await page.getByTestId('find-button').click();
    const two = (value: number) => String(value).padStart(2, '0');
    await page.getByTestId('day-input').fill(`${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`);
    await page.getByTestId('day-go').click();
    await page.locator(`[data-testid="message"][data-seq="${first}"]:focus`).waitFor();
    assert.equal(await page.getByTestId('find').count(), 0, 'the drawer does not cover the day');
    await goTo(page, `${room}/12`, room);
    await page.locator('[data-testid="message"][data-seq="12"]:focus').waitFor();
    await page.context().close();
  });

  test('causes no script or policy error', () => {
    assert.deepEqual(errors, []);
  });
});
