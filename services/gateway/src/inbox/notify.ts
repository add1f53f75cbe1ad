/**
 * Notifies users about messages that concern them, on all their connections: messages in their
 * direct rooms, and mentions. Nothing waits for a notification, and it may be lost.
 */
import { isDirectRoomId, LIMITS, MENTION_ROOM, type SendData, type UserRef } from '@maru/protocol';
import type { Change } from '../log/room-log.ts';
import type { Inbox } from './inbox.ts';
import type { MembersOf } from './members-of.ts';

type TextChange = Extract<Change, { text: string }>;

export interface Notify {
  /** A plain message was stored. */
  ofMessage(user: UserRef, room: string, text: string, sent: SendData): void;
  /**
   * A message with a thread or mentions, or an edit, was stored. `mentioned`: see `ChangeResult`.
   */
  ofChange(user: UserRef, room: string, change: TextChange, sent: SendData, mentioned: readonly string[]): void;
}

export function createNotify(options: {
  inbox: Inbox;
  membersOf: MembersOf;
  onLost: (error: unknown) => void;
}): Notify {
  const { inbox, membersOf, onLost } = options;

  const tell = (
    type: 'message' | 'mention',
    users: readonly string[],
    { user, room, text, sent }: { user: UserRef; room: string; text: string; sent: Omit<SendData, 'duplicate'> },
  ): void => {
    const { seq, ts, n } = sent;
    if (users.length > 0) inbox.tell(users, { type, room, seq, ts, n, from: user, text: previewOf(text) });
  };

  const ofMessage: Notify['ofMessage'] = (user, room, text, sent) => {
    if (!isDirectRoomId(room)) return;
    membersOf(room).then((members) => tell('message', members, { user, room, text, sent }), onLost);
  };

  return {
    ofMessage,
    ofChange(user, room, change, sent, mentioned) {
      const { text } = change;
      if (change.type === 'send') ofMessage(user, room, text, sent);
      // A mention in an edit refers to the edited message.
      const where = change.type === 'edit' ? { ...sent, seq: change.seq } : sent;
      const toOthers = (users: readonly string[]) =>
        tell(
          'mention',
          users.filter((id) => id !== user.id),
          { user, room, text, sent: where },
        );
      if (mentioned.includes(MENTION_ROOM)) membersOf(room).then(toOthers, onLost);
      else toOthers(mentioned);
    },
  };
}

/** The beginning of a text, cut between code points. */
export function previewOf(text: string): string {
  const max = LIMITS.inboxTextCodePointsMax;
  if (text.length <= max) return text;
  let units = 0;
  let count = 0;
  for (const point of text) {
    if (++count > max) break;
    units += point.length;
  }
  return text.slice(0, units);
}
