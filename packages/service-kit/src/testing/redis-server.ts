/** A Redis (or Valkey) of a test's own: a free port, a directory of its own under the system's temporary one, and no trace left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findFreePort } from './free-port.ts';
import { sleep } from './poll.ts';

export interface TestRedisOptions {
  /** Whether the data outlives a `kill` followed by `restart`. `always` is what the room log runs with. Default `off`. */
  appendOnly?: 'off' | 'everysec' | 'always';
  /** More settings, as on the command line: `{ maxmemory: '10mb' }`. They win over ours. */
  settings?: Record<string, string>;
  /** A port to bind instead of a free one. */
  port?: number;
  /** How long the server may take until it answers, in milliseconds. Default 20,000. */
  startDeadlineMs?: number;
}

export interface TestRedis {
  /** `redis://127.0.0.1:<port>` */
  url: string;
  port: number;
  /** The process that runs now; changes with `restart`. */
  readonly pid: number;
  /** Where its files are. */
  directory: string;
  /** Sends a signal. With SIGKILL (the default) it resolves when the process is gone; with others at once. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts again on the same port and the same files, as soon as the port can be bound; a running one is killed first. */
  restart(): Promise<void>;
  /** Ends the process and deletes its files. May be called twice. */
  stop(): Promise<void>;
}

const BINARIES = ['redis-server', 'valkey-server'];
const START_DEADLINE_MS = 20_000;
const ANSWER_TIMEOUT_MS = 2_000;
const ATTEMPTS_MAX = 5;
const RETRY_MS = 200;

/** Finds a server on the PATH; throws with a sentence that a person can act on. */
export function findRedisBinary(path = process.env.PATH ?? ''): string {
  for (const name of BINARIES) {
    for (const directory of path.split(delimiter)) {
      const candidate = join(directory, name);
      try {
        accessSync(candidate, constants.X_OK);
        return candidate;
      } catch {
        // Not here; the next directory may have it.
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

/** True once this very process answers: another server may hold the port. LOADING and refused connections count as not yet. */
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
      const told = /\r\nprocess_id:(\d+)\r\n/.exec(reply)?.[1];
      if (!'+PONG\r\n'.startsWith(reply.slice(0, 7))) done(false);
      else if (told !== undefined) done(Number(told) === pid);
    });
  });
}

/** The server ended before it answered; mostly somebody else held the port, and that may pass. */
class EndedAtStart extends Error {}

async function launch(binary: string, port: number, directory: string, options: TestRedisOptions) {
  const appendOnly = options.appendOnly ?? 'off';
  const settings: Record<string, string> = {
    bind: '127.0.0.1',
    port: String(port),
    dir: directory,
    save: '',
    appendonly: appendOnly === 'off' ? 'no' : 'yes',
    appendfsync: appendOnly === 'off' ? 'no' : appendOnly,
    daemonize: 'no',
    ...options.settings,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  // Kept for the message of a failed start only, so a chatty server cannot fill the memory.
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
  const deadline = Date.now() + (options.startDeadlineMs ?? START_DEADLINE_MS);
  while (!(await answers(port, child.pid))) {
    if (failure !== undefined) throw failure;
    if (hasExited(child)) throw new EndedAtStart(`${binary} ended at its start: ${output}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${binary} did not answer in time: ${output}`);
    }
    await sleep(20);
  }
  return child;
}

/** Starts a server and resolves once it answers. The test calls `stop`; a test process that ends without it, but not by a signal, takes the server along. */
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
  const killWithUs = () => running.kill('SIGKILL');
  process.once('exit', killWithUs);

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
      // Clients know the address: whoever took the port meanwhile, it is this one or none.
      running = await bind(async () => port);
    },
    async stop() {
      process.off('exit', killWithUs);
      await kill('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
