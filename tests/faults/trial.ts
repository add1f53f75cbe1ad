/** One trial: a crowd chats, faults are injected one after the other, all is judged. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '@maru/protocol';
import { createCrowd } from './crowd.ts';
import type { Fault, FaultContext } from './fault.ts';
import type { Answer } from './member.ts';
import { judgePresence } from './presence-judge.ts';
import type { Random } from './random.ts';
import type { Site } from './site.ts';
import { createWatch, type Watch, type WatchResult } from './watch.ts';

export interface Planned<S> {
  fault: Fault<S>;
  holdMs: number;
  /** Calm before it, in milliseconds. */
  calmMs: number;
}

export interface Injected extends WatchResult {
  name: string;
  about: string;
  atMs: number;
  holdMs: number;
  /** From the moment it was lifted until everybody was whole; undefined where they never were. */
  wholeMs: number | undefined;
  /** Why it took its time, where it did. */
  note?: string;
  /** From then until presence was right; only where the fault asks for it. */
  presenceMs?: number;
}

export interface TrialResult {
  injected: Injected[];
  /** Of the whole run: invariants, unexpected refusals. Those of single faults are in `injected`. */
  violations: string[];
  messages: number;
  stored: number;
  gapsTold: number;
  presenceMs: number | undefined;
}

const POLLING_EVERY = 5;
const LATE_FACTOR = 4;
const SETTLE_MS = 30_000;
const HISTORY_MS = 120_000;
/** A lease (15 s), the grace of a leave (6 s) and what a sweep takes. */
const PRESENCE_WITHIN_MS = 30_000;
const LOOK_MS = 10;
/** What took longer is explained, even where it is within its bound. */
const SLOW_MS = 2_000;

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

  /** Of the newest wait: when its messages were acknowledged, and who was last to get them. */
  let probedMs = 0;
  let last: string[] = [];
  /** Milliseconds until everybody has got as far as a message that was sent after `sinceMs`. */
  const untilWhole = async (sinceMs: number, withinMs: number): Promise<number> => {
    const places = await crowd.probe(withinMs);
    probedMs = now() - sinceMs;
    last = [];
    for (;;) {
      const behind = crowd.behind(places);
      if (behind.length > 0) last = behind;
      const dull = crowd.members.filter(({ degraded }) => degraded).map(({ user }) => user);
      if (behind.length + dull.length === 0) return now() - sinceMs;
      if (now() - sinceMs > withinMs) throw new Error(describe(behind, dull, places));
      await sleep(LOOK_MS);
    }
  };
  const describe = (behind: string[], dull: string[], places: Map<string, Position>) => {
    const some = behind.slice(0, 3).map((user) => {
      const at = [...crowd.rooms].map(([room, judge]) => `${room} ${judge.position(user)?.seq ?? '-'}`).join(', ');
      return `${user} (${crowd.members.find((member) => member.user === user)?.ready ? at : 'not connected'})`;
    });
    const heads = [...places].map(([room, { seq }]) => `${room} ${seq}`).join(', ');
    return `${behind.length} are behind ${heads}: ${some.join('; ')}; ${dull.length} were not told that all is well`;
  };

  const injectOne = async ({ fault, holdMs }: Planned<S>): Promise<Injected> => {
    const before = await site.services();
    if (fault.quiet) {
      crowd.hush();
      await crowd.settled(SETTLE_MS);
    }
    let beganAtMs = now();
    let liftedAtMs: number | undefined;
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
      lifting: () => current.lifting(now()),
      lifted() {
        liftedAtMs = now();
      },
    };
    const found: string[] = [];
    let wholeMs: number | undefined;
    let note: string | undefined;
    try {
      await fault.inject(context);
      const sinceMs = liftedAtMs ?? now();
      wholeMs = await untilWhole(sinceMs, fault.wholeWithinMs * LATE_FACTOR);
      const slow = `the messages took ${Math.round(probedMs)} ms, last was ${last.join(', ')}`;
      if (wholeMs > fault.wholeWithinMs) found.push(`I5: whole after ${Math.round(wholeMs)} ms: ${slow}`);
      else if (wholeMs > SLOW_MS) note = slow;
    } catch (error) {
      found.push(`I5: not whole: ${error instanceof Error ? error.message : String(error)}`);
    }
    watch = undefined;
    const told: WatchResult & { presenceMs?: number } = current.finish(
      crowd.members.map(({ user, connectedAtMs, ready, noticedAtMs }) => ({
        user,
        connectedAtMs,
        ready,
        degradedAtMs: noticedAtMs.get('degraded'),
      })),
    );
    if (fault.quiet) crowd.talk();
    if (fault.presenceWithinMs !== undefined) {
      const shownMs = await judgePresenceOf(site, crowd, found, fault.presenceWithinMs);
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
      name: fault.name,
      about: fault.about,
      atMs: beganAtMs - startedAtMs,
      holdMs,
      wholeMs,
      ...(note === undefined ? {} : { note }),
      violations: [...told.violations, ...found],
    };
  };

  let presenceMs: number | undefined;
  let rollbacks = 0;
  try {
    await crowd.gathered();
    say(`${options.clients} clients in ${options.rooms} rooms`);
    crowd.talk();
    for (const planned of options.plan) {
      await sleep(planned.calmMs);
      if (options.isEnding?.()) break;
      if (planned.fault.rollsBack) rollbacks++;
      const one = await injectOne(planned);
      injected.push(one);
      say(describeInjected(one, now() - startedAtMs));
    }
    crowd.hush();
    const pending = await crowd.settled(SETTLE_MS);
    if (pending > 0) violations.push(`I5: ${pending} messages were never acknowledged`);
    await untilWhole(now(), SETTLE_MS).catch((error: unknown) => violations.push(`I5: at the end: ${String(error)}`));
    presenceMs = await judgePresenceOf(site, crowd, violations, PRESENCE_WITHIN_MS);
    for (const [room, judge] of crowd.rooms) {
      const history = await crowd.history(room, HISTORY_MS);
      violations.push(...judge.finish({ history, rollbacks }));
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
    presenceMs,
  };
}

