import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientEvents, RoomStatus } from '@maru/client';
import type { MyRoomsView } from '@maru/client/conversation';
import type { MyRoom } from '@maru/protocol/events';
import { BACKGROUND_ROOMS_MAX, createBackgroundJoins, JOINS_IN_FLIGHT_MAX } from './background-joins.ts';

const mine = (room: string, more: Partial<MyRoom> = {}): MyRoom =>
  ({ room, title: '', visibility: 'public', notify: 'all', unread: 0, mentions: 0, ...more }) as MyRoom;

/** A fake client that records calls, and a room list that the test sets. */
function setUp(rooms: MyRoom[] = []) {
  const calls: string[] = [];
  const statuses = new Map<string, RoomStatus>();
  const listeners = new Map<string, (event: never) => void>();
  const open = new Set<string>();
  let onList = () => {};
  let view: MyRoomsView = { isReady: rooms.length > 0, hasFailed: false, rooms, unread: 0, mentions: 0 };
  const client = {
    on(name: string, listener: (event: never) => void) {
      listeners.set(name, listener);
      return () => void listeners.delete(name);
    },
    join(room: string) {
      calls.push(`join ${room}`);
      statuses.set(room, { status: 'joining' });
    },
    leave(room: string) {
      calls.push(`leave ${room}`);
      statuses.delete(room);
    },
    status: (room: string) => statuses.get(room) ?? null,
  };
  const joins = createBackgroundJoins({
    client: client as never,
    myRooms: {
      get: () => view,
      subscribe(listener) {
        onList = listener;
        return () => {
          onList = () => {};
        };
      },
    },
    isOpen: (room) => open.has(room),
  });
  const tell = (event: ClientEvents['room']) => (listeners.get('room') as (given: typeof event) => void)(event);
  return {
    joins,
    open,
    newCalls: () => calls.splice(0),
    list(next: MyRoom[]) {
      view = { ...view, isReady: true, rooms: next };
      onList();
    },
    joined(room: string) {
      const status: RoomStatus = { status: 'joined', role: 'member', epoch: 'e', head: 1, first: 1 };
      statuses.set(room, status);
      tell({ room, ...status });
    },
    refused(room: string) {
      statuses.delete(room);
      tell({ room, status: 'refused', error: { code: 'forbidden', message: '', retryable: false } });
    },
    session: () => (listeners.get('session') as () => void)(),
  };
}

describe('joins in the background', () => {
  it('join the rooms whose messages are counted', () => {
    const { newCalls } = setUp([
      mine('a'),
      mine('quiet', { notify: 'none' }),
      mine('d-1', { with: 'jun' }),
      mine('b', { notify: 'mentions' }),
    ]);
    assert.deepEqual(newCalls(), ['join a', 'join b']);
  });

  it('wait for the list, and run a few at a time', () => {
    const { list, newCalls, joined } = setUp();
    const rooms = Array.from({ length: JOINS_IN_FLIGHT_MAX + 2 }, (_, i) => mine(`r${i}`));
    assert.deepEqual(newCalls(), []);
    list(rooms);
    assert.equal(newCalls().length, JOINS_IN_FLIGHT_MAX);
    joined('r1');
    joined('r0');
    assert.deepEqual(newCalls(), [`join r${JOINS_IN_FLIGHT_MAX}`, `join r${JOINS_IN_FLIGHT_MAX + 1}`]);
  });

  it('have a limit, and stay when the order of the list changes', () => {
    const { joins, list, joined } = setUp();
    const rooms = Array.from({ length: BACKGROUND_ROOMS_MAX + 1 }, (_, i) => mine(`r${i}`));
    list(rooms);
    for (const { room } of rooms) joined(room);
    list(rooms.toReversed());
    assert.equal(rooms.filter(({ room }) => joins.holds(room)).length, BACKGROUND_ROOMS_MAX);
    assert.equal(joins.holds(`r${BACKGROUND_ROOMS_MAX}`), false);
  });

  it('leave a room that leaves the list, unless it is open', () => {
    const { list, newCalls, joined, open } = setUp([mine('a'), mine('b')]);
    joined('a');
    joined('b');
    open.add('b');
    newCalls();
    list([]);
    assert.deepEqual(newCalls(), ['leave a']);
  });

  it('ignore open rooms, which join with more entries', () => {
    const { open, list, newCalls, joins } = setUp();
    open.add('a');
    list([mine('a'), mine('b')]);
    assert.deepEqual(newCalls(), ['join b']);
    assert.equal(joins.holds('a'), true);
  });

  it('retry a refused room on the next connection', () => {
    const { list, newCalls, refused, session, joins } = setUp([mine('a')]);
    refused('a');
    list([mine('a')]);
    assert.deepEqual([newCalls(), joins.holds('a')], [['join a'], false]);
    session();
    list([mine('a')]);
    assert.deepEqual(newCalls(), ['join a']);
  });
});
