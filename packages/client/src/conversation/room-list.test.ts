import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Entry, MyRoom } from '@maru/protocol/events';
import { noteEntries, noteInbox, notePosition, noteRead, type RoomList } from './room-list.ts';

const BOT = { id: 'bot', name: 'Bot' };

const room = (state: Partial<MyRoom> = {}): MyRoom => ({
  ...{ room: 'lobby', title: '', visibility: 'public', role: 'member', epoch: 'e1', head: 10, n: 5 },
  ...{ read: { seq: 8, n: 4 }, unread: 1, mentions: 0, notify: 'all' },
  ...state,
});
const listOf = (state: Partial<MyRoom> = {}): RoomList => noteRead(new Map(), [room(state)]);
const entry = (seq: number, n: number, content: Partial<Entry> = {}): Entry => ({
  ...{ room: 'lobby', epoch: 'e1', seq, ts: seq, n, type: 'text', from: BOT, text: `t${seq}` },
  ...content,
});
const of = (list: RoomList | 'unknown') => {
  assert.ok(list !== 'unknown');
  const listed = list.get('lobby');
  assert.ok(listed !== undefined);
  const { unread, mentions, head, last } = listed.room;
  return { unread, mentions, head, last: last?.text, isStale: listed.isStale };
};

it('counts a message and a mention once, even if several events report them', () => {
  const news = { room: 'lobby', seq: 11, ts: 11, n: 6, from: BOT, text: 't11' };
  const counted = noteInbox(listOf(), { type: 'mention', ...news });
  assert.ok(counted !== 'unknown');
  const twice = noteEntries(counted, 'lobby', [entry(11, 6, { mentions: ['me'] })], 'me');
  assert.deepEqual(of(twice), { unread: 2, mentions: 1, head: 11, last: 't11', isStale: false });
  assert.deepEqual(of(noteInbox(twice, { type: 'mention', ...news })), of(twice));
});

it('asks for the counts after an edit mentions one in a message that is not read', () => {
  const edited = (seq: number) =>
    ({ type: 'mention', room: 'lobby', seq, ts: 12, n: 6, from: BOT, text: 'now' }) as const;
  const after = (list: RoomList, seq: number) => {
    const { mentions, head, isStale } = of(noteInbox(list, edited(seq)));
    return [mentions, head, isStale];
  };
  // The list was read with it, and it may be the newest message.
  for (const seq of [9, 10]) assert.deepEqual(after(listOf(), seq), [0, 10, true]);
  assert.deepEqual(after(listOf(), 8), [0, 10, false], 'it is read');
  // It came after the list, and so did a mention.
  const told = noteEntries(listOf(), 'lobby', [entry(11, 6), entry(12, 7, { mentions: ['me'] })], 'me');
  assert.deepEqual(after(told, 11), [1, 12, true]);
  assert.deepEqual(after(told, 12), [1, 12, false], 'its entry told it');
  const later = noteEntries(listOf(), 'lobby', [entry(11, 6), entry(12, 7)], 'me');
  assert.deepEqual(after(later, 11), [1, 12, false]);
  assert.deepEqual(after(notePosition(later, 'lobby', { seq: 11, n: 6, unread: 1, mentions: 0 }), 11), [0, 12, false]);
});

it('forgets after a rollback what it counted before', () => {
  const counted = noteEntries(listOf(), 'lobby', [entry(20, 15, { mentions: ['me'] })], 'me');
  const read = notePosition(counted, 'lobby', { seq: 20, n: 15, unread: 0, mentions: 0 });
  const again = entry(11, 6, { epoch: 'e2', mentions: ['me'] });
  for (const list of [counted, read]) {
    const after = noteEntries(list, 'lobby', [again], 'me');
    assert.deepEqual([of(after).head, of(after).isStale], [11, true]);
    // The server moves a position back to the head.
    const answered = notePosition(after, 'lobby', { seq: 11, n: 6, unread: 0, mentions: 0 });
    assert.deepEqual([of(answered).mentions, of(answered).isStale], [0, false]);
  }
  const listed = noteRead(counted, [room({ epoch: 'e2' })]);
  const next = noteEntries(listed, 'lobby', [again], 'me');
  assert.deepEqual([of(next).mentions, of(next).isStale], [1, false]);
});

it('does not count what was read with the list', () => {
  assert.deepEqual(of(noteEntries(listOf(), 'lobby', [entry(10, 5)], 'me')).unread, 1);
});

it('does not count own mentions', () => {
  const own = entry(11, 6, { mentions: ['@room'], from: { id: 'me', name: 'Me' } });
  assert.deepEqual(of(noteEntries(listOf(), 'lobby', [own], 'me')).mentions, 0);
});

it('forgets the text of a deleted last message, and asks for the remaining mentions', () => {
  const list = listOf({ last: entry(10, 5), mentions: 2 });
  const deletion = entry(11, 5, { type: 'message.delete', data: { seq: 10 } });
  const after = noteEntries(list, 'lobby', [deletion], 'me');
  assert.deepEqual(of(after), { unread: 1, mentions: 2, head: 11, last: '', isStale: true });
  const counted = notePosition(after, 'lobby', { seq: 8, n: 4, unread: 1, mentions: 1 });
  assert.deepEqual([of(counted).mentions, of(counted).isStale], [1, false]);
});

it('never moves a read position back', () => {
  const list = listOf();
  assert.equal(notePosition(list, 'lobby', { seq: 7, n: 3, unread: 2, mentions: 0 }), list);
});

it('keeps data that is newer than a page of the list', () => {
  const list = noteEntries(listOf(), 'lobby', [entry(11, 6)], 'me');
  assert.deepEqual(of(noteRead(list, [room()])), {
    ...{ unread: 2, mentions: 0, head: 11, last: 't11', isStale: true },
  });
});

it('must be read again after an event about a room that is not in it', () => {
  const news = { room: 'other', seq: 1, ts: 1, n: 1, from: BOT, text: 'x' };
  assert.equal(noteInbox(listOf(), { type: 'message', ...news }), 'unknown');
  assert.equal(noteInbox(listOf(), { type: 'invite', room: 'other', title: '', from: BOT }), 'unknown');
});
