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
async function cut(page: Page, name: string, kind = 'js|css'): Promise<() => Promise<void>> {
  const files = new RegExp(`/assets/${name}-[^/]*\\.(${kind})$`);
  await page.route(files, (route) => route.abort());
  return () => page.unroute(files);
}

async function newPage(locale: string): Promise<Page> {
  const context = await pages.newContext({ locale });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
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
        // The page reacts to the next key after it has shown the failure.
        await page.waitForTimeout(100);
        await open();
        await page.getByTestId(testId).waitFor();
        await page.keyboard.press('Escape');
        await page.getByTestId(testId).waitFor({ state: 'detached' });
      }
      await page.context().close();
    });
});

describe('a dialog that could not be loaded', { skip }, () => {
  test('does not open by itself', async () => {
    const page = await newPage('en-GB');
    await enter(page);
    const restore = await cut(page, 'status-dialog');
    await page.getByTestId('own-status').click();
    await page.getByTestId('load-failed').waitFor();
    await restore();
    await page.getByTestId('message-input').focus();
    await page.waitForTimeout(1_500);
    assert.equal(await page.getByTestId('status-dialog').count(), 0);
    await page.getByTestId('load-failed').getByRole('button', { name: 'Try again' }).click();
    await page.getByTestId('status-dialog').waitFor();
    await page.context().close();
  });

  test('does not stop another one, if its style sheet is missing', async () => {
    const page = await newPage('en-GB');
    await enter(page);
    const restore = await cut(page, 'shortcut-dialog', 'css');
    const failed = page.getByTestId('load-failed');
    await page.keyboard.press('Control+/');
    await failed.getByRole('button').last().click();
    await page.getByTestId('own-status').click();
    await page.getByTestId('status-dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByTestId('status-dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+/');
    await failed.waitFor();
    const again = failed.getByRole('button', { name: 'Try again' });
    await Promise.all([page.waitForEvent('requestfailed'), again.click()]);
    await failed.waitFor();
    assert.equal(await page.getByTestId('shortcut-dialog').count(), 0, 'it is not shown without form');
    await restore();
    await again.click();
    await page.getByTestId('shortcut-dialog').waitFor();
    await page.context().close();
  });
});

test('a part is not asked for again and again while the server lacks it', { skip }, async () => {
  const page = await newPage('en-GB');
  await page.clock.install();
  const restore = await cut(page, 'chat-screen');
  let failures = 0;
  page.on('requestfailed', (request) => {
    if (/chat-screen-.*js$/.test(request.url())) failures++;
  });
  const entered = enter(page);
  await page.getByTestId('load-failed').waitFor();
  for (let minutes = 0; minutes < 14; minutes++) {
    await page.clock.fastForward(60_000);
    await page.waitForTimeout(100);
  }
  assert.equal(failures, 9);
  await restore();
  await page.evaluate(`void dispatchEvent(new Event('online'))`);
  await entered;
  await page.context().close();
});
