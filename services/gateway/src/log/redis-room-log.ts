/** The room log in Redis: one script call for an append, one for a read. See the scripts beside this file. */
import { randomBytes } from 'node:crypto';
import { isPrivateRoomId, LIMITS, MaruError, type NotRecoveredReason, type Role } from '@maru/protocol';
import { gatherWrites, isNoScript, loadScript, type RedisStore, runScript, type Shard } from '@maru/redis-store';
import type { Redis } from 'ioredis';
import { roomIdsKey, roomLiveChannel, roomLogKey, roomMetaKey, roomRolesKey, waitProbeKey } from '../keys.ts';
import { createSemaphore, type Semaphore } from '../limits/semaphore.ts';
import { createBatcher, SEND_AGAIN } from './batcher.ts';
import { encodeMessage } from './entry-codec.ts';
import type { AppendRequest, AppendResult, Reader, ReadPiece, ReadResult, RoomLog, StoredEntry } from './room-log.ts';
import type { SeenPositions } from './seen-positions.ts';

const life = new URL('./room-epoch.lua', import.meta.url);
export const appendScript = loadScript(new URL('./append-entry.lua', import.meta.url), life);
export const readScript = loadScript(new URL('./read-room.lua', import.meta.url), life);

/** Appends that share a round trip at most, and appends that wait at most (16 KiB each: 160 MB at the very worst). */
const BATCH_MAX = 256;
const DEPTH_MAX = 10_000;
/**
 * Batches under way to one shard. With `appendfsync always` what comes while one is being flushed shares the next flush, rather than wait
 * for the answer first; more at once only make the batches smaller. Where replicas are waited for it is one: `WAIT` holds up what is behind it on
 * the connection, and several in a row would pass for a connection that is stuck.
 */
const BATCHES_AT_ONCE = 4;

/**
 * Size of the encoded text. Any text of 4,000 code points fits; one padded with white space that JSON has to escape does not.
 */
const TAIL_BYTES_MAX = 32_768;
/** Bytes of one page of a log: a read must not hold up the store, nor an answer the connection. */
const PAGE_BYTES_MAX = 1_048_576;
/**
 * Pages that this node reads from one shard at once. The largest take the store some 10 ms each, in which it does nothing else; thousands of small ones, as when
 * everybody joins at once, still pass in a fraction of the deadline.
 */
const PAGES_AT_ONCE = 16;

interface Append {
  request: AppendRequest;
  head: string;
  tail: string;
}

export interface Retention {
  entriesMin: number;
  entriesMax: number;
  ageMs: number;
  /** A public room that was joined but never written to is forgotten after so long. */
  emptyRoomTtlMs: number;
}

