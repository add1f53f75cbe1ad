/**
 * Detects that a message has waited so long for its answer that the connection should not be shown
 * as healthy.
 */
import type { Scheduler } from './scheduler.ts';

export interface LateWatchOptions {
  scheduler: Scheduler;
  lateAfterMs: number;
  onChange: () => void;
}

export class LateWatch {
  readonly #options: LateWatchOptions;
  #isLate = false;
  #cancel = () => {};

  constructor(options: LateWatchOptions) {
    this.#options = options;
  }

  get isLate(): boolean {
    return this.#isLate;
  }

  /**
   * The time since which the oldest message waits, on the scheduler's clock. Null if none waits.
   */
  note(sinceMs: number | null): void {
    this.#cancel();
    const { scheduler, lateAfterMs } = this.#options;
    const dueInMs = sinceMs === null ? null : sinceMs + lateAfterMs - scheduler.now();
    this.#set(dueInMs !== null && dueInMs <= 0);
    if (dueInMs !== null && dueInMs > 0) this.#cancel = scheduler.after(dueInMs, () => this.#set(true));
  }

  close(): void {
    this.#cancel();
  }

  #set(isLate: boolean): void {
    if (isLate === this.#isLate) return;
    this.#isLate = isLate;
    this.#options.onChange();
  }
}
