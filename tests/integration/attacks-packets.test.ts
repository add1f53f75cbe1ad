/**
 * Packets that no correct client sends and payloads that no gateway publishes affect only their
 * sender.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import type { Connection } from '../../services/gateway/src/edge/connection.ts';
import { Session } from '../../services/gateway/src/sessions/session.ts';
import { connect, type TestClient } from '../support/client.ts';
import { type Gateways, type ServiceProcess, startGateways, tokenOf } from '../support/gateways.ts';
import { poll, sleep } from '../support/poll.ts';
import { RawSocket } from '../support/raw.ts';
import { newId, newRoom } from '../support/tokens.ts';

/** Deeper than any JSON that a client may send. */
const DEEP = '['.repeat(20) + ']'.repeat(20);

let cluster: Gateways;
let gateway: ServiceProcess;
let witness: TestClient;
let admin: Redis;
const room = newRoom('witness');

before(async () => {
  cluster = await startGateways({ gateways: 2 });
  [gateway] = cluster.gateways as [ServiceProcess, ServiceProcess];
  witness = await connect(gateway.url, { token: tokenOf('witness') });
  await witness.ok('room:join', { room });
  admin = new Redis(cluster.redis.url);
});
after(async () => {
  witness?.close();
  admin?.disconnect();
  await cluster?.stop();
});

/** Fails unless the gateways run and chat works. */
async function assertUnharmed(): Promise<void> {
  cluster.assertAlive();
  const { seq } = await witness.ok('message:send', { room, clientMsgId: newId(), text: 'still here' });
  await witness.until(room, seq);
  assert.deepEqual(witness.disconnects, []);
}

describe('packets', () => {
  const RESERVED = [
    'connect',
    'connect_error',
    'disconnect',
    'disconnecting',
    'newListener',
    'removeListener',
    'error',
  ];
  for (const name of RESERVED)
    test(`the library's own event "${name}", nested too deeply, closes the transport and nothing else`, async () => {
      const raw = await RawSocket.connect(gateway.url, tokenOf('reserved'));
      raw.send(`421["${name}",${DEEP}]`);
      await poll('the end of the transport', () => raw.closed);
      await assertUnharmed();
    });

  test('a request that is nested too deeply is invalid, and the connection stays open', async () => {
    const raw = await RawSocket.connect(gateway.url, tokenOf('deep'));
    raw.send(`427["room:join",${DEEP}]`);
    const answer = await raw.frame((frame) => frame.startsWith('437'));
    assert.equal(JSON.parse(answer.slice(3))[0].error.code, 'invalid');
    raw.send(`428["room:join",{"room":"${newRoom()}"}]`);
    await raw.frame((frame) => frame.startsWith('438[{"ok":true'));
    raw.close();
  });

  test('another namespace closes the transport without an answer that contains its name', async () => {
    for (const token of [tokenOf('names'), undefined]) {
      const raw = token === undefined ? await RawSocket.open(gateway.url) : await RawSocket.connect(gateway.url, token);
      const before = raw.frames.length;
      raw.send(`40/${'n'.repeat(100_000)},`);
      await poll('the end of the transport', () => raw.closed);
      assert.deepEqual(raw.frames.slice(before), []);
    }
  });

  test('connection attempts are limited, refused or not', async () => {
    const raw = await RawSocket.open(gateway.url);
    const refusals = () => raw.frames.filter((frame) => frame.startsWith('44')).length;
    for (let attempt = 1; attempt <= 50 && !raw.closed; attempt++) {
      raw.send('40{"token":"bad"}');
      await poll('an answer or the end', () => raw.closed || refusals() >= attempt, { everyMs: 1 });
    }
    assert(raw.closed);
    assert(refusals() < 10);
  });

  test('one transport has one session', async () => {
    const before = await gateway.metric('maru_connects_total');
    const raw = await RawSocket.open(gateway.url);
    for (const user of ['first', 'second', 'third']) raw.send(`40${JSON.stringify({ token: tokenOf(user) })}`);
    await poll('the end of the transport', () => raw.closed);
    await poll('no session but the witness', async () => (await gateway.metric('maru_sessions')) === 1);
    assert((await gateway.metric('maru_connects_total')) - before <= 1);
    await assertUnharmed();
  });

  test('the transport of a client that leaves the namespace is closed', async () => {
    const raw = await RawSocket.connect(gateway.url, tokenOf('idler'));
    raw.send('41');
    await poll('the end of the transport', () => raw.closed, { timeoutMs: 5_000 });
  });
});

