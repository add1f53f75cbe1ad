/** The emoji picker with only the keyboard. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { chip, enterPage, openMenu, say } from '../support/pages.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
const errors: string[] = [];
after(async () => {
  if (typeof launched !== 'string') await launched.close();
});

/** The Korean page finds names in both languages. */
const LOCALES = [
  { locale: 'en-GB', names: ['octopus', 'Octopus'], none: 'qqqqq' },
  { locale: 'ko-KR', names: ['문어', 'octopus'], none: '뷁뷁' },
];

describe('the emoji picker', { skip }, () => {
  for (const { locale, names, none } of LOCALES)
    test(`finds emoji by their names, and moves with the arrow keys (${locale})`, async () => {
      const options = { browser: launched as Browser, endpoint: cluster.endpoint, room: newRoom('emoji'), errors };
      const page = await enterPage({ ...options, name: 'Mina', locale });
      const [search, all] = [page.getByTestId('emoji-search'), page.getByTestId('emoji')];
      const focused = () => page.locator('[data-testid="emoji"]:focus').getAttribute('data-emoji');
      await say(page, 'look');
      await openMenu(page, 'look');
      await page.getByTestId('other-emoji').click();

      await search.fill(none);
      await page.getByTestId('emoji-picker').getByRole('status').filter({ hasText: /./ }).waitFor();
      await search.press('Enter');
      assert.equal(await search.isVisible(), true);

      await search.fill('');
      await all.nth(8).waitFor();
      await search.press('ArrowDown');
      assert.equal(await focused(), await all.first().getAttribute('data-emoji'));
      await page.keyboard.press('ArrowRight');
      const second = await all.nth(1).getAttribute('data-emoji');
      assert.equal(await focused(), second);
      await page.keyboard.press('ArrowDown');
      assert.notEqual(await focused(), second);
      await page.keyboard.press('ArrowUp');
      assert.equal(await focused(), second);
      await page.keyboard.press('End');
      assert.equal(await focused(), await all.last().getAttribute('data-emoji'));
      await page.keyboard.press('Home');
      await page.keyboard.press('ArrowUp');
      await page.locator('[data-testid="emoji-search"]:focus').waitFor();

      for (const name of names) {
        await search.fill(name);
        await page.locator('[data-testid="emoji"][data-emoji="🐙"]').waitFor();
      }
      await search.press('Enter');
      await page.getByTestId('react-panel').waitFor({ state: 'detached' });
      await chip(page, 'look', '🐙').filter({ hasText: '1' }).waitFor();
      await page.context().close();
    });

  test('stays open, inside the window, when the keyboard of a phone resizes it', async () => {
    const options = { browser: launched as Browser, endpoint: cluster.endpoint, room: newRoom('emoji'), errors };
    const page = await enterPage({ ...options, name: 'Mina', locale: 'ko-KR' });
    const panel = page.getByTestId('react-panel');
    await page.setViewportSize({ width: 900, height: 800 });
    await say(page, 'look');
    await openMenu(page, 'look');
    await page.setViewportSize({ width: 900, height: 700 });
    await page.getByTestId('other-emoji').click();
    await page.getByTestId('emoji-search').fill('문어');
    for (const size of [
      { width: 900, height: 420 },
      { width: 390, height: 500 },
      { width: 900, height: 700 },
    ]) {
      await page.setViewportSize(size);
      // The event comes with the next frame.
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
      const { x = -1, y = -1, width = 0, height = 0 } = (await panel.boundingBox()) ?? {};
      assert.ok(x >= 0 && y >= 0, `${x}, ${y}`);
      assert.ok(x + width <= size.width && y + height <= size.height, JSON.stringify({ x, y, width, height }));
    }
    assert.equal(await page.getByTestId('emoji-search').inputValue(), '문어');
    await page.getByTestId('emoji-search').fill('');
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('causes no script or policy error', () => {
    assert.deepEqual(errors, []);
  });
});
