/** Which messages give a notice. Pure. */
import type { Entry, InboxEvent, Notify, Status, UserRef } from '@maru/protocol/events';

export interface News {
  readonly kind: 'direct' | 'mention' | 'message' | 'invite';
  readonly room: string;
  /** 0 of an invitation. */
  readonly seq: number;
  readonly from: UserRef;
  /** Of the message; of an invitation the title of the room. */
  readonly text: string;
}

export interface Circumstances {
  ownId: string;
  status: Status;
  /** What the reader wants to hear of where the rule of the room is `all`. */
  about: 'direct' | 'all';
  /** The rule of the room; null if it is not among the own rooms. */
  rule: Notify | null;
  /** The room is read up to here, on any device. */
  readSeq: number;
  /** The end of the room is on the screen, in the window that has the focus. */
  isLookedAt: boolean;
}

export function mayTell(news: News, circumstances: Circumstances): boolean {
  const { ownId, status, about, rule, readSeq, isLookedAt } = circumstances;
  if (news.from.id === ownId || status === 'dnd' || isLookedAt) return false;
  if (news.kind === 'invite') return true;
  if (news.seq <= readSeq || rule === 'none') return false;
  if (news.kind === 'mention') return true;
  // The first message of a direct room may come before its place in the list.
  if (news.kind === 'direct') return rule !== 'mentions';
  return rule === 'all' && about === 'all';
}

const MENTION_ROOM = '@room';

/** `afterSeq`: entries up to it are older than the connection. */
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
