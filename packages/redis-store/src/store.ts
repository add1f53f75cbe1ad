/**
 * The store as its users see it: one server, the shards of a Redis Cluster, or the one shard whose primary Sentinels name. A key says where a
 * command goes; whoever needs the order of its commands, or subscribes, takes the connection of a shard and follows the slots itself
 * (`docs/decisions/0011-…`).
 */
import keySlot from 'cluster-key-slot';
import type { Redis } from 'ioredis';
import { parseRedisAddress } from './address.ts';
import { openConnection, type RedisUser } from './connect.ts';
import { watchSentinels } from './sentinels.ts';
import { hostOf, SLOTS, type Topology, watchTopology } from './topology.ts';

/** One connection to the primary of one shard. It ends when that primary has no slots any more, or Sentinels name another. */
export interface Shard {
  /** Where the primary is; '' where the store is one server. */
  readonly name: string;
  readonly redis: Redis;
}

export interface RedisStore {
  /**
   * Runs one command about `key` on the shard that holds it. A command that was sent elsewhere, or told to come again, was not carried out:
   * it is given again, until the deadline, after which it rejects. Any other failure rejects as it is and is never tried again; while nobody is
   * known to hold the key it rejects at once.
   */
  at<T>(key: string, command: (redis: Redis) => Promise<T>): Promise<T>;
  /** Keys of one slot are always on one shard. One server has but one slot. */
  slotOf(key: string): number;
  /** The shard that holds the slot as far as is known; undefined while nobody is known to. */
  holderOf(slot: number): Shard | undefined;
  /** The same for a key. */
  shardOf(key: string): Shard | undefined;
  readonly shards: readonly Shard[];
  /** Whether every slot is held by a shard whose connection is usable. */
  readonly ready: boolean;
  /** Resolves when ready, or after `waitMs`; tells which. */
  untilReady(waitMs: number): Promise<boolean>;
  /** A hash tag whose keys are on the shard now: `prefix:{tag}`. Undefined where it has no slots. */
  tagOn(shard: Shard): string | undefined;
  /** For each shard, those there are and those to come. */
  onShard(callback: (shard: Shard) => void): void;
  /** Slots have changed hands. */
  onMove(callback: () => void): void;
  /**
   * What a failed command of this shard says about where its slot is. True where it was not carried out and belongs elsewhere, or has to come
   * again later; what it tells is noted.
   */
  noteRedirection(error: unknown, shard: Shard): boolean;
  /** Lets what was sent finish, for at most a second. */
  close(): Promise<void>;
}

/** Makes stores that are the same store over connections of their own, so that no kind of traffic waits behind another. */
export interface RedisSource {
  /** `deadlineMs` as in `RedisSettings`. */
  open(purpose: string, deadlineMs: number | undefined): RedisStore;
  /** After the stores: ends what they share. */
  close(): void;
}

const COME_AGAIN_MS = 25;
const READY_POLL_MS = 25;
const QUIT_WAIT_MS = 1_000;
const LOOK_DEADLINE_MS = 700;

export function openRedis(url: string, user: Omit<RedisUser, 'purpose'>): RedisSource {
  const address = parseRedisAddress(url);
  if ('url' in address) {
    return {
      open: (purpose, deadlineMs) => singleStore(openConnection(address.url, deadlineMs, { ...user, purpose })),
      close: () => {},
    };
  }
  const now = () => performance.now();
  const { login } = 'cluster' in address ? address.cluster : address.sentinel;
  const connect = (at: string, purpose: string, deadlineMs: number | undefined) =>
    openConnection({ ...hostOf(at), ...login }, deadlineMs, { ...user, purpose });
  const topology =
    'cluster' in address
      ? watchTopology({ ...address.cluster, connect: (at) => connect(at, 'topology', LOOK_DEADLINE_MS), now })
      : watchSentinels({
          ...address.sentinel,
          connect: (at) =>
            openConnection({ ...at, ...address.sentinel.sentinelLogin, enableReadyCheck: false }, LOOK_DEADLINE_MS, {
              ...user,
              purpose: 'sentinel',
            }),
          logger: user.logger,
        });
  return {
    open: (purpose, deadlineMs) =>
      followingStore({ topology, connect: (at) => connect(at, purpose, deadlineMs), deadlineMs, now }),
    close: topology.close,
  };
}

