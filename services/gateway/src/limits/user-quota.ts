/**
 * A user's quotas in the whole cluster: messages, and bytes that stay in the store. They live in
 * another Redis slot than the rooms. So nodes lease tokens in blocks, and most messages need only
 * one Redis call. A leased token that is not used within `leaseMs` is lost to the user, so blocks
 * are small.
 *
 * A request is served if at least one byte is left, whatever its size. The node owes the rest and
 * requests it with the next block. So each node lends a user at most the bytes of one request.
 *
 * On a Redis Cluster, an unhealthy shard must not silence its users in rooms of other shards. While
 * the shard does not answer, the quota is kept under a spare key on another shard. All nodes choose
 * the same spare key, so a user has at most as many full buckets as there are keys.
 */
import { MaruError } from '@maru/protocol';
import { loadScript, type RedisStore, runScript, type Shard } from '@maru/redis-store';
import { type QuotaKind, userQuotaKey } from '../keys.ts';
import { unavailable } from '../unavailable.ts';
import { type BucketSpec, promiseWait } from './token-bucket.ts';

export const leaseScript = loadScript(new URL('./lease-quota.lua', import.meta.url));

interface Waiting {
  messages: number;
  bytes: number;
  resolve: (waitMs: number) => void;
  reject: (error: unknown) => void;
}

interface Lease {
  tokens: number;
  /** Negative if the user owes bytes. */
  bytes: number;
  expiresAtMs: number;
  promisedMs: number;
  /** No block is requested in advance before this time. */
  refillAfterMs: number;
  /** Requests that wait for tokens, in order. */
  waiting: Waiting[];
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
/** Some 30 short messages. */
const BLOCK_BYTES = 16_384;
const REFILL_BELOW_BYTES = BLOCK_BYTES / 4;

/**
 * Tokens of a block, and the number of tokens below which the next block is requested in advance.
 */
export function leaseSize({ burst }: BucketSpec): { blockTokens: number; refillBelowTokens: number } {
  const blockTokens = Math.max(1, Math.min(BLOCK_TOKENS_MAX, Math.floor(burst / BLOCKS_IN_A_BURST)));
  return { blockTokens, refillBelowTokens: Math.floor(blockTokens / 4) };
}

export interface UserQuotaOptions {
  store: RedisStore;
  kind?: QuotaKind;
  /** Messages, or what `kind` names. */
  spec: BucketSpec;
  /** Bytes. */
  bytesOf: (userId: string) => BucketSpec;
  leaseMs: number;
  now: () => number;
}

/** The request of a script call. Nothing is granted unless all needed tokens are available. */
interface Wanted {
  tokens: number;
  tokensNeeded: number;
  bytes: number;
  bytesNeeded: number;
}

export class UserQuota {
  readonly #store: RedisStore;
  readonly #kind: QuotaKind;
  readonly #spec: BucketSpec;
  readonly #bytesOf: (userId: string) => BucketSpec;
  readonly #leaseMs: number;
  readonly #now: () => number;
  readonly #blockTokens: number;
  readonly #refillBelowTokens: number;
  /** Time in which an empty bucket fills up. */
  readonly #fillMs: number;
  readonly #unhealthy = new WeakSet<Shard>();
  readonly #leases = new Map<string, Lease>();

  constructor({ store, kind = 'messages', spec, bytesOf, leaseMs, now }: UserQuotaOptions) {
    this.#store = store;
    this.#kind = kind;
    this.#spec = spec;
    this.#bytesOf = bytesOf;
    this.#leaseMs = leaseMs;
    this.#now = now;
    const { blockTokens, refillBelowTokens } = leaseSize(spec);
    this.#blockTokens = blockTokens;
    this.#refillBelowTokens = refillBelowTokens;
    this.#fillMs = (spec.burst * 1_000) / spec.perSecond;
  }

