/**
 * The node's connections to Redis. Each kind of traffic has its own, so that no traffic waits
 * behind another kind.
 */
import { openRedis, type RedisStore } from '@maru/redis-store';
import type { Logger } from '@maru/service-kit';

export interface Connections {
  /**
   * For appends only, because the order on a connection is the order of the logs. The batcher keeps
   * the deadline.
   */
  append: RedisStore;
  /** Pages of logs and the directory: answers may be large. */
  read: RedisStore;
  /** Redis' clock, quotas and loads: small replies that must not wait behind pages. */
  control: RedisStore;
  /** The channels of rooms. The subscriber resubscribes itself, because it must notice losses. */
  subscribe: RedisStore;
  ephemeralPub: RedisStore;
  ephemeralSub: RedisStore;
}

/** The `purpose` label of metrics. */
export const PURPOSES: Record<keyof Connections, string> = {
  append: 'append',
  read: 'read',
  control: 'control',
  subscribe: 'subscribe',
  ephemeralPub: 'signalsPub',
  ephemeralSub: 'signalsSub',
};

export function openConnections(options: {
  url: string;
  deadlineMs: number;
  node: string;
  logger: Logger;
  /** Called with the `purpose` label when a silent connection was closed. */
  onSilent: (purpose: string) => void;
}): {
  connections: Connections;
  close(): Promise<void>;
} {
  const { url, deadlineMs, node, logger } = options;
  // `signals-pub` is the label `signalsPub`.
  const onSilent = (purpose: string) => options.onSilent(purpose.replace(/-(.)/, (_, first) => first.toUpperCase()));
  const source = openRedis(url, { node, logger, onSilent });
  const connections: Connections = {
    append: source.open('append', undefined),
    read: source.open('read', deadlineMs),
    control: source.open('control', deadlineMs),
    subscribe: source.open('subscribe', deadlineMs),
    ephemeralPub: source.open('signals-pub', deadlineMs),
    ephemeralSub: source.open('signals-sub', deadlineMs),
  };
  return {
    connections,
    async close() {
      await Promise.all(Object.values(connections).map((store: RedisStore) => store.close()));
      source.close();
    },
  };
}
