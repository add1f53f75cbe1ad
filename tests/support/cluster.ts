/** A whole cluster, started by `npm start` with its own port and data directory. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@maru/service-kit/testing';
import { poll } from './poll.ts';

export const repository: string = fileURLToPath(new URL('../..', import.meta.url));

const OUTPUT_CHARS_MAX = 400_000;
const START_TIMEOUT_MS = 60_000;
/** The contract's limit from the signal to the exit. */
export const STOP_TIMEOUT_MS = 20_000;

export interface ProcessStatus {
  name: string;
  kind: 'gateway' | 'presence' | 'archiver' | 'redis' | 'postgres' | 'nginx';
  pid: number | null;
  address: string;
  /** The base URL of health and metrics; null for Redis, PostgreSQL and nginx. */
  ops: string | null;
  state: string;
}

export interface ClusterStatus {
  endpoint: string;
  processes: ProcessStatus[];
}

export interface ClusterView {
  endpoint: string;
  dataDir: string;
  jwtSecret: string;
  status(): Promise<ClusterStatus>;
  /** The running gateways, sorted by name. */
  gateways(): Promise<ProcessStatus[]>;
}

export interface Cluster extends ClusterView {
  /** The npm process. Its process group is the whole cluster. */
  npm: ChildProcess;
  add(): Promise<void>;
  drain(name: string): Promise<void>;
  kill(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  /** The output of the cluster. */
  output(): string;
  /** Sends SIGTERM to npm, and removes the data directory if it was created here. */
  stop(): Promise<void>;
}

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `npm run cluster -- …` without npm, which is faster. */
export function clusterCommand(dataDir: string, ...args: string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['tools/cluster.mjs', ...args, '--data-dir', dataDir],
      { cwd: repository, timeout: 60_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        // A signal ended it, or it could not be started.
        const why = error === null || typeof error.code === 'number' ? '' : `${error} ${error.signal ?? ''}`;
        resolve({ code, stdout, stderr: stderr + why });
      },
    );
  });
}

/** Reads the state of a running cluster through its data directory. */
export function viewCluster(options: { endpoint: string; dataDir: string; jwtSecret: string }): ClusterView {
  const status = async (): Promise<ClusterStatus> => {
    const { code, stdout, stderr } = await clusterCommand(options.dataDir, 'status', '--json', '--secrets');
    assert.equal(code, 0, `status failed: ${stdout}${stderr}`);
    return JSON.parse(stdout) as ClusterStatus;
  };
  return {
    ...options,
    status,
    gateways: async () =>
      (await status()).processes
        .filter((process) => process.kind === 'gateway' && process.pid !== null)
        .sort((a, b) => a.name.localeCompare(b.name)),
  };
}

/** True if every process runs and is ready. */
async function isReady(view: ClusterView): Promise<boolean> {
  const { processes } = await view.status();
  if (processes.some(({ pid }) => pid === null)) return false;
  for (const { ops } of processes) {
    if (ops === null) continue;
    if ((await fetch(`${ops}/readyz`)).status !== 200) return false;
  }
  return (await fetch(`${view.endpoint}/api/v1/rooms`)).status === 401;
}

const TEST_JWT_SECRET = 'a-secret-for-tests-only-0123456789abcdef';

export interface StartOptions {
  gateways?: number;
  /** Also runs PostgreSQL and the archiver. Without them, a cluster starts faster. */
  archive?: boolean;
  port?: number;
  dataDir?: string;
  env?: Record<string, string>;
}

export async function startCluster(options: StartOptions = {}): Promise<Cluster> {
  const port = options.port ?? (await findFreePort());
  const dataDir = options.dataDir ?? mkdtempSync(path.join(tmpdir(), 'maru-cluster-'));
  const jwtSecret = options.env?.MARU_JWT_SECRET ?? TEST_JWT_SECRET;
  const args = ['start', '--', '--gateways', String(options.gateways ?? 2), '--port', String(port)];
  if (options.archive !== true) args.push('--no-archive');
  const npm = spawn('npm', [...args, '--data-dir', dataDir], {
    cwd: repository,
    // A separate process group, as in a terminal: Ctrl-C reaches the group.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MARU_JWT_SECRET: jwtSecret, ...options.env },
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
  };
  npm.stdout.on('data', collect);
  npm.stderr.on('data', collect);
  const exited = new Promise<number | null>((resolve) => npm.once('exit', resolve));

  const view = viewCluster({ endpoint: `http://127.0.0.1:${port}`, dataDir, jwtSecret });
  const command = async (...words: string[]) => {
    const { code, stdout, stderr } = await clusterCommand(dataDir, ...words);
    assert.equal(code, 0, `cluster ${words.join(' ')} failed: ${stdout}${stderr}\n${output.slice(-4_000)}`);
  };
  const killGroup = (signal: NodeJS.Signals) => {
    try {
      if (npm.pid !== undefined) process.kill(-npm.pid, signal);
    } catch {
      // The group has already ended.
    }
  };
  const forceEnd = () => killGroup('SIGKILL');
  // The test runner ends a slow file by SIGTERM. The cluster must not outlive it.
  const endEarly = () => void stop().finally(() => process.exit(1));
  process.once('exit', forceEnd);
  process.once('SIGTERM', endEarly);

  const stop = async () => {
    if (npm.exitCode === null && npm.signalCode === null) npm.kill('SIGTERM');
    const timer = setTimeout(forceEnd, STOP_TIMEOUT_MS + 5_000);
    await exited;
    clearTimeout(timer);
    process.off('exit', forceEnd);
    process.off('SIGTERM', endEarly);
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };

  try {
    await poll(
      'the cluster to be ready',
      async () => {
        if (npm.exitCode !== null) return 'ended' as const;
        return (await isReady(view)) ? ('ready' as const) : undefined;
      },
      { timeoutMs: START_TIMEOUT_MS, everyMs: 100 },
    ).then((outcome) => assert.equal(outcome, 'ready', 'npm start ended'));
  } catch (error) {
    const logs = [output.slice(-4_000), ...troubleIn(dataDir, 40)].join('\n');
    await stop();
    throw new Error(`npm start did not get ready:\n${logs}`, { cause: error });
  }
  return {
    ...view,
    npm,
    add: () => command('add', 'gateway'),
    drain: (name) => command('drain', name),
    kill: (name) => command('kill', name),
    restart: (name) => command('restart', name),
    output: () => output,
    stop,
  };
}

/**
 * Ordinary log lines. Redis marks debug `.`, verbose `-`, notice `*` and warning `#`; it greets as
 * a warning. PostgreSQL writes the level in words.
 */
const QUIET_LINE =
  /"level":"(info|debug|trace|warn)"|^\d+:[A-Z] .*\d [.*-] |^\d+:[A-Z] .*\d # (?!== CRITICAL)|^\d+:signal-handler| UTC \[\d+\] (LOG|HINT|DETAIL|WARNING): /;

/** Log lines of services that report trouble, the newest last. */
export function troubleIn(dataDir: string, linesMax: number): string[] {
  const folder = path.join(dataDir, 'logs');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n'))
    .filter((line) => line !== '' && !QUIET_LINE.test(line))
    .slice(-linesMax);
}

/** True if the process exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
