/** Saves the outbox across reloads if the host provides storage. */
import type { ErrorBody } from '@maru/protocol/errors';
import { type KeptText, keptItems } from './kept.ts';
import type { ClientLogger } from './logger.ts';
import type { Outbox, OutboxItem } from './outbox.ts';
import type { Outgoing } from './outgoing.ts';
import { isRoomId, textProblem } from './text.ts';

/** The storage of the outbox. */
export type OutboxStorage = KeptText;

export interface OutboxStore {
  load(): Outbox;
  /** False if the host could not store it. Also true without storage. */
  save(outbox: Outbox): boolean;
  /**
   * Calls `take` with the outbox that other clients of the same user left. True: it is saved here
   * now.
   */
  watchLeft(take: (outbox: Outbox) => boolean): () => void;
}

/**
 * After a reload, waiting messages wait again. Failed messages stay failed until their author
 * decides. `failed` is the reason.
 */
interface StoredItem {
  room: string;
  id: string;
  content: Outgoing;
  atMs: number;
  failed?: ErrorBody;
}

export function createOutboxStore(place: OutboxStorage | null, logger: ClientLogger, now: () => number): OutboxStore {
  const kept = keptItems({ place, what: 'outbox', logger });
  const parse = (items: readonly unknown[]): Outbox => items.filter(isStoredItem).map((item) => itemOf(item, now()));
  return {
    load: () => parse(kept.load()),
    save: (outbox) => kept.save(outbox.map(storedOf)),
    watchLeft: (take) => kept.watchLeft((items) => take(parse(items))),
  };
}

function storedOf({ room, clientMsgId: id, content, queuedAtMs: atMs, progress }: OutboxItem): StoredItem {
  const item = { room, id, content, atMs };
  return progress.kind === 'failed' ? { ...item, failed: progress.error } : item;
}

function itemOf({ room, id: clientMsgId, content, atMs: queuedAtMs, failed: error }: StoredItem, nowMs: number) {
  const progress: OutboxItem['progress'] =
    error === undefined ? { kind: 'waiting', notBeforeMs: nowMs } : { kind: 'failed', error };
  return { room, clientMsgId, content, queuedAtMs, waitsSinceMs: nowMs, failedTries: 0, progress };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function isStoredItem(value: unknown): value is StoredItem {
  if (!isObject(value)) return false;
  const { room, id, content, atMs, failed } = value;
  return (
    typeof room === 'string' &&
    isRoomId(room) &&
    typeof id === 'string' &&
    /^[\x20-\x7e]{1,64}$/.test(id) &&
    typeof atMs === 'number' &&
    isOutgoing(content) &&
    (failed === undefined || (isObject(failed) && typeof failed.code === 'string'))
  );
}

const isText = (text: unknown): boolean => typeof text === 'string' && textProblem(text) === null;
const isSeq = (seq: unknown): boolean => Number.isSafeInteger(seq);
const isMentions = (mentions: unknown): boolean =>
  mentions === undefined || (Array.isArray(mentions) && mentions.every((one) => typeof one === 'string'));

function isOutgoing(value: unknown): value is Outgoing {
  if (!isObject(value)) return false;
  const { type, text, seq, thread, mentions, emoji, active, reason } = value;
  switch (type) {
    case 'send':
      return isText(text) && isMentions(mentions) && (thread === undefined || isSeq(thread));
    case 'edit':
      return isSeq(seq) && isText(text) && isMentions(mentions);
    case 'delete':
      return isSeq(seq) && (reason === undefined || typeof reason === 'string');
    case 'react':
      return isSeq(seq) && typeof emoji === 'string' && typeof active === 'boolean';
    case 'pin':
      return isSeq(seq) && typeof active === 'boolean';
    default:
      return false;
  }
}
