/** What a supervisor that was killed left running, and how to end it without ever touching a stranger. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedProcess } from '../../bootstrap/cluster-state.mjs';
import { listProcesses, type ProcessRow } from '../../bootstrap/process-identity.mjs';

export interface Leftover {
  name: string;
  kind: RecordedProcess['kind'];
  pid: number;
}

/**
 * Which of the living processes were recorded. A recorded process is known by its pid and its start together. Of those it started
 * in turn (nginx' workers outlive a killed master) the session tells, together with the working directory, which is ours.
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
    // It ended in this moment, which is what was wanted.
  }
}

/**
 * Ends them: asked first (Redis writes what it has), killed after 6 s.
 * @returns those that were found
 */
export async function endLeftovers(
  recorded: readonly RecordedProcess[],
  workingDirectory: string,
): Promise<Leftover[]> {
  const look = () => findLeftovers(recorded, listProcesses(), workingDirectory);
  const found = look();
  for (const { kind, pid } of found) signal(pid, kind === 'redis' || kind === 'nginx' ? 'SIGTERM' : 'SIGINT');
  const deadline = Date.now() + QUIT_WITHIN_MS;
  let left = found;
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(50);
    left = look();
  }
  for (const { pid } of left) signal(pid, 'SIGKILL');
  while (look().length > 0) await sleep(20);
  return found;
}
