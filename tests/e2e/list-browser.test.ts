/** The message list in Chromium: rows keep their elements, and the scroll position is stable. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Browser, Page, WebSocketRoute } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { enterPage, rowOf, say, storedRow } from '../support/pages.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
const errors: string[] = [];
after(async () => {
  if (typeof launched !== 'string') await launched.close();
});

const PAGES = [
  { locale: 'en-GB', name: 'Mina', sending: 'Sending…' },
  { locale: 'ko-KR', name: '준', sending: '보내는 중…' },
] as const;

/** Holds back messages of the server. */
interface Held {
  hold(): void;
  release(): void;
}

async function enterHeld(of: (typeof PAGES)[number], room: string): Promise<{ page: Page; server: Held }> {
  let socket: WebSocketRoute | null = null;
  let waiting: Array<string | Buffer> | null = null;
  const context = await (launched as Browser).newContext({ locale: of.locale });
  await context.routeWebSocket(/\/socket\.io\//, (route) => {
    socket = route;
    route.connectToServer().onMessage((message) => {
      if (waiting === null) route.send(message);
      else waiting.push(message);
    });
  });
  const server = {
    hold: () => {
      waiting = [];
    },
    release: () => {
      for (const message of waiting ?? []) socket?.send(message);
      waiting = null;
    },
  };
  const browser = { newContext: async () => context } as unknown as Browser;
  const page = await enterPage({ browser, endpoint: cluster.endpoint, room, errors, ...of });
  return { page, server };
}

const shapeOf = (page: Page, text: string) =>
  rowOf(page, text).evaluate((row) => ({
    height: row.getBoundingClientRect().height,
    continues: row.classList.contains('continues'),
  }));

describe('the row of an own message', { skip }, () => {
  for (const of of PAGES) {
    test(`keeps its element, height and group from sending to stored (${of.locale})`, async () => {
      const { page, server } = await enterHeld(of, newRoom('rows'));
      await page.getByTestId('connection-state').and(page.locator('[data-state="connected"]')).waitFor();
      // In the last step, the device's clock is an hour ahead.
      for (const [text, shiftMs] of [
        ['first', 0],
        ['second\nwith a second line', 0],
        ['third', 3_600_000],
      ] as const) {
        await page.evaluate((ms) => {
          const real = Date.now;
          Date.now = () => real() + ms;
        }, shiftMs);
        server.hold();
        await page.getByTestId('message-input').fill(text);
        await page.getByTestId('message-input').press('Enter');
        const word = text.split('\n')[0] ?? '';
        const row = rowOf(page, word);
        await row.and(page.locator('[data-state="sending"]')).waitFor();
        assert.match((await row.textContent()) ?? '', new RegExp(of.sending));
        const [before, element] = [await shapeOf(page, word), await row.elementHandle()];
        server.release();
        await storedRow(page, word).waitFor();
        assert.deepEqual(await shapeOf(page, word), before, word);
        assert.equal(await storedRow(page, word).evaluate((now, was) => now === was, element), true, word);
        assert.doesNotMatch((await storedRow(page, word).textContent()) ?? '', new RegExp(of.sending));
      }
      await page.context().close();
    });
  }

  test('is added once, without replacing another row', async () => {
    const page = await enterPage({
      ...{ browser: launched as Browser, endpoint: cluster.endpoint, room: newRoom('rows'), errors },
      ...PAGES[0],
    });
    await say(page, 'first');
    const count = await page.getByTestId('messages').evaluateHandle((list) => {
      const seen = { added: 0, removed: 0 };
      const { MutationObserver } = globalThis as unknown as {
        MutationObserver: new (
          listener: (records: Array<{ addedNodes: ArrayLike<unknown>; removedNodes: ArrayLike<unknown> }>) => void,
        ) => { observe(node: unknown, options: object): void };
      };
      new MutationObserver((records) => {
        for (const record of records) {
          seen.added += record.addedNodes.length;
          seen.removed += record.removedNodes.length;
        }
      }).observe(list, { childList: true });
      return seen;
    });
    for (const text of ['second', 'third']) await say(page, text);
    assert.deepEqual(await count.jsonValue(), { added: 2, removed: 0 });
    await page.context().close();
  });
});

test('the list causes no script or policy error', { skip }, () => {
  assert.deepEqual(errors, []);
});
