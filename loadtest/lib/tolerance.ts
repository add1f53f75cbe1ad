/** Judges latencies of one phase by those of an earlier one of the same run: "as before, within reason". Pure; one per virtual user. */

export interface Tolerance {
  /** The kind of clients that is looked at; others are not. */
  group: string;
  baseline: string;
  judged: string;
}

export interface ToleranceJudge {
  /** @returns whether it was as before; undefined for a latency that is not judged */
  observe(group: string, phase: string, latencyMs: number): boolean | undefined;
}

/** What is more than twice the earlier 99th percentile, and by more than a pause that a busy machine makes now and then, is not as before. */
export const FACTOR_MAX = 2;
export const SLACK_MS = 50;
/** One latency in a hundred may be above: a rate of 0.99 says that the 99th percentile held. */
export const HELD_RATE_MIN = 0.99;

const SAMPLES_MAX = 20_000;

export function createToleranceJudge(tolerance: Tolerance): ToleranceJudge {
  const baseline: number[] = [];
  let allowedMs: number | undefined;
  return {
    observe(group, phase, latencyMs) {
      if (group !== tolerance.group) return undefined;
      if (phase === tolerance.baseline && baseline.length < SAMPLES_MAX) baseline.push(latencyMs);
      if (phase !== tolerance.judged) return undefined;
      allowedMs ??= FACTOR_MAX * percentile(baseline, 0.99) + SLACK_MS;
      return latencyMs <= allowedMs;
    },
  };
}

/** @returns 0 for no values */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
}
