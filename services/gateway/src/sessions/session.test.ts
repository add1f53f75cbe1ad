import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { MaruError } from '@maru/protocol';
import type { Connection } from '../edge/connection.ts';
import type { PacketBatch } from '../edge/packets.ts';
import type { EndReason } from './ends.ts';
import { expiryOf } from './expiry.ts';
import { SessionRegistry } from './registry.ts';
import { Session } from './session.ts';

/** A connection whose transport never takes anything. */
class StuckConnection implements Connection {
  readonly id = 's';
  queue: string[] = [];
  events: string[] = [];
  closed = false;
  peerAddress = undefined;
  disconnected = false;
  send(packet: string): void {
    this.queue.push(packet);
  }
  sendBatch({ packets }: PacketBatch): boolean {
    this.queue.push(...packets);
    return false;
  }
  emit(event: string, ...payload: unknown[]): void {
    this.events.push(event === 'notice' ? `notice:${(payload[0] as { code: string }).code}` : event);
  }
  queuedPackets = () => this.queue.length;
  queuedBytes = () => this.queue.reduce((sum, packet) => sum + packet.length, 0);
  drained = () => pause(1);
  pauseReading = () => true;
  closeTransport(): void {
    this.closed = true;
  }
  disconnect(): void {
    this.disconnected = true;
  }
  greet(): void {}
  joinEphemeral(): void {}
  leaveEphemeral(): void {}
}

function start(overrides: { expiresAtMs?: number; sinceMs?: number; userId?: string } = {}) {
  const connection = new StuckConnection();
  const ends: EndReason[] = [];
  const session = new Session({
    user: { id: overrides.userId ?? 'u', name: 'Mina' },
    roles: [],
    expiry: expiryOf((overrides.expiresAtMs ?? 1e15) / 1_000, overrides.sinceMs ?? Number.NEGATIVE_INFINITY),
    issuedAtS: undefined,
    beganAtMs: 0,
    gate: { isOpen: () => true, whenOpen: async () => {} },
    connection,
    limits: {
      ...{ events: { perSecond: 50, burst: 200 }, userEvents: { perSecond: 100, burst: 2_000 } },
      bytes: { perSecond: 250_000, burst: 2_000_000 },
      requestsMax: 250,
    },
    ...{ nowMs: 0, program: undefined, mayBeRefused: () => true, takeUserEvent: () => 0 },
    onRemoved() {},
    onEnd: (reason) => ends.push(reason),
  });
  return { session, connection, ends };
}

test('a client that does not read is ended at the maximum backlog in bytes, even with few packets', () => {
  const { session, ends } = start();
  for (let i = 0; i < 20 && !session.closed; i++) session.send('x'.repeat(1_000_000));
  assert.deepEqual(ends, ['slow_consumer']);
});

test('a client that does not read is ended at the maximum backlog in packets, even if they are small', () => {
  const { session, connection, ends } = start();
  for (let i = 0; i < 20_000 && !session.closed; i++) session.send('x');
  assert.deepEqual(ends, ['slow_consumer']);
  assert.ok(connection.queue.length < 11_000, `${connection.queue.length} packets`);
});

test('a flood ends the connection; a client that waits as asked is never ended', () => {
  const flood = start();
  for (let i = 0; i < 10_000 && !flood.session.closed; i++) flood.session.takeEvent(0);
  assert.deepEqual(flood.ends, ['flood']);

  const { session, ends } = start();
  let waiting = Array.from({ length: 2_500 }, () => 0);
  for (let rounds = 0; waiting.length > 0; rounds++) {
    assert.ok(rounds < 5, 'each event is served after few waits');
    waiting = waiting
      .sort((a, b) => a - b)
      .flatMap((atMs) => {
        const waitMs = session.takeEvent(atMs);
        return waitMs === 0 ? [] : [atMs + waitMs];
      });
  }
  assert.deepEqual(ends, []);
});

