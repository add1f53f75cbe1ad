/** The read side of the room log in Redis: one call of `read-room.lua` for each read. */
import { isPrivateRoomId, LIMITS } from '@maru/protocol';
import { gatherWrites, loadScript, type RedisStore, runScript, type Script, type Shard } from '@maru/redis-store';
import {
  roomErasedKey,
  roomLateKey,
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
import { type HotMessages, type HotRead, type LateState, type LateWanted, PAGE_BYTES_MAX } from './hot-log.ts';
import { toHotMessages, toHotRead, toLateState } from './read-replies.ts';
import { type MessagesPiece, type Reader, type ReadPiece, RoomDeleted } from './room-log.ts';
import type { SeenPositions } from './seen-positions.ts';
import { createSemaphore, type Semaphore } from './semaphore.ts';

const LIBRARIES = [
  './room-epoch.lua',
  './room-entry.lua',
  './room-guard.lua',
  './room-overlay.lua',
  './late-changes.lua',
].map((file) => new URL(file, import.meta.url));
export const readScript = loadScript(new URL('./read-room.lua', import.meta.url), ...LIBRARIES);
const readMessagesScript = loadScript(new URL('./read-messages.lua', import.meta.url), ...LIBRARIES);
const readLateScript = loadScript(new URL('./read-late.lua', import.meta.url), ...LIBRARIES);

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

interface HotReadOptions {
  create?: boolean;
  late?: LateWanted;
}

export class RedisReader {
  readonly #options: RedisReadOptions;
  /** One for each shard, so a shard that hangs does not delay the pages of others. */
  readonly #semaphores = new WeakMap<Shard, Semaphore>();

  constructor(options: RedisReadOptions) {
    this.#options = options;
  }

  read(room: string, reader: Reader, piece: ReadPiece, options: HotReadOptions = {}): Promise<HotRead> {
    const work = () => this.#readNow(room, reader, piece, options);
    // Reads of the state and delivery's own reads are small or rare. Pages for users are limited.
    const isPage = piece.mode === 'since' || (piece.mode !== 'none' && reader !== 'node');
    return isPage ? (this.#semaphoreOf(room)?.run(work) ?? work()) : work();
  }

  readMessages(room: string, userId: string, piece: MessagesPiece, late?: LateWanted): Promise<HotMessages> {
    const work = () => this.#readMessagesNow(room, userId, piece, late);
    return this.#semaphoreOf(room)?.run(work) ?? work();
  }

  async readLate(room: string, seq: number, after: number): Promise<LateState> {
    const keys = [
      roomMetaKey(room),
      roomLogKey(room),
      roomLiveChannel(room),
      roomOverlayKey(room),
      roomErasedKey(room),
      roomLateKey(room),
    ];
    const args = [...this.#options.seen.scriptArguments(room), seq, after];
    return this.#noted(room, toLateState(await this.#run(room, readLateScript, keys, args)));
  }

  async #readMessagesNow(
    room: string,
    userId: string,
    piece: MessagesPiece,
    late: LateWanted | undefined,
  ): Promise<HotMessages> {
    const keys = [...roomKeys(room), roomRepliesPrefix(room), roomPinsKey(room), roomLateKey(room)];
    const { mode, seq, limit, thread, pinned } = piece;
    const args = [
      userId,
      isPrivateRoomId(room) ? '1' : '0',
      ...this.#options.seen.scriptArguments(room),
      ...[mode, seq, limit, thread ?? 0, pinned ? '1' : '0', PAGE_BYTES_MAX, lateArgument(late)],
    ];
    return this.#noted(room, toHotMessages(await this.#run(room, readMessagesScript, keys, args)));
  }

  async #readNow(room: string, reader: Reader, piece: ReadPiece, { create, late }: HotReadOptions): Promise<HotRead> {
    const { seen, emptyRoomTtlMs } = this.#options;
    const args = [
      reader === 'node' ? '' : reader.userId,
      isPrivateRoomId(room) ? '1' : '0',
      ...seen.scriptArguments(room),
      create === true ? emptyRoomTtlMs : 0,
      ...pieceArguments(piece),
      lateArgument(late),
    ];
    const keys = [...roomKeys(room), roomLateKey(room)];
    return this.#noted(room, toHotRead(await this.#run(room, readScript, keys, args)));
  }

  async #run(room: string, script: Script, keys: string[], args: Array<string | number>): Promise<unknown[]> {
    const { readStore, seen } = this.#options;
    gatherWrites(readStore.shardOf(roomLogKey(room)));
    let reply: unknown[];
    try {
      reply = (await runScript(readStore, script, keys, args)) as unknown[];
    } catch (error) {
      throw unavailable(error);
    }
    if (reply[0] === 'deleted') {
      seen.forget(room);
      throw new RoomDeleted();
    }
    return reply;
  }

  #noted<T extends { epoch: string; head: number }>(room: string, result: T): T {
    this.#options.seen.note(room, result.epoch, result.head);
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

const lateArgument = (late: LateWanted | undefined): string => (late === undefined ? '' : JSON.stringify(late));

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
