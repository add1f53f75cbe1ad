import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HELD_ENTRIES_MAX, newRoom, STALLED_READS_MAX, stepRoom } from './room-order.ts';
import type { RoomEffect, RoomInput, RoomState } from './room-state.ts';
import { entry, joined, page, range } from './testing/entries.ts';

/** Runs inputs in order, and records the output in a form that is easy to compare. */
function run(inputs: RoomInput[], from: RoomState = newRoom()) {
  let state = from;
  const out: RoomEffect[] = [];
  for (const input of inputs) {
    const step = stepRoom(state, input);
    state = step.state;
    out.push(...step.effects);
  }
  const surface = out.flatMap<number | string>((effect) =>
    effect.do === 'deliver' ? effect.entries.map(({ seq }) => seq) : [effect.do],
  );
  return { state, surface, effects: out };
}

const live = (head: number): RoomState =>
  run([{ type: 'joined', data: joined(range(1, head), head), wanted: head }]).state;
const upTo = (n: number) => range(1, n).map(({ seq }) => seq);
const seen = (seq: number, epoch = 'e1'): RoomInput => ({ type: 'entry', entry: entry(seq, epoch) });

it('delivers the entries of a join, then later ones', () => {
  const { surface, state } = run([{ type: 'joined', data: joined(range(4, 5), 5), wanted: 2 }, seen(6), seen(7)]);
  assert.deepEqual(surface, [4, 5, 6, 7]);
  assert.deepEqual(state.position, { epoch: 'e1', seq: 7 });
});

it('reads entries that the answer to a join lacks, and delivers them in order', () => {
  const step = stepRoom(newRoom(), { type: 'joined', data: joined(range(98, 100), 100), wanted: 50 });
  assert.deepEqual(step.effects, [
    { do: 'read-after', readId: 1, position: { epoch: 'e1', seq: 50 }, missing: null, stalledReads: 0 },
  ]);
  const rest: RoomInput[] = [
    { type: 'page', readId: 1, data: page(range(51, 90), { hasMore: true }) },
    seen(101),
    { type: 'page', readId: 2, data: page(range(91, 100), { hasMore: true }) },
  ];
  const { surface, state } = run(rest, step.state);
  assert.deepEqual(surface, [
    ...range(51, 90).map(({ seq }) => seq),
    'read-after',
    ...range(91, 101).map((e) => e.seq),
  ]);
  assert.equal(state.phase, 'live');
});

it('never mistakes a room with entries for an empty one', () => {
  const empty: RoomInput = { type: 'joined', data: joined([], 9), wanted: 50 };
  assert.deepEqual(run([empty, { type: 'page', readId: 1, data: page(range(1, 9)) }]).surface, [
    'read-after',
    ...upTo(9),
  ]);
  // The same for an answer with a position, recovered or not.
  const again: RoomInput[] = [{ type: 'offline' }, empty];
  assert.deepEqual(run(again, live(5)).surface, ['read-after']);
  const lost = { ...joined([], 9), recovered: false as const, reason: 'too_far' as const };
  const unrecovered: RoomInput[] = [{ type: 'offline' }, { type: 'joined', data: lost, wanted: 50 }];
  const newest: RoomInput = { type: 'page', readId: 1, data: page(range(8, 9)) };
  assert.deepEqual(run([...unrecovered, newest], live(5)).surface, ['read-newest', 'gap', 8, 9]);
});

it('shows an empty room, and one whose entries are no longer kept, without a read', () => {
  assert.deepEqual(run([{ type: 'joined', data: joined([], 0), wanted: 50 }]).surface, []);
  const trimmed = { ...joined([], 9), first: 10 };
  const { surface, state } = run([{ type: 'joined', data: trimmed, wanted: 50 }]);
  assert.deepEqual(surface, []);
  assert.equal(state.position?.seq, 9);
});

it('reads the log if its known head does not arrive', () => {
  const { surface } = run([{ type: 'behind' }, { type: 'page', readId: 1, data: page(range(6, 8)) }], live(5));
  assert.deepEqual(surface, ['read-after', 6, 7, 8]);
});

it('delivers a duplicate entry once', () => {
  assert.deepEqual(run([seen(6), seen(6), seen(5), seen(7)], live(5)).surface, [6, 7]);
});

it('holds entries after a gap until the gap is backfilled', () => {
  const { surface } = run([seen(8), seen(9), { type: 'page', readId: 1, data: page(range(6, 8)) }], live(5));
  assert.deepEqual(surface, ['read-after', 6, 7, 8, 9]);
});

it('reads pages while the log has more', () => {
  const { surface } = run(
    [
      seen(9),
      { type: 'page', readId: 1, data: page(range(6, 7), { hasMore: true }) },
      { type: 'page', readId: 2, data: page(range(8, 9)) },
    ],
    live(5),
  );
  assert.deepEqual(surface, ['read-after', 6, 7, 'read-after', 8, 9]);
});

it('ignores the answer of an outdated read', () => {
  const { surface } = run([seen(8), { type: 'page', readId: 7, data: page(range(6, 8)) }], live(5));
  assert.deepEqual(surface, ['read-after']);
});

it('reports a gap that is no longer kept', () => {
  const { surface } = run([seen(20), { type: 'page', readId: 1, data: page(range(15, 20), { first: 15 }) }], live(5));
  assert.deepEqual(surface, ['read-after', 'gap', 15, 16, 17, 18, 19, 20]);
});

