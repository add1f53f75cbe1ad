/** The web page on small, large and touch screens, and in the display modes of a system. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type Conversation, makeConversation } from '../screenshots/conversation.ts';
import { launchBrowser } from '../support/browser.ts';
import { enterGuest, rowAt, say } from '../support/pages.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
const errors: string[] = [];
let conversation: Conversation;

before(async () => {
  if (skip === false) conversation = await makeConversation(cluster.endpoint, newRoom('sizes'));
});
after(async () => {
  conversation?.leave();
  if (typeof launched !== 'string') await launched.close();
});

async function enter(width: number, height: number, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await (launched as Browser).newContext({ ...options, viewport: { width, height } });
  const { room } = conversation;
  const page = await enterGuest(await context.newPage(), { endpoint: cluster.endpoint, name: 'Mina', room, errors });
  await rowAt(page, String(conversation.root)).waitFor();
  return page;
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
  width: number;
  height: number;
}
/** The parts of a browser's element that the functions below use. */
interface Element {
  className: string;
  dataset: Record<string, string>;
  tagName: string;
  labels?: Iterable<Element> | null;
  checkVisibility(): boolean;
  closest(selector: string): Element | null;
  contains(other: Element | null): boolean;
  matches(selector: string): boolean;
  querySelectorAll(selector: string): Iterable<Element>;
  getBoundingClientRect(): Box;
}
interface InPage {
  document: Element & { documentElement: { scrollWidth: number }; elementFromPoint(x: number, y: number): Element };
  innerWidth: number;
  innerHeight: number;
}

/** Controls smaller than a finger. A control may be larger than it looks. */
const smallTargets = (page: Page) =>
  page.evaluate(() => {
    const { document, innerWidth, innerHeight } = globalThis as unknown as InPage;
    const half = 21;
    const scope = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document;
    const controls = 'button, a, input, select, textarea, summary, [role="menuitem"], [role="option"]';
    return [...scope.querySelectorAll(controls)].flatMap((control) => {
      // A link in a sentence is as high as its line.
      if (!control.checkVisibility() || control.matches('.skip-link, .text *')) return [];
      const { left, top, right, bottom, width, height } = (control.closest('label') ?? control).getBoundingClientRect();
      const [x, y] = [(left + right) / 2, (top + bottom) / 2];
      if (x - half < 0 || x + half > innerWidth || y - half < 0 || y + half > innerHeight) return [];
      if (width >= 44 && height >= 44) return [];
      const parts = [control, ...(control.labels ?? [])];
      const isHit = (dx: number, dy: number) => {
        const hit = document.elementFromPoint(x + dx, y + dy);
        return parts.some((part) => part.contains(hit));
      };
      if (isHit(0, -half) && isHit(0, half) && isHit(-half, 0) && isHit(half, 0)) return [];
      return [`${control.tagName}.${control.className} ${control.dataset.testid} ${width} × ${height}`];
    });
  });

/** Elements that extend beyond the side of the window, and would need horizontal scrolling. */
const overflow = (page: Page) =>
  page.evaluate(() => {
    const { document, innerWidth } = globalThis as unknown as InPage;
    if (document.documentElement.scrollWidth > innerWidth) return ['the document'];
    return [...document.querySelectorAll('button, input, textarea, select, p, h1, h2, li')].flatMap((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      const isOut = width > 1 && (right > innerWidth + 1 || left < -1);
      return element.checkVisibility() && isOut ? [`${element.tagName}.${element.className}`] : [];
    });
  });

const heightOf = async (page: Page, selector: string) => (await page.locator(selector).boundingBox())?.height ?? 0;

interface View {
  name: string;
  open: (page: Page) => Promise<unknown>;
}
const click = (testId: string, opened: string) => async (page: Page) => {
  await page.getByTestId(testId).last().click();
  await page.locator(opened).waitFor();
};
const VIEWS: View[] = [
  { name: 'people', open: click('people-button', 'dialog.drawer') },
  { name: 'the menu of a message', open: click('message-menu', '[role="menu"]') },
  { name: 'pins', open: click('room-about', '[data-testid="notify-form"]') },
  { name: 'a search', open: click('find-button', '[data-testid="find-input"]') },
  { name: 'a thread', open: click('thread-link', '[data-testid="reply-input"]') },
];

