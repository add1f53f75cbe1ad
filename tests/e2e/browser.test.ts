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

/** Script errors, refused resources and Content-Security-Policy violations of all pages. */
const pageErrors: string[] = [];

async function enter(name: string, room: string): Promise<Page> {
  // A separate browser context has its own storage, so it is a separate user.
  const context = await browser().newContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => pageErrors.push(`${name}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') pageErrors.push(`${name}: ${message.text()}`);
  });
  await enterOn(page, name, room);
  return page;
}

async function enterOn(page: Page, name: string, room: string): Promise<void> {
  page.setDefaultTimeout(30_000);
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

let mina: Page;
let jun: Page;
const room = newRoom('web');
/** The newest seq that either page shows. A message that is still being sent has no seq yet. */
const head = async () => Math.max(...(await seqs(mina)), ...(await seqs(jun)));

describe('the web page', { skip }, () => {
  before(async () => {
    mina = await enter('민아', room);
    jun = await enter('Jun', room);
  });

  test('shows the messages of two users in the same order', async () => {
    await mina.getByTestId('message-input').fill('안녕하세요');
    await mina.getByTestId('send-button').click();
    await poll('Jun to see the message', holds(jun, '안녕하세요'));
    await jun.getByTestId('message-input').fill('hello <b>there</b>');
    await jun.getByTestId('message-input').press('Enter');
    await poll('Mina to see the message', holds(mina, 'hello <b>there</b>'));
    await poll(
      'both pages to show both messages',
      async () => (await seqs(mina)).join() === '1,2' && (await seqs(jun)).join() === '1,2',
    );
    assert.equal(await mina.getByTestId('message').locator('b').count(), 0, 'markup in a text must be shown as text');
    await poll('the sent message to be marked as stored', async () => {
      const state = await mina.locator('[data-testid="message"][data-seq="1"]').getAttribute('data-state');
      return state === 'stored';
    });
    assert.equal(await mina.getByTestId('message-input').inputValue(), '');
  });

  test('shows hostile texts and names as text, inside their own message', async () => {
    const { endpoint } = cluster;
    const room = newRoom('hostile');
    const page = await enter('Calm', room);
    const marks = (letter: string, count: number) => letter + '\u0301\u0325'.repeat(count);
    const hostile = [
      '<img src=x onerror="document.title=1">',
      '<script>document.title = 1</script>',
      'javascript:alert(1) data:text/html,<script>alert(1)</script>',
      '\u202egnp.exe \u2066\u2067',
      marks('Z', 900),
      '\u0000\u0007\u001b[31m',
    ];
    const { token } = await createGuest(endpoint, marks('x', 31));
    const client = await connect(endpoint, { token });
    for (const text of hostile) await client.ok('message:send', { room, clientMsgId: newId(), text });
    await poll('all of them to appear', async () => (await seqs(page)).length === hostile.length);
    const rows = page.getByTestId('message');
    assert.equal(await rows.locator('img, script, iframe, a[href^="javascript" i], a[href^="data" i]').count(), 0);
    assert.notEqual(await page.title(), '1');
    const styles = (part: string) =>
      rows.locator(part).evaluateAll((all) => {
        const { getComputedStyle } = globalThis as unknown as {
          getComputedStyle(element: unknown): { overflowY: string; display: string };
        };
        return all.map((element) => getComputedStyle(element)).map(({ overflowY, display }) => [overflowY, display]);
      });
    for (const part of ['.text', '.author'])
      for (const [overflow] of await styles(part))
        assert.match(String(overflow), /^(clip|hidden)$/, `${part} must not paint outside its box`);
    // Each text is a block of its own, so that an override of the direction ends with it.
    for (const [, display] of await styles('.text')) assert.equal(display, 'block');
    client.close();
    await page.context().close();
  });

  test('shows who is online', async () => {
    for (const page of [mina, jun])
      await poll('both users to be listed', async () => {
        const people = (await page.getByTestId('person').allInnerTexts()).join('\n');
        return people.includes('민아') && people.includes('Jun');
      });
  });

  test('shows messages of other clients, and earlier messages to a user who joins late', async () => {
    const { endpoint } = cluster;
    const client = await connect(endpoint, { token: (await createGuest(endpoint, 'Bot')).token });
    await client.ok('message:send', { room, clientMsgId: newId(), text: 'from a bot' });
    client.close();
    await poll('the message of the bot to appear', holds(mina, 'from a bot'));
    const late = await enter('Late', room);
    await poll('all three messages to appear', async () => (await seqs(late)).join() === '1,2,3');
    await late.context().close();
  });
});

describe('the message input', { skip }, () => {
  test('does not send on the Enter that ends an input method composition', async () => {
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
    for (const page of [mina, jun]) await poll('the message to be sent by the second Enter', holds(page, '한글 끝'));
    // Messages of one page are stored in the order sent, so a message sent by the first Enter
    // would have taken this seq.
    assert.equal(await seqOf(jun, '한글 끝'), before + 1, 'the first Enter must not send');
  });

  test('does not send a blank text', async () => {
    const input = mina.getByTestId('message-input');
    const [before, shown] = [await head(), (await texts(mina)).length];
    for (const text of ['   ', 'not blank']) {
      await input.fill(text);
      await input.press('Enter');
    }
    for (const page of [mina, jun]) await poll('the next message to appear', holds(page, 'not blank'));
    assert.equal(await seqOf(jun, 'not blank'), before + 1, 'no blank message was stored');
    assert.equal((await texts(mina)).length, shown + 1, 'the page shows no refused message');
  });
});

describe('a clock that is corrected while the page is open', { skip }, () => {
  for (const shiftMs of [-3_600_000, 3_600_000]) {
    test(`delays no message, ${shiftMs < 0 ? 'set back' : 'set ahead'}`, async () => {
      const page = await enter('Clock', newRoom('clock'));
      const send = async (text: string) => {
        await page.getByTestId('message-input').fill(text);
        await page.getByTestId('message-input').press('Enter');
        await poll(`"${text}" to be stored`, async () => (await seqOf(page, text)) > 0);
      };
      await send('before');
      await page.evaluate((ms) => {
        const real = Date.now;
        Date.now = () => real() + ms;
      }, shiftMs);
      await send('after');
      await send('later');
      const state = page.locator('[data-testid="connection-state"]');
      assert.equal(await state.getAttribute('data-state'), 'connected');
      await page.context().close();
    });
  }
});

describe('a lost connection', { skip }, () => {
  test('is shown, and followed by a resume with the missed messages', async () => {
    const context = await browser().newContext();
    const page = await context.newPage();
    const sockets: WebSocketRoute[] = [];
    await page.routeWebSocket(/\/socket\.io\//, (socket) => {
      socket.connectToServer();
      sockets.push(socket);
    });
    await enterOn(page, 'Cut', room);
    const before = (await seqs(mina)).length;
    await poll('the earlier messages to appear', async () => (await seqs(page)).length === before);
    await poll('a WebSocket to open', () => sockets.length > 0);
    await context.setOffline(true);
    for (const socket of sockets) await socket.close();
    await page.locator('[data-testid="connection-state"]:not([data-state="connected"])').waitFor();
    await page.getByTestId('people-stale').waitFor();
    await jun.getByTestId('message-input').fill('still there?');
    await jun.getByTestId('message-input').press('Enter');
    await poll('the message to be stored', holds(mina, 'still there?'));
    await context.setOffline(false);
    await poll('the missed message to appear', holds(page, 'still there?'), { timeoutMs: 20_000 });
    await page.locator('[data-testid="connection-state"][data-state="connected"]').waitFor();
    await page.getByTestId('people-stale').waitFor({ state: 'detached' });
    assert.deepEqual(
      await seqs(page),
      Array.from({ length: before + 1 }, (_, index) => index + 1),
    );
    await context.close();
  });
});

describe('all pages together', { skip }, () => {
  test('cause no script or policy error', () => {
    assert.deepEqual(pageErrors, []);
  });
});
