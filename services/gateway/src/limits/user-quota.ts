/**
 * A user's quota of messages over the whole cluster. It lives in another slot than any room, so nodes lease it in blocks: most
 * messages then stay one call. A token that was leased and not used within `leaseMs` is lost to the user, which is why
 * blocks are small.
 */
import { loadScript, runScript } from '@maru/service-kit';
import type { Redis } from 'ioredis';
import { userQuotaKey } from '../keys.ts';
import { unavailable } from '../messages/redis-room-log.ts';
import { type BucketSpec, promise } from './token-bucket.ts';

export const leaseScript = loadScript(new URL('./lease-quota.lua', import.meta.url));

export interface UserQuota {
  /** Takes one token: 0, or milliseconds until one may be there. In the order of the calls of one user. Rejects `unavailable`. */
  take(userId: string): Promise<number>;
  /** Gives one back that was not needed after all. */
  giveBack(userId: string): void;
}

interface Lease {
  tokens: number;
  expiresAtMs: number;
  promisedMs: number;
  /** Those who wait for tokens, in order. */
  waiting: Array<{ resolve: (waitMs: number) => void; reject: (error: unknown) => void }>;
  leasing: boolean;
}

/** Users whose leases a node remembers. */
const USERS_MAX = 100_000;

export function createUserQuota(options: {
  redis: Redis;
  spec: BucketSpec;
  blockTokens: number;
  leaseMs: number;
  now: () => number;
}): UserQuota {
  const { redis, spec, now } = options;
  const leases = new Map<string, Lease>();

  const leaseOf = (userId: string): Lease => {
    const known = leases.get(userId);
    if (known !== undefined) return known;
    if (leases.size >= USERS_MAX) sweep();
    const lease: Lease = { tokens: 0, expiresAtMs: 0, promisedMs: 0, waiting: [], leasing: false };
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

  const renew = async (userId: string, lease: Lease) => {
    lease.leasing = true;
    while (lease.waiting.length > 0) {
      const wanted = Math.min(spec.burst, Math.max(options.blockTokens, lease.waiting.length));
      try {
        const reply = await runScript(redis, leaseScript, [userQuotaKey(userId)], [wanted, spec.perSecond, spec.burst]);
        const [granted, retryAfterMs] = reply as [number, number];
        lease.tokens += granted;
        lease.expiresAtMs = now() + options.leaseMs;
        const served = lease.waiting.splice(0, lease.tokens);
        lease.tokens -= served.length;
        for (const { resolve } of served) resolve(0);
        if (granted > 0) continue;
        for (const { resolve } of lease.waiting.splice(0)) resolve(promise(lease, retryAfterMs, spec, now()));
      } catch (error) {
        for (const { reject } of lease.waiting.splice(0)) reject(unavailable(error));
      }
    }
    lease.leasing = false;
  };

  return {
    take(userId) {
      const lease = leaseOf(userId);
      if (lease.expiresAtMs <= now()) lease.tokens = 0;
      if (!lease.leasing && lease.tokens >= 1) {
        lease.tokens -= 1;
        return Promise.resolve(0);
      }
      return new Promise((resolve, reject) => {
        lease.waiting.push({ resolve, reject });
        if (!lease.leasing) void renew(userId, lease);
      });
    },
    giveBack(userId) {
      const lease = leases.get(userId);
      if (lease !== undefined && lease.expiresAtMs > now()) lease.tokens += 1;
    },
  };
}
