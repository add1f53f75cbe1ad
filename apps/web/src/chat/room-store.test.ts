import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChatClient, ClientEvents, Scheduler } from '@maru/client';
import { MaruError } from '@maru/protocol/errors';
import type { Entry, HistoryData } from '@maru/protocol/events';
import { createRoomStore } from './room-store.ts';

const BOT = { id: 'bot', name: 'Bot' };
const entry = (seq: number, from = BOT): Entry => ({
  room: 'lobby',
  epoch: 'e1',
  seq,
  ts: seq,
  n: seq,
  type: 'text',
  from,
  text: `text ${seq}`,
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));

/** A client that does what the test says, and a clock that stands still. */
function setUp() {
  const listeners = new Map<string, Set<(value: never) => void>>();
  const calls: string[] = [];
  let history: () => Promise<HistoryData> = () => Promise.reject(new MaruError('unavailable', 'ill'));
  const client: ChatClient = {
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener as (value: never) => void));
      return () => void set.delete(listener as (value: never) => void);
    },
    connection: { state: 'connected' },
    user: { id: 'me', name: 'Me' },
    connect: () => {},
    retryNow: () => {},
    close: () => {},
    join: (room) => void calls.push(`join ${room}`),
    leave: (room) => void calls.push(`leave ${room}`),
    send(room, text) {
      calls.push(`send ${text}`);
      return { room, clientMsgId: 'm', text, queuedAtMs: 0, state: { kind: 'sending' } };
    },
    retry: () => {},
    discard: (id) => void calls.push(`discard ${id}`),
    pending: () => [],
    readHistory: (request) => {
      calls.push(`read before ${request.before} of ${request.epoch}`);
      return history();
    },
    setTyping: () => {},
    setStatus: () => Promise.resolve(),
    details: () => null,
    moderation: {} as ChatClient['moderation'],
  };
  const scheduler: Scheduler = { now: () => 0, wallNow: () => 0, random: () => 0.5, after: () => () => {} };
  const store = createRoomStore({ client, room: 'lobby', ownId: 'me', scheduler });
  const tell = <K extends keyof ClientEvents>(name: K, value: ClientEvents[K]) => {
    for (const listener of listeners.get(name) ?? []) (listener as (given: ClientEvents[K]) => void)(value);
  };
  const arrive = (entries: Entry[]) => tell('entries', { room: 'lobby', entries });
  const joined = (head: number) =>
    tell('room', { room: 'lobby', status: 'joined', role: 'member', epoch: 'e1', head, first: 1 });
  const seqs = () => store.get().timeline.entries.map(({ seq }) => seq);
  const setHistory = (next: typeof history) => {
    history = next;
  };
  return { store, calls, tell, arrive, joined, seqs, setHistory };
}

