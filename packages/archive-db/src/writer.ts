/**
 * Adds entries of a room to the archive. Any number of archivers may run: each locks the row of the
 * room, which decides what to write. A crash, a repeated batch or a second writer can neither lose
 * nor duplicate an entry.
 */
import type { Tx } from './archive.ts';
import { epochNumber, type LogEntry } from './entries.ts';
import { fold } from './fold.ts';
import { loadStates } from './load-states.ts';
import { clearRoom, clearSetAside, rollBack } from './rollback.ts';
import { storeFolded } from './store-folded.ts';

/** What the archive has of a room: all entries from `first` to `position`. */
export interface ArchivedRoom {
  /** The epoch of the hot log when it was last copied. */
  epoch: string;
  position: number;
  first: number;
  /** The number of the epoch that the last deletion of the room opened; 0: none. */
  cleared: number;
  private: boolean;
}

export interface Batch {
  room: string;
  /**
   * The epoch of the room's row in the archive, which the caller read BEFORE the hot log. Undefined
   * if there was no row. If the row has changed since, the hot log may have been read before that
   * change, so nothing is written.
   */
  seen: string | undefined;
  /** The following values are read from the hot log in one moment. */
  epoch: string;
  /**
   * If the epoch differs from the archive's: the newest seq that both have in common. It may be
   * lower than the head at which the epoch began, if the archive has missed an epoch.
   */
  base: number;
  /** Entries that one transaction of a rollback moves. Default: as many as its deadline permits. */
  movedMax?: number;
  /** The oldest seq that the hot log has. */
  hotFirst: number;
  private: boolean;
  /** The number of the epoch that the last deletion of the room opened; 0: none. */
  cleared: number;
  /**
   * In order and without a gap, from the entry after the row's position or from `hotFirst`. Entries
   * that the archive has are skipped. May be empty.
   */
  entries: LogEntry[];
}

export interface BatchResult extends ArchivedRoom {
  /**
   * `changed`: another archiver changed the row, nothing was written. The caller reads the hot log
   * again, after `position`. It does the same while `position` is below the head: a rollback needs
   * entries that the batch did not have.
   * `rolling back`: a part of what the hot log lost was set aside. The row keeps its epoch, and the
   * caller comes again.
   */
  outcome: 'archived' | 'changed' | 'rolling back';
  added: number;
  /** Entries that a rollback removed from the room. */
  setAside: number;
  /**
   * Entries that the hot log lost before they were archived, because the archive was off. The room
   * now begins after them.
   */
  skipped: number;
}

export async function readArchivedRoom(tx: Tx, room: string): Promise<ArchivedRoom | undefined> {
  const rows = await tx.query<ArchivedRoom>(`${SELECT_ROOM} WHERE room = $1`, [room]);
  return rows[0];
}

const SELECT_ROOM = 'SELECT epoch, position, first, cleared, private FROM rooms';

/** Runs in a transaction of its own. */
export async function archiveBatch(tx: Tx, batch: Batch): Promise<BatchResult> {
  const found = await lockRoom(tx, batch);
  const row: BatchResult = { ...found.row, outcome: 'archived', added: 0, setAside: 0, skipped: 0 };
  const isNew = found.created || row.epoch !== batch.epoch;
  if (isNew && !found.created && row.epoch !== batch.seen) return { ...row, outcome: 'changed' };
  if (found.created && batch.seen !== undefined) throw new Error(`the room ${batch.room} left the archive`);

  if (batch.cleared > row.cleared) {
    if (epochNumber(row.epoch) < batch.cleared) {
      await clearRoom(tx, batch.room, batch.cleared);
      Object.assign(row, { epoch: batch.epoch, position: batch.hotFirst - 1, first: batch.hotFirst });
    } else await clearSetAside(tx, batch.room, batch.cleared);
    row.cleared = batch.cleared;
  }
  if (row.epoch !== batch.epoch) {
    const { base } = batch;
    if (row.position > base) {
      const { position, moved } = await rollBack(tx, batch, batch);
      Object.assign(row, { setAside: moved, position, first: Math.min(row.first, position + 1) });
    }
    if (row.position > base) row.outcome = 'rolling back';
    else row.epoch = batch.epoch;
  }
  if (row.outcome === 'archived') await append(tx, batch, row);
  await tx.query('UPDATE rooms SET epoch = $2, position = $3, first = $4, cleared = $5, private = $6 WHERE room = $1', [
    batch.room,
    row.epoch,
    row.position,
    row.first,
    row.cleared,
    batch.private,
  ]);
  return { ...row, private: batch.private };
}

async function lockRoom(tx: Tx, batch: Batch): Promise<{ row: ArchivedRoom; created: boolean }> {
  const select = `${SELECT_ROOM} WHERE room = $1 FOR UPDATE`;
  const [row] = await tx.query<ArchivedRoom>(select, [batch.room]);
  if (row !== undefined) return { row, created: false };
  const created = await tx.query<ArchivedRoom>(
    `INSERT INTO rooms (room, epoch, position, first, cleared, private) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT DO NOTHING RETURNING epoch, position, first, cleared, private`,
    [batch.room, batch.epoch, batch.hotFirst - 1, batch.hotFirst, batch.cleared, batch.private],
  );
  if (created[0] !== undefined) return { row: created[0], created: true };
  // Another archiver wrote the row first.
  const [other] = await tx.query<ArchivedRoom>(select, [batch.room]);
  if (other === undefined) throw new Error(`the room ${batch.room} left the archive`);
  return { row: other, created: false };
}

async function append(tx: Tx, batch: Batch, row: BatchResult): Promise<void> {
  const entries = batch.entries.filter(({ seq }) => seq > row.position);
  const [first] = entries;
  if (first === undefined) return;
  const next = Math.max(row.position + 1, batch.hotFirst);
  // The hot log has the earlier entries: the caller did not know about a rollback.
  if (first.seq > next) return;
  row.skipped = next - row.position - 1;
  if (row.skipped > 0) row.first = next;
  for (const [index, { seq }] of entries.entries()) {
    if (seq !== first.seq + index) throw new Error(`the batch of ${batch.room} has no entry ${first.seq + index}`);
  }
  await storeFolded(tx, batch, fold(entries, await loadStates(tx, batch.room, entries)));
  row.position = first.seq + entries.length - 1;
  row.added = entries.length;
}
