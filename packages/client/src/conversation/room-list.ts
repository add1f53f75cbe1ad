/** The list of a user's rooms: a read, and then changes by entries and inbox events. Pure. */
import type { Entry, InboxEvent, MyRoom, ReadData } from '@maru/protocol/events';

import { changeOf } from '../acts.ts';

export interface ListedRoom {
  readonly room: MyRoom;
  /** The server counted the mentions up to here. */
  readonly countedTo: number;
  /**
   * The newest message that was counted as a mention since; 0 for none. Two events may tell of the
   * same.
   */
  readonly mentionedAt: number;
  /** The counts changed in a way that only the server knows. */
  readonly isStale: boolean;
}

export type RoomList = ReadonlyMap<string, ListedRoom>;

/** The known state may be newer than the read. Then the counts must be read again. */
export function noteRead(list: RoomList, rooms: readonly MyRoom[]): RoomList {
  const next = new Map(list);
  for (const room of rooms) {
    const known = next.get(room.room);
    const isNewer = known !== undefined && known.room.epoch === room.epoch && known.room.head > room.head;
    if (!isNewer) next.set(room.room, { room, countedTo: room.head, mentionedAt: 0, isStale: false });
    else {
      const { head, n, last = room.last } = known.room;
      const now = { ...room, head, n, ...(last === undefined ? {} : { last }), unread: n - room.read.n };
      next.set(room.room, { ...known, room: now, isStale: true });
    }
  }
  return next;
}

export function notePosition(list: RoomList, room: string, { seq, n, unread, mentions }: ReadData): RoomList {
  const known = list.get(room);
  if (known === undefined || seq < known.room.read.seq) return list;
  const total = Math.max(known.room.n, n + unread);
  const now = { ...known.room, n: total, read: { seq, n }, unread: total - n, mentions };
  return new Map(list).set(room, { ...known, room: now, isStale: false });
}

export function noteEntries(list: RoomList, room: string, entries: readonly Entry[], ownId: string): RoomList {
  const known = list.get(room);
  if (known === undefined) return list;
  const after = entries.reduce((before, entry) => noteEntry(before, entry, ownId), known);
  return after === known ? list : new Map(list).set(room, after);
}

function noteEntry(before: ListedRoom, entry: Entry, ownId: string): ListedRoom {
  if (entry.epoch === before.room.epoch && entry.seq <= before.room.head) return before;
  const listed = entry.epoch === before.room.epoch ? before : rolledBack(before, entry);
  const { room } = listed;
  const { seq: head, n, epoch } = entry;
  const next = { ...room, epoch, head, n, unread: Math.max(0, n - room.read.n) };
  if (entry.type === 'text') {
    const isMentioned = entry.from.id !== ownId && isFor(ownId, entry.mentions);
    return mentioned({ ...listed, room: { ...next, last: entry } }, isMentioned ? head : null);
  }
  const change = changeOf(entry);
  const { last } = room;
  if (change?.type === 'message.delete') {
    const isStale = listed.isStale || room.mentions > 0;
    const deleted = { ts: entry.ts, by: entry.from.id };
    if (last?.seq !== change.seq) return { ...listed, room: next, isStale };
    const { mentions: _, reactions: __, ...rest } = last;
    return { ...listed, isStale, room: { ...next, last: { ...rest, text: '', deleted, erased: true } } };
  }
  if (change?.type !== 'message.edit') return { ...listed, room: next };
  const isStale = listed.isStale || room.mentions > 0 || isFor(ownId, change.mentions);
  if (last?.seq !== change.seq) return { ...listed, room: next, isStale };
  return {
    ...listed,
    isStale,
    room: { ...next, last: { ...last, text: change.text ?? '', edited: { ts: entry.ts } } },
  };
}

/** Before the first entry of a new epoch. The server moves a position back to the head. */
function rolledBack({ room }: ListedRoom, { seq, n }: Entry): ListedRoom {
  const read = { seq: Math.min(room.read.seq, seq - 1), n: Math.min(room.read.n, n) };
  return { room: { ...room, read }, countedTo: 0, mentionedAt: 0, isStale: true };
}

/** In `mentions`: everybody in the room. */
const MENTION_ROOM = '@room';

const isFor = (ownId: string, mentions: readonly string[] = []): boolean =>
  mentions.includes(ownId) || mentions.includes(MENTION_ROOM);

function mentioned(listed: ListedRoom, seq: number | null): ListedRoom {
  const { countedTo, mentionedAt } = listed;
  if (seq === null || seq === mentionedAt || seq <= listed.room.read.seq) return listed;
  // Perhaps an edit mentions one in an older message. Only the server knows.
  if (seq <= Math.max(countedTo, mentionedAt)) return { ...listed, isStale: true };
  return { ...listed, mentionedAt: seq, room: { ...listed.room, mentions: listed.room.mentions + 1 } };
}

/** `unknown`: the list must be read again. */
export function noteInbox(list: RoomList, event: InboxEvent): RoomList | 'unknown' {
  const known = list.get(event.room);
  switch (event.type) {
    case 'invite':
      return 'unknown';
    case 'removed': {
      const next = new Map(list);
      next.delete(event.room);
      return next;
    }
    case 'read':
      return notePosition(list, event.room, event);
    case 'message':
    case 'mention': {
      if (known === undefined) return 'unknown';
      const { seq, ts, n, from, text } = event;
      const { room } = known;
      const last: Entry = { room: event.room, epoch: room.epoch, seq, ts, n, type: 'text', from, text };
      const isNew = seq > room.head;
      const now = isNew ? { ...room, head: seq, n, last, unread: Math.max(0, n - room.read.n) } : room;
      return new Map(list).set(event.room, mentioned({ ...known, room: now }, event.type === 'mention' ? seq : null));
    }
  }
}
