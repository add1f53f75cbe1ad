/**
 * Messages and acts on messages that wait to be stored, as pure functions over a list. In each
 * room, only the first item is in flight. A second one could overtake it if the first is refused
 * temporarily, but the sending order is guaranteed.
 */
import type { ErrorBody } from '@maru/protocol/errors';
import { backoffMs, mayRetry, REQUEST_BACKOFF } from './backoff.ts';
import type { Outgoing } from './outgoing.ts';

/**
 * Maximum waiting messages and acts, and failed messages, of all rooms. Further ones are refused.
 */
export const OUTBOX_MESSAGES_MAX = 200;
/** Maximum size of their texts: two bytes for each UTF-16 unit, like browser storage. */
export const OUTBOX_BYTES_MAX = 2 * 1024 * 1024;

export type OutboxProgress =
  | { kind: 'waiting'; notBeforeMs: number }
  | { kind: 'in-flight' }
  /** Only `retry` queues it again. It does not delay later messages. */
  | { kind: 'failed'; error: ErrorBody };

export interface OutboxItem {
  readonly room: string;
  /** The same for all attempts, so retries are safe. */
  readonly clientMsgId: string;
  readonly content: Outgoing;
  /** Wall clock, for display. */
  readonly queuedAtMs: number;
  /** Monotonic clock: when it was sent, retried or loaded. */
  readonly waitsSinceMs: number;
  /** Failed attempts since it was queued or retried. */
  readonly failedTries: number;
  readonly progress: OutboxProgress;
}

export type Outbox = readonly OutboxItem[];

export interface NewItem {
  room: string;
  clientMsgId: string;
  content: Outgoing;
  nowMs: number;
  /** Wall clock. */
  queuedAtMs: number;
}

/** Null if the outbox is full. */
export function enqueue(outbox: Outbox, { nowMs, ...message }: NewItem): Outbox | null {
  const progress: OutboxProgress = { kind: 'waiting', notBeforeMs: nowMs };
  return adopt(outbox, [{ ...message, waitsSinceMs: nowMs, failedTries: 0, progress }]);
}

/**
 * Adds the outbox that another client of the user left, each message once. Null if it does not fit.
 */
export function adopt(outbox: Outbox, left: Outbox): Outbox | null {
  const next = [...outbox, ...left.filter(({ clientMsgId }) => find(outbox, clientMsgId) === undefined)];
  const bytes = next.reduce((sum, { content }) => sum + ('text' in content ? 2 * content.text.length : 0), 0);
  return next.length > OUTBOX_MESSAGES_MAX || bytes > OUTBOX_BYTES_MAX ? null : next;
}

export interface DueSends {
  due: OutboxItem[];
  /** When the next message is due. Null if none waits for a time. */
  nextAtMs: number | null;
}

/** The first message of each room that has not failed, if it is due. */
export function dueSends(outbox: Outbox, nowMs: number): DueSends {
  const seen = new Set<string>();
  const due: OutboxItem[] = [];
  let nextAtMs: number | null = null;
  for (const item of outbox) {
    if (item.progress.kind === 'failed' || seen.has(item.room)) continue;
    seen.add(item.room);
    if (item.progress.kind !== 'waiting') continue;
    if (item.progress.notBeforeMs <= nowMs) due.push(item);
    else nextAtMs = Math.min(nextAtMs ?? Number.POSITIVE_INFINITY, item.progress.notBeforeMs);
  }
  return { due, nextAtMs };
}

/**
 * The time since which the oldest message waits. Null if none waits. Failed messages do not wait.
 */
export const waitsSince = (outbox: Outbox): number | null =>
  outbox.reduce<number | null>(
    (oldest, { progress, waitsSinceMs }) =>
      progress.kind === 'failed' ? oldest : Math.min(oldest ?? waitsSinceMs, waitsSinceMs),
    null,
  );

const change = (outbox: Outbox, clientMsgId: string, to: (item: OutboxItem) => OutboxItem): Outbox =>
  outbox.map((item) => (item.clientMsgId === clientMsgId ? to(item) : item));

