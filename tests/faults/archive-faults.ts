/** Faults of the archive of a whole cluster. Members who chat do not notice them. */
import { readdirSync, readFileSync } from 'node:fs';
import { onArchive } from './archive-check.ts';
import type { ClusterEnvironment } from './environment.ts';
import type { Fault, FaultContext } from './fault.ts';

type ClusterFault = Fault<ClusterEnvironment>;

/** Chat continues, so members are complete as soon as their messages are delivered. */
const WHOLE_MS = 3_000;
const ARCHIVER = 'archiver-1';
const POSTGRES = 'postgres';

const COMMON = { store: 'unaffected', wholeWithinMs: WHOLE_MS } as const;

/** PIDs of PostgreSQL and of the processes that serve its connections. */
async function postgresPids(environment: ClusterEnvironment): Promise<number[]> {
  const { pid } = await environment.process(POSTGRES);
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid);
  return [pid, ...children.map(Number)];
}

function parentOf(pid: string): number | undefined {
  try {
    // The name of a program may contain spaces and brackets.
    const [, parent] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(' ');
    return Number(parent);
  } catch {
    return undefined;
  }
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // The process has ended.
    }
  }
}

/** Keeps a process down for a while. */
async function keepDown(name: string, { environment, began, holdMs, sleep }: FaultContext<ClusterEnvironment>) {
  await environment.cluster.kill(name);
  began();
  await sleep(holdMs);
  await environment.cluster.restart(name);
}

/** Makes every new transaction of PostgreSQL read-only. */
async function setReadOnly(environment: ClusterEnvironment, value: 'on' | 'off'): Promise<void> {
  const { address } = await environment.process(POSTGRES);
  await onArchive(address, async (client) => {
    // The administrator's own session is also affected.
    await client.query('SET default_transaction_read_only = off');
    await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
    await client.query('SELECT pg_reload_conf()');
  });
}

export const ARCHIVE_FAULTS: readonly ClusterFault[] = [
  {
    ...COMMON,
    name: 'archiver killed',
    about: 'kill -9 of the archiver; it is started again after a second',
    holdMs: [0, 0],
    weight: 4,
    async inject({ environment, began }) {
      process.kill((await environment.process(ARCHIVER)).pid, 'SIGKILL');
      began();
    },
  },
  {
    ...COMMON,
    name: 'archiver late',
    about: 'the archiver is down for a while',
    holdMs: [2_000, 20_000],
    inject: (context) => keepDown(ARCHIVER, context),
  },
  {
    ...COMMON,
    name: 'archive killed',
    about: 'kill -9 of PostgreSQL; it is started again after a second and recovers',
    holdMs: [0, 0],
    async inject({ environment, began }) {
      process.kill((await environment.process(POSTGRES)).pid, 'SIGKILL');
      began();
    },
  },
  {
    ...COMMON,
    name: 'archive down',
    about: 'PostgreSQL is down for a while',
    holdMs: [2_000, 20_000],
    inject: (context) => keepDown(POSTGRES, context),
  },
  {
    ...COMMON,
    name: 'archive stopped',
    about: 'SIGSTOP of all processes of PostgreSQL, then SIGCONT',
    holdMs: [2_000, 15_000],
    async inject({ environment, began, holdMs, sleep }) {
      const pids = await postgresPids(environment);
      signal(pids, 'SIGSTOP');
      try {
        began();
        await sleep(holdMs);
      } finally {
        signal(pids, 'SIGCONT');
      }
    },
  },
  {
    ...COMMON,
    name: 'archive read-only',
    about: 'PostgreSQL refuses to write, as a replica does',
    holdMs: [2_000, 10_000],
    weight: 1,
    async inject({ environment, began, holdMs, sleep }) {
      await setReadOnly(environment, 'on');
      try {
        began();
        await sleep(holdMs);
      } finally {
        await setReadOnly(environment, 'off');
      }
    },
  },
  {
    ...COMMON,
    name: 'archive outage',
    about: 'PostgreSQL is down for a long time',
    long: true,
    holdMs: [90_000, 90_000],
    weight: 1,
    inject: (context) => keepDown(POSTGRES, context),
  },
];
