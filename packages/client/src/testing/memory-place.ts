/** An in-memory storage of one text, in place of the host's. */
import type { KeptText } from '../kept.ts';

export function memoryPlace(value: string | null = null) {
  const takers = new Set<(value: string) => boolean>();
  const place = {
    value,
    saves: 0,
    isFull: false,
    load: () => place.value,
    save(next: string) {
      if (place.isFull) throw new Error('full');
      place.value = next;
      place.saves++;
    },
    watchLeft(take: (value: string) => boolean) {
      takers.add(take);
      return () => void takers.delete(take);
    },
    /** Simulates a text left by an ended client. Returns whether it was taken. */
    leave: (left: string) => [...takers].some((take) => take(left)),
  };
  return place satisfies KeptText;
}