describe('forged payloads', () => {
  const opts = { rooms: [`signals:${room}`], except: [], flags: {} };
  const shapes: unknown[] = [
    undefined,
    null,
    {},
    { opts: {} },
    { opts: { rooms: [], except: [], flags: {} }, packet: {}, rooms: ['a'], requestId: 'r' },
    { opts: { rooms: [], except: [] }, packet: { type: 2, data: ['session', { forged: true }] } },
    { opts: { rooms: [], except: [] }, packet: { type: 2, nsp: '/', data: ['message', { forged: true }] } },
    { opts, packet: { type: 2, nsp: '/', data: ['message', { room, seq: 1, forged: true }] } },
    { opts, packet: { type: 2, nsp: '/', data: ['typing', { room, user: 'forged', active: true }] } },
    { opts, packet: { type: 2, nsp: '/', data: ['typing', JSON.parse(`{"deep":${DEEP}}`)] } },
    { opts, requestId: 'r', packet: ['connection', {}] },
    { packet: ['connection', {}] },
    { packet: ['error', {}], requestId: 'r' },
    { opts: { rooms: [], except: [] }, close: true, rooms: ['x'] },
  ];

  test('on the channels of the adapter reach no client and end neither connections nor processes', async () => {
    const before = witness.received.length;
    const channels = ['socket.io#/#', `socket.io#/#signals:${room}#`];
    const payloads = ['', 'garbage', '{}', '[1]', '\u00c1', ' {"type":3}', '{"uid":"x","nsp":"/"}', '['.repeat(4_000)];
    for (let type = 0; type <= 14; type++)
      payloads.push(...shapes.map((data) => JSON.stringify({ uid: 'forger', nsp: '/', type, data })));
    const [first] = payloads;
    assert(first !== undefined && Number(await admin.spublish('socket.io#/#', first)) >= 2, 'both nodes listen');
    for (const channel of channels) await Promise.all(payloads.map((payload) => admin.spublish(channel, payload)));
    await admin.spublish('socket.io#/#', Buffer.from([0xc1, 0xff, 0x00]));
    await poll('all of them to be counted', async () => {
      const counted = await gateway.metric('maru_signal_errors_total', 'stage="receive"');
      return counted >= channels.length * payloads.length;
    });
    assert.deepEqual(witness.received.slice(before), []);
    await assertUnharmed();
  });

  test('a real ephemeral event still reaches the other node', async () => {
    const [, other] = cluster.gateways as [ServiceProcess, ServiceProcess];
    const typer = await connect(other.url, { token: tokenOf('typer') });
    await typer.ok('room:join', { room });
    // Ephemeral events may be lost, so repeat them. Repetitions within a second do not count.
    await poll('typing', () => {
      for (const active of [true, false]) typer.socket.emit('typing', { room, active });
      return witness.payloads('typing').length > 0;
    });
    typer.close();
  });

  test('an announcement far above the head costs a few reads, and delivery continues', async () => {
    const { epoch } = await witness.ok('history:read', { room });
    const body = '"type":"text","from":{"id":"x","name":"x"},"clientMsgId":"z","text":"forged"}';
    const fills = await gateway.metric('maru_feed_fills_total');
    await admin.spublish(`maru:{${room}}:live`, `1 M ${epoch} 5000 1 ${Buffer.byteLength(body)}\n${body}`);
    await poll('a look at the log', async () => (await gateway.metric('maru_feed_fills_total')) > fills);
    await assertUnharmed();
    // Watch for a while: the former defect read thousands of times a second.
    await sleep(1_500);
    assert((await gateway.metric('maru_feed_fills_total')) - fills < 30);
    await assertUnharmed();
    assert(witness.entries(room).every(({ text }) => text !== 'forged'));
  });

  test('malformed announcements are counted and dropped', async () => {
    const counted = await gateway.metric('maru_live_malformed_total');
    const payloads = ['', 'x', '\n', '1 M 1.a 1 1 7\n}', `1 M ${'9'.repeat(90)}\n`, '1 E zzz', '{"a":1}'];
    for (const payload of payloads) await admin.spublish(`maru:{${room}}:live`, payload);
    await poll(
      'all to be counted',
      async () => (await gateway.metric('maru_live_malformed_total')) === counted + payloads.length,
    );
    await assertUnharmed();
  });
});

