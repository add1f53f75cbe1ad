import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { MaruError } from '@maru/protocol';
import type { CutReason } from '../delivery/member.ts';
import type { PacketBatch } from '../edge/packets.ts';
import { createSessionRegistry } from './registry.ts';
import { Session, type Wire } from './session.ts';

/** A transport that never takes what is queued. */
class StuckWire implements Wire {
  queue: string[] = [];
  events: string[] = [];
  closed = false;
  disconnected = false;
  sendPacket(packet: string): void {
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
  closeTransport(): void {
    this.closed = true;
  }
  disconnect(): void {
    this.disconnected = true;
  }
  joinSignals(): void {}
  leaveSignals(): void {}
}

function start(overrides: { expiresAtMs?: number; userId?: string } = {}) {
  const wire = new StuckWire();
  const cuts: CutReason[] = [];
  const session = new Session({
    id: 's',
    user: { id: overrides.userId ?? 'u', name: 'Mina' },
    roles: [],
    expiresAtMs: overrides.expiresAtMs ?? 1e15,
    wire,
    eventSpec: { perSecond: 50, burst: 200 },
    nowMs: 0,
    onCut: (reason) => cuts.push(reason),
  });
  return { session, wire, cuts };
}

test('one who reads nothing is cut at a bound of bytes, however few the packets', () => {
  const { session, cuts } = start();
  for (let i = 0; i < 20 && !session.closed; i++) session.send('x'.repeat(1_000_000));
  assert.deepEqual(cuts, ['slow_consumer']);
});

test('one who reads nothing is cut at a bound of packets, however small', () => {
  const { session, wire, cuts } = start();
  for (let i = 0; i < 20_000 && !session.closed; i++) session.send('x');
  assert.deepEqual(cuts, ['slow_consumer']);
  assert.ok(wire.queue.length < 11_000, `${wire.queue.length} packets`);
});

test('one who floods is cut; one who comes back as told never is', () => {
  const flood = start();
  for (let i = 0; i < 10_000 && !flood.session.closed; i++) flood.session.takeEvent(0);
  assert.deepEqual(flood.cuts, ['flood']);

  const { session, cuts } = start();
  let waiting = Array.from({ length: 2_500 }, () => 0);
  for (let rounds = 0; waiting.length > 0; rounds++) {
    assert.ok(rounds < 5, 'each is served after few waits');
    waiting = waiting
      .sort((a, b) => a - b)
      .flatMap((atMs) => {
        const waitMs = session.takeEvent(atMs);
        return waitMs === 0 ? [] : [atMs + waitMs];
      });
  }
  assert.deepEqual(cuts, []);
});

test('nothing but "degraded" is told before the session', () => {
  const { session, wire } = start();
  session.notice({ code: 'recovered' });
  session.notice({ code: 'degraded' });
  session.opened = true;
  session.notice({ code: 'recovered' });
  assert.deepEqual(wire.events, ['notice:degraded', 'notice:recovered']);
});

test('work of a lane runs in order; where the store failed, what waited behind is refused at once', async () => {
  const { session } = start();
  const order: number[] = [];
  await Promise.all(
    [3, 1].map((ms, index) => session.inLane('a', async () => pause(ms).then(() => order.push(index)))),
  );
  assert.deepEqual(order, [0, 1]);
  const after = async (code: 'unavailable' | 'not_found') => {
    const first = session.inLane('a', async () => {
      await pause(2);
      throw new MaruError(code, 'x');
    });
    const behind = [session.inLane('a', async () => 'ran'), session.afterLane('a', async () => 'ran')];
    return (await Promise.allSettled([first, ...behind])).map(({ status }) => status);
  };
  assert.deepEqual(await after('unavailable'), ['rejected', 'rejected', 'rejected']);
  assert.deepEqual(await after('not_found'), ['rejected', 'fulfilled', 'fulfilled']);
});

test('a user has so many connections on a node; expired ones are told, then ended for good', () => {
  const registry = createSessionRegistry({ connectionsPerUserMax: 2 });
  const expiring = start({ expiresAtMs: 70_000 });
  expiring.session.opened = true;
  assert.equal(registry.add(expiring.session), true);
  assert.equal(registry.add(start().session), true);
  assert.equal(registry.add(start().session), false);
  assert.equal(registry.add(start({ userId: 'v' }).session), true);
  registry.sweep(0);
  assert.deepEqual(expiring.wire.events, []);
  registry.sweep(11_000);
  registry.sweep(12_000);
  assert.deepEqual(expiring.wire.events, ['notice:expiring']);
  assert.equal(expiring.wire.disconnected, false);
  registry.sweep(70_000);
  assert.equal(expiring.wire.disconnected, true);
  registry.remove(expiring.session);
  assert.equal(registry.add(start().session), true);
});

test('no token expires unseen, however near its end the session begins and however the clock steps', () => {
  const registry = createSessionRegistry({ connectionsPerUserMax: 1 });
  const open = (userId: string, expiresAtMs: number) => {
    const started = start({ userId, expiresAtMs });
    started.session.opened = true;
    registry.add(started.session);
    return started;
  };
  const state = ({ wire }: { wire: StuckWire }) => (wire.disconnected ? 'ended' : (wire.events.at(-1) ?? 'untold'));
  const old = open('old', 7_200_000);
  const gone = open('gone', 7_200_000);
  registry.sweep(0);
  // Not looked for by the last look through all, and close to its end when the next is made.
  const late = open('late', 130_000);
  const soon = open('soon', 50_000);
  for (let nowMs = 1_000; nowMs <= 70_000; nowMs += 1_000) {
    registry.sweep(nowMs);
    assert.equal(state(soon), nowMs >= 50_000 ? 'ended' : 'notice:expiring', `soon at ${nowMs}`);
    assert.equal(state(late), nowMs >= 70_000 ? 'notice:expiring' : 'untold', `late at ${nowMs}`);
  }
  // A store with another clock has taken over: an hour behind, then two ahead.
  registry.sweep(-3_530_000);
  const begun = open('begun', -3_500_000);
  registry.sweep(-3_529_000);
  assert.equal(state(begun), 'notice:expiring');
  registry.sweep(7_130_000);
  registry.remove(gone.session);
  registry.sweep(7_140_000);
  assert.deepEqual([old, gone, late, begun].map(state), ['notice:expiring', 'untold', 'ended', 'ended']);
  registry.sweep(7_199_999);
  assert.equal(state(old), 'notice:expiring');
  registry.sweep(7_200_000);
  assert.deepEqual([old, gone].map(state), ['ended', 'untold']);
});

test('a sweep asks only those whose tokens are about to expire, but for a look through all once a minute', () => {
  const registry = createSessionRegistry({ connectionsPerUserMax: 1 });
  let asked = 0;
  const { session } = start();
  Object.defineProperty(session, 'expiresAtMs', {
    get() {
      asked++;
      return 7_200_000;
    },
  });
  registry.add(session);
  registry.sweep(0);
  asked = 0;
  for (let nowMs = 1_000; nowMs <= 600_000; nowMs += 1_000) registry.sweep(nowMs);
  assert.ok(asked <= 10, `${asked} times in ten minutes`);
});

test('of many who are behind at once, those furthest behind are cut until the node can bear the rest', () => {
  const registry = createSessionRegistry({ connectionsPerUserMax: 1 });
  const megabyte = 'x'.repeat(1_048_576);
  const all = Array.from({ length: 60 }, (_, index) => {
    const started = start({ userId: `u${index}` });
    registry.add(started.session);
    // 240 MiB in all, then 360: each below its own bound.
    for (let i = 0; i < 4; i++) started.session.send(megabyte);
    return started;
  });
  registry.sweep(0);
  assert.ok(all.every(({ session }) => !session.closed));
  const furthest = all.slice(20, 60);
  for (const { session } of furthest) for (let i = 0; i < 3; i++) session.send(megabyte);
  registry.sweep(0);
  const cut = all.filter(({ cuts }) => cuts.includes('slow_consumer'));
  assert.equal(cut.length, 15);
  assert.ok(cut.every((one) => furthest.includes(one)));
  registry.sweep(0);
  assert.equal(all.filter(({ session }) => session.closed).length, 15);
});
