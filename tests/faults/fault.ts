/** A fault that a trial injects. */
import type { Random } from './random.ts';

/**
 * The state of the store during a fault. `gone`: it acknowledges nothing, and clients are notified
 * `degraded`. `failing`: as `gone`, but it restarts repeatedly and may store a few messages; the
 * final history shows which. `refusing`: it answers and refuses writes. `fine`: the fault does not
 * affect it. `unaffected`: as `fine`, and every message is stored in time.
 */
export type StoreState = 'gone' | 'failing' | 'refusing' | 'fine' | 'unaffected';

export interface FaultContext<S> {
  environment: S;
  random: Random;
  /** How long the fault lasts, if it has a duration. */
  holdMs: number;
  /** The fault has begun. Times count from here. */
  began(): void;
  /**
   * The fault is about to end: later messages may be acknowledged again. `atMs` is given if the end
   * is already past, in milliseconds since 1970.
   */
  lifting(atMs?: number): void;
  /** The fault is repaired: members must be complete soon. Default: when `inject` resolves. */
  lifted(): void;
  sleep(ms: number): Promise<void>;
  /** Reports a violation that the fault itself found. */
  violation(what: string): void;
}

export interface Fault<S> {
  name: string;
  /** One line for the report. */
  about: string;
  store: StoreState;
  /** The log loses its last entries, so a new epoch is expected. */
  rollsBack?: boolean;
  /** It may lose acknowledged messages, because the configuration of the store allows that. */
  losesAcknowledged?: boolean;
  /** Services that it terminates. All others must survive. */
  ends?: 'gateways' | 'presence';
  /** No client sends during it: all must become complete without further traffic. */
  quiet?: boolean;
  /** Only a long run includes it, or a run that names it. */
  long?: boolean;
  /** The range of durations in a random schedule, in milliseconds. */
  holdMs: readonly [number, number];
  /** All members are complete within this time after the end of the fault. */
  wholeWithinMs: number;
  /** Clients that lost their connection are back within this time, excluding their own back-off. */
  backWithinMs?: number;
  /** Maximum connection losses of a client during the fault. */
  lossesMax?: number;
  /**
   * Presence is correct within this time after all members are complete. By default, it is only
   * checked at the end.
   */
  presenceWithinMs?: number;
  /** Its weight in a random schedule. Default 2. */
  weight?: number;
  inject(context: FaultContext<S>): Promise<void>;
}
