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

it('does not count messages that the list already includes', () => {
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
