/** Opens stores by an address: one server, Sentinels, or a Cluster. */
import type { Redis } from 'ioredis';
import { parseRedisAddress } from './address.ts';
import { ClusterTopology } from './cluster-topology.ts';
import { openConnection, type RedisUser } from './connect.ts';
import { SentinelTopology } from './sentinel-topology.ts';
import { ShardedStore } from './sharded-store.ts';
import { type RedisStore, singleStore } from './store.ts';
import { hostOf, type Topology } from './topology.ts';
import { Watchdog } from './watchdog.ts';

/**
 * Opens stores with the same content and separate connections, so that one kind of traffic does not
 * wait behind another.
 */
export interface RedisSource {
  /** `deadlineMs`: see `RedisSettings`. */
  open(purpose: string, deadlineMs: number | undefined): RedisStore;
  /** Closes what the stores share. The caller MUST close the stores first. */
  close(): void;
}

/** Deadline of a topology query. */
const TOPOLOGY_DEADLINE_MS = 700;

/** `onSilent`: a connection of this purpose was closed because it was silent. */
export function openRedis(
  url: string,
  user: Omit<RedisUser, 'purpose'> & { onSilent?: (purpose: string) => void },
): RedisSource {
  const address = parseRedisAddress(url);
  const watchdog = new Watchdog(user);
  if ('url' in address) {
    return {
      open: (purpose, deadlineMs) =>
        singleStore(openConnection(address.url, deadlineMs, { ...user, purpose }, watchdog)),
      close: () => {},
    };
  }
  const now = () => performance.now();
  const { login } = 'cluster' in address ? address.cluster : address.sentinel;
  const connect = (at: string, purpose: string, deadlineMs: number | undefined): Redis =>
    openConnection({ ...hostOf(at), ...login }, deadlineMs, { ...user, purpose }, watchdog);
  const topology: Topology =
    'cluster' in address
      ? new ClusterTopology({
          seeds: address.cluster.seeds,
          connect: (at) => connect(at, 'topology', TOPOLOGY_DEADLINE_MS),
          now,
        })
      : new SentinelTopology({
          sentinels: address.sentinel.sentinels,
          name: address.sentinel.name,
          connect: (at) =>
            openConnection(
              { ...at, ...address.sentinel.sentinelLogin, enableReadyCheck: false },
              TOPOLOGY_DEADLINE_MS,
              { ...user, purpose: 'sentinel' },
              watchdog,
            ),
          logger: user.logger,
        });
  return {
    open: (purpose, deadlineMs) =>
      new ShardedStore({ topology, connect: (at) => connect(at, purpose, deadlineMs), deadlineMs, now }),
    close: () => topology.close(),
  };
}