it('keeps its position while offline and ignores entries', () => {
  const { surface, state } = run([seen(6), { type: 'offline' }, seen(7)], live(5));
  assert.deepEqual(surface, [6]);
  assert.deepEqual(state, { phase: 'waiting', position: { epoch: 'e1', seq: 6 }, readId: 0 });
});

it('continues with the missed entries after a resume', () => {
  const resumed: RoomInput = { type: 'resumed', answer: { recovered: true, epoch: 'e1', head: 8, n: 8, first: 1 } };
  assert.deepEqual(
    run([{ type: 'offline' }, resumed, seen(6), seen(7), seen(8), seen(9)], live(5)).surface,
    [6, 7, 8, 9],
  );
});

it('reports a gap and delivers the newest page if a resume does not recover', () => {
  const resumed: RoomInput = {
    type: 'resumed',
    answer: { recovered: false, reason: 'too_far', epoch: 'e1', head: 5_000, n: 5_000, first: 1 },
  };
  const { surface } = run(
    [{ type: 'offline' }, resumed, seen(5_001), { type: 'page', readId: 1, data: page(range(4_999, 5_000)) }],
    live(5),
  );
  assert.deepEqual(surface, ['read-newest', 'gap', 4_999, 5_000, 5_001]);
});

it('keeps the old position until the newest page arrives', () => {
  const resumed: RoomInput = {
    type: 'resumed',
    answer: { recovered: false, reason: 'too_far', epoch: 'e1', head: 5_000, n: 5_000, first: 1 },
  };
  const { state } = run([{ type: 'offline' }, resumed, { type: 'offline' }], live(5));
  assert.deepEqual(state.position, { epoch: 'e1', seq: 5 });
});

it('treats a join with a position like a resume', () => {
  const recovered = { ...joined(range(6, 8), 8), recovered: true as const };
  assert.deepEqual(
    run([{ type: 'offline' }, { type: 'joined', data: recovered, wanted: 3 }], live(5)).surface,
    [6, 7, 8],
  );
  const lost = { ...joined(range(97, 99), 99), recovered: false as const, reason: 'trimmed' as const };
  assert.deepEqual(run([{ type: 'offline' }, { type: 'joined', data: lost, wanted: 3 }], live(5)).surface, [
    'gap',
    97,
    98,
    99,
  ]);
});

it('reports the extent of a rollback and continues in the new epoch', () => {
  const { surface, state } = run([{ type: 'epoch', epoch: 'e2', head: 3 }, seen(4, 'e2'), seen(5, 'e2')], live(5));
  assert.deepEqual(surface, ['rollback', 4, 5]);
  assert.deepEqual(state.position, { epoch: 'e2', seq: 5 });
});

it('reads surviving entries that it has not delivered', () => {
  const { surface } = run(
    [
      { type: 'epoch', epoch: 'e2', head: 7 },
      { type: 'page', readId: 1, data: page(range(6, 7, 'e2')) },
      seen(8, 'e2'),
    ],
    live(5),
  );
  assert.deepEqual(surface, ['rollback', 'read-after', 6, 7, 8]);
});

it('restarts from the newest entries if an entry of an unknown epoch arrives', () => {
  const { surface } = run([seen(4, 'e2'), { type: 'page', readId: 1, data: page(range(1, 4, 'e2')) }], live(5));
  assert.deepEqual(surface, ['read-newest', 'gap', 1, 2, 3, 4]);
});

it('restarts from the newest entries if a read is refused because of the epoch', () => {
  const { surface } = run(
    [seen(9), { type: 'page-conflict', readId: 1 }, { type: 'page', readId: 2, data: page(range(1, 3, 'e2')) }],
    live(5),
  );
  assert.deepEqual(surface, ['read-after', 'read-newest', 'gap', 1, 2, 3]);
});

it('reports an unreadable gap after several reads', () => {
  let state = stepRoom(live(5), seen(9)).state;
  const surface: string[] = [];
  for (let i = 0; i < 20 && state.phase === 'backfilling'; i++) {
    const data = state.want.kind === 'after' ? page([]) : page(range(9, 9));
    const step = stepRoom(state, { type: 'page', readId: state.readId, data });
    state = step.state;
    surface.push(...step.effects.map((effect) => effect.do));
  }
  assert.equal(state.phase, 'live');
  assert.equal(state.position?.seq, 9);
  assert.equal(surface.filter((effect) => effect === 'read-after').length, STALLED_READS_MAX - 1);
  assert.ok(surface.includes('gap'));
});

it('limits held entries and reads the rest from the log', () => {
  let state = stepRoom(live(0), seen(2)).state;
  for (let seq = 3; seq < HELD_ENTRIES_MAX + 50; seq++) state = stepRoom(state, seen(seq)).state;
  assert.equal(state.phase === 'backfilling' && state.held.length, HELD_ENTRIES_MAX);
  const step = stepRoom(state, { type: 'page', readId: 1, data: page(range(1, 200), { hasMore: true }) });
  assert.equal(step.state.position?.seq, HELD_ENTRIES_MAX + 1);
  assert.equal(step.effects.at(-1)?.do, 'read-after', 'what was let go must still be read');
});
