/** What an export reads of a room's hot log. */
import { type ArchivedRoom, concernOf, epochNumber, erasedEdit, erasedMessage, threadOf } from '@maru/archive-db';
import type { RedisStore } from '@maru/redis-store';
import { roomErasedKey, roomLogKey, roomMetaKey } from './keys.ts';

export interface Row {
  seq: number;
  ts: number;
  head: string;
  tail: string;
}

/** It names no room that can be exported. */
export class ExportRefused extends Error {}

const PAGE_ENTRIES = 500;

const rowOf = (id: string, [, , , , , ts, , head = '', , tail = '']: string[]): Row => ({
  ...{ seq: Number.parseInt(id, 10), ts: Number(ts), head, tail },
});

/** Erased entries are in a hash beside the stream. */
export async function readHot(store: RedisStore, room: string, after: number): Promise<Row[]> {
  const key = roomLogKey(room);
  const stream = await store.at(key, (redis) => redis.xrange(key, `${after + 1}-0`, '+', 'COUNT', PAGE_ENTRIES));
  const rows = new Map(
    stream.map(([id, fields]) => {
      const row = rowOf(id, fields);
      return [row.seq, row];
    }),
  );
  const last = Math.max(after, ...rows.keys());
  const missing = Array.from({ length: last - after }, (_, index) => after + 1 + index).filter((seq) => !rows.has(seq));
  if (missing.length > 0) {
    const erasedKey = roomErasedKey(room);
    const packed = await store.at(erasedKey, (redis) => redis.hmget(erasedKey, ...missing.map(String)));
    for (const [index, value] of packed.entries()) {
      const [, , ts, , head = '', tail = ''] = value?.split('\n') ?? [];
      const seq = missing[index] as number;
      if (value != null) rows.set(seq, { seq, ts: Number(ts), head, tail });
    }
  }
  return [...rows.values()].sort((a, b) => a.seq - b.seq);
}

/**
 * Follows the deletions that the archive has not copied yet. Returns a function that erases what is
 * deleted now from rows of the archive; `known` is of the moment when these were read. It throws
 * `ExportRefused` if the room was deleted.
 */
export function followDeletions(
  store: RedisStore,
  room: string,
): (rows: readonly Row[], known: ArchivedRoom) => Promise<Row[]> {
  let epoch: string | undefined;
  let upTo = 0;
  let deleted = new Set<number>();

  const readNew = async (): Promise<void> => {
    const key = roomLogKey(room);
    for (;;) {
      const from = `${upTo + 1}-0`;
      const page = await store.at(key, (redis) => redis.xrange(key, from, '+', 'COUNT', PAGE_ENTRIES));
      if (page.length === 0) return;
      for (const [id, fields] of page) {
        const { seq, head, tail } = rowOf(id, fields);
        upTo = seq;
        if (head.includes('"type":"message.delete"')) deleted.add(targetOf(tail));
      }
    }
  };

  return async (rows, known) => {
    const hot = await readHotRoom(store, room);
    if (hot?.isDeleted || epochNumber(known.epoch) < (hot?.cleared ?? 0))
      throw new ExportRefused('the room was deleted');
    // Redis lost the room.
    if (hot === undefined) return [...rows];
    if (hot.epoch !== epoch) [epoch, upTo, deleted] = [hot.epoch, 0, new Set()];
    upTo = Math.max(upTo, commonOf(hot, known));
    await readNew();
    return rows.map((row) => ({ ...row, tail: tailNow(row, deleted) }));
  };
}

interface HotRoom {
  epoch: string;
  base: number;
  isDeleted: boolean;
  cleared: number;
}

/** Undefined if Redis does not have the room. */
export async function readHotRoom(store: RedisStore, room: string): Promise<HotRoom | undefined> {
  const key = roomMetaKey(room);
  const [epoch, base, deleted, cleared] = await store.at(key, (redis) =>
    redis.hmget(key, 'epoch', 'base', 'deleted', 'cleared'),
  );
  if (epoch == null) return undefined;
  return { epoch, base: Number(base ?? 0), isDeleted: deleted != null, cleared: Number(cleared ?? 0) };
}

/** The newest seq that both logs have. After a rollback the archive may have others above it. */
export const commonOf = ({ epoch, base }: HotRoom, known: ArchivedRoom): number =>
  known.epoch === epoch ? known.position : Math.min(known.position, base);

const targetOf = (tail: string): number => (JSON.parse(`{${tail}}`) as { data: { seq: number } }).data.seq;

function tailNow({ seq, ts, head, tail }: Row, deleted: ReadonlySet<number>): string {
  if (deleted.size === 0) return tail;
  const isMessage = head.includes('"type":"text",');
  if (isMessage) return deleted.has(seq) ? erasedMessage(threadOf(tail)) : tail;
  const concern = concernOf({ seq, ts, n: 0, author: '', isMessage, head, tail });
  return concern?.type === 'edit' && deleted.has(concern.seq) ? erasedEdit(concern.seq) : tail;
}