export function createRedisRoomLog(options: {
  /** Connections of its own: order on them is the order of the logs. They must have no deadline of their own. */
  appendStore: RedisStore;
  readStore: RedisStore;
  seen: SeenPositions;
  retention: Retention;
  deadlineMs: number;
  /** An append counts as stored once so many replicas have it; 0 asks none. */
  waitReplicas: number;
  /** The store answered, but would not store: it is full, read-only, loading. */
  onRefused: (reason: string) => void;
  /** These are about to share a round trip. */
  onBatch?: (appends: ReadonlyArray<{ request: AppendRequest }>) => void;
  now: () => number;
}): RoomLog {
  const { appendStore, readStore, seen, retention } = options;
  const nextCandidate = createCandidates();
  const loadAppend = async ({ redis }: Shard) => {
    await redis.script('LOAD', appendScript.source).catch(() => {
      // Then the next batch finds out, which is safe.
    });
  };
  // A store that was started anew, or was a replica until now, does not know the script, and the first batch would find out in the middle.
  appendStore.onShard((shard) => shard.redis.on('ready', () => void loadAppend(shard)));

  const appendArguments = ({ request, head, tail }: Append): Array<string | number> => {
    const { room } = request;
    const position = seen.get(room);
    return [
      roomMetaKey(room),
      roomLogKey(room),
      roomIdsKey(room),
      roomRolesKey(room),
      roomLiveChannel(room),
      request.userId,
      request.clientMsgId,
      head,
      tail,
      position?.epoch ?? '',
      position?.seq ?? 0,
      nextCandidate(),
      request.mayStore ? '1' : '0',
      isPrivateRoomId(room) ? '1' : '0',
      retention.entriesMin,
      retention.entriesMax,
      retention.ageMs,
    ];
  };

  const sendAppends = async (
    appends: Append[],
    shard: Shard,
  ): Promise<Array<AppendResult | Error | typeof SEND_AGAIN>> => {
    const { redis } = shard;
    if (redis.status !== 'ready') throw unavailable(new Error(`the connection is ${redis.status}`));
    options.onBatch?.(appends);
    const replies = await callScript(redis, appends.map(appendArguments));
    if (replies.some(isNoScript)) await loadAppend(shard);
    if (options.waitReplicas > 0 && replies.some((reply) => !(reply instanceof Error)))
      await awaitReplicas(shard, replies);
    return replies.map((reply, index) => {
      // The store has not run it: it forgot the script, or the room is on its way to another shard, or there already.
      if (isNoScript(reply) || appendStore.noteRedirection(reply, shard)) return SEND_AGAIN;
      if (reply instanceof Error) {
        options.onRefused(reply.message);
        return unavailable(reply);
      }
      return toAppendResult(reply as unknown[], (appends[index] as Append).request.room, seen);
    });
  };

  /** One question for the whole batch, on the connection that wrote it: WAIT is about what was written there. */
  const awaitReplicas = async (shard: Shard, replies: unknown[]) => {
    const { redis } = shard;
    // It asks how far the replicas are with this connection's own writes; where a batch found only what had been stored before, perhaps
    // on another connection, a write is made for it to wait for.
    if (!replies.some(isStored)) {
      const tag = appendStore.tagOn(shard);
      if (tag === undefined) throw unavailable(new Error('the shard has no slots any more'));
      await redis.set(waitProbeKey(tag), '1', 'PX', options.deadlineMs);
    }
    const reached = await redis.wait(options.waitReplicas, options.deadlineMs);
    // It is stored on the primary, and may yet be lost with it: unknown, so the client sends it again.
    if (reached < options.waitReplicas) {
      options.onRefused('too few replicas have what is written');
      throw unavailable(new Error(`only ${reached} replicas have it`));
    }
  };

  /** A shard that hangs must not keep the pages of the others waiting. */
  const gates = new WeakMap<Shard, Semaphore>();
  const pagesOf = (room: string): Semaphore | undefined => {
    const shard = readStore.shardOf(roomLogKey(room));
    if (shard === undefined) return undefined;
    let gate = gates.get(shard);
    if (gate === undefined) {
      gate = createSemaphore({
        atOnceMax: PAGES_AT_ONCE,
        deadlineMs: options.deadlineMs,
        onTimeout: () => unavailable(new Error('too many reads wait for the store')),
      });
      gates.set(shard, gate);
    }
    return gate;
  };

  const lane = createBatcher<Append, AppendResult, Shard>({
    groupOf: ({ request }) => appendStore.slotOf(roomLogKey(request.room)),
    destinationOf: appendStore.holderOf,
    // Whatever the connection says of itself, to a client it means the same: unknown, and safe to send again.
    send: (appends, shard) =>
      sendAppends(appends, shard).catch((error: unknown) => {
        throw unavailable(error);
      }),
    batchMax: BATCH_MAX,
    batchesAtOnceMax: options.waitReplicas > 0 ? 1 : BATCHES_AT_ONCE,
    depthMax: DEPTH_MAX,
    deadlineMs: options.deadlineMs,
    onExpired: () => unavailable(new Error('the store did not answer in time')),
    onOverflow: () => unavailable(new Error('too many messages wait for the store')),
    onOvertaken: () => unavailable(new Error('a later message of the room was stored before it')),
    onStuck: ({ redis }) => redis.disconnect(true),
    now: options.now,
  });

  return {
    append(request) {
      const status = appendStore.shardOf(roomLogKey(request.room))?.redis.status;
      if (status !== 'ready')
        return Promise.reject(unavailable(new Error(`the connection is ${status ?? 'not known yet'}`)));
      const { head, tail } = encodeMessage(request);
      if (Buffer.byteLength(tail) > TAIL_BYTES_MAX)
        return Promise.reject(new MaruError('too_large', 'text: is too large in JSON'));
      return lane.submit({ request, head, tail });
    },

    read(room, reader, piece, readOptions) {
      // Looks at the state, and what delivery itself needs, are small or rare; pages that users ask for share a few places.
      const isPage = piece.mode === 'since' || (piece.mode !== 'none' && reader !== 'node');
      const work = () => readNow(room, reader, piece, readOptions?.create === true);
      return isPage ? (pagesOf(room)?.run(work) ?? work()) : work();
    },
  };

  async function readNow(room: string, reader: Reader, piece: ReadPiece, create: boolean): Promise<ReadResult> {
    gatherWrites(readStore.shardOf(roomLogKey(room)));
    const position = seen.get(room);
    const ttlMs = create ? retention.emptyRoomTtlMs : 0;
    const keys = [roomMetaKey(room), roomLogKey(room), roomRolesKey(room), roomLiveChannel(room)];
    const args = [
      reader === 'node' ? '' : reader.userId,
      isPrivateRoomId(room) ? '1' : '0',
      position?.epoch ?? '',
      position?.seq ?? 0,
      nextCandidate(),
      ttlMs,
      ...pieceArguments(piece),
    ];
    let reply: unknown;
    try {
      reply = await runScript(readStore, readScript, keys, args);
    } catch (error) {
      throw unavailable(error);
    }
    return toReadResult(reply as unknown[], room, seen);
  }
}

