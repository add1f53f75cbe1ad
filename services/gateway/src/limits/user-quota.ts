/**
 * A user's quota of messages over the whole cluster. The quota lives in another Redis slot than any
 * room, so nodes lease tokens in blocks, and most messages need one Redis call. A leased token that
 * is not used within `leaseMs` is lost to the user. Therefore blocks are small.
 *
 * On a Redis Cluster an unhealthy shard must not silence its users in rooms of other shards. While
 * the shard does not answer, the quota is kept under a spare key on another shard. All nodes choose
 * the same spare key, so a user has at most as many full buckets as there are keys.
 */
import { loadScript, type RedisStore, runScript, type Shard } from '@maru/redis-store';
import { userQuotaKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import { type BucketSpec, promiseWait } from './token-bucket.ts';

export const leaseScript = loadScript(new URL('./lease-quota.lua', import.meta.url));

interface Lease {
  tokens: number;
  expiresAtMs: number;
  promisedMs: number;
  /** No block is requested in advance before this time. */
  refillAfterMs: number;
  /** Requests that wait for tokens, in order. */
  waiting: Array<{ resolve: (waitMs: number) => void; reject: (error: unknown) => void }>;
  leasing: boolean;
}

/** Users whose leases a node remembers. */
const USERS_MAX = 100_000;
/** Keys under which a user's quota may be kept. */
const SPARES = [0, 1, 2];
/** How often a shard that did not answer is checked. */
const UNHEALTHY_CHECK_MS = 500;
/** Small compared to a user's burst, so that several nodes can hold a block of it. */
const BLOCK_TOKENS_MAX = 16;
const BLOCKS_IN_A_BURST = 6;

/**
 * Tokens of a block, and the number of tokens below which the next block is requested in advance.
 */
export function leaseSize({ burst }: BucketSpec): { blockTokens: number; refillBelowTokens: number } {
  const blockTokens = Math.max(1, Math.min(BLOCK_TOKENS_MAX, Math.floor(burst / BLOCKS_IN_A_BURST)));
  return { blockTokens, refillBelowTokens: Math.floor(blockTokens / 4) };
}

export interface UserQuotaOptions {
  store: RedisStore;
  spec: BucketSpec;
  leaseMs: number;
  now: () => number;
}

export class UserQuota {
  readonly #store: RedisStore;
  readonly #spec: BucketSpec;
  readonly #leaseMs: number;
  readonly #now: () => number;
  readonly #blockTokens: number;
  readonly #refillBelowTokens: number;
  /** Time in which an empty bucket fills up. */
  readonly #fillMs: number;
  readonly #unhealthy = new WeakSet<Shard>();
  readonly #leases = new Map<string, Lease>();

  constructor({ store, spec, leaseMs, now }: UserQuotaOptions) {
    this.#store = store;
    this.#spec = spec;
    this.#leaseMs = leaseMs;
    this.#now = now;
    const { blockTokens, refillBelowTokens } = leaseSize(spec);
    this.#blockTokens = blockTokens;
    this.#refillBelowTokens = refillBelowTokens;
    this.#fillMs = (spec.burst * 1_000) / spec.perSecond;
  }

  /**
   * Takes one token. Gives 0, or the milliseconds until a token may be available; synchronously if
   * a leased token is left. Serves the requests of one user in order. Rejects `unavailable`.
   */
  take(userId: string): number | Promise<number> {
    const lease = this.#leaseOf(userId);
    if (lease.expiresAtMs <= this.#now()) lease.tokens = 0;
    if (lease.waiting.length === 0 && lease.tokens >= 1) {
      lease.tokens -= 1;
      const isLow = lease.tokens < this.#refillBelowTokens && this.#now() >= lease.refillAfterMs;
      if (isLow && !lease.leasing) void this.#renew(userId, lease);
      return 0;
    }
    return new Promise((resolve, reject) => {
      lease.waiting.push({ resolve, reject });
      if (!lease.leasing) void this.#renew(userId, lease);
    });
  }

  /** Returns a token that was not needed. */
  giveBack(userId: string): void {
    const lease = this.#leases.get(userId);
    if (lease === undefined || lease.expiresAtMs <= this.#now()) return;
    lease.tokens = Math.min(this.#spec.burst, lease.tokens + 1);
    this.#expireSurplusSoon(lease);
  }

  #leaseOf(userId: string): Lease {
    const known = this.#leases.get(userId);
    if (known !== undefined) return known;
    if (this.#leases.size >= USERS_MAX) this.#sweep();
    const lease: Lease = { tokens: 0, expiresAtMs: 0, promisedMs: 0, refillAfterMs: 0, waiting: [], leasing: false };
    this.#leases.set(userId, lease);
    return lease;
  }

  #sweep(): void {
    const now = this.#now();
    for (const [userId, lease] of this.#leases)
      if (!lease.leasing && lease.expiresAtMs <= now) this.#leases.delete(userId);
    // If there are still too many, the oldest leases go. Their users lease again.
    for (const [userId, lease] of this.#leases) {
      if (this.#leases.size < USERS_MAX * 0.9) break;
      if (!lease.leasing) this.#leases.delete(userId);
    }
  }

  async #renew(userId: string, lease: Lease): Promise<void> {
    const spec = this.#spec;
    lease.leasing = true;
    do {
      const wanted = Math.min(spec.burst, Math.max(this.#blockTokens, lease.waiting.length));
      try {
        const [granted, retryAfterMs] = await this.#request(this.#keyOf(userId), wanted);
        lease.tokens += granted;
        const served = lease.waiting.splice(0, lease.tokens);
        lease.tokens -= served.length;
        lease.expiresAtMs = this.#now() + this.#leaseMs;
        this.#expireSurplusSoon(lease);
        for (const { resolve } of served) resolve(0);
        if (granted > 0) continue;
        lease.refillAfterMs = this.#now() + retryAfterMs;
        for (const { resolve } of lease.waiting.splice(0)) resolve(promiseWait(lease, retryAfterMs, spec, this.#now()));
      } catch (error) {
        lease.refillAfterMs = this.#now() + UNHEALTHY_CHECK_MS;
        for (const { reject } of lease.waiting.splice(0)) reject(unavailable(error));
      }
    } while (lease.waiting.length > 0);
    lease.leasing = false;
  }

  /**
   * Retries of stored messages are refunded. Cap the refund: the bucket would have refilled by then
   * anyway.
   */
  #expireSurplusSoon(lease: Lease): void {
    if (lease.tokens > this.#blockTokens + this.#refillBelowTokens)
      lease.expiresAtMs = Math.min(lease.expiresAtMs, this.#now() + this.#fillMs);
  }

  async #request(key: string, wanted: number): Promise<[granted: number, retryAfterMs: number]> {
    const shard = this.#store.shardOf(key);
    const { perSecond, burst } = this.#spec;
    try {
      return (await runScript(this.#store, leaseScript, [key], [wanted, perSecond, burst])) as [number, number];
    } catch (error) {
      if (shard !== undefined) void this.#avoid(shard);
      throw error;
    }
  }

  #keyOf(userId: string): string {
    const keys = SPARES.map((spare) => userQuotaKey(userId, spare));
    return keys.find((key) => this.#isHealthy(key)) ?? (keys[0] as string);
  }

  #isHealthy(key: string): boolean {
    const shard = this.#store.shardOf(key);
    return shard !== undefined && shard.redis.status === 'ready' && !this.#unhealthy.has(shard);
  }

  /** Avoids the shard until it answers a check, so that no user waits to find out. */
  async #avoid(shard: Shard): Promise<void> {
    if (this.#unhealthy.has(shard)) return;
    this.#unhealthy.add(shard);
    while (shard.redis.status !== 'end') {
      const answers = await shard.redis.time().then(
        () => true,
        () => false,
      );
      if (answers) break;
      await new Promise((resolve) => setTimeout(resolve, UNHEALTHY_CHECK_MS).unref());
    }
    this.#unhealthy.delete(shard);
  }
}
