/**
 * The content of the room list: direct rooms, rooms in the user's list, and visited rooms. Pure.
 */
import type { MyRoom, Notify } from '@maru/protocol/events';
import { matches } from '../model/match.ts';
import type { Names } from '../model/names.ts';
import { nameOfMyRoom } from '../model/room-name.ts';

export interface RoomRow {
  room: string;
  name: string;
  kind: 'person' | 'private' | 'public';
  /** The count to show. It excludes messages that the notification rule excludes. */
  unread: number;
  mentions: number;
  /** Null in a room that is not in the user's list. */
  notify: Notify | null;
  hasDraft: boolean;
  /** Empty in a direct room, and for an own message. */
  lastAuthor: string;
  lastText: string;
  isLastOwn: boolean;
  isLastDeleted: boolean;
}

export interface Sections {
  people: RoomRow[];
  rooms: RoomRow[];
  /** Recently opened rooms that are not in the user's list. */
  visited: RoomRow[];
}

/** An open room, with the data of its view. */
export interface OpenRoom {
  room: string;
  title: string;
  unread: number;
  mentions: number;
}

export interface SectionsInput {
  mine: readonly MyRoom[];
  open: readonly OpenRoom[];
  /** The room on the screen. Its counts are newer than those of the list. */
  shown: Omit<OpenRoom, 'mentions'> | null;
  drafts: ReadonlySet<string>;
  names: Names;
  ownId: string;
  locale: string;
  /** The text that filters the list. */
  query: string;
  /** Hides rooms without unread messages, except the room on the screen. */
  unreadOnly: boolean;
}

/** Longer texts are cut, because a row shows one line. */
const LAST_CHARS_MAX = 120;

/**
 * Direct rooms are sorted by their newest message. Others are sorted by name, so a new message does
 * not move them.
 */
export function sectionsOf(input: SectionsInput): Sections {
  const { mine, open, shown, locale, query, unreadOnly } = input;
  const own = new Set(mine.map(({ room }) => room));
  const isWanted = (row: RoomRow): boolean =>
    matches(query, [row.name, row.room]) && (!unreadOnly || row.unread + row.mentions > 0 || row.room === shown?.room);
  const { compare } = new Intl.Collator(locale, { numeric: true, sensitivity: 'base' });
  const byName = (a: RoomRow, b: RoomRow): number => compare(a.name, b.name) || compare(a.room, b.room);
  const rows = mine.map((one) => rowOf(one, input)).filter(isWanted);
  return {
    people: rows.filter(({ kind }) => kind === 'person'),
    rooms: rows.filter(({ kind }) => kind !== 'person').sort(byName),
    visited: open
      .filter(({ room }) => !own.has(room))
      .map((one) => visitedRow(one, input))
      .filter(isWanted)
      .sort(byName),
  };
}

function rowOf(mine: MyRoom, { shown, drafts, names, ownId }: SectionsInput): RoomRow {
  const { room, notify, visibility, last } = mine;
  const { name, isPerson } = nameOfMyRoom(mine, names);
  const isShown = shown?.room === room;
  const unread = isShown ? shown.unread : mine.unread;
  const isOwn = last?.from.id === ownId;
  return {
    ...{ room, name, notify },
    kind: isPerson ? 'person' : visibility === 'private' ? 'private' : 'public',
    unread: notify === 'all' ? unread : 0,
    mentions: notify === 'none' || (isShown && unread === 0) ? 0 : mine.mentions,
    hasDraft: drafts.has(room) && !isShown,
    lastAuthor: isPerson || isOwn ? '' : (last?.from.name ?? ''),
    lastText: (last?.text ?? '').replace(/\s+/g, ' ').slice(0, LAST_CHARS_MAX),
    isLastOwn: isOwn,
    isLastDeleted: last?.deleted !== undefined || last?.erased === true,
  };
}

const visitedRow = ({ room, title, unread, mentions }: OpenRoom, { shown, drafts }: SectionsInput): RoomRow => ({
  ...{ room, name: title || room, kind: 'public', notify: null },
  ...(shown?.room === room ? { unread: 0, mentions: 0 } : { unread, mentions }),
  hasDraft: drafts.has(room) && shown?.room !== room,
  ...{ lastAuthor: '', lastText: '', isLastOwn: false, isLastDeleted: false },
});

/** All rows, in the order of the page. */
export const allRows = ({ people, rooms, visited }: Sections): RoomRow[] => [...people, ...rooms, ...visited];
