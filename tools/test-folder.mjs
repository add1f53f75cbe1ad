/**
 * Chooses the folder for files of the tests, such as the append-only files of Redis: in memory if
 * possible. The contract has a deadline of 0.8 s for Redis. A disk that stalls longer makes sends
 * fail, which is correct but fails unrelated tests. The tests of an unhealthy Redis inject the
 * fault.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** A whole run used 16 MB at a time. The default of a container, 64 MiB, is left to the browser. */
const FREE_BYTES_MIN = 256 * 1_048_576;

/**
 * Creates the folder of one run. The caller removes it.
 * @param {{environment: Record<string, string | undefined>, memory?: string, freeBytesMin?:
 *   number}} options TMPDIR in `environment` overrides the choice
 * @returns {{path: string, inMemory: boolean}}
 */
export function makeTestFolder({ environment, memory = MEMORY, freeBytesMin = FREE_BYTES_MIN }) {
  const chosen = environment.TMPDIR !== undefined && environment.TMPDIR !== '';
  const path = chosen ? undefined : tryFolder(memory, freeBytesMin);
  return path === undefined ? { path: makeIn(tmpdir()), inMemory: false } : { path, inMemory: true };
}

/** @param {string} parent */
const makeIn = (parent) => mkdtempSync(join(parent, 'maru-test-'));

/**
 * @param {string} parent
 * @param {number} freeBytesMin
 * @returns {string | undefined} undefined if tests could not run there
 */
function tryFolder(parent, freeBytesMin) {
  let path;
  try {
    const { bavail, bsize } = statfsSync(parent);
    if (bavail * bsize < freeBytesMin) return undefined;
    path = makeIn(parent);
    // Tests write programs and start them. Some mounts do not allow that.
    const program = join(path, 'runs');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    if (spawnSync(program).status === 0) return path;
  } catch {
    // The folder does not exist, or is not writable.
  }
  if (path !== undefined) rmSync(path, { recursive: true, force: true });
  return undefined;
}
