import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Entry, MessagesData } from '@maru/protocol/events';
import { RECENT_ENTRIES_MAX, type RoomModel, WINDOW_MESSAGES_MAX } from './model-state.ts';
import { neededReads, newModel, stepModel, windowSeqs } from './room-model.ts';

const entry = (seq: number, content: Partial<Entry> = {}): Entry => ({
  ...{ room: 'lobby', epoch: 'e1', seq, ts: seq, n: seq, type: 'text', from: { id: 'u', name: 'U' }, text: `t${seq}` },
  ...content,
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));
const page = (messages: Entry[], head: number, more: Partial<MessagesData> = {}): MessagesData => ({
  ...{ epoch: 'e1', head, messages, hasMore: false, hasNewer: false },
  ...more,
});

/** The room's last entries were read when it was joined. */
const begin = (from: number, to: number): RoomModel =>
  stepModel(newModel('me'), { type: 'entries', entries: range(from, to), readAt: to });
const ask = (model: RoomModel) => stepModel(model, { type: 'asked' });
const answer = (model: RoomModel, seq: number, data: MessagesData) =>
  stepModel(model, { type: 'answered', generation: model.generation, read: { kind: 'older', seq }, data });

it('does not use an answer that is older than what was delivered before it was asked', () => {
  const asked = ask(begin(11, 20));
  assert.deepEqual(windowSeqs(answer(asked, 11, page(range(1, 10), 19)))[0], 11);
  assert.deepEqual(windowSeqs(answer(asked, 11, page(range(1, 10), 20)))[0], 1);
});

it('does not use an answer of another epoch', () => {
  const asked = ask(begin(11, 20));
  assert.deepEqual(windowSeqs(answer(asked, 11, page(range(1, 10), 20, { epoch: 'e2' })))[0], 11);
});

it('does not use an answer if more entries arrived than it keeps', () => {
  const flooded = stepModel(ask(begin(11, 20)), { type: 'entries', entries: range(21, 22 + RECENT_ENTRIES_MAX) });
  assert.equal(flooded.recent.length, RECENT_ENTRIES_MAX);
  assert.notEqual(windowSeqs(answer(flooded, 11, page(range(1, 10), 20)))[0], 1);
});

it('keeps at most so many messages, and drops those far from where the user reads', () => {
  const full = stepModel(begin(1_001, 1_010), { type: 'entries', entries: range(1_011, 2_100) });
  assert.deepEqual([windowSeqs(full).length, windowSeqs(full)[0]], [WINDOW_MESSAGES_MAX, 1_101]);
  const upwards = answer(ask(full), 1_101, page(range(1_051, 1_100), 2_100, { hasMore: true }));
  assert.deepEqual(windowSeqs(upwards).at(-1), 2_050);
  assert.equal(upwards.window?.to, 2_050);
  const live = stepModel(upwards, { type: 'entries', entries: [entry(2_101)] });
  assert.equal(windowSeqs(live).at(-1), 2_050, 'the end is not shown');
  assert.equal(live.messages.size, WINDOW_MESSAGES_MAX);
});

it('reads older messages by itself if few of the last entries are messages', () => {
  const acts = range(101, 150).map((act) => ({ ...act, type: 'message.react', data: { seq: 1 } }));
  const model = stepModel(newModel('me'), { type: 'entries', entries: acts, readAt: 150 });
  assert.deepEqual(neededReads(model), [{ read: { kind: 'older', seq: 101 }, isLazy: false }]);
});

it('counts entries of unknown types and shows nothing', () => {
  const model = stepModel(begin(1, 3), { type: 'entries', entries: [entry(4, { type: 'x.new', n: 3 })] });
  assert.deepEqual([model.position, model.n, windowSeqs(model)], [4, 3, [1, 2, 3]]);
});
