/** The open rooms, with the data that lists and counts need. */
import type { ConversationView } from '@maru/client/conversation';
import { isMentioned } from '../model/mentions.ts';
import type { OpenRoom } from '../rooms/rows.ts';
import type { OpenRooms } from './open-rooms.ts';
import { isEnterable } from './room-view.ts';

export interface OpenList {
  /** Returns the same object until something in it changes. */
  get(): readonly OpenRoom[];
  subscribe(listener: () => void): () => void;
  close(): void;
}

export function createOpenList(rooms: Pick<OpenRooms, 'list' | 'subscribe'>, ownId: string): OpenList {
  const listeners = new Set<() => void>();
  /** The unsubscribe function of each open room. */
  const watched = new Map<string, () => void>();
  let known: readonly OpenRoom[] = [];

  const changed = () => {
    for (const listener of [...listeners]) listener();
  };
  const watch = () => {
    const stores = rooms.list();
    const open = new Set(stores.map(({ room }) => room));
    for (const [room, end] of watched) {
      if (open.has(room)) continue;
      end();
      watched.delete(room);
    }
    for (const store of stores) if (!watched.has(store.room)) watched.set(store.room, store.subscribe(changed));
    changed();
  };
  const unsubscribe = rooms.subscribe(watch);
  watch();

  return {
    get() {
      const now = rooms.list().flatMap((store): OpenRoom[] => {
        const { entered, details, list } = store.get();
        if (!isEnterable(entered)) return [];
        const { unread } = list;
        return [{ room: store.room, title: details?.title ?? '', unread, mentions: unreadMentions(list, ownId) }];
      });
      if (JSON.stringify(now) !== JSON.stringify(known)) known = now;
      return known;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      unsubscribe();
      for (const end of watched.values()) end();
      watched.clear();
      listeners.clear();
    },
  };
}

/**
 * Counts only loaded messages, because the server counts mentions only for rooms in the user's
 * list.
 */
export function unreadMentions(
  { unread, read, messages }: Pick<ConversationView, 'unread' | 'read' | 'messages'>,
  ownId: string,
): number {
  if (unread === 0 || read === null) return 0;
  return messages.filter(
    ({ seq, from, deleted, mentions }) =>
      seq > read.seq && from.id !== ownId && deleted === null && isMentioned(mentions, ownId),
  ).length;
}
