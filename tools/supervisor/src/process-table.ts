/**
 * The processes of the cluster: gives each a log file, reports what happens to it, and records all
 * of them in the state file, which `npm run cluster` reads.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterState, RecordedProcess } from '../../bootstrap/cluster-state.mjs';
import { Failure } from '../../bootstrap/failure.mjs';
import { identityOf } from '../../bootstrap/process-identity.mjs';
import type { Reporter } from '../../bootstrap/terminal.mjs';
import type { DataDir } from './data-dir.ts';
import { type LogFile, openLogFile } from './log-file.ts';
import { type ManagedProcess, manageProcess, type ProcessEvent, type ProcessPlan } from './managed-process.ts';
import type { Member } from './members.ts';

const LOG_BYTES_MAX = 20 * 1024 * 1024;
const LOG_LINES_SHOWN = 8;
const QUIET_LINE_CHARS_MAX = 400;
const FAILURE_LINE_CHARS_MAX = 600;
/** The last output of a process may arrive after its exit. */
const LAST_OUTPUT_MS = 100;

export class ProcessTable {
  /** In the order in which they joined the cluster. */
  readonly members: Member[] = [];
  readonly #dataDir: DataDir;
  readonly #endpoint: string;
  readonly #reporter: Reporter;
  readonly #logs = new Map<string, LogFile>();
  readonly #identities = new Map<number, string>();
  #control: ClusterState['control'] = null;

  constructor(options: { dataDir: DataDir; endpoint: string; reporter: Reporter }) {
    this.#dataDir = options.dataDir;
    this.#endpoint = options.endpoint;
    this.#reporter = options.reporter;
  }

  /** Prepares a process. `onUp` is called each time it becomes ready. */
  manage(plan: ProcessPlan, onUp: () => void): ManagedProcess {
    const log = openLogFile({
      path: this.#logPath(plan.name),
      bytesMax: LOG_BYTES_MAX,
      onError: (error) => this.#reporter.trouble(plan.name, `its log cannot be written: ${String(error)}`),
    });
    this.#logs.set(plan.name, log);
    return manageProcess({
      plan,
      cwd: this.#dataDir.path,
      log,
      onEvent: (event) => {
        if (event.type === 'up') onUp();
        this.#report(plan.name, event);
        this.#saveState();
      },
    });
  }

  /** @throws {Failure} with the end of the process' log */
  async start(member: Member): Promise<void> {
    try {
      await member.process.start();
    } catch (error) {
      await sleep(LAST_OUTPUT_MS);
      const lines = this.#logs.get(member.name)?.tail(LOG_LINES_SHOWN) ?? [];
      throw new Failure(
        [
          `${member.name} did not start: ${error instanceof Error ? error.message : String(error)}`,
          ...lines.map((line) => `  ${line.slice(0, FAILURE_LINE_CHARS_MAX)}`),
          `Its log: ${this.#logPath(member.name)}`,
        ].join('\n'),
        { cause: error },
      );
    }
  }

  /** Records in the state file where the supervisor takes commands. */
  setControl(control: ClusterState['control']): void {
    this.#control = control;
    this.#saveState();
  }

  closeLogs(): void {
    for (const log of this.#logs.values()) log.close();
  }

  #logPath(name: string): string {
    return join(this.#dataDir.logs, `${name}.log`);
  }

  #report(name: string, event: ProcessEvent): void {
    const reporter = this.#reporter;
    if (event.type === 'spawned') this.#identities.set(event.pid, event.identity);
    if (event.type === 'up') reporter.step(name, `${event.again ? 'up again' : 'up'} (pid ${event.pid})`);
    if (event.type === 'died') {
      reporter.trouble(name, `died (${event.how}); restarting in ${event.pauseMs / 1_000} s`);
      for (const line of event.lastLines)
        reporter.line(`      ${reporter.paint('quiet', line.slice(0, QUIET_LINE_CHARS_MAX))}`);
    }
  }

  #saveState(): void {
    const processes = this.members.flatMap(({ name, kind, process: { pid } }): RecordedProcess[] => {
      const identity = pid === null ? undefined : this.#identities.get(pid);
      return pid === null || identity === undefined ? [] : [{ name, kind, pid, identity }];
    });
    try {
      this.#dataDir.saveState({
        pid: process.pid,
        identity: identityOf(process.pid) ?? '',
        endpoint: this.#endpoint,
        control: this.#control,
        processes,
      });
    } catch (error) {
      const problem = `cannot be written (${String(error)}); npm run cluster may not find this cluster`;
      this.#reporter.trouble('state', problem);
    }
  }
}
