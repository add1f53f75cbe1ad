/**
 * Compares latencies of one phase with those of an earlier phase. Pure; one for each virtual user.
 */

export interface Tolerance {
  /** The group that is compared. */
  group: string;
  baseline: string;
  compared: string;
}

export interface ToleranceChecker {
  /** @returns whether it is within the tolerance; undefined for a latency that is not compared */
  observe(group: string, phase: string, latencyMs: number): boolean | undefined;
}

/**
 * The tolerance is twice the earlier 99th percentile, plus a pause that a busy machine occasionally
 * makes.
 */
export const FACTOR_MAX = 2;
export const SLACK_MS = 50;
/** The 99th percentile held if 0.99 of the latencies are within the tolerance. */
export const HELD_RATE_MIN = 0.99;

const SAMPLES_MAX = 20_000;

export function createToleranceChecker(tolerance: Tolerance): ToleranceChecker {
  const baseline: number[] = [];
  let allowedMs: number | undefined;
  return {
    observe(group, phase, latencyMs) {
      if (group !== tolerance.group) return undefined;
      if (phase === tolerance.baseline && baseline.length < SAMPLES_MAX) baseline.push(latencyMs);
      if (phase !== tolerance.compared) return undefined;
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
