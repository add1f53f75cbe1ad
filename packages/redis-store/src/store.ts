/**
 * Redis as a store of keys: one server, the shards of a Redis Cluster, or the one shard whose
 * primary Sentinels name (`docs/decisions/0011-…`). The rest of the system sees only this file's
 * interfaces.
 *
 * A store sends a command to the shard of its key. It never repeats a command that may have taken
 * effect: only the caller knows whether that is safe. Every call has a deadline, and fails at once
 * while no server is available. A caller that subscribes, or depends on the order of its commands,
 * MUST use the connection of one shard and follow the slots itself (`onShard`, `onMove`).
 *
 * The store owns its connections. It reconnects them, also when one is silent (`watchdog.ts`), and
 * ends a connection when the primary no longer owns a slot.
 */
import type { Redis } from 'ioredis';
import { isSilent, isUsable } from './watchdog.ts';

/** The connection to the primary of one shard. It ends when the primary no longer owns a slot. */
export interface Shard {
  /** The address of the primary. '' if the store is one server. */
  readonly name: string;
  readonly redis: Redis;
}

export interface RedisStore {
  /**
   * Runs one command on the shard of `key`. A redirected command did not take effect: the store
   * sends it to the new owner until the deadline. Rejects on any other failure without a retry, and
   * at once while the key has no known owner.
   */
  at<T>(key: string, command: (redis: Redis) => Promise<T>): Promise<T>;
  /** Keys of one slot are always on one shard. One server has a single slot. */
  slotOf(key: string): number;
  /** The shard that owns the slot. Undefined while none is known. */
  ownerOf(slot: number): Shard | undefined;
  /** The shard that owns the key. Undefined while none is known. */
  shardOf(key: string): Shard | undefined;
  readonly shards: readonly Shard[];
  /** Every slot has an owner, and every connection is usable. */
  readonly ready: boolean;
  /** A connection does not answer, so commands on it fail at their deadline. */
  readonly silent: boolean;
  /** Resolves with true when ready, or with false after `waitMs`. */
  untilReady(waitMs: number): Promise<boolean>;
  /** A hash tag whose keys are on the shard now: `prefix:{tag}`. Undefined if it owns no slot. */
  tagOn(shard: Shard): string | undefined;
  /** Runs `callback` for every existing shard now, and for every new shard later. */
  onShard(callback: (shard: Shard) => void): void;
  /** Runs `callback` after a slot changed its owner. */
  onMove(callback: () => void): void;
  /**
   * Parses a redirection from a failed command's error. True if the command did not take effect,
   * and belongs to another shard or must be repeated later.
   */
  noteRedirection(error: unknown, shard: Shard): boolean;
  /** Waits at most one second for commands in flight. */
  close(): Promise<void>;
}

const READY_POLL_MS = 25;
const QUIT_TIMEOUT_MS = 1_000;

/** A store on one connection. */
export function singleStore(redis: Redis): RedisStore {
  const shard: Shard = { name: '', redis };
  const store: RedisStore = {
    at: (_, command) => command(redis),
    slotOf: () => 0,
    ownerOf: () => shard,
    shardOf: () => shard,
    shards: [shard],
    get ready() {
      return isUsable(redis);
    },
    get silent() {
      return isSilent(redis);
    },
    untilReady: (waitMs) => pollReady(store, waitMs),
    tagOn: () => 'all',
    onShard: (callback) => callback(shard),
    onMove: () => {},
    noteRedirection: () => false,
    close: () => quit(redis),
  };
  return store;
}

/**
 * Sends the commands of this event loop turn to the shard in one write. So when many connections
 * join at once, their reads take one round trip.
 */
export function gatherWrites(shard: Shard | undefined): void {
  const stream = shard?.redis.stream;
  // Undefined while the connection is down.
  if (!stream || stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}

export async function pollReady(store: RedisStore, waitMs: number): Promise<boolean> {
  for (let waitedMs = 0; !store.ready; waitedMs += READY_POLL_MS) {
    if (waitedMs >= waitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  return true;
}

export async function quit(redis: Redis): Promise<void> {
  const done = redis.status === 'ready' ? redis.quit().catch(() => {}) : undefined;
  const timeout = new Promise((resolve) => setTimeout(resolve, QUIT_TIMEOUT_MS).unref());
  await Promise.race([done, timeout]);
  redis.disconnect();
}
