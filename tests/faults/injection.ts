/** Injects one fault into a trial and checks its effect on the clients. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Crowd } from './crowd.ts';
import type { Environment, GatewayFigures } from './environment.ts';
import type { Fault, FaultContext } from './fault.ts';
import type { Injected } from './injected.ts';
import { now } from './member.ts';
import { waitForPresence } from './presence-wait.ts';
import type { Random } from './random.ts';
import {
  checkLosses,
  checkPace,
  checkReturn,
  type Returned,
  readsBetween,
  summarizeReturns,
} from './return-checker.ts';
import { createWatch, type Watch, type WatchResult } from './watch.ts';

export interface InjectionOptions<S> {
  environment: S;
  fault: Fault<S>;
  holdMs: number;
  crowd: Crowd;
  random: Random;
  startedAtMs: number;
  /** Extra tolerance for every promised time, because the machine has other users. Default 0. */
  slackMs?: number;
  /** Takes the watch that the trial passes answers to while the fault lasts. */
  setWatch(watch: Watch | undefined): void;
}

export const SETTLE_MS = 30_000;
/** Waits this much longer for a late crowd, so that the report contains the delay. */
const LATE_FACTOR = 4;
const LAG_RESOLUTION_MS = 10;
const NS_PER_MS = 1_000_000;
/** If it took longer, the report contains details, even within the allowed time. */
const SLOW_MS = 2_000;
const LAST_NAMED_MAX = 3;

export async function injectFault<S extends Environment>(options: InjectionOptions<S>): Promise<Injected> {
  return new Injection(options).run();
}

class Injection<S extends Environment> {
  readonly #options: InjectionOptions<S>;
  readonly #watch: Watch;
  readonly #violations: string[] = [];
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  readonly #lossesBefore: ReadonlyMap<string, number>;
  #beganAtMs = now();
  #liftedAtMs: number | undefined;

  constructor(options: InjectionOptions<S>) {
    this.#options = options;
    this.#watch = createWatch(options.fault.store);
    this.#lossesBefore = new Map(options.crowd.members.map(({ user, losses }) => [user, losses]));
  }

  async run(): Promise<Injected> {
    const { environment, fault, holdMs, crowd, startedAtMs } = this.#options;
    const servicesBefore = await environment.services();
    if (fault.quiet) await this.#quieten();
    const figuresBefore = fault.backWithinMs === undefined ? undefined : await environment.figures?.();
    const whole = await this.#inject();
    const ownLagMs = this.#lag.max / NS_PER_MS;
    const toleranceMs = this.#toleranceMs();
    this.#lag.disable();
    const watched: WatchResult & { presenceMs?: number } = this.#watch.finish(
      crowd.members.map(({ user, connectedAtMs, ready, noticedAtMs }) => {
        return { user, connectedAtMs, ready, degradedAtMs: noticedAtMs.get('degraded') };
      }),
      toleranceMs,
    );
    const returned = this.#checkReturns(toleranceMs);
    const resumeReads = await this.#checkReads(figuresBefore);
    if (fault.quiet) crowd.startSending();
    if (fault.presenceWithinMs !== undefined) {
      const present = () => crowd.present();
      const presenceMs = await waitForPresence(environment, present, this.#violations, fault.presenceWithinMs);
      if (presenceMs !== undefined) watched.presenceMs = presenceMs;
    }
    await this.#checkServices(servicesBefore);
    return {
      ...watched,
      ...(returned === undefined ? {} : { returned }),
      ...(resumeReads === undefined ? {} : { resumeReads }),
      name: fault.name,
      about: fault.about,
      atMs: this.#beganAtMs - startedAtMs,
      holdMs,
      ownLagMs,
      ...whole,
      violations: [...watched.violations, ...this.#violations],
    };
  }

  async #quieten(): Promise<void> {
    const { crowd } = this.#options;
    crowd.stopSending();
    await crowd.settled(SETTLE_MS);
    await crowd.whole(now(), SETTLE_MS);
  }

