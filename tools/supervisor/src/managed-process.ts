/**
 * One process of the cluster: started, watched, started again when it dies by itself, ended when it is told to. Knows nothing of what
 * the process is for, nor of the others.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf } from '../../bootstrap/process-identity.mjs';
import type { LogFile } from './log-file.ts';
import { countDeaths, restartPauseMs } from './restart-pause.ts';

/**
 * `down` stays so until `start`; `restarting` is the pause after a death. Only `starting`, `up`, `draining` and `stopping` have a pid.
 */
export type ProcessState = 'down' | 'starting' | 'up' | 'draining' | 'stopping' | 'restarting';

export interface Command {
  file: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
}

/** What the owner knows about a process. Obligation: `isReady` fails or answers false while it is not, within about a second. */
export interface ProcessPlan {
  name: string;
  /** Called before every start; chooses other ports where the last ones were taken. */
  prepare(): Promise<Command>;
  isReady(pid: number): Promise<boolean>;
  /** Whether a start that failed may succeed with other ports. */
  portsWereTaken(): Promise<boolean>;
  /** Give it a channel whose loss tells it that its parent is gone. */
  ipc: boolean;
  readyWithinMs: number;
}

export type ProcessEvent =
  | { type: 'spawned'; pid: number; identity: string }
  | { type: 'up'; pid: number; again: boolean }
  | { type: 'died'; how: string; lastLines: string[]; pauseMs: number }
  | { type: 'ended' };

export interface ManagedProcess {
  readonly name: string;
  readonly state: ProcessState;
  readonly pid: number | null;
  /** Resolves once it is ready. Rejects, leaving it down, when it ends before that; leaves it running when it is only late. */
  start(): Promise<void>;
  /** Ends it and resolves when it is gone: by `signal`, or by force after `withinMs`. It stays down. */
  end(options: {
    signal: NodeJS.Signals;
    withinMs: number;
    as: 'draining' | 'stopping';
  }): Promise<'itself' | 'by force'>;
  /** `kill -9`, resolved when it is gone. It stays down. */
  kill(): Promise<void>;
  /** Sends a signal to the process itself; false when it is not running. */
  signal(name: NodeJS.Signals): boolean;
}

interface Run {
  child: ChildProcess;
  pid: number;
  startedAtMs: number;
  gone: Promise<string>;
}

const READY_POLL_MS = 60;
const READY_POLL_SLOW_MS = 500;
const PORT_ATTEMPTS_MAX = 3;
const LAST_LINES = 5;

