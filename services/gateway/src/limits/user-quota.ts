/**
 * A user's quota of messages over the whole cluster. It lives in another slot than any room, so nodes lease it in blocks: most
 * messages then stay one call. A token that was leased and not used within `leaseMs` is lost to the user, which is why
 * blocks are small.
 *
 * In a Redis Cluster a shard that is ill must not silence its users in rooms of other shards: while it does not answer, the quota is kept
 * under a spare name on another shard. All nodes find the same one, so that a user has at most as many full buckets as there are names.
 */
import { loadScript, type RedisStore, runScript, type Shard } from '@maru/redis-store';
import { userQuotaKey } from '../keys.ts';
import { unavailable } from '../log/redis-room-log.ts';
import { type BucketSpec, promise } from './token-bucket.ts';

export const leaseScript = loadScript(new URL('./lease-quota.lua', import.meta.url));

export interface UserQuota {
  /**
   * Takes one token: 0, or milliseconds until one may be there; at once where one is here. In the order of the calls of one user. Rejects
   * `unavailable`.
   */
  take(userId: string): number | Promise<number>;
  /** Gives one back that was not needed after all. */
  giveBack(userId: string): void;
}

interface Lease {
  tokens: number;
  expiresAtMs: number;
  promisedMs: number;
  /** Not before this is a block asked for that nobody waits for. */
  refillAfterMs: number;
  /** Those who wait for tokens, in order. */
  waiting: Array<{ resolve: (waitMs: number) => void; reject: (error: unknown) => void }>;
  leasing: boolean;
}

/** Users whose leases a node remembers. */
const USERS_MAX = 100_000;
/** Names under which a user's quota may be kept, and how often a shard that did not answer is asked whether it is back. */
const SPARES = [0, 1, 2];
const ILL_PROBE_MS = 500;

/** Small beside what a user may send at once, so that several nodes can hold a block of it. */
const BLOCK_TOKENS_MAX = 16;
const BLOCKS_IN_A_BURST = 6;

/** Tokens of a block, and where fewer are left of it the next one is asked for: who goes on talking does not wait for it. */
export function leaseSize({ burst }: BucketSpec): { blockTokens: number; refillBelowTokens: number } {
  const blockTokens = Math.max(1, Math.min(BLOCK_TOKENS_MAX, Math.floor(burst / BLOCKS_IN_A_BURST)));
  return { blockTokens, refillBelowTokens: Math.floor(blockTokens / 4) };
}

export function createUserQuota(options: {
  store: RedisStore;
  spec: BucketSpec;
  leaseMs: number;
  now: () => number;
}): UserQuota {
  const { store, spec, now } = options;
  const { blockTokens, refillBelowTokens } = leaseSize(spec);
  const refillMs = (spec.burst * 1_000) / spec.perSecond;
  const ill = new WeakSet<Shard>();
  const leases = new Map<string, Lease>();

  const leaseOf = (userId: string): Lease => {
    const known = leases.get(userId);
    if (known !== undefined) return known;
    if (leases.size >= USERS_MAX) sweep();
    const lease: Lease = { tokens: 0, expiresAtMs: 0, promisedMs: 0, refillAfterMs: 0, waiting: [], leasing: false };
    leases.set(userId, lease);
    return lease;
  };

  const sweep = () => {
    for (const [userId, lease] of leases) if (!lease.leasing && lease.expiresAtMs <= now()) leases.delete(userId);
    // Still too many: the oldest lose what they have leased, and lease again.
    for (const [userId, lease] of leases) {
      if (leases.size < USERS_MAX * 0.9) break;
      if (!lease.leasing) leases.delete(userId);
    }
  };

  const isIll = (key: string): boolean => {
    const shard = store.shardOf(key);
    return shard === undefined || shard.redis.status !== 'ready' || ill.has(shard);
  };

  /** Until it answers again; no user pays for finding out. */
  const passBy = async (shard: Shard): Promise<void> => {
    if (ill.has(shard)) return;
    ill.add(shard);
    while (shard.redis.status !== 'end') {
      const isBack = await shard.redis.time().then(
        () => true,
        () => false,
      );
      if (isBack) break;
      await new Promise((resolve) => setTimeout(resolve, ILL_PROBE_MS).unref());
    }
    ill.delete(shard);
  };

  const keyOf = (userId: string): string => {
    const keys = SPARES.map((spare) => userQuotaKey(userId, spare));
    return keys.find((key) => !isIll(key)) ?? (keys[0] as string);
  };

  const ask = async (key: string, wanted: number): Promise<[granted: number, retryAfterMs: number]> => {
    const shard = store.shardOf(key);
    try {
      return (await runScript(store, leaseScript, [key], [wanted, spec.perSecond, spec.burst])) as [number, number];
    } catch (error) {
      if (shard !== undefined) void passBy(shard);
      throw error;
    }
  };

  /** Who sends again what is stored is given many tokens back. They are not for keeping: by then the bucket is as full without them. */
  const endSurplusSoon = (lease: Lease) => {
    if (lease.tokens > blockTokens + refillBelowTokens)
      lease.expiresAtMs = Math.min(lease.expiresAtMs, now() + refillMs);
  };

  const renew = async (userId: string, lease: Lease) => {
    lease.leasing = true;
    do {
      const wanted = Math.min(spec.burst, Math.max(blockTokens, lease.waiting.length));
      try {
        const [granted, retryAfterMs] = await ask(keyOf(userId), wanted);
        lease.tokens += granted;
        const served = lease.waiting.splice(0, lease.tokens);
        lease.tokens -= served.length;
        lease.expiresAtMs = now() + options.leaseMs;
        endSurplusSoon(lease);
        for (const { resolve } of served) resolve(0);
        if (granted > 0) continue;
        lease.refillAfterMs = now() + retryAfterMs;
        for (const { resolve } of lease.waiting.splice(0)) resolve(promise(lease, retryAfterMs, spec, now()));
      } catch (error) {
        lease.refillAfterMs = now() + ILL_PROBE_MS;
        for (const { reject } of lease.waiting.splice(0)) reject(unavailable(error));
      }
    } while (lease.waiting.length > 0);
    lease.leasing = false;
  };

  return {
    take(userId) {
      const lease = leaseOf(userId);
      if (lease.expiresAtMs <= now()) lease.tokens = 0;
      if (lease.waiting.length === 0 && lease.tokens >= 1) {
        lease.tokens -= 1;
        const isLow = lease.tokens < refillBelowTokens && now() >= lease.refillAfterMs;
        if (isLow && !lease.leasing) void renew(userId, lease);
        return 0;
      }
      return new Promise((resolve, reject) => {
        lease.waiting.push({ resolve, reject });
        if (!lease.leasing) void renew(userId, lease);
      });
    },
    giveBack(userId) {
      const lease = leases.get(userId);
      if (lease === undefined || lease.expiresAtMs <= now()) return;
      lease.tokens = Math.min(spec.burst, lease.tokens + 1);
      endSurplusSoon(lease);
    },
  };
}
