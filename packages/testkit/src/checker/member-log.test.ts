import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import fc from 'fast-check';
import { MemberLog } from './member-log.ts';

const entry = (seq: number, more: Partial<Entry> = {}): Entry => ({
  room: 'r',
  epoch: 'e',
  seq,
  ts: 1_000 + seq,
  n: seq,
  type: 'text',
  from: { id: 'u', name: 'U' },
  clientMsgId: `m-${seq}`,
  text: `text ${seq}`,
  ...more,
});

/** The log of a member that joined at head 10 and then received these seqs. */
function logOf(seqs: readonly number[], options: { entriesMax?: number } = {}) {
  const log = new MemberLog({ epoch: 'e', head: 10, ...options });
  const kinds = seqs.map((seq) => log.record(entry(seq)));
  return { log, kinds };
}

const CLEAN = { missing: 0, duplicated: 0, outOfOrder: 0, foreign: 0 };

test('every seq after the head, once and in order, is correct', () => {
  const { log, kinds } = logOf([11, 12, 13]);
  assert.deepEqual(new Set(kinds), new Set(['in_order']));
  assert.deepEqual(log.violations(13), CLEAN);
  assert.deepEqual(log.position(), { epoch: 'e', seq: 13 });
  assert.equal(log.delivered(), 3);
});

test('counts a lost message, in the middle and at the end', () => {
  assert.deepEqual(logOf([11, 13]).log.violations(13), { ...CLEAN, missing: 1 });
  assert.deepEqual(logOf([11, 12]).log.violations(14), { ...CLEAN, missing: 2 });
  assert.deepEqual(logOf([]).log.violations(12), { ...CLEAN, missing: 2 });
});

test('counts a message that arrives again or that the join included as duplicated', () => {
  assert.deepEqual(logOf([11, 11, 12]).log.violations(12), { ...CLEAN, duplicated: 1 });
  assert.deepEqual(logOf([10, 11]).log.violations(11), { ...CLEAN, duplicated: 1 });
});

test('counts a swap only as out of order', () => {
  const { log, kinds } = logOf([11, 13, 12, 14]);
  assert.deepEqual(kinds, ['in_order', 'ahead', 'late', 'in_order']);
  assert.deepEqual(log.violations(14), { ...CLEAN, outOfOrder: 1 });
});

test('counts an entry of an epoch that was not announced', () => {
  const { log } = logOf([11]);
  assert.equal(log.record(entry(12, { epoch: 'f' })), 'foreign');
  assert.deepEqual(log.violations(11), { ...CLEAN, foreign: 1 });
});

test('continues from the new head after a rollback', () => {
  const { log } = logOf([11, 12, 13]);
  log.epochChanged('f', 11);
  assert.equal(log.record(entry(12, { epoch: 'f' })), 'in_order');
  assert.deepEqual(log.violations(12), CLEAN);
  assert.equal(log.received(13), undefined);
  assert.notEqual(log.received(11), undefined);
});

test('expects entries that survived a rollback', () => {
  const { log } = logOf([11]);
  log.epochChanged('f', 13);
  log.record(entry(14, { epoch: 'f' }));
  assert.deepEqual(log.violations(14), { ...CLEAN, missing: 2 });
});

test('entries that survived a rollback may arrive after its announcement', () => {
  const { log } = logOf([11]);
  log.epochChanged('f', 13);
  for (const seq of [12, 13, 14]) assert.equal(log.record(entry(seq, { epoch: 'f' })), 'in_order');
  assert.deepEqual(log.violations(14), CLEAN);
});

test('does not expect entries of a declared gap', () => {
  const { log } = logOf([11]);
  log.skipTo('e', 2_000);
  assert.equal(log.record(entry(2_001)), 'in_order');
  assert.deepEqual(log.violations(2_001), CLEAN);
  assert.equal(log.auditAfter(), 2_000);
});

test('forgets audited contents, but no violations', () => {
  const { log } = logOf([11, 11, 13, 14]);
  log.forget(13);
  assert.equal(log.auditAfter(), 13);
  assert.equal(log.received(13), undefined);
  assert.notEqual(log.received(14), undefined);
  assert.deepEqual(log.violations(14), { ...CLEAN, missing: 1, duplicated: 1 });
});

test('bounds its memory and keeps its counts', () => {
  const every3rd = Array.from({ length: 3_000 }, (_, index) => 10 + 3 * (index + 1));
  const { log } = logOf(every3rd, { entriesMax: 100 });
  assert.equal(log.violations(9_010).missing, 6_000);
  assert.equal(log.received(13), undefined);
  assert.notEqual(log.received(9_010), undefined);
  assert.equal(log.auditAfter(), 9_010 - 3 * 100);
});

test('counts like a simple reader for any losses, duplicates and shuffles', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 5, max: 40 }), { maxLength: 60 }), (seqs) => {
      const { log } = logOf(seqs);
      const seen = new Set<number>();
      let highest = 10;
      let duplicated = 0;
      let outOfOrder = 0;
      for (const seq of seqs) {
        if (seq <= 10 || seen.has(seq)) duplicated++;
        else if (seq < highest) outOfOrder++;
        if (seq > 10) seen.add(seq);
        highest = Math.max(highest, seq);
      }
      const missing = 30 - seen.size;
      assert.deepEqual(log.violations(40), { missing, duplicated, outOfOrder, foreign: 0 });
    }),
  );
});
