/**
 * Whether the store answers and accepts writes, and the store's clock.
 *
 * The node sends `TIME` to each shard every tick, and looks at its connections of every kind.
 * Failures make it notify its clients with `degraded`. Answers adjust the clock that expiries use.
 * A store that answers but refuses writes (full, read-only, disk errors, too few replicas) is
 * detected by the messages that it refuses. While it is unhealthy, each check includes a small
 * write.
 *
 * A Redis Cluster is unhealthy while any shard is. Clients with rooms on healthy shards are then
 * notified, too, but no client sees a healthy store while its messages fail.
 */
import type { RedisStore, Shard } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { writeProbeKey } from '../keys.ts';
import type { Ticker } from './ticker.ts';

export interface StoreHealth {
  readonly degraded: boolean;
  /** For how long the node has been degraded, in milliseconds; 0 while it is healthy. */
  readonly degradedMs: number;
  /** The store's clock, in milliseconds, as far as this node knows it. */
  now(): number;
  /** The store refused to store a message. */
  noteRefusal(reason: string): void;
  onChange(callback: (degraded: boolean) => void): void;
  /** Checks now and on each tick. */
  start(ticker: Ticker): void;
  stop(): void;
}

/**
 * One failed check may be a glitch. Two, one without an answer for this time, or a silent
 * connection are an outage. Clients are notified within 2 s.
 */
const FAILURES_TO_DEGRADED = 2;
const HANG_MS = 700;
const PROBE_TTL_MS = 5_000;
/**
 * Healthy replicas have a write within a few milliseconds. `WAIT` blocks the connection, so the
 * timeout is short.
 */
const REPLICAS_WAIT_MS = 250;

export function createStoreHealth(options: {
  store: RedisStore;
  node: string;
  /** All connections of the node, also those of `store`, by name. */
  connections: ReadonlyArray<readonly [name: string, store: Pick<RedisStore, 'ready' | 'silent'>]>;
  /** Replicas that must have a message before it is acknowledged. */
  waitReplicas: number;
  tickMs: number;
  logger: Logger;
  localNow: () => number;
}): StoreHealth {
  const { store, connections, logger, localNow } = options;
  const listeners: Array<(degraded: boolean) => void> = [];
  let failures = 0;
  let refusal: string | undefined;
  let degraded = false;
  let degradedSince = 0;
  let offsetMs = 0;
  let checking = false;
  let leaveTicker: (() => void) | undefined;

  const change = (next: boolean, reason?: string) => {
    if (next === degraded) return;
    degraded = next;
    degradedSince = performance.now();
    if (degraded) logger.error({ reason }, 'degraded: the store does not answer, or refuses messages');
    else logger.info('recovered: the store answers and takes messages');
    for (const listener of listeners) listener(degraded);
  };

  const checkShard = async (shard: Shard): Promise<number> => {
    const sentAt = localNow();
    const [seconds, micros] = (await shard.redis.time()) as unknown as [number, number];
    return Number(seconds) * 1_000 + Number(micros) / 1_000 - (sentAt + localNow()) / 2;
  };

  const probeWrite = async (shard: Shard): Promise<void> => {
    const tag = store.tagOn(shard);
    if (tag === undefined) throw new Error('a shard no longer has slots');
    await shard.redis.set(writeProbeKey(tag, options.node), '1', 'PX', PROBE_TTL_MS);
    if (options.waitReplicas === 0) return;
    const reached = await shard.redis.wait(options.waitReplicas, REPLICAS_WAIT_MS);
    if (reached < options.waitReplicas) throw new Error(`only ${reached} replicas have the written data`);
  };

  const check = async () => {
    if (checking) return;
    checking = true;
    const sentAt = localNow();
    try {
      const offsets = await Promise.all(store.shards.map(checkShard));
      // The clocks of shards should agree. If they differ, the latest one makes nothing expire too
      // late.
      if (offsets.length > 0) offsetMs = Math.max(...offsets);
      // A store that is back may be full or lack replicas. Only a write shows that it is healthy.
      if (refusal !== undefined || degraded) await Promise.all(store.shards.map(probeWrite));
      refusal = undefined;
      const unusable = connections.filter(([, { ready }]) => !ready).map(([name]) => name);
      if (unusable.length > 0) throw new Error(`connections are down or silent: ${unusable.join(', ')}`);
      failures = 0;
      change(false);
    } catch (error) {
      const isOutage = localNow() - sentAt >= HANG_MS || connections.some(([, { silent }]) => silent);
      failures += isOutage ? FAILURES_TO_DEGRADED : 1;
      if (failures >= FAILURES_TO_DEGRADED) change(true, refusal ?? String(error));
    } finally {
      checking = false;
    }
  };

  return {
    get degraded() {
      return degraded;
    },
    get degradedMs() {
      return degraded ? performance.now() - degradedSince : 0;
    },
    now: () => Math.round(localNow() + offsetMs),
    noteRefusal(reason) {
      refusal = reason;
    },
    onChange(callback) {
      listeners.push(callback);
    },
    start(ticker) {
      void check();
      leaveTicker = ticker.join(options.tickMs, () => void check());
    },
    stop: () => leaveTicker?.(),
  };
}
