/**
 * Deletions that the archive has not copied yet. An export reads the archive, and the hot log tells
 * which of its texts are gone.
 */
import { type ArchivedPosition, concernOf, epochNumber, erasedEdit, erasedMessage, threadOf } from '@maru/archive-db';
import { type ReadCommand, type RedisStore, readMany } from '@maru/redis-store';
import { roomLogKey, roomMetaKey } from '../keys.ts';
import type { StoredEntry } from '../log/entry-codec.ts';
import { ENTRIES_MAX, readAfter } from './unarchived.ts';

export interface Row extends StoredEntry {
  room: string;
  epoch: string;
}

export interface Deletions {
  /**
   * The rows as they are now: deleted texts are erased, and rows of deleted rooms are left out.
   * `known`: what the archive had when it gave the rows. Rejects with `TooFarBehind`, or with the
   * store's error.
   */
  apply<R extends Row>(rows: readonly R[], known: ReadonlyMap<string, ArchivedPosition>): Promise<R[]>;
}

/** What the hot log said of a room. */
interface Seen {
  epoch: string | undefined;
  isDeleted: boolean;
  /** Rows of epochs with a lower number were deleted with the room. */
  cleared: number;
  head: number;
  /** Messages that were deleted, in entries up to `upTo`. */
  deleted: Set<number>;
  upTo: number;
}

export function createDeletions(store: RedisStore): Deletions {
  const seen = new Map<string, Seen>();

  const look = async (rooms: string[], known: ReadonlyMap<string, ArchivedPosition>): Promise<void> => {
    const replies = await readMany(
      store,
      rooms.flatMap((room): ReadCommand[] => [
        ['hmget', roomMetaKey(room), 'epoch', 'base', 'deleted', 'cleared'],
        ['xrevrange', roomLogKey(room), '+', '-', 'COUNT', '1'],
      ]),
    );
    for (const [index, room] of rooms.entries()) {
      const [epoch, base, deleted, cleared] = replies[2 * index] as Array<string | null>;
      const [newest] = replies[2 * index + 1] as Array<[id: string, fields: string[]]>;
      const before = seen.get(room);
      const isSame = before !== undefined && before.epoch === (epoch ?? undefined);
      const archived = known.get(room);
      // After a rollback the archive may have entries above `base` that are others now.
      const position = archived?.epoch === epoch ? archived?.position : Math.min(archived?.position ?? 0, Number(base));
      seen.set(room, {
        epoch: epoch ?? undefined,
        isDeleted: deleted != null,
        cleared: Number(cleared ?? 0),
        head: newest === undefined ? 0 : Number.parseInt(newest[0], 10),
        deleted: isSame ? before.deleted : new Set(),
        upTo: Math.max(position ?? 0, isSame ? before.upTo : 0),
      });
    }
  };

  const readNew = async (room: string, one: Seen, budget: { entries: number }): Promise<void> => {
    if (one.epoch === undefined || one.isDeleted || one.head <= one.upTo) return;
    for await (const page of readAfter(store, { room, epoch: one.epoch, archived: one.upTo }, budget))
      for (const { seq, head, tail } of page) {
        if (head.includes('"type":"message.delete"')) one.deleted.add(targetOf(tail));
        one.upTo = seq;
      }
  };

  return {
    async apply<R extends Row>(rows: readonly R[], known: ReadonlyMap<string, ArchivedPosition>): Promise<R[]> {
      const rooms = [...new Set(rows.map(({ room }) => room))];
      await look(rooms, known);
      const budget = { entries: ENTRIES_MAX };
      for (const room of rooms) await readNew(room, seen.get(room) as Seen, budget);
      return rows.flatMap((row) => {
        const { isDeleted, cleared, deleted } = seen.get(row.room) as Seen;
        return isDeleted || epochNumber(row.epoch) < cleared ? [] : [{ ...row, tail: tailNow(row, deleted) }];
      });
    },
  };
}

const targetOf = (tail: string): number => (JSON.parse(`{${tail}}`) as { data: { seq: number } }).data.seq;

function tailNow({ seq, ts, head, tail }: Row, deleted: ReadonlySet<number>): string {
  if (deleted.size === 0) return tail;
  const isMessage = head.includes('"type":"text",');
  if (isMessage) return deleted.has(seq) ? erasedMessage(threadOf(tail)) : tail;
  const concern = concernOf({ seq, ts, n: 0, author: '', isMessage, head, tail });
  return concern?.type === 'edit' && deleted.has(concern.seq) ? erasedEdit(concern.seq) : tail;
}
