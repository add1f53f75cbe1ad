/** One trial: a crowd chats, faults are injected one after the other, all is judged. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCrowd } from './crowd.ts';
import type { Fault, FaultContext } from './fault.ts';
import { describeInjected, type Injected } from './injected.ts';
import { judgeBack, judgeLosses } from './loss-judge.ts';
import { type Answer, type Member, now } from './member.ts';
import { judgePresence } from './presence-judge.ts';
import type { Random } from './random.ts';
import { judgePace, type Returned, readsBetween, summarizeReturns } from './return-judge.ts';
import type { Site } from './site.ts';
import { createWatch, type Watch, type WatchResult } from './watch.ts';

export interface Planned<S> {
  fault: Fault<S>;
  holdMs: number;
  /** Calm before it, in milliseconds. */
  calmMs: number;
}

export interface TrialResult {
  injected: Injected[];
  /** Of the whole run: invariants, unexpected refusals. Those of single faults are in `injected`. */
  violations: string[];
  messages: number;
  stored: number;
  gapsTold: number;
  /** Acknowledged messages that went when the log lost its end. */
  lost: number;
  presenceMs: number | undefined;
}

const POLLING_EVERY = 5;
const LATE_FACTOR = 4;
const SETTLE_MS = 30_000;
const HISTORY_MS = 120_000;
/** A lease (15 s), the grace of a leave (6 s) and what a sweep takes. */
const PRESENCE_WITHIN_MS = 30_000;
const LAG_RESOLUTION_MS = 10;
const NS_PER_MS = 1_000_000;
/** What took longer is explained, even where it is within its bound. */
const SLOW_MS = 2_000;
const LAST_NAMED_MAX = 3;

