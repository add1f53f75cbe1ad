import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Entry, Reaction } from '@maru/protocol/events';
import { changeOf } from '../acts.ts';
import { applyChange, countReply, doubtReplies, type KnownMessage, messageOf, uncountReply } from './message.ts';

const entry = (seq: number, type: string, content: Partial<Entry>): Entry => ({
  ...{ room: 'lobby', epoch: 'e1', seq, ts: seq * 10, n: 1, type, from: { id: 'u', name: 'U' } },
  ...content,
});
const message = (state: Partial<Entry> = {}, asOf = 5) => messageOf(entry(1, 'text', { text: 'one', ...state }), asOf);

function apply(known: KnownMessage, seq: number, type: string, data: object, user = 'u'): KnownMessage {
  const act = entry(seq, type, { data: { seq: 1, ...data }, from: { id: user, name: user } });
  const change = changeOf(act);
  assert.ok(change !== null);
  return applyChange(known, act, change, 'me');
}

it('changes a message only by entries after its `asOf`', () => {
  const known = message({ text: 'edited' }, 9);
  assert.equal(apply(known, 9, 'message.edit', { text: 'older' }), known);
  assert.equal(apply(known, 10, 'message.edit', { text: 'newer' }).text, 'newer');
});

it('shows no text of a message whose edit is erased, before its deletion arrives', () => {
  assert.equal(apply(message(), 6, 'message.edit', {}).text, '');
});

it('removes everything but the replies from a deleted message', () => {
  const replies = { n: 2, seq: 4, ts: 40 };
  const reactions: Reaction[] = [{ emoji: '👍', count: 1, mine: false, users: ['a'] }];
  const known = message({ replies, reactions, mentions: ['a'], pinned: true, edited: { ts: 3 } });
  const deleted = apply(known, 6, 'message.delete', {}, 'mod');
  assert.deepEqual(
    [deleted.text, deleted.reactions, deleted.mentions, deleted.pinned, deleted.edited, deleted.replies],
    ['', [], [], false, null, replies],
  );
  assert.deepEqual(deleted.deleted, { ts: 60, by: 'mod' });
  assert.equal(apply(deleted, 7, 'message.edit', { text: 'late' }).text, '');
});

const names = (count: number) => Array.from({ length: count }, (_, i) => `u${i}`);
const withReactions = (count: number) =>
  message({ reactions: [{ emoji: '👍', count, mine: false, users: names(Math.min(10, count)) }] });

it('lists the first ten users who reacted, and counts the others', () => {
  let known = message();
  for (const user of [...names(11), 'me']) known = apply(known, known.asOf + 1, 'message.react', React, user);
  assert.deepEqual(known.reactions, [{ emoji: '👍', count: 12, mine: true, users: names(10) }]);
  assert.equal(known.staleAt, null);
});
const React = { emoji: '👍', active: true };

it('must be read again if a listed user leaves and others are not listed', () => {
  const leaves = (known: KnownMessage, user: string) =>
    apply(known, 6, 'message.react', { ...React, active: false }, user);
  assert.equal(leaves(withReactions(12), 'u3').staleAt, 6);
  assert.equal(leaves(withReactions(12), 'unnamed').staleAt, null);
  assert.equal(leaves(withReactions(10), 'u3').staleAt, null);
  assert.deepEqual(leaves(withReactions(1), 'u0').reactions, []);
});

it('counts replies, and must be read again if the newest is deleted', () => {
  const root = countReply(countReply(message(), 6, 60), 7, 70);
  assert.deepEqual(root.replies, { n: 2, seq: 7, ts: 70 });
  assert.deepEqual([uncountReply(root, 8, 6).replies?.n, uncountReply(root, 8, 6).staleAt], [1, null]);
  assert.equal(uncountReply(root, 8, 7).staleAt, 8);
  assert.equal(uncountReply(uncountReply(root, 8, 7), 9, 6).replies, null);
});

it('must be read again if a deleted message may have been one of its replies', () => {
  const root = message({ replies: { n: 2, seq: 4, ts: 40 } });
  assert.equal(doubtReplies(root, 6, 3).staleAt, 6);
  assert.equal(doubtReplies(root, 6, 5), root, 'newer than the newest reply');
  assert.equal(doubtReplies(root, 5, 3), root, 'the deletion is in what was read');
  const without = message();
  assert.equal(doubtReplies(without, 6, 3), without);
});
