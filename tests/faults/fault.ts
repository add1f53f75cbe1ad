/** What a fault is, to the trial that injects it. */
import type { Random } from './random.ts';

/**
 * How the store fares meanwhile. `gone`: nothing can be acknowledged, clients are told `degraded`. `failing`: the same, but that it is
 * started again and again, and may take what little it can, which the final history judges. `refusing`: it answers, and takes nothing
 * new. `fine`: it is not touched.
 */
export type StoreState = 'gone' | 'failing' | 'refusing' | 'fine';

export interface FaultContext<S> {
  environment: S;
  random: Random;
  /** How long a fault that lasts is to last. */
  holdMs: number;
  /** The fault has taken hold: times count from here. */
  began(): void;
  /**
   * The fault is about to be lifted: what comes after may be acknowledged again. Or it was, at a time that was learned only now, in
   * milliseconds since 1970.
   */
  lifting(atMs?: number): void;
  /** What was harmed is back: everybody has to be whole soon. Without it, when `inject` resolves. */
  lifted(): void;
  sleep(ms: number): Promise<void>;
  /** What this fault found broken by itself. */
  violation(what: string): void;
}

export interface Fault<S> {
  name: string;
  /** One line for the report. */
  about: string;
  store: StoreState;
  /** The log loses its end: a new life is to be expected. */
  rollsBack?: boolean;
  /** Of what it loses some was acknowledged, which the store as it is set up does not rule out. */
  losesAcknowledged?: boolean;
  /** Services that end by it; all others must live through it. */
  ends?: 'gateways' | 'presence';
  /** Nobody else speaks meanwhile: all must become whole without further traffic. */
  quiet?: boolean;
  /** It takes so long that only a run with time to spare includes it, or one that names it. */
  long?: boolean;
  /** Range of holds in a random schedule, in milliseconds. */
  holdMs: readonly [number, number];
  /** Everybody is whole so long after it was lifted. */
  wholeWithinMs: number;
  /** Clients that lost their connection are back so long after it, their own pauses before they tried again not counted. */
  backWithinMs?: number;
  /** No client loses its connection more often meanwhile. */
  lossesMax?: number;
  /** Presence is to show exactly who is connected so long after everybody is whole. Without it, presence is judged at the end only. */
  presenceWithinMs?: number;
  /** How often it comes up in a random schedule, compared with others. Default 2. */
  weight?: number;
  inject(context: FaultContext<S>): Promise<void>;
}
