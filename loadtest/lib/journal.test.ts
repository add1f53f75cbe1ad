import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import fc from 'fast-check';
import { createJournal } from './journal.ts';

const entry = (seq: number, more: Partial<Entry> = {}): Entry => ({
  room: 'r',
  epoch: 'e',
  seq,
  ts: 1_000 + seq,
  type: 'text',
  from: { id: 'u', name: 'U' },
  clientMsgId: `m-${seq}`,
  text: `text ${seq}`,
  ...more,
});

/** A journal of a member that joined at head 10 and was then given these numbers. */
function journalOf(seqs: readonly number[], options: { entriesMax?: number } = {}) {
  const journal = createJournal({ epoch: 'e', head: 10, ...options });
  const kinds = seqs.map((seq) => journal.record(entry(seq)));
  return { journal, kinds };
}

const CLEAN = { missing: 0, duplicated: 0, outOfOrder: 0, foreign: 0 };

test('every number after the head, once, in order, is no violation', () => {
  const { journal, kinds } = journalOf([11, 12, 13]);
  assert.deepEqual(new Set(kinds), new Set(['in_order']));
  assert.deepEqual(journal.violations(13), CLEAN);
  assert.deepEqual(journal.position(), { epoch: 'e', seq: 13 });
  assert.equal(journal.delivered(), 3);
});

test('a lost message is missing, in the middle and at the end', () => {
  assert.deepEqual(journalOf([11, 13]).journal.violations(13), { ...CLEAN, missing: 1 });
  assert.deepEqual(journalOf([11, 12]).journal.violations(14), { ...CLEAN, missing: 2 });
  assert.deepEqual(journalOf([]).journal.violations(12), { ...CLEAN, missing: 2 });
});

test('a message that comes again is duplicated, and so is one that the join had covered', () => {
  assert.deepEqual(journalOf([11, 11, 12]).journal.violations(12), { ...CLEAN, duplicated: 1 });
  assert.deepEqual(journalOf([10, 11]).journal.violations(11), { ...CLEAN, duplicated: 1 });
});

test('a swap is out of order, and neither missing nor doubled', () => {
  const { journal, kinds } = journalOf([11, 13, 12, 14]);
  assert.deepEqual(kinds, ['in_order', 'ahead', 'late', 'in_order']);
  assert.deepEqual(journal.violations(14), { ...CLEAN, outOfOrder: 1 });
});

test('an entry under an epoch that nobody announced is foreign', () => {
  const { journal } = journalOf([11]);
  assert.equal(journal.record(entry(12, { epoch: 'f' })), 'foreign');
  assert.deepEqual(journal.violations(11), { ...CLEAN, foreign: 1 });
});

test('after an announced roll-back the log goes on from its new head', () => {
  const { journal } = journalOf([11, 12, 13]);
  journal.epochChanged('f', 11);
  assert.equal(journal.record(entry(12, { epoch: 'f' })), 'in_order');
  assert.deepEqual(journal.violations(12), CLEAN);
  assert.equal(journal.received(13), undefined);
  assert.notEqual(journal.received(11), undefined);
});

test('what survived a roll-back and had not come is still owed', () => {
  const { journal } = journalOf([11]);
  journal.epochChanged('f', 13);
  journal.record(entry(14, { epoch: 'f' }));
  assert.deepEqual(journal.violations(14), { ...CLEAN, missing: 2 });
});

test('a hole that the server declared is owed by nobody', () => {
  const { journal } = journalOf([11]);
  journal.skipTo('e', 2_000);
  assert.equal(journal.record(entry(2_001)), 'in_order');
  assert.deepEqual(journal.violations(2_001), CLEAN);
  assert.equal(journal.auditAfter(), 2_000);
});

test('what was audited is forgotten, and its violations are not', () => {
  const { journal } = journalOf([11, 11, 13, 14]);
  journal.forget(13);
  assert.equal(journal.auditAfter(), 13);
  assert.equal(journal.received(13), undefined);
  assert.notEqual(journal.received(14), undefined);
  assert.deepEqual(journal.violations(14), { ...CLEAN, missing: 1, duplicated: 1 });
});

test('memory is bounded: old contents and old holes are given up, counts are not', () => {
  const every3rd = Array.from({ length: 3_000 }, (_, index) => 10 + 3 * (index + 1));
  const { journal } = journalOf(every3rd, { entriesMax: 100 });
  assert.equal(journal.violations(9_010).missing, 6_000);
  assert.equal(journal.received(13), undefined);
  assert.notEqual(journal.received(9_010), undefined);
  assert.equal(journal.auditAfter(), 9_010 - 3 * 100);
});

test('for any losses, doubles and shuffles the counts are those of a naive reader', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 5, max: 40 }), { maxLength: 60 }), (seqs) => {
      const { journal } = journalOf(seqs);
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
      assert.deepEqual(journal.violations(40), { missing, duplicated, outOfOrder, foreign: 0 });
    }),
  );
});
