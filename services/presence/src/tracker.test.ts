import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  DEFAULT_PROFILE,
  dueAtOf,
  isNewer,
  type Profile,
  type Stamp,
  shownOf,
  step,
  type Timing,
  type TrackerEvent,
  type UserRecord,
} from './tracker.ts';

const timing: Timing = { graceMs: 6_000, forgetMs: 8_000 };
const user = { id: 'mina', name: 'Mina' };
const at = (epoch: number, seq: number): Stamp => ({ epoch, seq });
const enter = (node: string, stamp: Stamp, profile: Profile = DEFAULT_PROFILE): TrackerEvent => ({
  type: 'enter',
  node,
  stamp,
  user,
  profile,
});
const leave = (node: string, stamp: Stamp): TrackerEvent => ({ type: 'leave', node, stamp });

function play(steps: Array<[number, TrackerEvent]>): UserRecord | undefined {
  let record: UserRecord | undefined;
  for (const [now, event] of steps) record = step(record, event, now, timing);
  return record;
}

describe('tracker', () => {
  it('shows a user who entered', () => {
    assert.deepEqual(shownOf(play([[0, enter('a', at(1, 1))]]), 0, timing), { ...user, status: 'online' });
  });

  it('counts the grace period from now if the clock was set back', () => {
    const left = play([
      [90_000, enter('a', at(1, 1))],
      [91_000, leave('a', at(1, 2))],
    ]);
    const ticked = step(left, { type: 'tick' }, 1_000, timing);
    assert.equal(dueAtOf(ticked, 1_000, timing), 1_000 + timing.graceMs);
    assert.equal(shownOf(ticked, 1_000 + timing.graceMs, timing), undefined);
  });

  it('shows a user until the grace period ends', () => {
    const record = play([
      [0, enter('a', at(1, 1))],
      [1_000, leave('a', at(1, 2))],
    ]);
    assert.equal(dueAtOf(record, 1_000, timing), 7_000);
    assert.notEqual(shownOf(record, 6_999, timing), undefined);
    assert.equal(shownOf(record, 7_000, timing), undefined);
    assert.equal(dueAtOf(record, 7_000, timing), 9_000);
    assert.equal(step(record, { type: 'tick' }, 9_000, timing), undefined);
  });

  it('shows a user who is on one of two nodes', () => {
    const record = play([
      [0, enter('a', at(1, 1))],
      [0, enter('b', at(5, 1))],
      [10, leave('a', at(1, 2))],
    ]);
    assert.equal(dueAtOf(record, 10, timing), undefined);
    assert.notEqual(shownOf(record, 1e9, timing), undefined);
  });

  it('ignores an enter that a leave overtook', () => {
    const record = play([
      [0, enter('a', at(1, 1))],
      [10, leave('a', at(1, 2))],
      [20, enter('a', at(1, 1))],
    ]);
    assert.equal(shownOf(record, 6_010, timing), undefined);
  });

  it('removes a dead epoch and not a newer one', () => {
    const dead = play([
      [0, enter('a', at(1, 1))],
      [10, { type: 'gone', node: 'a', epoch: 1 }],
    ]);
    assert.equal(shownOf(dead, 6_010, timing), undefined);
    const renewed = play([
      [0, enter('a', at(1, 1))],
      [5, enter('a', at(2, 1))],
      [10, { type: 'gone', node: 'a', epoch: 1 }],
    ]);
    assert.notEqual(shownOf(renewed, 1e9, timing), undefined);
  });

  it('hides an invisible user, and keeps the newest status in any order', () => {
    const invisible: Profile = { status: 'invisible', version: 7 };
    const entered = play([[0, enter('a', at(1, 1), invisible)]]);
    assert.equal(shownOf(entered, 0, timing), undefined);
    const older = step(entered, { type: 'status', profile: { status: 'away', version: 6 } }, 1, timing);
    assert.equal(shownOf(older, 1, timing), undefined);
    const newer = step(older, { type: 'status', profile: { status: 'dnd', text: 'busy', version: 8 } }, 2, timing);
    assert.deepEqual(shownOf(newer, 2, timing), { ...user, status: 'dnd', text: 'busy' });
  });

  it('forgets the status at the end of the visit', () => {
    const record = play([
      [0, enter('a', at(1, 1), { status: 'dnd', version: 7 })],
      [10, leave('a', at(1, 2))],
      [6_500, enter('a', at(1, 3))],
    ]);
    assert.equal(shownOf(record, 6_500, timing)?.status, 'online');
  });

  it('keeps the status of a user who returns within the grace period', () => {
    const record = play([
      [0, enter('a', at(1, 1), { status: 'dnd', version: 7 })],
      [10, leave('a', at(1, 2))],
      [500, enter('b', at(1, 3), DEFAULT_PROFILE)],
    ]);
    assert.equal(shownOf(record, 500, timing)?.status, 'dnd');
  });
});

