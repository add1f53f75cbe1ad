/**
 * Removes what is older than the retention from the archive: a room's oldest entries first, so that
 * the rest has no gap. What the hot log has stays in both: exports and erasures find by the archive
 * what a user wrote.
 */
import type { Archive, Tx } from '@maru/archive-db';
import { type Logger, type Loop, startLoop } from '@maru/service-kit';
import type { ArchiverMetrics } from './metrics.ts';
import { BOUNDS } from './settings.ts';
import type { RoomStore } from './store/room-store.ts';

export interface RetentionOptions {
  archive: Archive;
  store: RoomStore;
  metrics: ArchiverMetrics;
  logger: Logger;
  /** 0 means forever. */
  days: number;
  daysByRoom: ReadonlyMap<string, number> | undefined;
  periodMs: number;
  deadlineMs: number;
}

const DAY_MS = 86_400_000;
const ROOMS_PER_PAGE = 200;

export function startRetention(options: RetentionOptions): Loop {
  const { days, daysByRoom = new Map<string, number>(), periodMs, metrics, logger } = options;
  const isOff = days === 0 && [...daysByRoom.values()].every((one) => one === 0);
  if (isOff) return { stop: async () => {} };
  let stopping = false;

  const expire = async () => {
    for await (const room of roomsOf(options.archive)) {
      const kept = daysByRoom.get(room) ?? days;
      if (kept === 0) continue;
      for (const remove of [removeOld, removeAside]) while (!stopping && (await remove(room, kept * DAY_MS, options)));
      if (stopping) return;
    }
  };

  const loop = startLoop({
    pauseMs: periodMs,
    work: expire,
    onError: (error, isFirst) => {
      metrics.failures.inc({ part: 'retention' });
      if (isFirst) logger.warn({ err: error }, 'old entries could not be removed; trying again');
    },
  });
  return {
    stop() {
      stopping = true;
      return loop.stop();
    },
  };
}

async function* roomsOf(archive: Archive): AsyncGenerator<string> {
  const sql = 'SELECT room FROM rooms WHERE room > $1 ORDER BY room LIMIT $2';
  let last = '';
  for (;;) {
    const from = last;
    const rows = await archive.read((tx) => tx.query<{ room: string }>(sql, [from, ROOMS_PER_PAGE]));
    for (const { room } of rows) yield room;
    if (rows.length < ROOMS_PER_PAGE) return;
    last = rows.at(-1)?.room ?? last;
  }
}

/** Returns whether more may be left. */
async function removeOld(room: string, keptMs: number, options: RetentionOptions): Promise<boolean> {
  const { archive, store, metrics, deadlineMs } = options;
  // Until the transaction this can only grow.
  const hotFirst = await firstOf(store, room);
  const removed = await archive.write((tx) => removeBatch(tx, { room, hotFirst, keptMs }), { deadlineMs });
  if (removed === undefined) return false;
  metrics.expiredEntries.inc(removed.entries);
  // If this fails, the scan finds the difference.
  await store.mark(room, { ...removed, archivedFrom: removed.first, restoredFrom: undefined, hotFirst });
  return removed.entries === BOUNDS.removedRowsMax;
}

/** The oldest seq that the hot log has; above all if the room is gone. */
async function firstOf(store: RoomStore, room: string): Promise<number> {
  const hot = await store.read(room, 0, { entriesMax: 0, bytesMax: 0 });
  return hot === undefined || hot.deleted ? Number.MAX_SAFE_INTEGER : hot.first;
}

interface Removed {
  epoch: string;
  position: number;
  first: number;
  entries: number;
}

async function removeBatch(
  tx: Tx,
  { room, hotFirst, keptMs }: { room: string; hotFirst: number; keptMs: number },
): Promise<Removed | undefined> {
  // The clock of PostgreSQL: a wrong one of an archiver must not remove anything.
  const [old] = await tx.query<{ seq: number | null }>(
    `SELECT max(seq) AS seq FROM (
      SELECT e.seq, e.ts FROM rooms r JOIN entries e ON e.room = r.room AND e.seq >= r.first
      WHERE r.room = $1 AND e.seq < $4 ORDER BY e.seq LIMIT $2
    ) AS oldest WHERE ts < extract(epoch FROM now()) * 1000 - $3`,
    [room, BOUNDS.removedRowsMax, keptMs, hotFirst],
  );
  if (old?.seq == null) return undefined;
  // Lock the row of the room first, in the same order as archivers.
  const [state] = await tx.query<Omit<Removed, 'entries'>>(
    'UPDATE rooms SET first = greatest(first, $2 + 1) WHERE room = $1 AND position >= $2 RETURNING epoch, position, first',
    [room, old.seq],
  );
  if (state === undefined) return undefined;
  for (const table of ['messages', 'reactions'])
    await tx.query(`DELETE FROM ${table} WHERE room = $1 AND seq <= $2`, [room, old.seq]);
  const entries = await tx.query('DELETE FROM entries WHERE room = $1 AND seq <= $2 RETURNING seq', [room, old.seq]);
  return { ...state, entries: entries.length };
}

/** What a rollback set aside, also in a room without old entries. True if more may be left. */
async function removeAside(room: string, keptMs: number, { archive, deadlineMs }: RetentionOptions): Promise<boolean> {
  const sql = `DELETE FROM set_aside WHERE ctid = ANY (ARRAY(SELECT ctid FROM set_aside
    WHERE room = $1 AND ts < extract(epoch FROM now()) * 1000 - $2 LIMIT $3)) RETURNING seq`;
  const rows = await archive.write((tx) => tx.query(sql, [room, keptMs, BOUNDS.removedRowsMax]), { deadlineMs });
  return rows.length === BOUNDS.removedRowsMax;
}
