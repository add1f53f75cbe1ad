/** Parts of the web page that could not be loaded at first, in both languages. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startFakeServer } from '@maru/testkit/server/fake-server';
import type { Page } from 'playwright-core';
import { launchPages } from '../support/fake-pages.ts';
import { enterGuest } from '../support/pages.ts';
import { newRoom } from '../support/tokens.ts';

const pages = await launchPages();
const { skip } = pages;
const server = await startFakeServer();
const LOCALES = ['en-GB', 'ko-KR'];

after(async () => {
  await pages.close();
  await server.close();
});

/** Until the returned function is called, these files cannot be loaded. */
async function cut(page: Page, name: string): Promise<() => Promise<void>> {
  const files = new RegExp(`/assets/${name}-[^/]*\\.(js|css)$`);
  await page.route(files, (route) => route.abort());
  return () => page.unroute(files);
}

async function newPage(locale: string): Promise<Page> {
  const context = await pages.newContext({ locale });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  return page;
}

const enter = (page: Page) =>
  enterGuest(page, { endpoint: server.url, name: 'Mina', room: newRoom('lazy'), errors: [] });

describe('a part of the page that could not be loaded', { skip }, () => {
  for (const locale of LOCALES)
    test(`is loaded when the user tries again: the chat (${locale})`, async () => {
      const page = await newPage(locale);
      const restore = await cut(page, 'chat-screen');
      await page.goto(server.url);
      await page.getByTestId('name-input').fill('Mina');
      await page.getByTestId('room-input').fill(newRoom('lazy'));
      await page.getByTestId('enter-button').click();
      const again = page.getByTestId('load-failed').getByRole('button');
      await again.click();
      // The second try loads the page anew: a newer version of it has other files.
      await Promise.all([page.waitForEvent('load'), again.click()]);
      await again.waitFor();
      await restore();
      await again.click();
      await page.getByTestId('message-input').waitFor();
      assert.equal(await page.evaluate(`getComputedStyle(document.querySelector('.shell')).display`), 'flex');
      await page.context().close();
    });

  test('is loaded by itself when it can be: the chat, and notices', async () => {
    const page = await newPage('en-GB');
    const restoreNotices = await cut(page, 'notices-part');
    const restore = await cut(page, 'chat-screen');
    const entered = enter(page);
    await page.getByTestId('load-failed').waitFor();
    await restore();
    await entered;
    await page.waitForEvent('requestfailed', (request) => request.url().includes('/notices-part-'));
    await restoreNotices();
    await page.waitForResponse(/\/notices-part-.*js$/);
    await page.context().close();
  });

  for (const locale of LOCALES)
    test(`says so, and opens the next time: the status and the list of keys (${locale})`, async () => {
      const page = await newPage(locale);
      await enter(page);
      for (const [name, testId, open] of [
        ['status-dialog', 'status-dialog', () => page.getByTestId('own-status').click()],
        ['shortcut-dialog', 'shortcut-dialog', () => page.keyboard.press('Control+/')],
      ] as const) {
        const restore = await cut(page, name);
        await open();
        await page.getByTestId('load-failed').waitFor();
        await restore();
        await open();
        await page.getByTestId(testId).waitFor();
        await page.keyboard.press('Escape');
        await page.getByTestId(testId).waitFor({ state: 'detached' });
      }
      await page.context().close();
    });
});
