/** A Redis or Valkey server for one test, on a free port with a temporary directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findFreePort } from './free-port.ts';
import { sleep } from './poll.ts';

export interface TestRedisOptions {
  /** Whether data survives `kill` and `restart`. Production uses `always`. Default `off`. */
  appendOnly?: 'off' | 'everysec' | 'always';
  /** More settings, for example `{ maxmemory: '10mb' }`. They override the defaults. */
  settings?: Record<string, string>;
  /** Default: a free port. */
  port?: number;
  /** How long the server may take to answer. Default 20,000. */
  startDeadlineMs?: number;
}

export interface TestRedis {
  /** `redis://127.0.0.1:<port>` */
  url: string;
  port: number;
  /** The id of the running process. Changes with `restart`. */
  readonly pid: number;
  /** The directory of its files. */
  directory: string;
  /** Sends a signal. With SIGKILL, the default, it resolves when the process has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Kills the process if it runs, and starts it again with the same port and files. */
  restart(): Promise<void>;
  /** Ends the process and deletes its files. A second call does nothing. */
  stop(): Promise<void>;
}

const BINARIES = ['redis-server', 'valkey-server'];
const START_DEADLINE_MS = 20_000;
const ANSWER_TIMEOUT_MS = 2_000;
const ATTEMPTS_MAX = 5;
const RETRY_MS = 200;

/** Finds a server on the PATH. */
export function findRedisBinary(path = process.env.PATH ?? ''): string {
  for (const name of BINARIES) {
    for (const directory of path.split(delimiter)) {
      const candidate = join(directory, name);
      try {
        accessSync(candidate, constants.X_OK);
        return candidate;
      } catch {
        // Try the next directory.
      }
    }
  }
  throw new Error(`These tests need ${BINARIES.join(' or ')} on the PATH`);
}

const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

function exited(child: ChildProcess): Promise<void> {
  if (hasExited(child)) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

/**
 * True if the process `pid` answers on the port. Another server may use the port. False while the
 * process loads its data.
 */
function answers(port: number, pid: number | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = tcpConnect({ host: '127.0.0.1', port });
    let reply = '';
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => done(false));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
    socket.once('connect', () => socket.write('PING\r\nINFO server\r\n'));
    socket.on('data', (data) => {
      reply += data.toString();
      const answeringPid = /\r\nprocess_id:(\d+)\r\n/.exec(reply)?.[1];
      if (!'+PONG\r\n'.startsWith(reply.slice(0, 7))) done(false);
      else if (answeringPid !== undefined) done(Number(answeringPid) === pid);
    });
  });
}

/** The server ended before it answered, usually because another program uses the port. */
class EndedAtStart extends Error {}

async function launch(binary: string, port: number, directory: string, options: TestRedisOptions) {
  const appendOnly = options.appendOnly ?? 'off';
  const settings: Record<string, string> = {
    bind: '127.0.0.1',
    port: String(port),
    dir: directory,
    save: '',
    appendonly: appendOnly === 'off' ? 'no' : 'yes',
    'stream-node-max-entries': '1',
    appendfsync: appendOnly === 'off' ? 'no' : appendOnly,
    daemonize: 'no',
    ...options.settings,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  // Only the last part, for the message of a failed start.
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-2_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const deadline = performance.now() + (options.startDeadlineMs ?? START_DEADLINE_MS);
  while (!(await answers(port, child.pid))) {
    if (failure !== undefined) throw failure;
    if (hasExited(child)) throw new EndedAtStart(`${binary} ended while it started: ${output}`);
    if (performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${binary} did not answer in time: ${output}`);
    }
    await sleep(20);
  }
  return child;
}

/**
 * Starts a server and resolves when it answers. The test MUST call `stop`. If the test process ends
 * without it, except by a signal, the server ends too.
 */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const binary = findRedisBinary();
  const directory = await mkdtemp(join(tmpdir(), 'maru-redis-'));
  let port = 0;
  const bind = async (choose: () => Promise<number>): Promise<ChildProcess> => {
    for (let attempt = 1; ; attempt++) {
      port = await choose();
      try {
        return await launch(binary, port, directory, options);
      } catch (error) {
        if (attempt === ATTEMPTS_MAX || !(error instanceof EndedAtStart)) throw error;
        await sleep(RETRY_MS);
      }
    }
  };
  let running: ChildProcess;
  try {
    running = await bind(async () => options.port ?? (await findFreePort()));
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  const killAtExit = () => running.kill('SIGKILL');
  process.once('exit', killAtExit);

  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (hasExited(running)) return;
    running.kill(signal);
    if (signal === 'SIGKILL') await exited(running);
  };

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    directory,
    get pid() {
      return running.pid ?? 0;
    },
    kill,
    async restart() {
      await kill('SIGKILL');
      // The port must stay the same, because clients know it.
      running = await bind(async () => port);
    },
    async stop() {
      process.off('exit', killAtExit);
      await kill('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
