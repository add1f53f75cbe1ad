/** The pictures, and how each view is reached. */
import type { BrowserContext, Page } from 'playwright-core';
import { rowAt, say } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { mintToken } from '../support/tokens.ts';
import type { Conversation } from './conversation.ts';

export interface Scene {
  page: Page;
  context: BrowserContext;
  conversation: Conversation;
  endpoint: string;
  /** Set for a cluster that was started for the pictures. */
  jwtSecret: string | null;
}

export interface Picture {
  /** The name of the file. */
  name: string;
  width: number;
  height: number;
  locale?: 'en-GB' | 'ko-KR';
  theme?: 'light' | 'dark';
  isTouch?: boolean;
  /** The room to enter. Default: the room of the conversation. */
  room?: string;
  isSignedIn?: false;
  needsSecret?: true;
  prepare?: (scene: Scene) => Promise<unknown>;
}

const DESKTOP = { width: 1280, height: 800 } as const;
const PHONE = { width: 390, height: 844, isTouch: true } as const;

/** The conversation, read to its end. */
const read = async ({ page, conversation }: Scene) => {
  await rowAt(page, String(conversation.root)).waitFor();
  await page.locator('.text li').first().waitFor();
  const { width } = page.viewportSize() ?? { width: 0 };
  if (width >= 1152) await page.getByTestId('person').nth(4).waitFor();
};

const thread = async (scene: Scene) => {
  await read(scene);
  await rowAt(scene.page, String(scene.conversation.root)).getByTestId('replies').click();
  await scene.page.getByTestId('reply').nth(1).waitFor();
};

const search = async (scene: Scene) => {
  await read(scene);
  const { page } = scene;
  await page.keyboard.press('Control+k');
  await page.getByTestId('find-input').fill('page');
  await poll('hits', async () => (await page.getByTestId('hit').count()) > 0);
};

const reconnecting = async (scene: Scene) => {
  await read(scene);
  await scene.context.setOffline(true);
  await scene.page.getByTestId('connection-banner').waitFor();
  await scene.page.getByTestId('message-input').fill('I can check the print colours at the office.');
  await scene.page.getByTestId('message-input').press('Enter');
  await scene.page.locator('[data-testid="message"][data-state="sending"]').waitFor();
};

/** The room has been joined. */
const empty = async ({ page }: Scene) => {
  await page.locator('.blank h2').waitFor();
  await page.getByTestId('person').first().waitFor();
};

const missing = async ({ page }: Scene) => {
  // The name of the room with a typing error.
  await page.goto(`${new URL(page.url()).origin}/r/sprnig`);
  await page.getByTestId('room-problem').waitFor();
};

const settings = async (scene: Scene) => {
  await read(scene);
  const { page } = scene;
  await page.keyboard.press('Control+,');
  await page.getByTestId('settings-dialog').waitFor();
};

const directory = async ({ page }: Scene) => {
  await page.getByTestId('all-rooms').click();
  await page.getByTestId('directory-room').first().waitFor();
};

/** The drawer with the rooms. */
const rooms = async (scene: Scene) => {
  await read(scene);
  await scene.page.getByTestId('rooms-button').click();
  await scene.page.locator('dialog.drawer').getByTestId('my-room').nth(4).waitFor();
};

const nodes = async ({ page, endpoint, jwtSecret }: Scene) => {
  await page.goto(`${endpoint}/console/`);
  await page
    .getByTestId('token-input')
    .fill(mintToken(jwtSecret ?? '', { sub: 'root', name: 'Root', roles: ['admin'] }));
  await page.getByTestId('token-enter').click();
  await page.getByTestId('nodes').waitFor();
};

const answer = async (scene: Scene) => {
  await read(scene);
  await say(scene.page, 'I can check the print colours at the office after lunch.');
};

export const PICTURES: readonly Picture[] = [
  { name: 'web-client', ...DESKTOP, prepare: answer },
  { name: 'dark', ...DESKTOP, theme: 'dark', prepare: read },
  { name: 'korean', ...DESKTOP, locale: 'ko-KR', prepare: read },
  { name: 'phone', ...PHONE, prepare: read },
  { name: 'phone-korean-dark', ...PHONE, locale: 'ko-KR', theme: 'dark', prepare: read },
  { name: 'tablet', width: 1024, height: 768, prepare: read },
  { name: 'reconnecting', ...DESKTOP, prepare: reconnecting },
  { name: 'empty', ...DESKTOP, room: 'tea-time', prepare: empty },
  { name: 'missing-room', ...DESKTOP, prepare: missing },
  { name: 'search', ...DESKTOP, prepare: search },
  { name: 'thread', ...DESKTOP, prepare: thread },
  { name: 'directory', ...DESKTOP, prepare: directory },
  { name: 'phone-rooms', ...PHONE, prepare: rooms },
  { name: 'console', ...DESKTOP, isSignedIn: false, needsSecret: true, prepare: nodes },
  { name: 'settings', ...DESKTOP, prepare: settings },
  { name: 'sign-in', ...DESKTOP, isSignedIn: false },
];
