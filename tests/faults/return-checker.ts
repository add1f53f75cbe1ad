/**
 * Checks how clients lost their connections and reconnected, and how a drain spreads them. Pure.
 */
import type { Advice } from './member.ts';
import type { Return } from './return-timer.ts';

/** Times of all members, in milliseconds. */
export interface Spread {
  median: number;
  p99: number;
  slowest: number;
}

export interface Returned {
  members: number;
  /** From the lost connection to the next session. */
  tookMs: Spread;
  /** The same without the back-off of the clients. */
  beyondPausesMs: Spread;
  /** The longest back-off. */
  longestPauseMs: number;
  /** How many clients needed more than one attempt. */
  triedAgain: number;
}

/** Undefined if no client lost its connection. */
export function summarizeReturns(returns: readonly Return[]): Returned | undefined {
  const tookMs = spreadOf(returns.map(({ lostAtMs, backAtMs }) => backAtMs - lostAtMs));
  const beyondPausesMs = spreadOf(returns.map(({ lostAtMs, backAtMs, pausedMs }) => backAtMs - lostAtMs - pausedMs));
  if (tookMs === undefined || beyondPausesMs === undefined) return undefined;
  const longestPauseMs = Math.max(...returns.map(({ pausedMs }) => pausedMs));
  const triedAgain = returns.filter(({ tries }) => tries > 1).length;
  return { members: returns.length, tookMs, beyondPausesMs, longestPauseMs, triedAgain };
}

function spreadOf(timesMs: number[]): Spread | undefined {
  const sorted = timesMs.sort((a, b) => a - b);
  const slowest = sorted.at(-1);
  if (slowest === undefined) return undefined;
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? slowest;
  return { median: at(0.5), p99: at(0.99), slowest };
}

const WINDOW_MS = 1_000;
/** Advice is spread evenly with some chance, so two neighbours may share a moment. */
const PACE_FACTOR = 2;

/** A draining node asks its clients to leave at a pace that other nodes can handle. */
export function checkPace(advices: readonly Advice[], perSecond: number): string[] {
  const atMs = advices.map(({ reconnectInMs }) => reconnectInMs).sort((a, b) => a - b);
  let most = 0;
  for (let first = 0, last = 0; last < atMs.length; last++) {
    while ((atMs[last] ?? 0) - (atMs[first] ?? 0) >= WINDOW_MS) first++;
    most = Math.max(most, last - first + 1);
  }
  if (most <= perSecond * PACE_FACTOR) return [];
  return [`pace: ${most} clients were asked to leave within one second, at a pace of ${perSecond}`];
}

export interface Losses {
  user: string;
  /** How many connections it had lost before the fault, and after it. */
  before: number;
  after: number;
}

/** I5: no client loses its connection more than `most` times. */
export function checkLosses(losses: readonly Losses[], most: number): string[] {
  const over = losses.filter(({ before, after }) => after - before > most);
  if (over.length === 0) return [];
  return [`I5: ${over.length} clients lost their connection more than ${most} times: ${over[0]?.user}`];
}

/** I5: the slowest client, without its own back-off, is back in time. */
export function checkReturn(slowestMs: number, withinMs: number): string[] {
  if (slowestMs <= withinMs) return [];
  return [`I5: a client was back ${Math.round(slowestMs)} ms after its own back-off`];
}

/**
 * How many reads of the log resumes caused between two counts. A process that started since counts
 * from 0.
 */
export function readsBetween(
  before: ReadonlyMap<string, { resumeReads: number }>,
  after: ReadonlyMap<string, { resumeReads: number }>,
): number {
  let reads = 0;
  for (const [process, { resumeReads }] of after) reads += resumeReads - (before.get(process)?.resumeReads ?? 0);
  return reads;
}
