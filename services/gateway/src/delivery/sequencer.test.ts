import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Sequencer, type SequencerEffect, type SequencerEvent } from './sequencer.ts';

interface Entry {
  seq: number;
  epoch: string;
}

const entry = (seq: number, epoch = '1.a'): Entry => ({ seq, epoch });

/** Runs events and returns what was delivered. If `log` is given, it answers backfills at once. */
function run(
  feed: Sequencer<Entry>,
  event: SequencerEvent<Entry>,
  log?: { epoch: string; base: number; entries: Entry[]; first?: number },
) {
  const delivered: number[] = [];
  const effects: Array<SequencerEffect<Entry>> = feed.step(event);
  const others: Array<SequencerEffect<Entry>> = [];
  for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
    if (effect.type === 'deliver') delivered.push(effect.entry.seq);
    else if ((effect.type === 'backfill' || effect.type === 'backfillLater') && log !== undefined) {
      const { after } = effect;
      const entries = log.entries.filter(({ seq }) => seq > after).slice(0, 3);
      const head = log.entries.at(-1)?.seq ?? 0;
      effects.push(
        ...feed.step({ type: 'backfilled', epoch: log.epoch, base: log.base, head, first: log.first ?? 1, entries }),
      );
    } else others.push(effect);
  }
  return { delivered, others };
}

test('delivers entries that arrive in order', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 4 });
  assert.deepEqual(run(feed, { type: 'announced', entry: entry(5) }).delivered, [5]);
  assert.deepEqual(run(feed, { type: 'announced', entry: entry(6) }).delivered, [6]);
});

test('drops a duplicate', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 4 });
  run(feed, { type: 'announced', entry: entry(5) });
  assert.deepEqual(run(feed, { type: 'announced', entry: entry(5) }), { delivered: [], others: [] });
});

test('holds entries after a gap, backfills once, and delivers in order', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 4 });
  assert.deepEqual(run(feed, { type: 'announced', entry: entry(7) }).others, [{ type: 'backfill', after: 4 }]);
  assert.deepEqual(run(feed, { type: 'announced', entry: entry(8) }).others, [], 'one read at a time');
  const filled = run(feed, {
    type: 'backfilled',
    epoch: '1.a',
    base: 0,
    head: 8,
    first: 1,
    entries: [entry(5), entry(6)],
  });
  assert.deepEqual(filled, { delivered: [5, 6, 7, 8], others: [] });
});

test('finds a lost last message when it observes the head', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 4 });
  const log = { epoch: '1.a', base: 0, entries: [5, 6].map((seq) => entry(seq)) };
  assert.deepEqual(run(feed, { type: 'observed', epoch: '1.a', base: 0, head: 6 }, log).delivered, [5, 6]);
});

test('announces the epoch of a rolled back log before its first new entry', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 10 });
  const { others } = run(feed, { type: 'observed', epoch: '2.b', base: 6, head: 6 });
  assert.deepEqual(others, [{ type: 'newEpoch', epoch: '2.b', head: 6 }]);
  assert.deepEqual(run(feed, { type: 'announced', entry: entry(7, '2.b') }).delivered, [7]);
});

test('delivers surviving entries after the new epoch is announced', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 3 });
  const log = { epoch: '2.b', base: 6, entries: [4, 5, 6, 7].map((seq) => entry(seq, '2.b')) };
  const { delivered, others } = run(feed, { type: 'observed', epoch: '2.b', base: 6, head: 7 }, log);
  assert.deepEqual(others, [{ type: 'newEpoch', epoch: '2.b', head: 6 }]);
  assert.deepEqual(delivered, [4, 5, 6, 7]);
});

test('ignores a late read of an earlier epoch', () => {
  const feed = new Sequencer<Entry>({ epoch: '2.b', head: 6 });
  assert.deepEqual(run(feed, { type: 'observed', epoch: '1.a', base: 0, head: 10 }), { delivered: [], others: [] });
  assert.deepEqual(run(feed, { type: 'announced', entry: entry(11, '1.a') }), { delivered: [], others: [] });
});

test('reports a trimmed gap instead of skipping it', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 4 });
  const log = { epoch: '1.a', base: 0, first: 8, entries: [8, 9].map((seq) => entry(seq)) };
  const { delivered, others } = run(feed, { type: 'observed', epoch: '1.a', base: 0, head: 9 }, log);
  assert.deepEqual(others, [{ type: 'lost', upTo: 7 }]);
  assert.deepEqual(delivered, [8, 9]);
});

test('retries a failed backfill', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 4 });
  run(feed, { type: 'announced', entry: entry(7) });
  feed.step({ type: 'backfillFailed' });
  assert.deepEqual(feed.retry(), [{ type: 'backfill', after: 4 }]);
});

