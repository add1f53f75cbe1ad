/**
 * Compares heads of open rooms with the log, because pub/sub may lose a room's last announcement
 * and then no gap shows it. Rooms whose subscription was interrupted are compared at once, all
 * others slowly in turn.
 */
import type { Ticker } from '../cluster/ticker.ts';

/** Rooms compared at a time after a resubscription. */
const COMPARED_AT_ONCE_MAX = 50;
const AUDITED_PER_SECOND_MAX = 100;
const RETRY_MS = 500;
const AUDIT_TICK_MS = 1_000;

export interface HeadAuditOptions {
  rooms: () => Iterable<string>;
  roomCount: () => number;
  /** Each room is audited about once in this period. */
  auditPeriodMs: number;
  /** False if the store did not answer. MUST NOT reject. */
  compare: (room: string) => Promise<boolean>;
  /** Called when a room's turn comes. */
  relax: (room: string) => void;
}

export class HeadAudit {
  readonly #options: HeadAuditOptions;
  /** Rooms that may have missed entries. */
  readonly #pending = new Set<string>();
  #running = false;
  #queue: string[] = [];
  #leaveTicker: (() => void) | undefined;

  constructor(options: HeadAuditOptions) {
    this.#options = options;
  }

  /** Compares these rooms, and again while the store does not answer. */
  compareSoon(rooms: Iterable<string>): void {
    for (const room of rooms) this.#pending.add(room);
    if (!this.#running) void this.#comparePending();
  }

  start(ticker: Ticker): void {
    this.#leaveTicker = ticker.join(AUDIT_TICK_MS, () => this.#auditSome());
  }

  stop(): void {
    this.#pending.clear();
    this.#leaveTicker?.();
  }

  #auditSome(): void {
    const { rooms, roomCount, auditPeriodMs, compare, relax } = this.#options;
    if (this.#queue.length === 0) this.#queue = [...rooms()];
    const share = Math.ceil((roomCount() * AUDIT_TICK_MS) / auditPeriodMs);
    for (const room of this.#queue.splice(0, Math.min(share, AUDITED_PER_SECOND_MAX))) {
      relax(room);
      void compare(room);
    }
  }

  async #comparePending(): Promise<void> {
    this.#running = true;
    while (this.#pending.size > 0) {
      const failed: string[] = [];
      while (this.#pending.size > 0) {
        const page = [...this.#pending].slice(0, COMPARED_AT_ONCE_MAX);
        for (const room of page) this.#pending.delete(room);
        const compared = await Promise.all(page.map(this.#options.compare));
        failed.push(...page.filter((_, index) => !compared[index]));
      }
      if (failed.length === 0) continue;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      const open = new Set(this.#options.rooms());
      for (const room of failed) if (open.has(room)) this.#pending.add(room);
    }
    this.#running = false;
  }
}
