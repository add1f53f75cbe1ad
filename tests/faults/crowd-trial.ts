/**
 * The trial of a large crowd: a gateway is killed under load, and once more in silence. The clients
 * are in several processes, so that the trial measures the cluster and not one busy process.
 */
import { sleep } from '../support/poll.ts';
import { PROCESS_FAULTS } from './cluster-faults.ts';
import { divideCrowd, type PartHandle, startPart } from './crowd-parts.ts';
import type { ClusterEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';
import { describeInjected, type Injected } from './injected.ts';
import { describeUse, watchMachine } from './machine.ts';
import { now } from './member.ts';
import type { FaultOptions } from './options.ts';
import { waitForPresence } from './presence-wait.ts';
import { createRandom, type Random } from './random.ts';
import { readsBetween, summarizeReturns } from './return-checker.ts';
import { sumActs, type TrialResult } from './trial.ts';

/** The faults that affect a large crowd differently from a few clients. */
export const CROWD_FAULTS: ReadonlyArray<Fault<ClusterEnvironment>> = PROCESS_FAULTS.filter(
  ({ backWithinMs, name }) => backWithinMs !== undefined && name.startsWith('gateway killed'),
);

/** Nodes compare their loads every 5 s. After this time they are balanced again. */
const CALM_MS = 15_000;
/** For the client processes, long-polling costs many times as much as WebSocket. */
const POLLING_EVERY = 20;
const SETTLE_MS = 30_000;
const HISTORY_MS = 120_000;
const PRESENCE_WITHIN_MS = 30_000;
/** The trial waits for a late crowd, to report how late it is. */
const WAIT_MS = 60_000;

export async function runCrowdTrial(run: {
  environment: ClusterEnvironment;
  faults: ReadonlyArray<Fault<ClusterEnvironment>>;
  options: FaultOptions;
  say: (line: string) => void;
  isEnding: () => boolean;
}): Promise<TrialResult> {
  const { environment, options, say } = run;
  const startedAtMs = now();
  const random = createRandom(options.seed);
  const violations: string[] = [];
  const injected: Injected[] = [];
  const parts: PartHandle[] = [];
  const all = <T>(work: (part: PartHandle) => Promise<T>) => Promise.all(parts.map(work));
  try {
    const { rooms, rate } = options;
    for (const { clients, ...share } of divideCrowd({ clients: options.clients, rooms, actsPerSecond: rate })) {
      const users = Array.from({ length: clients }, (_, index) => `member-${share.firstMember + index}`);
      const part = await startPart({
        ...share,
        endpoints: environment.endpoints,
        tokens: users.map((user) => environment.token(user)),
        pollingEvery: POLLING_EVERY,
        seed: options.seed + share.firstMember,
      });
      parts.push(part);
      // One part after the other, because this trial does not test how many clients can connect at
      // once.
      await part.ask('connect');
    }
    say(`${options.clients} clients in ${rooms} rooms, in ${parts.length} processes`);
    await all((part) => part.ask('startSending'));
    for (const fault of run.faults) {
      await sleep(CALM_MS);
      if (run.isEnding()) break;
      const one = await injectOne({ environment, fault, parts, rooms, random, startedAtMs });
      injected.push(one);
      say(describeInjected(one, now() - startedAtMs));
    }
    await all((part) => part.ask('stopSending'));
    const pending = await all((part) => part.ask('settle', SETTLE_MS));
    if (pending.some((count) => count > 0)) violations.push(`I5: ${pending} messages were never acknowledged`);
    const whole = all((part) => part.ask('whole', { sinceMs: now(), withinMs: SETTLE_MS }));
    await whole.catch((error: unknown) => violations.push(`I5: at the end: ${String(error)}`));
    const present = async () => new Map((await all((part) => part.ask('present'))).flat());
    const presenceMs = await waitForPresence(environment, present, violations, PRESENCE_WITHIN_MS);
    const sums = await all((part) => part.ask('finish', { historyMs: HISTORY_MS }));
    violations.push(...sums.flatMap((sum) => sum.violations));
    const sumOf = (name: 'messages' | 'stored' | 'gapsDeclared' | 'lost') =>
      sums.reduce((sum, of) => sum + of[name], 0);
    const [messages, stored, gapsDeclared, lost] = [
      sumOf('messages'),
      sumOf('stored'),
      sumOf('gapsDeclared'),
      sumOf('lost'),
    ];
    const acts = sumActs(sums.map((sum) => sum.acts));
    return { injected, violations, messages, stored, acts, gapsDeclared, lost, presenceMs };
  } finally {
    for (const part of parts) part.end();
  }
}

async function injectOne(step: {
  environment: ClusterEnvironment;
  fault: Fault<ClusterEnvironment>;
  parts: readonly PartHandle[];
  rooms: number;
  random: Random;
  startedAtMs: number;
}): Promise<Injected> {
  const { environment, fault, rooms } = step;
  const all = <T>(work: (part: PartHandle) => Promise<T>) => Promise.all(step.parts.map(work));
  const violations: string[] = [];
  if (fault.quiet) {
    await all((part) => part.ask('stopSending'));
    await all((part) => part.ask('settle', SETTLE_MS));
    await all((part) => part.ask('whole', { sinceMs: now(), withinMs: SETTLE_MS })).catch(
      (error: unknown) => void violations.push(`I5: before it: ${String(error)}`),
    );
  }
  const before = await environment.figures?.();
  await all((part) => part.ask('open'));
  const machineUsed = watchMachine();
  let beganAtMs = now();
  await fault.inject({
    environment,
    random: step.random,
    holdMs: 0,
    began() {
      beganAtMs = now();
    },
    lifting() {},
    lifted() {},
    sleep,
    violation: (what) => violations.push(what),
  });
  const wholes = await all((part) => part.ask('whole', { sinceMs: beganAtMs, withinMs: WAIT_MS })).catch(
    (error: unknown) => void violations.push(`I5: not all members receive messages again: ${String(error)}`),
  );
  const windows = await all((part) => part.ask('shut', { sinceMs: beganAtMs }));
  const use = machineUsed();
  const after = await environment.figures?.();
  const ownLagMs = Math.max(...windows.map(({ lagMs }) => lagMs));
  const loopLagMs = Math.max(0, ...[...(after?.values() ?? [])].map((figures) => figures.loopLagMs));
  const one: Injected = {
    name: fault.name,
    about: fault.about,
    atMs: beganAtMs - step.startedAtMs,
    holdMs: 0,
    wholeMs: wholes === undefined ? undefined : Math.max(...wholes.map(({ wholeMs }) => wholeMs)),
    ownLagMs,
    machine:
      `longest event-loop delay: clients ${Math.round(ownLagMs)} ms, gateways ${Math.round(loopLagMs)} ms` +
      (use === undefined ? '' : `; ${describeUse(use)}`),
    violations,
  };
  const returns = windows.flatMap((window) => window.returns);
  // Clients that followed an advice to move have lost nothing.
  const returned = summarizeReturns(returns.filter(({ left }) => !left));
  if (returned === undefined) violations.push('no client lost its connection');
  else {
    one.returned = returned;
    const backMs = (fault.backWithinMs ?? 0) + ownLagMs;
    if (returned.beyondPausesMs.slowest > backMs)
      violations.push(`I5: a client was back ${Math.round(returned.beyondPausesMs.slowest)} ms after its own back-off`);
    if ((one.wholeMs ?? 0) > returned.longestPauseMs + backMs)
      violations.push(`I5: all members receive messages again only after ${Math.round(one.wholeMs ?? 0)} ms`);
  }
  if (before !== undefined && after !== undefined) {
    one.resumeReads = readsBetween(before, after);
    if (fault.quiet && one.resumeReads > rooms * after.size)
      violations.push(`resume: ${one.resumeReads} reads for ${rooms} rooms on ${after.size} gateways`);
  }
  if (fault.quiet) await all((part) => part.ask('startSending'));
  await environment.complete().catch((error: unknown) => violations.push(String(error)));
  return one;
}
