/** A PostgreSQL server for one test file, on a free port with a temporary directory. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePort, sleep } from '@maru/service-kit/testing';
import pg from 'pg';
import { createDataDirectory, DATABASE, SUPERUSER } from './data-directory.ts';
import { accountForPostgres, findPostgresPrograms } from './programs.ts';

export { findPostgresPrograms } from './programs.ts';

export interface TestPostgresOptions {
  /** Whether commits survive a crash of the machine, as in production. Default false: faster. */
  durable?: boolean;
  /** More settings, for example `{ max_connections: '5' }`. They override the defaults. */
  settings?: Record<string, string>;
  /** How long the server may take to answer. Default 20,000. */
  startDeadlineMs?: number;
}

export interface TestPostgres {
  /** A superuser's URL of an empty database. */
  url: string;
  port: number;
  /** The directory of its files: the data is in `data`. */
  directory: string;
  /** The id of the main process. Changes with `restart`. */
  readonly pid: number;
  /** Creates an empty database on this server: much faster than another server. Returns its URL. */
  createDatabase(): Promise<string>;
  /** Stops all its processes with SIGSTOP: connections stay open, but nothing answers. */
  pause(): void;
  resume(): void;
  /** Kills all its processes, like a crash of the machine. */
  kill(): Promise<void>;
  /** Kills the server if it runs, and starts it again with the same port and files. */
  restart(): Promise<void>;
  /** Ends the server and deletes its files. A second call does nothing. */
  stop(): Promise<void>;
}

const START_DEADLINE_MS = 20_000;
const SHUTDOWN_MS_MAX = 8_000;
const POLL_MS = 20;
const ATTEMPTS_MAX = 5;

const FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  // Off, so that it does not disturb tests that compare plans or times.
  autovacuum: 'off',
  log_min_messages: 'warning',
};

const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** The server ended before it was ready, usually because another program uses the port. */
class EndedAtStart extends Error {}

/** The main process and its children. They do not share a process group. */
function processesOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n');
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  return [pid, ...pairs.filter(([, parent]) => parent === pid).map(([child]) => child ?? 0)];
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // The process has just ended.
  }
}

/** Signals the main process first, so that it starts no more children. */
function signalAll(child: ChildProcess, name: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined || hasExited(child)) return;
  if (name === 'SIGCONT') return void processesOf(pid).forEach((one) => void signal(one, name));
  signal(pid, 'SIGSTOP');
  const all = processesOf(pid);
  for (const one of all.slice(1)) signal(one, name);
  signal(pid, name);
}

async function isReady(data: string, pid: number | undefined): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

async function launch(postgres: string, port: number, directory: string, options: TestPostgresOptions) {
  const data = join(directory, 'data');
  const settings = { ...SETTINGS, ...(options.durable === true ? {} : FAST), port: String(port), ...options.settings };
  const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(postgres, ['-D', data, ...args], {
    ...accountForPostgres(),
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // Only the last part, for the message of a failed start.
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-2_000);
  });
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const deadline = performance.now() + (options.startDeadlineMs ?? START_DEADLINE_MS);
  while (!(await isReady(data, child.pid))) {
    if (failure !== undefined) throw failure;
    if (hasExited(child)) throw new EndedAtStart(`PostgreSQL ended while it started: ${output}`);
    if (performance.now() > deadline) {
      signalAll(child, 'SIGKILL');
      throw new Error(`PostgreSQL was not ready in time: ${output}`);
    }
    await sleep(POLL_MS);
  }
  return child;
}

async function bind(choose: () => Promise<number>, start: (port: number) => Promise<ChildProcess>) {
  for (let attempt = 1; ; attempt++) {
    const port = await choose();
    try {
      return { port, child: await start(port) };
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !(error instanceof EndedAtStart)) throw error;
    }
  }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * Starts a server and resolves when it answers. The test MUST call `stop`. If the test process ends
 * without it, except by a signal, the server ends too.
 */
export async function startTestPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const programs = findPostgresPrograms();
  const directory = await createDataDirectory(programs);
  const start = (port: number) => launch(programs.postgres, port, directory, options);
  let { port, child } = await bind(findFreePort, start).catch(async (error: unknown) => {
    await rm(directory, { recursive: true, force: true });
    throw error;
  });
  const endAtExit = () => {
    signalAll(child, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', endAtExit);
  const kill = async () => {
    if (hasExited(child)) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    signalAll(child, 'SIGKILL');
    await exited;
  };
  const shutDown = async () => {
    if (hasExited(child)) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    signalAll(child, 'SIGCONT');
    // An immediate shutdown removes the shared memory. SIGKILL leaves it until the next boot.
    child.kill('SIGQUIT');
    const timer = setTimeout(() => signalAll(child, 'SIGKILL'), SHUTDOWN_MS_MAX);
    await exited;
    clearTimeout(timer);
  };
  const urlOf = (database: string) => `postgres://${SUPERUSER}@127.0.0.1:${port}/${database}`;
  let databases = 0;
  return {
    url: urlOf(DATABASE),
    port,
    directory,
    get pid() {
      return child.pid ?? 0;
    },
    async createDatabase() {
      const name = `${DATABASE}_${++databases}`;
      await execute(urlOf('postgres'), `CREATE DATABASE ${name} TEMPLATE template0`);
      return urlOf(name);
    },
    pause: () => signalAll(child, 'SIGSTOP'),
    resume: () => signalAll(child, 'SIGCONT'),
    kill,
    async restart() {
      await kill();
      // The port must stay the same, because clients know it.
      ({ child } = await bind(async () => port, start));
    },
    async stop() {
      process.off('exit', endAtExit);
      await shutDown();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