/** A store that is one connection. */
export function singleStore(redis: Redis): RedisStore {
  const shard: Shard = { name: '', redis };
  const store: RedisStore = {
    at: (_, command) => command(redis),
    slotOf: () => 0,
    holderOf: () => shard,
    shardOf: () => shard,
    shards: [shard],
    get ready() {
      return redis.status === 'ready';
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
 * What is asked of a shard in the rest of this turn of the event loop leaves as one write, and is answered as one: when many join at once, so do
 * their reads, and the questions of a beat.
 */
export function gatherWrites(shard: Shard | undefined): void {
  const stream = shard?.redis.stream;
  // None where the connection is down.
  if (!stream || stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}

/** A store whose primaries change. */
function followingStore(options: {
  topology: Topology;
  connect: (address: string) => Redis;
  deadlineMs: number | undefined;
  now: () => number;
}): RedisStore {
  const { topology, now } = options;
  const byName = new Map<string, Shard>();
  const tags = new Map<string, string>();
  const shardListeners: Array<(shard: Shard) => void> = [];
  const moveListeners: Array<() => void> = [];

  const follow = () => {
    for (const shard of byName.values()) {
      if (topology.primaries.has(shard.name)) continue;
      byName.delete(shard.name);
      tags.delete(shard.name);
      // At once, not in peace: it may hang, or no longer be who it was, and what waits for it is to go elsewhere.
      end(shard.redis);
    }
    for (const name of topology.primaries) {
      if (byName.has(name)) continue;
      const redis = options.connect(name);
      // A shard that is gone shows itself by this first.
      redis.on('close', topology.doubt);
      const shard = { name, redis };
      byName.set(name, shard);
      for (const listener of shardListeners) listener(shard);
    }
    for (const listener of moveListeners) listener();
  };
  topology.onChange(follow);
  if (topology.primaries.size > 0) follow();

  const holderOf = (slot: number) => byName.get(topology.ownerOf(slot) ?? '');
  const shardOf = (key: string) => holderOf(keySlot(key));

  const noteRedirection = (error: unknown, shard: Shard): boolean => {
    const [code, slot, address] = error instanceof Error ? error.message.split(' ') : [];
    switch (code) {
      case 'MOVED':
        topology.noteMoved(Number(slot), address ?? '', shard.name);
        return true;
      case 'ASK':
      case 'TRYAGAIN':
        // The slot is on its way; who has it in the end says MOVED.
        return true;
      case 'CLUSTERDOWN':
        topology.doubt();
        return true;
      default:
        return false;
    }
  };

  const at = async <T>(key: string, command: (redis: Redis) => Promise<T>): Promise<T> => {
    const giveUpAt = now() + (options.deadlineMs ?? 0);
    for (;;) {
      const shard = shardOf(key);
      if (shard === undefined) {
        topology.doubt();
        throw new Error('nobody is known to hold the key');
      }
      try {
        return await command(shard.redis);
      } catch (error) {
        if (!noteRedirection(error, shard) || now() + COME_AGAIN_MS >= giveUpAt) throw error;
      }
      // Known to be elsewhere now: no need to wait.
      if (shardOf(key) === shard) await new Promise((resolve) => setTimeout(resolve, COME_AGAIN_MS));
    }
  };

  const store: RedisStore = {
    at: (key, command) => within(at(key, command), options.deadlineMs),
    slotOf: keySlot,
    holderOf,
    shardOf,
    get shards() {
      return [...byName.values()];
    },
    get ready() {
      return topology.isCovered && [...byName.values()].every(({ redis }) => redis.status === 'ready');
    },
    untilReady: (waitMs) => pollReady(store, waitMs),
    tagOn(shard) {
      const known = tags.get(shard.name);
      if (known !== undefined && shardOf(known) === shard) return known;
      if (byName.get(shard.name) !== shard) return undefined;
      // A shard with few slots takes long to hit: so many tries find one of a hundred slots almost surely.
      for (let n = 0; n < SLOTS / 8; n++) {
        if (shardOf(String(n)) !== shard) continue;
        tags.set(shard.name, String(n));
        return String(n);
      }
      return undefined;
    },
    onShard(callback) {
      shardListeners.push(callback);
      for (const shard of byName.values()) callback(shard);
    },
    onMove(callback) {
      moveListeners.push(callback);
    },
    noteRedirection,
    async close() {
      await Promise.all([...byName.values()].map(({ redis }) => quit(redis)));
    },
  };
  return store;
}

/** A call that was sent on has one deadline over all its attempts. */
function within<T>(call: Promise<T>, deadlineMs: number | undefined): Promise<T> {
  if (deadlineMs === undefined) return call;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
    call.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function pollReady(store: RedisStore, waitMs: number): Promise<boolean> {
  for (let waitedMs = 0; !store.ready; waitedMs += READY_POLL_MS) {
    if (waitedMs >= waitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  return true;
}

/** For good, and known to be so by whoever listens: ioredis says nothing where it only waits to connect again (redis/ioredis#1830). */
function end(redis: Redis): void {
  const isWaiting = redis.status === 'reconnecting';
  redis.disconnect();
  if (!isWaiting) return;
  redis.status = 'end';
  redis.emit('end');
}

async function quit(redis: Redis): Promise<void> {
  const done = redis.status === 'ready' ? redis.quit().catch(() => {}) : undefined;
  const bound = new Promise((resolve) => setTimeout(resolve, QUIT_WAIT_MS).unref());
  await Promise.race([done, bound]);
  redis.disconnect();
}
