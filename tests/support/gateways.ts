/**
 * Redis, presence and gateways without nginx, as child processes on free ports: for behaviour that
 * nginx hides, and for faults that must not happen to a cluster that tests share.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { NODE_FLAGS } from '@maru/service-kit';
import { findFreePort, startTestRedis, type TestRedis } from '@maru/service-kit/testing';
import type { TestClient } from './client.ts';
import { repository } from './cluster.ts';
import { poll } from './poll.ts';
import { mintToken } from './tokens.ts';

/** Signs tokens, and requests to the presence service. */
export const SECRET = 'a-secret-for-tests-only-0123456789abcdef';
const START_TIMEOUT_MS = 60_000;
const OUTPUT_CHARS_MAX = 20_000;
const START_ATTEMPTS = 3;

/** Limits so wide that a test reaches only the limit that it tests. */
export const WIDE_LIMITS: Record<string, string> = {
  MARU_USER_MESSAGES_PER_SECOND: '50000',
  MARU_USER_MESSAGES_BURST: '100000',
  MARU_USER_ROOMS_MAX: '100000',
  MARU_USER_ROOMS_PER_HOUR: '100000',
  MARU_GUEST_ROOMS_MAX: '100000',
  MARU_GUEST_ROOMS_PER_HOUR: '100000',
  MARU_CONNECTION_EVENTS_PER_SECOND: '50000',
  MARU_CONNECTION_EVENTS_BURST: '100000',
};

export interface ServiceProcess {
  name: string;
  /** Where clients connect. */
  url: string;
  readonly child: ChildProcess;
  /** False after the process has ended for any reason. */
  readonly alive: boolean;
  /** The end of what it printed. */
  output(): string;
  /** Whether it reports ready to load balancers. */
  ready(): Promise<boolean>;
  /** Its metrics in the Prometheus format. */
  scrape(): Promise<string>;
  /** The sum of a metric over all its label sets; 0 if nothing was counted. */
  metric(name: string, labels?: string): Promise<number>;
  /** Sends a signal. Resolves with the exit code, or null if a signal ended the process. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface Gateways {
  redis: TestRedis;
  gateways: ServiceProcess[];
  presence: ServiceProcess;
  /** Fails with the output of a process that has ended. */
  assertAlive(): void;
  stop(): Promise<void>;
}

export interface GatewaysOptions {
  /** The test's own Redis, which `stop` does not end. Without it, a Redis is started and ended. */
  redis?: TestRedis;
  gateways?: number;
  /** Settings of every gateway. */
  environment?: Record<string, string>;
  presenceEnvironment?: Record<string, string>;
  /** The Redis address for the gateways, for example of a proxy. */
  redisUrl?: (redis: TestRedis) => string | Promise<string>;
}

/** A token of any user. */
export const tokenOf = (sub: string, claims: Record<string, unknown> = {}): string =>
  mintToken(SECRET, { sub, name: sub, ...claims });

export async function startGateways(options: GatewaysOptions = {}): Promise<Gateways> {
  const redis = options.redis ?? (await startTestRedis());
  const started: ServiceProcess[] = [];
  const common = { MARU_REDIS_URL: redis.url, MARU_INTERNAL_SECRET: SECRET, MARU_LOG_LEVEL: 'warn' };
  const stop = async () => {
    // A process that is stopped does not handle further signals.
    await redis.kill('SIGCONT');
    await Promise.all(started.map((service) => service.end('SIGKILL')));
    if (options.redis === undefined) await redis.stop();
  };
  try {
    const presence = await launch('presence', 'presence-1', { ...common, ...options.presenceEnvironment });
    started.push(presence);
    const redisUrl = (await options.redisUrl?.(redis)) ?? redis.url;
    const names = Array.from({ length: options.gateways ?? 1 }, (_, index) => `gateway-${index + 1}`);
    // Wait for all: if one fails, another that is still starting must be ended too.
    const launches = await Promise.allSettled(
      names.map((name) =>
        launch('gateway', name, {
          ...common,
          MARU_REDIS_URL: redisUrl,
          MARU_PRESENCE_URL: presence.url,
          MARU_JWT_SECRET: SECRET,
          MARU_REBALANCE: 'off',
          MARU_ROOM_LINGER_MS: '200',
          ...options.environment,
        }),
      ),
    );
    const gateways = launches.flatMap((launch) => (launch.status === 'fulfilled' ? [launch.value] : []));
    started.push(...gateways);
    for (const launch of launches) if (launch.status === 'rejected') throw launch.reason;
    const assertAlive = () => {
      for (const { name, alive, output } of started) assert(alive, `${name} ended:\n${output()}`);
    };
    return { redis, gateways, presence, assertAlive, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Retries with other ports: another process may have taken one that was free. */
async function launch(service: string, name: string, environment: Record<string, string>): Promise<ServiceProcess> {
  for (let attempt = 1; ; attempt++) {
    const [listenPort, opsPort] = [await findFreePort(), await findFreePort()];
    const launched = spawnService(service, name, listenPort, opsPort, environment);
    try {
      await poll(
        `${name} to be ready`,
        async () => {
          if (!launched.alive) return true;
          const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`).catch(() => undefined);
          return answer?.status === 200;
        },
        { timeoutMs: START_TIMEOUT_MS },
      );
      assert(launched.alive, `${name} ended at its start:\n${launched.output()}`);
      return launched;
    } catch (error) {
      await launched.end('SIGKILL');
      if (attempt >= START_ATTEMPTS) throw error;
    }
  }
}

function spawnService(
  service: string,
  name: string,
  listenPort: number,
  opsPort: number,
  environment: Record<string, string>,
): ServiceProcess {
  const child = spawn(process.execPath, [...NODE_FLAGS, `services/${service}/src/main.ts`], {
    cwd: repository,
    env: {
      PATH: process.env.PATH ?? '',
      MARU_NODE: name,
      MARU_LISTEN_PORT: String(listenPort),
      MARU_OPS_PORT: String(opsPort),
      ...environment,
    },
    // A service ends when this channel closes, so it does not outlive the test.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const scrape = async () => (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    url: `http://127.0.0.1:${listenPort}`,
    child,
    get alive() {
      return !hasEnded();
    },
    output: () => output,
    ready: async () => (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).ok,
    scrape,
    async metric(metric, labels = '') {
      const lines = (await scrape())
        .split('\n')
        .filter((line) => line.startsWith(`${metric} `) || line.startsWith(`${metric}{`));
      return lines
        .filter((line) => line.includes(labels))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    async end(signal) {
      if (hasEnded()) return child.exitCode;
      const ended = once(child, 'exit');
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

/**
 * Stops reading from the socket, as a frozen client does. @returns a function that resumes reading
 */
export function stopReading(client: TestClient): () => void {
  const transport = client.socket.io.engine.transport as unknown as { ws: { pause(): void; resume(): void } };
  transport.ws.pause();
  return () => transport.ws.resume();
}
