/** Writes the result of a fold with a few statements, for any size of the batch. */

import { toWords } from '@maru/search-text';
import type { Tx } from './archive.ts';
import { textOf } from './entries.ts';
import type { Folded, FoldedEntry } from './fold.ts';
import type { MessageState } from './message-state.ts';

export interface Place {
  room: string;
  epoch: string;
  private: boolean;
}

export async function storeFolded(tx: Tx, place: Place, folded: Folded): Promise<void> {
  // First: it is for the entries before the batch.
  if (folded.deleted.size > 0) await eraseEdits(tx, place.room, [...folded.deleted]);
  await insertEntries(tx, place, folded.rows);
  await storeMessages(tx, place, folded);
}

/** The edits of deleted messages, also of those that left the archive, and edits set aside. */
async function eraseEdits(tx: Tx, room: string, seqs: number[]): Promise<void> {
  const these = { entries: `head LIKE '%"type":"message.edit"%'`, set_aside: 'target IS NOT NULL' };
  for (const [table, isEdit] of Object.entries(these))
    await tx.query(
      `UPDATE ${table} SET tail = '"data":{"seq":' || target || '},"erased":true' WHERE room = $1
        AND target = ANY ($2::bigint[]) AND ${isEdit} AND tail NOT LIKE '%"erased":true'`,
      [room, seqs],
    );
}

/** Everything but the entries of the batch, and the edits of what it deletes. */
export async function storeMessages(tx: Tx, place: Place, folded: Folded): Promise<void> {
  await storeStates(tx, place, folded);
  const { room } = place;
  if (folded.erased.size > 0) {
    await tx.query(
      `UPDATE entries e SET tail = w.tail FROM unnest($2::bigint[], $3::text[]) AS w (seq, tail)
      WHERE e.room = $1 AND e.seq = w.seq`,
      [room, [...folded.erased.keys()], [...folded.erased.values()]],
    );
  }
  if (folded.reactionsDropped.size > 0) {
    const dropped = [...folded.reactionsDropped];
    await tx.query('DELETE FROM reactions WHERE room = $1 AND seq = ANY ($2::bigint[])', [room, dropped]);
  }
  if (folded.reactions.length > 0) await storeReactions(tx, room, folded.reactions);
}

