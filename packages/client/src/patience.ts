/**
 * Distinguishes a dead path from a slow one: if several sessions in a row seem dead, the path may
 * be slow.
 */
import type { ClientLimits } from './limits.ts';

/** If a session falls silent within this time, the client waits longer in the next one. */
const SOON_MS = 60_000;
const DOUBLINGS_MAX = 2;

export class Patience {
  /** Consecutive sessions that fell silent soon. */
  #silences = 0;

  /** A session fell silent after this time. */
  lost(afterMs: number): void {
    this.#silences = afterMs < SOON_MS ? this.#silences + 1 : 1;
  }

  /** The first reconnect gets the normal limits. */
  extend(limits: ClientLimits): ClientLimits {
    const factor = 2 ** Math.min(Math.max(this.#silences - 1, 0), DOUBLINGS_MAX);
    return { ...limits, probeTimeoutMs: limits.probeTimeoutMs * factor };
  }
}
