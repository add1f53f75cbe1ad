/** What a trial acts upon: a whole cluster behind nginx, or gateways whose way to the store leads through a proxy. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PresenceSnapshot } from '@maru/protocol';
import { type Cluster, type ProcessStatus, startCluster } from '../support/cluster.ts';
import { startGateways } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { mintToken } from '../support/tokens.ts';
import { type Disk, mountSmallDisk } from './small-disk.ts';
import { type OwnStore, onNode, type Redis } from './store.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface GatewayFigures {
  /** Reads of the log that resumes have cost so far. */
  resumeReads: number;
  /** How long its event loop was held up at most since somebody asked before. */
  loopLagMs: number;
}

export interface Environment {
  /** Where clients connect. */
  endpoints: readonly string[];
  /** Valid for longer than any run, or for `lifetimeMs`. */
  token(user: string, lifetimeMs?: number): string;
  presence(room: string): Promise<PresenceSnapshot>;
  /** The services that run, by name and pid: none may end because the store did. */
  services(): Promise<Map<string, number>>;
  /** Resolves once everything that was ended runs again; rejects where that takes too long. */
  complete(): Promise<void>;
  /** What each gateway process that runs says of itself, by name and pid. */
  figures?(): Promise<Map<string, GatewayFigures>>;
  /** So many clients a second are asked to go when a gateway leaves. */
  drainPerSecond?: number;
  stop(): Promise<void>;
}

export interface ClusterEnvironment<S extends OwnStore | undefined = OwnStore | undefined> extends Environment {
  cluster: Cluster;
  /** The store that the trial brought; undefined where it is the cluster's own Redis. */
  store: S;
  /** A small file system under the cluster's own Redis, or why there is none. */
  disk: Disk | string;
  process(name: string): Promise<ProcessStatus & { pid: number }>;
  gateways(): Promise<Array<ProcessStatus & { pid: number }>>;
  /** Runs commands with the administrator's rights on each node of the store that takes writes, one after the other. */
  admin(work: (redis: Redis) => Promise<unknown>): Promise<void>;
  /** Sets a gateway's clock wrong by so much, now and when it starts again. */
  setClock(gateway: { name: string; pid: number }, offsetMs: number): void;
}

export interface ProxiedEnvironment extends Environment {
  proxy: TcpProxy;
}

const COMPLETE_TIMEOUT_MS = 30_000;
const TOKEN_LIFETIME_MS = 12 * 3_600_000;
const PROXIED_SECRET = 'a-secret-for-tests-only-0123456789abcdef';

const tokenOf = (secret: string, user: string, lifetimeMs = TOKEN_LIFETIME_MS) =>
  mintToken(secret, { sub: user, name: user, exp: Math.floor((Date.now() + lifetimeMs) / 1_000) });

async function readPresence(endpoint: string, token: string, room: string): Promise<PresenceSnapshot> {
  const { status, body } = await call(endpoint, `/rooms/${room}/presence`, { token });
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as PresenceSnapshot;
}

/** @param options.drainPerSecond low enough for a hand-over to take a moment with the few clients of a trial */
export async function startClusterEnvironment<S extends OwnStore | undefined = undefined>(options: {
  gateways: number;
  drainPerSecond?: number;
  store?: S;
  /** The log is on a disk that can be full, which is in memory: syncing it costs nothing. */
  smallDisk?: boolean;
  /** Settings of the services, by the names of their variables. */
  settings?: Record<string, string>;
}): Promise<ClusterEnvironment<S>> {
  const { store, drainPerSecond } = options;
  const dataDir = mkdtempSync(path.join(tmpdir(), 'maru-cluster-'));
  const clocks = path.join(dataDir, 'clocks');
  mkdirSync(clocks);
  // Mounted before Redis makes its folder, so that whatever it writes is on it.
  const disk = options.smallDisk ? await mountSmallDisk(path.join(dataDir, 'redis')) : 'none was asked for';
  const tidy = async () => {
    if (typeof disk !== 'string') await disk.unmount();
    rmSync(dataDir, { recursive: true, force: true });
  };
  let cluster: Cluster;
  try {
    cluster = await startCluster({
      gateways: options.gateways,
      dataDir,
      env: {
        ...options.settings,
        NODE_OPTIONS: `--import=${new URL('preload.mjs', import.meta.url).href}`,
        FAULTS_CLOCKS: clocks,
        ...(drainPerSecond === undefined ? {} : { MARU_DRAIN_PER_SECOND: String(drainPerSecond) }),
        ...(store === undefined ? {} : { FAULTS_REDIS_URL: store.url, ...store.environment }),
      },
    });
  } catch (error) {
    await tidy();
    throw error;
  }
  const running = async () =>
    (await cluster.status()).processes.filter(
      (status): status is ProcessStatus & { pid: number } => status.pid !== null,
    );
  const token = (user: string, lifetimeMs?: number) => tokenOf(cluster.jwtSecret, user, lifetimeMs);
  const environment: ClusterEnvironment<S> = {
    cluster,
    store: store as S,
    disk,
    endpoints: [cluster.endpoint],
    token,
    ...(drainPerSecond === undefined ? {} : { drainPerSecond }),
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
      const urls = store === undefined ? [(await environment.process('redis')).address] : await store.primaries();
      for (const url of urls) await onNode(url, work);
    },
    setClock({ name, pid }, offsetMs) {
      writeFileSync(path.join(clocks, name), String(offsetMs));
      process.kill(pid, 'SIGUSR2');
    },
    async figures() {
      const figures = (await environment.gateways()).map(
        async ({ name, pid, ops }): Promise<[string, GatewayFigures]> => {
          const text = await (await fetch(`${ops}/metrics`)).text();
          const read = (metric: string) => Number(new RegExp(`^${metric} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
          const loopLagMs = read('nodejs_eventloop_lag_max_seconds') * 1_000;
          return [`${name} ${pid}`, { resumeReads: read('maru_resume_reads_total'), loopLagMs }];
        },
      );
      return new Map(await Promise.all(figures));
    },
    async stop() {
      await cluster.stop();
      await tidy();
    },
  };
  return environment;
}

export async function startProxiedEnvironment(options: {
  gateways: number;
  settings?: Record<string, string>;
}): Promise<ProxiedEnvironment> {
  let proxy: TcpProxy | undefined;
  const { gateways, presence, stop } = await startGateways({
    gateways: options.gateways,
    environment: options.settings ?? {},
    redisUrl: async ({ port }) => {
      proxy = await startTcpProxy({ host: '127.0.0.1', port });
      return `redis://127.0.0.1:${proxy.port}`;
    },
  });
  assert(proxy !== undefined);
  const started = proxy;
  const token = (user: string, lifetimeMs?: number) => tokenOf(PROXIED_SECRET, user, lifetimeMs);
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
