/** The servers that the bench compares. Each variant starts its nodes on a given Redis. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { findFreePort } from '@maru/service-kit/testing';
import type { Children } from '../children.ts';
import { launch, type ServerProcess } from './launch.ts';

export interface Node extends ServerProcess {
  host: string;
  port: number;
}

export interface Servers {
  nodes: Node[];
  /** The presence service; undefined for variants without one. */
  presence: ServerProcess | undefined;
}

export interface StartContext {
  nodes: number;
  redis: { url: string; port: number };
  secret: string;
  children: Children;
}

export interface Variant {
  name: string;
  title: string;
  /** An acknowledged message is stored. */
  stores: boolean;
  canResume: boolean;
  start(context: StartContext): Promise<Servers>;
}

const HOST = '127.0.0.1';
const REPOSITORY = path.resolve(import.meta.dirname, '../../..');

const others: Variant[] = [
  stock('stock-classic', 'Socket.IO, classic adapter', 'classic'),
  stock('stock-sharded', 'Socket.IO, sharded adapter', 'sharded'),
  stock('stock-stored', 'Socket.IO, classic adapter, INCR + XADD', 'stored'),
  benchServer('floor', 'written by hand, the lower bound', new URL('./floor-server.ts', import.meta.url), {}, true),
];

export const VARIANT_NAMES = ['maru', ...others.map(({ name }) => name)];

/**
 * Finds a variant by name. `maru@DIR` runs the services of another checkout, and `maru+NAME=VALUE`
 * adds a gateway setting. So a run can compare a change with the state before it.
 */
export function findVariant(name: string): Variant | undefined {
  const match = /^maru(?:@([^+]+))?((?:\+[A-Z0-9_]+=[^+]*)*)$/.exec(name);
  if (match !== null) {
    const settings = (match[2] ?? '').split('+').filter((setting) => setting !== '');
    return maru(
      name,
      match[1] ?? REPOSITORY,
      Object.fromEntries(settings.map((setting) => setting.split(/=(.*)/s, 2))),
    );
  }
  return others.find((variant) => variant.name === name);
}

function maru(name: string, root: string, settings: Record<string, string>): Variant {
  return {
    name,
    title: name === 'maru' ? 'Maru' : `Maru (${name})`,
    stores: true,
    canResume: true,
    async start({ nodes, redis, secret, children }) {
      const nodeFlags = await nodeFlagsOf(root);
      const service = async (kind: 'gateway' | 'presence', title: string, env: Record<string, string>) => {
        const [port, opsPort] = [await findFreePort(), await findFreePort()];
        const server = await launch({
          name: title,
          script: path.join(root, 'services', kind, 'src/main.ts'),
          children,
          nodeFlags,
          env: {
            BENCH_REDIS_PORT: String(redis.port),
            MARU_NODE: title,
            MARU_LISTEN_PORT: String(port),
            MARU_OPS_PORT: String(opsPort),
            MARU_REDIS_URL: redis.url,
            MARU_INTERNAL_SECRET: secret,
            MARU_LOG_LEVEL: 'warn',
            ...env,
          },
          isReady: async () => {
            const answer = await fetch(`http://${HOST}:${opsPort}/readyz`).catch(() => undefined);
            return answer?.status === 200;
          },
        });
        return { ...server, host: HOST, port };
      };
      const presence = await service('presence', 'presence-1', {});
      const gateways = Array.from({ length: nodes }, (_, index) =>
        service('gateway', `gateway-${index + 1}`, {
          MARU_PRESENCE_URL: `http://${HOST}:${presence.port}`,
          MARU_JWT_SECRET: secret,
          // The generated clients ignore requests to move to another node.
          MARU_REBALANCE: 'off',
          ...settings,
        }),
      );
      return { nodes: await Promise.all(gateways), presence };
    },
  };
}

/** Older checkouts do not have the file. */
async function nodeFlagsOf(root: string): Promise<string[]> {
  const file = path.join(root, 'packages/service-kit/src/node-flags.ts');
  return existsSync(file) ? (await import(file)).NODE_FLAGS : [];
}

function stock(name: string, title: string, adapter: string): Variant {
  const script = new URL('./stock-server.ts', import.meta.url);
  return benchServer(name, title, script, { BENCH_ADAPTER: adapter }, adapter === 'stored');
}

/** A variant whose server script is in this folder. */
function benchServer(name: string, title: string, script: URL, env: Record<string, string>, stores: boolean): Variant {
  return {
    name,
    title,
    stores,
    canResume: false,
    async start({ nodes, redis, children }) {
      const startNode = async (_: unknown, index: number): Promise<Node> => {
        const port = await findFreePort();
        const server = await launch({
          name: `${name}-${index + 1}`,
          script,
          children,
          env: {
            BENCH_PORT: String(port),
            BENCH_REDIS_PORT: String(redis.port),
            BENCH_REDIS_URL: redis.url,
            ...env,
          },
        });
        return { ...server, host: HOST, port };
      };
      return { nodes: await Promise.all(Array.from({ length: nodes }, startNode)), presence: undefined };
    },
  };
}
