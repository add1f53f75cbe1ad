/**
 * What has to be told to the service next. Bounded: one operation per user and room, the last one, and when there are too many of
 * them all are dropped and the whole state is told instead. Pure.
 */
import type { Op } from './wire.ts';

export class ReportQueue {
  readonly #moves = new Map<string, Op>();
  readonly #statuses = new Map<string, Op>();
  readonly #opsMax: number;
  #hasOverflowed = false;

  constructor(options: { opsMax: number }) {
    this.#opsMax = options.opsMax;
  }

  push(op: Op): void {
    if (op.op === 'status') this.#statuses.set(op.userId, op);
    else this.#moves.set(`${op.room} ${op.op === 'enter' ? op.user.id : op.userId}`, op);
    if (this.size <= this.#opsMax) return;
    this.clear();
    this.#hasOverflowed = true;
  }

  /** At most `max` operations, which are the caller's from now on. Statuses wait unless asked for. */
  take(max: number, options: { statuses: boolean }): Op[] {
    const taken: Op[] = [];
    for (const lane of options.statuses ? [this.#statuses, this.#moves] : [this.#moves]) {
      for (const [key, op] of lane) {
        if (taken.length === max) return taken;
        taken.push(op);
        lane.delete(key);
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

  /** Something was dropped since the last `clear`: only the whole state helps. */
  get hasOverflowed(): boolean {
    return this.#hasOverflowed;
  }
}
