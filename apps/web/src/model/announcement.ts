/** What a screen reader announces: the newest messages at the end of the list. Pure. */
import type { Entry } from '@maru/protocol/events';

export type Announcement = { id: number } & (
  | { kind: 'message'; name: string; text: string }
  | { kind: 'many'; count: number }
);

/** A message whose text was deleted has none. */
export const isShown = (entry: Entry): boolean => entry.type === 'text' && entry.text !== undefined;

/** Above this number, the count is announced instead of the texts. */
const ANNOUNCED_MESSAGES_MAX = 3;

/** Entries up to `afterSeq` existed before the join or were missed. Null: nothing is news. */
export function announcementOf(
  entries: readonly Entry[],
  { afterSeq, ownId, id }: { afterSeq: number; ownId: string; id: number },
): Announcement | null {
  const news = entries.filter((entry) => entry.seq > afterSeq && isShown(entry) && entry.from.id !== ownId);
  const last = news.at(-1);
  if (last === undefined) return null;
  if (news.length > ANNOUNCED_MESSAGES_MAX) return { id, kind: 'many', count: news.length };
  return { id, kind: 'message', name: last.from.name, text: last.text ?? '' };
}