/** One round trip for all calls of the append script, in order: its reply or its error for each. */
async function callScript(redis: Redis, calls: Array<Array<string | number>>): Promise<unknown[]> {
  const { sha1, keys } = appendScript;
  const [first] = calls;
  // One alone, as mostly where little is said, costs less without a pipeline.
  if (first !== undefined && calls.length === 1)
    return [await redis.evalsha(sha1, keys.length, ...first).catch((error: unknown) => error)];
  const pipeline = redis.pipeline();
  for (const call of calls) pipeline.evalsha(sha1, keys.length, ...call);
  const answers = (await pipeline.exec()) ?? [];
  return calls.map((_, index) => {
    const [error, value] = answers[index] ?? [new Error('no reply'), undefined];
    return error ?? value;
  });
}

/** Random parts of epochs: one process never makes the same twice, and two hardly ever do. At most 20 characters. */
function createCandidates(): () => string {
  const processPart = randomBytes(6).toString('hex');
  let count = 0;
  return () => processPart + (count++).toString(36);
}

function pieceArguments(piece: ReadPiece): Array<string | number> {
  const holes = [LIMITS.resumeEntriesMax, LIMITS.resumeBytesMax, PAGE_BYTES_MAX];
  switch (piece.mode) {
    case 'none':
      return ['none', 0, '', 0, ...holes];
    case 'newest':
      return ['newest', 0, '', piece.limit, ...holes];
    case 'before':
    case 'after':
      return [piece.mode, piece.seq, '', piece.limit, ...holes];
    case 'since':
      return ['since', piece.position.seq, piece.position.epoch, piece.fallbackLimit, ...holes];
  }
}

const isStored = (reply: unknown): boolean => Array.isArray(reply) && reply[0] === 'stored';

function toAppendResult(reply: unknown[], room: string, seen: SeenPositions): AppendResult | Error {
  const [outcome, epoch, seq, ts] = reply as [string, string, number, number];
  switch (outcome) {
    case 'stored':
    case 'duplicate':
      seen.note(room, epoch, seq);
      return { outcome, epoch, seq, ts };
    case 'conflict':
    case 'refused':
      return { outcome };
    default:
      return new MaruError('not_found', 'there is no such room');
  }
}

function toReadResult(reply: unknown[], room: string, seen: SeenPositions): ReadResult {
  if (reply[0] !== 'ok') throw new MaruError('not_found', 'there is no such room');
  const [, epoch, base, head, first, role, reason, flat] = reply as [
    string,
    string,
    number,
    number,
    number,
    string,
    string,
    unknown[],
  ];
  seen.note(room, epoch, head);
  const entries: StoredEntry[] = [];
  for (let i = 0; i < flat.length; i += 4) {
    const [seq, ts, entryHead, tail] = flat.slice(i, i + 4) as [number, number, string, string];
    entries.push({ seq, ts, head: entryHead, tail });
  }
  return {
    epoch,
    base,
    head,
    first,
    role: role === '' ? undefined : (role as Role),
    reason: reason === '' ? undefined : (reason as NotRecoveredReason),
    entries,
  };
}

/** Whatever the store's trouble is (refused, hung, full, read-only, loading), a client may try again. */
export function unavailable(cause: unknown): MaruError {
  if (cause instanceof MaruError) return cause;
  return new MaruError('unavailable', 'the store cannot take it now', { retryAfterMs: 500, cause });
}
