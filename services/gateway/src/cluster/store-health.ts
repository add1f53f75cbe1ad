/**
 * Whether the store answers and takes messages, and what time it has. One small question every half second: its failures make the node
 * tell its clients `degraded`, its answers keep the clock that expiries are judged by. A store that answers but refuses to write (full,
 * read-only, its disk in trouble) is noticed by the messages that it refuses, and from then on asked by a small write.
 */
import type { Logger } from '@maru/service-kit';
import type { Redis } from 'ioredis';

export interface StoreHealth {
  readonly degraded: boolean;
  /** The store's clock, in milliseconds, as far as this node knows it. */
  now(): number;
  /** The store refused a message, for a reason of its own. */
  noteRefusal(reason: string): void;
  onChange(callback: (degraded: boolean) => void): void;
  start(): void;
  stop(): void;
}

/** One refused question is a hiccup, two are an outage; and so is one that nobody answered in so long. Clients hear of it within 2 s. */
const FAILURES_TO_DEGRADED = 2;
const HANGING_MS = 700;
const PROBE_TTL_MS = 5_000;

export function createStoreHealth(options: {
  redis: Redis;
  /** A key of this node alone, for asking whether the store takes a write. */
  probeKey: string;
  /** False while messages cannot be stored although the store answers. */
  canAppend: () => boolean;
  beatMs: number;
  logger: Logger;
  localNow: () => number;
}): StoreHealth {
  const { redis, logger, localNow } = options;
  const listeners: Array<(degraded: boolean) => void> = [];
  let failures = 0;
  let refusal: string | undefined;
  let degraded = false;
  let offsetMs = 0;
  let asking = false;
  let timer: NodeJS.Timeout | undefined;

  const change = (next: boolean, reason?: string) => {
    if (next === degraded) return;
    degraded = next;
    if (degraded) logger.error({ reason }, 'degraded: the store does not answer, or refuses messages');
    else logger.info('recovered: the store answers and takes messages');
    for (const listener of listeners) listener(degraded);
  };

  const ask = async () => {
    if (asking) return;
    asking = true;
    const askedAt = localNow();
    try {
      const [seconds, micros] = (await redis.time()) as unknown as [number, number];
      const answeredAt = localNow();
      offsetMs = Number(seconds) * 1_000 + Number(micros) / 1_000 - (askedAt + answeredAt) / 2;
      if (refusal !== undefined) await redis.set(options.probeKey, '1', 'PX', PROBE_TTL_MS);
      refusal = undefined;
      if (!options.canAppend()) throw new Error('the append connection is down');
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
    start() {
      void ask();
      timer = setInterval(ask, options.beatMs);
    },
    stop: () => clearInterval(timer),
  };
}
