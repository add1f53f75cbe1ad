import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import { type AuditInput, audit } from './audit.ts';
import { createJournal } from './journal.ts';
import type { Send } from './send-ledger.ts';

const entry = (seq: number, more: Partial<Entry> = {}): Entry => ({
  room: 'r',
  epoch: 'e',
  seq,
  ts: 1_000 + seq,
  type: 'text',
  from: { id: seq % 2 === 0 ? 'me' : 'other', name: 'N' },
  clientMsgId: seq % 2 === 0 ? `run-me-${seq}` : `run-other-${seq}`,
  text: `text ${seq}`,
  ...more,
});

const stored = (seq: number): [string, Send] => [
  `run-me-${seq}`,
  { text: `text ${seq}`, outcome: { state: 'stored', seq }, connection: 1 },
];

/** A member that joined at 0, sent 2 and 4, and received 1 to 4; the history agrees, unless `change` says otherwise. */
function judged(change: (input: AuditInput & { sends: Map<string, Send>; history: Entry[] }) => void) {
  const journal = createJournal({ epoch: 'e', head: 0 });
  for (const seq of [1, 2, 3, 4]) journal.record(entry(seq));
  const input = {
    journal,
    seen: 4,
    run: 'run-',
    member: 'run-me-',
    userId: 'me',
    sends: new Map([stored(2), stored(4)]),
    history: [1, 2, 3, 4].map((seq) => entry(seq)),
    first: 1,
    until: Number.MAX_SAFE_INTEGER,
  };
  change(input);
  const result = audit(input);
  return Object.fromEntries(Object.entries(result).filter(([, count]) => count > 0));
}

test('a history that agrees is no fault', () => {
  assert.deepEqual(
    judged(() => {}),
    {},
  );
});

test('what was acknowledged and is not stored is lost', () => {
  assert.deepEqual(
    judged(({ history }) => history.pop()),
    { mismatched: 1, acknowledgedLost: 1 },
  );
  assert.deepEqual(
    judged(({ sends }) => sends.set('run-me-6', { text: 'x', outcome: { state: 'stored', seq: 6 }, connection: 1 })),
    { acknowledgedLost: 1 },
  );
});

test('a send whose fate is unknown may be stored once, or not at all', () => {
  const unknown: Send = { text: 'text 4', outcome: { state: 'unknown' }, connection: 1 };
  assert.deepEqual(
    judged(({ sends }) => sends.set('run-me-4', unknown)),
    {},
  );
  assert.deepEqual(
    judged(({ sends, history }) => {
      sends.set('run-me-4', unknown);
      history.push(entry(5, { from: { id: 'me', name: 'N' }, clientMsgId: 'run-me-4', text: 'text 4' }));
    }),
    { storedTwice: 1 },
  );
});

test('an entry that nobody sent, or that was refused, is invented', () => {
  assert.deepEqual(
    judged(({ history }) => history.push(entry(5, { clientMsgId: 'stranger-1' }))),
    { invented: 1 },
  );
  assert.deepEqual(
    judged(({ sends }) => sends.set('run-me-4', { text: 'text 4', outcome: { state: 'refused' }, connection: 1 })),
    { invented: 1 },
  );
});

test('content that differs between delivery, history and what was sent is a mismatch', () => {
  assert.deepEqual(
    judged(({ history }) => history.splice(0, 1, entry(1, { text: 'other' }))),
    { mismatched: 1 },
  );
  assert.deepEqual(
    judged(({ sends }) =>
      sends.set('run-me-4', { text: 'as sent', outcome: { state: 'stored', seq: 4 }, connection: 1 }),
    ),
    { mismatched: 1 },
  );
  assert.deepEqual(
    judged(({ history }) => history.splice(1, 1, entry(2, { from: { id: 'thief', name: 'N' } }))),
    { mismatched: 2, acknowledgedLost: 1 },
  );
});

test('what is above the bound of an audit is left for the next one', () => {
  assert.deepEqual(
    judged((input) => {
      input.until = 3;
      input.history = input.history.slice(0, 3);
    }),
    {},
  );
  assert.deepEqual(
    judged((input) => {
      input.until = 4;
      input.history = input.history.slice(0, 3);
    }),
    { mismatched: 1, acknowledgedLost: 1 },
  );
});

test('a history with a hole is told', () => {
  assert.deepEqual(
    judged(({ history, sends }) => {
      history.splice(2, 1);
      sends.delete('run-me-9');
    }),
    { mismatched: 1, historyHoles: 1 },
  );
});

test('what is no longer kept is not judged', () => {
  assert.deepEqual(
    judged((input) => {
      input.first = 4;
      input.history = input.history.slice(3);
    }),
    {},
  );
});

test('what came while the history was being read is not held against it', () => {
  assert.deepEqual(
    judged(({ journal }) => journal.record(entry(5))),
    {},
  );
});
