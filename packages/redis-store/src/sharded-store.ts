/** A store that follows a topology: one connection for each primary. */
import keySlot from 'cluster-key-slot';
import type { Redis } from 'ioredis';
import { SLOTS } from './slot-table.ts';
import { pollReady, quit, type RedisStore, type Shard } from './store.ts';
import type { Topology } from './topology.ts';
import { isSilent, isUsable } from './watchdog.ts';

/** Pause before a command is repeated on the same shard. */
const RETRY_MS = 25;
/** With this many attempts, `tagOn` finds one of a hundred slots almost certainly. */
const TAG_ATTEMPTS_MAX = SLOTS / 8;

export interface ShardedStoreOptions {
  topology: Topology;
  connect: (address: string) => Redis;
  /** Deadline of one call over all attempts. Undefined if the caller limits the time itself. */
  deadlineMs: number | undefined;
  now: () => number;
}

export class ShardedStore implements RedisStore {
  readonly #options: ShardedStoreOptions;
  readonly #byName = new Map<string, Shard>();
  readonly #tags = new Map<string, string>();
  readonly #shardListeners: Array<(shard: Shard) => void> = [];
  readonly #moveListeners: Array<() => void> = [];

  #isClosed = false;

  readonly slotOf = keySlot;
  // Bound, because callers pass them on as functions.
  readonly ownerOf = (slot: number): Shard | undefined => this.#byName.get(this.#options.topology.ownerOf(slot) ?? '');
  readonly shardOf = (key: string): Shard | undefined => this.ownerOf(keySlot(key));

  constructor(options: ShardedStoreOptions) {
    this.#options = options;
    options.topology.onChange(() => this.#follow());
    if (options.topology.primaries.size > 0) this.#follow();
  }

  get shards(): readonly Shard[] {
    return [...this.#byName.values()];
  }

  get ready(): boolean {
    return this.#options.topology.isCovered && this.shards.every(({ redis }) => isUsable(redis));
  }

  get silent(): boolean {
    return this.shards.some(({ redis }) => isSilent(redis));
  }

  at<T>(key: string, command: (redis: Redis) => Promise<T>): Promise<T> {
    return within(this.#at(key, command), this.#options.deadlineMs);
  }

  untilReady(waitMs: number): Promise<boolean> {
    return pollReady(this, waitMs);
  }

  tagOn(shard: Shard): string | undefined {
    const known = this.#tags.get(shard.name);
    if (known !== undefined && this.shardOf(known) === shard) return known;
    if (this.#byName.get(shard.name) !== shard) return undefined;
    for (let n = 0; n < TAG_ATTEMPTS_MAX; n++) {
      const tag = String(n);
      if (this.shardOf(tag) !== shard) continue;
      this.#tags.set(shard.name, tag);
      return tag;
    }
    return undefined;
  }

  onShard(callback: (shard: Shard) => void): void {
    this.#shardListeners.push(callback);
    for (const shard of this.#byName.values()) callback(shard);
  }

  onMove(callback: () => void): void {
    this.#moveListeners.push(callback);
  }

  noteRedirection(error: unknown, shard: Shard): boolean {
    const { topology } = this.#options;
    const [code, slot, address] = error instanceof Error ? error.message.split(' ') : [];
    switch (code) {
      case 'MOVED':
        topology.noteMoved(Number(slot), address ?? '', shard.name);
        return true;
      case 'ASK':
      case 'TRYAGAIN':
        // The slot is moving. The final owner answers MOVED later.
        return true;
      case 'CLUSTERDOWN':
        topology.recheck();
        return true;
      default:
        return false;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.shards.map(({ redis }) => quit(redis)));
  }

  async #at<T>(key: string, command: (redis: Redis) => Promise<T>): Promise<T> {
    const { topology, deadlineMs = 0, now } = this.#options;
    const giveUpAt = now() + deadlineMs;
    for (;;) {
      const shard = this.shardOf(key);
      if (shard === undefined) {
        topology.recheck();
        throw new Error('no shard is known to own the key');
      }
      try {
        return await command(shard.redis);
      } catch (error) {
        if (!this.noteRedirection(error, shard) || now() + RETRY_MS >= giveUpAt) throw error;
      }
      // If the key has a new owner, there is no need to wait.
      if (this.shardOf(key) === shard) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Ends the connections to former primaries and opens those to new ones. */
  #follow(): void {
    // The topology continues to run, and must not make a closed store connect again.
    if (this.#isClosed) return;
    const { topology, connect } = this.#options;
    for (const shard of this.#byName.values()) {
      if (topology.primaries.has(shard.name)) continue;
      this.#byName.delete(shard.name);
      this.#tags.delete(shard.name);
      // Do not wait: the server may hang or be demoted, and its commands must fail now.
      end(shard.redis);
    }
    for (const name of topology.primaries) {
      if (this.#byName.has(name)) continue;
      const redis = connect(name);
      // A closed connection is the first sign that a primary is lost.
      redis.on('close', () => topology.recheck());
      const shard = { name, redis };
      this.#byName.set(name, shard);
      for (const listener of this.#shardListeners) listener(shard);
    }
    for (const listener of this.#moveListeners) listener();
  }
}

/** Limits a call over all its attempts. */
function within<T>(call: Promise<T>, deadlineMs: number | undefined): Promise<T> {
  if (deadlineMs === undefined) return call;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
    call.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * Disconnects permanently. ioredis emits no `end` while it waits to reconnect (redis/ioredis#1830).
 */
function end(redis: Redis): void {
  const isWaiting = redis.status === 'reconnecting';
  redis.disconnect();
  if (!isWaiting) return;
  redis.status = 'end';
  redis.emit('end');
}
