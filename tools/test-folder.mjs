/**
 * Where the tests keep their files, the logs of their Redis among them: in memory where that can be had. The store's deadline is part of
 * the contract (0.8 s), so a disk that stalls for longer rightly fails what was sent, and would fail tests that are about something
 * else. What a sick store does is tested by injecting it.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** A whole run was seen to hold 16 MB at once. The 64 MiB that a container has by default are left to the browser. */
const FREE_BYTES_MIN = 256 * 1_048_576;

/**
 * Makes the folder of one run. It is the caller's to remove.
 * @param {{environment: Record<string, string | undefined>, memory?: string, freeBytesMin?: number}} options a TMPDIR in `environment`
 *   is somebody's choice, and is followed
 * @returns {{path: string, inMemory: boolean}}
 */
export function makeTestFolder({ environment, memory = MEMORY, freeBytesMin = FREE_BYTES_MIN }) {
  const chosen = environment.TMPDIR !== undefined && environment.TMPDIR !== '';
  const path = chosen ? undefined : tryFolder(memory, freeBytesMin);
  return path === undefined ? { path: makeIn(tmpdir()), inMemory: false } : { path, inMemory: true };
}

/** @param {string} parent */
const makeIn = (parent) => mkdtempSync(join(parent, 'maru-test-'));

/** @param {string} parent @param {number} freeBytesMin @returns {string | undefined} nothing when tests could not run there */
function tryFolder(parent, freeBytesMin) {
  let path;
  try {
    const { bavail, bsize } = statfsSync(parent);
    if (bavail * bsize < freeBytesMin) return undefined;
    path = makeIn(parent);
    // Tests write programs and start them, which some mounts forbid.
    const program = join(path, 'runs');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    if (spawnSync(program).status === 0) return path;
  } catch {
    // Not there, or not ours.
  }
  if (path !== undefined) rmSync(path, { recursive: true, force: true });
  return undefined;
}