async function insertEntries(tx: Tx, { room, epoch }: Place, rows: FoldedEntry[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO entries (room, epoch, seq, ts, n, author, is_message, target, head, tail)
    SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::boolean[], $8::bigint[],
      $9::text[], $10::text[])`,
    [
      room,
      epoch,
      rows.map(({ seq }) => seq),
      rows.map(({ ts }) => ts),
      rows.map(({ n }) => n),
      rows.map(({ author }) => author),
      rows.map(({ isMessage }) => isMessage),
      rows.map(({ target }) => target ?? null),
      rows.map(({ head }) => head),
      rows.map(({ tail }) => tail),
    ],
  );
}

const isPlain = ({ editedTs, deleted, reactions, replies, pinned }: MessageState): boolean =>
  editedTs === undefined && deleted === undefined && reactions.length === 0 && replies === undefined && !pinned;

async function storeStates(tx: Tx, place: Place, { rows, states, textChanged }: Folded): Promise<void> {
  const tails = new Map(rows.filter(({ isMessage }) => isMessage).map(({ seq, tail }) => [seq, tail]));
  const words = (state: MessageState): string | null => {
    const tail = state.tail ?? tails.get(state.seq);
    const text = state.deleted !== undefined || tail === undefined ? undefined : textOf(tail);
    const { room, private: isPrivate } = place;
    return text === undefined ? null : toWords({ text, room, author: state.author, ts: state.ts, private: isPrivate });
  };
  const plain: MessageState[] = [];
  const touched: MessageState[] = [];
  for (const state of states.values()) (tails.has(state.seq) && isPlain(state) ? plain : touched).push(state);
  if (plain.length > 0) {
    await tx.query(
      `INSERT INTO messages (room, seq, ts, author, thread, words)
      SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::tsvector[])`,
      [
        place.room,
        plain.map(({ seq }) => seq),
        plain.map(({ ts }) => ts),
        plain.map(({ author }) => author),
        plain.map(({ thread }) => thread ?? null),
        plain.map(words),
      ],
    );
  }
  if (touched.length > 0) await upsertStates(tx, place.room, touched, textChanged, words);
}

async function upsertStates(
  tx: Tx,
  room: string,
  states: MessageState[],
  textChanged: Set<number>,
  words: (state: MessageState) => string | null,
): Promise<void> {
  const rows = states.map((state) => ({
    seq: state.seq,
    ts: state.ts,
    author: state.author,
    thread: state.thread,
    tail: state.tail,
    edited_ts: state.editedTs,
    edits: state.edits,
    deleted_ts: state.deleted?.ts,
    deleted_by: state.deleted?.by,
    reactions: reactionsColumn(state),
    replies_n: state.replies?.n ?? 0,
    replies_seq: state.replies?.seq,
    replies_ts: state.replies?.ts,
    pinned: state.pinned,
    words: textChanged.has(state.seq) ? words(state) : null,
    text_changed: textChanged.has(state.seq),
  }));
  await tx.query(
    `INSERT INTO messages AS m (room, seq, ts, author, thread, tail, edited_ts, edits, deleted_ts, deleted_by, reactions,
      replies_n, replies_seq, replies_ts, pinned, words)
    SELECT $1, seq, ts, author, thread, tail, edited_ts, edits, deleted_ts, deleted_by, reactions,
      replies_n, replies_seq, replies_ts, pinned, CASE WHEN text_changed THEN words::tsvector ELSE (
        SELECT o.words FROM messages o WHERE o.room = $1 AND o.seq = w.seq) END
    FROM jsonb_to_recordset($2::jsonb) AS w (seq bigint, ts bigint, author text, thread bigint, tail text,
      edited_ts bigint, edits bigint[], deleted_ts bigint, deleted_by text, reactions jsonb, replies_n integer,
      replies_seq bigint, replies_ts bigint, pinned boolean, words text, text_changed boolean)
    ON CONFLICT (room, seq) DO UPDATE SET (tail, edited_ts, edits, deleted_ts, deleted_by, reactions, replies_n,
      replies_seq, replies_ts, pinned, words) = ROW (excluded.tail, excluded.edited_ts, excluded.edits,
      excluded.deleted_ts, excluded.deleted_by, excluded.reactions, excluded.replies_n, excluded.replies_seq,
      excluded.replies_ts, excluded.pinned, excluded.words)`,
    [room, JSON.stringify(rows)],
  );
}

const reactionsColumn = ({ reactions }: MessageState) =>
  reactions.length === 0 ? undefined : reactions.map(({ emoji, count, users }) => [emoji, count, users]);

async function storeReactions(tx: Tx, room: string, reactions: Folded['reactions']): Promise<void> {
  const gone = reactions.filter(({ at }) => at === undefined);
  const added = reactions.filter(({ at }) => at !== undefined);
  const columns = (list: Folded['reactions']) => [
    list.map(({ seq }) => seq),
    list.map(({ emoji }) => emoji),
    list.map(({ user }) => user),
  ];
  if (gone.length > 0) {
    await tx.query(
      `DELETE FROM reactions r USING unnest($2::bigint[], $3::text[], $4::text[]) AS w (seq, emoji, user_id)
      WHERE r.room = $1 AND r.seq = w.seq AND r.emoji = w.emoji AND r.user_id = w.user_id`,
      [room, ...columns(gone)],
    );
  }
  if (added.length === 0) return;
  await tx.query(
    `INSERT INTO reactions (room, seq, emoji, user_id, at)
    SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[])
    ON CONFLICT (room, seq, emoji, user_id) DO UPDATE SET at = excluded.at`,
    [room, ...columns(added), added.map(({ at }) => at)],
  );
}