test('bytes of a connection have a bucket of their own; a client that waits as asked is never ended', () => {
  const { session, ends } = start();
  const packetBytes = 100_000;
  let [servedBytes, lastMs] = [0, 0];
  let waiting = Array.from({ length: 100 }, () => 0);
  for (let rounds = 0; waiting.length > 0; rounds++) {
    assert.ok(rounds < 5, 'each event is served after few waits');
    waiting = waiting
      .sort((a, b) => a - b)
      .flatMap((atMs) => {
        const waitMs = session.takeBytes(packetBytes, atMs);
        if (waitMs > 0) return [atMs + waitMs];
        [servedBytes, lastMs] = [servedBytes + packetBytes, atMs];
        return [];
      });
  }
  assert.deepEqual(ends, []);
  // The burst, then the rate; the last packet may exceed it by its own size.
  assert.ok(servedBytes <= 2_000_000 + 250 * lastMs + packetBytes, `${servedBytes} bytes in ${lastMs} ms`);
  for (let i = 0; i < 10_000 && !session.closed; i++) session.takeBytes(packetBytes, lastMs);
  assert.deepEqual(ends, ['flood']);
});

test('requests in progress are limited, and one that ends frees its place', () => {
  const { session } = start();
  for (let i = 0; i < 250; i++) assert.equal(session.beginRequest(), true);
  assert.equal(session.beginRequest(), false);
  session.endRequest();
  assert.deepEqual([session.beginRequest(), session.beginRequest()], [true, false]);
});

test('only "degraded" is sent before the session event', () => {
  const { session, connection } = start();
  session.notify({ code: 'recovered' });
  session.notify({ code: 'degraded' });
  session.opened();
  session.notify({ code: 'recovered' });
  assert.deepEqual(connection.events, ['notice:degraded', 'notice:recovered']);
});

test('work of a queue runs in order; if the store was unavailable, waiting work is refused at once', async () => {
  const { session } = start();
  const order: number[] = [];
  await Promise.all(
    [3, 1].map((ms, index) => session.queues.run('a', async () => pause(ms).then(() => order.push(index)))),
  );
  assert.deepEqual(order, [0, 1]);
  const after = async (code: 'unavailable' | 'not_found') => {
    const first = session.queues.run('a', async () => {
      await pause(2);
      throw new MaruError(code, 'x');
    });
    const behind = [session.queues.run('a', async () => 'ran'), session.queues.after('a', async () => 'ran')];
    return (await Promise.allSettled([first, ...behind])).map(({ status }) => status);
  };
  assert.deepEqual(await after('unavailable'), ['rejected', 'rejected', 'rejected']);
  assert.deepEqual(await after('not_found'), ['rejected', 'fulfilled', 'fulfilled']);
});

test('connections of a user are limited; expiry is announced and then ends the session', () => {
  const registry = new SessionRegistry({ connectionsPerUserMax: 2 });
  const expiring = start({ expiresAtMs: 70_000 });
  expiring.session.opened();
  assert.equal(registry.add(expiring.session), true);
  assert.equal(registry.add(start().session), true);
  assert.equal(registry.add(start().session), false);
  assert.equal(registry.add(start({ userId: 'v' }).session), true);
  registry.sweep(0);
  assert.deepEqual(expiring.connection.events, []);
  registry.sweep(11_000);
  registry.sweep(12_000);
  assert.deepEqual(expiring.connection.events, ['notice:expiring']);
  assert.equal(expiring.connection.disconnected, false);
  registry.sweep(70_000);
  assert.equal(expiring.connection.disconnected, true);
  registry.remove(expiring.session);
  assert.equal(registry.add(start().session), true);
});

test('a revoked session gets the notice and DISCONNECT once, also while its transport closes', () => {
  const cases = { revoked: ['notice:revoked'], slow_consumer: [] } as const;
  for (const [before, events] of Object.entries(cases)) {
    const { session, connection } = start();
    for (const reason of [before, 'revoked', 'disconnected']) session.end(reason as EndReason);
    assert.deepEqual([connection.events, connection.disconnected, session.revoked], [events, true, true]);
  }
});

test('the notice is sent once it is due', () => {
  const registry = new SessionRegistry({ connectionsPerUserMax: 2 });
  const short = start({ expiresAtMs: 45_000, sinceMs: 0 });
  short.session.opened();
  registry.add(short.session);
  for (let nowMs = 0; nowMs < 30_000; nowMs += 1_000) registry.sweep(nowMs);
  assert.deepEqual(short.connection.events, []);
  registry.sweep(30_000);
  assert.deepEqual(short.connection.events, ['notice:expiring']);
});

