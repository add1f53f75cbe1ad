/** The append side of the room log in Redis: batches of messages and acts, in order. */

import { MaruError } from '@maru/protocol';
import { isNoScript, type RedisStore, type Shard } from '@maru/redis-store';
import type { Redis } from 'ioredis';
import { roomLogKey, waitProbeKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import {
  type AnyRequest,
  type AnyResult,
  type Append,
  actScript,
  appendScript,
  callOf,
  encodeAct,
  encodeMessage,
  resultOf,
} from './append-calls.ts';
import { Batcher, SEND_AGAIN } from './batcher.ts';
import type { Call } from './call.ts';
import { type AnyChange, changeScript, encodeChange } from './change-calls.ts';
import type { HotChangeResult } from './hot-log.ts';
import type { ActRequest, ActResult, AppendRequest, AppendResult } from './room-log.ts';
import type { SeenPositions } from './seen-positions.ts';
import { type Retention, TRIM_BATCH, TRIM_EVERY, trimCallOf, trimScript } from './trim.ts';

export type { Retention };

/**
 * Appends in a batch, and appends that wait. At 16 KiB of text each, waiting appends take at most
 * 160 MB.
 */
const BATCH_MAX = 256;
const DEPTH_MAX = 10_000;
/**
 * Batches in flight to one shard. With `appendfsync always`, batches that arrive during a flush
 * share the next flush. More batches in flight only make them smaller. With `WAIT` it is one,
 * because `WAIT` blocks the connection, and several in a row would look like a silent connection.
 */
const BATCHES_IN_FLIGHT_MAX = 4;
/**
 * Bytes of the encoded text. Any text of 4,000 code points fits, unless JSON must escape its
 * padding. Mentions of 50 users come on top.
 */
const TEXT_BYTES_MAX = 32_768;
const MENTIONS_BYTES_MAX = 20_480;

/** Maximum trim calls for a room that grew while the archive was down. */
const TRIM_CALLS_MAX = 8;

export interface RedisAppendOptions {
  /**
   * Only appends may use this store, because the order of commands on its connections is the order
   * of the logs. It MUST NOT have a deadline of its own.
   */
  appendStore: RedisStore;
  seen: SeenPositions;
  retention: Retention;
  deadlineMs: number;
  /** Replicas that must have an append before it is acknowledged; 0 waits for none. */
  waitReplicas: number;
  /** Redis answered with an error: it is full, read-only or loading. */
  onRefused: (reason: string) => void;
  /** These appends are about to share a round trip. */
  onBatch?: (size: number, appends: ReadonlyArray<{ request: AnyRequest }>) => void;
  /** The room has a new entry. */
  onStored?: (room: string) => void;
  now: () => number;
}

export class RedisAppender {
  readonly #options: RedisAppendOptions;
  readonly #store: RedisStore;
  readonly #batcher: Batcher<Append, AnyResult, Shard>;

  constructor(options: RedisAppendOptions) {
    this.#options = options;
    this.#store = options.appendStore;
    // A restarted server or a promoted replica does not know the script.
    this.#store.onShard((shard) => shard.redis.on('ready', () => void loadScripts(shard)));
    this.#batcher = new Batcher({
      groupOf: ({ request }) => this.#store.slotOf(roomLogKey(request.room)),
      destinationOf: this.#store.ownerOf,
      // Every connection error means the same to a client: the outcome is unknown, and a retry is
      // safe.
      send: (appends, shard) =>
        this.#sendBatch(appends, shard).catch((error: unknown) => {
          throw unavailable(error);
        }),
      batchMax: BATCH_MAX,
      batchesInFlightMax: options.waitReplicas > 0 ? 1 : BATCHES_IN_FLIGHT_MAX,
      depthMax: DEPTH_MAX,
      deadlineMs: options.deadlineMs,
      onExpired: () => unavailable(new Error('the store did not answer in time')),
      onOverflow: () => unavailable(new Error('too many messages wait for the store')),
      onOvertaken: () => unavailable(new Error('a later message of the room was stored before it')),
      now: options.now,
    });
  }

  append(request: AppendRequest): Promise<AppendResult> {
    return this.#submit(encodeMessage(request)) as Promise<AppendResult>;
  }

  act(request: ActRequest): Promise<ActResult> {
    return this.#submit(encodeAct(request)) as Promise<ActResult>;
  }

  change(request: AnyChange): Promise<HotChangeResult> {
    return this.#submit(encodeChange(request)) as Promise<HotChangeResult>;
  }

  #submit(append: Append): Promise<AnyResult> {
    const status = this.#store.shardOf(roomLogKey(append.request.room))?.redis.status;
    if (status !== 'ready')
      return Promise.reject(unavailable(new Error(`the connection is ${status ?? 'not known yet'}`)));
    if (Buffer.byteLength(append.tail) > tailBytesMaxOf(append))
      return Promise.reject(new MaruError('too_large', 'text: is too large in JSON'));
    return this.#batcher.submit(append);
  }

  async #sendBatch(appends: Append[], shard: Shard): Promise<Array<AnyResult | Error | typeof SEND_AGAIN>> {
    const { redis } = shard;
    if (redis.status !== 'ready') throw unavailable(new Error(`the connection is ${redis.status}`));
    this.#options.onBatch?.(appends.length, appends);
    const { seen } = this.#options;
    const replies = await callScripts(
      redis,
      appends.map((append) => callOf(append, seen)),
    );
    if (replies.some(isNoScript)) await loadScripts(shard);
    if (this.#options.waitReplicas > 0 && replies.some((reply) => !(reply instanceof Error)))
      await this.#awaitReplicas(shard, replies);
    return replies.map((reply, index) => {
      // The script did not run: the server does not know it, or the room's slot moved to another
      // shard.
      if (isNoScript(reply) || this.#store.noteRedirection(reply, shard)) return SEND_AGAIN;
      if (reply instanceof Error) {
        this.#options.onRefused(reply.message);
        return unavailable(reply);
      }
      const append = appends[index] as Append;
      const result = resultOf(append, reply as unknown[], seen);
      if ('seq' in result && result.outcome === 'stored') this.#noteStored(append.request.room, result.seq, redis);
      return result;
    });
  }

  /** Does not delay the acknowledgement. */
  #noteStored(room: string, seq: number, redis: Redis): void {
    this.#options.onStored?.(room);
    if (seq % TRIM_EVERY === 0) void this.#trim(room, redis);
  }

  /** If it fails, a later append tries again. */
  async #trim(room: string, redis: Redis): Promise<void> {
    const { script, args } = trimCallOf(room, this.#options.retention);
    for (let calls = 0; calls < TRIM_CALLS_MAX; calls++) {
      const removed = await redis.evalsha(script.sha1, script.keys.length, ...args).catch((error: unknown) => {
        if (isNoScript(error)) void redis.script('LOAD', script.source).catch(() => {});
      });
      if (removed !== TRIM_BATCH) return;
    }
  }

  /**
   * One `WAIT` for the whole batch, on the connection that wrote it: `WAIT` covers the writes of
   * its own connection only.
   */
  async #awaitReplicas(shard: Shard, replies: unknown[]): Promise<void> {
    const { redis } = shard;
    const { waitReplicas, deadlineMs, onRefused } = this.#options;
    // If the batch found only duplicates, another connection may have written them. A write of our
    // own gives WAIT a position.
    if (!replies.some(isStored)) {
      const tag = this.#store.tagOn(shard);
      if (tag === undefined) throw unavailable(new Error('the shard no longer has slots'));
      await redis.set(waitProbeKey(tag), '1', 'PX', deadlineMs);
    }
    const reached = await redis.wait(waitReplicas, deadlineMs);
    // The primary has stored it, but a failover may lose it. The outcome is unknown, so the client
    // sends it again.
    if (reached < waitReplicas) {
      onRefused('too few replicas have the written data');
      throw unavailable(new Error(`only ${reached} replicas have the entry`));
    }
  }
}

