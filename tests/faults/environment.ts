/**
 * The environment of a trial: a cluster behind nginx, or gateways with a proxy between them and
 * Redis.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Entry, PresenceSnapshot } from '@maru/protocol';
import type { TcpProxy } from '@maru/service-kit/testing';
import { type Cluster, type ProcessStatus, startCluster } from '../support/cluster.ts';
import { startGateways } from '../support/gateways.ts';
import { call } from '../support/http.ts';
import { poll } from '../support/poll.ts';
import { mintToken } from '../support/tokens.ts';
import { checkArchive } from './archive-check.ts';
import type { StoreKind } from './options.ts';
import { startProxiedStore } from './proxied-store.ts';
import { type Disk, mountSmallDisk } from './small-disk.ts';
import { type OwnStore, onNode, type Redis } from './store.ts';

export interface GatewayFigures {
  /** Number of reads of the log that resumes have caused. */
  resumeReads: number;
  /** The longest delay of its event loop since the last read. */
  loopLagMs: number;
}

export interface ArchiveOfTrial {
  /** Number of newest entries of a room that the hot log always keeps. */
  keptEntries: number;
  /** @returns differences between a quiet room's archive and its whole history */
  check(room: string, history: readonly Entry[]): Promise<string[]>;
}

export interface Environment {
  /** Addresses for clients. */
  endpoints: readonly string[];
  /** A token that is valid for the run, or for `lifetimeMs`. */
  token(user: string, lifetimeMs?: number): string;
  presence(room: string): Promise<PresenceSnapshot>;
  /** The running services by name, with their pid. None may exit because the store is down. */
  services(): Promise<Map<string, number>>;
  /** Resolves when all ended processes run again. Rejects after a timeout. */
  complete(): Promise<void>;
  /** The figures of each running gateway, by name and pid. */
  figures?(): Promise<Map<string, GatewayFigures>>;
  archive?: ArchiveOfTrial;
  /** The rate of a drain: the number of clients that are advised to leave each second. */
  drainPerSecond?: number;
  stop(): Promise<void>;
}

export interface ClusterEnvironment<S extends OwnStore | undefined = OwnStore | undefined> extends Environment {
  cluster: Cluster;
  /** The store of the trial; undefined for the cluster's own Redis. */
  store: S;
  /** A small file system for the cluster's own Redis, or the reason why there is none. */
  disk: Disk | string;
  process(name: string): Promise<ProcessStatus & { pid: number }>;
  gateways(): Promise<Array<ProcessStatus & { pid: number }>>;
  /** Runs administrator commands on each primary of the store, one after the other. */
  admin(work: (redis: Redis) => Promise<unknown>): Promise<void>;
  /** Sets a gateway's clock wrong, now and after a restart. */
  setClock(gateway: { name: string; pid: number }, offsetMs: number): void;
}

export interface ProxiedEnvironment extends Environment {
  /** Proxies in front of all servers of the store. */
  proxies: readonly TcpProxy[];
}

const COMPLETE_TIMEOUT_MS = 30_000;
/** A short log, so that reads soon need the archive. Resumes do not. */
const SHORT_LOG = { MARU_RETENTION_ENTRIES_MIN: '1500', MARU_RETENTION_ENTRIES_MAX: '1500' };
const TOKEN_LIFETIME_MS = 12 * 3_600_000;
const PROXIED_SECRET = 'a-secret-for-tests-only-0123456789abcdef';

const tokenOf = (secret: string, user: string, lifetimeMs = TOKEN_LIFETIME_MS) =>
  mintToken(secret, { sub: user, name: user, exp: Math.floor((Date.now() + lifetimeMs) / 1_000) });

async function readPresence(endpoint: string, token: string, room: string): Promise<PresenceSnapshot> {
  const { status, body } = await call(endpoint, `/rooms/${room}/presence`, { token });
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as PresenceSnapshot;
}

/**
 * @param options.drainPerSecond low enough that a drain takes some seconds with the few clients of
 * a trial
 */
export async function startClusterEnvironment<S extends OwnStore | undefined = undefined>(options: {
  gateways: number;
  drainPerSecond?: number;
  store?: S;
  /** The log is on a disk that can be filled. The disk is in memory, so syncing is free. */
  smallDisk?: boolean;
  /** Also runs PostgreSQL and an archiver, and the log keeps few entries. */
  archive?: boolean;
  /** Settings of the services, by their variables. */
  settings?: Record<string, string>;
}): Promise<ClusterEnvironment<S>> {
  const { store, drainPerSecond } = options;
  const dataDir = mkdtempSync(path.join(tmpdir(), 'maru-cluster-'));
  const clocks = path.join(dataDir, 'clocks');
  mkdirSync(clocks);
  // Mounted before Redis creates its folder, so that all its files are on this disk.
  const disk = options.smallDisk ? await mountSmallDisk(path.join(dataDir, 'redis')) : 'not requested';
  const tidy = async () => {
    if (typeof disk !== 'string') await disk.unmount();
    rmSync(dataDir, { recursive: true, force: true });
  };
  let cluster: Cluster;
  try {
    cluster = await startCluster({
      gateways: options.gateways,
      dataDir,
      archive: options.archive === true,
      env: {
        ...(options.archive ? SHORT_LOG : {}),
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
    presence: (room) => readPresence(cluster.endpoint, token('observer'), room),
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
  if (options.archive) {
    environment.archive = {
      keptEntries: Number({ ...SHORT_LOG, ...options.settings }.MARU_RETENTION_ENTRIES_MIN),
      check: async (room, history) => checkArchive((await environment.process('postgres')).address, room, history),
    };
  }
  return environment;
}

export async function startProxiedEnvironment(options: {
  gateways: number;
  store?: StoreKind;
  settings?: Record<string, string>;
}): Promise<ProxiedEnvironment> {
  const store = await startProxiedStore(options.store ?? 'single');
  const services = await startGateways({
    redis: store.redis,
    gateways: options.gateways,
    environment: options.settings ?? {},
    presenceEnvironment: { MARU_REDIS_URL: store.presenceUrl },
    redisUrl: () => store.url,
  }).catch(async (error: unknown) => {
    await store.stop();
    throw error;
  });
  const { gateways, presence, stop } = services;
  const token = (user: string, lifetimeMs?: number) => tokenOf(PROXIED_SECRET, user, lifetimeMs);
  return {
    proxies: store.proxies,
    endpoints: gateways.map(({ url }) => url),
    token,
    presence: (room) => readPresence(gateways[0]?.url ?? '', token('observer'), room),
    async services() {
      const alive = [...gateways, presence].filter((service) => service.alive);
      return new Map(alive.map(({ name, child }) => [name, child.pid ?? 0]));
    },
    complete: async () => {},
    async stop() {
      await stop();
      await store.stop();
    },
  };
}
