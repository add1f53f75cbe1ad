/**
 * Two people chat in Chromium while gateways are killed in turn, pages reload, networks break and
 * rooms change. Afterwards both screens show the messages of the log in its order. The log has each
 * message once, in each page's sending order. Drafts are kept.
 *
 * Each page has its own TCP proxy in front of nginx. A network fault makes it silent or resets it,
 * because Chromium's offline switch does not affect an open WebSocket.
 *
 * `MARU_CONVERSATION_SECONDS` (default 8) sets the duration. `MARU_CONVERSATION_SEED` repeats the
 * faults of a run.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { HistoryData } from '@maru/protocol';
import { startTcpProxy } from '@maru/service-kit/testing';
import type { Browser, Page } from 'playwright-core';
import { createRandom } from '../faults/random.ts';
import { launchBrowser } from '../support/browser.ts';
import { connect } from '../support/client.ts';
import { startCluster } from '../support/cluster.ts';
import { call } from '../support/http.ts';
import { enterPage, goTo } from '../support/pages.ts';
import { poll } from '../support/poll.ts';
import { createGuest, newRoom } from '../support/tokens.ts';

const SECONDS = Number(process.env.MARU_CONVERSATION_SECONDS ?? 8);
const SEED = Number(process.env.MARU_CONVERSATION_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Time for a reconnect after the last fault on a slow machine. */
const SETTLE_MS = 60_000;

const launched = await launchBrowser();
after(async () => {
  if (typeof launched !== 'string') await launched.close();
});

const input = (page: Page) => page.getByTestId('message-input');
/** The texts of messages in the list, in the order of the page. */
const shown = (page: Page) =>
  page
    .locator('[data-testid="messages"] > [data-testid="message"]:not([data-seq=""])')
    .evaluateAll((rows) => rows.map((row) => /(mina|jun) \d+/.exec(row.textContent ?? '')?.[0] ?? ''));

/** The texts of all messages in the log, in its order. */
async function textsOfLog(endpoint: string, room: string): Promise<string[]> {
  const { token } = await createGuest(endpoint, 'reader');
  const texts: string[] = [];
  for (let after = 0, isAtEnd = false; !isAtEnd; ) {
    const path = `/rooms/${room}/messages?after=${after}&limit=100`;
    const { status, body } = await call<HistoryData>(endpoint, path, { token });
    assert.equal(status, 200, JSON.stringify(body));
    texts.push(...body.messages.flatMap(({ type, text }) => (type === 'text' ? [text ?? ''] : [])));
    isAtEnd = !body.hasMore;
    after = body.messages.at(-1)?.seq ?? after;
  }
  return texts;
}

test('nothing is lost, duplicated or out of order while everything fails in turn', {
  skip: typeof launched === 'string' ? launched : false,
  timeout: SECONDS * 1_000 + 180_000,
}, async (t) => {
  t.diagnostic(`MARU_CONVERSATION_SEED=${SEED}`);
  const random = createRandom(SEED);
  const cluster = await startCluster({ gateways: 3 });
  t.after(() => cluster.stop());
  const room = newRoom('faults');
  const other = newRoom('other');
  const maker = await connect(cluster.endpoint, { token: (await createGuest(cluster.endpoint)).token });
  await maker.ok('room:create', { room: other });
  maker.close();
  const { hostname: host, port } = new URL(cluster.endpoint);
  const enter = async (name: string) => {
    const proxy = await startTcpProxy({ host, port: Number(port) });
    t.after(() => proxy.close());
    const endpoint = `http://${host}:${proxy.port}`;
    const options = { browser: launched as Browser, endpoint, name, room, locale: 'en-GB', errors: [] };
    return { proxy, page: await enterPage(options) };
  };
  const [{ proxy: minaProxy, page: mina }, { proxy: junProxy, page: jun }] = [await enter('mina'), await enter('jun')];
  const [people, proxies] = [
    { mina, jun },
    { mina: minaProxy, jun: junProxy },
  ];
  const sent = { mina: 0, jun: 0 };
  const names = ['mina', 'jun'] as const;
  for (const page of Object.values(people)) page.on('dialog', (dialog) => void dialog.accept());

  const say = async (name: 'mina' | 'jun') => {
    await input(people[name]).fill(`${name} ${++sent[name]}`);
    // While the page is joining the room again, Enter sends nothing, and the text stays.
    await poll('the message to be queued', async () => {
      await input(people[name]).press('Enter');
      return (await input(people[name]).inputValue()) === '';
    });
  };
  const gateways = (await cluster.status()).processes.filter(({ kind }) => kind === 'gateway').map(({ name }) => name);
  let turn = 0;
  const kill = async () => {
    const victim = gateways[turn++ % gateways.length] ?? '';
    await cluster.kill(victim);
    for (const name of names) await say(name);
    await cluster.restart(victim);
  };
  const reload = async () => {
    const name = random.pick(names);
    await say(name);
    await input(people[name]).fill(`draft of ${name}`);
    await people[name].reload();
    await poll('the draft to be there', async () => (await input(people[name]).inputValue()) === `draft of ${name}`);
  };
  const cut = async () => {
    const name = random.pick(names);
    proxies[name].mode = 'blackhole';
    for (let i = random.between(1, 3); i > 0; i--) await say(name);
    await say(name === 'mina' ? 'jun' : 'mina');
    proxies[name].mode = 'pass';
    // The dropped bytes have left a gap in the stream.
    proxies[name].reset();
  };
  const leave = async () => {
    const name = random.pick(names);
    await input(people[name]).fill(`draft of ${name}`);
    await goTo(people[name], other);
    await goTo(people[name], room);
    await poll('the draft to be there', async () => (await input(people[name]).inputValue()) === `draft of ${name}`);
  };

  const reset = async () => {
    const name = random.pick(names);
    proxies[name].reset();
    await say(name);
  };

  const faults = [kill, reload, cut, reset, leave];
  const done: string[] = [];
  const endAt = performance.now() + SECONDS * 1_000;
  // Each fault at least once.
  for (let i = 0; i < faults.length || performance.now() < endAt; i++) {
    const fault = faults[i] ?? random.pick(faults);
    done.push(fault.name);
    await fault();
    await say(random.pick(names));
  }
  t.diagnostic(`${done.join(' ')}; ${sent.mina + sent.jun} messages`);

  const total = sent.mina + sent.jun;
  for (const name of names) {
    await poll(`every message on the screen of ${name}`, async () => (await shown(people[name])).length >= total, {
      timeoutMs: SETTLE_MS,
    });
  }
  const log = await textsOfLog(cluster.endpoint, room);
  for (const name of names) {
    assert.deepEqual(await shown(people[name]), log, `the screen of ${name} shows the log`);
    assert.deepEqual(
      log.filter((text) => text.startsWith(name)),
      Array.from({ length: sent[name] }, (_, i) => `${name} ${i + 1}`),
      `messages of ${name}, each once, in the order sent`,
    );
    await people[name].locator('[data-testid="connection-state"][data-state="connected"]').waitFor();
  }
});
