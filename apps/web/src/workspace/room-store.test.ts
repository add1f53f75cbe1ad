import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChatClient, ClientEvents } from '@maru/client';
import type { ActOutcome, Conversation, ConversationView } from '@maru/client/conversation';
import type { Entry } from '@maru/protocol/events';
import { fakeScheduler } from '../testing/fake-scheduler.ts';
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

const emptyList: ConversationView = {
  ...{ messages: [], outgoing: [], hasOlder: false, hasNewer: false, isLoading: false, error: null },
  ...{ newer: { isLoading: false, error: null }, jump: { isLoading: false, error: null }, place: null },
  ...{ isReady: true, head: 0, n: 0, read: null, unread: 0, unreadLine: null, readers: new Map() },
  ...{ isLineAbove: false, sinceLine: 0 },
};

/** A fake client and a fake conversation that the test controls. */
function setUp() {
  const listeners = new Map<string, Set<(value: never) => void>>();
  const calls: string[] = [];
  const client = {
    on(name: string, listener: (value: never) => void) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => void set.delete(listener);
    },
    join: (room: string) => void calls.push(`join ${room}`),
    status: () => null,
  } as unknown as ChatClient;
  let list = emptyList;
  let onList = () => {};
  const conversation = {
    room: 'lobby',
    get: () => list,
    subscribe(listener: () => void) {
      onList = listener;
      return () => {
        onList = () => {};
      };
    },
    send: (text: string, { mentions = [] }: { mentions?: string[] }) => void calls.push(`send ${text} ${mentions}`),
    markRead: (seq: number) => void calls.push(`read ${seq}`),
    moveLine: () => void calls.push('move line'),
    jumpTo: (seq: number | 'newest') => void calls.push(`jump ${seq}`),
    loadReaders: () => void calls.push('readers'),
    close: () => void calls.push('close'),
  } as unknown as Conversation;
  const { scheduler, pass } = fakeScheduler();
  const leave = () => void calls.push('leave');
  const store = createRoomStore({ client, conversation, ownId: 'me', scheduler, isKnown: () => true, leave });
  store.enter();
  const tell = <K extends keyof ClientEvents>(name: K, value: ClientEvents[K]) => {
    for (const listener of listeners.get(name) ?? []) (listener as (given: ClientEvents[K]) => void)(value);
  };
  const arrive = (entries: Entry[]) => tell('entries', { room: 'lobby', entries });
  const joined = (head: number) =>
    tell('room', { room: 'lobby', status: 'joined', role: 'member', epoch: 'e1', head, first: 1 });
  const show = (more: Partial<ConversationView>) => {
    list = { ...list, ...more };
    onList();
  };
  /** The calls since the last check. */
  const newCalls = () => calls.splice(0);
  const heard = () => store.get().announcements.flatMap(({ messages }) => messages.map(({ text }) => text));
  return { store, newCalls, tell, arrive, joined, show, pass, heard };
}

describe('the store of a room', () => {
  it('leaves the room and stops listening when it is closed', () => {
    const { store, newCalls, arrive, show } = setUp();
    store.close();
    arrive([{ ...entry(1), type: 'room.mute', data: { user: 'me' } }]);
    show({ unread: 3 });
    assert.deepEqual(newCalls(), ['join lobby', 'close', 'leave']);
    assert.deepEqual([store.get().acts, store.get().list.unread], [[], 0]);
  });

  it('marks everything as read while the newest message is visible', () => {
    const { store, newCalls, show } = setUp();
    newCalls();
    show({ head: 4 });
    assert.deepEqual(newCalls(), [], 'it is not known yet what is visible');
    store.setReading(true);
    show({ head: 5 });
    store.setReading(false);
    show({ head: 6 });
    assert.deepEqual(newCalls(), ['read 4', 'read 5', 'move line']);
    store.setReading(true);
    show({ hasNewer: true, head: 7 });
    assert.deepEqual(newCalls(), ['read 6'], 'an older part of the room is shown');
  });

  it('moves the unread line to the first message that arrives while the reader is away', () => {
    const { store, newCalls, show } = setUp();
    store.setReading(false);
    newCalls();
    show({ unread: 1 });
    show({ unread: 2 });
    assert.deepEqual(newCalls(), ['move line']);
  });

  it('draws no line above messages that are read at once, and keeps an existing line', () => {
    const { store, newCalls, show } = setUp();
    store.setReading(true);
    newCalls();
    show({ head: 1, unreadLine: 1 });
    assert.deepEqual(newCalls(), ['read 1', 'move line']);
    show({ head: 2 });
    assert.deepEqual(newCalls(), ['read 2']);
  });

  it('shows the newest messages and moves the line when the user sends', () => {
    const { store, newCalls, show } = setUp();
    show({ hasNewer: true });
    newCalls();
    store.send('hello', ['bot']);
    assert.deepEqual(newCalls(), ['send hello bot', 'move line', 'jump newest']);
  });

  it('shows why an act was refused until the next act', async () => {
    const { store } = setUp();
    const error = { code: 'conflict', message: '', retryable: false } as const;
    store.note('react', Promise.resolve<ActOutcome>({ ok: false, error }));
    await Promise.resolve();
    assert.deepEqual(store.get().refusal, { act: 'react', code: 'conflict' });
    store.note('react', Promise.resolve<ActOutcome>({ ok: true, seq: 1, duplicate: false }));
    assert.equal(store.get().refusal, null);
  });

  it('keeps acts, and drops those that a rollback removed', () => {
    const { store, arrive, tell } = setUp();
    const act = (seq: number): Entry => ({ ...entry(seq), type: 'room.mute', data: { user: 'x' } });
    arrive([entry(1), act(2), act(3)]);
    tell('rollback', { room: 'lobby', epoch: 'e2', head: 2 });
    assert.deepEqual(
      store.get().acts.map(({ seq }) => seq),
      [2],
    );
  });
});

