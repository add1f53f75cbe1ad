import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type ErrorCode, MaruError } from '@maru/protocol/errors';
import type { MyRoom } from '@maru/protocol/events';
import type { ChatClient, ClientEvents, ConnectionState } from '../index.ts';
import { createFakeScheduler } from '../testing/fake-scheduler.ts';
import { ClientRooms } from './my-rooms.ts';

const listed = (room: string): MyRoom => ({
  ...{ room, title: '', visibility: 'public', role: 'member', epoch: 'e1', head: 10, n: 5 },
  ...{ read: { seq: 8, n: 4 }, unread: 1, mentions: 0, notify: 'all' },
});
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** The list of a user, behind a client that notes what it is asked. */
async function setUp(...names: string[]) {
  const mine = new Set(names);
  const closed = new Set<string>();
  const requests: string[] = [];
  const listeners = new Map<string, Set<(event: never) => void>>();
  let failure: ErrorCode | null = null;
  const { scheduler, pass, timers } = createFakeScheduler();
  const client = {
    connection: { state: 'connected' } as ConnectionState,
    user: { id: 'me', name: 'Me' },
    on(name: string, listener: (event: never) => void) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => void set.delete(listener);
    },
    async request(name: string, { room = '' }: { room?: string }) {
      requests.push(`${name} ${room}`.trim());
      if (failure !== null) throw new MaruError(failure, 'not now');
      if (name === 'rooms:mine') return { rooms: [...mine].map(listed) };
      if (closed.has(room)) throw new MaruError('forbidden', 'closed');
      return { seq: 10, n: 5, unread: 0, mentions: 0 };
    },
  };
  const rooms = new ClientRooms(client as unknown as ChatClient, scheduler);
  await settled();
  return {
    ...{ rooms, mine, closed, client, timers },
    newRequests: () => requests.splice(0),
    names: () => rooms.get().rooms.map(({ room }) => room),
    fail(code: ErrorCode | null) {
      failure = code;
    },
    /** In steps, because each try ends later. */
    async pass(ms: number) {
      for (let step = 0; step <= ms; step += 1_000) {
        pass(Math.min(1_000, ms));
        await settled();
      }
    },
    async tell<K extends keyof ClientEvents>(name: K, event: ClientEvents[K]) {
      for (const listener of listeners.get(name) ?? []) (listener as (given: typeof event) => void)(event);
      await settled();
    },
  };
}

it('loses a public room that ended for the user, and has it again when the user is back', async () => {
  const { rooms, mine, names, tell } = await setUp('tea', 'milk');
  mine.delete('tea');
  await tell('room', { room: 'tea', status: 'removed', reason: 'banned' });
  assert.deepEqual([names(), rooms.get().unread], [['milk'], 1]);
  mine.delete('milk');
  const error = { code: 'forbidden', message: 'closed', retryable: false } as const;
  await tell('room', { room: 'milk', status: 'refused', error });
  assert.deepEqual(names(), []);
  mine.add('tea');
  await tell('room', { room: 'tea', status: 'joined', role: 'member', epoch: 'e1', head: 10, first: 1 });
  assert.deepEqual(names(), ['tea']);
});

it('is not read again because a room ended that is not in it', async () => {
  const { newRequests, tell } = await setUp('tea');
  newRequests();
  await tell('room', { room: 'other', status: 'removed', reason: 'deleted' });
  await tell('room', { room: 'tea', status: 'joined', role: 'member', epoch: 'e1', head: 10, first: 1 });
  assert.deepEqual(newRequests(), []);
});

it('marks all rooms as read, also behind one that refuses, and rejects with the reason', async () => {
  const { rooms, closed } = await setUp('tea', 'milk', 'water');
  closed.add('tea');
  await assert.rejects(rooms.markAllRead(), (error) => error instanceof MaruError && error.code === 'forbidden');
  assert.deepEqual(
    rooms
      .get()
      .rooms.filter(({ unread }) => unread > 0)
      .map(({ room }) => room),
    ['tea'],
  );
});

it('is read again until it can be read, with growing delays', async () => {
  const { rooms, mine, names, fail, newRequests, pass, timers } = await setUp('tea');
  assert.equal(rooms.get().hasFailed, false);
  fail('unavailable');
  mine.add('milk');
  rooms.refresh();
  await pass(0);
  assert.deepEqual([names(), rooms.get().hasFailed, newRequests()], [['tea'], true, ['rooms:mine', 'rooms:mine']]);
  await pass(60_000);
  const { length } = newRequests();
  assert.ok(length >= 3 && length <= 10, `${length} tries in the first minute`);
  fail(null);
  await pass(60_000);
  assert.deepEqual([names(), rooms.get().hasFailed, timers()], [['tea', 'milk'], false, 0]);
});

it('is read again when the server has recovered, and with the next connection', async () => {
  const { rooms, client, names, fail, newRequests, tell, pass, timers } = await setUp('tea');
  const failAgain = async () => {
    fail('unavailable');
    rooms.refresh();
    await pass(0);
    fail(null);
    newRequests();
  };
  await tell('notice', { code: 'recovered' });
  await failAgain();
  await tell('notice', { code: 'recovered' });
  assert.deepEqual([newRequests(), rooms.get().hasFailed, timers()], [['rooms:mine'], false, 0]);
  client.connection = { state: 'connecting' };
  await failAgain();
  assert.deepEqual([rooms.get().hasFailed, timers()], [false, 0], 'the connection is the reason');
  await tell('session', {} as never);
  assert.deepEqual([newRequests(), names()], [['rooms:mine'], ['tea']]);
});

it('is not read after it was closed', async () => {
  const { rooms, fail, timers, pass } = await setUp('tea');
  fail('unavailable');
  rooms.refresh();
  await pass(0);
  rooms.close();
  assert.equal(timers(), 0);
});
