/** Announced entries that wait for the first read of their room. */
import type { RecentEntry } from './recent-entries.ts';

const EARLY_MAX = 256;

export class EarlyEntries {
  #entries: RecentEntry[] = [];

  /** Keeps the newest. The sequencer sees the gap before them and reads it. */
  push(entry: RecentEntry): void {
    if (this.#entries.push(entry) > EARLY_MAX) this.#entries.shift();
  }

  /** Forgets the entries up to `seq`. */
  dropUpTo(seq: number): void {
    this.#entries = this.#entries.filter((entry) => entry.seq > seq);
  }

  take(): RecentEntry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }
}
