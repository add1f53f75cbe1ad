/** Compares the model of a room with a fresh read of all its messages. */
import assert from 'node:assert/strict';
import type { Entry } from '@maru/protocol/events';
import type { RoomModel } from '../model-state.ts';
import { threadSeqs, windowSeqs } from '../room-model.ts';

/** Fails unless all open parts equal a fresh read. */
export function checkModel(model: RoomModel, fresh: readonly Entry[]): void {
  const plain = (seq: number) => {
    const { asOf: _, staleAt: __, ...message } = model.messages.get(seq) ?? {};
    return message;
  };
  assert.ok(model.window !== null);
  const { from, to } = model.window;
  const shown = fresh.filter(({ seq }) => seq >= from && (to === null || seq <= to));
  assert.deepEqual(windowSeqs(model).map(plain), shown.map(plainOf));
  if (!model.window.hasOlder) assert.equal(shown[0]?.seq ?? fresh[0]?.seq, fresh[0]?.seq);
  for (const [root, { slice }] of model.threads) {
    assert.ok(slice !== null);
    const replies = fresh.filter(({ seq, thread }) => thread === root && seq >= slice.from);
    assert.deepEqual(threadSeqs(model, root).map(plain), replies.map(plainOf));
    assert.deepEqual(
      [root].filter((seq) => model.messages.has(seq)).map(plain),
      fresh.filter(({ seq }) => seq === root).map(plainOf),
    );
  }
  if (model.pins === 'closed') return;
  const pinned = [...model.messages.values()].filter((one) => one.pinned).map(({ seq }) => seq);
  const wanted = fresh.filter((one) => one.pinned === true);
  assert.deepEqual(pinned.sort((a, b) => a - b).map(plain), wanted.map(plainOf));
}

const plainOf = (entry: Entry) => ({
  seq: entry.seq,
  ts: entry.ts,
  n: entry.n,
  from: entry.from,
  clientMsgId: entry.clientMsgId,
  text: entry.text,
  edited: entry.edited ?? null,
  deleted: entry.deleted ?? null,
  mentions: entry.mentions ?? [],
  reactions: entry.reactions ?? [],
  thread: entry.thread ?? null,
  replies: entry.replies ?? null,
  pinned: entry.pinned ?? false,
});
