/** What the list of rooms shows: direct rooms, own rooms, and rooms that were opened. Pure. */
import type { MyRoom, Notify } from '@maru/protocol/events';
import { matches } from '../model/match.ts';
import type { Names } from '../model/names.ts';
import { nameOfMyRoom } from '../model/room-name.ts';

export interface RoomRow {
  room: string;
  name: string;
  kind: 'person' | 'private' | 'public';
  /** As they are shown: what the reader does not want to hear of is not counted. */
  unread: number;
  mentions: number;
  /** Null in a room that the reader only looks at. */
  notify: Notify | null;
  hasDraft: boolean;
  /** Empty in rooms with more people than the two of a direct room only if it is an own message. */
  lastAuthor: string;
  lastText: string;
  isLastOwn: boolean;
  isLastDeleted: boolean;
}

export interface Sections {
  people: RoomRow[];
  rooms: RoomRow[];
  /** Opened lately, and not followed. */
  visited: RoomRow[];
}

/** A room that is open, as its view knows it. */
export interface OpenRoom {
  room: string;
  title: string;
  unread: number;
  mentions: number;
}

export interface SectionsInput {
  mine: readonly MyRoom[];
  open: readonly OpenRoom[];
  /** The one on the screen: its counts are newer than those of the list. */
  shown: Omit<OpenRoom, 'mentions'> | null;
  drafts: ReadonlySet<string>;
  names: Names;
  ownId: string;
  locale: string;
  /** What the reader typed to find a room. */
  query: string;
  /** The room on the screen stays. */
  unreadOnly: boolean;
}

/** A line of the list is not longer. */
const LAST_CHARS_MAX = 120;

/**
 * Direct rooms by their newest message. Others by name, so that each stays where it is, whatever is
 * written.
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

/** In the order of the page. */
export const allRows = ({ people, rooms, visited }: Sections): RoomRow[] => [...people, ...rooms, ...visited];
