import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChatClient, ClientEvents, RoomStatus } from '@maru/client';
import type { Conversations } from '@maru/client/conversation';
import { type ErrorCode, MaruError } from '@maru/protocol/errors';
import { fakeScheduler } from '../testing/fake-scheduler.ts';
import { createOpenRooms, OPEN_ROOMS_MAX } from './open-rooms.ts';

const view = {
  ...{ messages: [], outgoing: [], hasOlder: false, hasNewer: false, isLoading: false, error: null },
  ...{ newer: { isLoading: false, error: null }, jump: { isLoading: false, error: null }, place: null },
  ...{ isReady: true, head: 0, n: 0, read: null, unread: 0, unreadLine: null, readers: new Map() },
};

/** A fake server with some rooms, behind a client that records calls. */
function setUp(exists: string[] = []) {
  const calls: string[] = [];
  const statuses = new Map<string, RoomStatus>();
  const listeners = new Map<string, Set<(event: never) => void>>();
  const drafts = new Set<string>();
  const mine = new Set<string>();
  let failure: ErrorCode | null = null;
  const client = {
    connection: { state: 'connected' },
    on(name: string, listener: (event: never) => void) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => void set.delete(listener);
    },
    join(room: string, { presence = false } = {}) {
      calls.push(`join ${room}${presence ? ' with presence' : ''}`);
      if (!statuses.has(room)) statuses.set(room, { status: 'joining' });
    },
    leave(room: string) {
      calls.push(`leave ${room}`);
      statuses.delete(room);
    },
    status: (room: string) => statuses.get(room) ?? null,
    position: () => ({ epoch: 'e', seq: 5 }),
    details: () => null,
    pending: () => [],
    async readHistory({ room }: { room: string }) {
      calls.push(`look for ${room}`);
      if (failure !== null) throw new MaruError(failure, 'not now');
      if (!exists.includes(room)) throw new MaruError('not_found', 'no such room');
    },
    moderation: {
      async createRoom({ room }: { room: string }) {
        calls.push(`create ${room}`);
        if (failure !== null) throw new MaruError(failure, 'not now');
      },
    },
  };
  const conversations = {
    drafts: { get: () => drafts },
    myRooms: { room: (room: string) => (mine.has(room) ? {} : null) },
    open: (room: string) => ({
      ...{ room, get: () => view, subscribe: () => () => {}, loadReaders: () => {} },
      close: () => void calls.push(`close ${room}`),
    }),
  };
  const { scheduler, pass } = fakeScheduler();
  const rooms = createOpenRooms({
    client: client as unknown as ChatClient,
    conversations: conversations as unknown as Conversations,
    ...{ ownId: 'me', scheduler, staysJoined: (room) => room.startsWith('own') },
  });
  return {
    ...{ rooms, drafts, mine, statuses, pass },
    newCalls: () => calls.splice(0),
    fail(code: ErrorCode | null) {
      failure = code;
    },
    tell<K extends keyof ClientEvents>(name: K, event: ClientEvents[K]) {
      for (const listener of listeners.get(name) ?? []) (listener as (given: typeof event) => void)(event);
    },
    entered: (room: string) => rooms.find(room)?.get().entered.kind,
  };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a room at an address', () => {
  it('is joined if it exists', async () => {
    const { rooms, newCalls, entered } = setUp(['tea']);
    rooms.show('tea', false);
    assert.equal(entered('tea'), 'looking');
    await settled();
    assert.deepEqual(newCalls(), ['look for tea', 'join tea with presence']);
    assert.equal(entered('tea'), 'joining');
  });

  it('is not joined, and so not created, if it does not exist', async () => {
    const { rooms, newCalls, entered } = setUp();
    rooms.show('tae', false);
    await settled();
    assert.deepEqual(newCalls(), ['look for tae']);
    assert.equal(entered('tae'), 'missing');
  });

  it('is looked up again when the user navigates there again', async () => {
    const exists: string[] = [];
    const { rooms, newCalls, entered } = setUp(exists);
    rooms.show('tae', false);
    await settled();
    exists.push('tae');
    rooms.show('tae', false);
    await settled();
    assert.deepEqual(newCalls(), ['look for tae', 'look for tae', 'join tae with presence']);
    assert.equal(entered('tae'), 'joining');
  });

  it('is created when the user confirms, even if another user is faster', async () => {
    for (const failure of [null, 'conflict'] as const) {
      const { rooms, newCalls, fail } = setUp();
      rooms.show('tea', false);
      await settled();
      fail(failure);
      rooms.get()?.create();
      await settled();
      assert.deepEqual(newCalls(), ['look for tea', 'create tea', 'join tea with presence']);
    }
  });

  it('shows why it could not be created', async () => {
    const { rooms, fail } = setUp();
    rooms.show('tea', false);
    await settled();
    fail('rate_limited');
    rooms.get()?.create();
    await settled();
    assert.deepEqual(rooms.get()?.get().entered, { kind: 'missing', problem: 'rate_limited' });
  });

  it('is joined without a lookup if the user typed its name, or it is known', async () => {
    const { rooms, newCalls, mine, drafts, statuses } = setUp();
    mine.add('own');
    drafts.add('begun');
    statuses.set('joined', { status: 'joined', role: 'member', epoch: 'e', head: 5, first: 1 });
    rooms.show('named', true);
    for (const room of ['own', 'begun', 'd-1', 'p-1', 'lobby', 'joined']) rooms.show(room, false);
    await settled();
    assert.deepEqual(
      newCalls().filter((call) => call.startsWith('look')),
      [],
    );
  });

  it('is looked up until there is an answer, and on each new connection', async () => {
    const { rooms, newCalls, fail, pass, tell, entered } = setUp(['tea']);
    fail('unavailable');
    rooms.show('tea', false);
    await settled();
    assert.equal(entered('tea'), 'looking');
    pass(1_000);
    await settled();
    fail(null);
    tell('session', {} as never);
    await settled();
    assert.deepEqual(newCalls(), ['look for tea', 'look for tea', 'look for tea', 'join tea with presence']);
  });

  it('is joined if the user may not see it, and the join reports why', async () => {
    const { rooms, newCalls, fail } = setUp();
    fail('forbidden');
    rooms.show('tea', false);
    await settled();
    assert.deepEqual(newCalls(), ['look for tea', 'join tea with presence']);
  });
});

