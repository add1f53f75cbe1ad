/**
 * Decides which notices the reader gets. Listens to the client, and passes news that the rules
 * allow to `Teller`. It does not know how a notice is shown.
 */
import { type ChatClient, hasSession, type Scheduler } from '@maru/client';
import type { MyRooms } from '@maru/client/conversation';
import type { MyRoom, Status } from '@maru/protocol/events';
import type { PreferenceStore } from '../settings/preferences.ts';
import { countOf } from './attention.ts';
import { watchLive } from './live.ts';
import { type Notice, NoticeQueue } from './queue.ts';
import { mayTell, type News, newsOfEntries, newsOfInbox } from './rules.ts';

export interface Teller {
  tell(notices: readonly Notice[]): void;
  /** The room has no unread news any more: remove its notice. */
  withdraw(room: string): void;
}

export interface NoticesOptions {
  client: Pick<ChatClient, 'on' | 'connection'>;
  myRooms: Pick<MyRooms, 'get' | 'room' | 'subscribe'>;
  ownId: string;
  preferences: Pick<PreferenceStore, 'get'>;
  scheduler: Scheduler;
  status: () => Status;
  /** The end of the room is visible, and the window has the focus. */
  isLookedAt: (room: string) => boolean;
  /** The page is visible, and the window has the focus. */
  isPageLookedAt: () => boolean;
  teller: Teller;
}

/** Within this time after a reconnect, the list of rooms is read again. */
const CATCH_UP_MS = 3_000;

export function createNotices(options: NoticesOptions): { close(): void } {
  const { client, myRooms, ownId, preferences, scheduler, status, isLookedAt, teller } = options;
  const passes = (news: News): boolean => {
    const room = myRooms.room(news.room);
    const [rule, readSeq] = [room?.notify ?? null, room?.read.seq ?? 0];
    const about = preferences.get().notifyAbout;
    return mayTell(news, { ownId, status: status(), about, rule, readSeq, isLookedAt: isLookedAt(news.room) });
  };
  const queue = new NoticeQueue({ scheduler, mayTell: passes, tell: teller.tell });
  const absence = watchAbsence(options);
  const add = (news: readonly News[]) => {
    if (!absence.isCatchingUp()) for (const one of news) queue.add(one);
  };
  const live = watchLive(client);
  const unsubscribe = [
    client.on('entries', ({ room, entries, readAt }) => {
      if (readAt !== undefined) return;
      const isDirect = myRooms.room(room)?.visibility === 'direct';
      add(newsOfEntries(room, entries, { ownId, afterSeq: live.afterSeq(room), isDirect }));
    }),
    client.on('inbox', (event) => {
      const news = newsOfInbox(event);
      if (news !== null) add([news]);
      if (event.type === 'removed') teller.withdraw(event.room);
    }),
    myRooms.subscribe(() => {
      for (const room of myRooms.get().rooms) if (room.unread === 0) teller.withdraw(room.room);
    }),
  ];
  return {
    close() {
      for (const end of unsubscribe) end();
      live.close();
      absence.close();
      queue.close();
    },
  };
}

/** After a reconnect, shows one notice about everything that was missed. */
function watchAbsence(options: NoticesOptions) {
  const { client, myRooms, preferences, scheduler, status, isPageLookedAt, teller } = options;
  const waiting = (): Map<string, number> =>
    new Map(myRooms.get().rooms.map((room) => [room.room, weightOf(room, preferences.get().notifyAbout)]));
  let before: Map<string, number> | null = null;
  let cancel: (() => void) | null = null;

  const end = () => {
    cancel = null;
    const grown = [...waiting()].map(([room, count]) => ({ room, count: count - (before?.get(room) ?? 0) }));
    before = null;
    if (status() === 'dnd' || isPageLookedAt()) return;
    const rooms = grown.filter(({ count }) => count > 0);
    const notice = noticeOfAbsence(rooms.map(({ room, count }) => ({ room: myRooms.room(room), count })));
    if (notice !== null) teller.tell([notice]);
  };
  const unsubscribe = [
    client.on('connection', (connection) => {
      if (hasSession(connection) || before !== null || !myRooms.get().isReady) return;
      before = waiting();
      cancel?.();
      cancel = null;
    }),
    client.on('session', () => {
      if (before !== null) cancel ??= scheduler.after(CATCH_UP_MS, end);
    }),
  ];
  return {
    /** Whether news that arrives now is part of what was missed. */
    isCatchingUp: () => before !== null,
    close() {
      cancel?.();
      for (const stop of unsubscribe) stop();
    },
  };
}

const weightOf = (room: MyRoom, about: 'direct' | 'all'): number =>
  about === 'all' && room.notify === 'all' ? room.unread : countOf(room);

/** Null if there is nothing new. */
export function noticeOfAbsence(grown: ReadonlyArray<{ room: MyRoom | null; count: number }>): Notice | null {
  const count = grown.reduce((sum, one) => sum + one.count, 0);
  const [first] = grown;
  if (first === undefined) return null;
  const last = first.room?.last;
  if (grown.length > 1 || last === undefined) return { kind: 'many', count, rooms: grown.length };
  const kind = first.room?.visibility === 'direct' ? 'direct' : 'mention';
  return {
    kind: 'room',
    count,
    news: { kind, room: last.room, seq: last.seq, from: last.from, text: last.text ?? '' },
  };
}
