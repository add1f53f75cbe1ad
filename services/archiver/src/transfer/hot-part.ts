/**
 * The newest entries of an imported room, in the form in which the gateway's scripts would store
 * them: see `room-entry.lua` and `room-overlay.lua` there. Pure.
 */
import type { Tx } from '@maru/archive-db';

/** A command on a key of the room: name, key, suffix of the key, arguments. */
export type Command = [name: string, key: number, end: string, ...args: Array<string | number>];

/** Numbers of the keys in `apply-import.lua`. */
export const KEY = {
  meta: 1,
  log: 2,
  ids: 3,
  erased: 4,
  overlay: 5,
  pins: 6,
  reads: 7,
  roles: 8,
  reactions: 9,
  replies: 10,
};

/** Each emoji of a message has a separate range of scores. */
const REACTION_RANGE = 2 ** 46;

export interface HotRow {
  seq: number;
  ts: number;
  author: string;
  isMessage: boolean;
  target: number | null;
  head: string;
  tail: string;
}

export interface HotState {
  seq: number;
  editedTs: number | null;
  edits: number[];
  deletedTs: number | null;
  deletedBy: string | null;
  /** A list of [emoji, count, [first users]]. */
  reactions: Array<[string, number, string[]]> | null;
  repliesN: number;
  repliesSeq: number | null;
  repliesTs: number | null;
  pinned: boolean;
}

export interface HotReaction {
  seq: number;
  emoji: string;
  user: string;
  at: number;
}

export interface HotPart {
  rows: HotRow[];
  states: HotState[];
  reactions: HotReaction[];
  /** Replies in threads whose root is in the hot part. */
  replies: Array<{ seq: number; thread: number; isDeleted: boolean }>;
}

export async function readHotPart(tx: Tx, room: string, from: number): Promise<HotPart> {
  const values = [room, from];
  const these = 'WHERE room = $1 AND seq >= $2';
  return {
    rows: await tx.query<HotRow>(
      `SELECT seq, ts, author, is_message AS "isMessage", target, head, tail FROM entries ${these} ORDER BY seq`,
      values,
    ),
    states: await tx.query<HotState>(
      `SELECT seq, edited_ts AS "editedTs", edits, deleted_ts AS "deletedTs", deleted_by AS "deletedBy", reactions,
        replies_n AS "repliesN", replies_seq AS "repliesSeq", replies_ts AS "repliesTs", pinned FROM messages ${these}`,
      values,
    ),
    reactions: await tx.query<HotReaction>(
      `SELECT seq, emoji, user_id AS user, at FROM reactions ${these} ORDER BY at`,
      values,
    ),
    replies: await tx.query(
      `SELECT seq, thread, deleted_ts IS NOT NULL AS "isDeleted" FROM messages
      WHERE room = $1 AND thread >= $2 ORDER BY seq`,
      values,
    ),
  };
}

export function hotCommands(part: HotPart, lastMessageBefore: number): Command[] {
  return [
    ...part.rows.flatMap(entryCommands(lastMessageBefore)),
    ...part.rows.flatMap(concernCommands(part.rows[0]?.seq ?? 1)),
    ...part.states.flatMap(stateCommands),
    ...reactionCommands(part),
    ...part.replies.map(
      ({ seq, thread, isDeleted }): Command => ['ZADD', KEY.replies, `${thread}`, isDeleted ? -seq : seq, `${seq}`],
    ),
  ];
}

const isErased = (tail: string): boolean => tail.endsWith('"erased":true');
const CLIENT_MSG_ID = /,"clientMsgId":("(?:[^"\\]|\\.)*")$/;

function entryCommands(lastMessageBefore: number): (row: HotRow) => Command[] {
  let lastMessage = lastMessageBefore;
  return ({ seq, ts, author, isMessage, head, tail }) => {
    const id = JSON.parse(CLIENT_MSG_ID.exec(head)?.[1] ?? '""') as string;
    if (isMessage) lastMessage = seq;
    const last = isMessage ? '' : `${lastMessage}`;
    const noted: Command[] = id === '' ? [] : [['HSET', KEY.ids, '', `${author}\n${id}`, `${seq}`]];
    if (isErased(tail))
      return [['HSET', KEY.erased, '', `${seq}`, [author, id, `${ts}`, last, head, tail].join('\n')], ...noted];
    const fields = ['u', author, 'c', id, 't', `${ts}`, 'h', head, 'x', tail, ...(isMessage ? [] : ['l', last])];
    return [['XADD', KEY.log, '', `${seq}-0`, ...fields], ...noted];
  };
}

/** The newest entry about each message, if both are in the hot part. */
const concernCommands =
  (from: number) =>
  ({ seq, target }: HotRow): Command[] =>
    target === null || target < from ? [] : [['HSET', KEY.overlay, '', `l${target}`, `${seq}`]];

function stateCommands(state: HotState): Command[] {
  const { seq, editedTs, edits, deletedTs, deletedBy, reactions, repliesN, repliesSeq, repliesTs, pinned } = state;
  const fields: string[] = [];
  if (deletedTs !== null) fields.push(`d${seq}`, `${deletedTs}\n${deletedBy}`);
  else if (editedTs !== null) fields.push(`e${seq}`, `${editedTs}\n${edits.join(',')}`);
  if (reactions !== null && reactions.length > 0)
    fields.push(
      `r${seq}`,
      JSON.stringify(reactions.map(([emoji, count, users], index) => [emoji, index, count, users])),
    );
  if (repliesN > 0) fields.push(`t${seq}`, `${repliesN}\n${repliesSeq}\n${repliesTs}`);
  if (pinned) fields.push(`p${seq}`, '1');
  return fields.length === 0 ? [] : [['HSET', KEY.overlay, '', ...fields]];
}

function reactionCommands({ states, reactions }: HotPart): Command[] {
  const places = new Map<string, number>();
  for (const { seq, reactions: all } of states)
    for (const [index, [emoji]] of (all ?? []).entries()) places.set(`${seq}\n${emoji}`, index);
  return reactions.flatMap(({ seq, emoji, user, at }): Command[] => {
    const place = places.get(`${seq}\n${emoji}`);
    if (place === undefined) return [];
    return [['ZADD', KEY.reactions, `${seq}`, place * REACTION_RANGE + at, `${emoji}\n${user}`]];
  });
}
