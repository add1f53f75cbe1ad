/** Entries of a room's log, as clients see them. */

export type Role = 'owner' | 'moderator' | 'member';

/** A position in a room's log: every entry up to and including `seq` of that `epoch`. */
export interface Position {
  epoch: string;
  seq: number;
}

export interface UserRef {
  id: string;
  name: string;
}

/** An entry of a room's log. A client counts an entry of an unknown `type` but does not show it. */
export interface Entry extends MessageState {
  room: string;
  epoch: string;
  seq: number;
  ts: number;
  /** Messages (entries of type `text`) up to and including this entry. */
  n: number;
  type: string;
  from: UserRef;
  clientMsgId?: string;
  text?: string;
  /** The `seq` of the message that this one replies to. */
  thread?: number;
  /** User ids, or `['@room']`. */
  mentions?: string[];
  data?: unknown;
  /** The text of this message, or of the message that this entry edited, was deleted. */
  erased?: true;
}

/**
 * Fields that reads add to a message: its state at the answer's `head`. Live entries have none of
 * them.
 */
export interface MessageState {
  edited?: { ts: number };
  /** If set, `text` is empty. `by` is a user id. */
  deleted?: { ts: number; by: string };
  reactions?: Reaction[];
  /** For the root of a thread. `seq` and `ts` belong to the newest reply that is not deleted. */
  replies?: { n: number; seq: number; ts: number };
  pinned?: true;
}

export interface Reaction {
  emoji: string;
  count: number;
  /** The reader has added this reaction. */
  mine: boolean;
  /** The ids of the first users who reacted, at most 10. */
  users: string[];
}

/** `data` of the entries that change messages, by entry type. */
export interface MessageActEntries {
  'message.edit': { seq: number; text?: string; mentions?: string[] };
  'message.delete': { seq: number; reason?: string };
  'message.react': { seq: number; emoji: string; active: boolean };
  'message.pin': { seq: number; active: boolean };
}

/** `data` of the entries that acts store, by entry type. */
export interface ActEntries {
  'room.update': { title?: string; topic?: string; readOnly?: boolean; slowModeS?: number; closed?: boolean };
  'room.role': { user: string; role: Role };
  'room.kick': { user: string; untilTs?: number; reason?: string };
  'room.ban': { user: string; untilTs?: number; reason?: string };
  'room.unban': { user: string; reason?: string };
  'room.mute': { user: string; untilTs?: number; reason?: string };
  'room.unmute': { user: string; reason?: string };
  'room.invite': { user: string };
  'room.leave': { user: string };
}
