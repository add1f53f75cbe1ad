/**
 * A read that many ask for at the same time is made once. One that has left may lack what its next asker knows to be stored, so whoever comes while one is under way
 * shares the one after it: of a thousand who open a room at once the first has a read of its own, and all others have one together.
 */
import { MaruError } from '@maru/protocol';

export interface SingleFlight<T> {
  /** `key` says what is read. Those who ask for the same share the result, which none of them may change. */
  read(key: string, work: () => Promise<T>): Promise<T>;
}

interface UnderWay<T> {
  current: Promise<T>;
  next: Promise<T> | undefined;
}

export function createSingleFlight<T>(): SingleFlight<T> {
  const reads = new Map<string, UnderWay<T>>();

  const begin = (key: string, work: () => Promise<T>): Promise<T> => {
    const underWay: UnderWay<T> = { current: work(), next: undefined };
    reads.set(key, underWay);
    const end = () => {
      if (underWay.next === undefined) reads.delete(key);
    };
    underWay.current.then(end, end);
    return underWay.current;
  };

  return {
    read(key, work) {
      const underWay = reads.get(key);
      if (underWay === undefined) return begin(key, work);
      const again = () => begin(key, work);
      underWay.next ??= underWay.current.then(again, (error: unknown) => {
        if (!(error instanceof MaruError) || error.code !== 'unavailable') return again();
        // Those who waited are not made to find out one more time.
        reads.delete(key);
        throw error;
      });
      return underWay.next;
    },
  };
}
