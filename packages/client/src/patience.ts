/** Tells a dead path from a slow one: if one session after the other seems dead, it may be slow. */
import type { ClientLimits } from './limits.ts';

/** A session that falls silent in this time makes the client more patient. */
const SOON_MS = 60_000;
const DOUBLINGS_MAX = 2;

export class Patience {
  /** Consecutive sessions that fell silent soon. */
  #silences = 0;

  /** A session fell silent after this time. */
  lost(afterMs: number): void {
    this.#silences = afterMs < SOON_MS ? this.#silences + 1 : 1;
  }

  /** The first reconnect is not delayed. */
  extend(limits: ClientLimits): ClientLimits {
    const factor = 2 ** Math.min(Math.max(this.#silences - 1, 0), DOUBLINGS_MAX);
    return { ...limits, probeTimeoutMs: limits.probeTimeoutMs * factor };
  }
}
