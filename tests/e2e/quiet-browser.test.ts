/** The rendering cost of a page: while nothing happens, while people type, and for a message. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFakeServer } from '@maru/testkit/server/fake-server';
import type { Page } from 'playwright-core';
import { launchPages } from '../support/fake-pages.ts';
import { framesDuring } from '../support/frames.ts';
import { enterGuest, rowAt, rowOf } from '../support/pages.ts';
import { newRoom } from '../support/tokens.ts';

const pages = await launchPages();
const { skip } = pages;
const server = await startFakeServer();
const BOT = { id: 'bot', name: 'Bot' };
const PEOPLE = Array.from({ length: 50 }, (_, i) => ({ id: `u${i}`, name: `User ${i}` }));

after(async () => {
  await pages.close();
  await server.close();
});

/** 50 people in pairs take 10 s. */
const STEP_MS = 400;

/** Without a caret, and after the initial work of a new page. */
async function enterQuiet(room: string): Promise<Page> {
  for (let i = 1; i <= 60; i++) server.post(room, BOT, `cup ${i}`);
  const context = await pages.newContext({ locale: 'en-GB' });
  const page = await enterGuest(await context.newPage(), { endpoint: server.url, name: 'Mina', room, errors: [] });
  await rowAt(page, '60').waitFor();
  await page.locator('.log').focus();
  // Otherwise a row under the pointer would show its buttons.
  await page.mouse.move(0, 0);
  // Waits for reads after the join, and for parts that load later.
  for (let frames = 1; frames > 0; ) frames = await framesDuring(page, () => sleep(500));
  return page;
}

describe('a page without activity', { skip }, () => {
  test('displays no frame, and at most two while 50 people type', async () => {
    const room = newRoom('quiet');
    const page = await enterQuiet(room);
    assert.equal(await framesDuring(page, () => sleep(2_000)), 0);
    const typing = await framesDuring(page, async () => {
      // Two start typing while the previous two stop.
      for (const [i, user] of PEOPLE.entries()) {
        server.type(room, user, true);
        if (i % 2 === 0) continue;
        await sleep(STEP_MS);
        for (const one of PEOPLE.slice(i - 1, i + 1)) server.type(room, one, false);
      }
      for (const user of PEOPLE) server.type(room, user, true);
    });
    assert.ok(typing >= 1 && typing <= 2, `${typing} frames while people typed for 10 s`);
    await page.getByTestId('typing').filter({ hasText: 'Several people are typing' }).waitFor();
    await page.context().close();
  });
});

/** Collects the texts of changed rows, except for changes of the Tab stop. */
const WATCH_ROWS = `(() => {
  const rows = (globalThis.changedRows = new Set());
  const note = (node) => {
    const row = (node.nodeType === 1 ? node : node.parentElement).closest('li');
    if (row !== null) rows.add(row.textContent);
  };
  new MutationObserver((records) => {
    for (const { target, addedNodes, attributeName } of records) {
      if (attributeName !== 'tabindex') note(target);
      addedNodes.forEach(note);
    }
  }).observe(document.querySelector('.messages'), { subtree: true, childList: true, attributes: true, characterData: true });
})()`;

describe('a new message', { skip }, () => {
  test('renders only its own row', async () => {
    const room = newRoom('quiet');
    const page = await enterQuiet(room);
    await page.evaluate(WATCH_ROWS);
    server.post(room, BOT, 'the new one');
    await rowOf(page, 'the new one').waitFor();
    const rows = await page.evaluate<string[]>('[...globalThis.changedRows]');
    assert.equal(rows.length, 1, rows.join(' | '));
    assert.match(rows[0] ?? '', /the new one/);
    await page.context().close();
  });
});
