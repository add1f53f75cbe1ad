import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import type { MessageAct } from './content.ts';
import { type AuditInput, auditMember } from './member-audit.ts';
import { MemberLog } from './member-log.ts';
import type { Send } from './send-log.ts';

const entry = (seq: number, more: Partial<Entry> = {}): Entry => ({
  room: 'r',
  epoch: 'e',
  seq,
  ts: 1_000 + seq,
  n: seq,
  type: 'text',
  from: { id: seq % 2 === 0 ? 'me' : 'other', name: 'N' },
  clientMsgId: seq % 2 === 0 ? `run-me-${seq}` : `run-other-${seq}`,
  text: `text ${seq}`,
  ...more,
});

const stored = (seq: number): [string, Send] => [
  `run-me-${seq}`,
  { content: { text: `text ${seq}` }, outcome: { state: 'stored', seq, duplicate: false }, connection: 1 },
];

/**
 * A member joined at 0, sent 2 and 4, and received 1 to 4. Before `change`, the history agrees with
 * that.
 */
function faultsAfter(change: (input: AuditInput & { sends: Map<string, Send>; history: Entry[] }) => void) {
  const log = new MemberLog({ epoch: 'e', head: 0 });
  for (const seq of [1, 2, 3, 4]) log.record(entry(seq));
  const input = {
    log,
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
  const result = auditMember(input);
  return Object.fromEntries(Object.entries(result).filter(([, count]) => count > 0));
}

test('finds no fault in a history that agrees', () => {
  assert.deepEqual(
    faultsAfter(() => {}),
    {},
  );
});

test('finds acknowledged messages that are not stored', () => {
  assert.deepEqual(
    faultsAfter(({ history }) => history.pop()),
    { mismatched: 1, acknowledgedLost: 1 },
  );
  assert.deepEqual(
    faultsAfter(({ sends }) =>
      sends.set('run-me-6', {
        content: { text: 'x' },
        outcome: { state: 'stored', seq: 6, duplicate: false },
        connection: 1,
      }),
    ),
    { acknowledgedLost: 1 },
  );
});

test('a send without an answer may be stored once or not at all', () => {
  const unknown: Send = { content: { text: 'text 4' }, outcome: { state: 'unknown' }, connection: 1 };
  assert.deepEqual(
    faultsAfter(({ sends }) => sends.set('run-me-4', unknown)),
    {},
  );
  assert.deepEqual(
    faultsAfter(({ sends, history }) => {
      sends.set('run-me-4', unknown);
      history.push(entry(5, { from: { id: 'me', name: 'N' }, clientMsgId: 'run-me-4', text: 'text 4' }));
    }),
    { storedTwice: 1 },
  );
});

test('finds entries that were not sent or were refused', () => {
  assert.deepEqual(
    faultsAfter(({ history }) => history.push(entry(5, { clientMsgId: 'stranger-1' }))),
    { invented: 1 },
  );
  assert.deepEqual(
    faultsAfter(({ sends }) =>
      sends.set('run-me-4', { content: { text: 'text 4' }, outcome: { state: 'refused' }, connection: 1 }),
    ),
    { invented: 1 },
  );
});

test('finds content that differs between send, delivery and history', () => {
  assert.deepEqual(
    faultsAfter(({ history }) => history.splice(0, 1, entry(1, { text: 'other' }))),
    { mismatched: 1 },
  );
  assert.deepEqual(
    faultsAfter(({ sends }) =>
      sends.set('run-me-4', {
        content: { text: 'as sent' },
        outcome: { state: 'stored', seq: 4, duplicate: false },
        connection: 1,
      }),
    ),
    { mismatched: 1 },
  );
  assert.deepEqual(
    faultsAfter(({ history }) => history.splice(1, 1, entry(2, { from: { id: 'thief', name: 'N' } }))),
    { mismatched: 2, acknowledgedLost: 1 },
  );
});

test('leaves entries above its upper bound to the next audit', () => {
  assert.deepEqual(
    faultsAfter((input) => {
      input.until = 3;
      input.history = input.history.slice(0, 3);
    }),
    {},
  );
  assert.deepEqual(
    faultsAfter((input) => {
      input.until = 4;
      input.history = input.history.slice(0, 3);
    }),
    { mismatched: 1, acknowledgedLost: 1 },
  );
});

test('finds a gap in the history', () => {
  assert.deepEqual(
    faultsAfter(({ history, sends }) => {
      history.splice(2, 1);
      sends.delete('run-me-9');
    }),
    { mismatched: 1, historyHoles: 1 },
  );
});

test('ignores entries that the server no longer keeps', () => {
  assert.deepEqual(
    faultsAfter((input) => {
      input.first = 4;
      input.history = input.history.slice(3);
    }),
    {},
  );
});

test('ignores entries that arrived while the history was read', () => {
  assert.deepEqual(
    faultsAfter(({ log }) => log.record(entry(5))),
    {},
  );
});

test('compares acts and edited messages', () => {
  const act = { type: 'message.edit', data: { seq: 4, text: 'new' } } as const;
  const { text: _, ...edit } = entry(5, { ...act, from: { id: 'me', name: 'N' }, clientMsgId: 'run-me-e', n: 4 });
  const edited = (change: Partial<Entry>, sentAct: MessageAct = act) =>
    faultsAfter(({ log, history, sends }) => {
      log.record(edit);
      history.splice(3, 1, entry(4, { text: 'new', edited: { ts: 1_005 } }));
      history.push({ ...edit, ...change });
      sends.set('run-me-e', {
        content: { act: sentAct },
        outcome: { state: 'stored', seq: 5, duplicate: false },
        connection: 1,
      });
    });
  assert.deepEqual(edited({}), {});
  assert.deepEqual(edited({ data: { seq: 4 }, erased: true }), {});
  assert.deepEqual(edited({ data: { seq: 3, text: 'new' } }), { mismatched: 2 });
  assert.deepEqual(edited({}, { type: 'message.edit', data: { seq: 4, text: 'other' } }), { mismatched: 1 });
});

test('an act without effect has no entry', () => {
  const act = { type: 'message.pin', data: { seq: 1, active: true } } as const;
  const afterAnswer = (duplicate: boolean) =>
    faultsAfter(({ sends }) =>
      sends.set('run-me-p', { content: { act }, outcome: { state: 'stored', seq: 4, duplicate }, connection: 1 }),
    );
  assert.deepEqual(afterAnswer(true), {});
  assert.deepEqual(afterAnswer(false), { acknowledgedLost: 1 });
});
