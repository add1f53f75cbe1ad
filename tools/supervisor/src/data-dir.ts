/**
 * The data directory of one cluster: creates it, restricts it to the owner, and locks it for one
 * supervisor.
 */
import { chmodSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ClusterState,
  clusterStatePath,
  readClusterState,
  supervisorLockPath,
} from '../../bootstrap/cluster-state.mjs';
import { errorCode, Failure } from '../../bootstrap/failure.mjs';
import { takeLock } from '../../bootstrap/lock.mjs';
import { endLeftovers, type Leftover } from './leftovers.ts';

export interface DataDir {
  /** Without symbolic links, as the kernel reports it. */
  path: string;
  logs: string;
  /** The processes that a killed supervisor had left running. They are stopped now. */
  healed: Leftover[];
  saveState(state: ClusterState): void;
  /** Removes the state file and releases the lock. */
  release(): void;
}

/** The first files of a data directory. A directory with other files keeps its mode. */
const OURS = new Set(['secrets.json', 'install.lock', 'build.lock', 'supervisor.lock']);

function prepareDirectory(wanted: string): string {
  try {
    mkdirSync(wanted, { recursive: true, mode: 0o700 });
    const path = realpathSync(wanted);
    const entries = readdirSync(path);
    if (entries.length === 0 || entries.some((entry) => OURS.has(entry))) chmodSync(path, 0o700);
    mkdirSync(join(path, 'logs'), { recursive: true, mode: 0o700 });
    return path;
  } catch (error) {
    throw new Failure(
      `The data directory ${wanted} cannot be used (${errorCode(error) ?? String(error)}). Choose another: --data-dir DIR.`,
      { cause: error },
    );
  }
}

/**
 * Locks the directory. Stops processes that a killed supervisor left running.
 * @throws Failure if a running supervisor holds it
 */
export async function openDataDir(wanted: string): Promise<DataDir> {
  const path = prepareDirectory(wanted);
  const lock = await takeLock(supervisorLockPath(path));
  const before = readClusterState(path);
  if (!lock.taken) {
    const where = before?.pid === lock.holder.pid && before.endpoint !== '' ? `, ${before.endpoint}` : '';
    throw new Failure(
      `A cluster already runs with the data directory ${path} (pid ${lock.holder.pid}${where}).\n` +
        `End it with Ctrl-C or "kill ${lock.holder.pid}", or run another cluster: ` +
        'npm start -- --data-dir DIR --port PORT',
    );
  }
  const healed = before === null ? [] : await endLeftovers(before.processes, path);
  const statePath = clusterStatePath(path);
  rmSync(statePath, { force: true });
  return {
    path,
    logs: join(path, 'logs'),
    healed,
    saveState(state) {
      writeFileSync(`${statePath}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
      renameSync(`${statePath}.new`, statePath);
    },
    release() {
      rmSync(statePath, { force: true });
      lock.release();
    },
  };
}
