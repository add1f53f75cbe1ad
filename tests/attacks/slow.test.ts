/**
 * Clients that are slow, silent, noisy or do not read: they are disconnected, and others are not
 * affected.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Entry } from '@maru/protocol';
import { upgradeRequest } from '../../services/gateway/src/edge/testing/upgrade-request.ts';
import { connect, type TestClient } from '../support/client.ts';
import { stopReading, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { poll, sleep } from '../support/poll.ts';
import { newId, newRoom } from '../support/tokens.ts';
import { FrameSocket, frame, OPCODE, Tcp } from './frame-socket.ts';
import { type Site, startSite, urlOf, WAYS } from './site.ts';

const RESIDENT_BYTES_MAX = 500 * 1_048_576;
/** Longer than every timeout of nginx and the gateway on a busy machine. */
const CUT_MS_MAX = 40_000;

let site: Site;
before(async () => {
  site = await startSite({
    environment: { ...WIDE_LIMITS, NODE_OPTIONS: '--max-old-space-size=256' },
    filesMax: 8_192,
  });
});
after(() => site?.stop());

const assertSmall = async () =>
  assert((await site.gateway.metric('process_resident_memory_bytes')) < RESIDENT_BYTES_MAX, 'memory is not bounded');

/** Shows that the gateway has ended a WebSocket. It then waits 30 s for the client's close. */
const CLOSE_FRAME = '\x88\x00';

/**
 * The first bytes of a connection, the number of connections, and whether they continue byte by
 * byte.
 */
const SLOW: Record<string, { first: string; count: number; drips: boolean }> = {
  'no byte': { first: '', count: 500, drips: false },
  'headers, byte by byte': { first: 'GET /api/v1/rooms HTTP/1.1\r\nX-Slow: ', count: 500, drips: true },
  'a body that stops': {
    first: 'POST /api/v1/guests HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"name":"',
    count: 100,
    drips: false,
  },
  'a poll that stops': {
    first: 'POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n4',
    count: 100,
    drips: false,
  },
  'a body far over the limit': {
    first: 'POST /api/v1/guests HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n{',
    count: 20,
    drips: false,
  },
  'a WebSocket without sign-in': { first: upgradeRequest(), count: 500, drips: false },
};

describe('slow requests and half-open handshakes by the thousand', () => {
  test('are disconnected, while correct clients connect and chat', async (t) => {
    const slow = WAYS.flatMap((way) =>
      Object.entries(SLOW).flatMap(([what, { first, count, drips }]) =>
        Array.from({ length: count }, () => {
          const tcp = new Tcp(urlOf(site, way));
          if (first !== '') tcp.write(first);
          return { what: `${what}, ${way}`, tcp, drips };
        }),
      ),
    );
    const drip = setInterval(() => {
      for (const { tcp, drips } of slow) if (drips) tcp.write('x');
    }, 2_000);
    t.after(() => clearInterval(drip));
    const left = () => slow.filter(({ tcp }) => !tcp.closed && !tcp.text().endsWith(CLOSE_FRAME));
    await poll('all of them to be open', () => slow.every(({ tcp }) => !tcp.socket.connecting));
    assert(left().length > slow.length / 2, `${left().length} of ${slow.length} are open`);
    const startedAt = performance.now();
    while (left().length > 0 && performance.now() - startedAt < CUT_MS_MAX) {
      for (const way of WAYS)
        for (const transport of ['websocket', 'polling'] as const) {
          const client = await connect(urlOf(site, way), { token: tokenOf(newId()), transports: [transport] });
          await client.ok('room:join', { room: newRoom() });
          client.close();
        }
      await site.assertUnharmed();
      await assertSmall();
      await sleep(1_000);
    }
    const kinds = new Map<string, number>();
    for (const { what } of left()) kinds.set(what, (kinds.get(what) ?? 0) + 1);
    for (const { tcp } of slow) tcp.close();
    assert.deepEqual([...kinds], [], 'are still open');
    const longest = new Map<string, number>();
    for (const { what, tcp } of slow) longest.set(what, Math.max(longest.get(what) ?? 0, Math.round(tcp.openMs)));
    t.diagnostic(`open for up to: ${JSON.stringify([...longest])}`);
  });
});

