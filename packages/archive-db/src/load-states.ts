/** Loads the states of the messages that a batch affects. */
import { LIMITS } from '@maru/protocol';
import type { Tx } from './archive.ts';
import { type Concern, concernOf, type LogEntry, threadOf } from './entries.ts';
import { type Loaded, nothingLoaded, type Reply, reactorsKey } from './fold.ts';
import type { MessageState } from './message-state.ts';

/** Columns of `messages` that make a state. */
export const STATE_COLUMNS = `m.seq, m.ts, m.author, m.thread, m.tail, m.edited_ts, m.edits, m.deleted_ts, m.deleted_by,
  m.reactions, m.replies_n, m.replies_seq, m.replies_ts, m.pinned`;

export interface StateRow {
  seq: number;
  ts: number;
  author: string;
  thread: number | null;
  tail: string | null;
  edited_ts: number | null;
  edits: number[];
  deleted_ts: number | null;
  deleted_by: string | null;
  reactions: Array<[string, number, string[]]> | null;
  replies_n: number;
  replies_seq: number | null;
  replies_ts: number | null;
  pinned: boolean;
}

export function stateOf(row: StateRow): MessageState {
  const { seq, ts, author, edits, pinned } = row;
  return {
    seq,
    ts,
    author,
    thread: row.thread ?? undefined,
    tail: row.tail ?? undefined,
    editedTs: row.edited_ts ?? undefined,
    edits,
    deleted: row.deleted_ts === null ? undefined : { ts: row.deleted_ts, by: row.deleted_by ?? '' },
    reactions: (row.reactions ?? []).map(([emoji, count, users]) => ({ emoji, count, users })),
    replies: row.replies_n === 0 ? undefined : { n: row.replies_n, seq: row.replies_seq ?? 0, ts: row.replies_ts ?? 0 },
    pinned,
  };
}

/** The `entries` are in order. At most three queries, and none for plain messages. */
export async function loadStates(tx: Tx, room: string, entries: readonly LogEntry[]): Promise<Loaded> {
  const concerns = entries.map(concernOf).filter((concern) => concern !== undefined);
  if (concerns.length === 0) return nothingLoaded();
  const deleted = concerns.filter(({ type }) => type === 'delete').map(({ seq }) => seq);
  const rows = await tx.query<StateRow>(
    `SELECT ${STATE_COLUMNS} FROM messages m WHERE m.room = $1 AND m.seq = ANY (ARRAY(
      SELECT unnest($2::bigint[]) UNION SELECT thread FROM messages WHERE room = $1 AND seq = ANY ($3::bigint[])))`,
    [room, concerns.map(({ seq }) => seq), deleted],
  );
  const states = new Map(rows.map((row) => [row.seq, stateOf(row)]));
  const reactors = await loadReactors(tx, room, concerns);
  return { states, reactors, replies: await loadReplies(tx, room, rootsOf(deleted, states, entries), deleted.length) };
}

/** When a user removes a reaction, the next user moves up in the list. */
async function loadReactors(tx: Tx, room: string, concerns: Concern[]): Promise<Map<string, string[]>> {
  const wanted = new Map<string, { seq: number; emoji: string; count: number }>();
  for (const concern of concerns) {
    if (concern.type !== 'react' || concern.active) continue;
    const { seq, emoji } = concern;
    const key = reactorsKey(seq, emoji);
    wanted.set(key, { seq, emoji, count: (wanted.get(key)?.count ?? LIMITS.reactionUsersShown) + 1 });
  }
  if (wanted.size === 0) return new Map();
  const list = [...wanted.values()];
  const rows = await tx.query<{ seq: number; emoji: string; users: string[] }>(
    `SELECT w.seq, w.emoji, ARRAY(
      SELECT user_id FROM reactions r WHERE r.room = $1 AND r.seq = w.seq AND r.emoji = w.emoji ORDER BY r.at LIMIT w.count
    ) AS users FROM unnest($2::bigint[], $3::text[], $4::int[]) AS w (seq, emoji, count)`,
    [room, list.map(({ seq }) => seq), list.map(({ emoji }) => emoji), list.map(({ count }) => count)],
  );
  return new Map(rows.map(({ seq, emoji, users }) => [reactorsKey(seq, emoji), users]));
}

function rootsOf(deleted: number[], states: Map<number, MessageState>, entries: readonly LogEntry[]): Set<number> {
  const gone = new Set(deleted);
  const inBatch = entries.filter(({ seq, isMessage }) => isMessage && gone.has(seq)).map(({ tail }) => threadOf(tail));
  const before = deleted.map((seq) => states.get(seq)?.thread);
  return new Set([...before, ...inBatch].filter((root) => root !== undefined));
}

/** When the newest reply is deleted, the previous one becomes the newest. */
async function loadReplies(tx: Tx, room: string, roots: Set<number>, deletions: number): Promise<Map<number, Reply[]>> {
  if (roots.size === 0) return new Map();
  const rows = await tx.query<{ root: number; seq: number; ts: number }>(
    `SELECT w.root, r.seq, r.ts FROM unnest($2::bigint[]) AS w (root), LATERAL (
      SELECT seq, ts FROM messages m WHERE m.room = $1 AND m.thread = w.root AND m.deleted_ts IS NULL
      ORDER BY seq DESC LIMIT $3) AS r ORDER BY r.seq DESC`,
    [room, [...roots], deletions + 1],
  );
  const replies = new Map<number, Reply[]>([...roots].map((root) => [root, []]));
  for (const { root, seq, ts } of rows) replies.get(root)?.push({ seq, ts });
  return replies;
}
