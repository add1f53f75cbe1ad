/** Undoes entries that a rollback of the hot log removed, and removes deleted rooms. */
import type { Tx } from './archive.ts';
import type { LogEntry } from './entries.ts';
import { fold, nothingLoaded } from './fold.ts';
import { type Place, storeMessages } from './store-folded.ts';

/** One transaction moves so many entries: hundreds of thousands would not meet its deadline. */
const MOVED_MAX = 2_000;

export interface Rollback {
  /** The newest seq that both logs have. */
  base: number;
  /** Entries of one transaction. */
  movedMax?: number | undefined;
}

/**
 * Moves entries above `base` to `set_aside`, the newest first, and rebuilds the messages that they
 * concerned from the entries that stay. A deleted message stays deleted, because its text is gone.
 * `position` is the newest seq that stays: above `base` if there are more to move.
 */
export async function rollBack(
  tx: Tx,
  place: Place,
  { base, movedMax = MOVED_MAX }: Rollback,
): Promise<{ position: number; moved: number }> {
  const { room } = place;
  const [next] = await tx.query<{ seq: number }>(
    'SELECT seq FROM entries WHERE room = $1 AND seq > $2 ORDER BY seq DESC OFFSET $3 LIMIT 1',
    [room, base, movedMax],
  );
  const keep = next?.seq ?? base;
  const touched = await touchedMessages(tx, room, keep);
  const moved = await tx.query(
    `WITH gone AS (DELETE FROM entries WHERE room = $1 AND seq > $2
      RETURNING room, seq, epoch, ts, author, head, tail)
    INSERT INTO set_aside (room, seq, epoch, ts, author, head, tail) SELECT * FROM gone
    ON CONFLICT DO NOTHING RETURNING seq`,
    [room, keep],
  );
  for (const table of ['messages', 'reactions']) {
    const these = 'room = $1 AND (seq > $2 OR seq = ANY ($3::bigint[]))';
    await tx.query(`DELETE FROM ${table} WHERE ${these}`, [room, keep, touched.changed]);
  }
  await forgetEdits(tx, room, touched.deleted, keep);
  await rebuild(tx, place, touched.changed);
  await countReplies(tx, room, [...new Set([...touched.changed, ...touched.roots])]);
  return { position: keep, moved: moved.length };
}

interface Touched {
  changed: number[];
  deleted: number[];
  roots: number[];
}

/**
 * A message that stays deleted here may have been edited in the hot log after a rollback restored
 * it there. Its next deletion must not erase entries that replaced these edits.
 */
async function forgetEdits(tx: Tx, room: string, seqs: number[], keep: number): Promise<void> {
  if (seqs.length === 0) return;
  await tx.query(
    `UPDATE messages SET edits = ARRAY(SELECT one FROM unnest(edits) AS one WHERE one <= $3 ORDER BY one)
    WHERE room = $1 AND seq = ANY ($2::bigint[])`,
    [room, seqs, keep],
  );
}

/**
 * Messages at or below `keep` that an entry above it changed, except deleted ones. Also the roots
 * of replies above it.
 */
async function touchedMessages(tx: Tx, room: string, keep: number): Promise<Touched> {
  const rows = await tx.query<{ target: number; is_message: boolean; deleted: boolean }>(
    `SELECT DISTINCT e.target, e.is_message, m.deleted_ts IS NOT NULL AS deleted FROM entries e
    JOIN messages m ON m.room = e.room AND m.seq = e.target WHERE e.room = $1 AND e.seq > $2 AND e.target <= $2`,
    [room, keep],
  );
  return {
    changed: rows.filter((row) => !row.is_message && !row.deleted).map(({ target }) => target),
    deleted: rows.filter((row) => !row.is_message && row.deleted).map(({ target }) => target),
    roots: rows.filter((row) => row.is_message).map(({ target }) => target),
  };
}

/**
 * Recomputes each message from itself and its remaining changes. Replies are counted afterwards.
 */
async function rebuild(tx: Tx, place: Place, seqs: number[]): Promise<void> {
  if (seqs.length === 0) return;
  const entries = await tx.query<LogEntry>(
    `SELECT seq, ts, n, author, is_message AS "isMessage", head, tail FROM entries WHERE room = $1
      AND (seq = ANY ($2::bigint[]) OR (target = ANY ($2::bigint[]) AND NOT is_message)) ORDER BY seq`,
    [place.room, seqs],
  );
  await storeMessages(tx, place, fold(entries, nothingLoaded()));
}

async function countReplies(tx: Tx, room: string, roots: number[]): Promise<void> {
  if (roots.length === 0) return;
  await tx.query(
    `UPDATE messages m SET replies_n = w.n, replies_seq = w.seq,
      replies_ts = (SELECT r.ts FROM messages r WHERE r.room = $1 AND r.seq = w.seq)
    FROM (SELECT root, count(r.seq)::integer AS n, max(r.seq) AS seq FROM unnest($2::bigint[]) AS root
      LEFT JOIN messages r ON r.room = $1 AND r.thread = root AND r.deleted_ts IS NULL GROUP BY root) AS w
    WHERE m.room = $1 AND m.seq = w.root`,
    [room, roots],
  );
}

/** Deletes all rows of a room, including entries that were set aside. */
export async function clearRoom(tx: Tx, room: string, cleared: number): Promise<void> {
  for (const table of ['entries', 'messages', 'reactions'])
    await tx.query(`DELETE FROM ${table} WHERE room = $1`, [room]);
  await clearSetAside(tx, room, cleared);
}

export const clearSetAside = (tx: Tx, room: string, cleared: number): Promise<unknown> =>
  tx.query(`DELETE FROM set_aside WHERE room = $1 AND split_part(epoch, '.', 1)::bigint < $2`, [room, cleared]);
