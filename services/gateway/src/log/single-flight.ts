/**
 * Shares one read among concurrent callers. A read in flight may lack an entry that a later caller
 * knows to be stored. So callers that arrive during a read share the next one. If a thousand users
 * open a room at once, the first has its own read and the others share a second.
 */
import { MaruError } from '@maru/protocol';

export interface SingleFlight<T> {
  /**
   * `key` identifies the data. Callers with the same key share the result and MUST NOT change it.
   */
  read(key: string, work: () => Promise<T>): Promise<T>;
}

interface Flight<T> {
  current: Promise<T>;
  next: Promise<T> | undefined;
}

export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();

  const begin = (key: string, work: () => Promise<T>): Promise<T> => {
    const flight: Flight<T> = { current: work(), next: undefined };
    flights.set(key, flight);
    const end = () => {
      if (flight.next === undefined) flights.delete(key);
    };
    flight.current.then(end, end);
    return flight.current;
  };

  return {
    read(key, work) {
      const flight = flights.get(key);
      if (flight === undefined) return begin(key, work);
      const again = () => begin(key, work);
      flight.next ??= flight.current.then(again, (error: unknown) => {
        if (!(error instanceof MaruError) || error.code !== 'unavailable') return again();
        // Fail the waiters at once. A second read would make them wait for another timeout.
        flights.delete(key);
        throw error;
      });
      return flight.next;
    },
  };
}
