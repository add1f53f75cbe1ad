import { type Shard, silenceMsOf } from '@maru/redis-store';

/** Twice the time between two pings of a connection. */
const SILENCE_MAX_MS = 2_000;

/** The subscriptions on one shard's connection. */
export interface ShardConnection {
  shard: Shard;
  /**
   * How many times subscriptions were lost. A subscription in progress at such a time may be lost,
   * too.
   */
  losses: number;
}

export const answers = ({ redis }: Shard): boolean => silenceMsOf(redis) <= SILENCE_MAX_MS;
