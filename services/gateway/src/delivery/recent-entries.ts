/**
 * The newest entries that a feed gave out, without a hole, up to the last one. One who joins a busy room need not read again what
 * passed meanwhile, and of many who come back after a node died only the first reads what all of them missed.
 *
 * Few are kept as a rule; after a resume, as many as a resume may need, while the node's budget for that lasts.
 */
import { LIMITS } from '@maru/protocol';

export interface RecentEntry {
  seq: number;
  epoch: string;
  /** The encoded packet. */
  packet: string;
}

interface Bound {
  entries: number;
  chars: number;
}

const SMALL: Bound = { entries: 32, chars: 8_192 };
/** The packets of a hole are longer than what the bound of a hole counts, by their envelope. */
const LARGE: Bound = { entries: LIMITS.resumeEntriesMax, chars: 2 * LIMITS.resumeBytesMax };

/** Clients of a node that died are back within their jitter; they find what the first of them read for so long. */
const WIDE_MS = 60_000;

/** What all rooms of a node together may keep beyond the few. */
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
  #wideUntilMs = 0;

  constructor(budget: RecentBudget) {
    this.#budget = budget;
  }

  push(entry: RecentEntry): void {
    // A gap would make the run a lie; whatever came before it is of no use any more.
    if (this.#entries.length > 0 && this.last + 1 !== entry.seq) this.clear();
    this.#entries.push(entry);
    this.#count(entry.packet.length);
    this.#trim();
  }

  /** Puts older entries before those that are here, as far as they join up and there is room for all. */
  prepend(older: RecentEntry[], nowMs: number): void {
    this.#widen(nowMs);
    const first = this.#entries[0]?.seq;
    const joining = first === undefined ? older : older.filter(({ seq }) => seq < first);
    if (joining.length === 0 || (first !== undefined && joining.at(-1)?.seq !== first - 1)) return;
    const chars = joining.reduce((sum, { packet }) => sum + packet.length, 0);
    if (this.#entries.length + joining.length > this.#bound.entries || this.#chars + chars > this.#bound.chars) return;
    this.#entries = [...joining, ...this.#entries];
    this.#count(chars);
  }

  /** All entries after `seq`, in order, or undefined where the first of them is not here. */
  after(seq: number): RecentEntry[] | undefined {
    const first = this.#entries[0]?.seq;
    if (first === undefined || seq < first - 1 || seq > this.last) return undefined;
    return this.#entries.slice(seq - first + 1);
  }

  /** Called from time to time: what no resume has needed for a while goes. */
  relax(nowMs: number): void {
    if (this.#bound === SMALL || nowMs < this.#wideUntilMs) return;
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

  #widen(nowMs: number): void {
    if (this.#bound === SMALL && !this.#budget.available()) return;
    this.#bound = LARGE;
    this.#wideUntilMs = nowMs + WIDE_MS;
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
