/**
 * The newest deletion of a message that a node knows of in one room. What was read before it may
 * hold the deleted text, so it is stale.
 */
import type { Position } from '@maru/protocol';
import { epochNumber } from '../log/entry-codec.ts';

export class Erasures {
  #newest: Position | undefined;
  /** Changes with each newer deletion. */
  count = 0;

  note({ epoch, seq }: Position): void {
    if (!this.#isBeforeNewest(epoch, seq + 1)) {
      this.#newest = { epoch, seq };
      this.count++;
    }
  }

  /** A read at this head may hold a text that was deleted since. */
  isStale({ epoch, head }: { epoch: string; head: number }): boolean {
    return this.#isBeforeNewest(epoch, head + 1);
  }

  /** Everything before this `seq` is older than the newest deletion, or the deletion itself. */
  #isBeforeNewest(epoch: string, seq: number): boolean {
    if (this.#newest === undefined) return false;
    const later = epochNumber(epoch) - epochNumber(this.#newest.epoch);
    return later < 0 || (later === 0 && seq <= this.#newest.seq);
  }
}