  async #inject(): Promise<Pick<Injected, 'wholeMs' | 'note'>> {
    const { fault, crowd, setWatch } = this.#options;
    this.#beganAtMs = now();
    this.#lag.enable();
    setWatch(this.#watch);
    let wholeMs: number | undefined;
    try {
      await fault.inject(this.#context());
      const whole = await crowd.whole(this.#liftedAtMs ?? now(), fault.wholeWithinMs * LATE_FACTOR);
      wholeMs = whole.wholeMs;
      const { last, probedMs } = whole;
      const named = last.slice(0, LAST_NAMED_MAX).join(', ') + (last.length > LAST_NAMED_MAX ? ' and others' : '');
      const slow = `the probe messages took ${Math.round(probedMs)} ms; the last to receive them: ${named}`;
      if (wholeMs > fault.wholeWithinMs + this.#toleranceMs())
        this.#violations.push(`I5: all members receive messages again only after ${Math.round(wholeMs)} ms: ${slow}`);
      else if (wholeMs > SLOW_MS) return { wholeMs, note: slow };
    } catch (error) {
      this.#violations.push(
        `I5: not all members receive messages again: ${error instanceof Error ? error.message : String(error)}`,
      );
    } finally {
      setWatch(undefined);
    }
    return { wholeMs };
  }

  #context(): FaultContext<S> {
    const { environment, random, holdMs } = this.#options;
    return {
      environment,
      random,
      holdMs,
      sleep: (ms) => sleep(ms),
      began: () => {
        this.#beganAtMs = now();
        this.#watch.began(this.#beganAtMs);
      },
      lifting: (atMs) => this.#watch.lifting(atMs ?? now()),
      violation: (what) => this.#violations.push(what),
      lifted: () => {
        this.#liftedAtMs = now();
      },
    };
  }

  /** Events that this process notices late may have been in time. */
  #toleranceMs(): number {
    return this.#lag.max / NS_PER_MS + (this.#options.slackMs ?? 0);
  }

  #checkReturns(toleranceMs: number): Returned | undefined {
    const { environment, fault, crowd } = this.#options;
    const { drainPerSecond } = environment;
    const draining = crowd.members.flatMap(({ advices }) =>
      advices.filter(({ atMs, code }) => atMs >= this.#beganAtMs && code === 'draining'),
    );
    if (drainPerSecond !== undefined) this.#violations.push(...checkPace(draining, drainPerSecond));
    if (fault.lossesMax !== undefined) {
      const losses = crowd.members.map(({ user, losses: after }) => {
        return { user, before: this.#lossesBefore.get(user) ?? 0, after };
      });
      this.#violations.push(...checkLosses(losses, fault.lossesMax));
    }
    const returned = summarizeReturns(
      crowd.members.flatMap(({ returns }) => returns.filter(({ lostAtMs }) => lostAtMs >= this.#beganAtMs)),
    );
    if (returned !== undefined && fault.backWithinMs !== undefined)
      this.#violations.push(...checkReturn(returned.beyondPausesMs.slowest, fault.backWithinMs + toleranceMs));
    return returned;
  }

  async #checkReads(before: ReadonlyMap<string, GatewayFigures> | undefined): Promise<number | undefined> {
    const { environment, fault, crowd } = this.#options;
    if (before === undefined || environment.figures === undefined) return undefined;
    const after = await environment.figures();
    const reads = readsBetween(before, after);
    // In a quiet fault, all clients of a room missed the same entries, so one read for each room
    // and gateway is enough.
    if (fault.quiet && reads > crowd.rooms.size * after.size)
      this.#violations.push(`resume: ${reads} reads for ${crowd.rooms.size} rooms on ${after.size} gateways`);
    return reads;
  }

  async #checkServices(before: ReadonlyMap<string, number>): Promise<void> {
    const { environment, fault } = this.#options;
    await environment.complete().catch((error: unknown) => this.#violations.push(String(error)));
    const after = await environment.services();
    for (const [name, pid] of before) {
      const kind = name.replace(/-\d+$/, '');
      if (after.get(name) !== pid && !fault.ends?.startsWith(kind)) this.#violations.push(`${name} did not survive it`);
    }
  }
}