const now = () => performance.timeOrigin + performance.now();
const kindOf = (name: string) => name.replace(/-\d+$/, '');

/** Milliseconds until presence shows exactly who is connected. */
async function judgePresenceOf(
  site: Site,
  crowd: ReturnType<typeof createCrowd>,
  violations: string[],
  withinMs: number,
): Promise<number | undefined> {
  const sinceMs = now();
  let wrong: string[] = [];
  while (now() - sinceMs < withinMs) {
    wrong = [];
    for (const [room, judge] of crowd.rooms) {
      const connected = crowd.members.filter(({ ready, user }) => ready && judge.position(user) !== undefined);
      const users = new Set(connected.map(({ user }) => user));
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

const seconds = (ms: number) => `${(ms / 1_000).toFixed(ms < 9_950 ? 1 : 0)} s`;

function describeInjected(one: Injected, elapsedMs: number): string {
  const parts = [
    one.holdMs > 0 ? `for ${seconds(one.holdMs)}` : undefined,
    one.firstErrorMs === undefined ? undefined : `first error ${Math.round(one.firstErrorMs)} ms`,
    one.slowestAnswerMs === undefined ? undefined : `slowest answer ${Math.round(one.slowestAnswerMs)} ms`,
    one.degradedMs === undefined ? undefined : `degraded ${Math.round(one.degradedMs)} ms`,
    one.wholeMs === undefined ? 'NOT WHOLE' : `whole ${Math.round(one.wholeMs)} ms`,
    one.presenceMs === undefined ? undefined : `presence right ${Math.round(one.presenceMs)} ms later`,
    one.note,
  ];
  const line = `[${String(Math.round(elapsedMs / 1_000)).padStart(5)} s] ${one.name.padEnd(24)} ${parts.filter((part) => part !== undefined).join(', ')}`;
  return [line, ...one.violations.map((violation) => `          VIOLATION ${violation}`)].join('\n');
}
