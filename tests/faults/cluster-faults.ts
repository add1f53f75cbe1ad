/** Faults of gateway and presence processes of a whole cluster. */
import { call } from '../support/http.ts';
import type { ClusterEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';
import type { Redis } from './store.ts';

/** The clients' back-off (at most 3 s) plus 5 s. */
const AFTER_RECONNECT_MS = 8_000;
/** The contract's limit, without the clients' own back-off. */
const BACK_MS = 5_000;
/** Clocks of two machines without NTP may differ by minutes. */
const CLOCK_OFFSETS_MS = [-30 * 60_000, -3 * 60_000, 3 * 60_000, 30 * 60_000] as const;
const AFTER_EDGE_MS = 5_000;
/** The node heartbeat (5 s), a full report of presence, and the start of the killed service. */
const AFTER_PRESENCE_MS = 10_000;
const AFTER_STOP_MS = 8_000;
/** Shorter than every client's timeout. */
const PAUSE_MS_MAX = 1_000;
/** The pause, and the goal for losses that only the node itself can detect. */
const AFTER_PAUSE_MS = PAUSE_MS_MAX + 2_000;
const GATEWAYS_MAX = 6;

type ClusterFault = Fault<ClusterEnvironment>;

/**
 * A node must accept a token that expires in a minute, and reject one that expired a minute ago.
 */
async function checkExpiry(environment: ClusterEnvironment, address: string): Promise<string[]> {
  const found: string[] = [];
  for (const [inMs, status] of [
    [60_000, 200],
    [-60_000, 401],
  ] as const) {
    const answer = await call(address, '/rooms', { token: environment.token('clock-watcher', inMs) });
    if (answer.status !== status) found.push(`a token that expires in ${inMs} ms was answered ${answer.status}`);
  }
  return found;
}

/**
 * Drops a node's subscriptions, as Redis does with a slow subscriber. Announcements are lost until
 * it subscribes again.
 */
async function dropSubscriptions(redis: Redis, node: string): Promise<void> {
  const list = String(await redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  const own = list.split('\n').filter((client) => client.includes(` name=maru:${node}:`));
  const ids = own.flatMap((client) => /^id=(\d+) /.exec(client)?.[1] ?? []);
  await Promise.all(ids.map((id) => redis.call('CLIENT', 'KILL', 'ID', id)));
}

export const PROCESS_FAULTS: readonly ClusterFault[] = [
  {
    name: 'gateway killed',
    about: 'kill -9 of one gateway under load; it is started again after a second',
    store: 'fine',
    ends: 'gateways',
    holdMs: [0, 0],
    wholeWithinMs: AFTER_RECONNECT_MS,
    backWithinMs: BACK_MS,
    weight: 4,
    async inject({ environment, random, began }) {
      const { pid } = random.pick(await environment.gateways());
      process.kill(pid, 'SIGKILL');
      began();
    },
  },
  {
    name: 'gateway killed in silence',
    about: 'the same in silence, so that all its clients miss the same messages',
    store: 'fine',
    ends: 'gateways',
    quiet: true,
    holdMs: [0, 0],
    wholeWithinMs: AFTER_RECONNECT_MS,
    backWithinMs: BACK_MS,
    weight: 1,
    async inject({ environment, random, began }) {
      const { pid } = random.pick(await environment.gateways());
      process.kill(pid, 'SIGKILL');
      began();
    },
  },
  {
    name: 'gateways killed in turn',
    about: 'kill -9 of every gateway, each after the one before runs again',
    store: 'fine',
    ends: 'gateways',
    holdMs: [500, 3_000],
    wholeWithinMs: AFTER_RECONNECT_MS,
    weight: 1,
    async inject({ environment, began, holdMs, sleep, lifted }) {
      began();
      for (const { name } of await environment.gateways()) {
        await environment.complete();
        await sleep(holdMs);
        const { pid } = await environment.process(name);
        process.kill(pid, 'SIGKILL');
        lifted();
      }
    },
  },
  {
    name: 'gateway stopped',
    about: 'SIGSTOP of one gateway, then SIGCONT',
    store: 'fine',
    holdMs: [3_000, 60_000],
    wholeWithinMs: AFTER_STOP_MS,
    async inject({ environment, random, began, holdMs, sleep, lifting }) {
      const { pid } = random.pick(await environment.gateways());
      process.kill(pid, 'SIGSTOP');
      try {
        began();
        await sleep(holdMs);
        lifting();
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    },
  },
  {
    name: 'cut off in its sleep',
    about: 'SIGSTOP of one gateway, Redis drops its subscriptions, one message to each room, SIGCONT, then silence',
    store: 'fine',
    quiet: true,
    holdMs: [500, PAUSE_MS_MAX],
    wholeWithinMs: AFTER_PAUSE_MS,
    weight: 1,
    async inject({ environment, random, began, holdMs }) {
      const { name, pid } = random.pick(await environment.gateways());
      process.kill(pid, 'SIGSTOP');
      // It continues by itself: the messages are sent after this has resolved.
      setTimeout(() => process.kill(pid, 'SIGCONT'), holdMs);
      await environment.admin((redis) => dropSubscriptions(redis, name));
      began();
    },
  },
  {
    name: 'gateway rolled',
    about: 'SIGTERM of one gateway (drain), then a new one under its name',
    store: 'fine',
    ends: 'gateways',
    holdMs: [0, 1_000],
    wholeWithinMs: AFTER_RECONNECT_MS,
    async inject({ environment, random, began, holdMs, sleep }) {
      const gateways = await environment.gateways();
      if (gateways.length < 2) return began();
      const { name } = random.pick(gateways);
      began();
      await environment.cluster.drain(name);
      await sleep(holdMs);
      await environment.cluster.restart(name);
    },
  },
  {
    name: 'gateway cut short',
    about: 'SIGTERM of one gateway, SIGKILL during its drain, then a new one under its name',
    store: 'fine',
    ends: 'gateways',
    // It waits two seconds for the load balancer, then it asks its clients to leave.
    holdMs: [2_000, 4_000],
    wholeWithinMs: AFTER_RECONNECT_MS,
    backWithinMs: BACK_MS,
    weight: 1,
    async inject({ environment, random, began, holdMs, sleep }) {
      const gateways = await environment.gateways();
      if (gateways.length < 2) return began();
      const { name, pid } = random.pick(gateways);
      const drained = environment.cluster.drain(name);
      await sleep(holdMs);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // The process has already ended.
      }
      began();
      await drained;
      await environment.cluster.restart(name);
    },
  },
  {
    name: 'clock jumped',
    about: "one gateway's clock is wrong by minutes and then right again; tokens still expire by the clock of Redis",
    store: 'fine',
    holdMs: [2_000, 10_000],
    wholeWithinMs: AFTER_EDGE_MS,
    lossesMax: 0,
    async inject({ environment, random, began, holdMs, sleep, violation }) {
      const gateway = random.pick(await environment.gateways());
      const offsetMs = random.pick(CLOCK_OFFSETS_MS);
      environment.setClock(gateway, offsetMs);
      began();
      try {
        await sleep(holdMs);
        for (const found of await checkExpiry(environment, gateway.address))
          violation(`clock ${offsetMs} ms off: ${found}`);
      } finally {
        environment.setClock(gateway, 0);
      }
    },
  },
  {
    name: 'gateway added',
    about: 'a gateway is added, takes its share of clients, and is drained again',
    store: 'fine',
    ends: 'gateways',
    holdMs: [2_000, 20_000],
    wholeWithinMs: AFTER_RECONNECT_MS,
    weight: 1,
    async inject({ environment, began, holdMs, sleep }) {
      const all = (await environment.cluster.status()).processes.filter(({ kind }) => kind === 'gateway');
      const spare = all.find(({ state }) => state === 'down');
      if (spare === undefined && all.length >= GATEWAYS_MAX) return began();
      began();
      if (spare !== undefined) await environment.cluster.restart(spare.name);
      else await environment.cluster.add();
      await sleep(holdMs);
      const newest =
        spare?.name ??
        (await environment.gateways())
          .map(({ name }) => name)
          .find((name) => !all.some((known) => known.name === name));
      if (newest !== undefined) await environment.cluster.drain(newest);
    },
  },
  {
    name: 'presence killed',
    about: 'kill -9 of the presence service',
    store: 'fine',
    ends: 'presence',
    holdMs: [0, 0],
    wholeWithinMs: AFTER_EDGE_MS,
    presenceWithinMs: AFTER_PRESENCE_MS,
    weight: 1,
    async inject({ environment, began }) {
      const { pid } = await environment.process('presence-1');
      process.kill(pid, 'SIGKILL');
      began();
    },
  },
];
