/**
 * A Redis Cluster for tests: three primaries with one replica each, as real processes on free
 * ports. Tests can move slots, and kill or stop nodes.
 *
 *     const cluster = await startRedisCluster();
 *     connect(cluster.url);                                  // redis+cluster://127.0.0.1:…,…
 *     const primary = await cluster.primaryOf('{general}');  // a key, or a slot's number
 *     await cluster.moveSlot(slotOf('{general}'), other);    // under load
 *     await primary.kill();                                  // or kill('SIGSTOP')
 *     await cluster.untilWhole();
 *     await cluster.stop();
 */

import calculateSlot from 'cluster-key-slot';
import { Redis } from 'ioredis';
import { findFreePort } from './free-port.ts';
import { poll, sleep } from './poll.ts';
import { startTestRedis, type TestRedis, type TestRedisOptions } from './redis-server.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface TestClusterNode extends TestRedis {
  /** `a` to `f`. Any of them may be a primary. */
  name: string;
  /** The node id in the Cluster. */
  id: string;
  /** Runs one command on a new connection. Rejects after 5 s. */
  command(name: string, ...args: Array<string | number>): Promise<unknown>;
}

export interface TestRedisCluster {
  /** The address of all nodes, in the form of `MARU_REDIS_URL`. */
  url: string;
  nodes: TestClusterNode[];
  /** The proxies in front of the nodes, if `proxied`. */
  proxies: TcpProxy[];
  /** The nodes that own slots now. */
  primaries(): Promise<TestClusterNode[]>;
  /** The primary that owns a slot, or the slot of a key. */
  primaryOf(slotOrKey: number | string): Promise<TestClusterNode>;
  replicasOf(primary: TestClusterNode): Promise<TestClusterNode[]>;
  /** Moves a slot as resharding does: one key at a time, with `pauseMs` (default 0) in between. */
  moveSlot(slot: number, to: TestClusterNode, options?: { pauseMs?: number }): Promise<void>;
  /** Resolves when every slot has a primary, all nodes agree, and all replicas follow. */
  untilWhole(timeoutMs?: number): Promise<void>;
  /** Ends all nodes and deletes their files. */
  stop(): Promise<void>;
}

export interface TestRedisClusterOptions {
  appendOnly?: TestRedisOptions['appendOnly'];
  /** Settings of every node. They override the defaults. */
  settings?: Record<string, string>;
  /**
   * A node that is silent for this long counts as failed. A replica is promoted within about twice
   * this time. Default 2,000.
   */
  nodeTimeoutMs?: number;
  /** Puts a proxy in front of each node. Clients learn only the addresses of the proxies. */
  proxied?: boolean;
}

const SLOTS = 16_384;
const PRIMARIES = 3;
const ATTEMPTS_MAX = 3;
const COMMAND_TIMEOUT_MS = 5_000;
const WHOLE_TIMEOUT_MS = 30_000;

/** The slot of a key or channel, by its hash tag if it has one. */
export const slotOf = (key: string): number => calculateSlot(key);

