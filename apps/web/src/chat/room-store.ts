/** The view model of one room: listens to the client, keeps the timeline, and offers the reader's actions. */
import type { ChatClient, PresenceView, Scheduler } from '@maru/client';
import { type ErrorCode, MaruError } from '@maru/protocol/errors';
import type { Entry } from '@maru/protocol/events';
import { createStore, type Store } from '../model/store.ts';
import * as timelines from '../model/timeline.ts';
import { emptyTimeline, isShown, type Timeline } from '../model/timeline.ts';
import { expireTyping, receiveTyping, stopTyping, type Typists } from '../model/typing.ts';

export type EnteredState =
  | { kind: 'joining' }
  | { kind: 'joined' }
  | { kind: 'refused'; code: ErrorCode }
  | { kind: 'removed' };

/** What a screen reader announces: the newest messages at the end of the list. */
export type Announcement = { id: number } & (
  | { kind: 'message'; name: string; text: string }
  | { kind: 'many'; count: number }
);

export interface RoomView {
  entered: EnteredState;
  timeline: Timeline;
  presence: PresenceView | null;
  typists: Typists;
  older: 'idle' | 'loading' | 'failed';
  announcement: Announcement | null;
}

export interface RoomStore extends Pick<Store<RoomView>, 'get' | 'subscribe'> {
  readonly room: string;
  /** @throws MaruError if the text cannot be queued. */
  send(text: string): void;
  retry(clientMsgId: string): void;
  discard(clientMsgId: string): void;
  loadOlder(): Promise<void>;
  /** Whether the end of the list is visible. */
  setReading(isReading: boolean): void;
  close(): void;
}

const OLDER_PAGE_ENTRIES = 100;
/** Above this number, the count is announced instead of the texts. */
const ANNOUNCED_MESSAGES_MAX = 3;

export interface RoomStoreOptions {
  client: ChatClient;
  room: string;
  ownId: string;
  scheduler: Scheduler;
}

export function createRoomStore({ client, room, ownId, scheduler }: RoomStoreOptions): RoomStore {
  const store = createStore<RoomView>(
    {
      entered: { kind: 'joining' },
      timeline: emptyTimeline,
      presence: null,
      typists: [],
      older: 'idle',
      announcement: null,
    },
    scheduler,
  );
  let isReading = true;
  /** Entries up to here existed before the join or were missed. They are not announced. */
  let announcedSeq = Number.POSITIVE_INFINITY;
  let announcements = 0;
  let cancelExpiry = () => {};

  const change = (part: Partial<RoomView>) => store.set({ ...store.get(), ...part });
  const changeTimeline = (to: (timeline: Timeline) => Timeline) => change({ timeline: to(store.get().timeline) });

  const announcementOf = (entries: readonly Entry[]): Announcement | null => {
    const news = entries.filter((entry) => entry.seq > announcedSeq && isShown(entry) && entry.from.id !== ownId);
    const last = news.at(-1);
    if (last === undefined) return null;
    const id = ++announcements;
    if (news.length > ANNOUNCED_MESSAGES_MAX) return { id, kind: 'many', count: news.length };
    return { id, kind: 'message', name: last.from.name, text: last.text ?? '' };
  };

  const setTypists = (typists: Typists) => {
    change({ typists });
    cancelExpiry();
    const nextMs = Math.min(...typists.map(({ untilMs }) => untilMs));
    if (typists.length === 0) return;
    cancelExpiry = scheduler.after(Math.max(1, nextMs - scheduler.now()), () => {
      setTypists(expireTyping(store.get().typists, scheduler.now()));
    });
  };

  const offs = [
    client.on('room', (event) => {
      if (event.room !== room) return;
      if (event.status === 'joined') {
        announcedSeq = event.head;
        changeTimeline((timeline) => ({ ...timeline, firstKept: event.first }));
        change({ entered: { kind: 'joined' } });
      } else if (event.status === 'refused') change({ entered: { kind: 'refused', code: event.error.code } });
      else if (event.status === 'removed') change({ entered: { kind: 'removed' }, presence: null, typists: [] });
    }),
    client.on('entries', ({ room: of, entries }) => {
      if (of !== room) return;
      changeTimeline((timeline) => timelines.append(timeline, entries, { ownId, isReading }));
      setTypists(stopTyping(store.get().typists, new Set(entries.map(({ from }) => from.id))));
      const announcement = announcementOf(entries);
      if (announcement !== null) change({ announcement });
    }),
    client.on('gap', ({ room: of, reason }) => {
      if (of !== room) return;
      announcedSeq = Number.POSITIVE_INFINITY;
      changeTimeline((timeline) => timelines.breakOff(timeline, reason === 'epoch' ? 'rolled-back' : 'gap'));
    }),
    client.on('rollback', ({ room: of, head }) => {
      if (of !== room) return;
      announcedSeq = Math.min(announcedSeq, head);
      changeTimeline((timeline) => timelines.rollBack(timeline, head));
    }),
    client.on('outgoing', (message) => {
      if (message.room === room) changeTimeline((timeline) => timelines.noteOutgoing(timeline, message));
    }),
    client.on('presence', ({ room: of, view }) => {
      if (of === room) change({ presence: view });
    }),
    client.on('typing', (signal) => {
      if (signal.room !== room || signal.user.id === ownId) return;
      setTypists(receiveTyping(store.get().typists, signal, scheduler.now()));
    }),
  ];
  // After a gap the next slice is not announced. Later entries are.
  offs.push(
    client.on('entries', ({ room: of, entries }) => {
      const last = entries.at(-1);
      if (of === room && last !== undefined && announcedSeq === Number.POSITIVE_INFINITY) announcedSeq = last.seq;
    }),
  );

  for (const message of client.pending()) {
    if (message.room === room) changeTimeline((timeline) => timelines.noteOutgoing(timeline, message));
  }
  client.join(room, { limit: 100, presence: true });

  return {
    room,
    get: store.get,
    subscribe: store.subscribe,
    send(text) {
      client.send(room, text);
      changeTimeline((timeline) => ({ ...timeline, unreadFrom: null, unreadCount: 0 }));
    },
    retry: client.retry,
    discard(clientMsgId) {
      client.discard(clientMsgId);
      changeTimeline((timeline) => timelines.dropOutgoing(timeline, clientMsgId));
    },
    async loadOlder() {
      const { timeline, older } = store.get();
      const oldest = timeline.entries[0];
      if (older === 'loading' || oldest === undefined || timelines.olderState(timeline) !== 'more') return;
      change({ older: 'loading' });
      try {
        const { epoch, seq } = oldest;
        // Entries that survived a rollback keep their old epoch here, so the request uses the newest entry's epoch.
        const known = timeline.entries.at(-1)?.epoch ?? epoch;
        const page = await client.readHistory({ room, before: seq, limit: OLDER_PAGE_ENTRIES, epoch: known });
        changeTimeline((now) => timelines.prepend(now, page));
        change({ older: 'idle' });
      } catch (error) {
        // The reader sees the failure and can press again.
        if (!(error instanceof MaruError)) throw error;
        change({ older: 'failed' });
      }
    },
    setReading(next) {
      isReading = next;
      if (next) changeTimeline(timelines.readToEnd);
    },
    close() {
      for (const off of offs) off();
      cancelExpiry();
      store.close();
      client.leave(room);
    },
  };
}
