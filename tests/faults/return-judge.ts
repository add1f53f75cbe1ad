/** Judges how clients came back after they lost their connections, and how they were asked to go. Pure. */
import type { Advice, Return } from './member.ts';

/** Of the times of all members, in milliseconds. */
export interface Spread {
  median: number;
  p99: number;
  slowest: number;
}

export interface Returned {
  members: number;
  /** From the loss of the connection to the next session. */
  tookMs: Spread;
  /** The same without the client's own pauses before it tried again. */
  beyondPausesMs: Spread;
  /** The longest of these pauses. */
  longestPauseMs: number;
  /** So many had to try more than once. */
  triedAgain: number;
}

/** Undefined where nobody lost a connection since. */
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
/** Even spacing with chance in it lets two neighbours fall into one place. */
const PACE_FACTOR = 2;

/** A leaving node asks its clients to go at a pace that the others can bear, whatever the moments were at which they heard of it. */
export function judgePace(advices: readonly Advice[], perSecond: number): string[] {
  const atMs = advices.map(({ reconnectInMs }) => reconnectInMs).sort((a, b) => a - b);
  let most = 0;
  for (let first = 0, last = 0; last < atMs.length; last++) {
    while ((atMs[last] ?? 0) - (atMs[first] ?? 0) >= WINDOW_MS) first++;
    most = Math.max(most, last - first + 1);
  }
  if (most <= perSecond * PACE_FACTOR) return [];
  return [`pace: ${most} clients were asked to go within one second, at a pace of ${perSecond}`];
}

/** How often the log was read for resumes between two counts, of the processes that lived through it or came since. */
export function readsBetween(
  before: ReadonlyMap<string, { resumeReads: number }>,
  after: ReadonlyMap<string, { resumeReads: number }>,
): number {
  let reads = 0;
  for (const [process, { resumeReads }] of after) reads += resumeReads - (before.get(process)?.resumeReads ?? 0);
  return reads;
}
