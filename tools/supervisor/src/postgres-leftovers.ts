/** What a killed PostgreSQL leaves behind: processes that end soon, and its lock file. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../bootstrap/failure.mjs';
import { listProcesses } from '../../bootstrap/process-identity.mjs';

/** Its processes notice within a second that the first process is gone. */
const UNUSED_WITHIN_MS = 8_000;

/**
 * Resolves when no process works in the data directory. Then it removes the lock file: it holds the
 * number of a process, which may belong to another one by now, and PostgreSQL would not start.
 * Elsewhere than on Linux it leaves all that to PostgreSQL.
 * @throws Failure if a process stays
 */
export async function waitUntilUnused(directory: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const user = () => listProcesses().find(({ cwd }) => cwd === directory);
  const deadline = performance.now() + UNUSED_WITHIN_MS;
  for (let found = user(); found !== undefined; found = user()) {
    if (performance.now() > deadline)
      throw new Failure(`A process that Maru did not start uses ${directory} (pid ${found.pid}). End it first.`);
    await sleep(50);
  }
  rmSync(join(directory, 'postmaster.pid'), { force: true });
}