/** The process and what it started: it leads a group of its own. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}

export function manageProcess(options: {
  plan: ProcessPlan;
  cwd: string;
  log: LogFile;
  onEvent: (event: ProcessEvent) => void;
}): ManagedProcess {
  const { plan, log, onEvent } = options;
  let state: ProcessState = 'down';
  let run: Run | null = null;
  /** Whether a death is to be followed by another start. */
  let wanted = false;
  let deaths = 0;
  /** Counts starts and ends, so that a pause or a wait of an earlier life does nothing in a later one. */
  let life = 0;

  async function spawnOnce(): Promise<Run> {
    const mine = life;
    const command = await plan.prepare();
    if (mine !== life) throw new Error('ended while it was starting');
    const child = spawn(command.file, command.args, {
      cwd: options.cwd,
      env: command.env,
      // In a group of its own a terminal's Ctrl-C does not reach it before its turn.
      detached: true,
      stdio: plan.ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => log.write(text));
    const gone = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`could not be run: ${error.message}`));
      child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `${signal}`));
    });
    // Errors of the channel itself (a message to one that is gone) say nothing that its end does not say.
    child.on('error', () => {});
    const { pid } = child;
    if (pid === undefined) throw new Error(await gone);
    run = { child, pid, startedAtMs: Date.now(), gone };
    state = 'starting';
    onEvent({ type: 'spawned', pid, identity: identityOf(pid) ?? 'ended' });
    void gone.then((how) => onGone(pid, how, mine));
    return run;
  }

  async function onGone(pid: number, how: string, mine: number): Promise<void> {
    // Children of a dead master go with it: nginx' workers would hold the port.
    killGroup(pid);
    const livedMs = Date.now() - (run?.startedAtMs ?? 0);
    run = null;
    if (mine !== life || !wanted) {
      state = 'down';
      onEvent({ type: 'ended' });
      return;
    }
    if (state === 'starting' && deaths === 0) {
      // The first start failed: whoever called `start` decides.
      state = 'down';
      onEvent({ type: 'ended' });
      return;
    }
    deaths = countDeaths(deaths, livedMs);
    const pauseMs = restartPauseMs(deaths);
    state = 'restarting';
    // A moment for what it said last to arrive.
    await sleep(50);
    onEvent({ type: 'died', how, lastLines: log.tail(LAST_LINES), pauseMs });
    await sleep(pauseMs, undefined, { ref: false });
    if (mine === life && wanted) void startAgain(mine);
  }

  /** Waits as long as it takes: a gateway that came back while the store is away becomes ready with it. */
  async function startAgain(mine: number): Promise<void> {
    try {
      const { pid } = await spawnOnce();
      await waitUntilReady(pid, mine, Number.POSITIVE_INFINITY);
      if (run?.pid === pid && mine === life && wanted) becomeUp(pid, true);
    } catch (error) {
      if (run !== null || mine !== life || !wanted) return;
      deaths += 1;
      const pauseMs = restartPauseMs(deaths);
      state = 'restarting';
      onEvent({ type: 'died', how: String(error), lastLines: [], pauseMs });
      await sleep(pauseMs, undefined, { ref: false });
      if (mine === life && wanted) void startAgain(mine);
    }
  }

  function becomeUp(pid: number, again: boolean): void {
    state = 'up';
    onEvent({ type: 'up', pid, again });
  }

  /** False when it went, or was not ready in time. */
  async function waitUntilReady(pid: number, mine: number, withinMs: number): Promise<boolean> {
    const startedAtMs = Date.now();
    while (run?.pid === pid && mine === life && wanted) {
      if (await plan.isReady(pid).catch(() => false)) return true;
      const waitedMs = Date.now() - startedAtMs;
      if (waitedMs > withinMs) return false;
      await sleep(waitedMs > 5_000 ? READY_POLL_SLOW_MS : READY_POLL_MS);
    }
    return false;
  }

  async function start(): Promise<void> {
    if (state !== 'down') throw new Error(`${plan.name} is ${state}`);
    life += 1;
    const mine = life;
    wanted = true;
    deaths = 0;
    state = 'starting';
    try {
      for (let attempt = 1; ; attempt += 1) {
        const current = await spawnOnce();
        if (await waitUntilReady(current.pid, mine, plan.readyWithinMs)) {
          if (run?.pid === current.pid && mine === life) return becomeUp(current.pid, false);
        }
        if (mine !== life || !wanted) throw new Error('ended while it was starting');
        if (run?.pid === current.pid) {
          void startLate(current.pid, mine);
          throw new Error(`it runs, but was not ready within ${plan.readyWithinMs / 1_000} s`);
        }
        const how = await current.gone;
        if (attempt >= PORT_ATTEMPTS_MAX || !(await plan.portsWereTaken())) throw new Error(`it ended: ${how}`);
      }
    } catch (error) {
      if (run === null && mine === life) {
        wanted = false;
        state = 'down';
      }
      throw error;
    }
  }

  /** One that is late may still become ready; from now on its death is a death like any other. */
  async function startLate(pid: number, mine: number): Promise<void> {
    deaths = 1;
    if (await waitUntilReady(pid, mine, Number.POSITIVE_INFINITY)) {
      if (run?.pid === pid && mine === life) becomeUp(pid, true);
    }
  }

  async function end({ signal, withinMs, as }: Parameters<ManagedProcess['end']>[0]): Promise<'itself' | 'by force'> {
    wanted = false;
    life += 1;
    const current = run;
    if (current === null) {
      state = 'down';
      return 'itself';
    }
    state = as;
    current.child.kill(signal);
    const timer = new AbortController();
    const outcome = await Promise.race([
      current.gone.then(() => 'itself' as const),
      sleep(withinMs, 'by force' as const, { signal: timer.signal }).catch(() => 'itself' as const),
    ]);
    timer.abort();
    if (outcome === 'by force') killGroup(current.pid);
    await current.gone;
    return outcome;
  }

  return {
    name: plan.name,
    get state() {
      return state;
    },
    get pid() {
      return run?.pid ?? null;
    },
    start,
    end,
    async kill() {
      wanted = false;
      life += 1;
      const current = run;
      if (current === null) {
        state = 'down';
        return;
      }
      killGroup(current.pid);
      await current.gone;
    },
    signal: (name) => run?.child.kill(name) ?? false,
  };
}
