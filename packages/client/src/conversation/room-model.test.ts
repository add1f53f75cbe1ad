import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Entry, MessagesData } from '@maru/protocol/events';
import { RECENT_ENTRIES_MAX, type RoomModel, WINDOW_LIMITS } from './model-state.ts';
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

/** A model after a join that read the room's last entries. */
const begin = (from: number, to: number): RoomModel =>
  stepModel(newModel('me'), { type: 'entries', entries: range(from, to), readAt: to });
const ask = (model: RoomModel) => stepModel(model, { type: 'asked' });
const answer = (model: RoomModel, seq: number, data: MessagesData) =>
  stepModel(model, { type: 'answered', generation: model.generation, read: { kind: 'older', seq }, data });

it('ignores an answer that is older than entries delivered before the request', () => {
  const asked = ask(begin(11, 20));
  assert.deepEqual(windowSeqs(answer(asked, 11, page(range(1, 10), 19)))[0], 11);
  assert.deepEqual(windowSeqs(answer(asked, 11, page(range(1, 10), 20)))[0], 1);
});

it('ignores an answer of another epoch', () => {
  const asked = ask(begin(11, 20));
  assert.deepEqual(windowSeqs(answer(asked, 11, page(range(1, 10), 20, { epoch: 'e2' })))[0], 11);
});

it('ignores an answer if more entries arrived than it keeps', () => {
  const flooded = stepModel(ask(begin(11, 20)), { type: 'entries', entries: range(21, 22 + RECENT_ENTRIES_MAX) });
  assert.equal(flooded.recent.length, RECENT_ENTRIES_MAX);
  assert.notEqual(windowSeqs(answer(flooded, 11, page(range(1, 10), 20)))[0], 1);
});

it('keeps a bounded number of messages, and drops those far from the reading position', () => {
  const { max } = WINDOW_LIMITS;
  const full = stepModel(begin(1_001, 1_010), { type: 'entries', entries: range(1_011, 2_100) });
  assert.deepEqual([windowSeqs(full).length, windowSeqs(full)[0]], [max, 2_101 - max]);
  const first = 2_101 - max;
  const upwards = answer(ask(full), first, page(range(first - 50, first - 1), 2_100, { hasMore: true }));
  assert.deepEqual(
    [windowSeqs(upwards)[0], windowSeqs(upwards).at(-1), upwards.window?.to],
    [first - 50, 2_050, 2_050],
  );
  const live = stepModel(upwards, { type: 'entries', entries: [entry(2_101)] });
  assert.equal(windowSeqs(live).at(-1), 2_050, 'the end is not shown');
  assert.equal(live.messages.size, max);
});

it('drops new messages instead of the ones being read, once the window is full', () => {
  const { max, before } = WINDOW_LIMITS;
  const reading = stepModel(begin(1, max), { type: 'look', at: 1 + before / 2, isAtEnd: false });
  const live = stepModel(reading, { type: 'entries', entries: range(max + 1, max + 90) });
  assert.deepEqual([windowSeqs(live)[0], windowSeqs(live).at(-1), live.window?.to], [1, max, max]);
});

it('drops messages far above the screen when the user returns to the end', () => {
  const { max, rest } = WINDOW_LIMITS;
  const away = stepModel(begin(101, 100 + max), { type: 'look', at: 150, isAtEnd: false });
  assert.equal(windowSeqs(away).length, max);
  const back = stepModel(away, { type: 'look', at: 490, isAtEnd: true });
  assert.deepEqual(
    [windowSeqs(back)[0], back.window, back.messages.size],
    [490 - rest, { from: 490 - rest, to: null, hasOlder: true }, 10 + rest + 1],
  );
  const near = stepModel(begin(101, 100 + max), { type: 'look', at: 300, isAtEnd: true });
  assert.equal(windowSeqs(near).length, max, 'a short way back costs no page');
});

it('keeps the reading position after a gap', () => {
  const gap = stepModel(stepModel(begin(11, 90), { type: 'look', at: 40, isAtEnd: false }), { type: 'gap' });
  const joined = stepModel(gap, { type: 'entries', entries: range(901, 950), readAt: 950 });
  assert.deepEqual(neededReads(joined)[0]?.read, { kind: 'around', seq: 40 });
  const data = page(range(15, 64), 950, { hasMore: true, hasNewer: true });
  const read = { kind: 'around', seq: 40 } as const;
  const there = stepModel(ask(joined), { type: 'answered', generation: joined.generation, read, data });
  assert.deepEqual([windowSeqs(there)[0], there.window?.to, there.place], [15, 64, null]);
});

it('jumps to the first message since a time, or to the last one if there is none', () => {
  const read = (ts: number) => ({ kind: 'at', ts }) as const;
  for (const [ts, seq] of [
    [40, 40],
    [99, 64],
  ] as const) {
    const asked = ask(stepModel(begin(90, 99), { type: 'jump', to: { at: ts } }));
    assert.deepEqual(neededReads(asked)[0]?.read, read(ts));
    const data = page(range(15, 64), 99, { hasMore: true, hasNewer: true });
    const there = stepModel(asked, { type: 'answered', generation: 0, read: read(ts), data });
    assert.deepEqual([there.place, there.target, windowSeqs(there)[0]], [{ seq, isLine: false }, null, 15]);
  }
});

it('jumps to a known message without a read, as a new place each time', () => {
  const once = stepModel(begin(1, 30), { type: 'jump', to: 9 });
  const again = stepModel(once, { type: 'jump', to: 9 });
  assert.deepEqual([once.place, once.target, neededReads(once)], [{ seq: 9, isLine: false }, null, []]);
  assert.deepEqual(again.place, { seq: 9, isLine: false });
  assert.notEqual(again.place, once.place);
  assert.equal(stepModel(again, { type: 'jump', to: 'newest' }).place, null);
});

it('reads older messages automatically if few of the last entries are messages', () => {
  const acts = range(101, 150).map((act) => ({ ...act, type: 'message.react', data: { seq: 1 } }));
  const model = stepModel(newModel('me'), { type: 'entries', entries: acts, readAt: 150 });
  assert.deepEqual(neededReads(model), [{ read: { kind: 'older', seq: 101 }, isLazy: false }]);
});

it('counts entries of unknown types without showing them', () => {
  const model = stepModel(begin(1, 3), { type: 'entries', entries: [entry(4, { type: 'x.new', n: 3 })] });
  assert.deepEqual([model.position, model.n, windowSeqs(model)], [4, 3, [1, 2, 3]]);
});
