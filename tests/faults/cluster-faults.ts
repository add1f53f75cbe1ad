/** Faults of processes: what happens to gateways, nginx and presence of a whole cluster. */
import type { Fault } from './fault.ts';
import type { ClusterSite } from './site.ts';

/** Whole after the clients' own pauses before they come back (2 s and half of it at most), and 5 s. */
const AFTER_RECONNECT_MS = 8_000;
/** The goal for losses that only the node itself can notice. */
const AFTER_SUBSCRIBER_MS = 2_000;
const AFTER_EDGE_MS = 5_000;
/** A beat of the gateways (5 s), their whole state, and the start of the service where it was killed. */
const AFTER_PRESENCE_MS = 10_000;
const AFTER_STOP_MS = 8_000;
const GATEWAYS_MAX = 6;

type ClusterFault = Fault<ClusterSite>;

export const PROCESS_FAULTS: readonly ClusterFault[] = [
  {
    name: 'gateway killed',
    about: 'kill -9 of one gateway under load; it is started again after a second',
    store: 'fine',
    ends: 'gateways',
    holdMs: [0, 0],
    wholeWithinMs: AFTER_RECONNECT_MS,
    weight: 4,
    async inject({ site, random, began }) {
      const { pid } = random.pick(await site.gateways());
      process.kill(pid, 'SIGKILL');
      began();
    },
  },
  {
    name: 'gateways killed in turn',
    about: 'kill -9 of every gateway, each once the one before runs again',
    store: 'fine',
    ends: 'gateways',
    holdMs: [500, 3_000],
    wholeWithinMs: AFTER_RECONNECT_MS,
    weight: 1,
    async inject({ site, began, holdMs, sleep, lifted }) {
      began();
      for (const { name } of await site.gateways()) {
        await site.complete();
        await sleep(holdMs);
        const { pid } = await site.process(name);
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
    async inject({ site, random, began, holdMs, sleep, lifting }) {
      const { pid } = random.pick(await site.gateways());
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
    name: 'gateway rolled',
    about: 'SIGTERM of one gateway (drain), then a new one under its name',
    store: 'fine',
    ends: 'gateways',
    holdMs: [0, 1_000],
    wholeWithinMs: AFTER_RECONNECT_MS,
    async inject({ site, random, began, holdMs, sleep }) {
      const gateways = await site.gateways();
      if (gateways.length < 2) return began();
      const { name } = random.pick(gateways);
      began();
      await site.cluster.drain(name);
      await sleep(holdMs);
      await site.cluster.restart(name);
    },
  },
  {
    name: 'gateway added',
    about: 'one more gateway comes, takes its share, and is drained again',
    store: 'fine',
    ends: 'gateways',
    holdMs: [2_000, 20_000],
    wholeWithinMs: AFTER_RECONNECT_MS,
    weight: 1,
    async inject({ site, began, holdMs, sleep }) {
      const all = (await site.cluster.status()).processes.filter(({ kind }) => kind === 'gateway');
      const spare = all.find(({ state }) => state === 'down');
      if (spare === undefined && all.length >= GATEWAYS_MAX) return began();
      began();
      if (spare !== undefined) await site.cluster.restart(spare.name);
      else await site.cluster.add();
      await sleep(holdMs);
      const newest =
        spare?.name ??
        (await site.gateways()).map(({ name }) => name).find((name) => !all.some((known) => known.name === name));
      if (newest !== undefined) await site.cluster.drain(newest);
    },
  },
  {
    name: 'subscribers dropped',
    about: 'CLIENT KILL TYPE pubsub',
    store: 'fine',
    holdMs: [0, 0],
    wholeWithinMs: AFTER_SUBSCRIBER_MS,
    weight: 4,
    async inject({ site, began }) {
      await site.admin((redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
      began();
    },
  },
  {
    name: 'last message lost',
    about: 'CLIENT KILL TYPE pubsub, one message to each room in the same moment, then silence',
    store: 'fine',
    quiet: true,
    holdMs: [0, 0],
    wholeWithinMs: AFTER_SUBSCRIBER_MS,
    async inject({ site, began }) {
      await site.admin((redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
      began();
    },
  },
  {
    name: 'nginx reloaded',
    about: 'nginx -s reload, ten times in a row',
    store: 'fine',
    holdMs: [500, 3_000],
    wholeWithinMs: AFTER_EDGE_MS,
    async inject({ site, began, holdMs, sleep }) {
      const { pid } = await site.process('nginx');
      const times = 10;
      began();
      for (let time = 0; time < times; time++) {
        process.kill(pid, 'SIGHUP');
        await sleep(holdMs / times);
      }
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
    async inject({ site, began }) {
      const { pid } = await site.process('presence-1');
      process.kill(pid, 'SIGKILL');
      began();
    },
  },
  {
    name: 'presence flushed',
    about: 'all keys of presence are deleted from the store',
    store: 'fine',
    holdMs: [0, 0],
    wholeWithinMs: AFTER_EDGE_MS,
    presenceWithinMs: AFTER_PRESENCE_MS,
    weight: 1,
    async inject({ site, began }) {
      await site.admin(async (redis) => {
        const keys = await redis.keys('maru:presence:*');
        if (keys.length > 0) await redis.del(keys);
      });
      began();
    },
  },
];
