/** Applies delivered entries to the messages of a model. Pure, apart from the given draft. */
import type { Entry } from '@maru/protocol/events';
import { changeOf } from '../acts.ts';
import { applyChange, countReply, doubtReplies, type KnownMessage, messageOf, uncountReply } from './message.ts';
import { type Draft, isShown, RECENT_ENTRIES_MAX } from './model-state.ts';

/**
 * Idempotent, because each message knows up to which entry it is current. `readAt`: the messages
 * are as of this head. Without it, they are in their original form.
 */
export function applyEntry(next: Draft, entry: Entry, readAt: number | undefined): void {
  const { messages } = next;
  if (entry.type === 'text') {
    if (!messages.has(entry.seq) && isShown(next, entry))
      messages.set(entry.seq, messageOf(entry, readAt ?? entry.seq));
    if (entry.thread !== undefined) update(messages, entry.thread, (root) => countReply(root, entry.seq, entry.ts));
    return;
  }
  const change = changeOf(entry);
  if (change === null) return;
  const target = messages.get(change.seq);
  if (target !== undefined) messages.set(target.seq, applyChange(target, entry, change, next.ownId));
  else if (change.type === 'message.pin' && change.active && next.pins !== 'closed') next.pins = { before: null };
  if (change.type !== 'message.delete') return;
  if (target === undefined) {
    for (const message of messages.values()) messages.set(message.seq, doubtReplies(message, entry.seq, change.seq));
  } else if (target.thread !== null) {
    update(messages, target.thread, (root) => uncountReply(root, entry.seq, target.seq));
  }
}

function update(messages: Map<number, KnownMessage>, seq: number, to: (message: KnownMessage) => KnownMessage): void {
  const message = messages.get(seq);
  if (message !== undefined) messages.set(seq, to(message));
}

/** Keeps entries while a read is in flight, without texts that one of them deletes. */
export function remember(next: Draft, entries: readonly Entry[], readAt: number | undefined): void {
  if (next.reads === 0) return;
  const all = [...next.recent, ...entries.map((entry) => ({ entry, readAt }))];
  const kept = all.slice(-RECENT_ENTRIES_MAX);
  next.recentAfter = Math.max(next.recentAfter, all[all.length - kept.length - 1]?.entry.seq ?? 0);
  const deleted = new Set<number>();
  for (const entry of entries) {
    const change = changeOf(entry);
    if (change?.type === 'message.delete') deleted.add(change.seq);
  }
  const erase = (one: (typeof kept)[number]) => ({ ...one, entry: withoutText(one.entry, deleted) });
  next.recent = deleted.size === 0 ? kept : kept.map(erase);
}

function withoutText(entry: Entry, deleted: ReadonlySet<number>): Entry {
  const change = changeOf(entry);
  if (change?.type === 'message.edit' && deleted.has(change.seq))
    return { ...entry, data: { seq: change.seq }, erased: true };
  if (entry.type !== 'text' || !deleted.has(entry.seq)) return entry;
  const { text: _, mentions: __, ...rest } = entry;
  return { ...rest, erased: true };
}
