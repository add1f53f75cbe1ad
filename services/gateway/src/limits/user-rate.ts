/**
 * Limits an action of a user in the whole cluster, such as joins. Each node grants every user a
 * small share itself, so most requests need no call of the store. Beyond that share, it leases
 * tokens from the user's cluster-wide bucket. So with n nodes, a user gets at most 1 + n /
 * `NODE_SHARES` times the bucket.
 */
import { MaruError } from '@maru/protocol';
import type { RedisStore } from '@maru/redis-store';
import type { QuotaKind } from '../keys.ts';
import { createKeyedLimit } from './keyed-limit.ts';
import type { BucketSpec } from './token-bucket.ts';
import { UserQuota } from './user-quota.ts';

/** Maximum users whose shares a node remembers. */
const USERS_MAX = 100_000;
/** The node's own share is the bucket divided by this. */
const NODE_SHARES = 8;
/** Leased tokens that are not used are lost to the user after this time. */
const LEASE_MS = 60_000;
/** A lease also contains bytes. They are not used here. */
const NO_BYTES: BucketSpec = { perSecond: 1_000_000, burst: 1_000_000 };

/**
 * Takes a token of the user. Returns undefined if the node's share covers it. Otherwise rejects
 * `rate_limited` or `unavailable`.
 */
export type TakeOfUser = (userId: string) => Promise<void> | undefined;

export interface UserRateOptions {
  store: RedisStore;
  kind: Exclude<QuotaKind, 'messages'>;
  spec: BucketSpec;
  /** The error message of a refusal. It names the limit. */
  message: string;
  onRefused: () => void;
  now: () => number;
}

export function createUserRate(options: UserRateOptions): TakeOfUser {
  const { store, kind, spec, message, onRefused, now } = options;
  const own = createKeyedLimit({
    spec: { perSecond: spec.perSecond / NODE_SHARES, burst: spec.burst / NODE_SHARES },
    keysMax: USERS_MAX,
    now,
  });
  const shared = new UserQuota({ store, kind, spec, bytesOf: () => NO_BYTES, leaseMs: LEASE_MS, now });
  const lease = async (userId: string) => {
    const retryAfterMs = await shared.take(userId, 0);
    if (retryAfterMs === 0) return;
    onRefused();
    throw new MaruError('rate_limited', message, { retryAfterMs });
  };
  return (userId) => (own.take(userId) === 0 ? undefined : lease(userId));
}
