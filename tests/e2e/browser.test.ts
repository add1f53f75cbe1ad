import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page, WebSocketRoute } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { connect } from '../support/client.ts';
import { poll } from '../support/poll.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { createGuest, newId, newRoom } from '../support/tokens.ts';

const cluster = await sharedCluster();
const launched = await launchBrowser();
const skip = typeof launched === 'string' ? launched : false;
const browser = (): Browser => launched as Browser;
after(async () => {
  if (typeof launched !== 'string') await launched.close();
});

/** What the page complained of: script errors, refused resources, violations of the Content-Security-Policy. */
const complaints: string[] = [];

async function enter(name: string, room: string): Promise<Page> {
  // A context of its own is a person of its own.
  const context = await browser().newContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(`${name}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${name}: ${message.text()}`);
  });
  await enterOn(page, name, room);
  return page;
}

async function enterOn(page: Page, name: string, room: string): Promise<void> {
  page.setDefaultTimeout(10_000);
  await page.goto(cluster.endpoint);
  await page.getByTestId('name-input').fill(name);
  await page.getByTestId('room-input').fill(room);
  await page.getByTestId('enter-button').click();
  await page.locator('[data-testid="connection-state"][data-state="connected"]').waitFor();
  await page.getByTestId('message-input').waitFor();
}

const texts = (page: Page): Promise<string[]> => page.getByTestId('message').allInnerTexts();
const seqs = (page: Page): Promise<number[]> =>
  page.getByTestId('message').evaluateAll((all) => all.map((one) => Number(one.getAttribute('data-seq'))));
const seqOf = async (page: Page, text: string): Promise<number> =>
  Number(await page.getByTestId('message').filter({ hasText: text }).last().getAttribute('data-seq'));
const holds = (page: Page, text: string) => async () => (await texts(page)).some((one) => one.includes(text));

describe('the web page', { skip }, () => {
  let mina: Page;
  let jun: Page;
  const room = newRoom('web');
  /** The newest that either of them shows; an own message that is under way has no place yet. */
  const head = async () => Math.max(...(await seqs(mina)), ...(await seqs(jun)));
  before(async () => {
    mina = await enter('민아', room);
    jun = await enter('Jun', room);
  });

  test('chats between two people, in one order', async () => {
    await mina.getByTestId('message-input').fill('안녕하세요');
    await mina.getByTestId('send-button').click();
    await poll('the other to see it', holds(jun, '안녕하세요'));
    await jun.getByTestId('message-input').fill('hello <b>there</b>');
    await jun.getByTestId('message-input').press('Enter');
    await poll('the first to see it', holds(mina, 'hello <b>there</b>'));
    await poll(
      'both to have both',
      async () => (await seqs(mina)).join() === '1,2' && (await seqs(jun)).join() === '1,2',
    );
    assert.equal(await mina.getByTestId('message').locator('b').count(), 0, 'text is text, not markup');
    await poll('the own message to be stored', async () => {
      const state = await mina.locator('[data-testid="message"][data-seq="1"]').getAttribute('data-state');
      return state === 'stored';
    });
    assert.equal(await mina.getByTestId('message-input').inputValue(), '');
  });

  test('shows who is there', async () => {
    for (const page of [mina, jun])
      await poll('both people', async () => {
        const people = (await page.getByTestId('person').allInnerTexts()).join('\n');
        return people.includes('민아') && people.includes('Jun');
      });
  });

  test('shows what others send by other means, and earlier messages to one who comes late', async () => {
    const { endpoint } = cluster;
    const client = await connect(endpoint, { token: (await createGuest(endpoint, 'Bot')).token });
    await client.ok('message:send', { room, clientMsgId: newId(), text: 'from a bot' });
    client.close();
    await poll('the message of the bot', holds(mina, 'from a bot'));
    const late = await enter('Late', room);
    await poll('all three', async () => (await seqs(late)).join() === '1,2,3');
    await late.context().close();
  });

  test('does not send on the Enter that ends a composition', async () => {
    const input = mina.getByTestId('message-input');
    await input.click();
    const before = await head();
    const devtools = await mina.context().newCDPSession(mina);
    await devtools.send('Input.imeSetComposition', { text: '한글', selectionStart: 2, selectionEnd: 2 });
    const key = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, nativeVirtualKeyCode: 13 };
    await devtools.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...key });
    await devtools.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
    assert.match(await input.inputValue(), /한글/);
    await devtools.send('Input.insertText', { text: '한글 끝' });
    await input.press('Enter');
    for (const page of [mina, jun]) await poll('it to be sent after that', holds(page, '한글 끝'));
    // What one page sends is stored in its order: anything that the first Enter had sent would stand before it.
    assert.equal(await seqOf(jun, '한글 끝'), before + 1, 'nothing was sent while composing');
  });

  test('does not send what is blank', async () => {
    const input = mina.getByTestId('message-input');
    const [before, shown] = [await head(), (await texts(mina)).length];
    for (const text of ['   ', 'not blank']) {
      await input.fill(text);
      await input.press('Enter');
    }
    for (const page of [mina, jun]) await poll('what follows', holds(page, 'not blank'));
    assert.equal(await seqOf(jun, 'not blank'), before + 1, 'and nothing stands before it');
    assert.equal((await texts(mina)).length, shown + 1, 'nor was anything tried that the server refused');
  });

  test('says when it is not connected, and comes back with what it missed', async () => {
    const context = await browser().newContext();
    const page = await context.newPage();
    const sockets: WebSocketRoute[] = [];
    await page.routeWebSocket(/\/socket\.io\//, (socket) => {
      socket.connectToServer();
      sockets.push(socket);
    });
    await enterOn(page, 'Cut', room);
    const before = (await seqs(mina)).length;
    await poll('the earlier messages', async () => (await seqs(page)).length === before);
    await poll('a WebSocket', () => sockets.length > 0);
    await context.setOffline(true);
    for (const socket of sockets) await socket.close();
    await page.locator('[data-testid="connection-state"]:not([data-state="connected"])').waitFor();
    await jun.getByTestId('message-input').fill('still there?');
    await jun.getByTestId('message-input').press('Enter');
    await poll('it to be stored', holds(mina, 'still there?'));
    await context.setOffline(false);
    await poll('the message', holds(page, 'still there?'), { timeoutMs: 20_000 });
    await page.locator('[data-testid="connection-state"][data-state="connected"]').waitFor();
    assert.deepEqual(
      await seqs(page),
      Array.from({ length: before + 1 }, (_, index) => index + 1),
    );
    await context.close();
  });

  test('makes no complaint', () => {
    assert.deepEqual(complaints, []);
  });
});