test('delivers every seq once and in order if announcements are reordered, lost or doubled', () => {
  const length = 40;
  const noise = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('announce' as const), seq: fc.integer({ min: 1, max: length }) }),
      fc.record({ kind: fc.constant('observe' as const), seq: fc.integer({ min: 0, max: length }) }),
      fc.record({ kind: fc.constant('fail' as const), seq: fc.constant(0) }),
    ),
    { maxLength: 120 },
  );
  fc.assert(
    fc.property(noise, (events) => {
      const feed = new Sequencer<Entry>({ epoch: '1.a', head: 0 });
      const delivered: number[] = [];
      let pending: number | undefined;
      const carryOut = (effects: Array<SequencerEffect<Entry>>) => {
        for (const effect of effects) {
          if (effect.type === 'deliver') delivered.push(effect.entry.seq);
          else if (effect.type === 'backfill' || effect.type === 'backfillLater') {
            assert.equal(pending, undefined, 'one fill at a time');
            pending = effect.after;
          } else assert.fail(`unexpected ${effect.type}`);
        }
      };
      // The log grows as entries are announced. A backfill shows its content at that time.
      let head = 0;
      const answer = () => {
        const after = pending as number;
        pending = undefined;
        const entries = Array.from({ length: Math.max(0, Math.min(head, after + 7) - after) }, (_, i) =>
          entry(after + 1 + i),
        );
        carryOut(feed.step({ type: 'backfilled', epoch: '1.a', base: 0, head, first: 1, entries }));
      };
      for (const event of events) {
        if (event.kind === 'announce') {
          head = Math.max(head, event.seq);
          carryOut(feed.step({ type: 'announced', entry: entry(event.seq) }));
        } else if (event.kind === 'observe') {
          head = Math.max(head, event.seq);
          carryOut(feed.step({ type: 'observed', epoch: '1.a', base: 0, head }));
        } else if (pending !== undefined) {
          pending = undefined;
          carryOut(feed.step({ type: 'backfillFailed' }));
          carryOut(feed.retry());
        }
        if (pending !== undefined && event.seq % 3 === 0) answer();
      }
      while (pending !== undefined) answer();
      assert.deepEqual(
        delivered,
        Array.from({ length: head }, (_, i) => i + 1),
      );
    }),
    { numRuns: 500, verbose: 1 },
  );
});

test('retries with pauses if an announced entry is not in the log, then gives up', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 4 });
  run(feed, { type: 'announced', entry: entry(500) });
  const looks: string[] = [];
  for (let i = 0; i < 10 && feed.backfilling; i++) {
    const { others } = run(feed, { type: 'backfilled', epoch: '1.a', base: 0, head: 4, first: 1, entries: [] });
    looks.push(...others.map(({ type }) => type));
  }
  assert.deepEqual(looks, ['backfillLater', 'backfillLater', 'backfillLater']);
  assert.equal(feed.held.size, 0);
  assert.deepEqual(run(feed, { type: 'announced', entry: entry(5) }).delivered, [5]);
});

test('members have to resume if this node missed an epoch', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 10 });
  const { others } = run(feed, { type: 'observed', epoch: '3.c', base: 8, head: 8 });
  assert.deepEqual(
    others.map(({ type }) => type),
    ['lost', 'newEpoch'],
  );
});

test('a held entry before a deletion is dropped, and a read that was made before it is made again', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 4 });
  const page = { type: 'backfilled', epoch: '1.a', base: 0, first: 1 } as const;
  run(feed, { type: 'announced', entry: entry(6) });
  run(feed, { type: 'erased', epoch: '1.a', seq: 7 });
  run(feed, { type: 'announced', entry: entry(7) });
  assert.deepEqual([...feed.held.keys()], [7]);
  const stale = run(feed, { ...page, head: 6, entries: [entry(5), entry(6)] });
  assert.deepEqual(stale, { delivered: [], others: [{ type: 'backfill', after: 4 }] });
  const filled = run(feed, { ...page, head: 7, entries: [entry(5), entry(6)] });
  assert.deepEqual(filled, { delivered: [5, 6, 7], others: [] });
});

test('a deletion that reads never find does not stop delivery', () => {
  const feed = new Sequencer<Entry>({ epoch: '1.a', head: 4 });
  run(feed, { type: 'erased', epoch: '1.a', seq: 1_000 });
  run(feed, { type: 'announced', entry: entry(6) });
  const log = { epoch: '1.a', base: 0, entries: [entry(5), entry(6)] };
  const { delivered } = run(feed, { type: 'backfilled', head: 6, first: 1, ...log }, log);
  assert.deepEqual(delivered, [5, 6]);
  run(feed, { type: 'erased', epoch: '0.z', seq: 2_000 });
  run(feed, { type: 'announced', entry: entry(8) });
  const last = { epoch: '1.a', base: 0, entries: [entry(7), entry(8)] };
  assert.deepEqual(run(feed, { type: 'backfilled', head: 8, first: 1, ...last }).delivered, [7, 8]);
});
