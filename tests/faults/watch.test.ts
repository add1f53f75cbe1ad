import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreState } from './fault.ts';
import type { Answer } from './outbox.ts';
import { createWatch, type WatchedMember } from './watch.ts';

/** The store is gone from 1,000 to 5,000. */
function watched(
  answers: Array<Partial<Answer>>,
  members: Array<Partial<WatchedMember>> = [{}],
  store: StoreState = 'gone',
  ownLagMs = 0,
) {
  const watch = createWatch(store);
  watch.began(1_000);
  const before = answers.filter(({ sentAtMs = 0 }) => sentAtMs <= 5_000);
  for (const answer of before)
    watch.answered({ member: 'x', kind: 'send', sentAtMs: 2_000, tookMs: 10, outcome: 'unavailable', ...answer });
  watch.lifting(5_000);
  for (const answer of answers.filter((one) => !before.includes(one)))
    watch.answered({ member: 'x', kind: 'send', sentAtMs: 0, tookMs: 10, outcome: 'stored', ...answer });
  return watch.finish(
    members.map((member) => ({ user: 'x', connectedAtMs: 0, ready: true, degradedAtMs: 2_500, ...member })),
    ownLagMs,
  );
}

const early = { sentAtMs: 1_200, tookMs: 300 };

test('accepts a correct outage and reports its times', () => {
  const result = watched([early, { outcome: 'cut', tookMs: 4_000 }, { sentAtMs: 6_000, outcome: 'stored' }]);
  assert.deepEqual(result, { violations: [], firstErrorMs: 500, slowestAnswerMs: 300, degradedMs: 1_500 });
});

test('accepts an acknowledgement of a message that was in flight', () => {
  assert.deepEqual(watched([early, { sentAtMs: 990, tookMs: 40, outcome: 'stored' }]).violations, []);
});

test('reports an acknowledgement while the store is gone', () => {
  assert.match(watched([early, { sentAtMs: 3_000, outcome: 'stored' }]).violations.join(), /I1: 1 messages/);
  assert.match(watched([early, { sentAtMs: 3_000, outcome: 'duplicate' }]).violations.join(), /I1: 1 messages/);
});

test('reports an answer that is late or missing', () => {
  assert.match(watched([early, { tookMs: 1_800 }]).violations.join(), /deadline: x waited 1800 ms/);
  assert.match(
    watched([early, { tookMs: 2_900, outcome: 'silent' }]).violations.join(),
    /deadline: x waited 2900 ms \(silent\)/,
  );
});

test('reports a late or missing first error', () => {
  assert.match(watched([]).violations.join(), /deadline: the first error came after no ms/);
  assert.match(watched([{ sentAtMs: 3_000 }]).violations.join(), /deadline: the first error came after 2010 ms/);
});

test('reports a member that is notified late or never', () => {
  assert.match(watched([early], [{ degradedAtMs: undefined }]).violations.join(), /degraded: x was not notified/);
  assert.match(watched([early], [{ degradedAtMs: 500 }]).violations.join(), /degraded: x was not notified/);
  assert.match(watched([early], [{ degradedAtMs: 4_000 }]).violations.join(), /degraded: x was notified after 3000 ms/);
  assert.deepEqual(watched([early], [{ connectedAtMs: 2_000, degradedAtMs: undefined }]).violations, []);
});

test('accepts acknowledgements of a failing store, and checks everything else', () => {
  const taken = { sentAtMs: 3_000, outcome: 'stored' } as const;
  assert.deepEqual(watched([early, taken], [{}], 'failing').violations, []);
  assert.match(watched([early, { tookMs: 1_800 }], [{}], 'failing').violations.join(), /x waited 1800 ms/);
  assert.match(watched([early], [{ degradedAtMs: undefined }], 'failing').violations.join(), /x was not notified/);
});

test('adds its own event-loop delay to the allowed times', () => {
  assert.deepEqual(watched([early, { tookMs: 1_800 }], [{ degradedAtMs: 3_700 }], 'gone', 400).violations, []);
  assert.match(watched([early, { tookMs: 2_000 }], [{}], 'gone', 400).violations.join(), /x waited 2000 ms/);
});

test('accepts an end of the outage that is reported later', () => {
  const watch = createWatch('gone');
  watch.began(1_000);
  watch.answered({ member: 'x', kind: 'send', sentAtMs: 1_100, tookMs: 20, outcome: 'unavailable' });
  watch.answered({ member: 'x', kind: 'send', sentAtMs: 4_000, tookMs: 20, outcome: 'stored' });
  watch.lifting(3_900);
  assert.deepEqual(watch.finish([]).violations, []);
});

test('checks nothing while the store is fine', () => {
  assert.deepEqual(watched([{ tookMs: 9_000 }], [{ degradedAtMs: undefined }], 'fine').violations, []);
});

test('reports every late or failed answer if the store is unaffected', () => {
  const found = (answer: Partial<Answer>) => watched([answer], [{}], 'unaffected').violations.join();
  assert.equal(found({ outcome: 'stored' }), '');
  assert.match(found({ outcome: 'unavailable' }), /send of x took 10 ms \(unavailable\)/);
  assert.match(found({ outcome: 'stored', tookMs: 1_600 }), /send of x took 1600 ms \(stored\)/);
});
