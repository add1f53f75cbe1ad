/** When which variant of a round is measured. Pure. */
import type { Load, Pace } from './loads.ts';

/** What a slice takes beyond what it measures, with slack. */
const AROUND_SLICE_MS = 1_000;

/** One slice of one variant. */
export interface Slot {
  /** The variant, by its place in the round. */
  turn: number;
  /** Not before this, from the start of the measuring. */
  atMs: number;
}

/** Memory and resumes are measured once, with one variant alone. */
export const isMeasuredInTurns = ({ kind }: Pick<Load, 'kind'>): boolean => kind === 'steady' || kind === 'connect';

/** The slices of a group of variants, in their order. */
export function slotsOf(load: Pick<Load, 'kind'>, variants: number, pace: Pace): Slot[] {
  const slices = isMeasuredInTurns(load) ? pace.slices : 1;
  const cycleMs = load.kind === 'steady' ? cycleMsOf(variants, pace) : 0;
  return Array.from({ length: slices * variants }, (_, slot) => ({
    turn: slot % variants,
    atMs: (cycleMs * slot) / variants,
  }));
}

/** Between two slices of one variant: each of its slices then lies in another part of the heartbeat, and together they are one. */
function cycleMsOf(variants: number, { measureMs, slices }: Pace): number {
  const sliceMs = measureMs / slices;
  let count = Math.ceil((variants * (sliceMs + AROUND_SLICE_MS)) / sliceMs);
  while (greatestDivisor(count, slices) > 1) count++;
  return count * sliceMs;
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));
