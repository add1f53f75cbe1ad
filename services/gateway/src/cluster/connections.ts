/** The node's connections to the store, of one kind for each kind of traffic, so that none waits behind another. */
import { openRedis, type RedisStore } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';

export interface Connections {
  /** Appends only: order on a connection is the order of its logs. The lane keeps the deadline. */
  append: RedisStore;
  /** Pages of logs and the directory: answers may be large. */
  read: RedisStore;
  /** Heartbeats, the store's clock, quotas, loads: small, and never behind a page. */
  control: RedisStore;
  /** The live channels of rooms; resubscribed by the subscriber, which has to know. */
  subscribe: RedisStore;
  signalsPub: RedisStore;
  signalsSub: RedisStore;
}

export function openConnections(options: { url: string; deadlineMs: number; node: string; logger: Logger }): {
  connections: Connections;
  close(): Promise<void>;
} {
  const { url, deadlineMs, node, logger } = options;
  const source = openRedis(url, { node, logger });
  const connections: Connections = {
    append: source.open('append', undefined),
    read: source.open('read', deadlineMs),
    control: source.open('control', deadlineMs),
    subscribe: source.open('subscribe', deadlineMs),
    signalsPub: source.open('signals-pub', deadlineMs),
    signalsSub: source.open('signals-sub', deadlineMs),
  };
  return {
    connections,
    async close() {
      await Promise.all(Object.values(connections).map((store: RedisStore) => store.close()));
      source.close();
    },
  };
}
