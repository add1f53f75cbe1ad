/** Faults of the Redis of a whole cluster. */
import { cpSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isAlive } from '../support/cluster.ts';
import { poll } from '../support/poll.ts';
import type { ClusterEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';
import { lengthenLoading } from './long-loading.ts';

const AFTER_STORE_MS = 5_000;
/** Clients of the killed gateway must reconnect first. */
const AFTER_STORE_AND_GATEWAY_MS = 8_000;
/** Less than Redis already uses. */
const FULL = '1mb';
/** How long clients write between the copy and the rollback to it. */
const LOST_TAIL_MS = 1_500;
/** After this time, the head is above the one that the stopped gateway saw last. */
const GROWS_AGAIN_MS = 3_000;
/** The duration of loading is an estimate. Gateways may miss a shorter one. */
const LOADING_MS_MIN = 500;

type ClusterFault = Fault<ClusterEnvironment>;

/**
 * `kill`: by SIGKILL. `drain`: in order, so that its file ends with a complete command. It still
 * serves for a moment. The supervisor does this and keeps Redis down, because it would restart a
 * Redis that died otherwise.
 */
async function endStore(environment: ClusterEnvironment, how: 'kill' | 'drain', began: () => void): Promise<void> {
  const { pid } = await environment.process('redis');
  const ended = poll('Redis to end', () => !isAlive(pid), { everyMs: 5 }).then(began);
  await Promise.all([environment.cluster[how]('redis'), ended]);
}

/** Copies the log. Resolves with a function that restores the copy while Redis is down. */
async function copyLog(environment: ClusterEnvironment): Promise<() => void> {
  const folder = path.join(environment.cluster.dataDir, 'redis', 'appendonlydir');
  const copy = `${folder}.older`;
  rmSync(copy, { recursive: true, force: true });
  await environment.admin(async (redis) => {
    // A rewrite during the copy would make it inconsistent.
    await redis.call('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '0');
    cpSync(folder, copy, { recursive: true });
  });
  return () => {
    rmSync(folder, { recursive: true });
    renameSync(copy, folder);
  };
}

export const STORE_FAULTS: readonly ClusterFault[] = [
  {
    name: 'store killed',
    about: 'kill -9 of Redis, then started again on the same files',
    store: 'gone',
    holdMs: [1_000, 15_000],
    wholeWithinMs: AFTER_STORE_MS,
    weight: 4,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      await endStore(environment, 'kill', began);
      await sleep(holdMs);
      lifting();
      await environment.cluster.restart('redis');
    },
  },
  {
    name: 'store away',
    about: 'kill -9 of Redis, then started again after a minute and a half',
    store: 'gone',
    long: true,
    holdMs: [90_000, 90_000],
    wholeWithinMs: AFTER_STORE_MS,
    weight: 1,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      await endStore(environment, 'kill', began);
      await sleep(holdMs);
      lifting();
      await environment.cluster.restart('redis');
    },
  },
  {
    name: 'store loading',
    about: 'Redis is stopped and started on files that load slowly: it answers LOADING',
    store: 'gone',
    holdMs: [3_000, 10_000],
    wholeWithinMs: AFTER_STORE_MS,
    weight: 1,
    async inject({ environment, began, holdMs, lifting, violation }) {
      const { address } = await environment.process('redis');
      const lengthen = await lengthenLoading(address, path.join(environment.cluster.dataDir, 'redis', 'appendonlydir'));
      await endStore(environment, 'drain', began);
      lengthen.append(holdMs);
      const started = environment.cluster.restart('redis');
      const { loadedAtMs, loadingMs } = await lengthen.untilLoaded();
      lifting(loadedAtMs);
      await started;
      if (loadingMs < LOADING_MS_MIN) violation(`the store was loading for ${Math.round(loadingMs)} ms only`);
      // Makes the next start fast again.
      await environment.admin((redis) => redis.call('BGREWRITEAOF'));
    },
  },
  {
    name: 'store and gateway killed',
    about: 'kill -9 of Redis, of a gateway while Redis is away, then Redis again',
    store: 'gone',
    ends: 'gateways',
    holdMs: [3_000, 10_000],
    wholeWithinMs: AFTER_STORE_AND_GATEWAY_MS,
    async inject({ environment, random, began, holdMs, sleep, lifting }) {
      const { pid } = random.pick(await environment.gateways());
      await endStore(environment, 'kill', began);
      await sleep(holdMs / 2);
      process.kill(pid, 'SIGKILL');
      await sleep(holdMs / 2);
      lifting();
      await environment.cluster.restart('redis');
    },
  },
  {
    name: 'store stopped',
    about: 'SIGSTOP of Redis, then SIGCONT',
    store: 'gone',
    holdMs: [1_000, 10_000],
    wholeWithinMs: AFTER_STORE_MS,
    weight: 3,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      const { pid } = await environment.process('redis');
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
    name: 'store paused',
    about: 'CLIENT PAUSE ALL',
    store: 'gone',
    holdMs: [1_000, 6_000],
    wholeWithinMs: AFTER_STORE_MS,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      await environment.admin((redis) => redis.call('CLIENT', 'PAUSE', String(holdMs), 'ALL'));
      began();
      // The pause ends by itself. Only Redis knows the exact time.
      await sleep(holdMs - 50);
      lifting();
      await sleep(50);
    },
  },
  {
    name: 'store full',
    about: 'maxmemory reached (noeviction), then lifted',
    store: 'refusing',
    holdMs: [1_000, 6_000],
    wholeWithinMs: AFTER_STORE_MS,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      await environment.admin(async (redis) => {
        const [, before] = (await redis.call('CONFIG', 'GET', 'maxmemory')) as [string, string];
        await redis.call('CONFIG', 'SET', 'maxmemory', FULL);
        try {
          began();
          await sleep(holdMs);
          lifting();
        } finally {
          await redis.call('CONFIG', 'SET', 'maxmemory', before);
        }
      });
    },
  },
  {
    name: 'store read-only',
    about: 'REPLICAOF a primary that is not there, then NO ONE',
    store: 'refusing',
    holdMs: [1_000, 6_000],
    wholeWithinMs: AFTER_STORE_MS,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      await environment.admin(async (redis) => {
        // No process listens on port 1, so nothing overwrites the log.
        await redis.call('REPLICAOF', '127.0.0.1', '1');
        try {
          began();
          await sleep(holdMs);
          lifting();
        } finally {
          await redis.call('REPLICAOF', 'NO', 'ONE');
        }
      });
    },
  },
  {
    name: 'log rolled back',
    about: 'kill -9 of Redis, an older copy of its append-only files, started again',
    store: 'gone',
    rollsBack: true,
    losesAcknowledged: true,
    holdMs: [500, 3_000],
    wholeWithinMs: AFTER_STORE_MS,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      const restore = await copyLog(environment);
      await sleep(LOST_TAIL_MS);
      await endStore(environment, 'kill', began);
      restore();
      await sleep(holdMs);
      lifting();
      await environment.cluster.restart('redis');
    },
  },
  {
    name: 'rolled back in its sleep',
    about: 'one gateway is stopped (SIGSTOP), the log is rolled back and grows again, the gateway continues',
    // The stopped gateway answers late because it is stopped. Another fault checks answer times.
    store: 'fine',
    rollsBack: true,
    losesAcknowledged: true,
    holdMs: [500, 2_000],
    wholeWithinMs: AFTER_STORE_AND_GATEWAY_MS,
    weight: 1,
    async inject({ environment, random, began, holdMs, sleep, lifting }) {
      const { pid } = random.pick(await environment.gateways());
      const restore = await copyLog(environment);
      await sleep(LOST_TAIL_MS);
      process.kill(pid, 'SIGSTOP');
      try {
        await endStore(environment, 'kill', () => {});
        restore();
        await sleep(holdMs);
        await environment.cluster.restart('redis');
        await sleep(GROWS_AGAIN_MS);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      began();
      lifting();
    },
  },
];