test("a renewed token gets a new notice, and the session lives until the token's end", () => {
  const registry = new SessionRegistry({ connectionsPerUserMax: 2 });
  const { session, connection } = start({ expiresAtMs: 45_000, sinceMs: 0 });
  session.opened();
  registry.add(session);
  registry.sweep(30_000);
  session.expiry = expiryOf(75, 30_000);
  registry.renewed(session);
  for (let nowMs = 31_000; nowMs < 60_000; nowMs += 1_000) registry.sweep(nowMs);
  assert.deepEqual([connection.events, connection.disconnected], [['notice:expiring'], false]);
  registry.sweep(60_000);
  assert.deepEqual(connection.events, ['notice:expiring', 'notice:expiring']);
  session.expiry = expiryOf(7_200, 60_000);
  registry.renewed(session);
  registry.sweep(75_000);
  assert.equal(connection.disconnected, false);
  registry.remove(session);
  registry.renewed(session);
  registry.sweep(7_300_000);
  assert.equal(connection.disconnected, false);
});

test('every expiring token is found, even if the session begins late or the clock steps', () => {
  const registry = new SessionRegistry({ connectionsPerUserMax: 1 });
  const open = (userId: string, expiresAtMs: number) => {
    const started = start({ userId, expiresAtMs });
    started.session.opened();
    registry.add(started.session);
    return started;
  };
  const state = ({ connection }: { connection: StuckConnection }) =>
    connection.disconnected ? 'ended' : (connection.events.at(-1) ?? 'not notified');
  const old = open('old', 7_200_000);
  const gone = open('gone', 7_200_000);
  registry.sweep(0);
  // The last search did not find it, and it is close to its end at the next search.
  const late = open('late', 130_000);
  const soon = open('soon', 50_000);
  for (let nowMs = 1_000; nowMs <= 70_000; nowMs += 1_000) {
    registry.sweep(nowMs);
    assert.equal(state(soon), nowMs >= 50_000 ? 'ended' : 'notice:expiring', `soon at ${nowMs}`);
    assert.equal(state(late), nowMs >= 70_000 ? 'notice:expiring' : 'not notified', `late at ${nowMs}`);
  }
  // Another store has taken over. Its clock is an hour behind, then two hours ahead.
  registry.sweep(-3_530_000);
  const begun = open('begun', -3_500_000);
  registry.sweep(-3_529_000);
  assert.equal(state(begun), 'notice:expiring');
  registry.sweep(7_130_000);
  registry.remove(gone.session);
  registry.sweep(7_140_000);
  assert.deepEqual([old, gone, late, begun].map(state), ['notice:expiring', 'not notified', 'ended', 'ended']);
  registry.sweep(7_199_999);
  assert.equal(state(old), 'notice:expiring');
  registry.sweep(7_200_000);
  assert.deepEqual([old, gone].map(state), ['ended', 'not notified']);
});

test('a sweep checks only tokens that expire soon, and searches all tokens once a minute', () => {
  const registry = new SessionRegistry({ connectionsPerUserMax: 1 });
  let asked = 0;
  const { session } = start();
  Object.defineProperty(session, 'expiry', {
    get() {
      asked++;
      return { atMs: 7_200_000, noticeAtMs: 7_140_000 };
    },
  });
  registry.add(session);
  registry.sweep(0);
  asked = 0;
  for (let nowMs = 1_000; nowMs <= 600_000; nowMs += 1_000) registry.sweep(nowMs);
  assert.ok(asked <= 10, `${asked} times in ten minutes`);
});

test('if many connections have a backlog, those with the largest are ended until the rest is within the limit', () => {
  const registry = new SessionRegistry({ connectionsPerUserMax: 1 });
  const megabyte = 'x'.repeat(1_048_576);
  const all = Array.from({ length: 60 }, (_, index) => {
    const started = start({ userId: `u${index}` });
    registry.add(started.session);
    // 240 MiB together, then 360 MiB. Each connection is below its own limit.
    for (let i = 0; i < 4; i++) started.session.send(megabyte);
    return started;
  });
  registry.sweep(0);
  assert.ok(all.every(({ session }) => !session.closed));
  const furthest = all.slice(20, 60);
  for (const { session } of furthest) for (let i = 0; i < 3; i++) session.send(megabyte);
  registry.sweep(0);
  const ended = all.filter(({ ends }) => ends.includes('slow_consumer'));
  assert.equal(ended.length, 15);
  assert.ok(ended.every((one) => furthest.includes(one)));
  registry.sweep(0);
  assert.equal(all.filter(({ session }) => session.closed).length, 15);
});