  /**
   * Takes a message and its bytes, or only bytes if `messages` is 0. Returns 0, or the milliseconds
   * until the next request may be served. Returns synchronously if the lease is large enough.
   * Serves the requests of one user in order. Rejects `unavailable`.
   */
  take(userId: string, bytes: number, messages: 0 | 1 = 1): number | Promise<number> {
    const lease = this.#leaseOf(userId);
    if (lease.expiresAtMs <= this.#now()) {
      lease.tokens = 0;
      lease.bytes = Math.min(0, lease.bytes);
    }
    if (lease.waiting.length === 0 && lease.tokens >= messages && lease.bytes > 0) {
      lease.tokens -= messages;
      lease.bytes -= bytes;
      if (!lease.leasing && this.#isLow(lease) && this.#now() >= lease.refillAfterMs) void this.#renew(userId, lease);
      return 0;
    }
    return new Promise((resolve, reject) => {
      lease.waiting.push({ messages, bytes, resolve, reject });
      if (!lease.leasing) void this.#renew(userId, lease);
    });
  }

  /** Takes bytes for something other than a message. Rejects `rate_limited` or `unavailable`. */
  async charge(userId: string, bytes: number): Promise<void> {
    const retryAfterMs = await this.take(userId, bytes, 0);
    if (retryAfterMs > 0) throw new MaruError('rate_limited', 'you have stored too much in an hour', { retryAfterMs });
  }

  /** Returns unused bytes, and an unused message. */
  giveBack(userId: string, bytes: number, messages: 0 | 1 = 1): void {
    const lease = this.#leases.get(userId);
    if (lease === undefined || lease.expiresAtMs <= this.#now()) return;
    lease.tokens = Math.min(this.#spec.burst, lease.tokens + messages);
    lease.bytes += bytes;
    this.#expireSurplusSoon(lease);
  }

  #isLow(lease: Lease): boolean {
    return lease.tokens < this.#refillBelowTokens || lease.bytes < REFILL_BELOW_BYTES;
  }

  #leaseOf(userId: string): Lease {
    const known = this.#leases.get(userId);
    if (known !== undefined) return known;
    if (this.#leases.size >= USERS_MAX) this.#sweep();
    const lease: Lease = {
      tokens: 0,
      bytes: 0,
      expiresAtMs: 0,
      promisedMs: 0,
      refillAfterMs: 0,
      waiting: [],
      leasing: false,
    };
    this.#leases.set(userId, lease);
    return lease;
  }

  #sweep(): void {
    const now = this.#now();
    for (const [userId, lease] of this.#leases)
      if (!lease.leasing && lease.expiresAtMs <= now) this.#leases.delete(userId);
    // If there are still too many, drop the oldest leases. Their users lease again.
    for (const [userId, lease] of this.#leases) {
      if (this.#leases.size < USERS_MAX * 0.9) break;
      if (!lease.leasing) this.#leases.delete(userId);
    }
  }

  async #renew(userId: string, lease: Lease): Promise<void> {
    lease.leasing = true;
    do {
      try {
        const [tokens, bytes, retryAfterMs] = await this.#request(userId, this.#wantedOf(lease));
        lease.tokens += tokens;
        lease.bytes += bytes;
        const served = this.#takeServed(lease);
        lease.expiresAtMs = this.#now() + this.#leaseMs;
        this.#expireSurplusSoon(lease);
        for (const { resolve } of served) resolve(0);
        if (retryAfterMs > 0) lease.refillAfterMs = this.#now() + retryAfterMs;
        // If some were served, others may follow, because each call brings bytes for a few of them.
        if (served.length > 0 || retryAfterMs === 0) continue;
        for (const { resolve } of lease.waiting.splice(0))
          resolve(promiseWait(lease, retryAfterMs, this.#spec, this.#now()));
      } catch (error) {
        lease.refillAfterMs = this.#now() + UNHEALTHY_CHECK_MS;
        for (const { reject } of lease.waiting.splice(0)) reject(unavailable(error));
      }
    } while (lease.waiting.length > 0);
    lease.leasing = false;
  }

  #wantedOf(lease: Lease): Wanted {
    const { waiting } = lease;
    const block = this.#blockTokens;
    // Only as many bytes as a block of messages needs, because unused leased bytes are lost.
    const bytes = waiting.slice(0, block).reduce((sum, request) => sum + request.bytes, 0);
    const isWaiting = waiting.length > 0;
    return {
      tokens: lease.tokens < Math.max(this.#refillBelowTokens, waiting.length) ? this.#tokensOf(lease) : 0,
      tokensNeeded: isWaiting && lease.tokens < (waiting[0]?.messages ?? 0) ? 1 : 0,
      bytes:
        lease.bytes < Math.max(REFILL_BELOW_BYTES, bytes) ? Math.max(BLOCK_BYTES, bytes) - Math.min(0, lease.bytes) : 0,
      bytesNeeded: isWaiting ? Math.max(0, 1 - lease.bytes) : 0,
    };
  }

  #tokensOf({ waiting, tokens }: Lease): number {
    return Math.min(this.#spec.burst, Math.max(this.#blockTokens, waiting.length - tokens));
  }

  /** Takes the requests at the front of the queue that the lease covers. */
  #takeServed(lease: Lease): Waiting[] {
    let count = 0;
    for (const { messages, bytes } of lease.waiting) {
      if (lease.tokens < messages || lease.bytes <= 0) break;
      lease.tokens -= messages;
      lease.bytes -= bytes;
      count++;
    }
    return lease.waiting.splice(0, count);
  }

  /**
   * Retries of stored messages are refunded. Cap the refund: the bucket would have refilled by then
   * anyway.
   */
  #expireSurplusSoon(lease: Lease): void {
    if (lease.tokens > this.#blockTokens + this.#refillBelowTokens)
      lease.expiresAtMs = Math.min(lease.expiresAtMs, this.#now() + this.#fillMs);
  }

  async #request(userId: string, wanted: Wanted): Promise<[tokens: number, bytes: number, retryAfterMs: number]> {
    const key = this.#keyOf(userId);
    const shard = this.#store.shardOf(key);
    const { perSecond, burst } = this.#spec;
    const bytes = this.#bytesOf(userId);
    try {
      return (await runScript(
        this.#store,
        leaseScript,
        [key],
        [
          wanted.tokens,
          wanted.tokensNeeded,
          perSecond,
          burst,
          wanted.bytes,
          wanted.bytesNeeded,
          bytes.perSecond,
          bytes.burst,
        ],
      )) as [number, number, number];
    } catch (error) {
      if (shard !== undefined) void this.#avoid(shard);
      throw error;
    }
  }

  #keyOf(userId: string): string {
    const keys = SPARES.map((spare) => userQuotaKey(userId, spare, this.#kind));
    return keys.find((key) => this.#isHealthy(key)) ?? (keys[0] as string);
  }

  #isHealthy(key: string): boolean {
    const shard = this.#store.shardOf(key);
    return shard !== undefined && shard.redis.status === 'ready' && !this.#unhealthy.has(shard);
  }

  /** Avoids the shard until it answers a check, so no user has to wait for its timeout. */
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