/** The reports of one node in order, with the times of their delivery and of late repetitions. */
const nodeHistory = (node: string) =>
  fc
    .array(fc.record({ here: fc.boolean(), gapMs: fc.nat(3_000), lateMs: fc.array(fc.nat(4_000), { maxLength: 2 }) }), {
      maxLength: 8,
    })
    .map((reports) => {
      let now = 0;
      return reports.map(({ here, gapMs, lateMs }, index) => {
        now += gapMs;
        const stamp = at(1, index + 1);
        return { here, node, stamp, times: [now, ...lateMs.map((late) => now + late)] };
      });
    });

describe('tracker with repeated and late reports', () => {
  const histories = fc.tuple(nodeHistory('a'), nodeHistory('b'));

  it('ends with exactly the users that are on a node', () => {
    fc.assert(
      fc.property(histories, (nodes) => {
        const deliveries = nodes
          .flat()
          .flatMap(({ here, node, stamp, times }) =>
            times.map((time) => ({ time, event: here ? enter(node, stamp) : leave(node, stamp) })),
          )
          .sort((x, y) => x.time - y.time);
        const record = play(deliveries.map(({ time, event }): [number, TrackerEvent] => [time, event]));
        const end = 1e9;
        const isHere = nodes.some((reports) => reports.at(-1)?.here === true);
        assert.equal(shownOf(step(record, { type: 'tick' }, end, timing), end, timing) !== undefined, isHere);
      }),
      { numRuns: 500 },
    );
  });

  it('never hides a user who was absent for less than the grace period', () => {
    fc.assert(
      fc.property(histories, (nodes) => {
        const moves = nodes
          .flat()
          .map(({ here, node, stamp, times }) => ({ time: times[0] ?? 0, here, node, stamp }))
          .sort((x, y) => x.time - y.time);
        const present = new Map<string, boolean>();
        let record: UserRecord | undefined;
        let awaySince: number | undefined;
        for (const { time, here, node, stamp } of moves) {
          const wasHere = [...present.values()].some(Boolean);
          // Check just before the next move, when the most time has passed.
          if (wasHere || (awaySince !== undefined && time - awaySince < timing.graceMs))
            assert.notEqual(shownOf(record, time, timing), undefined);
          else assert.equal(shownOf(record, time, timing), undefined);
          record = step(record, here ? enter(node, stamp) : leave(node, stamp), time, timing);
          present.set(node, here);
          const isHere = [...present.values()].some(Boolean);
          if (wasHere && !isHere) awaySince = time;
          if (isHere) awaySince = undefined;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('changes nothing when an event is applied twice', () => {
    fc.assert(
      fc.property(histories, fc.nat(10_000), (nodes, lateMs) => {
        let record: UserRecord | undefined;
        let now = 0;
        for (const { here, node, stamp, times } of nodes.flat()) {
          now = Math.max(now, times[0] ?? 0);
          const event = here ? enter(node, stamp) : leave(node, stamp);
          const once = step(record, event, now, timing);
          const late = now + (lateMs % timing.forgetMs);
          assert.deepEqual(step(once, event, late, timing), step(once, { type: 'tick' }, late, timing));
          record = once;
        }
      }),
    );
  });

  it('orders stamps by epoch, then by report', () => {
    assert.equal(isNewer(at(2, 1), at(1, 9)), true);
    assert.equal(isNewer(at(1, 2), at(1, 1)), true);
    assert.equal(isNewer(at(1, 1), at(1, 1)), false);
  });
});
