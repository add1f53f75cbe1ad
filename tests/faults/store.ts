/** The store of a trial's cluster, seen from outside: one Redis of the cluster itself, or several that a trial brings. */
import assert from 'node:assert/strict';
import { connectRedis, waitUntilReady } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';

export type Redis = ReturnType<typeof connectRedis>;

export interface OwnStore {
  /** What services are told in place of the address of the cluster's own Redis. */
  url: string;
  /** Further variables of every service. */
  environment: Record<string, string>;
  /** Addresses of the nodes that take writes now, with the rights of an administrator. */
  primaries(): Promise<string[]>;
  stop(): Promise<void>;
}

const COMMAND_DEADLINE_MS = 5_000;
const logger = createLogger({ service: 'faults', node: 'faults', level: 'silent' });

/** Work on one node, over a connection of its own. */
export async function onNode<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = connectRedis({ url, deadlineMs: COMMAND_DEADLINE_MS }, { purpose: 'faults', node: 'faults', logger });
  try {
    assert(await waitUntilReady(redis, COMMAND_DEADLINE_MS), 'the store does not answer its administrator');
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
