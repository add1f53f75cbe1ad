/**
 * A part of a large crowd, in its own process. Its members share no rooms with other parts, so it
 * checks them alone and reports the result to the trial.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Crowd, type Whole } from './crowd.ts';
import { checkRoomAtEnd } from './final-check.ts';
import { createRandom } from './random.ts';
import type { Return } from './return-timer.ts';
import type { TrialResult } from './trial.ts';

export interface CrowdPart {
  endpoints: readonly string[];
  /** One for each client. */
  tokens: readonly string[];
  firstMember: number;
  rooms: number;
  actsPerSecond: number;
  pollingEvery: number;
  seed: number;
}

/** What happened to its members since `open`. */
export interface PartWindow {
  returns: Return[];
  /** The longest delay of this process's event loop. */
  lagMs: number;
}

export interface PartSum {
  violations: string[];
  messages: number;
  stored: number;
  acts: TrialResult['acts'];
  gapsDeclared: number;
  lost: number;
}

/** The commands of the trial, each with one argument. */
export interface PartCommands {
  plan(part: CrowdPart): void;
  connect(): Promise<void>;
  startSending(): void;
  stopSending(): void;
  settle(timeoutMs: number): Promise<number>;
  open(): void;
  whole(ask: { sinceMs: number; withinMs: number }): Promise<Whole>;
  shut(ask: { sinceMs: number }): PartWindow;
  present(): Array<[string, string[]]>;
  /** Compares everything with the final history. */
  finish(ask: { historyMs: number }): Promise<PartSum>;
}

export type PartRequest = {
  [N in keyof PartCommands]: { id: number; name: N; ask: Parameters<PartCommands[N]>[0] };
}[keyof PartCommands];
export type PartResponse = { id: number; answer: unknown } | { id: number; error: string };

const LAG_RESOLUTION_MS = 10;
const NS_PER_MS = 1_000_000;

const violations: string[] = [];
const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
let stored = 0;
const acts: TrialResult['acts'] = {};
let planned: Crowd | undefined;

const crowd = (): Crowd => {
  if (planned === undefined) throw new Error('no plan yet');
  return planned;
};

const commands: PartCommands = {
  plan({ tokens, seed, ...part }) {
    planned = new Crowd({
      ...part,
      token: (user) => tokens[Number(user.replace('member-', '')) - part.firstMember] ?? '',
      clients: tokens.length,
      patient: true,
      random: createRandom(seed),
      onAnswer({ kind, outcome }) {
        if (outcome !== 'stored') return;
        stored++;
        acts[kind] = (acts[kind] ?? 0) + 1;
      },
      onViolation: (violation) => violations.push(violation),
    });
  },
  connect: () => crowd().connect(),
  startSending: () => crowd().startSending(),
  stopSending: () => crowd().stopSending(),
  settle: (timeoutMs) => crowd().settled(timeoutMs),
  open() {
    lag.reset();
    lag.enable();
  },
  whole: ({ sinceMs, withinMs }) => crowd().whole(sinceMs, withinMs),
  shut({ sinceMs }) {
    const lagMs = lag.max / NS_PER_MS;
    lag.disable();
    const returns = crowd().members.flatMap((member) => member.returns.filter(({ lostAtMs }) => lostAtMs >= sinceMs));
    return { returns, lagMs };
  },
  present: () => [...crowd().present()],
  async finish({ historyMs }) {
    const sum: PartSum = { violations, messages: 0, stored, acts, gapsDeclared: 0, lost: 0 };
    for (const [room, checker] of crowd().rooms) {
      violations.push(
        ...(await checkRoomAtEnd({ room, crowd: crowd(), rollbacks: 0, mayLose: false, readMs: historyMs })),
      );
      sum.messages += checker.messages;
      sum.gapsDeclared += checker.gapsDeclared;
      sum.lost += checker.lost;
    }
    return sum;
  },
};

async function respond({ id, name, ask }: PartRequest): Promise<PartResponse> {
  try {
    return { id, answer: await (commands[name] as (ask: unknown) => unknown)(ask) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (request: PartRequest) => {
  void respond(request).then((response) => process.send?.(response));
});
// The trial is gone.
process.on('disconnect', () => process.exit(0));
// The trial ends this process: Ctrl-C reaches the whole group.
process.on('SIGINT', () => {});