export async function startRedisCluster(options: TestRedisClusterOptions = {}): Promise<TestRedisCluster> {
  const launched = await Promise.allSettled(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => launchNode(name, options)));
  const nodes = launched.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const proxies: TcpProxy[] = [];
  const stop = async () => {
    await Promise.all([...nodes, ...proxies].map((part) => ('stop' in part ? part.stop() : part.close())));
  };
  try {
    for (const result of launched) if (result.status === 'rejected') throw result.reason;
    for (const node of options.proxied ? nodes : []) {
      const proxy = await startTcpProxy({ host: '127.0.0.1', port: node.port });
      proxies.push(proxy);
      await node.command('CONFIG', 'SET', 'cluster-announce-port', proxy.port);
    }
    await join(nodes);
    const cluster = clusterOf(nodes, proxies, stop);
    await cluster.untilWhole();
    return cluster;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function launchNode(name: string, options: TestRedisClusterOptions): Promise<TestClusterNode> {
  for (let attempt = 1; ; attempt++) {
    try {
      const redis = await startTestRedis({
        ...(options.appendOnly === undefined ? {} : { appendOnly: options.appendOnly }),
        settings: {
          'cluster-enabled': 'yes',
          // The default is the port plus 10,000, which may be in use.
          'cluster-port': String(await findFreePort()),
          'cluster-node-timeout': String(options.nodeTimeoutMs ?? 2_000),
          // If a shard is down, the others continue.
          'cluster-require-full-coverage': 'no',
          // Promote a replica even if it was cut off for a long time, and never migrate replicas.
          'cluster-replica-validity-factor': '0',
          'cluster-allow-replica-migration': 'no',
          'repl-diskless-sync-delay': '0',
          ...options.settings,
        },
      });
      const command = (command: string, ...args: Array<string | number>) => ask(redis.port, command, ...args);
      const id = String(await command('CLUSTER', 'MYID'));
      // Keeps the getters of `redis`, because the process changes with a restart.
      return Object.create(redis, {
        name: { value: name, enumerable: true },
        id: { value: id, enumerable: true },
        command: { value: command, enumerable: true },
      }) as TestClusterNode;
    } catch (error) {
      // Another program may have taken the port of the cluster bus.
      if (attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

async function ask(port: number, command: string, ...args: Array<string | number>): Promise<unknown> {
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    protocol: 2,
    lazyConnect: true,
    connectTimeout: COMMAND_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: null,
    enableReadyCheck: false,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await redis.call(command, ...args);
  } finally {
    redis.disconnect();
  }
}

/** Joins six new nodes to a Cluster. The first three become primaries, the others replicas. */
async function join(nodes: TestClusterNode[]): Promise<void> {
  const primaries = nodes.slice(0, PRIMARIES);
  await Promise.all(nodes.map((node, index) => node.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)));
  await Promise.all(
    primaries.map((node, index) => {
      const [from, to] = [index, index + 1].map((part) => Math.round((part * SLOTS) / PRIMARIES)) as [number, number];
      return node.command('CLUSTER', 'ADDSLOTSRANGE', from, to - 1);
    }),
  );
  const [first, ...others] = nodes as [TestClusterNode, ...TestClusterNode[]];
  for (const node of others) {
    const bus = (await node.command('CONFIG', 'GET', 'cluster-port')) as [string, string];
    await first.command('CLUSTER', 'MEET', '127.0.0.1', node.port, bus[1]);
  }
  await poll('all six nodes to know each other', async () => {
    const known = await Promise.all(nodes.map(async (node) => (await linesOf(node)).length));
    return known.every((count) => count === nodes.length);
  });
  for (const [index, node] of nodes.slice(PRIMARIES).entries()) {
    const primary = primaries[index] as TestClusterNode;
    // Fails until the node knows that the other one is a primary.
    await poll(`${node.name} to follow ${primary.name}`, async () => {
      return (await node.command('CLUSTER', 'REPLICATE', primary.id)) === 'OK';
    });
  }
}

interface NodeLine {
  id: string;
  flags: string[];
  primaryId: string;
  connected: boolean;
  slots: Array<[first: number, last: number]>;
}

async function linesOf(node: TestClusterNode): Promise<NodeLine[]> {
  const text = String(await node.command('CLUSTER', 'NODES'));
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', , flags = '', primaryId = '', , , , state, ...ranges] = line.split(' ');
      const slots = ranges
        // A slot that is being moved is in brackets.
        .filter((range) => !range.startsWith('['))
        .map((range): [number, number] => {
          const [from = '', to = from] = range.split('-');
          return [Number(from), Number(to)];
        });
      return { id, flags: flags.split(','), primaryId, connected: state === 'connected', slots };
    });
}

function clusterOf(nodes: TestClusterNode[], proxies: TcpProxy[], stop: () => Promise<void>): TestRedisCluster {
  const byId = new Map(nodes.map((node) => [node.id, node]));

  /** The answer of the first node that answers. Some may be dead or hang. */
  const readNodes = () => Promise.any(nodes.map(linesOf));

  const primaryOf = async (slotOrKey: number | string) => {
    const slot = typeof slotOrKey === 'number' ? slotOrKey : slotOf(slotOrKey);
    const owner = (await readNodes()).find(({ slots }) => slots.some(([first, last]) => first <= slot && slot <= last));
    const node = byId.get(owner?.id ?? '');
    if (node === undefined) throw new Error(`slot ${slot} has no owner`);
    return node;
  };

  const isWhole = async () => {
    for (const node of nodes) {
      const info = String(await node.command('CLUSTER', 'INFO'));
      if (!info.includes('cluster_state:ok') || !info.includes(`cluster_slots_ok:${SLOTS}`)) return false;
      const lines = await linesOf(node);
      if (lines.some(({ flags }) => flags.some((flag) => flag.startsWith('fail')))) return false;
      const own = lines.find(({ flags }) => flags.includes('myself'));
      if (own === undefined) return false;
      if (own.flags.includes('master') !== own.slots.length > 0) return false;
      const replication = String(await node.command('INFO', 'replication'));
      if (own.flags.includes('slave') && !replication.includes('master_link_status:up')) return false;
      if (own.flags.includes('master') && !replication.includes('state=online')) return false;
    }
    return true;
  };

  return {
    url: `redis+cluster://${(proxies.length > 0 ? proxies : nodes).map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    proxies,
    async primaries() {
      const owners = (await readNodes()).filter(({ slots }) => slots.length > 0);
      return owners.flatMap(({ id }) => byId.get(id) ?? []);
    },
    primaryOf,
    async replicasOf(primary) {
      return (await readNodes())
        .filter(({ primaryId }) => primaryId === primary.id)
        .flatMap(({ id }) => byId.get(id) ?? []);
    },
    async moveSlot(slot, to, { pauseMs = 0 } = {}) {
      const from = await primaryOf(slot);
      if (from === to) return;
      await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
      await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
      for (;;) {
        const [key] = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 1)) as string[];
        if (key === undefined) break;
        await from.command('MIGRATE', '127.0.0.1', to.port, key, 0, COMMAND_TIMEOUT_MS);
        await sleep(pauseMs);
      }
      // Start with the new owner, so that no other node can claim the slot.
      await to.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
      await from.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    },
    untilWhole: async (timeoutMs = WHOLE_TIMEOUT_MS) => {
      await poll('a whole cluster', isWhole, { timeoutMs, everyMs: 100 });
    },
    stop,
  };
}