describe('announcements of the store of a room', () => {
  it('contain new messages at the end, and no earlier ones', () => {
    const { joined, arrive, pass, heard } = setUp();
    joined(2);
    arrive(range(1, 2));
    arrive([entry(3)]);
    pass(500);
    assert.deepEqual(heard(), ['text 3']);
  });

  it('drop a deleted message', () => {
    const { joined, arrive, pass, heard } = setUp();
    joined(0);
    arrive([entry(1)]);
    pass(500);
    assert.deepEqual(heard(), ['text 1']);
    arrive([{ ...entry(2), type: 'message.delete', data: { seq: 1 } }]);
    assert.deepEqual(heard(), []);
  });

  it('do not contain the page that follows a gap', () => {
    const { store, joined, arrive, tell, pass, heard } = setUp();
    joined(1);
    arrive([entry(1)]);
    tell('gap', { room: 'lobby', reason: 'too_far', after: { epoch: 'e1', seq: 1 } });
    arrive(range(90, 95));
    assert.equal(store.get().notice, 'gap');
    arrive([entry(96)]);
    pass(500);
    assert.deepEqual(heard(), ['text 96']);
  });

  it('show others typing until their message comes, and never the own user', () => {
    const { store, arrive, tell } = setUp();
    tell('typing', { room: 'lobby', user: { id: 'me', name: 'Me' }, active: true });
    tell('typing', { room: 'elsewhere', user: BOT, active: true });
    assert.deepEqual(store.get().typists, []);
    tell('typing', { room: 'lobby', user: BOT, active: true });
    assert.equal(store.get().typists.length, 1);
    arrive([entry(1)]);
    assert.deepEqual(store.get().typists, []);
  });
});

describe('the store of a room with moderators', () => {
  it('shows the join error', () => {
    const { store, tell } = setUp();
    tell('room', { room: 'lobby', status: 'refused', error: { code: 'not_found', message: '', retryable: false } });
    assert.deepEqual(store.get().entered, { kind: 'refused', code: 'not_found' });
    tell('room', { room: 'lobby', status: 'removed', reason: 'kicked' });
    assert.deepEqual(store.get().entered, { kind: 'removed', reason: 'kicked', by: null });
  });

  it('keeps the act that excluded the user, and joins again on request', () => {
    const { store, joined, arrive, tell, newCalls } = setUp();
    joined(0);
    const ban = { ...entry(2), type: 'room.ban', data: { user: 'me', reason: 'spam' } };
    arrive([entry(1), ban]);
    tell('room', { room: 'lobby', status: 'removed', reason: 'banned' });
    assert.deepEqual(store.get().entered, { kind: 'removed', reason: 'banned', by: ban });
    store.enter();
    assert.deepEqual(newCalls(), ['join lobby', 'join lobby']);
    assert.deepEqual([store.get().entered.kind, store.get().acts], ['joining', []]);
  });

  it('starts the pause of slow mode with each own message', () => {
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