describe('a flood of pings', () => {
  const floods: Record<string, Buffer> = {
    'WebSocket pings': frame(OPCODE.ping, 'x'.repeat(100)),
    'pongs of Engine.IO': frame(OPCODE.text, '3'),
    'empty packets of Engine.IO': frame(OPCODE.text, '6'),
  };
  for (const way of WAYS)
    for (const [what, one] of Object.entries(floods))
      test(`closes the transport: ${what}, ${way}`, async () => {
        const socket = await FrameSocket.connect(urlOf(site, way), tokenOf('noisy'));
        const many = Buffer.concat(Array.from({ length: 500 }, () => one));
        const sending = (async () => {
          for (let round = 0; round < 100 && !socket.closed; round++) {
            socket.write(many);
            await sleep(1);
          }
        })();
        await socket.ended();
        await sending;
        assert.equal(socket.closeCode, 1_008);
        await site.assertUnharmed();
        await assertSmall();
      });

  for (const way of WAYS)
    test(`does not include the pings of an eager client, ${way}`, async () => {
      const socket = await FrameSocket.connect(urlOf(site, way), tokenOf('eager'));
      for (let count = 0; count < 100; count++) socket.write(frame(OPCODE.ping, String(count)));
      // Some pongs may be omitted if pings arrive together.
      await poll('pongs', () => socket.pongs > 0);
      await socket.ask(1, 'history:read', { room: newRoom() });
      assert(!socket.closed);
      socket.close();
    });
});

describe('a reader that stops reading in a hot room', () => {
  /** More than the limit plus the buffers of nginx and the kernel. */
  const COUNT_MAX = 6_000;
  const text = '👋'.repeat(4_000);

  test('is disconnected at the limit, and resumes completely', async () => {
    const room = newRoom('hot');
    const author = await connect(site.gateway.url, { token: tokenOf('author') });
    await author.ok('room:join', { room });
    const deaf: Array<{ client: TestClient; way: (typeof WAYS)[number]; readAgain: () => void }> = [];
    for (const way of WAYS) {
      const client = await connect(urlOf(site, way), { token: tokenOf(`deaf ${way}`) });
      await client.ok('room:join', { room });
      deaf.push({ client, way, readAgain: stopReading(client) });
    }
    const cuts = () => site.gateway.metric('maru_connections_cut_total', 'reason="slow_consumer"');
    const before = await cuts();
    let count = 0;
    while (count < COUNT_MAX && (await cuts()) - before < deaf.length) {
      const sends = Array.from({ length: 50 }, () =>
        author.patient('message:send', { room, clientMsgId: newId(), text }),
      );
      count += (await Promise.all(sends)).length;
      if (count % 400 === 0) await assertSmall();
    }
    assert.equal((await cuts()) - before, deaf.length, `after ${count} messages`);
    await assertSmall();
    for (const { client, way, readAgain } of deaf) {
      readAgain();
      await poll('the end', () => !client.connected);
      await assertWhole(client, way, room, count);
    }
    await author.until(room, count);
    author.close();
    await site.assertUnharmed();
  });

  /** Live entries together with resumed or read entries have no gap. */
  async function assertWhole(client: TestClient, way: (typeof WAYS)[number], room: string, count: number) {
    const got = client.seqs(room);
    const last = client.entries(room).at(-1) as Entry;
    const resume = { [room]: { epoch: last.epoch, seq: last.seq } };
    const back = await connect(urlOf(site, way), { token: tokenOf(`deaf ${way}`), resume });
    const answer = back.session.rooms[room];
    assert(answer !== undefined && 'head' in answer);
    if (answer.recovered) await back.until(room, count - last.seq);
    const missed = answer.recovered ? back.seqs(room) : await seqsAfter(back, room, last.seq);
    assert.deepEqual(
      [...got, ...missed],
      Array.from({ length: count }, (_, index) => index + 1),
    );
    back.close();
  }

  async function seqsAfter(client: TestClient, room: string, seq: number): Promise<number[]> {
    const seqs: number[] = [];
    for (let hasMore = true; hasMore; ) {
      const page = await client.ok('history:read', { room, after: seqs.at(-1) ?? seq, limit: 200 });
      seqs.push(...page.messages.map((entry) => entry.seq));
      ({ hasMore } = page);
    }
    return seqs;
  }
});
