import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS, type PresenceDiff, type PresenceUser } from '@maru/protocol';
import fc from 'fast-check';
import { RoomMirror } from './room-mirror.ts';
import { parseWireDiff, type RoomAnswer, type WireDiff } from './wire.ts';

const person = (id: number, status: PresenceUser['status'] = 'online'): PresenceUser => ({
  id: `u${id}`,
  name: `U${id}`,
  status,
});
const people = (count: number, from = 0) => Array.from({ length: count }, (_, index) => person(from + index));
const diff = (fields: Partial<WireDiff>): WireDiff => ({
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
  it('asks for a snapshot before it shows anything', () => {
    const mirror = new RoomMirror('lobby');
    assert.deepEqual(mirror.apply(diff({})), { result: 'gap' });
    assert.equal(mirror.snapshot(), undefined);
    assert.deepEqual(mirror.reset({ version: 1, count: 1, users: [person(1)] }), { result: 'applied' });
    assert.deepEqual(mirror.snapshot(), { count: 1, users: [person(1)] });
  });

  it('takes a difference that fits, ignores an old one, and asks after a gap', () => {
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

  it('takes the first difference of a room that was empty as the whole truth', () => {
    const mirror = new RoomMirror('lobby');
    mirror.reset({ version: 5, count: 1, users: [person(1)] });
    const step = mirror.apply(diff({ prev: 0, version: 1_000, count: 1, joins: [person(2)] }));
    assert.deepEqual(step.result === 'applied' && step.diff?.leaves, [{ id: 'u1' }]);
    assert.deepEqual(mirror.snapshot(), { count: 1, users: [person(2)] });
  });

  it('drops the names of a room that grows large, and tells everyone when it shrinks', () => {
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

  it('refuses a count that does not agree with the names', () => {
    const mirror = new RoomMirror('lobby');
    mirror.reset({ version: 1, count: 1, users: [person(1)] });
    assert.equal(mirror.apply(diff({ count: 5, joins: [person(2)] })).result, 'gap');
    assert.deepEqual(mirror.snapshot(), { count: 1, users: [person(1)] });
  });

  it('keeps its watchers right whatever is lost, doubled or late', () => {
    const change = fc.record({
      id: fc.nat(5),
      here: fc.boolean(),
      status: fc.constantFrom<PresenceUser['status']>('online', 'away'),
      copies: fc.nat(2),
      isRepeatedLate: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const mirror = new RoomMirror('lobby');
        const truth = new Map<string, PresenceUser>();
        let version = 1_000;
        const answer = (): RoomAnswer => ({ version, count: truth.size, users: [...truth.values()] });
        const view = new Map<string, PresenceUser>();
        const watch = (told: PresenceDiff | undefined) => {
          for (const user of [...(told?.joins ?? []), ...(told?.updates ?? [])]) view.set(user.id, user);
          for (const { id } of told?.leaves ?? []) view.delete(id);
        };
        mirror.reset(answer());
        const sent: WireDiff[] = [];
        for (const { id, here, status, copies, isRepeatedLate } of changes) {
          const user = person(id, status);
          const known = truth.has(user.id);
          if (!here && !known) continue;
          const prev = version++;
          if (here) truth.set(user.id, user);
          else truth.delete(user.id);
          const told = diff({
            prev,
            version,
            count: truth.size,
            joins: here && !known ? [user] : [],
            leaves: here ? [] : [{ id: user.id }],
            updates: here && known ? [user] : [],
          });
          sent.push(told);
          const late = isRepeatedLate ? sent[Math.floor(sent.length / 2)] : undefined;
          for (const next of [...Array.from({ length: copies }, () => told), ...(late === undefined ? [] : [late])]) {
            const step = mirror.apply(next);
            if (step.result === 'applied') watch(step.diff);
            if (step.result !== 'gap') continue;
            const healed = mirror.reset(answer());
            if (healed.result === 'applied') watch(healed.diff);
          }
        }
        const last = mirror.reset(answer());
        if (last.result === 'applied') watch(last.diff);
        const sorted = (users: Iterable<PresenceUser>) => [...users].sort((a, b) => a.id.localeCompare(b.id));
        assert.deepEqual(sorted(view.values()), sorted(truth.values()));
        assert.deepEqual(sorted(mirror.snapshot()?.users ?? []), sorted(truth.values()));
      }),
      { numRuns: 300 },
    );
  });
});

describe('differences on the wire', () => {
  it('are refused when they are forged, of another room, or too large', () => {
    const good = JSON.stringify(diff({ count: 1, joins: [person(1)] }));
    assert.notEqual(parseWireDiff('lobby', good), undefined);
    assert.equal(parseWireDiff('den', good), undefined);
    assert.equal(parseWireDiff('lobby', 'not json'), undefined);
    assert.equal(parseWireDiff('lobby', '[]'), undefined);
    assert.equal(parseWireDiff('lobby', JSON.stringify(diff({ count: -1 }))), undefined);
    assert.equal(parseWireDiff('lobby', `${' '.repeat(1_100_000)}${good}`), undefined);
  });
});
