/** Reads entries of the hot log that the archive does not have yet. */
import { type ReadCommand, type RedisStore, readMany } from '@maru/redis-store';
import { pagesOfRooms } from '../admin/pages-of-rooms.ts';
import { roomLogKey, roomMetaKey } from '../keys.ts';
import type { StoredEntry } from '../log/entry-codec.ts';

export interface UnarchivedEntry extends StoredEntry {
  room: string;
  epoch: string;
  author: string;
  clientMsgId: string;
}

/** Entries of one read. */
const PAGE_ENTRIES = 500;
/** Entries that one look reads. If the archive lacks more, it is far behind. */
export const ENTRIES_MAX = 20_000;

type Fields = Array<[id: string, fields: string[]]>;

/**
 * The unarchived entries of these rooms, in pages, without erased ones. Subtracts the number of
 * entries from the budget. Rejects with `TooFarBehind`, or with the store's error.
 */
export async function* readUnarchived(
  store: RedisStore,
  rooms: string[],
  budget = { entries: ENTRIES_MAX },
): AsyncGenerator<UnarchivedEntry[]> {
  for (const one of await unarchivedRooms(store, rooms)) yield* readAfter(store, one, budget);
}

/** The same of one room, after the seq `archived`. */
export async function* readAfter(
  store: RedisStore,
  { room, epoch, archived }: { room: string; epoch: string; archived: number },
  budget: { entries: number },
): AsyncGenerator<UnarchivedEntry[]> {
  const key = roomLogKey(room);
  let from = archived + 1;
  for (;;) {
    if (budget.entries <= 0) throw new TooFarBehind();
    const page = await store.at(key, (redis) => redis.xrange(key, `${from}-0`, '+', 'COUNT', PAGE_ENTRIES));
    if (page.length === 0) return;
    budget.entries -= page.length;
    const entries = page.map(([id, fields]) => entryOf(room, epoch, id, fields));
    yield entries;
    from = (entries.at(-1) as UnarchivedEntry).seq + 1;
  }
}

/** The archive lacks too many entries to read each of them. */
export class TooFarBehind extends Error {}

/** Whether the archive has all entries that match `isSought`, in all rooms of the store. */
export async function isArchived(store: RedisStore, isSought: (entry: UnarchivedEntry) => boolean): Promise<boolean> {
  const budget = { entries: ENTRIES_MAX };
  try {
    for (const { redis } of store.shards)
      for await (const rooms of pagesOfRooms(redis))
        for await (const entries of readUnarchived(store, rooms, budget)) if (entries.some(isSought)) return false;
    return true;
  } catch (error) {
    if (error instanceof TooFarBehind) return false;
    throw error;
  }
}

async function unarchivedRooms(store: RedisStore, rooms: string[]) {
  const replies = await readMany(
    store,
    rooms.flatMap((room): ReadCommand[] => [
      ['hmget', roomMetaKey(room), 'epoch', 'archived', 'deleted'],
      ['xrevrange', roomLogKey(room), '+', '-', 'COUNT', '1'],
    ]),
  );
  return rooms.flatMap((room, index) => {
    const [epoch, archived, deleted] = replies[2 * index] as Array<string | null>;
    const [newest] = replies[2 * index + 1] as Fields;
    if (epoch == null || deleted != null || newest === undefined) return [];
    const position = Number(archived ?? 0);
    return Number.parseInt(newest[0], 10) > position ? [{ room, epoch, archived: position }] : [];
  });
}

/** The fields are u, c, t, h, x, each followed by its value: see `log/room-entry.lua`. */
function entryOf(room: string, epoch: string, id: string, fields: string[]): UnarchivedEntry {
  const [, author = '', , clientMsgId = '', , ts, , head = '', , tail = ''] = fields;
  return { room, epoch, seq: Number.parseInt(id, 10), ts: Number(ts), author, clientMsgId, head, tail };
}
