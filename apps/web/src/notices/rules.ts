/** Decides which messages cause a notice. Pure. */
import type { Entry, InboxEvent, Notify, Status, UserRef } from '@maru/protocol/events';

export interface News {
  readonly kind: 'direct' | 'mention' | 'message' | 'invite';
  readonly room: string;
  /** 0 for an invitation. */
  readonly seq: number;
  readonly from: UserRef;
  /** The text of the message, or for an invitation the title of the room. */
  readonly text: string;
}

export interface Circumstances {
  ownId: string;
  status: Status;
  /** The reader's setting for rooms whose rule is `all`. */
  about: 'direct' | 'all';
  /** The rule of the room. Null if it is not in the user's list. */
  rule: Notify | null;
  /** The read position of the user, on any device. */
  readSeq: number;
  /** The end of the room is visible, and the window has the focus. */
  isLookedAt: boolean;
}

export function mayTell(news: News, circumstances: Circumstances): boolean {
  const { ownId, status, about, rule, readSeq, isLookedAt } = circumstances;
  if (news.from.id === ownId || status === 'dnd' || isLookedAt) return false;
  if (news.kind === 'invite') return true;
  if (news.seq <= readSeq || rule === 'none') return false;
  if (news.kind === 'mention') return true;
  // The first message of a direct room may arrive before the room is in the list.
  if (news.kind === 'direct') return rule !== 'mentions';
  return rule === 'all' && about === 'all';
}

const MENTION_ROOM = '@room';

/** `afterSeq`: entries up to this seq are older than the connection. */
export function newsOfEntries(
  room: string,
  entries: readonly Entry[],
  { ownId, afterSeq, isDirect }: { ownId: string; afterSeq: number; isDirect: boolean },
): News[] {
  return entries.flatMap(({ seq, type, from, text, mentions = [] }) => {
    if (type !== 'text' || text === undefined || text === '' || seq <= afterSeq) return [];
    const isMention = mentions.includes(ownId) || mentions.includes(MENTION_ROOM);
    const kind = isDirect ? 'direct' : isMention ? 'mention' : 'message';
    return [{ kind, room, seq, from, text } as const];
  });
}

export function newsOfInbox(event: InboxEvent): News | null {
  switch (event.type) {
    case 'message':
    case 'mention': {
      const { room, seq, from, text } = event;
      return { kind: event.type === 'message' ? 'direct' : 'mention', room, seq, from, text };
    }
    case 'invite':
      // Of a direct room the first message is the news.
      if (event.room.startsWith('d-')) return null;
      return { kind: 'invite', room: event.room, seq: 0, from: event.from, text: event.title };
    case 'removed':
    case 'read':
      return null;
  }
}
