/** The node's connections to the store, one for each kind of traffic, so that none waits behind another. */
import { connectRedis, type Logger } from '@maru/service-kit';
import type { Redis } from 'ioredis';

export interface Connections {
  /** Appends only: order on it is the order of the log. Its lane keeps the deadline. */
  append: Redis;
  /** Pages of logs and the directory: answers may be large. */
  read: Redis;
  /** Heartbeats, the store's clock, quotas, loads: small, and never behind a page. */
  control: Redis;
  /** The live channels of rooms; resubscribed by the subscriber, which has to know. */
  subscribe: Redis;
  signalsPub: Redis;
  signalsSub: Redis;
}

const QUIT_WAIT_MS = 1_000;

export function openConnections(options: {
  url: string;
  deadlineMs: number;
  node: string;
  logger: Logger;
}): Connections {
  const { url, deadlineMs, node, logger } = options;
  const open = (purpose: string, deadline: number | undefined) =>
    connectRedis({ url, deadlineMs: deadline }, { purpose, node, logger });
  return {
    append: open('append', undefined),
    read: open('read', deadlineMs),
    control: open('control', deadlineMs),
    subscribe: open('subscribe', deadlineMs),
    signalsPub: open('signals-pub', deadlineMs),
    signalsSub: open('signals-sub', deadlineMs),
  };
}

/** Lets what was sent finish; a connection that cannot is dropped. */
export async function closeConnections(connections: Connections): Promise<void> {
  await Promise.all(
    Object.values(connections).map(async (redis: Redis) => {
      const done = redis.status === 'ready' ? redis.quit().catch(() => {}) : undefined;
      const bound = new Promise((resolve) => setTimeout(resolve, QUIT_WAIT_MS).unref());
      await Promise.race([done, bound]);
      redis.disconnect();
    }),
  );
}
