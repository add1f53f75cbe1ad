/**
 * Runs one process: starts it, watches it, starts it again when it dies by itself, and ends it on
 * request. It does not know what the process is for, nor that there are others.
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf } from '../../bootstrap/process-identity.mjs';
import type { LogFile } from './log-file.ts';
import { countDeaths, restartPauseMs } from './restart-pause.ts';
import { type Command, goneReason, killGroup, spawnCommand } from './spawn-command.ts';

/**
 * `down` lasts until the next `start`; `restarting` is the pause after a death. Only `starting`,
 * `up`, `draining` and `stopping` have a pid.
 */
export type ProcessState = 'down' | 'starting' | 'up' | 'draining' | 'stopping' | 'restarting';

/** What the owner of a process provides. */
export interface ProcessPlan {
  name: string;
  /** Called before every start. Chooses other ports if the last ones are taken. */
  prepare(): Promise<Command>;
  /** MUST answer within about a second. A rejection counts as false. */
  isReady(pid: number): Promise<boolean>;
  /** Whether a failed start may succeed with other ports. */
  portsWereTaken(): Promise<boolean>;
  /**
   * Opens a channel to the process. When the channel closes, the process knows that its parent is
   * gone.
   */
  ipc: boolean;
  readyWithinMs: number;
}

export type ProcessEvent =
  | { type: 'spawned'; pid: number; identity: string }
  | { type: 'up'; pid: number; again: boolean }
  | { type: 'died'; how: string; lastLines: string[]; pauseMs: number }
  | { type: 'ended' };

export interface EndOptions {
  signal: NodeJS.Signals;
  withinMs: number;
  as: 'draining' | 'stopping';
}

interface Run {
  child: ChildProcess;
  pid: number;
  startedAtMs: number;
  gone: Promise<string>;
}

const READY_POLL_MS = 60;
const READY_POLL_SLOW_MS = 500;
const READY_POLL_FAST_FOR_MS = 5_000;
const PORT_ATTEMPTS_MAX = 3;
const LAST_LINES = 5;
/** The last output of a process may arrive after its exit. */
const LAST_OUTPUT_MS = 50;

export class ManagedProcess {
  readonly #plan: ProcessPlan;
  readonly #cwd: string;
  readonly #log: LogFile;
  readonly #onEvent: (event: ProcessEvent) => void;
  #state: ProcessState = 'down';
  #run: Run | null = null;
  /** Whether a death leads to another start. */
  #wanted = false;
  #deaths = 0;
  /**
   * Counts starts and ends. A timer or a wait that began in an earlier cycle has no effect in a
   * later one.
   */
  #cycle = 0;

  constructor(options: { plan: ProcessPlan; cwd: string; log: LogFile; onEvent: (event: ProcessEvent) => void }) {
    this.#plan = options.plan;
    this.#cwd = options.cwd;
    this.#log = options.log;
    this.#onEvent = options.onEvent;
  }

  get name(): string {
    return this.#plan.name;
  }

  get state(): ProcessState {
    return this.#state;
  }

  get pid(): number | null {
    return this.#run?.pid ?? null;
  }

