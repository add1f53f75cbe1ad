/**
 * The newest delivered entries of a room, without a gap, as encoded packets. A member that joins a
 * busy room finds here what was delivered during its read. After a node died, many clients resume
 * from the same position: the first one reads the log, the others find its entries here.
 *
 * Usually a few entries are kept. After a resume the maximum of a resume is kept for a while,
 * within the node's budget.
 */
import { LIMITS } from '@maru/protocol';
import type { ActEffect } from '../log/entry-codec.ts';
import type { SequencedEntry } from './sequencer.ts';

export interface RecentEntry extends SequencedEntry {
  /** The encoded Socket.IO packet. */
  packet: string;
  /** Messages up to and including this entry. */
  n: number;
  /** Undefined for messages and most of their changes. */
  act: ActEffect | undefined;
}

interface Bound {
  entries: number;
  chars: number;
}

const SMALL: Bound = { entries: 32, chars: 8_192 };
/** Packets are longer than what a resume's limit counts, by their envelope. */
const LARGE: Bound = { entries: LIMITS.resumeEntriesMax, chars: 2 * LIMITS.resumeBytesMax };

/** Clients of a dead node reconnect within their jitter, which is shorter. */
const LARGE_FOR_MS = 60_000;

/** What all rooms of a node together may keep beyond the small bound. */
export interface RecentBudget {
  /** True while another room may keep more. */
  available(): boolean;
  change(chars: number): void;
}

export function createRecentBudget(charsMax: number): RecentBudget {
  let used = 0;
  return {
    available: () => used < charsMax,
    change(chars) {
      used += chars;
    },
  };
}

export class RecentEntries {
  readonly #budget: RecentBudget;
  #entries: RecentEntry[] = [];
  #chars = 0;
  #bound = SMALL;
  #largeUntilMs = 0;

  constructor(budget: RecentBudget) {
    this.#budget = budget;
  }

  push(entry: RecentEntry): void {
    // Entries before a gap would make `after` wrong.
    if (this.#entries.length > 0 && this.last + 1 !== entry.seq) this.clear();
    this.#entries.push(entry);
    this.#count(entry.packet.length);
    this.#trim();
  }

  /** Puts older entries before the kept ones if they are contiguous and all of them fit. */
  prepend(older: RecentEntry[], nowMs: number): void {
    this.#enlarge(nowMs);
    const first = this.#entries[0]?.seq;
    const contiguous = first === undefined ? older : older.filter(({ seq }) => seq < first);
    if (contiguous.length === 0 || (first !== undefined && contiguous.at(-1)?.seq !== first - 1)) return;
    const chars = contiguous.reduce((sum, { packet }) => sum + packet.length, 0);
    if (this.#entries.length + contiguous.length > this.#bound.entries) return;
    if (this.#chars + chars > this.#bound.chars) return;
    this.#entries = [...contiguous, ...this.#entries];
    this.#count(chars);
  }

  /** All entries after `seq`, in order; undefined if the first of them is not kept. */
  after(seq: number): RecentEntry[] | undefined {
    const first = this.#entries[0]?.seq;
    if (first === undefined || seq < first - 1 || seq > this.last) return undefined;
    return this.#entries.slice(seq - first + 1);
  }

  /** Call this periodically. Frees memory that no resume has needed for a while. */
  relax(nowMs: number): void {
    if (this.#bound === SMALL || nowMs < this.#largeUntilMs) return;
    this.#bound = SMALL;
    this.#trim();
  }

  clear(): void {
    this.#entries = [];
    this.#count(-this.#chars);
  }

  get last(): number {
    return this.#entries.at(-1)?.seq ?? 0;
  }

  #enlarge(nowMs: number): void {
    if (this.#bound === SMALL && !this.#budget.available()) return;
    this.#bound = LARGE;
    this.#largeUntilMs = nowMs + LARGE_FOR_MS;
  }

  #trim(): void {
    let surplus = 0;
    let chars = 0;
    while (this.#entries.length - surplus > this.#bound.entries || this.#chars - chars > this.#bound.chars) {
      chars += (this.#entries[surplus++] as RecentEntry).packet.length;
    }
    if (surplus === 0) return;
    this.#entries.splice(0, surplus);
    this.#count(-chars);
  }

  #count(chars: number): void {
    this.#chars += chars;
    this.#budget.change(chars);
  }
}
