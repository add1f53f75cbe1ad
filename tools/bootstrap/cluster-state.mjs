/**
 * The state file, in which other programs find the running cluster of a data directory. It contains
 * a secret, so its mode is 600.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} RecordedProcess
 * @property {string} name
 * @property {'gateway' | 'presence' | 'archiver' | 'redis' | 'postgres' | 'nginx'} kind
 * @property {number} pid
 * @property {string} identity
 */
/**
 * @typedef {object} ClusterState
 * @property {number} pid the supervisor's
 * @property {string} identity the supervisor's
 * @property {string} endpoint the public address
 * @property {{url: string, token: string} | null} control null until the supervisor listens
 * @property {RecordedProcess[]} processes what it started
 */

/** @param {string} dataDir */
export const clusterStatePath = (dataDir) => join(dataDir, 'cluster.json');
/** @param {string} dataDir */
export const supervisorLockPath = (dataDir) => join(dataDir, 'supervisor.lock');

/**
 * @param {string} dataDir
 * @returns {ClusterState | null} null if there is none, or if it cannot be parsed (the disk was
 *   full)
 */
export function readClusterState(dataDir) {
  try {
    const state = JSON.parse(readFileSync(clusterStatePath(dataDir), 'utf8'));
    return typeof state?.pid === 'number' && Array.isArray(state.processes) ? state : null;
  } catch {
    return null;
  }
}