describe('a flood', () => {
  const spec = { perSecond: 50, burst: 200 };
  const ask = { room: newRoom(), active: true };

  test('of 1,000 events at once is answered, and each refusal has a different retry time', async () => {
    const client = await connect(gateway.url, { token: tokenOf('eager') });
    const acks = await Promise.all(Array.from({ length: 1_000 }, () => client.raw('unknown', ask)));
    const waits = acks.flatMap((ack) => (ack.ok || ack.error.code !== 'rate_limited' ? [] : [ack.error.retryAfterMs]));
    assert(waits.length >= 500);
    assert(waits.every((wait) => typeof wait === 'number' && wait > 0));
    assert(new Set(waits).size > waits.length / 2);
    assert.deepEqual(client.disconnects, []);
    client.close();
  });

  test('of more events is read slowly, on every connection of the user', async () => {
    const clients = await Promise.all([1, 2].map(() => connect(gateway.url, { token: tokenOf('flooder') })));
    let answered = 0;
    const count = () => {
      answered++;
    };
    for (let sent = 0; sent < 6_000; sent++) for (const client of clients) client.socket.emit('unknown', ask, count);
    await poll('the burst to be answered', () => answered > 400);
    await sleep(2_000);
    assert(answered < 3_000, `${answered} answers`);
    for (const client of clients) {
      assert.deepEqual(client.disconnects, []);
      client.close();
    }
    await assertUnharmed();
  });

  test('whose events are all repeated at their retry times is never disconnected', () => {
    let cut = false;
    const connection: Connection = {
      id: 'id',
      send() {},
      greet() {},
      sendBatch: () => true,
      emit() {},
      queuedPackets: () => 0,
      queuedBytes: () => 0,
      drained: async () => {},
      peerAddress: undefined,
      closed: false,
      pauseReading: () => true,
      closeTransport() {},
      disconnect() {},
      joinEphemeral() {},
      leaveEphemeral() {},
    };
    const session = new Session({
      user: { id: 'user', name: 'User' },
      roles: [],
      expiry: { atMs: Number.POSITIVE_INFINITY, noticeAtMs: Number.POSITIVE_INFINITY },
      issuedAtS: undefined,
      beganAtMs: 0,
      program: undefined,
      gate: { isOpen: () => true, whenOpen: async () => {} },
      connection,
      limits: { events: spec, userEvents: spec, bytes: spec, requestsMax: 1_000 },
      nowMs: 0,
      takeUserEvent: () => 0,
      mayBeRefused: () => true,
      onEnd: () => {
        cut = true;
      },
      onRemoved() {},
    });
    // The burst and the times of one minute.
    let due: number[] = Array.from({ length: 3_100 }, () => 0);
    let lastMs = 0;
    while (due.length > 0 && !cut) {
      const now = Math.min(...due);
      const waits = due.filter((at) => at === now).map(() => session.takeEvent(now));
      due = [...due.filter((at) => at !== now), ...waits.filter((wait) => wait > 0).map((wait) => now + wait)];
      lastMs = now;
    }
    assert(!cut, `cut after ${lastMs} ms`);
    assert(lastMs <= 61_000);
  });
});
