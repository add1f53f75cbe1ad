/**
 * Makes the pictures of the web client in docs/images: starts a cluster, creates a small
 * conversation in it, and captures each view.
 *
 *     node tools/screenshots.mjs [--out FOLDER] [--endpoint URL] [NAME…]
 *
 * `--endpoint` is a running cluster.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { repository, startCluster } from '../support/cluster.ts';
import { goTo } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { type Conversation, makeConversation } from './conversation.ts';
import { prepareFonts } from './fonts.ts';
import { PICTURES, type Picture } from './pictures.ts';
import { fillSidebar, type Reader } from './sidebar.ts';

const SIGN_IN_DEADLINE_MS = 15_000;
const DRAFT = 'I would like a box of';

interface Stage {
  /** Null for a cluster that was already running. Then there is no picture of the console. */
  jwtSecret: string | null;
  browser: Browser;
  endpoint: string;
  conversation: Conversation;
  /** The data that a tab stores after the sign-in. All pictures show the page of the same user. */
  signedIn: Record<string, string>;
}

/** Each picture has a new page, so it does not depend on another. */
async function take(
  { browser, endpoint, conversation, signedIn, jwtSecret }: Stage,
  picture: Picture,
  file: string,
): Promise<void> {
  const { width, height, locale = 'en-GB', theme = 'light', isTouch = false, room = conversation.room } = picture;
  const context = await browser.newContext({
    ...{ locale, colorScheme: theme, viewport: { width, height }, hasTouch: isTouch, isMobile: isTouch },
    timezoneId: 'Asia/Seoul',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(SIGN_IN_DEADLINE_MS);
  await page.goto(endpoint);
  if (picture.isSignedIn !== false) {
    await restore(page, signedIn);
    await page.goto(`${endpoint}/r/${room}`);
    await page.locator('[data-testid="connection-state"][data-state="connected"]').waitFor();
    // No other user has created a room.
    if (room !== conversation.room) await page.getByTestId('create-missing').click();
    await page.getByTestId('message-input').waitFor();
  }
  await picture.prepare?.({ page, context, conversation, endpoint, jwtSecret });
  // Otherwise the row below the pointer would show its buttons.
  await page.mouse.move(0, 0);
  await page.screenshot({ path: file });
  await context.close();
}

interface InPage {
  sessionStorage: Record<string, string>;
}

/** Signs in as a guest in a new tab, and leaves a draft in one of the listed rooms. */
async function signIn(browser: Browser, endpoint: string, conversation: Conversation): Promise<Record<string, string>> {
  const page = await browser.newPage();
  await page.goto(endpoint);
  await page.getByTestId('name-input').fill('Mina Park');
  await page.getByTestId('room-input').fill(conversation.room);
  await page.getByTestId('enter-button').click();
  await page.getByTestId('message-input').waitFor();
  const stored = () => page.evaluate(() => ({ ...(globalThis as unknown as InPage).sessionStorage }));
  const reader = JSON.parse((await stored())['maru.session'] ?? '') as Reader;
  const quiet = await fillSidebar(endpoint, conversation, reader);
  await goTo(page, quiet);
  await page.getByTestId('message-input').fill(DRAFT);
  await poll('the draft to be stored', async () => Object.values(await stored()).some((item) => item.includes(DRAFT)));
  await goTo(page, conversation.room);
  const items = await stored();
  await page.close();
  return items;
}

const restore = (page: Page, stored: Record<string, string>) =>
  page.evaluate((items) => {
    Object.assign((globalThis as unknown as InPage).sessionStorage, items);
  }, stored);

const { values, positionals } = parseArgs({
  options: {
    out: { type: 'string', default: path.join(repository, 'docs/images') },
    endpoint: { type: 'string' },
  },
  allowPositionals: true,
});
const wanted = PICTURES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
process.env.FONTCONFIG_FILE = await prepareFonts();
const browser = await launchBrowser();
if (typeof browser === 'string') throw new Error(browser);
const cluster = values.endpoint === undefined ? await startCluster({ gateways: 2, archive: true }) : null;
const endpoint = cluster?.endpoint ?? values.endpoint ?? '';
try {
  const conversation = await makeConversation(endpoint, cluster === null ? `spring-${Date.now()}` : 'spring');
  const signedIn = await signIn(browser, endpoint, conversation);
  const jwtSecret = cluster?.jwtSecret ?? null;
  const stage = { browser, endpoint, conversation, signedIn, jwtSecret };
  mkdirSync(values.out, { recursive: true });
  for (const picture of wanted) {
    if (picture.needsSecret === true && jwtSecret === null) continue;
    const file = path.join(values.out, `${picture.name}.png`);
    await take(stage, picture, file);
    console.log(path.relative(process.cwd(), file));
  }
  conversation.leave();
} finally {
  await browser.close();
  await cluster?.stop();
}
