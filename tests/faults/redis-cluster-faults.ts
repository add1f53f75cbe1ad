/** Faults of a Redis Cluster: slots move, a primary is killed or stopped. */
import {
  slotOf,
  startRedisCluster,
  type TestClusterNode,
  type TestRedisCluster,
} from '../../packages/service-kit/src/testing/redis-cluster.ts';
import { poll } from '../support/poll.ts';
import type { ClusterEnvironment } from './environment.ts';
import type { Fault, FaultContext } from './fault.ts';
import type { OwnStore } from './store.ts';

export interface RedisClusterStore extends OwnStore {
  cluster: TestRedisCluster;
}

type RedisClusterFault = Fault<ClusterEnvironment<RedisClusterStore>>;

const AFTER_SLOT_MS = 5_000;
/** After the promotion: gateways learn of it and clients receive what they missed. */
const AFTER_FAILOVER_MS = 10_000;
const PROMOTED_TIMEOUT_MS = 60_000;
const LOOK_MS = 25;
/** The pause between two keys of a moving slot, so that the move takes a while. */
const MOVE_PAUSE_MS = 20;
/** How many rooms have their slots moved in one fault. */
const MOVED_ROOMS_MAX = 3;

export async function startRedisClusterStore(options: { waitReplicas: number }): Promise<RedisClusterStore> {
  const cluster = await startRedisCluster({ appendOnly: 'always' });
  return {
    cluster,
    url: cluster.url,
    environment: { MARU_REDIS_WAIT_REPLICAS: String(options.waitReplicas) },
    primaries: async () => (await cluster.primaries()).map(({ url }) => url),
    stop: () => cluster.stop(),
  };
}

/** Finds a primary with rooms, by the keys of a room. */
async function findRoom({ environment, random }: FaultContext<ClusterEnvironment<RedisClusterStore>>) {
  const { cluster } = environment.store;
  const rooms = new Map<string, TestClusterNode>();
  for (const primary of await cluster.primaries()) {
    const keys = (await primary.command('KEYS', 'maru:*{*')) as string[];
    for (const key of keys) rooms.set(/\{.*?\}/.exec(key)?.[0] ?? '', primary);
  }
  const tags = [...rooms.keys()].filter((tag) => tag.includes('faults-'));
  const tag = random.pick(tags);
  return { tag, tags, primary: rooms.get(tag) as TestClusterNode };
}

/** Resolves with the time when another node owns the slot. */
async function untilPromoted(cluster: TestRedisCluster, slot: number, old: TestClusterNode): Promise<number> {
  const others = cluster.nodes.filter((node) => node !== old);
  await poll(
    'a replica to be promoted',
    async () => {
      for (const node of others) {
        const replication = String(await node.command('INFO', 'replication'));
        const owned = String(await node.command('CLUSTER', 'COUNTKEYSINSLOT', slot));
        if (replication.includes('role:master') && Number(owned) > 0) return true;
      }
      return false;
    },
    { timeoutMs: PROMOTED_TIMEOUT_MS, everyMs: LOOK_MS },
  );
  return performance.timeOrigin + performance.now();
}

export function redisClusterFaults(waitReplicas: number): readonly RedisClusterFault[] {
  const failover = { rollsBack: true, losesAcknowledged: waitReplicas === 0, wholeWithinMs: AFTER_FAILOVER_MS };
  return [
    {
      name: 'slots moved',
      about: 'the slots of some rooms move to another primary while clients chat in them',
      store: 'fine',
      holdMs: [0, 0],
      wholeWithinMs: AFTER_SLOT_MS,
      weight: 4,
      async inject(context) {
        const { cluster } = context.environment.store;
        const { tags } = await findRoom(context);
        context.began();
        for (const tag of tags.slice(0, MOVED_ROOMS_MAX)) {
          const slot = slotOf(tag);
          const from = await cluster.primaryOf(slot);
          const others = (await cluster.primaries()).filter((node) => node !== from);
          await cluster.moveSlot(slot, context.random.pick(others), { pauseMs: MOVE_PAUSE_MS });
        }
      },
    },
    {
      name: 'primary killed',
      about: 'kill -9 of a primary with rooms; its replica is promoted, and it returns as a replica',
      // Rooms of other primaries are not affected.
      store: 'fine',
      ...failover,
      holdMs: [0, 0],
      weight: 4,
      async inject(context) {
        const { cluster } = context.environment.store;
        const { tag, primary } = await findRoom(context);
        await primary.kill('SIGKILL');
        context.began();
        await untilPromoted(cluster, slotOf(tag), primary);
        // If a message needs a replica to be acknowledged, its rooms need both nodes.
        await primary.restart();
        await cluster.untilWhole();
        context.lifted();
      },
    },
    {
      name: 'primary stopped',
      about: 'SIGSTOP of a primary with rooms until its replica is promoted, then SIGCONT',
      store: 'fine',
      ...failover,
      holdMs: [0, 3_000],
      weight: 2,
      async inject(context) {
        const { cluster } = context.environment.store;
        const { tag, primary } = await findRoom(context);
        await primary.kill('SIGSTOP');
        try {
          context.began();
          await untilPromoted(cluster, slotOf(tag), primary);
          await context.sleep(context.holdMs);
        } finally {
          await primary.kill('SIGCONT');
        }
        await cluster.untilWhole();
        context.lifted();
      },
    },
  ];
}
