/**
 * A store on Redis Sentinel for a trial: a primary, two replicas and three Sentinels, as real
 * processes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findFreePort, findRedisBinary, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import { poll } from '../support/poll.ts';
import { type OwnStore, onNode } from './store.ts';

export interface SentinelStore extends OwnStore {
  waitReplicas: number;
  readonly primary: TestRedis;
  replicas(): TestRedis[];
  /** Waits until another node is the primary. Resolves with the time. */
  untilPromoted(old: TestRedis): Promise<number>;
  /** Resolves when every replica follows the primary. */
  untilFollowed(): Promise<void>;
  /** Disconnects the replicas from the primary until `rejoin`. */
  cutOff(): Promise<void>;
  rejoin(): Promise<void>;
  /** Starts a node that is down, as a replica of the primary. */
  restart(node: TestRedis): Promise<void>;
  sentinels: Array<{ kill(): Promise<void>; start(): void }>;
}

const NAME = 'main';
export const REPLICAS = 2;
const SENTINELS = 3;
const QUORUM = 2;
/** Sentinel's timeout. With a shorter one a busy machine would look dead. */
const DOWN_AFTER_MS = 2_000;
const FAILOVER_TIMEOUT_MS = 6_000;
const LOOK_MS = 25;
const PROMOTED_TIMEOUT_MS = 60_000;
const FOLLOWED_TIMEOUT_MS = 60_000;

export async function startSentinelStore(options: { waitReplicas: number }): Promise<SentinelStore> {
  const directory = mkdtempSync(path.join(tmpdir(), 'maru-sentinel-'));
  // Without this delay a returning replica synchronises at once.
  const settings = { 'repl-diskless-sync-delay': '0', 'repl-backlog-size': '16mb' };
  const nodes: TestRedis[] = [];
  const running: ChildProcess[] = [];
  const stop = async () => {
    for (const child of running) child.kill('SIGKILL');
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    let primary = await startTestRedis({ appendOnly: 'always', settings });
    nodes.push(primary);
    const first = primary;
    const started = Array.from({ length: REPLICAS }, () =>
      startTestRedis({ appendOnly: 'always', settings: { ...settings, replicaof: `127.0.0.1 ${first.port}` } }),
    );
    nodes.push(...(await Promise.all(started)));
    const ports: number[] = [];
    const sentinels = await Promise.all(
      Array.from({ length: SENTINELS }, async (_, index) => {
        const port = await findFreePort();
        ports.push(port);
        const file = path.join(directory, `sentinel-${index + 1}.conf`);
        writeFileSync(file, sentinelConfig({ port, directory, primaryPort: first.port }));
        const start = () => {
          const child = spawn(findRedisBinary(), [file, '--sentinel'], { stdio: 'ignore' });
          running[index] = child;
        };
        start();
        return {
          start,
          kill: async () => {
            const child = running[index];
            if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
            const ended = new Promise((resolve) => child.once('exit', resolve));
            child.kill('SIGKILL');
            await ended;
          },
        };
      }),
    );
    const others = () => nodes.filter((node) => node !== primary);
    const store: SentinelStore = {
      url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
      environment: { MARU_REDIS_WAIT_REPLICAS: String(options.waitReplicas) },
      waitReplicas: options.waitReplicas,
      sentinels,
      get primary() {
        return primary;
      },
      replicas: others,
      primaries: async () => [primary.url],
      async untilPromoted(old) {
        await poll(
          'a replica to be promoted',
          async () => {
            for (const node of nodes) {
              if (node === old || (await roleOf(node)) !== 'master') continue;
              primary = node;
              return true;
            }
            return false;
          },
          { timeoutMs: PROMOTED_TIMEOUT_MS, everyMs: LOOK_MS },
        );
        return performance.timeOrigin + performance.now();
      },
      async untilFollowed() {
        await poll('every replica to follow', async () => (await followers(primary)) === REPLICAS, {
          timeoutMs: FOLLOWED_TIMEOUT_MS,
          everyMs: LOOK_MS,
        });
      },
      async cutOff() {
        // A wrong password keeps the replicas away. Sentinel does not notice it.
        for (const node of others())
          await onNode(node.url, (redis) => redis.call('CONFIG', 'SET', 'masterauth', 'wrong'));
        await onNode(primary.url, (redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'replica'));
      },
      async rejoin() {
        for (const node of nodes)
          await onNode(node.url, (redis) => redis.call('CONFIG', 'SET', 'masterauth', '')).catch(() => {});
      },
      async restart(node) {
        await node.restart();
        await onNode(node.url, (redis) => redis.call('REPLICAOF', '127.0.0.1', String(primary.port)));
      },
      stop,
    };
    await store.untilFollowed();
    await poll('the Sentinels to know each other and the replicas', () => knowAll(ports), {
      timeoutMs: 30_000,
      everyMs: 200,
    });
    return store;
  } catch (error) {
    await stop();
    throw error;
  }
}

const sentinelConfig = (options: { port: number; directory: string; primaryPort: number }) =>
  [
    `port ${options.port}`,
    'bind 127.0.0.1',
    `dir ${options.directory}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${options.primaryPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
    '',
  ].join('\n');

const roleOf = (node: TestRedis) =>
  onNode(node.url, async (redis) => String(((await redis.call('ROLE')) as unknown[])[0])).catch(() => 'down');

/** How many replicas are synchronised with the primary. */
async function followers(primary: TestRedis): Promise<number> {
  const info = await onNode(primary.url, (redis) => redis.info('replication'));
  return info.match(/^slave\d+:.*state=online/gm)?.length ?? 0;
}

async function knowAll(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) {
    const info = await onNode(`redis://127.0.0.1:${port}`, (redis) => redis.info('sentinel'));
    if (!info.includes(`slaves=${REPLICAS},sentinels=${SENTINELS}`)) return false;
  }
  return true;
}
