/**
 * Whether the store answers and takes messages, and what time it has. One small question to each shard every half second: its failures make
 * the node tell its clients `degraded`, its answers keep the clock that expiries are judged by. A store that answers but refuses to write
 * (full, read-only, its disk in trouble, too few replicas) is noticed by the messages that it refuses. An ill one is asked by a small write.
 *
 * A Cluster is ill while any part of it is: a client whose room is on a healthy shard is warned for nothing, one whose room is not is warned
 * in time, and nobody is told of a store that is well while acknowledgements fail.
 */
import { gatherWrites, type RedisStore, type Shard } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';
import { writeProbeKey } from '../keys.ts';
import type { Ticker } from './ticker.ts';

export interface StoreHealth {
  readonly degraded: boolean;
  /** The store's clock, in milliseconds, as far as this node knows it. */
  now(): number;
  /** The store refused a message, for a reason of its own. */
  noteRefusal(reason: string): void;
  onChange(callback: (degraded: boolean) => void): void;
  /** Asks at once, and from then on with the beat. */
  start(beat: Ticker): void;
  stop(): void;
}

/** One refused question is a hiccup, two are an outage; and so is one that nobody answered in so long. Clients hear of it within 2 s. */
const FAILURES_TO_DEGRADED = 2;
const HANGING_MS = 700;
const PROBE_TTL_MS = 5_000;
/** Replicas that keep up have a write in a few milliseconds. While they are asked, nothing else gets through on the connection. */
const REPLICAS_WAIT_MS = 250;

export function createStoreHealth(options: {
  store: RedisStore;
  node: string;
  /** False while messages cannot be stored although the store answers. */
  canAppend: () => boolean;
  /** So many replicas must have a message before it is acknowledged. */
  waitReplicas: number;
  beatMs: number;
  logger: Logger;
  localNow: () => number;
}): StoreHealth {
  const { store, logger, localNow } = options;
  const listeners: Array<(degraded: boolean) => void> = [];
  let failures = 0;
  let refusal: string | undefined;
  let degraded = false;
  let offsetMs = 0;
  let asking = false;
  let leaveBeat: (() => void) | undefined;

  const change = (next: boolean, reason?: string) => {
    if (next === degraded) return;
    degraded = next;
    if (degraded) logger.error({ reason }, 'degraded: the store does not answer, or refuses messages');
    else logger.info('recovered: the store answers and takes messages');
    for (const listener of listeners) listener(degraded);
  };

  const askShard = async (shard: Shard): Promise<number> => {
    const askedAt = localNow();
    gatherWrites(shard);
    const [seconds, micros] = (await shard.redis.time()) as unknown as [number, number];
    return Number(seconds) * 1_000 + Number(micros) / 1_000 - (askedAt + localNow()) / 2;
  };

  const probeWrite = async (shard: Shard): Promise<void> => {
    const tag = store.tagOn(shard);
    if (tag === undefined) throw new Error('a shard has no slots any more');
    await shard.redis.set(writeProbeKey(tag, options.node), '1', 'PX', PROBE_TTL_MS);
    if (options.waitReplicas === 0) return;
    const reached = await shard.redis.wait(options.waitReplicas, REPLICAS_WAIT_MS);
    if (reached < options.waitReplicas) throw new Error(`only ${reached} replicas have what is written`);
  };

  const ask = async () => {
    if (asking) return;
    asking = true;
    const askedAt = localNow();
    try {
      const offsets = await Promise.all(store.shards.map(askShard));
      // Shards of a Cluster are expected to agree; where they do not, the one that is furthest ahead lets nothing live too long.
      if (offsets.length > 0) offsetMs = Math.max(...offsets);
      // One that comes back may be full, or without the replicas that a message needs: to say that it is well takes a write.
      if (refusal !== undefined || degraded) await Promise.all(store.shards.map(probeWrite));
      refusal = undefined;
      if (!store.ready) throw new Error('a part of the store is not reached');
      if (!options.canAppend()) throw new Error('an append connection is down');
      failures = 0;
      change(false);
    } catch (error) {
      failures += localNow() - askedAt >= HANGING_MS ? FAILURES_TO_DEGRADED : 1;
      if (failures >= FAILURES_TO_DEGRADED) change(true, refusal ?? String(error));
    } finally {
      asking = false;
    }
  };

  return {
    get degraded() {
      return degraded;
    },
    now: () => Math.round(localNow() + offsetMs),
    noteRefusal(reason) {
      refusal = reason;
    },
    onChange(callback) {
      listeners.push(callback);
    },
    start(beat) {
      void ask();
      leaveBeat = beat.join(options.beatMs, () => void ask());
    },
    stop: () => leaveBeat?.(),
  };
}
