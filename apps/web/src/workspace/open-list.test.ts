import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConversationView, Message } from '@maru/client/conversation';
import { createOpenList, unreadMentions } from './open-list.ts';
import type { OpenRooms } from './open-rooms.ts';

const message = (seq: number, more: Partial<Message> = {}) =>
  ({ seq, from: { id: 'jun', name: 'Jun' }, deleted: null, mentions: ['mina'], ...more }) as Message;
const read = { seq: 2, n: 2 };

test('counts unread messages of others that mention the reader or the room', () => {
  const messages = [
    message(2),
    message(3),
    message(4, { mentions: ['@room'] }),
    message(5, { mentions: ['bo'] }),
    message(6, { from: { id: 'mina', name: 'Mina' } }),
    message(7, { deleted: { ts: 1, by: 'jun' } }),
  ];
  assert.equal(unreadMentions({ unread: 5, read, messages }, 'mina'), 2);
  assert.equal(unreadMentions({ unread: 0, read, messages }, 'mina'), 0);
  assert.equal(unreadMentions({ unread: 5, read: null, messages }, 'mina'), 0);
});

/** A fake set of open rooms. The test changes their views and number. */
function setUp() {
  const stores = new Map<string, { unread: number; listeners: Set<() => void> }>();
  const listeners = new Set<() => void>();
  const open = (room: string) => {
    stores.set(room, { unread: 0, listeners: new Set() });
    for (const listener of listeners) listener();
  };
  const rooms = {
    list: () =>
      [...stores].map(([room, store]) => ({
        room,
        get: () => ({
          entered: { kind: 'joined' },
          details: { title: room.toUpperCase() },
          list: { unread: store.unread, read, messages: [message(3)] } as unknown as ConversationView,
        }),
        subscribe(listener: () => void) {
          store.listeners.add(listener);
          return () => store.listeners.delete(listener);
        },
      })),
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as OpenRooms;
  return { stores, open, list: createOpenList(rooms, 'mina') };
}

test('follows the open rooms, and returns the same list until something changes', () => {
  const { stores, open, list } = setUp();
  let changes = 0;
  list.subscribe(() => changes++);
  assert.deepEqual(list.get(), []);
  open('a');
  const first = list.get();
  assert.deepEqual(first, [{ room: 'a', title: 'A', unread: 0, mentions: 0 }]);
  assert.equal(list.get(), first);
  const a = stores.get('a') ?? assert.fail('a is open');
  a.unread = 1;
  for (const listener of a.listeners) listener();
  assert.deepEqual([list.get()[0]?.mentions, changes], [1, 2]);
  stores.delete('a');
  open('b');
  assert.deepEqual([list.get().map(({ room }) => room), a.listeners.size], [['b'], 0]);
  list.close();
  assert.equal(stores.get('b')?.listeners.size, 0);
});
