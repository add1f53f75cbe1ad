/**
 * Checks that the store forgets a deleted entry at once. Redis only marks it as deleted while its
 * stream node has other entries, so each entry needs a node of its own
 * (`stream-node-max-entries 1`).
 */
import type { RedisStore } from '@maru/redis-store';
import { erasureProbeKey } from '../keys.ts';

const PROBE_MS = 10_000;
const ENTRIES = ['1-0', '2-0'];

/** Rejects with the store's error. */
export async function forgetsErasedEntries(store: RedisStore, node: string): Promise<boolean> {
  const key = erasureProbeKey(node);
  return store.at(key, async (redis) => {
    await redis.del(key);
    for (const id of ENTRIES) await redis.xadd(key, id, 'x', '');
    await redis.pexpire(key, PROBE_MS);
    const info = (await redis.xinfo('STREAM', key)) as unknown[];
    return info[info.indexOf('radix-tree-keys') + 1] === ENTRIES.length;
  });
}
