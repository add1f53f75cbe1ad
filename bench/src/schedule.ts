/** The order and times of a round's measurements. Pure. */
import type { Load, Pace } from './loads.ts';

/** Time that a slice needs in addition to its measurement, with slack. */
const SLICE_OVERHEAD_MS = 1_000;

/** One slice of one variant. */
export interface Slot {
  /** Index of the variant in the round. */
  turn: number;
  /** Earliest start, counted from the start of the measurement. */
  atMs: number;
}

/** The other kinds (`idle`, `resume`) are measured once, with one variant at a time. */
export const isMeasuredInTurns = ({ kind }: Pick<Load, 'kind'>): boolean => kind === 'steady' || kind === 'connect';

/** The slices of a group of variants, in order. */
export function slotsOf(load: Pick<Load, 'kind'>, variants: number, pace: Pace): Slot[] {
  const slices = isMeasuredInTurns(load) ? pace.slices : 1;
  const cycleMs = load.kind === 'steady' ? cycleMsOf(variants, pace) : 0;
  return Array.from({ length: slices * variants }, (_, slot) => ({
    turn: slot % variants,
    atMs: (cycleMs * slot) / variants,
  }));
}

/**
 * Time between two slices of the same variant. Each slice covers another part of the ping interval,
 * and all slices together cover it once.
 */
function cycleMsOf(variants: number, { measureMs, slices }: Pace): number {
  const sliceMs = measureMs / slices;
  let count = Math.ceil((variants * (sliceMs + SLICE_OVERHEAD_MS)) / sliceMs);
  while (greatestDivisor(count, slices) > 1) count++;
  return count * sliceMs;
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** One round of one load. */
export interface PlannedRound<V> {
  load: Load;
  round: number;
  variants: V[];
}

/**
 * All rounds of a measurement. Each round of a load begins with another variant, so that no variant
 * is always first or last. A load for Maru only is left out if there is no Maru variant.
 */
export function planRounds<V extends { name: string }>(
  loads: Load[],
  variants: V[],
  rounds: number,
): PlannedRound<V>[] {
  return loads.flatMap((load) => {
    const measured = variants.filter(({ name }) => !load.maruOnly || name.startsWith('maru'));
    if (measured.length === 0) return [];
    return Array.from({ length: rounds }, (_, round) => {
      const first = round % measured.length;
      return { load, round, variants: [...measured.slice(first), ...measured.slice(0, first)] };
    });
  });
}