const tailBytesMaxOf = ({ request }: Append): number =>
  'change' in request && 'mentions' in request.change && request.change.mentions !== undefined
    ? TEXT_BYTES_MAX + MENTIONS_BYTES_MAX
    : TEXT_BYTES_MAX;

async function loadScripts({ redis }: Shard): Promise<void> {
  const loads = [appendScript, actScript, changeScript, trimScript].map(({ source }) => redis.script('LOAD', source));
  await Promise.all(loads).catch(() => {
    // The next batch then gets NOSCRIPT, which is safe.
  });
}

/** Sends all calls in one round trip, in order. Returns a reply or an error for each. */
async function callScripts(redis: Redis, calls: Call[]): Promise<unknown[]> {
  const [first] = calls;
  // A single call, the common case in quiet rooms, is cheaper without a pipeline.
  if (first !== undefined && calls.length === 1) {
    const { script, args } = first;
    return [await redis.evalsha(script.sha1, script.keys.length, ...args).catch((error: unknown) => error)];
  }
  const pipeline = redis.pipeline();
  for (const { script, args } of calls) pipeline.evalsha(script.sha1, script.keys.length, ...args);
  const answers = (await pipeline.exec()) ?? [];
  return calls.map((_, index) => {
    const [error, value] = answers[index] ?? [new Error('no reply'), undefined];
    return error ?? value;
  });
}

const isStored = (reply: unknown): boolean => Array.isArray(reply) && reply[0] === 'stored';
