/**
 * Requests at critical times: a connection still gets `session` first, and each entry once and in
 * order.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Entry, Position } from '@maru/protocol';
import { Redis } from 'ioredis';
import type { Member } from '../../services/gateway/src/delivery/member.ts';
import { Room } from '../../services/gateway/src/delivery/room.ts';
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
import { newId, newRoom } from '../support/tokens.ts';

const HEAVY_TEXT = `${'\u000b'.repeat(5_400)}x`;

let cluster: Gateways;
let gateway: ServiceProcess;
let other: ServiceProcess;
let author: TestClient;

before(async () => {
  cluster = await startGateways({ gateways: 2, environment: WIDE_LIMITS });
  [gateway, other] = cluster.gateways as [ServiceProcess, ServiceProcess];
  author = await connect(gateway.url, { token: tokenOf('author') });
});
after(async () => {
  author?.close();
  await cluster?.stop();
});

async function fill(room: string, text: string, count: number): Promise<Position> {
  await author.ok('room:join', { room });
  const sends = Array.from({ length: count }, () => author.ok('message:send', { room, clientMsgId: newId(), text }));
  const [first] = await Promise.all(sends);
  assert(first !== undefined);
  await author.ok('room:leave', { room });
  return { epoch: first.epoch, seq: 0 };
}

test('a connection that leaves and rejoins a room during its resume gets each entry once', async () => {
  const rooms = [newRoom(), newRoom(), newRoom()];
  const resume: Record<string, Position> = {};
  // One MiB each: delivery waits for the transport before it reaches the last room.
  for (const room of rooms) resume[room] = await fill(room, HEAVY_TEXT, 30);
  const last = rooms.at(-1) as string;
  const since = resume[last] as Position;
  const client = new TestClient(gateway.url, { token: tokenOf('hasty'), resume });
  let readAgain = () => {};
  const note = (name: string) => (payload: unknown) => void client.received.push({ name, payload, atMs: Date.now() });
  client.socket.once('connect', () => {
    readAgain = stopReading(client);
    // Held until the session begins. Then they overtake packets that the transport cannot take yet.
    client.socket.emit('room:leave', { room: last }, note('left'));
    client.socket.emit('room:join', { room: last, since }, note('joined'));
  });
  const joins = () => gateway.metric('maru_request_duration_seconds_count', 'event="room:join"');
  const before = await joins();
  client.socket.connect();
  await poll('the second join to be answered', async () => (await joins()) > before);
  readAgain();
  await poll('both answers', () => client.payloads('joined').length === 1);
  const { seq } = await author.ok('message:send', { room: last, clientMsgId: newId(), text: 'the end' });
  await client.event<Entry>('message', (entry) => entry.room === last && entry.seq === seq);
  // Ignore entries of the first subscription, from before the leave.
  const afterwards = client.received.slice(client.received.findIndex(({ name }) => name === 'left'));
  const received = afterwards.flatMap(({ name, payload }) => {
    if (name === 'joined') return (payload as { data: { messages: Entry[] } }).data.messages.map((entry) => entry.seq);
    return name === 'message' && (payload as Entry).room === last ? [(payload as Entry).seq] : [];
  });
  assert.deepEqual(
    received,
    Array.from({ length: seq }, (_, index) => index + 1),
  );
  client.close();
});

test('no typing event comes before the session event', async () => {
  const busy = newRoom();
  const resume: Record<string, Position> = { [busy]: await fill(busy, 'hello', 1) };
  for (let index = 0; index < 150; index++) resume[newRoom()] = { epoch: 'x', seq: 1 };
  const typer = await connect(gateway.url, { token: tokenOf('typer') });
  await typer.ok('room:join', { room: busy });
  let count = 0;
  const typing = setInterval(() => {
    for (let times = 0; times < 5; times++) typer.socket.emit('typing', { room: busy, active: count++ % 2 === 0 });
  }, 1);
  try {
    for (let index = 0; index < 10; index++) {
      const late = await connect(gateway.url, { token: tokenOf('late'), resume });
      try {
        await late.event('typing');
        // On a busy machine the store may seem unavailable. Only that notice may come before the
        // session.
        assert.equal(late.received.find(({ name }) => name !== 'notice')?.name, 'session');
      } finally {
        late.close();
      }
    }
  } finally {
    clearInterval(typing);
    typer.close();
  }
});

test('sends of one connection are stored in order while Redis keeps losing its scripts', async () => {
  const admin = new Redis(cluster.redis.url);
  const room = newRoom();
  await fill(room, 'first', 1);
  const rival = await connect(other.url, { token: tokenOf('rival') });
  let stored = 0;
  let swapped = 0;
  let flushing = true;
  // The other node reloads the script, often in the middle of a batch of the first node.
  const reload = (async () => {
    while (flushing)
      await Promise.all(
        Array.from({ length: 20 }, () => rival.request('message:send', { room, clientMsgId: newId(), text: 'rival' })),
      );
  })();
  const flush = (async () => {
    while (flushing) await admin.script('FLUSH');
  })();
  for (let batch = 0; batch < 40; batch++) {
    const sends = Array.from({ length: 60 }, () =>
      author.request('message:send', { room, clientMsgId: newId(), text: 'y'.repeat(3_000) }),
    );
    const seqs = (await Promise.all(sends)).flatMap((ack) => (ack.ok ? [ack.data.seq] : []));
    stored += seqs.length;
    swapped += seqs.filter((seq, index) => index > 0 && seq < (seqs[index - 1] as number)).length;
  }
  flushing = false;
  await Promise.all([reload, flush]);
  rival.close();
  admin.disconnect();
  assert(stored > 0);
  assert.equal(swapped, 0);
});

test('reading before the first entry of an empty room returns an empty last page', async () => {
  const room = newRoom();
  await author.ok('room:join', { room });
  for (const before of [0, 1, 5, Number.MAX_SAFE_INTEGER]) {
    const page = await author.ok('history:read', { room, before });
    assert.deepEqual([page.messages, page.hasMore], [[], false]);
  }
});

describe('a room on a node', () => {
  test('keeps the newest of many announcements that arrive before its first read', async () => {
    const stored = 300;
    const entry = (seq: number) => ({ seq, ts: 1, head: '"type":"text"', tail: '"text":"x"' });
    const room = new Room('room', {
      readAfter: async (_room, seq, limit) => {
        const entries = Array.from({ length: Math.min(limit, stored - seq) }, (_, index) => entry(seq + 1 + index));
        const state = { epoch: '1.a', base: 0, head: stored, first: 1, n: stored, guarded: false };
        return { ...state, role: undefined, reason: undefined, settings: undefined, personal: false, entries };
      },
      recentBudget: { available: () => true, change() {} },
      onSeen() {},
      onDelivered() {},
      onAnnounced() {},
      onReceipt() {},
      onMalformed() {},
      onBackfill() {},
      onBackfillFailed: (error) => assert.fail(String(error)),
      onDeleted() {},
      now: () => performance.now(),
    });
    const body = '"type":"text","text":"x"}';
    for (let seq = 1; seq <= stored; seq++) room.onAnnouncement({ kind: 'entry', epoch: '1.a', seq, ts: 1, body });
    const received: string[] = [];
    const member: Member = {
      user: { id: 'mina' },
      removedFrom() {},
      send: (packet) => received.push(packet),
      sendBatch: ({ packets }) => received.push(...packets),
      drained: async () => {},
      closed: false,
      end() {},
    };
    // More than the node keeps. The read happened while they arrived, so it contains some of them.
    const head = 256;
    room.observe({ epoch: '1.a', base: 0, head, first: 1, n: head, guarded: false });
    await room.attach(member, { epoch: '1.a', seq: head }, () => true);
    await poll('the newest entry', () => room.positionOf(member).seq === stored);
    assert.equal(received.length, stored - head);
    room.close();
  });
});
