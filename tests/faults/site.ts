/** What a trial acts upon: a whole cluster behind nginx, or gateways whose way to the store leads through a proxy. */
import assert from 'node:assert/strict';
import type { PresenceSnapshot } from '@maru/protocol';
import { connectRedis, createLogger, waitUntilReady } from '@maru/service-kit';
import { type Cluster, type ProcessStatus, startCluster } from '../support/cluster.ts';
import { startGateways } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { mintToken } from '../support/tokens.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

type Redis = ReturnType<typeof connectRedis>;

export interface Site {
  /** Where clients connect. */
  endpoints: readonly string[];
  token(user: string): string;
  presence(room: string): Promise<PresenceSnapshot>;
  /** The services that run, by name and pid: none may end because the store did. */
  services(): Promise<Map<string, number>>;
  /** Resolves once everything that was ended runs again; rejects where that takes too long. */
  complete(): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterSite extends Site {
  cluster: Cluster;
  process(name: string): Promise<ProcessStatus & { pid: number }>;
  gateways(): Promise<Array<ProcessStatus & { pid: number }>>;
  /** Runs commands on the store with the administrator's rights, over a connection of its own. */
  admin<T>(work: (redis: Redis) => Promise<T>): Promise<T>;
}

export interface ProxiedSite extends Site {
  proxy: TcpProxy;
}

const COMPLETE_TIMEOUT_MS = 30_000;
/** Longer than any run; tokens of tests are not what is tested here. */
const TOKEN_LIFETIME_S = 12 * 3_600;
const PROXIED_SECRET = 'a-secret-for-tests-only-0123456789abcdef';

const longToken = (secret: string, user: string) =>
  mintToken(secret, { sub: user, name: user, exp: Math.floor(Date.now() / 1_000) + TOKEN_LIFETIME_S });

async function readPresence(endpoint: string, token: string, room: string): Promise<PresenceSnapshot> {
  const { status, body } = await call(endpoint, `/rooms/${room}/presence`, { token });
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as PresenceSnapshot;
}

export async function startClusterSite(options: { gateways: number }): Promise<ClusterSite> {
  const cluster = await startCluster({ gateways: options.gateways });
  const running = async () =>
    (await cluster.status()).processes.filter(
      (status): status is ProcessStatus & { pid: number } => status.pid !== null,
    );
  const token = (user: string) => longToken(cluster.jwtSecret, user);
  const site: ClusterSite = {
    cluster,
    endpoints: [cluster.endpoint],
    token,
    presence: (room) => readPresence(cluster.endpoint, token('onlooker'), room),
    async services() {
      const services = (await running()).filter(({ kind }) => kind === 'gateway' || kind === 'presence');
      return new Map(services.map(({ name, pid }) => [name, pid]));
    },
    async complete() {
      await poll(
        'every process to run',
        async () => (await cluster.status()).processes.every(({ state }) => state === 'up' || state === 'down'),
        { timeoutMs: COMPLETE_TIMEOUT_MS, everyMs: 200 },
      );
    },
    async process(name) {
      const found = (await running()).find((status) => status.name === name);
      assert(found !== undefined, `${name} does not run`);
      return found;
    },
    gateways: async () => (await running()).filter(({ kind, state }) => kind === 'gateway' && state === 'up'),
    async admin(work) {
      const { address } = await site.process('redis');
      const logger = createLogger({ service: 'faults', node: 'faults', level: 'silent' });
      const redis = connectRedis({ url: address, deadlineMs: 5_000 }, { purpose: 'faults', node: 'faults', logger });
      try {
        assert(await waitUntilReady(redis, 5_000), 'the store does not answer its administrator');
        return await work(redis);
      } finally {
        redis.disconnect();
      }
    },
    stop: () => cluster.stop(),
  };
  return site;
}

export async function startProxiedSite(options: { gateways: number }): Promise<ProxiedSite> {
  let proxy: TcpProxy | undefined;
  const { gateways, presence, stop } = await startGateways({
    gateways: options.gateways,
    redisUrl: async ({ port }) => {
      proxy = await startTcpProxy({ host: '127.0.0.1', port });
      return `redis://127.0.0.1:${proxy.port}`;
    },
  });
  assert(proxy !== undefined);
  const started = proxy;
  const token = (user: string) => longToken(PROXIED_SECRET, user);
  return {
    proxy,
    endpoints: gateways.map(({ url }) => url),
    token,
    presence: (room) => readPresence(gateways[0]?.url ?? '', token('onlooker'), room),
    async services() {
      const alive = [...gateways, presence].filter((service) => service.alive);
      return new Map(alive.map(({ name, child }) => [name, child.pid ?? 0]));
    },
    complete: async () => {},
    async stop() {
      await stop();
      await started.close();
    },
  };
}