  /**
   * Resolves when the process is ready. Rejects when it exits before that, and then it is down;
   * rejects also when it is not ready in time, but leaves it running.
   */
  async start(): Promise<void> {
    if (this.#state !== 'down') throw new Error(`${this.name} is ${this.#state}`);
    this.#cycle += 1;
    const cycle = this.#cycle;
    this.#wanted = true;
    this.#deaths = 0;
    this.#state = 'starting';
    try {
      await this.#startWithFreePorts(cycle);
    } catch (error) {
      if (this.#run === null && cycle === this.#cycle) {
        this.#wanted = false;
        this.#state = 'down';
      }
      throw error;
    }
  }

  /**
   * Sends the signal, and kills the process after `withinMs`. Resolves when it is gone. It stays
   * down.
   */
  async end({ signal, withinMs, as }: EndOptions): Promise<'itself' | 'by force'> {
    const run = this.#leave();
    if (run === null) return 'itself';
    this.#state = as;
    run.child.kill(signal);
    const timer = new AbortController();
    const outcome = await Promise.race([
      run.gone.then(() => 'itself' as const),
      sleep(withinMs, 'by force' as const, { signal: timer.signal }).catch(() => 'itself' as const),
    ]);
    timer.abort();
    if (outcome === 'by force') killGroup(run.pid);
    await run.gone;
    return outcome;
  }

  /** Sends SIGKILL. Resolves when the process is gone. It stays down. */
  async kill(): Promise<void> {
    const run = this.#leave();
    if (run === null) return;
    killGroup(run.pid);
    await run.gone;
  }

  /** Sends a signal to the process itself. Returns false when it is not running. */
  signal(name: NodeJS.Signals): boolean {
    return this.#run?.child.kill(name) ?? false;
  }

  /** From now on a death is final. Returns what runs, or null and the state `down`. */
  #leave(): Run | null {
    this.#wanted = false;
    this.#cycle += 1;
    if (this.#run === null) this.#state = 'down';
    return this.#run;
  }

  async #startWithFreePorts(cycle: number): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const run = await this.#spawn(cycle);
      const ready = await this.#waitUntilReady(run.pid, cycle, this.#plan.readyWithinMs);
      if (ready && this.#isCurrent(run.pid, cycle)) return this.#becomeUp(run.pid, false);
      if (cycle !== this.#cycle || !this.#wanted) throw new Error('ended while it was starting');
      if (this.#run?.pid === run.pid) {
        void this.#waitForLateStart(run.pid, cycle);
        throw new Error(`it runs, but was not ready within ${this.#plan.readyWithinMs / 1_000} s`);
      }
      const how = await run.gone;
      if (attempt >= PORT_ATTEMPTS_MAX || !(await this.#plan.portsWereTaken())) throw new Error(`it ended: ${how}`);
    }
  }

  async #spawn(cycle: number): Promise<Run> {
    const command = await this.#plan.prepare();
    if (cycle !== this.#cycle) throw new Error('ended while it was starting');
    const child = spawnCommand(command, { cwd: this.#cwd, ipc: this.#plan.ipc });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#log.write(text));
    const gone = goneReason(child);
    // Channel errors (a message to an ended process) are ignored: `gone` reports the end.
    child.on('error', () => {});
    const { pid } = child;
    if (pid === undefined) throw new Error(await gone);
    const run = { child, pid, startedAtMs: performance.now(), gone };
    this.#run = run;
    this.#state = 'starting';
    this.#onEvent({ type: 'spawned', pid, identity: identityOf(pid) ?? 'ended' });
    void gone.then((how) => this.#onGone(run, how, cycle));
    return run;
  }

  async #onGone(run: Run, how: string, cycle: number): Promise<void> {
    // Children of a dead nginx master would hold the port.
    killGroup(run.pid);
    this.#run = null;
    const firstStartFailed = this.#state === 'starting' && this.#deaths === 0;
    // If the first start failed, the caller of `start` decides what to do.
    if (cycle !== this.#cycle || !this.#wanted || firstStartFailed) {
      this.#state = 'down';
      this.#onEvent({ type: 'ended' });
      return;
    }
    this.#deaths = countDeaths(this.#deaths, performance.now() - run.startedAtMs);
    this.#state = 'restarting';
    await sleep(LAST_OUTPUT_MS);
    await this.#pauseAndRestart(how, this.#log.tail(LAST_LINES), cycle);
  }

  async #pauseAndRestart(how: string, lastLines: string[], cycle: number): Promise<void> {
    const pauseMs = restartPauseMs(this.#deaths);
    this.#onEvent({ type: 'died', how, lastLines, pauseMs });
    await sleep(pauseMs, undefined, { ref: false });
    if (cycle === this.#cycle && this.#wanted) void this.#restart(cycle);
  }

  /**
   * Waits without a deadline: a gateway that restarts while Redis is down becomes ready when Redis
   * is back.
   */
  async #restart(cycle: number): Promise<void> {
    try {
      const { pid } = await this.#spawn(cycle);
      await this.#waitForReady(pid, cycle);
    } catch (error) {
      if (this.#run !== null || cycle !== this.#cycle || !this.#wanted) return;
      this.#deaths += 1;
      this.#state = 'restarting';
      await this.#pauseAndRestart(String(error), [], cycle);
    }
  }

  /** A process that is late may still become ready. From now on its death leads to a restart. */
  async #waitForLateStart(pid: number, cycle: number): Promise<void> {
    this.#deaths = 1;
    await this.#waitForReady(pid, cycle);
  }

  async #waitForReady(pid: number, cycle: number): Promise<void> {
    if (!(await this.#waitUntilReady(pid, cycle, Number.POSITIVE_INFINITY))) return;
    if (this.#isCurrent(pid, cycle)) this.#becomeUp(pid, true);
  }

  /** Resolves with false when the process is gone, unwanted or not ready in time. */
  async #waitUntilReady(pid: number, cycle: number, withinMs: number): Promise<boolean> {
    const startedAtMs = performance.now();
    while (this.#isCurrent(pid, cycle)) {
      if (await this.#plan.isReady(pid).catch(() => false)) return true;
      const waitedMs = performance.now() - startedAtMs;
      if (waitedMs > withinMs) return false;
      await sleep(waitedMs > READY_POLL_FAST_FOR_MS ? READY_POLL_SLOW_MS : READY_POLL_MS);
    }
    return false;
  }

  #isCurrent(pid: number, cycle: number): boolean {
    return this.#run?.pid === pid && cycle === this.#cycle && this.#wanted;
  }

  #becomeUp(pid: number, again: boolean): void {
    this.#state = 'up';
    this.#onEvent({ type: 'up', pid, again });
  }
}

export const manageProcess = (options: ConstructorParameters<typeof ManagedProcess>[0]): ManagedProcess =>
  new ManagedProcess(options);
