/**
 * Reads and erases a user's entries, for exports and erasures. Every call rejects with
 * ArchiveUnavailable.
 */
import type { Tx } from './archive.ts';

/** The order of a user's entries over all rooms. */
export interface AuthoredAt {
  ts: number;
  room: string;
  seq: number;
}

export interface AuthoredEntry extends AuthoredAt {
  epoch: string;
  /** Members of the client's JSON, as in the hot log. */
  head: string;
  tail: string;
  isMessage: boolean;
}

export interface AuthoredQuery {
  userId: string;
  /** Only entries after this place. */
  after?: AuthoredAt | undefined;
  /** Only those up to this time. */
  untilTs?: number | undefined;
  limit: number;
}

export const readAuthored = (tx: Tx, { userId, after, untilTs, limit }: AuthoredQuery): Promise<AuthoredEntry[]> =>
  tx.query<AuthoredEntry>(
    `SELECT ts, room, seq, epoch, head, tail, is_message AS "isMessage" FROM entries
    WHERE author = $1 AND (ts, room COLLATE "C", seq) > ($2, $3, $4) AND ts <= $5
    ORDER BY ts, room COLLATE "C", seq LIMIT $6`,
    [userId, after?.ts ?? -1, after?.room ?? '', after?.seq ?? 0, untilTs ?? Number.MAX_SAFE_INTEGER, limit],
  );

/** What the archive has of a room: all entries up to `position`. */
export interface ArchivedPosition {
  epoch: string;
  position: number;
}

/** Rooms that the archive does not have are not in it. */
export async function readPositions(tx: Tx, rooms: readonly string[]): Promise<Map<string, ArchivedPosition>> {
  const rows = await tx.query<ArchivedPosition & { room: string }>(
    'SELECT room, epoch, position FROM rooms WHERE room = ANY ($1::text[])',
    [rooms],
  );
  return new Map(rows.map(({ room, ...one }) => [room, one]));
}

/**
 * Counts the entries of a user after a time whose `clientMsgId` begins with a prefix of letters,
 * digits and `-`.
 */
export async function countAuthored(
  tx: Tx,
  { userId, afterTs, idPrefix }: { userId: string; afterTs: number; idPrefix: string },
): Promise<number> {
  const [row] = await tx.query<{ n: number }>(
    `SELECT count(*) AS n FROM entries WHERE author = $1 AND ts >= $2 AND head LIKE '%"clientMsgId":"' || $3 || '%'`,
    [userId, afterTs, idPrefix],
  );
  return row?.n ?? 0;
}

const ERASED = `'%"erased":true'`;
/** Messages and edits. A text cannot contain the pattern, because JSON escapes its quotes. */
const HAS_TEXT = `(head LIKE '%"type":"text",%' OR head LIKE '%"type":"message.edit",%') AND tail NOT LIKE ${ERASED}`;
/** The rest of an erased message or edit. As in the hot log, but without the thread. */
const ERASED_TAIL = `CASE WHEN head LIKE '%"type":"text",%' THEN '"erased":true'
  ELSE '"data":{"seq":' || substring(tail FROM '^"data":{"seq":(\\d+)') || '},"erased":true' END`;

/**
 * Removes at most `limit` texts of a user from the tables, with the reactions to them, and returns
 * how many. This is for rooms that the hot log no longer has, and for entries that a rollback set
 * aside. Where the hot log has the room, a `message.delete` MUST come first.
 */
export async function eraseAuthored(
  tx: Tx,
  { userId, untilTs, limit }: { userId: string; untilTs: number; limit: number },
): Promise<number> {
  const erased = await tx.query<{ room: string; seq: number }>(
    `UPDATE entries SET tail = ${ERASED_TAIL} WHERE (room, seq) IN (
      SELECT room, seq FROM entries WHERE author = $1 AND ts <= $2 AND ${HAS_TEXT} LIMIT $3 FOR UPDATE
    ) RETURNING room, seq`,
    [userId, untilTs, limit],
  );
  const places = [erased.map(({ room }) => room), erased.map(({ seq }) => seq)];
  const these = '(room, seq) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))';
  await tx.query(
    `UPDATE messages SET tail = NULL, edited_ts = NULL, edits = '{}', reactions = NULL, pinned = false, words = NULL,
      deleted_ts = coalesce(deleted_ts, (extract(epoch FROM now()) * 1000)::bigint),
      deleted_by = coalesce(deleted_by, author)
    WHERE ${these}`,
    places,
  );
  await tx.query(`DELETE FROM reactions WHERE ${these}`, places);
  const aside = await tx.query(
    `UPDATE set_aside SET tail = ${ERASED_TAIL} WHERE (room, epoch, seq) IN (
      SELECT room, epoch, seq FROM set_aside WHERE author = $1 AND ts <= $2 AND ${HAS_TEXT} LIMIT $3 FOR UPDATE
    ) RETURNING seq`,
    [userId, untilTs, limit],
  );
  return erased.length + aside.length;
}
