/** One trial: a crowd chats, faults are injected one after the other, and everything is checked. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Crowd } from './crowd.ts';
import type { Environment } from './environment.ts';
import type { Fault } from './fault.ts';
import { checkRoomAtEnd } from './final-check.ts';
import { describeInjected, type Injected } from './injected.ts';
import { injectFault, SETTLE_MS } from './injection.ts';
import { now } from './member.ts';
import type { Answer } from './outbox.ts';
import { waitForPresence } from './presence-wait.ts';
import type { Random } from './random.ts';
import type { Watch } from './watch.ts';
import type { Kind } from './work.ts';

export interface Planned<S> {
  fault: Fault<S>;
  holdMs: number;
  /** Milliseconds without a fault before it. */
  calmMs: number;
}

export interface TrialResult {
  injected: Injected[];
  /** Violations of the whole run. Those of single faults are in `injected`. */
  violations: string[];
  /** Messages and acts that were composed. */
  messages: number;
  stored: number;
  /** How many were answered for the first time, by kind. */
  acts: Partial<Record<Kind, number>>;
  gapsDeclared: number;
  /** Acknowledged messages that a rollback removed. */
  lost: number;
  presenceMs: number | undefined;
}

export function sumActs(all: ReadonlyArray<TrialResult['acts']>): TrialResult['acts'] {
  const sum: TrialResult['acts'] = {};
  for (const acts of all)
    for (const [kind, count] of Object.entries(acts)) sum[kind as Kind] = (sum[kind as Kind] ?? 0) + count;
  return sum;
}

export interface TrialOptions<S> {
  environment: S;
  plan: Iterable<Planned<S>>;
  clients: number;
  rooms: number;
  /** See `CrowdOptions`. */
  roomsEach?: number;
  followsAll?: boolean;
  actsPerSecond: number;
  /** One of this many clients uses long-polling only; 0 for none. Default 5. */
  pollingEvery?: number;
  /** See `InjectionOptions`. */
  slackMs?: number;
  random: Random;
  say: (line: string) => void;
  isEnding?: () => boolean;
  /** Called for each act that was answered. */
  onAct?: () => void;
}

const POLLING_EVERY = 5;
const READ_MS = 120_000;
/** The lease (15 s), the grace of a leave (6 s), and a sweep. */
const PRESENCE_WITHIN_MS = 30_000;

export async function runTrial<S extends Environment>(options: TrialOptions<S>): Promise<TrialResult> {
  const { environment } = options;
  const violations: string[] = [];
  let watch: Watch | undefined;
  let stored = 0;
  const acts: TrialResult['acts'] = {};
  const count = ({ kind }: Answer) => {
    acts[kind] = (acts[kind] ?? 0) + 1;
    options.onAct?.();
  };
  const crowd = new Crowd({
    ...options,
    endpoints: environment.endpoints,
    token: environment.token,
    pollingEvery: options.pollingEvery ?? POLLING_EVERY,
    onAnswer(answer) {
      if (answer.outcome === 'stored') {
        stored++;
        count(answer);
      }
      watch?.answered(answer);
    },
    onLook: count,
    onViolation: (violation) => violations.push(violation),
  });
  try {
    const injected = await injectAll(options, crowd, (current) => {
      watch = current;
    });
    const presenceMs = await settle(options, crowd, violations);
    const rollbacks = injected.filter(({ fault }) => fault.rollsBack).length;
    const mayLose = injected.some(({ fault }) => fault.losesAcknowledged);
    const { archive } = environment;
    const common = { crowd, rollbacks, mayLose, readMs: READ_MS, ...(archive === undefined ? {} : { archive }) };
    for (const room of crowd.rooms.keys()) violations.push(...(await checkRoomAtEnd({ room, ...common })));
    const checkers = [...crowd.rooms.values()];
    const sum = (of: 'messages' | 'gapsDeclared' | 'lost') =>
      checkers.reduce((total, checker) => total + checker[of], 0);
    const [messages, gapsDeclared, lost] = [sum('messages'), sum('gapsDeclared'), sum('lost')];
    return {
      injected: injected.map(({ result }) => result),
      violations,
      messages,
      stored,
      acts,
      gapsDeclared,
      lost,
      presenceMs,
    };
  } finally {
    crowd.close();
  }
}

async function injectAll<S extends Environment>(
  options: TrialOptions<S>,
  crowd: Crowd,
  setWatch: (watch: Watch | undefined) => void,
): Promise<Array<{ fault: Fault<S>; result: Injected }>> {
  const { say } = options;
  const startedAtMs = now();
  const injected: Array<{ fault: Fault<S>; result: Injected }> = [];
  await crowd.connect();
  say(`${options.clients} clients in ${options.rooms} rooms`);
  crowd.startSending();
  for (const { fault, holdMs, calmMs } of options.plan) {
    await sleep(calmMs);
    if (options.isEnding?.()) break;
    const result = await injectFault({ ...options, fault, holdMs, crowd, startedAtMs, setWatch });
    injected.push({ fault, result });
    say(describeInjected(result, now() - startedAtMs));
  }
  return injected;
}

/** Waits until the crowd is quiet. @returns the time that presence took */
async function settle<S extends Environment>(
  { environment }: TrialOptions<S>,
  crowd: Crowd,
  violations: string[],
): Promise<number | undefined> {
  crowd.stopSending();
  const pending = await crowd.settled(SETTLE_MS);
  if (pending > 0) violations.push(`I5: ${pending} messages were never acknowledged`);
  await crowd.whole(now(), SETTLE_MS).catch((error: unknown) => violations.push(`I5: at the end: ${String(error)}`));
  return waitForPresence(environment, () => crowd.present(), violations, PRESENCE_WITHIN_MS);
}
