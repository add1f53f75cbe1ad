/** The hot logs in Redis: the archiver reads and marks them. Rejects with the store's error. */
import type { LogEntry } from '@maru/archive-db';
import { type RedisStore, runScript } from '@maru/redis-store';
import { roomErasedKey, roomLogKey, roomMetaKey, roomPinsKey } from '../keys.ts';
import { SCRIPTS } from './scripts.ts';

export interface HotLog {
  epoch: string;
  /** The head at which this epoch began. */
  base: number;
  deleted: boolean;
  /** An import writes the room's archive, and then its hot log. */
  importing: boolean;
  /** The number of the epoch that the last deletion of the room opened; 0 for none. */
  cleared: number;
  private: boolean;
  /** The archive positions in the room's meta hash. */
  archived: number | undefined;
  archivedFrom: number | undefined;
  head: number;
  first: number;
  /** The time of the newest entry. Undefined if there is none. */
  headTs: number | undefined;
  /** The time of the entry before the read. Undefined if the log does not have it. */
  afterTs: number | undefined;
  entries: LogEntry[];
  bytes: number;
}

export interface RoomLook {
  epoch: string;
  deleted: boolean;
  importing: boolean;
  cleared: number;
  archived: number | undefined;
  archivedFrom: number | undefined;
  head: number;
}

export interface ReadBounds {
  entriesMax: number;
  bytesMax: number;
}

export interface Mark {
  epoch: string;
  position: number;
  archivedFrom: number;
  /** The value of `archived` that a restored older archive does not reach. */
  restoredFrom: number | undefined;
  /** The oldest seq of the hot log, now or before. */
  hotFirst: number;
}

export interface RoomStore {
  /** Undefined if the room does not exist. */
  read(room: string, after: number, bounds: ReadBounds): Promise<HotLog | undefined>;
  look(room: string): Promise<RoomLook>;
  /** False if the room has another epoch or was deleted. */
  mark(room: string, mark: Mark): Promise<boolean>;
}

const FIELDS_PER_ENTRY = 6;
const numberOr = <T>(value: unknown, fallback: T): number | T => (value === '' ? fallback : Number(value));

export function createRoomStore(store: RedisStore): RoomStore {
  return {
    async read(room, after, { entriesMax, bytesMax }) {
      const keys = [roomMetaKey(room), roomLogKey(room), roomErasedKey(room)];
      const reply = (await runScript(store, SCRIPTS.readLog, keys, [after, entriesMax, bytesMax])) as unknown[];
      return reply.length === 0 ? undefined : hotLogOf(reply);
    },

    async look(room) {
      const reply = await runScript(store, SCRIPTS.lookAtRoom, [roomMetaKey(room), roomLogKey(room)], []);
      const [epoch, deleted, cleared, archived, archivedFrom, importing, head] = reply as string[];
      return {
        epoch: epoch ?? '',
        deleted: deleted !== '',
        importing: importing !== '',
        cleared: numberOr(cleared, 0),
        archived: numberOr(archived, undefined),
        archivedFrom: numberOr(archivedFrom, undefined),
        head: Number(head),
      };
    },

    async mark(room, { epoch, position, archivedFrom, restoredFrom, hotFirst }) {
      const args = [epoch, position, archivedFrom, restoredFrom ?? '', hotFirst];
      const keys = [roomMetaKey(room), roomPinsKey(room)];
      return (await runScript(store, SCRIPTS.markArchived, keys, args)) === 1;
    },
  };
}

/** Entries without `n` are from a time when every entry was a message. */
const numberOfMessages = (head: string, seq: number): number => Number(/^"n":(\d+),/.exec(head)?.[1] ?? seq);

function hotLogOf(reply: unknown[]): HotLog {
  const [epoch, base, deleted, cleared, visibility, archived, archivedFrom, head, first, headTs, afterTs] = reply;
  const flat = reply[11] as Array<string | number>;
  const entries: LogEntry[] = [];
  let bytes = 0;
  for (let at = 0; at < flat.length; at += FIELDS_PER_ENTRY) {
    const [seq, ts, author, isMessage, entryHead, tail] = flat.slice(at, at + FIELDS_PER_ENTRY) as string[];
    const entry = {
      seq: Number(seq),
      ts: Number(ts),
      n: numberOfMessages(entryHead ?? '', Number(seq)),
      author: author ?? '',
      isMessage: isMessage === '1',
      head: entryHead ?? '',
      tail: tail ?? '',
    };
    bytes += entry.head.length + entry.tail.length;
    entries.push(entry);
  }
  return {
    epoch: String(epoch),
    base: numberOr(base, 0),
    deleted: deleted !== '',
    importing: reply[12] !== '',
    cleared: numberOr(cleared, 0),
    private: visibility === 'private' || visibility === 'direct',
    archived: numberOr(archived, undefined),
    archivedFrom: numberOr(archivedFrom, undefined),
    head: Number(head),
    first: Number(first),
    headTs: numberOr(headTs, undefined),
    afterTs: numberOr(afterTs, undefined),
    entries,
    bytes,
  };
}
