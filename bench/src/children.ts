/** Every process that a run starts, so that none outlives it, however the run ends. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const OUTPUT_CHARS_MAX = 4_000;

export interface Child {
  process: ChildProcess;
  pid: number;
  readonly alive: boolean;
  /** The end of what it printed, where that is not inherited. */
  output(): string;
  /** Kills it and resolves when it is gone. */
  end(): Promise<void>;
}

export interface Children {
  /** What is adopted after the end is ended at once: a start may be under way when a run fails. */
  adopt(process: ChildProcess): Child;
  endAll(): Promise<void>;
}

export function createChildren(): Children {
  const all = new Set<Child>();
  let ended = false;
  // The last resort, where nobody could wait any more.
  const killAll = () => {
    for (const child of all) child.process.kill('SIGKILL');
  };
  process.once('exit', killAll);
  return {
    adopt(started) {
      let output = '';
      const keep = (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
      };
      started.stdout?.on('data', keep);
      started.stderr?.on('data', keep);
      started.once('error', (error) => keep(Buffer.from(error.message)));
      const child: Child = {
        process: started,
        pid: started.pid ?? 0,
        get alive() {
          return started.pid !== undefined && started.exitCode === null && started.signalCode === null;
        },
        output: () => output,
        async end() {
          if (child.alive) {
            const gone = once(started, 'exit');
            started.kill('SIGKILL');
            await gone;
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
