/**
 * The newest entries that a feed gave out, so that one who joins a busy room need not read again what passed while it was
 * reading. Bounded in entries and in characters.
 */
export interface RecentEntry {
  seq: number;
  epoch: string;
  frame: string;
}

const ENTRIES_MAX = 32;
const CHARS_MAX = 32_768;

export class RecentEntries {
  #entries: RecentEntry[] = [];
  #chars = 0;

  push(entry: RecentEntry): void {
    this.#entries.push(entry);
    this.#chars += entry.frame.length;
    while (this.#entries.length > ENTRIES_MAX || this.#chars > CHARS_MAX) {
      this.#chars -= (this.#entries.shift() as RecentEntry).frame.length;
    }
  }

  clear(): void {
    this.#entries = [];
    this.#chars = 0;
  }

  /** All entries after `seq`, or undefined where the first of them is no longer here. */
  after(seq: number): RecentEntry[] | undefined {
    const index = this.#entries.findIndex((entry) => entry.seq === seq + 1);
    return index < 0 ? undefined : this.#entries.slice(index);
  }
}
