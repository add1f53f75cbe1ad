/** Contiguous parts of lists of entries. */
import type { Entry, Position } from '@maru/protocol/events';

export const positionOf = ({ epoch, seq }: Entry): Position => ({ epoch, seq });

/** Removes entries of the same epoch that were already delivered, even before a gap. */
export const unseen = (entries: readonly Entry[], epoch: string, position: Position): readonly Entry[] =>
  epoch === position.epoch ? entries.filter((entry) => entry.seq > position.seq) : entries;

export function contiguousHead(entries: readonly Entry[]): readonly Entry[] {
  const end = entries.findIndex((entry, i) => i > 0 && entry.seq !== (entries[i - 1]?.seq ?? 0) + 1);
  return end === -1 ? entries : entries.slice(0, end);
}

export function contiguousTail(entries: readonly Entry[]): readonly Entry[] {
  const start = entries.findLastIndex((entry, i) => i > 0 && entry.seq !== (entries[i - 1]?.seq ?? 0) + 1);
  return start === -1 ? entries : entries.slice(start);
}

/** The number of entries between the position and the first held one. Null if unknown. */
export function missingBefore(held: readonly Entry[], position: Position): number | null {
  const first = held[0];
  const isAhead = first !== undefined && first.epoch === position.epoch && first.seq > position.seq + 1;
  return isAhead ? first.seq - position.seq - 1 : null;
}
