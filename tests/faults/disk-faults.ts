/** A full disk under the Redis of a whole cluster. */
import { isAlive } from '../support/cluster.ts';
import { poll } from '../support/poll.ts';
import type { ClusterEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';
import type { Disk } from './small-disk.ts';

const AFTER_STORE_MS = 5_000;
/** Redis retries a failed write once a second, and refuses messages until it succeeds. */
const AFTER_DISK_MS = 7_000;
const BACK_TIMEOUT_MS = 60_000;
const LOOK_MS = 20;

type DiskFault = Fault<ClusterEnvironment>;

export const DISK_FAULTS: readonly DiskFault[] = [
  {
    name: 'disk full',
    about:
      'no space for the append-only file (appendfsync always): Redis exits, and again at each start until there is space',
    // Right after a start, smaller writes may still fit.
    store: 'failing',
    holdMs: [3_000, 8_000],
    wholeWithinMs: AFTER_STORE_MS,
    async inject({ environment, began, holdMs, sleep, lifting, lifted }) {
      const disk = diskOf(environment);
      const { pid } = await environment.process('redis');
      // Redis may exit before the command that shrinks the disk does.
      const ended = poll('the full disk to end Redis', () => !isAlive(pid), { everyMs: LOOK_MS }).then(began);
      try {
        await Promise.all([disk.fill(), ended]);
        await sleep(holdMs);
      } finally {
        lifting();
        await disk.free();
      }
      // The supervisor restarts Redis.
      await poll('Redis to run again', async () => (await stateOf(environment)).state === 'up', {
        timeoutMs: BACK_TIMEOUT_MS,
      });
      lifted();
    },
  },
  {
    name: 'disk refusing',
    about: 'the same with appendfsync everysec: Redis keeps running and refuses writes (MISCONF)',
    store: 'refusing',
    holdMs: [3_000, 8_000],
    wholeWithinMs: AFTER_DISK_MS,
    async inject({ environment, began, holdMs, sleep, lifting }) {
      const disk = diskOf(environment);
      const set = (policy: string) => environment.admin((redis) => redis.call('CONFIG', 'SET', 'appendfsync', policy));
      const isRefusing = async () => {
        let refusing = false;
        await environment.admin(async (redis) => {
          refusing = /aof_last_write_status:err/.test(await redis.info('persistence'));
        });
        return refusing;
      };
      await set('everysec');
      try {
        await disk.fill();
        await poll('Redis to notice the full disk', isRefusing, { everyMs: LOOK_MS });
        began();
        await sleep(holdMs);
        lifting();
        await disk.free();
        await poll('Redis to write again', async () => !(await isRefusing()), { timeoutMs: BACK_TIMEOUT_MS });
      } finally {
        await disk.free();
        await set('always');
      }
    },
  },
];

function diskOf({ disk }: ClusterEnvironment): Disk {
  if (typeof disk === 'string') throw new Error(disk);
  return disk;
}

async function stateOf(environment: ClusterEnvironment) {
  const found = (await environment.cluster.status()).processes.find(({ kind }) => kind === 'redis');
  if (found === undefined) throw new Error('the cluster has no Redis');
  return found;
}
