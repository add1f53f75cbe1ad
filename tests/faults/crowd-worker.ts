/**
 * A part of a large crowd, in a process of its own: its members share rooms with nobody outside, so it judges them by itself, and
 * tells the trial what came of it.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Crowd, createCrowd, type Whole } from './crowd.ts';
import type { Return } from './member.ts';
import { createRandom } from './random.ts';

export interface CrowdPart {
  endpoints: readonly string[];
  /** One for each client. */
  tokens: readonly string[];
  firstMember: number;
  rooms: number;
  messagesPerSecond: number;
  pollingEvery: number;
  seed: number;
}

/** What its members went through since `open`. */
export interface PartWindow {
  returns: Return[];
  /** How long this process was held up at most. */
  lagMs: number;
}

export interface PartSum {
  violations: string[];
  messages: number;
  stored: number;
  gapsTold: number;
  lost: number;
}

/** What the trial asks, each with one argument. */
export interface PartCommands {
  plan(part: CrowdPart): void;
  gather(): Promise<void>;
  talk(): void;
  hush(): void;
  settle(timeoutMs: number): Promise<number>;
  open(): void;
  whole(ask: { sinceMs: number; withinMs: number }): Promise<Whole>;
  shut(ask: { sinceMs: number }): PartWindow;
  present(): Array<[string, string[]]>;
  /** Compares all that was seen with the final history. */
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
let planned: Crowd | undefined;

const crowd = (): Crowd => {
  if (planned === undefined) throw new Error('no plan yet');
  return planned;
};

const commands: PartCommands = {
  plan({ tokens, seed, ...part }) {
    planned = createCrowd({
      ...part,
      token: (user) => tokens[Number(user.replace('member-', '')) - part.firstMember] ?? '',
      clients: tokens.length,
      patient: true,
      random: createRandom(seed),
      onAnswer({ outcome }) {
        if (outcome === 'stored') stored++;
      },
      onViolation: (violation) => violations.push(violation),
    });
  },
  gather: () => crowd().gathered(),
  talk: () => crowd().talk(),
  hush: () => crowd().hush(),
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
    const sum: PartSum = { violations, messages: 0, stored, gapsTold: 0, lost: 0 };
    for (const [room, judge] of crowd().rooms) {
      violations.push(
        ...judge.finish({ history: await crowd().history(room, historyMs), rollbacks: 0, mayLose: false }),
      );
      sum.messages += judge.messages;
      sum.gapsTold += judge.gapsTold;
      sum.lost += judge.lost;
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
// Nobody is left to ask.
process.on('disconnect', () => process.exit(0));
// The trial ends it: Ctrl-C goes to the whole group.
process.on('SIGINT', () => {});
