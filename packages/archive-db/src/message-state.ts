/** The current state of a message after all later entries. */

export interface MessageState {
  seq: number;
  ts: number;
  author: string;
  /** The root's seq, if it is a reply. */
  thread: number | undefined;
  /** The current text and mentions, as members of JSON. Undefined if the entry's tail has them. */
  tail: string | undefined;
  editedTs: number | undefined;
  /** The seqs of the edits, ascending. */
  edits: number[];
  deleted: { ts: number; by: string } | undefined;
  /** In order of first use. */
  reactions: ReactionState[];
  /** The number of replies that are not deleted, and the newest of them. */
  replies: { n: number; seq: number; ts: number } | undefined;
  pinned: boolean;
}

export interface ReactionState {
  emoji: string;
  count: number;
  /** The first users who reacted. */
  users: string[];
}

export const newState = (seq: number, ts: number, author: string, thread: number | undefined): MessageState => ({
  seq,
  ts,
  author,
  thread,
  tail: undefined,
  editedTs: undefined,
  edits: [],
  deleted: undefined,
  reactions: [],
  replies: undefined,
  pinned: false,
});

/**
 * The tail that clients see. It equals what `room-overlay.lua` composes, byte by byte. `entryTail`
 * is the entry's own tail, and `mine` has the emoji with which the reader reacted.
 */
export function composeTail(entryTail: string, state: MessageState, mine: ReadonlySet<string>): string {
  const { thread, deleted, editedTs, reactions, replies } = state;
  const parts: string[] = [];
  const root = thread === undefined ? [] : [`"thread":${thread}`];
  if (deleted !== undefined) {
    parts.push('"text":""', ...root, `"deleted":{"ts":${deleted.ts},"by":${luaJson(deleted.by)}},"erased":true`);
  } else if (editedTs !== undefined) {
    parts.push(state.tail ?? entryTail, ...root, `"edited":{"ts":${editedTs}}`);
  } else {
    parts.push(entryTail);
  }
  if (reactions.length > 0) {
    parts.push(`"reactions":[${reactions.map((one) => reactionJson(one, mine.has(one.emoji))).join(',')}]`);
  }
  if (replies !== undefined) parts.push(`"replies":{"n":${replies.n},"seq":${replies.seq},"ts":${replies.ts}}`);
  if (state.pinned) parts.push('"pinned":true');
  return parts.join(',');
}

function reactionJson({ emoji, count, users }: ReactionState, mine: boolean): string {
  return `{"emoji":${luaJson(emoji)},"count":${count},"mine":${mine},"users":[${users.map(luaJson).join(',')}]}`;
}

/** Lua's cjson also escapes these two characters. */
const luaJson = (value: string): string => JSON.stringify(value).replaceAll('/', '\\/').replaceAll('\u007f', '\\u007f');
