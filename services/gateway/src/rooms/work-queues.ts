/**
 * Queues of one connection's asynchronous work, by name: joins and leaves of one room, or reads.
 */
import { MaruError } from '@maru/protocol';

/**
 * Work that waited longer is refused. Many concurrent joins take some time. If the store fails, all
 * waiting work is refused at once.
 */
const WAIT_MAX_MS = 5_000;

export const READS_QUEUE = 'reads';
/** Joins and leaves of a room. */
export const roomQueue = (room: string): string => `room:${room}`;

export class WorkQueues {
  /** Undefined while no work is in progress, which is the case for most connections. */
  #running: Map<string, Promise<unknown>> | undefined;

  /** Runs the work of one queue one after the other, in the order of the calls. */
  run<T>(queue: string, work: () => Promise<T>): Promise<T> {
    this.#running ??= new Map();
    const running = this.#running;
    const before = running.get(queue);
    const since = performance.now();
    const inTurn = () => {
      if (performance.now() - since <= WAIT_MAX_MS) return work();
      throw new MaruError('unavailable', 'earlier requests of this connection took too long', { retryAfterMs: 500 });
    };
    const run = before === undefined ? work() : before.then(inTurn, unlessUnavailable(inTurn));
    running.set(queue, run);
    const clear = () => {
      if (running.get(queue) === run) running.delete(queue);
      if (running.size === 0 && this.#running === running) this.#running = undefined;
    };
    run.then(clear, clear);
    return run;
  }

  /** Runs the work after the current work of a queue, in the order of the calls. */
  after<T>(queue: string, work: () => Promise<T>): Promise<T> {
    const current = this.#running?.get(queue);
    return current === undefined ? work() : current.then(work, unlessUnavailable(work));
  }
}

/**
 * If the store was unavailable for earlier work, waiting work fails at once instead of one after
 * the other.
 */
const unlessUnavailable =
  <T>(work: () => Promise<T>) =>
  (error: unknown): Promise<T> => {
    if (error instanceof MaruError && error.code === 'unavailable') throw error;
    return work();
  };
