/** The read side of the room log in Redis: one call of `read-room.lua` for each read. */
import { isPrivateRoomId, LIMITS, MaruError, type NotRecoveredReason, type Role } from '@maru/protocol';
import { gatherWrites, loadScript, type RedisStore, runScript, type Shard } from '@maru/redis-store';
import {
  roomErasedKey,
  roomLiveChannel,
  roomLogKey,
  roomMetaKey,
  roomOverlayKey,
  roomPinsKey,
  roomReactionsPrefix,
  roomRepliesPrefix,
  roomRolesKey,
  roomSanctionsKey,
} from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import { decodeStoredEntries } from './entry-codec.ts';
import { noEntry } from './refusals.ts';
import {
  type MessagesPiece,
  type MessagesResult,
  type Reader,
  type ReadPiece,
  type ReadResult,
  RoomDeleted,
  type RoomSettings,
} from './room-log.ts';
import type { SeenPositions } from './seen-positions.ts';
import { createSemaphore, type Semaphore } from './semaphore.ts';

const LIBRARIES = ['./room-epoch.lua', './room-entry.lua', './room-guard.lua', './room-overlay.lua'].map(
  (file) => new URL(file, import.meta.url),
);
export const readScript = loadScript(new URL('./read-room.lua', import.meta.url), ...LIBRARIES);
const readMessagesScript = loadScript(new URL('./read-messages.lua', import.meta.url), ...LIBRARIES);

/**
 * Bytes of one page. A read must delay neither the store nor the connection that gets the answer.
 */
const PAGE_BYTES_MAX = 1_048_576;
/**
 * Pages that this node reads from one shard at a time. The largest page blocks Redis for about 10
 * ms. Thousands of small pages, as when everyone joins at once, pass in a fraction of the deadline.
 */
const PAGES_IN_FLIGHT_MAX = 16;

export interface RedisReadOptions {
  readStore: RedisStore;
  seen: SeenPositions;
  emptyRoomTtlMs: number;
  deadlineMs: number;
}

export class RedisReader {
  readonly #options: RedisReadOptions;
  /** One for each shard, so that a shard that hangs does not delay the pages of the others. */
  readonly #semaphores = new WeakMap<Shard, Semaphore>();

  constructor(options: RedisReadOptions) {
    this.#options = options;
  }

  read(room: string, reader: Reader, piece: ReadPiece, create: boolean): Promise<ReadResult> {
    const work = () => this.#readNow(room, reader, piece, create);
    // State reads and delivery's own reads are small or rare. Pages for users share a few places.
    const isPage = piece.mode === 'since' || (piece.mode !== 'none' && reader !== 'node');
    return isPage ? (this.#semaphoreOf(room)?.run(work) ?? work()) : work();
  }

  readMessages(room: string, userId: string, piece: MessagesPiece): Promise<MessagesResult> {
    const work = () => this.#readMessagesNow(room, userId, piece);
    return this.#semaphoreOf(room)?.run(work) ?? work();
  }

  async #readMessagesNow(room: string, userId: string, piece: MessagesPiece): Promise<MessagesResult> {
    const { readStore, seen } = this.#options;
    gatherWrites(readStore.shardOf(roomLogKey(room)));
    const keys = [...roomKeys(room), roomRepliesPrefix(room), roomPinsKey(room)];
    const { mode, seq, limit, thread, pinned } = piece;
    const args = [
      userId,
      isPrivateRoomId(room) ? '1' : '0',
      ...seen.scriptArguments(room),
      ...[mode, seq, limit, thread ?? 0, pinned ? '1' : '0', PAGE_BYTES_MAX],
    ];
    let reply: unknown[];
    try {
      reply = (await runScript(readStore, readMessagesScript, keys, args)) as unknown[];
    } catch (error) {
      throw unavailable(error);
    }
    if (reply[0] === 'deleted') {
      seen.forget(room);
      throw new RoomDeleted();
    }
    const result = toMessagesResult(reply);
    seen.note(room, result.epoch, result.head);
    return result;
  }

