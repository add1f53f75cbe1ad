/** The docker command line, for the checks of the images and of the compose file. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findFreePort } from '@maru/service-kit/testing';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** A first build installs all dependencies, which may take minutes. */
const DEADLINE_MS = 20 * 60_000;
const LISTING_MAX_BYTES = 16 * 1024 * 1024;

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `docker …` in the repository. Resolves also when the command fails. */
export function tryDocker(args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', args, {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: DEADLINE_MS,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs `docker …`, which must succeed, and returns its output. */
export async function docker(args: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await tryDocker(args, environment);
  assert.equal(code, 0, `docker ${args.join(' ')} ended with ${code}: ${stderr.slice(-2_000)}`);
  return stdout.trim();
}

export const inspect = async (name: string) => JSON.parse(await docker(['inspect', name]))[0];

/**
 * The files of an image: `owner` as user/group ids, `mode` as -rwxr-xr-x. Read from an export,
 * because our images may have no shell.
 */
export async function filesOf(image: string): Promise<Array<{ path: string; mode: string; owner: string }>> {
  const container = await docker(['create', image]);
  const directory = await mkdtemp(join(tmpdir(), 'maru-image-'));
  try {
    const archive = join(directory, 'image.tar');
    await docker(['export', '--output', archive, container]);
    const { stdout } = await promisify(execFile)('tar', ['--numeric-owner', '-tvf', archive], {
      maxBuffer: LISTING_MAX_BYTES,
    });
    return stdout.split('\n').flatMap((line) => {
      const match = /^(-\S{9})\s+(\S+)\s+\d+\s+\S+\s+\S+\s(.+)$/.exec(line);
      return match === null ? [] : [{ mode: match[1] ?? '', owner: match[2] ?? '', path: match[3] ?? '' }];
    });
  } finally {
    await docker(['rm', '--force', container]);
    await rm(directory, { recursive: true, force: true });
  }
}

/** A separate cluster with its own project name, port and volumes. */
export interface ComposeProject {
  endpoint: string;
  compose(...args: string[]): Promise<string>;
  /** Ids of the running containers of a service. */
  containers(service: string): Promise<string[]>;
  /** Starts a second nginx container and returns its address. */
  addEdge(): Promise<string>;
  /** Removes the containers, networks and volumes. */
  remove(): Promise<void>;
}

export async function composeProject(): Promise<ComposeProject> {
  const project = `maru-test-${randomBytes(4).toString('hex')}`;
  const port = await findFreePort();
  const environment = { MARU_PORT: String(port), COMPOSE_PROJECT_NAME: project };
  const compose = (...args: string[]) => docker(['compose', ...args], environment);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    compose,
    containers: async (service) => (await compose('ps', '-q', service)).split('\n').filter((id) => id !== ''),
    async addEdge() {
      const second = await findFreePort();
      await compose('run', '--detach', '--no-deps', '--publish', `127.0.0.1:${second}:8080`, 'nginx');
      return `http://127.0.0.1:${second}`;
    },
    async remove() {
      await tryDocker(['compose', 'down', '--volumes', '--remove-orphans', '--timeout', '1'], environment);
    },
  };
}