describe('the store of a room', () => {
  it('joins at once, and leaves and listens no more when it is closed', () => {
    const { store, calls, arrive, seqs } = setUp();
    store.close();
    arrive([entry(1)]);
    assert.deepEqual(calls, ['join lobby', 'leave lobby']);
    assert.deepEqual(seqs(), []);
  });

  it('reads out what is new at the end, and nothing that was there before', () => {
    const { store, joined, arrive } = setUp();
    joined(2);
    arrive(range(1, 2));
    assert.equal(store.get().announcement, null);
    arrive([entry(3)]);
    assert.deepEqual(store.get().announcement, { id: 1, kind: 'message', name: 'Bot', text: 'text 3' });
    arrive([entry(4, { id: 'me', name: 'Me' })]);
    assert.equal(store.get().announcement?.id, 1, 'an own message is no news');
    arrive(range(5, 14));
    assert.deepEqual(store.get().announcement, { id: 2, kind: 'many', count: 10 });
  });

  it('does not read out the page that follows a gap', () => {
    const { store, joined, arrive, tell, seqs } = setUp();
    joined(1);
    arrive([entry(1)]);
    tell('gap', { room: 'lobby', reason: 'too_far', after: { epoch: 'e1', seq: 1 } });
    arrive(range(90, 95));
    assert.equal(store.get().announcement, null);
    assert.deepEqual(seqs(), [90, 91, 92, 93, 94, 95]);
    assert.equal(store.get().timeline.notice, 'gap');
    arrive([entry(96)]);
    assert.equal(store.get().announcement?.kind, 'message');
  });

  it('puts older pages above, and says when it could not', async () => {
    const { store, calls, joined, arrive, seqs, setHistory } = setUp();
    joined(6);
    arrive(range(5, 6));
    await store.loadOlder();
    assert.equal(store.get().older, 'failed');
    setHistory(() => Promise.resolve({ epoch: 'e1', head: 6, first: 1, messages: range(1, 4), hasMore: false }));
    await store.loadOlder();
    assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6]);
    assert.equal(store.get().older, 'idle');
    await store.loadOlder();
    assert.equal(
      calls.filter((call) => call.startsWith('read')).length,
      2,
      'once the first entry is loaded, no more pages are requested',
    );
  });

  it('shows others typing until their message comes, and never oneself', () => {
    const { store, arrive, tell } = setUp();
    tell('typing', { room: 'lobby', user: { id: 'me', name: 'Me' }, active: true });
    tell('typing', { room: 'elsewhere', user: BOT, active: true });
    assert.deepEqual(store.get().typists, []);
    tell('typing', { room: 'lobby', user: BOT, active: true });
    assert.equal(store.get().typists.length, 1);
    arrive([entry(1)]);
    assert.deepEqual(store.get().typists, []);
  });

  it('counts what comes while nobody reads', () => {
    const { store, joined, arrive } = setUp();
    joined(0);
    store.setReading(false);
    arrive(range(1, 3));
    assert.equal(store.get().timeline.unreadCount, 3);
    store.send('hello');
    assert.equal(store.get().timeline.unreadFrom, null, 'sending a message marks everything as read');
  });
});

describe('the store of a room with moderators', () => {
  it('says why one is not in the room', () => {
    const { store, tell } = setUp();
    tell('room', { room: 'lobby', status: 'refused', error: { code: 'not_found', message: '', retryable: false } });
    assert.deepEqual(store.get().entered, { kind: 'refused', code: 'not_found' });
    tell('room', { room: 'lobby', status: 'removed', reason: 'kicked' });
    assert.deepEqual(store.get().entered, { kind: 'removed', reason: 'kicked', by: null });
  });

  it('keeps the act that shut one out, and enters again on request', () => {
    const { store, joined, arrive, tell, calls, seqs } = setUp();
    joined(0);
    const ban = { ...entry(2), type: 'room.ban', data: { user: 'me', reason: 'spam' } };
    arrive([entry(1), ban]);
    tell('room', { room: 'lobby', status: 'removed', reason: 'banned' });
    assert.deepEqual(store.get().entered, { kind: 'removed', reason: 'banned', by: ban });
    store.enter();
    assert.deepEqual(calls, ['join lobby', 'join lobby']);
    assert.equal(store.get().entered.kind, 'joining');
    arrive(range(1, 3));
    assert.deepEqual(seqs(), [1, 2, 3]);
  });

  it('begins the pause of slow mode with each own message', () => {
    const { store, joined, arrive, tell } = setUp();
    joined(0);
    const details = { role: 'member', visibility: 'public', title: '', topic: '', readOnly: false } as const;
    tell('details', { room: 'lobby', details: { ...details, slowModeS: 7, mutedUntilTs: null } });
    arrive([entry(1)]);
    assert.equal(store.get().slowUntilMs, 0);
    arrive([entry(2, { id: 'me', name: 'Me' })]);
    assert.equal(store.get().slowUntilMs, 7_000);
    assert.equal(store.get().names.get('bot'), 'Bot');
  });
});