  async #readNow(room: string, reader: Reader, piece: ReadPiece, create: boolean): Promise<ReadResult> {
    const { readStore, seen, emptyRoomTtlMs } = this.#options;
    gatherWrites(readStore.shardOf(roomLogKey(room)));
    const args = [
      reader === 'node' ? '' : reader.userId,
      isPrivateRoomId(room) ? '1' : '0',
      ...seen.scriptArguments(room),
      create ? emptyRoomTtlMs : 0,
      ...pieceArguments(piece),
    ];
    let reply: unknown;
    try {
      reply = await runScript(readStore, readScript, roomKeys(room), args);
    } catch (error) {
      throw unavailable(error);
    }
    if ((reply as unknown[])[0] === 'deleted') {
      seen.forget(room);
      throw new RoomDeleted();
    }
    const result = toReadResult(reply as unknown[]);
    seen.note(room, result.epoch, result.head);
    return result;
  }

  #semaphoreOf(room: string): Semaphore | undefined {
    const shard = this.#options.readStore.shardOf(roomLogKey(room));
    if (shard === undefined) return undefined;
    let semaphore = this.#semaphores.get(shard);
    if (semaphore === undefined) {
      semaphore = createSemaphore({
        permits: PAGES_IN_FLIGHT_MAX,
        deadlineMs: this.#options.deadlineMs,
        onTimeout: () => unavailable(new Error('too many reads wait for the store')),
      });
      this.#semaphores.set(shard, semaphore);
    }
    return semaphore;
  }
}

const roomKeys = (room: string): string[] => [
  roomMetaKey(room),
  roomLogKey(room),
  roomRolesKey(room),
  roomLiveChannel(room),
  roomSanctionsKey(room),
  roomOverlayKey(room),
  roomErasedKey(room),
  roomReactionsPrefix(room),
];

function pieceArguments(piece: ReadPiece): Array<string | number> {
  const bounds = [LIMITS.resumeEntriesMax, LIMITS.resumeBytesMax, PAGE_BYTES_MAX];
  switch (piece.mode) {
    case 'none':
      return ['none', 0, '', 0, ...bounds];
    case 'newest':
      return ['newest', 0, '', piece.limit, ...bounds];
    case 'before':
    case 'after':
    case 'appended':
      return [piece.mode, piece.seq, '', piece.limit, ...bounds];
    case 'since':
      return ['since', piece.position.seq, piece.position.epoch, piece.fallbackLimit, ...bounds];
  }
}

/** A `not_found` or `forbidden` reply becomes an error. */
function toReadResult(reply: unknown[]): ReadResult {
  if (reply[0] === 'forbidden') throw noEntry(reply[1] as 'closed' | 'banned', reply[2] as number);
  if (reply[0] !== 'ok') throw new MaruError('not_found', 'there is no such room');
  const [, epoch, base, head, first, role, reason, n, guarded, settings, personal, entries] = reply as [
    string,
    string,
    number,
    number,
    number,
    string,
    string,
    number,
    number,
    Array<string | number>,
    number,
    unknown[],
  ];
  return {
    epoch,
    base,
    head,
    first,
    n,
    role: role === '' ? undefined : (role as Role),
    reason: reason === '' ? undefined : (reason as NotRecoveredReason),
    guarded: guarded === 1,
    personal: personal === 1,
    settings: settings.length === 0 ? undefined : toSettings(settings),
    entries: decodeStoredEntries(entries),
  };
}

function toMessagesResult(reply: unknown[]): MessagesResult {
  const [outcome, second, third] = reply as [string, string, number];
  if (outcome === 'forbidden') throw noEntry(second as 'closed' | 'banned', third);
  if (outcome === 'invalid') throw new MaruError('invalid', 'thread: this message is in a thread itself');
  if (outcome !== 'ok')
    throw new MaruError('not_found', second === 'message' ? 'there is no such message' : 'there is no such room');
  const [, epoch, head, hasMore, hasNewer, entries] = reply as [string, string, number, number, number, unknown[]];
  return { epoch, head, hasMore: hasMore === 1, hasNewer: hasNewer === 1, entries: decodeStoredEntries(entries) };
}

function toSettings([title, topic, readOnly, slowModeS, mutedUntilMs]: Array<string | number>): RoomSettings {
  return {
    title: String(title),
    topic: String(topic),
    readOnly: readOnly !== '',
    slowModeS: Number(slowModeS),
    mutedUntilTs: mutedUntilMs === '' ? undefined : Number(mutedUntilMs),
  };
}
