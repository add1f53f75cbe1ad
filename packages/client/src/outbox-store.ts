/** Keeps the outbox across reloads if the host provides storage. */
import { type ClientLogger, describeError } from './logger.ts';
import { OUTBOX_MESSAGES_MAX, type Outbox, type OutboxItem } from './outbox.ts';
import type { NewMessage } from './outgoing.ts';
import { isRoomId, textProblem } from './text.ts';

/**
 * Stores one string, for example in `localStorage` or a file. The host MUST use a key for each
 * user, so that messages of one user are not sent as another. The string contains message texts.
 */
export interface OutboxStorage {
  load(): string | null;
  save(value: string): void;
}

export interface OutboxStore {
  load(): Outbox;
  save(outbox: Outbox): void;
}

/**
 * A waiting or failed message in storage. Its progress is not stored: after a reload everything
 * waits again. Acts on messages are not stored.
 */
type StoredItem = [room: string, clientMsgId: string, text: string, queuedAtMs: number, more?: More];
type More = Pick<NewMessage, 'thread' | 'mentions'>;

export function createOutboxStore(storage: OutboxStorage | null, logger: ClientLogger, now: () => number): OutboxStore {
  if (storage === null) return { load: () => [], save: () => {} };
  return {
    load() {
      try {
        const value = storage.load();
        return value === null ? [] : parse(value, now());
      } catch (error) {
        logger.warn('the stored outbox cannot be read, so its messages are lost', { error: describeError(error) });
        return [];
      }
    },
    save(outbox) {
      const stored = outbox.flatMap(({ room, clientMsgId, content, queuedAtMs }): StoredItem[] => {
        if (content.type !== 'send') return [];
        const { type: _, text, ...more } = content;
        if (Object.keys(more).length === 0) return [[room, clientMsgId, text, queuedAtMs]];
        return [[room, clientMsgId, text, queuedAtMs, more]];
      });
      try {
        storage.save(JSON.stringify(stored));
      } catch (error) {
        logger.warn('the outbox was not stored', { error: describeError(error) });
      }
    },
  };
}

const isMore = (value: unknown): value is More => {
  if (typeof value !== 'object' || value === null) return false;
  const { thread = 1, mentions = [] } = value as Record<string, unknown>;
  return Number.isSafeInteger(thread) && Array.isArray(mentions) && mentions.every((one) => typeof one === 'string');
};

const isStoredItem = (value: unknown): value is StoredItem =>
  Array.isArray(value) &&
  (value.length === 4 || (value.length === 5 && isMore(value[4]))) &&
  typeof value[0] === 'string' &&
  isRoomId(value[0]) &&
  typeof value[1] === 'string' &&
  /^[\x20-\x7e]{1,64}$/.test(value[1]) &&
  typeof value[2] === 'string' &&
  textProblem(value[2]) === null &&
  typeof value[3] === 'number';

function parse(value: string, nowMs: number): Outbox {
  const stored: unknown = JSON.parse(value);
  if (!Array.isArray(stored)) return [];
  return stored
    .filter(isStoredItem)
    .slice(0, OUTBOX_MESSAGES_MAX)
    .map(
      ([room, clientMsgId, text, queuedAtMs, more]): OutboxItem => ({
        room,
        clientMsgId,
        content: { type: 'send', text, ...more },
        queuedAtMs,
        waitsSinceMs: nowMs,
        failedTries: 0,
        progress: { kind: 'waiting', notBeforeMs: nowMs },
      }),
    );
}