export async function runTrial<S extends Site>(options: {
  site: S;
  plan: Iterable<Planned<S>>;
  clients: number;
  rooms: number;
  messagesPerSecond: number;
  /** One of so many clients uses long-polling only; 0 for none. Default 5. */
  pollingEvery?: number;
  random: Random;
  say: (line: string) => void;
  isEnding?: () => boolean;
}): Promise<TrialResult> {
  const { site, random, say } = options;
  const startedAtMs = now();
  const violations: string[] = [];
  const injected: Injected[] = [];
  let watch: Watch | undefined;
  let stored = 0;
  const crowd = createCrowd({
    endpoints: site.endpoints,
    token: site.token,
    clients: options.clients,
    rooms: options.rooms,
    messagesPerSecond: options.messagesPerSecond,
    pollingEvery: options.pollingEvery ?? POLLING_EVERY,
    random,
    onAnswer(answer: Answer) {
      if (answer.outcome === 'stored') stored++;
      watch?.answered(answer);
    },
    onViolation: (violation) => violations.push(violation),
  });

  const injectOne = async ({ fault, holdMs }: Planned<S>): Promise<Injected> => {
    const before = await site.services();
    if (fault.quiet) {
      crowd.hush();
      await crowd.settled(SETTLE_MS);
      await crowd.whole(now(), SETTLE_MS);
    }
    const figuresBefore = fault.backWithinMs === undefined ? undefined : await site.figures?.();
    const lossesBefore = new Map(crowd.members.map((member) => [member, member.losses]));
    let beganAtMs = now();
    let liftedAtMs: number | undefined;
    const found: string[] = [];
    const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
    lag.enable();
    const current = createWatch(fault.store);
    watch = current;
    const context: FaultContext<S> = {
      site,
      random,
      holdMs,
      sleep: (ms) => sleep(ms),
      began() {
        beganAtMs = now();
        current.began(beganAtMs);
      },
      lifting: (atMs) => current.lifting(atMs ?? now()),
      violation: (what) => found.push(what),
      lifted() {
        liftedAtMs = now();
      },
    };
    let wholeMs: number | undefined;
    let note: string | undefined;
    try {
      await fault.inject(context);
      const sinceMs = liftedAtMs ?? now();
      const whole = await crowd.whole(sinceMs, fault.wholeWithinMs * LATE_FACTOR);
      const { last, probedMs } = whole;
      wholeMs = whole.wholeMs;
      const named = last.slice(0, LAST_NAMED_MAX).join(', ') + (last.length > LAST_NAMED_MAX ? ' and others' : '');
      const slow = `the messages took ${Math.round(probedMs)} ms, last was ${named}`;
      if (wholeMs > fault.wholeWithinMs + lag.max / NS_PER_MS)
        found.push(`I5: whole after ${Math.round(wholeMs)} ms: ${slow}`);
      else if (wholeMs > SLOW_MS) note = slow;
    } catch (error) {
      found.push(`I5: not whole: ${error instanceof Error ? error.message : String(error)}`);
    }
    watch = undefined;
    const ownLagMs = lag.max / NS_PER_MS;
    lag.disable();
    const told: WatchResult & { presenceMs?: number } = current.finish(
      crowd.members.map(({ user, connectedAtMs, ready, noticedAtMs }) => ({
        user,
        connectedAtMs,
        ready,
        degradedAtMs: noticedAtMs.get('degraded'),
      })),
      ownLagMs,
    );
    const came: Pick<Injected, 'returned' | 'resumeReads'> = judgeReturns(
      fault,
      beganAtMs,
      ownLagMs,
      lossesBefore,
      found,
    );
    if (figuresBefore !== undefined && site.figures !== undefined) {
      const figuresAfter = await site.figures();
      came.resumeReads = readsBetween(figuresBefore, figuresAfter);
      // Those who were at one place when it went silent missed the same.
      if (fault.quiet && came.resumeReads > options.rooms * figuresAfter.size)
        found.push(`resume: ${came.resumeReads} reads for ${options.rooms} rooms on ${figuresAfter.size} gateways`);
    }
    if (fault.quiet) crowd.talk();
    if (fault.presenceWithinMs !== undefined) {
      const shownMs = await judgePresenceOf(site, crowd.present, found, fault.presenceWithinMs);
      if (shownMs !== undefined) told.presenceMs = shownMs;
    }
    await site.complete().catch((error: unknown) => found.push(String(error)));
    const after = await site.services();
    for (const [name, pid] of before) {
      if (after.get(name) === pid || fault.ends?.startsWith(kindOf(name))) continue;
      found.push(`${name} did not live through it`);
    }
    return {
      ...told,
      ...came,
      name: fault.name,
      about: fault.about,
      atMs: beganAtMs - startedAtMs,
      holdMs,
      wholeMs,
      ownLagMs,
      ...(note === undefined ? {} : { note }),
      violations: [...told.violations, ...found],
    };
  };

  const judgeReturns = (
    fault: Fault<S>,
    sinceMs: number,
    ownLagMs: number,
    lossesBefore: ReadonlyMap<Member, number>,
    found: string[],
  ): { returned?: Returned } => {
    const { drainPerSecond } = site;
    const advices = crowd.members.flatMap((member) => member.advices.filter(({ atMs }) => atMs >= sinceMs));
    const draining = advices.filter(({ code }) => code === 'draining');
    if (drainPerSecond !== undefined) found.push(...judgePace(draining, drainPerSecond));
    if (fault.lossesMax !== undefined) {
      const losses = crowd.members.map((member) => {
        return { user: member.user, before: lossesBefore.get(member) ?? 0, after: member.losses };
      });
      found.push(...judgeLosses(losses, fault.lossesMax));
    }
    const returned = summarizeReturns(
      crowd.members.flatMap(({ returns }) => returns.filter(({ lostAtMs }) => lostAtMs >= sinceMs)),
    );
    if (returned === undefined) return {};
    if (fault.backWithinMs !== undefined)
      found.push(...judgeBack(returned.beyondPausesMs.slowest, fault.backWithinMs + ownLagMs));
    return { returned };
  };

  let presenceMs: number | undefined;
  let rollbacks = 0;
  let mayLose = false;
  try {
    await crowd.gathered();
    say(`${options.clients} clients in ${options.rooms} rooms`);
    crowd.talk();
    for (const planned of options.plan) {
      await sleep(planned.calmMs);
      if (options.isEnding?.()) break;
      if (planned.fault.rollsBack) rollbacks++;
      if (planned.fault.losesAcknowledged) mayLose = true;
      const one = await injectOne(planned);
      injected.push(one);
      say(describeInjected(one, now() - startedAtMs));
    }
    crowd.hush();
    const pending = await crowd.settled(SETTLE_MS);
    if (pending > 0) violations.push(`I5: ${pending} messages were never acknowledged`);
    await crowd.whole(now(), SETTLE_MS).catch((error: unknown) => violations.push(`I5: at the end: ${String(error)}`));
    presenceMs = await judgePresenceOf(site, crowd.present, violations, PRESENCE_WITHIN_MS);
    for (const [room, judge] of crowd.rooms) {
      const history = await crowd.history(room, HISTORY_MS);
      violations.push(...judge.finish({ history, rollbacks, mayLose }));
    }
  } finally {
    crowd.close();
  }
  const judges = [...crowd.rooms.values()];
  return {
    injected,
    violations,
    messages: judges.reduce((sum, judge) => sum + judge.messages, 0),
    stored,
    gapsTold: judges.reduce((sum, judge) => sum + judge.gapsTold, 0),
    lost: judges.reduce((sum, judge) => sum + judge.lost, 0),
    presenceMs,
  };
}

const kindOf = (name: string) => name.replace(/-\d+$/, '');

/** Milliseconds until presence shows exactly who is connected. */
export async function judgePresenceOf(
  site: Site,
  present: () => ReadonlyMap<string, readonly string[]> | Promise<ReadonlyMap<string, readonly string[]>>,
  violations: string[],
  withinMs: number,
): Promise<number | undefined> {
  const sinceMs = now();
  let wrong: string[] = [];
  while (now() - sinceMs < withinMs) {
    wrong = [];
    for (const [room, connected] of await present()) {
      const users = new Set(connected);
      const shown = await site.presence(room).catch((error: unknown) => String(error));
      const found = typeof shown === 'string' ? [`I6: ${shown}`] : judgePresence(users, shown);
      wrong.push(...found.map((violation) => `${violation} (${room})`));
    }
    if (wrong.length === 0) return now() - sinceMs;
    await sleep(250);
  }
  violations.push(...wrong);
  return undefined;
}
