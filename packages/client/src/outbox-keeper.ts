/** Keeps the outbox across reloads where the host gives it a place; keeps nothing by itself. */
import { type ClientLogger, describeError } from './logger.ts';
import { OUTBOX_MESSAGES_MAX, type Outbox, type OutboxItem } from './outbox.ts';
import { isRoomId, textProblem } from './text.ts';

/**
 * A place for one string, `localStorage` or a file, say. The host picks a key of its own for each user: messages of one must
 * not be sent as another. The string holds texts.
 */
export interface OutboxStorage {
  load(): string | null;
  save(value: string): void;
}

export interface OutboxKeeper {
  load(): Outbox;
  save(outbox: Outbox): void;
}

/** One waiting or failed message as it is kept. Its progress is not: after a reload everything waits again. */
type Kept = [room: string, clientMsgId: string, text: string, queuedAtMs: number];

export function createOutboxKeeper(
  storage: OutboxStorage | null,
  logger: ClientLogger,
  now: () => number,
): OutboxKeeper {
  if (storage === null) return { load: () => [], save: () => {} };
  return {
    load() {
      try {
        const value = storage.load();
        return value === null ? [] : parse(value, now());
      } catch (error) {
        logger.warn('the kept outbox cannot be read, so its messages are lost', { error: describeError(error) });
        return [];
      }
    },
    save(outbox) {
      const kept: Kept[] = outbox.map(({ room, clientMsgId, text, queuedAtMs }) => [
        room,
        clientMsgId,
        text,
        queuedAtMs,
      ]);
      try {
        storage.save(JSON.stringify(kept));
      } catch (error) {
        logger.warn('the outbox could not be kept', { error: describeError(error) });
      }
    },
  };
}

const isKept = (value: unknown): value is Kept =>
  Array.isArray(value) &&
  value.length === 4 &&
  typeof value[0] === 'string' &&
  isRoomId(value[0]) &&
  typeof value[1] === 'string' &&
  /^[\x20-\x7e]{1,64}$/.test(value[1]) &&
  typeof value[2] === 'string' &&
  textProblem(value[2]) === null &&
  typeof value[3] === 'number';

function parse(value: string, nowMs: number): Outbox {
  const kept: unknown = JSON.parse(value);
  if (!Array.isArray(kept)) return [];
  return kept
    .filter(isKept)
    .slice(0, OUTBOX_MESSAGES_MAX)
    .map(
      ([room, clientMsgId, text, queuedAtMs]): OutboxItem => ({
        room,
        clientMsgId,
        text,
        queuedAtMs,
        failedTries: 0,
        progress: { kind: 'waiting', notBeforeMs: nowMs },
      }),
    );
}
