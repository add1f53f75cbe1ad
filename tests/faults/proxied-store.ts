/** A store with proxies before all its servers. The services know only the proxies. */
import {
  startRedisCluster,
  startRedisSentinel,
  startTcpProxy,
  startTestRedis,
  type TcpProxy,
  type TestRedis,
} from '@maru/service-kit/testing';
import type { StoreKind } from './options.ts';

export interface ProxiedStore {
  /** The address for gateways. */
  url: string;
  presenceUrl: string;
  /** One of the servers. */
  redis: TestRedis;
  /** The first one is only between the gateways and a single Redis. */
  proxies: TcpProxy[];
  stop(): Promise<void>;
}

export async function startProxiedStore(kind: StoreKind): Promise<ProxiedStore> {
  if (kind === 'single') return startSingle();
  if (kind === 'sentinel') {
    const { url, primary, proxies, stop } = await startRedisSentinel({ proxied: true });
    return { url, presenceUrl: url, redis: primary, proxies, stop };
  }
  const { url, nodes, proxies, stop } = await startRedisCluster({ proxied: true });
  return { url, presenceUrl: url, redis: nodes[0] as TestRedis, proxies, stop };
}

async function startSingle(): Promise<ProxiedStore> {
  const redis = await startTestRedis();
  const target = { host: '127.0.0.1', port: redis.port };
  const [forGateways, forPresence] = [await startTcpProxy(target), await startTcpProxy(target)];
  return {
    url: `redis://127.0.0.1:${forGateways.port}`,
    presenceUrl: `redis://127.0.0.1:${forPresence.port}`,
    redis,
    proxies: [forGateways, forPresence],
    async stop() {
      await Promise.all([forGateways.close(), forPresence.close()]);
      await redis.stop();
    },
  };
}
