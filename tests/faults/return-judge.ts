/** Judges how clients came back after they lost their connections, and how they were asked to go. Pure. */
import type { Advice, Return } from './member.ts';

export interface Returned {
  members: number;
  /** From the loss of the connection to the next session; half of them took no longer than `medianMs`. */
  medianMs: number;
  slowestMs: number;
  /** The slowest, its own pauses before it tried again not counted. */
  slowestBeyondPausesMs: number;
}

/** Undefined where nobody lost a connection since. */
export function summarizeReturns(returns: readonly Return[]): Returned | undefined {
  const tookMs = returns.map(({ lostAtMs, backAtMs }) => backAtMs - lostAtMs).sort((a, b) => a - b);
  const slowestMs = tookMs.at(-1);
  if (slowestMs === undefined) return undefined;
  const beyondMs = returns.map(({ lostAtMs, backAtMs, pausedMs }) => backAtMs - lostAtMs - pausedMs);
  return {
    members: returns.length,
    medianMs: tookMs[Math.floor(tookMs.length / 2)] ?? slowestMs,
    slowestMs,
    slowestBeyondPausesMs: Math.max(...beyondMs),
  };
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
export function readsBetween(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  let reads = 0;
  for (const [process, count] of after) reads += count - (before.get(process) ?? 0);
  return reads;
}
