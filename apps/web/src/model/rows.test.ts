import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Message } from '@maru/client/conversation';
import type { Entry } from '@maru/protocol/events';
import { dayWord, type Row, rowsOf } from './rows.ts';

const NOON = new Date(2026, 9, 20, 12, 0).getTime();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const entry = (seq: number, ts: number, from = 'a', more: Partial<Message> = {}): Message => ({
  ...{ seq, ts, n: seq, clientMsgId: null, text: 'x', edited: null, deleted: null, mentions: [], reactions: [] },
  ...{ thread: null, replies: null, pinned: false, pending: [], canUndo: false },
  from: { id: from, name: from },
  ...more,
});
const mute = (seq: number): Entry => ({
  ...{ room: 'lobby', epoch: 'e1', seq, ts: NOON, n: 0, from: { id: 'a', name: 'a' } },
  ...{ type: 'room.mute', data: { user: 'b' } },
});
const whole = { outgoing: [], hasOlder: false, hasNewer: false, unreadLine: null };

const sketch = (messages: Message[], unreadLine: number | null = null, acts: Entry[] = [], more = {}) =>
  rowsOf({ ...whole, messages, unreadLine, ...more }, acts, 'me').map((row) =>
    row.kind === 'message' ? `${row.continues ? '+' : ''}${row.message.seq}` : row.kind,
  );

it('groups successive messages of one person within five minutes', () => {
  const entries = [
    entry(1, NOON),
    entry(2, NOON + MINUTE),
    entry(3, NOON + 2 * MINUTE, 'b'),
    entry(4, NOON + 8 * MINUTE, 'b'),
  ];
  assert.deepEqual(sketch(entries), ['day', '1', '+2', '3', '4']);
});

it('separates days, and never groups across them', () => {
  const midnight = new Date(2026, 9, 21).getTime();
  assert.deepEqual(sketch([entry(1, midnight - 1_000), entry(2, midnight + 1_000)]), ['day', '1', 'day', '2']);
});

it("keeps the order and distinct keys if the store's clock goes back or ahead", () => {
  for (const jumpMs of [-DAY, -60 * MINUTE, 60 * MINUTE, DAY, -40 * DAY]) {
    const times = [NOON, NOON + jumpMs, NOON, NOON + jumpMs, NOON + jumpMs];
    const entries = times.map((ts, i) => entry(i + 1, ts));
    const rows = rowsOf({ ...whole, messages: entries, unreadLine: 3 }, [], 'me');
    const messages = rows.flatMap((row) => (row.kind === 'message' ? [row.message.seq] : []));
    assert.deepEqual(messages, [1, 2, 3, 4, 5]);
    assert.equal(new Set(rows.map(({ key }) => key)).size, rows.length, `jump of ${jumpMs} ms`);
  }
});

it('does not group messages an hour apart, in either direction', () => {
  assert.deepEqual(sketch([entry(1, NOON), entry(2, NOON - 60 * MINUTE), entry(3, NOON)]), ['day', '1', '2', '3']);
});

it('puts the unread line before its message, which then shows its author', () => {
  assert.deepEqual(sketch([entry(1, NOON), entry(2, NOON + 1)], 2), ['day', '1', 'unread', '2']);
});

it('shows acts as separate rows, and does not group across them', () => {
  assert.deepEqual(sketch([entry(1, NOON), entry(3, NOON)], null, [mute(2)]), ['day', '1', 'act', '3']);
});

it('omits acts outside the loaded part of the room', () => {
  const [messages, acts] = [
    [entry(3, NOON), entry(5, NOON)],
    [mute(2), mute(4), mute(6)],
  ];
  assert.deepEqual(sketch(messages, null, acts), ['day', 'act', '3', 'act', '5', 'act']);
  assert.deepEqual(sketch(messages, null, acts, { hasOlder: true, hasNewer: true }), ['day', '3', 'act', '5']);
});

it('always shows the author of a reply', () => {
  assert.deepEqual(sketch([entry(1, NOON), entry(2, NOON, 'a', { thread: 1 })]), ['day', '1', '2']);
});

it('puts own unsent messages last, if the end of the room is loaded', () => {
  const message = { room: 'lobby', clientMsgId: 'm', text: 'x', queuedAtMs: NOON, state: { kind: 'sending' as const } };
  const source = { ...whole, messages: [entry(1, NOON, 'me')], outgoing: [message] };
  const kinds = (more = {}) => rowsOf({ ...source, ...more }, [], 'me').map((row) => row.kind);
  assert.deepEqual(kinds(), ['day', 'message', 'outgoing']);
  assert.deepEqual(kinds({ hasNewer: true }), ['day', 'message']);
});

it('names the last two days', () => {
  assert.deepEqual(dayWord(NOON - 60 * MINUTE, NOON), { kind: 'today' });
  assert.deepEqual(dayWord(NOON - DAY, NOON), { kind: 'yesterday' });
  assert.deepEqual(dayWord(NOON - 2 * DAY, NOON), { kind: 'date', ts: NOON - 2 * DAY });
});

const SENT = { room: 'lobby', clientMsgId: 'm', text: 'x', queuedAtMs: NOON, state: { kind: 'sending' as const } };

it('keeps the key and the group of an own message when it is stored, whatever the clocks say', () => {
  for (const skewMs of [0, -60 * MINUTE, 60 * MINUTE]) {
    const [first, outgoing] = [entry(1, NOON, 'me'), [{ ...SENT, queuedAtMs: NOON + skewMs }]];
    const sent = rowsOf({ ...whole, messages: [first], outgoing }, [], 'me');
    const second = entry(2, NOON + MINUTE, 'me', { clientMsgId: 'm' });
    const stored = rowsOf({ ...whole, messages: [first, second] }, [], 'me', sent);
    const later = rowsOf({ ...whole, messages: [first, second] }, [], 'me', stored);
    const own = (rows: Row[]) =>
      rows.flatMap((row) => ('continues' in row ? [{ key: row.key, continues: row.continues }] : []));
    assert.deepEqual(own(stored), own(sent));
    assert.deepEqual(own(later), own(sent));
  }
});

it('groups an own message again when another row comes between', () => {
  const first = entry(1, NOON, 'me');
  const sent = rowsOf({ ...whole, messages: [first], outgoing: [SENT] }, [], 'me');
  const messages = [first, entry(2, NOON), entry(3, NOON, 'me', { clientMsgId: 'm' })];
  const stored = rowsOf({ ...whole, messages }, [], 'me', sent);
  assert.deepEqual(
    stored.map((row) => 'continues' in row && row.continues),
    [false, false, false, false],
  );
});

it('shows a message once if a page has it before its entry, and a reused id as another row', () => {
  const stored = entry(1, NOON, 'me', { clientMsgId: 'm' });
  const again = entry(2, NOON, 'me', { clientMsgId: 'm' });
  const rows = rowsOf({ ...whole, messages: [stored, again], outgoing: [SENT] }, [], 'me');
  assert.deepEqual(
    rows.map(({ kind, key }) => `${kind}: ${key}`),
    ['day: day own m', 'message: own m', 'message: 2'],
  );
});

it('shows a day above the first message of a room while it is being sent', () => {
  const rows = rowsOf({ ...whole, messages: [], outgoing: [SENT] }, [], 'me');
  assert.deepEqual(
    rows.map(({ key }) => key),
    ['day own m', 'own m'],
  );
});
