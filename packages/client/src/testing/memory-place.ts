/** A place for one kept text, as a host provides it. */
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
    /** Another client ended and left this. Whether it was taken. */
    leave: (left: string) => [...takers].some((take) => take(left)),
  };
  return place satisfies KeptText;
}
