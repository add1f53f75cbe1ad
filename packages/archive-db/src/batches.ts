/**
 * Adds batches of several rooms in one transaction. Rooms without changes of messages share
 * their statements, so many quiet rooms cost little more than one. The others go one by one.
 */
import { toWords } from '@maru/search-text';
import type { Tx } from './archive.ts';
import { concernOf, type LogEntry, textOf } from './entries.ts';
import { type ArchivedRoom, archiveBatch, type Batch, type BatchResult } from './writer.ts';

interface PlainBatch {
  batch: Batch;
  row: ArchivedRoom;
  /** Entries that the archive does not have. */
  entries: LogEntry[];
}

/** At most one batch for each room. Runs in a transaction of its own. See `archiveBatch`. */
export async function archiveBatches(tx: Tx, batches: readonly Batch[]): Promise<Map<string, BatchResult>> {
  // All archivers lock rooms in the same order, so they cannot deadlock.
  const ordered = [...batches].sort((a, b) => (a.room < b.room ? -1 : 1));
  const rows = await lockRooms(tx, ordered);
  const results = new Map<string, BatchResult>();
  const plain: PlainBatch[] = [];
  for (const batch of ordered) {
    const found = plainOf(batch, rows.get(batch.room));
    if (found === undefined) results.set(batch.room, await archiveBatch(tx, batch));
    else plain.push(found);
  }
  await storePlain(tx, plain);
  for (const { batch, row, entries } of plain) {
    const position = row.position + entries.length;
    const nothing = { outcome: 'archived', setAside: 0, skipped: 0 } as const;
    results.set(batch.room, { ...row, ...nothing, position, added: entries.length });
  }
  return results;
}

/** Locks the rows of the rooms. Adds rows for new rooms. */
async function lockRooms(tx: Tx, batches: readonly Batch[]): Promise<Map<string, ArchivedRoom>> {
  const added = batches.filter(({ seen }) => seen === undefined);
  if (added.length > 0) {
    await tx.query(
      `INSERT INTO rooms (room, epoch, position, first, cleared, private)
      SELECT room, epoch, first - 1, first, cleared, private
      FROM unnest($1::text[], $2::text[], $3::bigint[], $4::integer[], $5::boolean[]) AS w (room, epoch, first, cleared, private)
      ON CONFLICT DO NOTHING`,
      [
        added.map(({ room }) => room),
        added.map(({ epoch }) => epoch),
        added.map(({ hotFirst }) => hotFirst),
        added.map(({ cleared }) => cleared),
        added.map((batch) => batch.private),
      ],
    );
  }
  const rows = await tx.query<ArchivedRoom & { room: string }>(
    `SELECT room, epoch, position, first, cleared, private FROM rooms WHERE room = ANY ($1::text[])
    ORDER BY room FOR UPDATE`,
    [batches.map(({ room }) => room)],
  );
  return new Map(rows.map(({ room, ...row }) => [room, row]));
}

/** Undefined unless the batch only adds entries that concern no message. */
function plainOf(batch: Batch, row: ArchivedRoom | undefined): PlainBatch | undefined {
  if (row === undefined || row.epoch !== batch.epoch || row.private !== batch.private) return undefined;
  if (batch.cleared > row.cleared || (batch.seen !== undefined && batch.seen !== row.epoch)) return undefined;
  const entries = batch.entries.filter(({ seq }) => seq > row.position);
  const isNext = entries.every(({ seq }, index) => seq === row.position + 1 + index);
  if (!isNext || entries.some((entry) => concernOf(entry) !== undefined)) return undefined;
  return { batch, row, entries };
}

async function storePlain(tx: Tx, plain: readonly PlainBatch[]): Promise<void> {
  const rows = plain.flatMap(({ batch, entries }) => entries.map((entry) => ({ batch, entry })));
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO entries (room, epoch, seq, ts, n, author, is_message, head, tail)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::boolean[],
      $8::text[], $9::text[])`,
    [
      rows.map(({ batch }) => batch.room),
      rows.map(({ batch }) => batch.epoch),
      rows.map(({ entry }) => entry.seq),
      rows.map(({ entry }) => entry.ts),
      rows.map(({ entry }) => entry.n),
      rows.map(({ entry }) => entry.author),
      rows.map(({ entry }) => entry.isMessage),
      rows.map(({ entry }) => entry.head),
      rows.map(({ entry }) => entry.tail),
    ],
  );
  const messages = rows.filter(({ entry }) => entry.isMessage);
  await tx.query(
    `INSERT INTO messages (room, seq, ts, author, words)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::tsvector[])`,
    [
      messages.map(({ batch }) => batch.room),
      messages.map(({ entry }) => entry.seq),
      messages.map(({ entry }) => entry.ts),
      messages.map(({ entry }) => entry.author),
      messages.map(wordsOf),
    ],
  );
  await tx.query(
    `UPDATE rooms r SET position = w.position FROM unnest($1::text[], $2::bigint[]) AS w (room, position)
    WHERE r.room = w.room`,
    [plain.map(({ batch }) => batch.room), plain.map(({ row, entries }) => row.position + entries.length)],
  );
}

function wordsOf({ batch, entry }: { batch: Batch; entry: LogEntry }): string | null {
  const text = textOf(entry.tail);
  const { author, ts } = entry;
  return text === undefined ? null : toWords({ text, room: batch.room, author, ts, private: batch.private });
}
