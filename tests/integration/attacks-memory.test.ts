/**
 * The memory of a node that one client can use. The gateway has a small heap, so unlimited memory
 * would crash it.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Position } from '@maru/protocol';
import { connect, TestClient } from '../support/client.ts';
import {
  type Gateways,
  type ServiceProcess,
  startGateways,
  stopReading,
  tokenOf,
  WIDE_LIMITS,
} from '../support/gateways.ts';
import { poll } from '../support/poll.ts';
import { RawSocket } from '../support/raw.ts';
import { newId, newRoom } from '../support/tokens.ts';

const HEAP_MB = 128;
/** The heap, buffers outside it, and the runtime. */
const RESIDENT_BYTES_MAX = 450 * 1_048_576;
/** White space that JSON escapes with six characters: the largest encoded text. */
const HEAVY_TEXT = `${'\u000b'.repeat(5_400)}x`;
/** Number of such entries that exceeds a page, and what a resume delivers at once. */
const HEAVY_COUNT = 40;
/** Just below one MiB: a gap that a resume closes, and one page. */
const WHOLE_COUNT = 32;

let cluster: Gateways;
let gateway: ServiceProcess;
const open: Array<{ close(): void }> = [];
const stopped: Array<() => void> = [];

before(async () => {
  cluster = await startGateways({
    environment: { ...WIDE_LIMITS, NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` },
  });
  [gateway] = cluster.gateways as [ServiceProcess];
});
afterEach(() => {
  // A client that does not read does not notice its end.
  for (const readAgain of stopped.splice(0)) readAgain();
  for (const client of open.splice(0)) client.close();
});
after(() => cluster?.stop());

async function join(user: string, options: { resume?: unknown } = {}): Promise<TestClient> {
  const client = await connect(gateway.url, { token: tokenOf(user), ...options });
  open.push(client);
  return client;
}

/** Creates a room with this number of entries of the text. */
async function fill(client: TestClient, text: string, count: number): Promise<[room: string, epoch: string]> {
  const room = newRoom();
  await client.ok('room:create', { room });
  const sends = Array.from({ length: count }, () => client.ok('message:send', { room, clientMsgId: newId(), text }));
  const [first] = await Promise.all(sends);
  assert(first !== undefined);
  return [room, first.epoch];
}

async function assertServes(): Promise<void> {
  cluster.assertAlive();
  const client = await join('afterwards');
  await client.ok('message:send', { room: (await fill(client, 'hello', 1))[0], clientMsgId: newId(), text: 'hello' });
  client.close();
  assert((await gateway.metric('process_resident_memory_bytes')) < RESIDENT_BYTES_MAX);
}

const bytesOf = (messages: unknown): number => JSON.stringify(messages).length;

describe('a room full of the heaviest texts', () => {
  test('refuses a text that needs more than 32 KiB as JSON, even with few characters', async () => {
    const client = await join('author');
    await client.refused('too_large', 'message:send', {
      room: (await fill(client, 'hello', 1))[0],
      clientMsgId: newId(),
      text: `${'\u000b'.repeat(5_470)}x`,
    });
    // Any text of 4,000 code points fits.
    await fill(client, '\u0001'.repeat(4_000), 1);
  });

  test('is read in pages of about one MiB, and no larger gap is closed', async () => {
    const client = await join('author');
    const [room, epoch] = await fill(client, HEAVY_TEXT, HEAVY_COUNT);
    const joined = await client.ok('room:join', { room, since: { epoch, seq: 0 }, limit: 1 });
    assert.equal(joined.recovered, false);
    assert.equal(joined.recovered === false && joined.reason, 'too_far');
    assert.equal(joined.messages.length, 1);
    const newest = await client.ok('history:read', { room, limit: 200 });
    assert(bytesOf(newest.messages) < 1_300_000);
    assert.equal(newest.messages.at(-1)?.seq, HEAVY_COUNT);
    const oldest = await client.ok('history:read', { room, after: 0, limit: 200 });
    assert(bytesOf(oldest.messages) < 1_300_000);
    assert.equal(oldest.messages.at(0)?.seq, 1);
    assert(newest.hasMore && oldest.hasMore);
  });
});

describe('a client that does not read', () => {
  test('is disconnected before answers to it fill the node', async () => {
    const [room] = await fill(await join('author'), HEAVY_TEXT, HEAVY_COUNT);
    const cuts = () => gateway.metric('maru_connections_cut_total', 'reason="slow_consumer"');
    const answers = () => gateway.metric('maru_request_duration_seconds_count', 'event="history:read"');
    const [cutsBefore, answersBefore] = [await cuts(), await answers()];
    const hogs = await Promise.all(Array.from({ length: 8 }, (_, index) => join(`hog-${index}`)));
    for (const hog of hogs) stopped.push(stopReading(hog));
    // 50 rounds are 400 MiB. One page at a time, so that each is really read.
    let cut = 0;
    for (let round = 1; round <= 50 && cut < hogs.length; round++) {
      for (const hog of hogs) hog.socket.emit('history:read', { room, limit: 200 }, () => {});
      await poll('each page to be answered or its reader cut', async () => {
        cluster.assertAlive();
        cut = (await cuts()) - cutsBefore;
        return (await answers()) - answersBefore >= round * (hogs.length - cut);
      });
    }
    assert.equal(cut, hogs.length);
    await assertServes();
  });

  test('loses ephemeral events, because none is queued for it', async () => {
    const room = newRoom();
    const reader = await join('frozen');
    await reader.ok('room:join', { room });
    const typer = await connect(gateway.url, { token: tokenOf('t'.repeat(128), { name: '👋'.repeat(64) }) });
    open.push(typer);
    await typer.ok('room:join', { room });
    const readAgain = stopReading(reader);
    // About 15 MB. The system's buffers take a few of them.
    const signals = 30_000;
    for (let count = 0; count < signals; count++) {
      typer.socket.emit('typing', { room, active: count % 2 === 0 });
      // In steps, because commands in flight to the store are not the subject of this test.
      if (count % 500 === 0) await typer.ok('history:read', { room });
    }
    await typer.ok('history:read', { room });
    readAgain();
    await reader.ok('history:read', { room });
    const came = reader.payloads('typing').length;
    assert(came > 0 && came < signals * 0.9, `${came} of ${signals} came`);
    assert.deepEqual(reader.disconnects, []);
  });

  test('gets missed entries of 50 rooms in pieces', async () => {
    const author = await join('author');
    const rooms: Array<[string, string]> = [];
    for (let index = 0; index < 50; index++) rooms.push(await fill(author, HEAVY_TEXT, WHOLE_COUNT));
    for (let index = 0; index < 6; index++) {
      // Different positions, so that no read is shared.
      const resume: Record<string, Position> = Object.fromEntries(
        rooms.map(([room, epoch]) => [room, { epoch, seq: index }]),
      );
      const client = new TestClient(gateway.url, { token: tokenOf(`back-${index}`), resume });
      open.push(client);
      client.socket.once('session', () => stopped.push(stopReading(client)));
      client.socket.connect();
      await client.event('session', undefined, 40_000);
      cluster.assertAlive();
    }
    await assertServes();
  });
});

describe('a client whose resume waits for the store', () => {
  test('has at most 64 held requests, all within the limits', async () => {
    const room = newRoom();
    const resume = { [room]: { epoch: '1.a', seq: 1 } };
    const waiting: RawSocket[] = [];
    await cluster.redis.kill('SIGSTOP');
    try {
      const rest = 'z'.repeat(120_000);
      // 10 × 200 × 120 KB: 240 MB.
      for (let index = 0; index < 10; index++) {
        const raw = await RawSocket.open(gateway.url);
        open.push(raw);
        waiting.push(raw);
        raw.send(`40${JSON.stringify({ token: tokenOf(`held-${index}`), resume })}`);
        await raw.frame((frame) => frame.startsWith('40'));
        for (let id = 0; id < 200; id++)
          raw.send(`42${id}["typing",{"room":"${room}","active":true,"rest":"${rest}"}]`);
      }
      // The node has answered another client whose packets arrived later.
      await RawSocket.open(gateway.url).then((raw) => raw.close());
      cluster.assertAlive();
    } finally {
      await cluster.redis.kill('SIGCONT');
    }
    for (const raw of waiting) {
      await raw.frame((frame) => frame.startsWith('43199'));
      assert(raw.frames.some((frame) => frame.startsWith('43') && frame.includes('"code":"unavailable"')));
      const first = raw.frames.findIndex((frame) => frame.startsWith('42["session"'));
      assert(first >= 0 && first < raw.frames.findIndex((frame) => frame.startsWith('43')), 'session comes first');
    }
    await poll('the store to be back', async () => (await gateway.metric('maru_store_degraded')) === 0);
    await assertServes();
  });
});
