/**
 * Pages of the web client in a browser: helpers to enter rooms, act on messages, and find shown
 * elements.
 */
import type { Browser, Locator, Page } from 'playwright-core';
import { poll } from './poll.ts';

export interface PageOptions {
  browser: Browser;
  endpoint: string;
  name: string;
  room: string;
  locale: string;
  /** Receives script errors, refused resources and violations of the Content-Security-Policy. */
  errors: string[];
}

/** Creates a new user who enters the room as a guest. */
export async function enterPage({ browser, locale, ...options }: PageOptions): Promise<Page> {
  const context = await browser.newContext({ locale });
  return enterGuest(await context.newPage(), options);
}

/** The same on a new page in a separate browser context. */
export async function enterGuest(
  page: Page,
  { endpoint, name, room, errors }: Omit<PageOptions, 'browser' | 'locale'>,
): Promise<Page> {
  page.on('pageerror', (error) => errors.push(`${name}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${name}: ${message.text()}`);
  });
  page.setDefaultTimeout(30_000);
  await page.goto(endpoint);
  await page.getByTestId('name-input').fill(name);
  await page.getByTestId('room-input').fill(room);
  await page.getByTestId('enter-button').click();
  await page.getByTestId('message-input').waitFor();
  return page;
}

export interface TwoPages {
  /** Owner of the room. Reads English. */
  mina: Page;
  /** A member, who reads Korean. */
  jun: Page;
}

/** Two users in a public room, which one of them creates. */
export async function enterBoth(options: Omit<PageOptions, 'name' | 'locale'>, start: string): Promise<TwoPages> {
  const { room } = options;
  const mina = await enterPage({ ...options, room: start, name: 'Mina', locale: 'en-GB' });
  await mina.getByTestId('new-room').click();
  await mina.locator('input[value="public"]').check();
  await mina.locator('#create-room').fill(room);
  await mina.getByTestId('create-submit').click();
  await mina.locator(`[data-testid="messages"][data-room="${room}"]`).waitFor({ state: 'attached' });
  const jun = await enterPage({ ...options, name: '준', locale: 'ko-KR' });
  return { mina, jun };
}

/** For a flow that both perform in their own language, while the other one watches. */
export const eachOf = ({ mina, jun }: TwoPages) =>
  [
    { page: mina, other: jun, language: 'en', otherLanguage: 'ko' },
    { page: jun, other: mina, language: 'ko', otherLanguage: 'en' },
  ] as const;

export const rowOf = (page: Page, text: string): Locator =>
  page.getByTestId('message').filter({ hasText: text }).last();
export const storedRow = (page: Page, text: string) =>
  page.locator('[data-testid="message"][data-state="stored"]:not([data-seq=""])').filter({ hasText: text }).last();

export async function say(page: Page, text: string): Promise<void> {
  await page.getByTestId('message-input').fill(text);
  await page.getByTestId('message-input').press('Enter');
  await storedRow(page, text).waitFor();
}

/** A reply quotes its root, so find the root by its `seq`. */
export const seqOf = (page: Page, text: string) => storedRow(page, text).getAttribute('data-seq');
export const rowAt = (page: Page, seq: string | null) => page.locator(`[data-testid="message"][data-seq="${seq}"]`);

/** Opens the menu of the newest message with this text. */
export async function openMenu(page: Page, text: string): Promise<void> {
  await storedRow(page, text).hover();
  await storedRow(page, text).getByTestId('message-menu').click();
  await page.getByTestId('menu').waitFor();
}

export const menuIsClosed = (page: Page) => page.getByTestId('menu').waitFor({ state: 'detached' });

export const dialogIsClosed = (page: Page) => page.getByTestId('moderation-dialog').waitFor({ state: 'detached' });

/** Goes to a room, or to a message in it (`room/seq`), by its address, like a link. */
export async function goTo(page: Page, place: string, room = place): Promise<void> {
  await page.evaluate((hash) => {
    (globalThis as unknown as { location: { hash: string } }).location.hash = hash;
  }, `#/${place}`);
  await page.locator(`[data-testid="messages"][data-room="${room}"]`).waitFor({ state: 'attached' });
}

/** Without focus, the keyboard would start at the top of the page again. */
export async function assertFocus(page: Page, after: string): Promise<void> {
  const tag = () =>
    page.evaluate(
      () =>
        (globalThis as unknown as { document: { activeElement: { tagName: string } | null } }).document.activeElement
          ?.tagName,
    );
  await poll(`the focus to be on a control after ${after}`, async () => ![undefined, 'BODY'].includes(await tag()));
}

export const myRoom = (page: Page, room: string) => page.locator(`[data-testid="my-room"][data-room="${room}"]`);
export const chip = (page: Page, text: string, emoji: string) =>
  storedRow(page, text).locator(`[data-testid="reaction"][data-emoji="${emoji}"]`);

/** Texts of the page in each language. */
export const WORDS = {
  en: {
    edited: 'edited',
    deleted: 'This message was deleted.',
    replies: '2 replies',
    read: 'Read by 1',
    me: 'mentions you',
  },
  ko: { edited: '수정됨', deleted: '삭제된 메시지입니다.', replies: '답글 2개', read: '1명이 읽음', me: '나를 부름' },
};