export const find = (outbox: Outbox, clientMsgId: string): OutboxItem | undefined =>
  outbox.find((item) => item.clientMsgId === clientMsgId);

export const markInFlight = (outbox: Outbox, clientMsgId: string): Outbox =>
  change(outbox, clientMsgId, (item) => ({ ...item, progress: { kind: 'in-flight' } }));

/** The message is stored or discarded. */
export const remove = (outbox: Outbox, clientMsgId: string): Outbox =>
  outbox.filter((item) => item.clientMsgId !== clientMsgId);

export interface Refusal {
  error: ErrorBody;
  nowMs: number;
  random: number;
  /** A retryable message fails this long after it was queued. Null means never. */
  giveUpAfterMs: number | null;
}

/**
 * An attempt was refused or not answered. A retryable message waits at the front of its room's
 * queue. Others fail.
 */
export function refuse(outbox: Outbox, clientMsgId: string, { error, nowMs, random, giveUpAfterMs }: Refusal): Outbox {
  return change(outbox, clientMsgId, (item) => {
    // The user is no longer in the room.
    if (item.progress.kind === 'failed') return item;
    const failed: OutboxItem = { ...item, progress: { kind: 'failed', error } };
    if (!mayRetry(error)) return failed;
    if (giveUpAfterMs !== null && nowMs - item.waitsSinceMs >= giveUpAfterMs) return failed;
    const delayMs = backoffMs({
      attempt: item.failedTries,
      random,
      bounds: REQUEST_BACKOFF,
      atLeastMs: error.retryAfterMs,
    });
    return { ...item, failedTries: item.failedTries + 1, progress: { kind: 'waiting', notBeforeMs: nowMs + delayMs } };
  });
}

/**
 * The connection ended, so no answers will come. All messages are sent again on the next one, in
 * the same order.
 */
export const interrupt = (outbox: Outbox, nowMs: number): Outbox =>
  outbox.map((item) =>
    item.progress.kind === 'failed' ? item : { ...item, progress: { kind: 'waiting', notBeforeMs: nowMs } },
  );

/** Fails messages that have waited too long without a connection. */
export function expire(outbox: Outbox, nowMs: number, giveUpAfterMs: number | null, error: ErrorBody): Outbox {
  if (giveUpAfterMs === null) return outbox;
  const isOver = (item: OutboxItem) => item.progress.kind === 'waiting' && nowMs - item.waitsSinceMs >= giveUpAfterMs;
  if (!outbox.some(isOver)) return outbox;
  return outbox.map((item) => (isOver(item) ? { ...item, progress: { kind: 'failed', error } } : item));
}

/** The user is no longer in the room, so its messages fail. */
export const failRoom = (outbox: Outbox, room: string, error: ErrorBody): Outbox =>
  failWhere(outbox, (item) => item.room === room, error);

/** The message was deleted. Its edits fail, and their texts are removed. */
export const failEdits = (outbox: Outbox, room: string, seq: number, error: ErrorBody): Outbox =>
  failWhere(outbox, ({ room: of, content }) => of === room && content.type === 'edit' && content.seq === seq, error);

function failWhere(outbox: Outbox, concerns: (item: OutboxItem) => boolean, error: ErrorBody): Outbox {
  const ends = (item: OutboxItem) => item.progress.kind !== 'failed' && concerns(item);
  if (!outbox.some(ends)) return outbox;
  return outbox.map((item) => (ends(item) ? { ...item, progress: { kind: 'failed', error } } : item));
}

/** Moves a failed message to the end of the queue, like a new one. */
export function retry(outbox: Outbox, clientMsgId: string, nowMs: number, queuedAtMs: number): Outbox {
  const item = find(outbox, clientMsgId);
  if (item?.progress.kind !== 'failed') return outbox;
  const again: OutboxItem = {
    ...item,
    queuedAtMs,
    waitsSinceMs: nowMs,
    failedTries: 0,
    progress: { kind: 'waiting', notBeforeMs: nowMs },
  };
  return [...remove(outbox, clientMsgId), again];
}
