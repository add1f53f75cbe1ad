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

  test('causes no script or policy error', () => {
    assert.deepEqual(errors, []);
  });
});
