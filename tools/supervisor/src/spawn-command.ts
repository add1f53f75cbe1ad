/** Starts a program in a process group of its own. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import type { Account } from './unprivileged.ts';

export interface Command {
  file: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /**
   * Runs it as this user, with the directory open as `INHERITED`. The user need not have access to
   * the directories above it (`/root`, or a temporary folder of root).
   */
  as?: { account: Account; directory: string };
}

const INHERITED_FD = 3;

/** The path of `directory` for a process that runs as `account`. */
export const pathFor = (account: Account | null, directory: string): string =>
  account !== null && process.platform === 'linux' ? `/proc/self/fd/${INHERITED_FD}` : directory;

/** What `spawn` needs to run as another user. Call `close` when the process has started. */
export function spawnAs(as: Command['as'], stdio: Array<'ignore' | 'pipe' | 'ipc'>) {
  if (as === undefined) return { options: { stdio: stdio satisfies StdioOptions }, close: () => {} };
  const fd = openSync(as.directory, constants.O_RDONLY | constants.O_DIRECTORY);
  const { uid, gid } = as.account;
  return {
    options: { uid, gid, cwd: '/', stdio: [...stdio.slice(0, INHERITED_FD), fd] satisfies StdioOptions },
    close: () => closeSync(fd),
  };
}

/** @param options.ipc opens a channel to the process */
export function spawnCommand(command: Command, options: { cwd: string; ipc: boolean }): ChildProcess {
  const { options: more, close } = spawnAs(command.as, [
    'ignore',
    'pipe',
    'pipe',
    ...(options.ipc ? ['ipc' as const] : []),
  ]);
  try {
    return spawn(command.file, command.args, {
      cwd: options.cwd,
      env: command.env,
      // The process gets a group of its own, so that Ctrl-C in the terminal does not stop it out of
      // order.
      detached: true,
      ...more,
    });
  } finally {
    close();
  }
}

/** Kills the process and its children. The process leads a process group. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is empty.
  }
}

/** Resolves with the reason when the process is gone or could not be started. */
export const goneReason = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be run: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `${signal}`));
  });
