/** A Redis (or Valkey) of a test's own: a free port, a directory of its own under the system's temporary one, and no trace left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface TestRedisOptions {
  /** Whether the data outlives a `kill` followed by `restart`. `always` is what the room log runs with. Default `off`. */
  appendOnly?: 'off' | 'everysec' | 'always';
  /** More settings, as on the command line: `{ maxmemory: '10mb' }`. They win over ours. */
  settings?: Record<string, string>;
  /** A port to bind instead of a free one. */
  port?: number;
  /** How long the server may take to answer PING, in milliseconds. Default 5,000. */
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
  /** Starts again on the same port and the same files; a running one is killed first. */
  restart(): Promise<void>;
  /** Ends the process and deletes its files. May be called twice. */
  stop(): Promise<void>;
}

const BINARIES = ['redis-server', 'valkey-server'];

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

/** Asks the system for a port that is free now. Somebody may take it before it is bound, so callers try again. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port was bound'));
        else resolve(address.port);
      });
    });
  });
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

function exited(child: ChildProcess): Promise<void> {
  if (hasExited(child)) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

/** True once the server answers PONG; LOADING and refused connections count as not yet. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = tcpConnect({ host: '127.0.0.1', port });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(500, () => done(false));
    socket.once('error', () => done(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => done(data.toString().startsWith('+PONG')));
  });
}

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
  const deadline = Date.now() + (options.startDeadlineMs ?? 5_000);
  while (!(await answersPing(port))) {
    if (failure !== undefined) throw failure;
    if (hasExited(child)) throw new Error(`${binary} ended at its start: ${output}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${binary} did not answer in time: ${output}`);
    }
    await sleep(20);
  }
  // Another server may have won the port, in which case ours ends a moment after the other one's PONG.
  await sleep(10);
  if (hasExited(child)) throw new Error(`${binary} ended at its start: ${output}`);
  return child;
}

/** Starts a server and resolves once it answers. The test calls `stop`; a test process that ends without it, but not by a signal, takes the server along. */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const binary = findRedisBinary();
  const directory = await mkdtemp(join(tmpdir(), 'maru-redis-'));
  const attempts = options.port === undefined ? 5 : 1;
  let child: ChildProcess | undefined;
  let port = 0;
  for (let attempt = 1; child === undefined; attempt++) {
    port = options.port ?? (await findFreePort());
    try {
      child = await launch(binary, port, directory, options);
    } catch (error) {
      if (attempt < attempts) continue;
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }
  let running: ChildProcess = child;
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
      running = await launch(binary, port, directory, options);
    },
    async stop() {
      process.off('exit', killWithUs);
      await kill('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
