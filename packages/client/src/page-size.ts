/**
 * Decides how many entries to request. In a browser, progress inside one answer is invisible, so on
 * a slow link a large page looks like a dead connection. A late answer makes the pages smaller.
 * Quick full pages make them larger again.
 */
import { LIMITS } from '@maru/protocol/limits';

const LATE_FACTOR = 4;
/** After a few attempts every page must fit, or the client never recovers. */
const LOST_FACTOR = 8;
const GROW_FACTOR = 2;

export class PageSize {
  readonly #lateAfterMs: number;
  #entries: number = LIMITS.pageEntriesMax;

  /** @param lateAfterMs - an answer that takes longer is late; one in a third of it is quick */
  constructor(lateAfterMs: number) {
    this.#lateAfterMs = lateAfterMs;
  }

  /** The number of entries to request if `wanted` are wanted. At least 1. */
  of(wanted: number): number {
    return Math.max(1, Math.min(wanted, this.#entries));
  }

  answered({ asked, got, tookMs }: { asked: number; got: number; tookMs: number }): void {
    if (tookMs >= this.#lateAfterMs) {
      // A short answer was late for another reason than its size. But a full page may also be
      // short.
      if (got >= Math.min(asked, LATE_FACTOR)) this.#shrinkTo(Math.min(asked, got) / LATE_FACTOR);
    } else if (tookMs * 3 <= this.#lateAfterMs && got >= this.#entries) {
      this.#entries = Math.min(LIMITS.pageEntriesMax, this.#entries * GROW_FACTOR);
    }
  }

  /** The connection became silent before the page arrived. */
  unanswered(asked: number): void {
    this.#shrinkTo(asked / LOST_FACTOR);
  }

  #shrinkTo(entries: number): void {
    this.#entries = Math.max(1, Math.min(this.#entries, Math.floor(entries)));
  }
}
