/** Applies the answer to a read to a model. Pure. */
import type { MessagesData } from '@maru/protocol/events';
import { applyEntry } from './apply-entries.ts';
import { type KnownMessage, messageOf } from './message.ts';
import type { Draft, Read, RoomModel } from './model-state.ts';
import { arrive, placingRead, sameRead } from './window.ts';

/** Returns the same model if the answer cannot be used. Then the read is still necessary. */
export function applyAnswer(model: RoomModel, read: Read, data: MessagesData): RoomModel {
  const { epoch, head } = data;
  // A gateway shares reads, so an answer may be older than entries that were delivered before the
  // request.
  if ((model.epoch !== null && model.epoch !== epoch) || head < model.recentAfter) return model;
  const next: Draft = { ...model, epoch, head: Math.max(model.head, head), messages: new Map(model.messages) };
  if (!place(next, read, data)) return model;
  for (const entry of data.messages) {
    const known = next.messages.get(entry.seq);
    if (known === undefined || isOutdated(known, head, model.position))
      next.messages.set(entry.seq, messageOf(entry, head));
  }
  // Apply entries after the head of the answer, which does not contain them.
  for (const { entry, readAt } of model.recent) if (entry.seq > head) applyEntry(next, entry, readAt);
  return next;
}

/** Whether a message as of `head` is newer than the known one, or completes it. */
function isOutdated({ asOf, staleAt }: KnownMessage, head: number, position: number | null): boolean {
  return (staleAt !== null && head >= staleAt) || Math.max(asOf, position ?? 0) < head;
}

/** Extends the shown part with the answer. False if the answer does not continue it. */
function place(next: Draft, read: Read, { messages, hasMore, hasNewer, head }: MessagesData): boolean {
  const [oldest, newest] = [messages[0]?.seq, messages.at(-1)?.seq];
  const { window } = next;
  switch (read.kind) {
    case 'newest':
    case 'around':
    case 'at':
      if (!sameRead(placingRead(next), read)) return false;
      next.window = {
        from: hasMore ? (oldest ?? head + 1) : 1,
        to: hasNewer ? (newest ?? head) : null,
        hasOlder: hasMore,
      };
      arrive(next, read, messages);
      return true;
    case 'older':
      if (window?.from !== read.seq) return false;
      next.window = { ...window, ...olderPart(window.from, oldest, hasMore) };
      return true;
    case 'newer':
      if (window === null || window.to !== read.seq) return false;
      next.window = { ...window, to: hasNewer ? (newest ?? window.to) : null };
      return true;
    case 'one':
      if (!messages.some(({ seq }) => seq === read.seq)) Object.assign(next, withoutMessage(next, read.seq));
      return true;
    case 'pins':
      if (typeof next.pins !== 'object' || next.pins.before !== read.before) return false;
      next.pins = hasMore && oldest !== undefined ? { before: oldest } : 'known';
      return true;
    case 'thread':
      return placeReplies(next, read, { oldest, hasMore, head });
  }
}

/** An empty page adds nothing. Asking again would not help. */
const olderPart = (from: number, oldest: number | undefined, hasMore: boolean) =>
  hasMore && oldest !== undefined ? { from: oldest, hasOlder: true } : { from: hasMore ? from : 1, hasOlder: false };

function placeReplies(
  next: Draft,
  { root, before }: Extract<Read, { kind: 'thread' }>,
  { oldest, hasMore, head }: { oldest: number | undefined; hasMore: boolean; head: number },
): boolean {
  const thread = next.threads.get(root);
  if (thread === undefined || (before === null ? thread.slice !== null : thread.slice?.from !== before)) return false;
  const slice = { to: null, ...olderPart(before ?? head + 1, oldest, hasMore) };
  next.threads = new Map(next.threads).set(root, { ...thread, slice });
  return true;
}

/** The server no longer has the message. */
export function withoutMessage<M extends RoomModel>(model: M, seq: number): M {
  const messages = new Map(model.messages);
  messages.delete(seq);
  const thread = model.threads.get(seq);
  if (thread === undefined) return { ...model, messages };
  const slice = thread.slice ?? { from: seq, to: null, hasOlder: false };
  return { ...model, messages, threads: new Map(model.threads).set(seq, { slice, isMissing: true }) };
}
