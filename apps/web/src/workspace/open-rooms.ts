/**
 * Recently shown rooms stay open. So returning to one is immediate, and the scroll position is
 * kept.
 */
import { type ChatClient, type Scheduler, systemScheduler } from '@maru/client';
import type { Conversations } from '@maru/client/conversation';
import { DEFAULT_ROOM } from '../model/route.ts';
import { createRoomStore, type RoomStore } from './room-store.ts';

/** A limit, because each room holds up to 400 messages. */
export const OPEN_ROOMS_MAX = 8;

export interface OpenRoomsOptions {
  client: ChatClient;
  conversations: Conversations;
  ownId: string;
  scheduler?: Scheduler;
  /** Whether the room stays joined when it is closed. */
  staysJoined: (room: string) => boolean;
}

export interface OpenRooms {
  /** The room that is shown. */
  get(): RoomStore | null;
  subscribe(listener: () => void): () => void;
  /** `mayCreate`: the user typed the name of the room. Otherwise the room must exist. */
  show(room: string, mayCreate: boolean): void;
  /** No room is shown. */
  hide(): void;
  find(room: string): RoomStore | null;
  /** All open rooms. The most recently shown one is last. */
  list(): RoomStore[];
  close(): void;
}

export function createOpenRooms(options: OpenRoomsOptions): OpenRooms {
  const { client, conversations, ownId, scheduler = systemScheduler, staysJoined } = options;
  const listeners = new Set<() => void>();
  /** The most recently shown room is last. */
  const open = new Map<string, RoomStore>();
  /** Rooms that ended for the user and may be deleted. Lists and drafts may still name them. */
  const ended = new Set<string>();
  let shown: RoomStore | null = null;

  const unsubscribe = client.on('room', ({ room, status }) => {
    if (status === 'joined') ended.delete(room);
    else if (status !== 'joining') ended.add(room);
  });

  const isNamed = (room: string): boolean =>
    conversations.drafts.get().has(room) ||
    client.status(room) !== null ||
    conversations.myRooms.room(room) !== null ||
    client.pending().some((message) => message.room === room);

  /** Whether a join cannot create the room. The lobby always exists for users. */
  const isKnown = (room: string): boolean =>
    room === DEFAULT_ROOM || /^[dp]-/.test(room) || (!ended.has(room) && isNamed(room));

  const openStore = (room: string): RoomStore =>
    createRoomStore({
      ...{ client, ownId, scheduler },
      conversation: conversations.open(room),
      isKnown: () => isKnown(room),
      leave: () => {
        if (staysJoined(room)) client.join(room);
        else client.leave(room);
      },
    });

  const setShown = (next: RoomStore | null) => {
    if (next === shown) return;
    shown?.setShown(false);
    shown = next;
    next?.setShown(true);
    for (const listener of [...listeners]) listener();
  };

  const closeOldest = () => {
    const oldest = [...open.values()].find((store) => store !== shown);
    if (open.size <= OPEN_ROOMS_MAX || oldest === undefined) return;
    open.delete(oldest.room);
    oldest.close();
  };

  return {
    get: () => shown,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    show(room, mayCreate) {
      const store = open.get(room) ?? openStore(room);
      open.delete(room);
      open.set(room, store);
      setShown(store);
      store.enter(mayCreate);
      closeOldest();
    },
    hide: () => setShown(null),
    find: (room) => open.get(room) ?? null,
    list: () => [...open.values()],
    close() {
      unsubscribe();
      listeners.clear();
      for (const store of open.values()) store.close();
      open.clear();
    },
  };
}
