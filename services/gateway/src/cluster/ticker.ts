/**
 * The node's beat: what has to be done every half second, or once in several, is done in one turn of the event loop. A node on which
 * nothing happens wakes once for all of it, and what that asks of the store can share a write and an answer.
 */
import type { Logger } from '@maru/service-kit';

export interface Ticker {
  /** From the next beat on `part` is called once in `everyMs`, which is a whole number of beats. Returns what ends that. */
  join(everyMs: number, part: () => void): () => void;
}

export function createTicker(options: { periodMs: number; logger: Logger; now: () => number }): Ticker {
  const { periodMs, logger, now } = options;
  const parts = new Set<{ everyBeats: number; run: () => void }>();
  let beats = 0;
  let dueMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const wait = () => {
    timer = setTimeout(beat, dueMs - now());
  };

  const beat = () => {
    // The pace is kept however late this one is. Where it slept, what was missed is left out: beats never follow close on each other.
    dueMs = Math.max(dueMs + periodMs, now() + periodMs / 2);
    wait();
    beats++;
    for (const { everyBeats, run } of parts) {
      if (beats % everyBeats !== 0) continue;
      try {
        run();
      } catch (error) {
        logger.error({ err: error }, 'a part of the beat failed');
      }
    }
  };

  return {
    join(everyMs, run) {
      const everyBeats = everyMs / periodMs;
      if (!Number.isInteger(everyBeats)) throw new RangeError(`${everyMs} ms are no whole number of beats`);
      const part = { everyBeats, run };
      parts.add(part);
      if (parts.size === 1) {
        dueMs = now() + periodMs;
        wait();
      }
      return () => {
        if (parts.delete(part) && parts.size === 0) clearTimeout(timer);
      };
    },
  };
}