describe('the web page on a touch screen', { skip }, () => {
  for (const { width, height, locale } of [
    { width: 390, height: 844, locale: 'ko-KR' },
    { width: 320, height: 568, locale: 'en-GB' },
    { width: 1024, height: 768, locale: 'en-GB' },
  ]) {
    test(`has controls of at least 44 px, and no horizontal overflow: ${width} px`, async () => {
      const page = await enter(width, height, { locale, hasTouch: true, isMobile: true });
      const rooms = { name: 'rooms', open: click('rooms-button', 'dialog.drawer') };
      const views = [{ name: 'a room', open: async () => {} }, ...(width < 800 ? [rooms] : []), ...VIEWS];
      for (const { name, open } of views) {
        await open(page);
        assert.deepEqual(await smallTargets(page), [], name);
        assert.deepEqual(await overflow(page), [], name);
        await page.keyboard.press('Escape');
        await page.locator('dialog:modal').waitFor({ state: 'detached' });
      }
      await page.context().close();
    });
  }
});

describe('the web page in a window of any size', { skip }, () => {
  test('shows messages and the composer at 400 % zoom, and scrolls in only one direction', async () => {
    const page = await enter(320, 256);
    await say(page, 'a message in a very small window');
    assert.ok((await heightOf(page, '.log')) >= 96, 'the messages have place');
    assert.ok((await heightOf(page, '.composer-box')) >= 24);
    assert.deepEqual(await overflow(page), []);
    await page.getByTestId('rooms-button').click();
    await page.getByTestId('leave-button').scrollIntoViewIfNeeded();
    assert.deepEqual(await overflow(page), [], 'the drawer of rooms');
    await page.context().close();
  });

  test('shows rooms before people at 1024 px, and both on wider screens', async () => {
    const page = await enter(1024, 768);
    const panels = () => page.locator('aside.panel').evaluateAll((all) => all.map((one) => one.dataset.region));
    assert.deepEqual(await panels(), ['rooms']);
    await page.setViewportSize({ width: 1280, height: 768 });
    await page.getByTestId('people').waitFor();
    assert.deepEqual(await panels(), ['rooms', 'people']);
    await page.context().close();
  });

  test('limits the line length at 2560 px', async () => {
    const page = await enter(2560, 1440);
    const widths = await page
      .locator('.messages .text, .composer-box')
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().width / 16));
    assert.ok(Math.max(...widths) <= 52, `${Math.max(...widths)} rem`);
    await page.context().close();
  });

  test('follows the text size of the system', async () => {
    const page = await enter(1280, 800);
    await page.evaluate(() => {
      const { document } = globalThis as unknown as { document: { documentElement: { style: { fontSize: string } } } };
      document.documentElement.style.fontSize = '200%';
    });
    assert.deepEqual(await overflow(page), []);
    assert.ok((await heightOf(page, '.composer-box')) >= 60, 'it grew');
    assert.ok((await heightOf(page, '.log')) >= 200, 'the messages have place');
    await page.context().close();
  });
});

describe('the web page in display modes of the system', { skip }, () => {
  test('has no animation, and shows states by borders with forced colours', async () => {
    const page = await enter(1280, 800, { forcedColors: 'active', reducedMotion: 'reduce' });
    const style = (selector: string, property: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element, name) => {
          const { getComputedStyle } = globalThis as unknown as {
            getComputedStyle(given: unknown): { getPropertyValue(property: string): string };
          };
          return getComputedStyle(element).getPropertyValue(name);
        }, property);
    assert.equal(await style('.room-link[aria-current="page"]', 'border-top-width'), '2px');
    assert.equal(await style('.room-link:not([aria-current])', 'border-top-width'), '0px');
    assert.equal(await style('.dot', 'border-top-style'), 'solid');
    await page.getByTestId('message-input').focus();
    assert.notEqual(await style('.composer-box', 'outline-style'), 'none');
    await page.locator('.log').focus();
    await page.keyboard.press('F6');
    const moving = await page.evaluate(() => {
      const { document, getComputedStyle } = globalThis as unknown as {
        document: { getAnimations(): unknown[]; querySelectorAll(selector: string): Iterable<unknown> };
        getComputedStyle(given: unknown): { transitionDuration: string; animationName: string };
      };
      const styles = [...document.querySelectorAll('*')].map((element) => getComputedStyle(element));
      return (
        document.getAnimations().length +
        styles.filter(
          ({ transitionDuration, animationName }) => transitionDuration !== '0s' || animationName !== 'none',
        ).length
      );
    });
    assert.equal(moving, 0);
    await page.context().close();
  });

  test('causes no script or policy error', () => {
    assert.deepEqual(errors, []);
  });
});
