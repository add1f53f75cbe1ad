import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import { dayWord, rowsOf } from './rows.ts';
import { emptyTimeline } from './timeline.ts';

const NOON = new Date(2026, 9, 20, 12, 0).getTime();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const entry = (seq: number, ts: number, from = 'a', more: Partial<Entry> = {}): Entry => ({
  room: 'lobby',
  epoch: 'e1',
  seq,
  ts,
  n: seq,
  type: 'text',
  from: { id: from, name: from },
  text: 'x',
  ...more,
});

const sketch = (entries: Entry[], unreadFrom: number | null = null) =>
  rowsOf({ ...emptyTimeline, entries, unreadFrom }, 'me').map((row) =>
    row.kind === 'message' ? `${row.continues ? '+' : ''}${row.entry.seq}` : row.kind,
  );

it('groups what one person says in a row, for five minutes', () => {
  const entries = [
    entry(1, NOON),
    entry(2, NOON + MINUTE),
    entry(3, NOON + 2 * MINUTE, 'b'),
    entry(4, NOON + 8 * MINUTE, 'b'),
  ];
  assert.deepEqual(sketch(entries), ['day', '1', '+2', '3', '4']);
});

it('separates days, and never groups across one', () => {
  const midnight = new Date(2026, 9, 21).getTime();
  assert.deepEqual(sketch([entry(1, midnight - 1_000), entry(2, midnight + 1_000)]), ['day', '1', 'day', '2']);
});

it("keeps order and distinct keys if the store's clock goes back or ahead", () => {
  for (const jumpMs of [-DAY, -60 * MINUTE, 60 * MINUTE, DAY, -40 * DAY]) {
    const times = [NOON, NOON + jumpMs, NOON, NOON + jumpMs, NOON + jumpMs];
    const entries = times.map((ts, i) => entry(i + 1, ts));
    const rows = rowsOf({ ...emptyTimeline, entries, unreadFrom: 3 }, 'me');
    const messages = rows.flatMap((row) => (row.kind === 'message' ? [row.entry.seq] : []));
    assert.deepEqual(messages, [1, 2, 3, 4, 5]);
    assert.equal(new Set(rows.map(({ key }) => key)).size, rows.length, `jump of ${jumpMs} ms`);
  }
});

it('groups nothing that is an hour apart, in either direction', () => {
  assert.deepEqual(sketch([entry(1, NOON), entry(2, NOON - 60 * MINUTE), entry(3, NOON)]), ['day', '1', '2', '3']);
});

it('puts the unread line before its message, which then shows its author', () => {
  assert.deepEqual(sketch([entry(1, NOON), entry(2, NOON + 1)], 2), ['day', '1', 'unread', '2']);
});

it('shows nothing of types that it does not know', () => {
  assert.deepEqual(sketch([entry(1, NOON), entry(2, NOON, 'a', { type: 'room.mute' }), entry(3, NOON)]), [
    'day',
    '1',
    '+3',
  ]);
});

it('shows acts as rows of their own, and groups nothing across them', () => {
  const act = entry(2, NOON, 'a', { type: 'room.mute', data: { user: 'b' } });
  assert.deepEqual(sketch([entry(1, NOON), act, entry(3, NOON)]), ['day', '1', 'act', '3']);
});

it('puts own messages that are under way last', () => {
  const message = { room: 'lobby', clientMsgId: 'm', text: 'x', queuedAtMs: NOON, state: { kind: 'sending' as const } };
  const rows = rowsOf({ ...emptyTimeline, entries: [entry(1, NOON, 'me')], outgoing: [message] }, 'me');
  assert.deepEqual(
    rows.map((row) => row.kind),
    ['day', 'message', 'outgoing'],
  );
  assert.equal(rows.at(-1)?.kind === 'outgoing' && rows.at(-1)?.kind, 'outgoing');
});

it('calls the last two days by name', () => {
  assert.deepEqual(dayWord(NOON - 60 * MINUTE, NOON), { kind: 'today' });
  assert.deepEqual(dayWord(NOON - DAY, NOON), { kind: 'yesterday' });
  assert.deepEqual(dayWord(NOON - 2 * DAY, NOON), { kind: 'date', ts: NOON - 2 * DAY });
});
