/** Reads messages that a search has found. */
import type { Tx } from './archive.ts';
import { STATE_COLUMNS, type StateRow, stateOf } from './load-states.ts';
import type { ArchivedEntry } from './pages.ts';
import type { SearchPlace } from './search.ts';

export interface FoundEntry extends ArchivedEntry {
  room: string;
  /** The epoch in which the entry was appended. */
  epoch: string;
  /** The newest seq of the room in the archive: later changes are not in the entry's state. */
  position: number;
}

interface FoundRow extends StateRow {
  room: string;
  epoch: string;
  position: number;
  n: number;
  head: string;
  own_tail: string;
  mine: string[];
}

/**
 * Returns the messages in the order of `places`. The transaction MUST be that of the search.
 * `reader` is a user id.
 */
export async function readFound(tx: Tx, places: readonly SearchPlace[], reader: string): Promise<FoundEntry[]> {
  if (places.length === 0) return [];
  const rows = await tx.query<FoundRow>(
    `SELECT ${STATE_COLUMNS}, m.room, r.position, e.epoch, e.n, e.head, e.tail AS own_tail,
      CASE WHEN m.reactions IS NULL THEN '{}' ELSE ARRAY(
        SELECT emoji FROM reactions WHERE room = m.room AND seq = m.seq AND user_id = $3) END AS mine
    FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS p (room, seq, place)
      JOIN messages m ON m.room = p.room AND m.seq = p.seq
      JOIN entries e ON e.room = p.room AND e.seq = p.seq
      JOIN rooms r ON r.room = p.room
    ORDER BY p.place`,
    [places.map(({ room }) => room), places.map(({ seq }) => seq), reader],
  );
  return rows.map((row) => {
    const { room, epoch, position, seq, ts, n, author, head, own_tail: tail, mine } = row;
    return { room, epoch, position, seq, ts, n, author, head, tail, mine, isMessage: true, state: stateOf(row) };
  });
}
