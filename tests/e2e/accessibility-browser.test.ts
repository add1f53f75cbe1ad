/**
 * axe-core reports no violation in any view of the web page: both languages, both themes, forced
 * colours, four sizes. The languages differ only in their texts, so Korean is checked only at the
 * widest and the narrowest size, in one theme.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Conversation, makeConversation } from '../screenshots/conversation.ts';
import { findingsOf, installAxe } from '../support/axe.ts';
import { launchBrowser } from '../support/browser.ts';
import { assertFocus, enterPage, goTo, openMenu, rowAt, say } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
const SCOPES = {
  'en-GB': { widths: [1440, 1024, 390, 320], hasAllColours: true },
  'ko-KR': { widths: [1440, 320], hasAllColours: false },
};
type Locale = keyof typeof SCOPES;
const room = newRoom('design');
let conversation: Conversation;

before(async () => {
  if (skip === false) conversation = await makeConversation(cluster.endpoint, room);
});
after(async () => {
  conversation?.leave();
  if (typeof launched !== 'string') await launched.close();
});

interface View {
  name: string;
  open: (page: Page) => Promise<unknown>;
  /** How to close the view. Default: Escape. */
  close?: (page: Page) => Promise<unknown>;
}

const stays = () => Promise.resolve();
const shown = (page: Page, testId: string) => page.getByTestId(testId).waitFor();
const press = (testId: string, opened: string) => async (page: Page) => {
  await page.getByTestId(testId).first().click();
  await shown(page, opened);
};

const VIEWS: View[] = [
  { name: 'a room', open: (page) => rowAt(page, String(conversation.root)).waitFor(), close: stays },
  { name: 'the menu of a message', open: (page) => openMenu(page, 'Looks lovely') },
  {
    name: 'a thread',
    open: async (page) => {
      await rowAt(page, String(conversation.root)).getByTestId('replies').click();
      await page.getByTestId('reply').first().waitFor();
    },
  },
  {
    name: 'a search',
    open: async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByTestId('find-input').fill('page');
      await poll(
        'the search to end',
        async () => !/…$/.test((await page.getByTestId('find-status').textContent()) ?? ''),
      );
    },
  },
  { name: 'pins and notifications', open: press('room-about', 'notify-form') },
  { name: 'the form of a new room', open: press('new-room', 'create-submit') },
  {
    name: 'the shortcuts',
    open: async (page) => {
      await page.keyboard.press('Control+/');
      await shown(page, 'shortcut-dialog');
    },
  },
  {
    name: 'the settings',
    open: async (page) => {
      await page.keyboard.press('Control+,');
      await shown(page, 'settings-dialog');
    },
  },
  { name: 'the own status', open: press('own-status', 'status-form') },
  {
    name: 'the directory of rooms',
    open: async (page) => {
      await page.getByTestId('all-rooms').click();
      await page.getByTestId('directory-room').first().waitFor();
    },
    close: (page) => goTo(page, room),
  },
  {
    name: 'the emoji picker',
    open: async (page) => {
      await openMenu(page, 'Looks lovely');
      await page.getByTestId('other-emoji').click();
      await page.getByTestId('emoji').first().waitFor();
    },
  },
  {
    name: 'the profile of a person',
    open: async (page) => {
      await rowAt(page, String(conversation.root)).getByTestId('author').click();
      await shown(page, 'person-card');
    },
  },
  {
    name: 'a mention',
    open: async (page) => {
      await page.getByTestId('message-input').pressSequentially('@');
      await shown(page, 'mention-list');
    },
    close: (page) => page.getByTestId('message-input').fill(''),
  },
  {
    name: 'emoji by name',
    open: async (page) => {
      await page.getByTestId('message-input').pressSequentially(':tea');
      await shown(page, 'emoji-list');
    },
    close: (page) => page.getByTestId('message-input').fill(''),
  },
  {
    name: 'an empty room of the own',
    open: async (page) => {
      await press('new-room', 'create-submit')(page);
      await page.locator('#create-title').fill('Tea');
      await page.getByTestId('create-submit').click();
      await shown(page, 'room-settings');
      await page.getByTestId('moderation-dialog').waitFor({ state: 'detached' });
    },
    close: stays,
  },
  {
    name: 'the settings of a room',
    open: press('room-settings', 'settings-save'),
    close: async (page) => {
      await page.keyboard.press('Escape');
      await goTo(page, room);
    },
  },
  {
    name: 'a room that one may not enter',
    open: async (page) => {
      await page.evaluate(() => {
        (globalThis as unknown as { location: { hash: string } }).location.hash = '#/p-nothing-here';
      });
      await shown(page, 'room-problem');
    },
    close: (page) => goTo(page, room),
  },
];

