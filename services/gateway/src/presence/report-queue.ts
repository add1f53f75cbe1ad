/**
 * Changes to report. The queue keeps only the last operation for each user and room. When it
 * overflows it drops all of them, and the whole state has to be reported instead. Pure.
 */
import type { Operation } from '@maru/presence-api';

export class ReportQueue {
  readonly #moves = new Map<string, Operation>();
  readonly #statuses = new Map<string, Operation>();
  readonly #opsMax: number;
  #hasOverflowed = false;

  constructor(options: { opsMax: number }) {
    this.#opsMax = options.opsMax;
  }

  push(op: Operation): void {
    if (op.op === 'status') this.#statuses.set(op.userId, op);
    else this.#moves.set(`${op.room} ${op.op === 'enter' ? op.user.id : op.userId}`, op);
    if (this.size <= this.#opsMax) return;
    this.clear();
    this.#hasOverflowed = true;
  }

  /**
   * Removes at most `max` operations, statuses first. Statuses stay unless the caller asks for
   * them.
   */
  take(max: number, options: { statuses: boolean }): Operation[] {
    const taken: Operation[] = [];
    for (const queue of options.statuses ? [this.#statuses, this.#moves] : [this.#moves]) {
      for (const [key, op] of queue) {
        if (taken.length === max) return taken;
        taken.push(op);
        queue.delete(key);
      }
    }
    return taken;
  }

  clear(): void {
    this.#moves.clear();
    this.#statuses.clear();
    this.#hasOverflowed = false;
  }

  get size(): number {
    return this.#moves.size + this.#statuses.size;
  }

  /** Operations were dropped since the last `clear`. */
  get hasOverflowed(): boolean {
    return this.#hasOverflowed;
  }
}
