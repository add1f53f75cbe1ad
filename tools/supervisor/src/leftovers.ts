/**
 * Finds and stops the processes that a killed supervisor left running. It never stops other
 * processes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedProcess } from '../../bootstrap/cluster-state.mjs';
import { listProcesses, type ProcessRow } from '../../bootstrap/process-identity.mjs';

export interface Leftover {
  name: string;
  kind: RecordedProcess['kind'];
  pid: number;
}

/**
 * The living processes that were recorded, and their children. A recorded process is identified by
 * its pid and start time. Its children (workers of nginx outlive a killed master) are identified by
 * their session and their working directory, which is ours.
 */
export function findLeftovers(
  recorded: readonly RecordedProcess[],
  living: readonly ProcessRow[],
  workingDirectory: string,
): Leftover[] {
  return living.flatMap((row) => {
    const owner = recorded.find(
      (record) =>
        (row.pid === record.pid && row.identity === record.identity) ||
        (row.pid !== record.pid && row.session === record.pid && row.cwd === workingDirectory),
    );
    return owner === undefined ? [] : [{ name: owner.name, kind: owner.kind, pid: row.pid }];
  });
}

const QUIT_WITHIN_MS = 6_000;

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}

/**
 * Stops the processes: first with a signal (Redis then flushes its data), after 6 s with SIGKILL.
 * @returns the processes that were found
 */
export async function endLeftovers(
  recorded: readonly RecordedProcess[],
  workingDirectory: string,
): Promise<Leftover[]> {
  const look = () => findLeftovers(recorded, listProcesses(), workingDirectory);
  const found = look();
  for (const { kind, pid } of found) signal(pid, kind === 'redis' || kind === 'nginx' ? 'SIGTERM' : 'SIGINT');
  const deadline = performance.now() + QUIT_WITHIN_MS;
  let left = found;
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(50);
    left = look();
  }
  for (const { pid } of left) signal(pid, 'SIGKILL');
  while (look().length > 0) await sleep(20);
  return found;
}
