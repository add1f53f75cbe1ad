/**
 * A Redis with Sentinels for tests: a primary, one replica and three Sentinels, as real processes
 * on free ports.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findFreePort } from './free-port.ts';
import { poll } from './poll.ts';
import { findRedisBinary, startTestRedis, type TestRedis, type TestRedisOptions } from './redis-server.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface TestRedisSentinel {
  /** The address of the Sentinels, in the form of `MARU_REDIS_URL`. */
  url: string;
  sentinelUrls: string[];
  /** The primary at the start. After a failover, it may be the replica. */
  primary: TestRedis;
  replica: TestRedis;
  /** The proxies in front of all servers and Sentinels, if `proxied`. */
  proxies: TcpProxy[];
  /** Ends all processes and deletes their files. */
  stop(): Promise<void>;
}

const NAME = 'main';
const SENTINELS = 3;
const QUORUM = 2;
/** A primary that is silent for this long counts as dead. */
const DOWN_AFTER_MS = 700;
const FAILOVER_TIMEOUT_MS = 5_000;
const READY_TIMEOUT_MS = 15_000;

export async function startRedisSentinel(
  options: Pick<TestRedisOptions, 'appendOnly'> & { proxied?: boolean } = {},
): Promise<TestRedisSentinel> {
  const servers: TestRedis[] = [];
  const sentinels: ChildProcess[] = [];
  const proxies: TcpProxy[] = [];
  const directory = await mkdtemp(join(tmpdir(), 'maru-sentinel-'));
  const stop = async () => {
    for (const sentinel of sentinels) sentinel.kill('SIGKILL');
    await Promise.all([...servers, ...proxies].map((part) => ('stop' in part ? part.stop() : part.close())));
    await rm(directory, { recursive: true, force: true });
  };
  const appendOnly = options.appendOnly === undefined ? {} : { appendOnly: options.appendOnly };
  /** Returns the port for clients. */
  const proxy = async (port: number) => {
    if (!options.proxied) return port;
    const started = await startTcpProxy({ host: '127.0.0.1', port });
    proxies.push(started);
    return started.port;
  };
  const start = async (settings: Record<string, string>) => {
    const port = await findFreePort();
    const clientPort = await proxy(port);
    const server = await startTestRedis({
      ...appendOnly,
      port,
      settings: { 'repl-diskless-sync-delay': '0', 'replica-announce-port': String(clientPort), ...settings },
    });
    servers.push(server);
    return { server, clientPort };
  };
  try {
    const { server: primary, clientPort: primaryPort } = await start({});
    const { server: replica } = await start({ replicaof: `127.0.0.1 ${primaryPort}` });
    const sentinelUrls: string[] = [];
    for (let index = 0; index < SENTINELS; index++) {
      const port = await findFreePort();
      const file = join(directory, `sentinel-${index}.conf`);
      await writeFile(file, sentinelConfig({ port, directory, primaryPort }));
      sentinels.push(spawn(findRedisBinary(), [file, '--sentinel'], { stdio: 'ignore' }));
      sentinelUrls.push(`redis://127.0.0.1:${await proxy(port)}`);
    }
    await poll('the Sentinels to know each other and the replica', () => knowEachOther(sentinelUrls), {
      timeoutMs: READY_TIMEOUT_MS,
      everyMs: 100,
    });
    const hosts = sentinelUrls.map((url) => new URL(url).host);
    return { url: `redis+sentinel://${hosts.join(',')}/${NAME}`, sentinelUrls, primary, replica, proxies, stop };
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

async function knowEachOther(urls: string[]): Promise<boolean> {
  const answers = await Promise.all(urls.map(infoOf));
  return answers.every((info) => info.includes(`slaves=1,sentinels=${SENTINELS}`));
}

async function infoOf(url: string): Promise<string> {
  const redis = new Redis(url, { protocol: 2, lazyConnect: true, retryStrategy: null, enableReadyCheck: false });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await redis.info('sentinel');
  } finally {
    redis.disconnect();
  }
}
