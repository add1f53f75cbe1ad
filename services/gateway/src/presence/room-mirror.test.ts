import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DiffMessage, RoomAnswer } from '@maru/presence-api';
import { LIMITS, type PresenceUser } from '@maru/protocol';
import fc from 'fast-check';
import { type MirrorStep, RoomMirror } from './room-mirror.ts';

const person = (id: number, status: PresenceUser['status'] = 'online'): PresenceUser => ({
  id: `u${id}`,
  name: `U${id}`,
  status,
});
const people = (count: number, from = 0) => Array.from({ length: count }, (_, index) => person(from + index));
const diff = (fields: Partial<DiffMessage>): DiffMessage => ({
  room: 'lobby',
  prev: 1,
  version: 2,
  count: 0,
  whole: false,
  joins: [],
  leaves: [],
  updates: [],
  ...fields,
});

describe('room mirror', () => {
  it('needs a snapshot first', () => {
    const mirror = new RoomMirror('lobby');
    assert.deepEqual(mirror.apply(diff({})), { result: 'gap' });
    assert.equal(mirror.snapshot(), undefined);
    assert.deepEqual(mirror.reset({ version: 1, count: 1, users: [person(1)] }), { result: 'applied' });
    assert.deepEqual(mirror.snapshot(), { count: 1, users: [person(1)] });
  });

  it('applies a difference that fits, ignores an old one, and reports a gap', () => {
    const mirror = new RoomMirror('lobby');
    mirror.reset({ version: 1, count: 1, users: [person(1)] });
    const step = mirror.apply(diff({ count: 2, joins: [person(2)] }));
    assert.deepEqual(step, {
      result: 'applied',
      diff: { room: 'lobby', count: 2, joins: [person(2)], leaves: [], updates: [] },
    });
    assert.equal(mirror.apply(diff({ count: 2, joins: [person(2)] })).result, 'stale');
    assert.equal(mirror.apply(diff({ prev: 3, version: 4, count: 3, joins: [person(3)] })).result, 'gap');
    assert.equal(mirror.snapshot()?.count, 2);
  });

  it('takes the first difference after an empty room as the whole state', () => {
    const mirror = new RoomMirror('lobby');
    mirror.reset({ version: 5, count: 1, users: [person(1)] });
    const step = mirror.apply(diff({ prev: 0, version: 1_000, count: 1, joins: [person(2)] }));
    assert.deepEqual(step.result === 'applied' && step.diff?.leaves, [{ id: 'u1' }]);
    assert.deepEqual(mirror.snapshot(), { count: 1, users: [person(2)] });
  });

  it('drops the names of a room that grows large, and restores them when it shrinks', () => {
    const mirror = new RoomMirror('lobby');
    const bound = LIMITS.largeRoomUsers;
    mirror.reset({ version: 1, count: bound, users: people(bound) });
    const grown = mirror.apply(diff({ count: bound + 1 }));
    assert.deepEqual(grown.result === 'applied' && grown.diff, {
      room: 'lobby',
      count: bound + 1,
      joins: [],
      leaves: [],
      updates: [],
    });
    assert.deepEqual(mirror.snapshot(), { count: bound + 1 });
    const shrunk = mirror.apply(diff({ prev: 2, version: 3, count: bound, whole: true, joins: people(bound, 1) }));
    assert.equal(shrunk.result === 'applied' && shrunk.diff?.joins.length, bound);
  });

  it('reports a gap when the count does not match the names', () => {
    const mirror = new RoomMirror('lobby');
    mirror.reset({ version: 1, count: 1, users: [person(1)] });
    assert.equal(mirror.apply(diff({ count: 5, joins: [person(2)] })).result, 'gap');
    assert.deepEqual(mirror.snapshot(), { count: 1, users: [person(1)] });
  });
});

/** What the service does, reduced to one room: versions, differences, snapshots. */
class FakeService {
  readonly users = new Map<string, PresenceUser>();
  #version = 1_000;

  answer(): RoomAnswer {
    return { version: this.#version, count: this.users.size, users: [...this.users.values()] };
  }

  /** Undefined if the user was not in the room. */
  change(user: PresenceUser, isHere: boolean): DiffMessage | undefined {
    const wasHere = this.users.has(user.id);
    if (!isHere && !wasHere) return undefined;
    if (isHere) this.users.set(user.id, user);
    else this.users.delete(user.id);
    const prev = this.#version++;
    return diff({
      prev,
      version: this.#version,
      count: this.users.size,
      joins: isHere && !wasHere ? [user] : [],
      leaves: isHere ? [] : [{ id: user.id }],
      updates: isHere && wasHere ? [user] : [],
    });
  }
}

/** A watcher's list of users, built from the mirror's differences. */
class FakeWatcher {
  readonly users = new Map<string, PresenceUser>();

  take(step: MirrorStep): void {
    if (step.result !== 'applied' || step.diff === undefined) return;
    for (const user of [...step.diff.joins, ...step.diff.updates]) this.users.set(user.id, user);
    for (const { id } of step.diff.leaves) this.users.delete(id);
  }
}

const sorted = (users: Iterable<PresenceUser>) => [...users].sort((a, b) => a.id.localeCompare(b.id));

describe('watchers of a room mirror', () => {
  const change = fc.record({
    id: fc.nat(5),
    isHere: fc.boolean(),
    status: fc.constantFrom<PresenceUser['status']>('online', 'away'),
    copies: fc.nat(2),
    isRepeatedLate: fc.boolean(),
  });

  it('see the right users when differences are lost, doubled or late', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const mirror = new RoomMirror('lobby');
        const service = new FakeService();
        const watcher = new FakeWatcher();
        mirror.reset(service.answer());
        const sent: DiffMessage[] = [];
        for (const { id, isHere, status, copies, isRepeatedLate } of changes) {
          const message = service.change(person(id, status), isHere);
          if (message === undefined) continue;
          sent.push(message);
          const late = isRepeatedLate ? sent[Math.floor(sent.length / 2)] : undefined;
          for (const next of [...Array<DiffMessage>(copies).fill(message), ...(late === undefined ? [] : [late])]) {
            const step = mirror.apply(next);
            watcher.take(step.result === 'gap' ? mirror.reset(service.answer()) : step);
          }
        }
        watcher.take(mirror.reset(service.answer()));
        assert.deepEqual(sorted(watcher.users.values()), sorted(service.users.values()));
        assert.deepEqual(sorted(mirror.snapshot()?.users ?? []), sorted(service.users.values()));
      }),
      { numRuns: 300 },
    );
  });
});
