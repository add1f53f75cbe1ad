/** Counts unread messages of all rooms that need the reader's attention. Pure. */
import type { MyRoom } from '@maru/protocol/events';

export interface Attention {
  /** Unread direct messages and mentions. */
  readonly count: number;
  /** A room with the rule `all` has other unread messages. */
  readonly hasOthers: boolean;
}

/** The room on the screen. Its count is newer than that of the list. */
export interface ShownRoom {
  readonly room: string;
  readonly unread: number;
}

/** How many unread messages of a room count, by its notification rule. */
export function countOf({ notify, visibility, unread, mentions }: MyRoom): number {
  if (notify === 'none') return 0;
  return notify === 'all' && visibility === 'direct' ? unread : Math.min(mentions, unread);
}

/** `open`: the open rooms. An open room that is not in the user's list counts only its mentions. */
export function attentionOf(
  rooms: readonly MyRoom[],
  shown: ShownRoom | null,
  open: ReadonlyArray<{ room: string; mentions: number }>,
): Attention {
  let count = 0;
  let others = 0;
  let isListed = false;
  for (const room of rooms) {
    const isShown = room.room === shown?.room;
    isListed ||= isShown;
    const now = isShown ? { ...room, unread: shown.unread } : room;
    const counted = countOf(now);
    count += counted;
    if (now.notify === 'all') others += now.unread - counted;
  }
  const own = new Set(rooms.map(({ room }) => room));
  for (const { room, mentions } of open) if (!own.has(room) && room !== shown?.room) count += mentions;
  return { count, hasOthers: others > 0 || (!isListed && (shown?.unread ?? 0) > 0) };
}

export function titleOf({ count, hasOthers }: Attention, place: string): string {
  const mark = count > 0 ? `(${count}) ` : hasOthers ? '• ' : '';
  return `${mark}${place === '' ? '' : `${place} · `}Maru`;
}