/** Views that are drawers at these widths. */
async function checkDrawers(page: Page): Promise<string[]> {
  const findings: string[] = [];
  for (const width of [390, 320]) {
    await resize(page, width);
    for (const button of ['rooms-button', 'people-button']) {
      await page.getByTestId(button).click();
      await page.locator('dialog.drawer').waitFor();
      findings.push(...(await findingsOf(page)).map((one) => `${button}, ${width} px: ${one}`));
      await page.keyboard.press('Escape');
      await page.locator('dialog.drawer').waitFor({ state: 'detached' });
    }
  }
  return findings;
}

async function checkSignIn(locale: Locale): Promise<string[]> {
  const page = await (launched as Browser).newPage({ locale });
  await page.goto(cluster.endpoint);
  await installAxe(page);
  const view = { name: 'the sign-in', open: (on: Page) => shown(on, 'enter-button'), close: stays };
  const findings = await checkView(page, view, locale);
  await page.context().close();
  return findings;
}

/** Resizes the page and waits until it has rendered again. */
async function resize(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 800 });
  await page.evaluate(() => {
    const { requestAnimationFrame: next } = globalThis as unknown as { requestAnimationFrame(then: () => void): void };
    return new Promise<void>((done) => next(() => next(() => setTimeout(done, 50))));
  });
}

/** Starts at full width, because the button that opens a view is shown there. */
async function checkView(page: Page, { name, open, close }: View, locale: Locale): Promise<string[]> {
  const { widths, hasAllColours } = SCOPES[locale];
  await page.setViewportSize({ width: 1280, height: 800 });
  await open(page);
  const findings: string[] = [];
  const note = (where: string, found: string[]) => findings.push(...found.map((one) => `${name}, ${where}: ${one}`));
  for (const width of widths) {
    await resize(page, width);
    await page.emulateMedia({ colorScheme: 'light' });
    note(`${width} px`, await findingsOf(page));
    if (!hasAllColours) continue;
    // Only the colours differ.
    await page.emulateMedia({ colorScheme: 'dark' });
    note(`${width} px, dark`, await findingsOf(page, ['color-contrast']));
  }
  if (hasAllColours) {
    await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
    note('forced colours', await findingsOf(page, ['color-contrast']));
    await page.emulateMedia({ forcedColors: 'none' });
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  // Drawers of a small width are beside the messages again.
  await page.locator('dialog.drawer').waitFor({ state: 'detached' });
  await (close === undefined ? page.keyboard.press('Escape') : close(page));
  return findings;
}

describe('axe', { skip }, () => {
  for (const locale of Object.keys(SCOPES) as Locale[]) {
    test(`reports no violation (${locale})`, async () => {
      const errors: string[] = [];
      const options = { browser: launched as Browser, endpoint: cluster.endpoint, errors };
      const page = await enterPage({ ...options, name: 'Mina', room, locale });
      await installAxe(page);
      await say(page, 'I can check the colours at the office.');
      const findings = await checkSignIn(locale);
      for (const view of VIEWS) {
        findings.push(...(await checkView(page, view, locale)));
        await assertFocus(page, view.name);
      }
      findings.push(...(await checkDrawers(page)));
      assert.deepEqual(findings, []);
      await page.context().close();
    });
  }
});
