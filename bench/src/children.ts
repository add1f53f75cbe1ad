/** Tracks every process that a run starts and ends them all with the run. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const OUTPUT_CHARS_MAX = 4_000;

export interface Child {
  process: ChildProcess;
  pid: number;
  readonly alive: boolean;
  /** The end of its output, unless it inherited the output streams. */
  output(): string;
  /** Kills the process and resolves when it has exited. */
  end(): Promise<void>;
}

export interface Children {
  /**
   * Tracks a process. After `endAll` it kills the process at once: a run can fail during a start.
   */
  adopt(process: ChildProcess): Child;
  endAll(): Promise<void>;
}

export function createChildren(): Children {
  const all = new Set<Child>();
  let ended = false;
  // If the bench exits without calling `endAll`.
  const killAll = () => {
    for (const child of all) child.process.kill('SIGKILL');
  };
  process.once('exit', killAll);
  return {
    adopt(started) {
      let output = '';
      const append = (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
      };
      started.stdout?.on('data', append);
      started.stderr?.on('data', append);
      started.once('error', (error) => append(Buffer.from(error.message)));
      const child: Child = {
        process: started,
        pid: started.pid ?? 0,
        get alive() {
          return started.pid !== undefined && started.exitCode === null && started.signalCode === null;
        },
        output: () => output,
        async end() {
          if (child.alive) {
            const exited = once(started, 'exit');
            started.kill('SIGKILL');
            await exited;
          }
          all.delete(child);
        },
      };
      all.add(child);
      if (ended) started.kill('SIGKILL');
      return child;
    },
    async endAll() {
      ended = true;
      await Promise.all([...all].map((child) => child.end()));
      process.off('exit', killAll);
    },
  };
}
