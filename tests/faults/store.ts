/** Administrator access to the store of a trial, and a store that the trial itself starts. */
import assert from 'node:assert/strict';
import { connectRedis, waitUntilReady } from '@maru/redis-store';
import { createLogger } from '@maru/service-kit';

export type Redis = ReturnType<typeof connectRedis>;

export interface OwnStore {
  /** The address for services, instead of the cluster's own Redis. */
  url: string;
  /** Further settings of every service. */
  environment: Record<string, string>;
  /** The addresses of the current primaries, with administrator rights. */
  primaries(): Promise<string[]>;
  stop(): Promise<void>;
}

const COMMAND_DEADLINE_MS = 5_000;
const logger = createLogger({ service: 'faults', node: 'faults', level: 'silent' });

/** Works on one node, over its own connection. */
export async function onNode<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = connectRedis({ url, deadlineMs: COMMAND_DEADLINE_MS }, { purpose: 'faults', node: 'faults', logger });
  try {
    assert(await waitUntilReady(redis, COMMAND_DEADLINE_MS), 'Redis does not answer');
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