it('looks for a room that has ended for the user, whatever still names it', async () => {
  const { rooms, newCalls, mine, drafts, tell } = setUp();
  mine.add('tea');
  drafts.add('tea');
  tell('room', { room: 'tea', status: 'removed', reason: 'deleted' });
  rooms.show('tea', false);
  await settled();
  assert.deepEqual(newCalls(), ['look for tea']);
  rooms.hide();
  tell('room', { room: 'tea', status: 'joined', role: 'member', epoch: 'e', head: 5, first: 1 });
  tell('room', { room: 'milk', status: 'refused', error: { code: 'not_found', message: '', retryable: false } });
  mine.add('milk');
  rooms.show('milk', false);
  await settled();
  assert.deepEqual(newCalls(), ['look for milk']);
});

describe('open rooms', () => {
  it('stay open, and only the shown one watches presence', () => {
    const { rooms, newCalls, entered, statuses } = setUp();
    statuses.set('own-a', { status: 'joined', role: 'member', epoch: 'e', head: 5, first: 1 });
    rooms.show('own-a', false);
    const first = rooms.get();
    assert.equal(entered('own-a'), 'joined');
    rooms.show('b', true);
    assert.deepEqual(newCalls(), ['join own-a with presence', 'join own-a', 'join b with presence']);
    rooms.show('own-a', false);
    assert.equal(rooms.get(), first);
    assert.deepEqual(newCalls(), ['join b', 'join own-a with presence']);
    rooms.hide();
    assert.deepEqual([newCalls(), rooms.get()], [['join own-a'], null]);
  });

  it('are limited: the least recently shown one is closed', () => {
    const { rooms, newCalls } = setUp();
    const names = Array.from({ length: OPEN_ROOMS_MAX + 2 }, (_, i) => `${i === 1 ? 'own' : 'r'}-${i}`);
    for (const name of names.slice(0, OPEN_ROOMS_MAX)) rooms.show(name, true);
    newCalls();
    for (const name of names.slice(OPEN_ROOMS_MAX)) rooms.show(name, true);
    const ends = newCalls().filter((call) => /^(close|leave|join own)/.test(call));
    assert.deepEqual(ends, ['close r-0', 'leave r-0', 'close own-1', 'join own-1']);
    assert.deepEqual(
      rooms.list().map(({ room }) => room),
      names.slice(2),
    );
  });

  it('close together', () => {
    const { rooms, newCalls } = setUp();
    rooms.show('a', true);
    rooms.show('b', true);
    newCalls();
    rooms.close();
    assert.deepEqual(newCalls(), ['close a', 'leave a', 'close b', 'leave b']);
  });
});
