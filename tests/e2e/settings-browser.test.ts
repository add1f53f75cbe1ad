/**
 * Preferences of the web page: they apply immediately, persist, and apply to all tabs of a browser.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startFakeServer } from '@maru/testkit/server/fake-server';
import type { Page } from 'playwright-core';
import { launchPages } from '../support/fake-pages.ts';
import { assertFocus, enterGuest, rowOf, storedRow } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { newRoom } from '../support/tokens.ts';

const pages = await launchPages();
const { skip } = pages;
const server = await startFakeServer();
after(async () => {
  await pages.close();
  await server.close();
});

const root = (page: Page, name: string) => page.locator('html').getAttribute(name);
const is = (page: Page, name: string, value: string | null) =>
  poll(`${name} to be ${value}`, async () => (await root(page, name)) === value);
const setting = (page: Page, name: string) => page.getByTestId(`setting-${name}`);
const stored = (page: Page) =>
  page.evaluate(() => {
    const { localStorage } = globalThis as unknown as { localStorage: Record<string, string> };
    return { ...localStorage };
  });

const LANGUAGES = [
  { locale: 'en-GB', title: 'Settings', other: 'ko', otherTitle: '설정', hint: 'Ctrl+Enter sends' },
  { locale: 'ko-KR', title: '설정', other: 'en', otherTitle: 'Settings', hint: 'Ctrl+Enter로 보내고' },
] as const;

describe('settings', { skip }, () => {
  for (const { locale, title, other, otherTitle, hint } of LANGUAGES) {
    test(`apply immediately, persist, and apply to other tabs (${locale})`, async () => {
      const room = newRoom('set');
      const context = await pages.newContext({ locale, colorScheme: 'light' });
      const errors: string[] = [];
      const enter = async (name: string) =>
        enterGuest(await context.newPage(), { endpoint: server.url, name, room, errors });
      const [page, second] = [await enter('Mina'), await enter('Jun')];

      await page.keyboard.press('Control+,');
      await page.getByTestId('settings-dialog').getByRole('heading', { level: 2, name: title }).waitFor();
      await setting(page, 'theme').selectOption('dark');
      await setting(page, 'density').selectOption('compact');
      for (const each of [page, second]) {
        await is(each, 'data-theme', 'dark');
        await is(each, 'data-density', 'compact');
      }
      await setting(page, 'enterSends').uncheck();
      await setting(page, 'language').selectOption(other);
      await page.getByRole('heading', { level: 2, name: otherTitle }).waitFor();
      await is(second, 'lang', other);
      await setting(page, 'language').selectOption('system');
      await page.keyboard.press('Escape');
      await page.getByTestId('settings-dialog').waitFor({ state: 'detached' });
      await assertFocus(page, 'the settings');

      // Enter now makes a new line, in this tab and in the other one after a reload.
      await second.reload();
      await is(second, 'data-theme', 'dark');
      for (const each of [page, second]) {
        const text = each === page ? 'one' : 'two';
        await each.getByTestId('composer-hint').filter({ hasText: hint }).waitFor();
        const input = each.getByTestId('message-input');
        await input.pressSequentially(`${text}`);
        await input.press('Enter');
        await input.pressSequentially('more');
        assert.equal(await input.inputValue(), `${text}\nmore`);
        await input.press('Control+Enter');
        await storedRow(each, text).waitFor();
      }
      assert.deepEqual(Object.keys(await stored(page)), ['maru.preferences']);

      // The quick switch reflects it.
      await second.getByTestId('theme-switch').click();
      await is(page, 'data-theme', 'light');
      // The fake server has no list of public rooms.
      assert.deepEqual(
        errors.filter((error) => !error.includes('404')),
        [],
      );
      await context.close();
    });
  }

  test('migrate the choices of earlier versions', async () => {
    const context = await pages.newContext({ locale: 'en-GB' });
    await context.addInitScript(() => {
      const { localStorage } = globalThis as unknown as { localStorage: Map<string, string> & Storage };
      localStorage.setItem('maru.language', 'ko');
      localStorage.setItem('maru.theme', 'dark');
    });
    const page = await context.newPage();
    await page.goto(server.url);
    await is(page, 'lang', 'ko');
    assert.equal(await root(page, 'data-theme'), 'dark');
    assert.deepEqual(JSON.parse((await stored(page))['maru.preferences'] ?? ''), {
      ...{ version: 1, language: 'ko', theme: 'dark' },
    });
    await context.close();
  });

  test('show times in the chosen format', async () => {
    const room = newRoom('clock');
    const context = await pages.newContext({ locale: 'en-US', timezoneId: 'UTC' });
    const page = await enterGuest(await context.newPage(), { endpoint: server.url, name: 'Mina', room, errors: [] });
    server.post(room, { id: 'bot', name: 'Bot' }, 'tea time');
    const time = rowOf(page, 'tea time').locator('time');
    await time.filter({ hasText: /[AP]M/ }).waitFor();
    await page.getByTestId('settings-button').click();
    await setting(page, 'timeFormat').selectOption('24');
    await time.filter({ hasText: /^\d{1,2}:\d\d$/ }).waitFor();
    await setting(page, 'timeFormat').selectOption('12');
    await time.filter({ hasText: /[AP]M/ }).waitFor();
    await context.close();
  });
});
