/** The room log in Redis: one script call for an append, one for a read. See the scripts beside this file. */
import { randomBytes } from 'node:crypto';
import { isPrivateRoomId, LIMITS, MaruError, type NotRecoveredReason, type Role } from '@maru/protocol';
import { isNoScript, loadScript, runScript } from '@maru/service-kit';
import type { Redis } from 'ioredis';
import { roomIdsKey, roomLiveChannel, roomLogKey, roomMetaKey, roomRolesKey, waitProbeKey } from '../keys.ts';
import { createGate } from '../limits/gate.ts';
import { createBatchLane } from './batch-lane.ts';
import type { AppendRequest, AppendResult, Reader, ReadPiece, ReadResult, RoomLog, StoredEntry } from './room-log.ts';
import type { SeenPositions } from './seen-positions.ts';
import { encodeMessage } from './wire-entry.ts';

const life = new URL('./room-life.lua', import.meta.url);
export const appendScript = loadScript(new URL('./append-message.lua', import.meta.url), life);
export const readScript = loadScript(new URL('./read-room.lua', import.meta.url), life);

/** Appends that share a round trip at most, and appends that wait at most (16 KiB each: 160 MB at the very worst). */
const BATCH_MAX = 256;
const DEPTH_MAX = 10_000;

/**
 * Size of the encoded text. Any text of 4,000 code points fits; one padded with white space that JSON has to escape does not.
 */
const TAIL_BYTES_MAX = 32_768;
/** Bytes of one page of a log: a read must not hold up the store, nor an answer the connection. */
const PAGE_BYTES_MAX = 1_048_576;
/**
 * Pages that this node reads at once. The largest take the store some 10 ms each, in which it does nothing else; thousands of small ones, as when
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
  /** A connection of its own: order on it is the order of the log. It must have no deadline of its own. */
  appendRedis: Redis;
  readRedis: Redis;
  seen: SeenPositions;
  retention: Retention;
  deadlineMs: number;
  /** An append counts as stored once so many replicas have it; 0 asks none. */
  waitReplicas: number;
  /** The store answered, but would not store: it is full, read-only, loading. */
  onRefused: (reason: string) => void;
  now: () => number;
}): RoomLog {
  const { appendRedis, readRedis, seen, retention } = options;
  const nextCandidate = createCandidates();
  // A store that was started anew has forgotten the script, and the first batch would find out in the middle.
  appendRedis.on('ready', () => {
    appendRedis.script('LOAD', appendScript.source).catch(() => {
      // Then the first batch finds out after all, which is safe.
    });
  });

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

  const sendAppends = async (appends: Append[]): Promise<Array<AppendResult | Error>> => {
    if (appendRedis.status !== 'ready') throw unavailable(new Error(`the connection is ${appendRedis.status}`));
    const results = await evalInOrder(appends);
    // One question for the whole batch, on the connection that wrote it: WAIT is about what was written there.
    if (options.waitReplicas > 0) {
      // It asks how far the replicas are with this connection's own writes; where a batch found only what had been stored before, perhaps
      // on another connection, a write is made for it to wait for.
      if (!results.some(isStored)) await appendRedis.set(waitProbeKey(), '1', 'PX', options.deadlineMs);
      const reached = await appendRedis.wait(options.waitReplicas, options.deadlineMs);
      // It is stored on the primary, and may yet be lost with it: unknown, so the client sends it again.
      if (reached < options.waitReplicas) throw unavailable(new Error(`only ${reached} replicas have it`));
    }
    return results.map((result, index) => {
      if (result instanceof Error) {
        options.onRefused(result.message);
        return unavailable(result);
      }
      return toAppendResult(result as unknown[], (appends[index] as Append).request.room, seen);
    });
  };

  /**
   * Runs the batch. Where the store had forgotten the script from some item on, loads it and runs those again in their order. Where it
   * learnt it again in the middle (another node was faster), those before would now come after: they are refused instead.
   */
  const evalInOrder = async (appends: Append[]): Promise<unknown[]> => {
    const pipeline = appendRedis.pipeline();
    for (const append of appends)
      pipeline.evalsha(appendScript.sha1, appendScript.keys.length, ...appendArguments(append));
    const replies = (await pipeline.exec()) ?? [];
    const results: unknown[] = appends.map((_, index) => {
      const [error, value] = replies[index] ?? [new Error('no reply'), undefined];
      return error ?? value;
    });
    const first = results.findIndex(isNoScript);
    if (first < 0) return results;
    await appendRedis.script('LOAD', appendScript.source);
    if (!results.slice(first).every(isNoScript)) return results;
    return [...results.slice(0, first), ...(await evalInOrder(appends.slice(first)))];
  };

  const pages = createGate({
    atOnceMax: PAGES_AT_ONCE,
    waitMaxMs: options.deadlineMs,
    onTimeout: () => unavailable(new Error('too many reads wait for the store')),
  });

  const lane = createBatchLane<Append, AppendResult>({
    // Whatever the connection says of itself, to a client it means the same: unknown, and safe to send again.
    send: (appends) =>
      sendAppends(appends).catch((error: unknown) => {
        throw unavailable(error);
      }),
    batchMax: BATCH_MAX,
    depthMax: DEPTH_MAX,
    deadlineMs: options.deadlineMs,
    onExpired: () => unavailable(new Error('the store did not answer in time')),
    onOverflow: () => unavailable(new Error('too many messages wait for the store')),
    onStuck: () => appendRedis.disconnect(true),
    now: options.now,
  });

  return {
    async append(request) {
      if (appendRedis.status !== 'ready') throw unavailable(new Error(`the connection is ${appendRedis.status}`));
      const { head, tail } = encodeMessage(request);
      if (Buffer.byteLength(tail) > TAIL_BYTES_MAX) throw new MaruError('too_large', 'text: is too large in JSON');
      return lane.submit({ request, head, tail });
    },

    read(room, reader, piece, readOptions) {
      // Looks at the state, and what delivery itself needs, are small or rare; pages that users ask for share a few places.
      const isPage = piece.mode === 'since' || (piece.mode !== 'none' && reader !== 'node');
      const work = () => readNow(room, reader, piece, readOptions?.create === true);
      return isPage ? pages.run(work) : work();
    },
  };

  async function readNow(room: string, reader: Reader, piece: ReadPiece, create: boolean): Promise<ReadResult> {
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
      reply = await runScript(readRedis, readScript, keys, args);
    } catch (error) {
      throw unavailable(error);
    }
    return toReadResult(reply as unknown[], room, seen);
  }
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
