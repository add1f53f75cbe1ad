/** A fake clock, client and room list for tests of notices. */
import type { ChatClient, ClientEvents } from '@maru/client';
import type { MyRooms } from '@maru/client/conversation';
import type { Entry, InboxEvent, MyRoom, SessionData, Status } from '@maru/protocol/events';
import type { PreferenceStore } from '../../settings/preferences.ts';
import { createNotices } from '../notices.ts';
import { HOLD_MS, type Notice, WINDOW_MS } from '../queue.ts';

const MINA = { id: 'mina', name: 'Mina' };

function createClock() {
  let nowMs = 0;
  let tasks: Array<{ atMs: number; run: () => void }> = [];
  return {
    scheduler: {
      ...{ now: () => nowMs, wallNow: () => nowMs, random: () => 0.5 },
      after(delayMs: number, run: () => void) {
        const task = { atMs: nowMs + delayMs, run };
        tasks.push(task);
        return () => {
          tasks = tasks.filter((other) => other !== task);
        };
      },
    },
    timers: () => tasks.length,
    pass(ms: number) {
      nowMs += ms;
      const due = tasks.filter(({ atMs }) => atMs <= nowMs);
      tasks = tasks.filter(({ atMs }) => atMs > nowMs);
      for (const { run } of due) run();
    },
  };
}

function createEvents() {
  const listeners = new Map<string, Set<(value: never) => void>>();
  return {
    on(name: string, listener: (value: never) => void) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => void set.delete(listener);
    },
    tell<K extends keyof ClientEvents>(name: K, value: ClientEvents[K]) {
      for (const listener of listeners.get(name) ?? []) (listener as (given: ClientEvents[K]) => void)(value);
    },
  };
}

function createList() {
  const rooms = new Map<string, MyRoom>();
  const listeners = new Set<() => void>();
  const myRooms = {
    get: () => ({ isReady: true, rooms: [...rooms.values()], unread: 0, mentions: 0 }),
    room: (id: string) => rooms.get(id) ?? null,
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const list = (id: string, more: Partial<MyRoom> = {}) => {
    const fresh: MyRoom = {
      ...{ room: id, title: '', visibility: 'public', role: 'member', epoch: 'e', head: 0, n: 0 },
      ...{ read: { seq: 0, n: 0 }, unread: 0, mentions: 0, notify: 'all' },
    };
    rooms.set(id, { ...fresh, ...rooms.get(id), ...more });
    for (const listener of listeners) listener();
  };
  return { myRooms: myRooms as unknown as MyRooms, list };
}

export const textEntry = (room: string, seq: number, more: Partial<Entry> = {}): Entry => ({
  ...{ room, epoch: 'e', seq, ts: 0, n: seq, type: 'text', from: MINA, text: `text ${seq}` },
  ...more,
});

/** As `room×count@newest`, or as `count in rooms`. */
const nameOfNotice = (notice: Notice): string =>
  notice.kind === 'room'
    ? `${notice.news.room}×${notice.count}@${notice.news.seq}`
    : `${notice.count} in ${notice.rooms}`;

export function createNoticeWorld() {
  const { scheduler, timers, pass } = createClock();
  const { on, tell } = createEvents();
  const { myRooms, list } = createList();
  const world = { status: 'online' as Status, about: 'all' as 'all' | 'direct', looks: '', isPageLookedAt: false };
  const given: Notice[] = [];
  const withdrawn: string[] = [];
  const notices = createNotices({
    client: { on } as unknown as ChatClient,
    ...{ myRooms, ownId: 'me', scheduler },
    preferences: { get: () => ({ notifyAbout: world.about }) } as unknown as PreferenceStore,
    status: () => world.status,
    isLookedAt: (room) => room === world.looks,
    isPageLookedAt: () => world.isPageLookedAt,
    teller: { tell: (all) => void given.push(...all), withdraw: (room) => void withdrawn.push(room) },
  });
  /** The notices since the last call. */
  const heard = () => given.splice(0).map(nameOfNotice);
  const heardAfter = (ms: number) => {
    pass(ms);
    return heard();
  };
  return {
    ...{ world, list, tell, pass, timers, withdrawn, heard },
    afterHold: () => heardAfter(HOLD_MS),
    afterWindow: () => heardAfter(WINDOW_MS),
    close: notices.close,
    arrive: (room: string, ...seqs: number[]) =>
      tell('entries', { room, entries: seqs.map((seq) => textEntry(room, seq)) }),
    joined: (room: string, head: number) =>
      tell('room', { room, status: 'joined', role: 'member', epoch: 'e', head, first: 1 }),
    lose: () => tell('connection', { state: 'connecting' }),
    session: (heads: Record<string, number>) =>
      tell('session', {
        rooms: Object.fromEntries(Object.entries(heads).map(([room, head]) => [room, { recovered: true, head }])),
      } as unknown as SessionData),
    inbox: (type: 'message' | 'mention', room: string, seq: number) =>
      tell('inbox', { type, room, seq, ts: 0, n: seq, from: MINA, text: `text ${seq}` } as InboxEvent),
  };
}
