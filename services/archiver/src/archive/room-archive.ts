/**
 * The archiver's operations on rooms in PostgreSQL. Every call is one transaction, and rejects with
 * `ArchiveUnavailable`. Then it is unknown whether the call took effect, and repeating it is safe.
 */
import {
  type Archive,
  type ArchivedRoom,
  archiveBatches,
  type Batch,
  type BatchResult,
  type Tx,
} from '@maru/archive-db';

export interface KnownRoom extends ArchivedRoom {
  /** The time of the entry at `position`. Undefined if the archive does not have it. */
  lastTs: number | undefined;
}

export type RoomBatch = Batch;

export interface RoomArchive {
  look(rooms: readonly string[]): Promise<Map<string, KnownRoom>>;
  /** Undefined if the archive does not have the entry. */
  timeOf(room: string, seq: number): Promise<number | undefined>;
  /** Writes all batches or none. */
  write(batches: readonly RoomBatch[]): Promise<Map<string, BatchResult>>;
  /**
   * Removes rows of a deleted room, as long as its epoch in the archive is `epoch`. Returns whether
   * none is left.
   */
  removeSome(room: string, epoch: string, rowsMax: number): Promise<boolean>;
}

interface RoomRow extends ArchivedRoom {
  room: string;
  last_ts: number | null;
}

export function createRoomArchive(archive: Archive, { deadlineMs }: { deadlineMs: number }): RoomArchive {
  return {
    async look(rooms) {
      const rows = await archive.read((tx) =>
        tx.query<RoomRow>(
          `SELECT r.room, r.epoch, r.position, r.first, r.cleared, r.private, e.ts AS last_ts FROM rooms r
          LEFT JOIN entries e ON e.room = r.room AND e.seq = r.position WHERE r.room = ANY ($1::text[])`,
          [rooms],
        ),
      );
      return new Map(rows.map(({ room, last_ts, ...row }) => [room, { ...row, lastTs: last_ts ?? undefined }]));
    },

    async timeOf(room, seq) {
      const sql = 'SELECT ts FROM entries WHERE room = $1 AND seq = $2';
      return (await archive.read((tx) => tx.query<{ ts: number }>(sql, [room, seq])))[0]?.ts;
    },

    write: (batches) => archive.write((tx) => archiveBatches(tx, batches), { deadlineMs }),

    removeSome(room, epoch, rowsMax) {
      return archive.write(
        async (tx) => {
          const sql = 'SELECT 1 FROM rooms WHERE room = $1 AND epoch = $2 FOR UPDATE';
          if ((await tx.query(sql, [room, epoch])).length === 0) return false;
          let left = rowsMax;
          // Messages first, because searches find them.
          for (const table of ['messages', 'reactions', 'entries']) left -= await removeRows(tx, table, room, left);
          return left > 0;
        },
        { deadlineMs },
      );
    },
  };
}

/** Returns the number of removed rows. */
async function removeRows(tx: Tx, table: string, room: string, rowsMax: number): Promise<number> {
  if (rowsMax <= 0) return 0;
  const rows = await tx.query(
    `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE room = $1 LIMIT $2)) RETURNING seq`,
    [room, rowsMax],
  );
  return rows.length;
}
