/**
 * Measures how long a client takes from a lost connection to the next session. Pure: the caller
 * gives times.
 */

/** A connection that was lost, and the way back. */
export interface Return {
  lostAtMs: number;
  /** When the next session came. */
  backAtMs: number;
  /** The part of it that is the client's own back-off. */
  pausedMs: number;
  /** How many attempts it made. */
  tries: number;
  /** The client closed the connection itself: a notice advised it, or it got no answers. */
  left: boolean;
}

export class ReturnTimer {
  #lost:
    | { atMs: number; left: boolean; tries: number; pausedMs: number; pausedSinceMs: number | undefined }
    | undefined;

  disconnected(nowMs: number, left: boolean): void {
    this.#lost ??= { atMs: nowMs, left, tries: 0, pausedMs: 0, pausedSinceMs: nowMs };
  }

  attempts(nowMs: number): void {
    if (this.#lost?.pausedSinceMs === undefined) return;
    this.#lost.tries++;
    this.#lost.pausedMs += nowMs - this.#lost.pausedSinceMs;
    this.#lost.pausedSinceMs = undefined;
  }

  attemptFailed(nowMs: number): void {
    if (this.#lost !== undefined) this.#lost.pausedSinceMs = nowMs;
  }

  /** @returns undefined for the first session */
  back(nowMs: number): Return | undefined {
    if (this.#lost === undefined) return undefined;
    const { atMs, pausedMs, tries, left } = this.#lost;
    this.#lost = undefined;
    return { lostAtMs: atMs, backAtMs: nowMs, pausedMs, tries, left };
  }
}
