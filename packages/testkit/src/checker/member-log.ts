/**
 * I2 for one member of one room: every `seq` after the head at its join, once, in order. Pure. Its
 * memory is bounded, so a run may take hours. It imports nothing from k6 or Node.
 */
import type { Entry, Position } from '@maru/protocol/events';
import { contentOf, wordsOf } from './content.ts';

export interface MemberLogOptions {
  /** From the answer to `room:join`: live entries begin at `head + 1`. */
  epoch: string;
  head: number;
  /** Number of the newest entries whose content is kept, for a comparison with the history. */
  entriesMax?: number;
}

export interface Violations {
  /** Number of seqs up to a head that never arrived. */
  missing: number;
  /** Entries that arrived again, and entries that the answer to the join included. */
  duplicated: number;
  /** Entries that came after an entry with a higher number. */
  outOfOrder: number;
  /** Entries of an unannounced epoch. */
  foreign: number;
}

/** The entry that arrived with a `seq`. `words`: undefined if they were erased. */
export interface ReceivedContent {
  content: string;
  words: string | undefined;
}

export type Arrival = 'in_order' | 'ahead' | 'late' | 'duplicate' | 'foreign';

/** Maximum gaps to keep. Beyond it, the oldest gaps count as missing permanently. */
const GAPS_MAX = 1_000;
const ENTRIES_MAX_DEFAULT = 10_000;

export class MemberLog {
  readonly #entriesMax: number;
  #epoch: string;
  /** Contents are known above this `seq`. */
  #floor: number;
  #last: number;
  #delivered = 0;
  #lostForGood = 0;
  #duplicated = 0;
  #outOfOrder = 0;
  #foreign = 0;
  /** Ranges of missing numbers, both ends included, ascending. */
  #gaps: Array<{ from: number; to: number }> = [];
  readonly #contents = new Map<number, ReceivedContent>();

  constructor({ epoch, head, entriesMax = ENTRIES_MAX_DEFAULT }: MemberLogOptions) {
    this.#entriesMax = entriesMax;
    this.#epoch = epoch;
    this.#floor = head;
    this.#last = head;
  }

  /** Records the next entry that arrived. */
  record(entry: Entry): Arrival {
    if (entry.epoch !== this.#epoch) {
      this.#foreign++;
      return 'foreign';
    }
    if (entry.seq > this.#last) {
      const inOrder = entry.seq === this.#last + 1;
      if (!inOrder) this.#openGap(this.#last + 1, entry.seq - 1);
      this.#last = entry.seq;
      this.#remember(entry);
      return inOrder ? 'in_order' : 'ahead';
    }
    if (this.#takeFromGap(entry.seq)) {
      this.#outOfOrder++;
      this.#remember(entry);
      return 'late';
    }
    this.#duplicated++;
    return 'duplicate';
  }

  /** The log was rolled back to `head` and continues from there: `room:event {type: "epoch"}`. */
  epochChanged(epoch: string, head: number): void {
    this.#epoch = epoch;
    // Entries up to `head` that this member has not received are still expected.
    this.#last = Math.min(this.#last, head);
    this.#floor = Math.min(this.#floor, head);
    this.#gaps = this.#gaps.filter((gap) => gap.to <= head);
    for (const seq of [...this.#contents.keys()]) if (seq > head) this.#contents.delete(seq);
  }

  /** A resume that was not `recovered`: entries up to `head` are not expected. */
  skipTo(epoch: string, head: number): void {
    this.#epoch = epoch;
    this.#last = head;
    this.#floor = head;
    this.#contents.clear();
  }

  /** The position to resume from. */
  position(): Position {
    return { epoch: this.#epoch, seq: this.#last };
  }

  delivered(): number {
    return this.#delivered;
  }

  /** Forgets the contents up to `seq`, after an audit. The counts stay. */
  forget(seq: number): void {
    for (const known of this.#contents.keys()) if (known <= seq) this.#contents.delete(known);
    this.#floor = Math.max(this.#floor, seq);
  }

  /** An audit of the history begins after this `seq`. */
  auditAfter(): number {
    return this.#floor;
  }

  /** The content that came with this `seq`; undefined if none came or it was forgotten. */
  received(seq: number): ReceivedContent | undefined {
    return this.#contents.get(seq);
  }

  /** The violations if `head` is the newest entry of the room. */
  violations(head: number): Violations {
    const inGaps = this.#gaps.reduce((sum, gap) => sum + gap.to - gap.from + 1, 0);
    return {
      missing: this.#lostForGood + inGaps + Math.max(0, head - this.#last),
      duplicated: this.#duplicated,
      outOfOrder: this.#outOfOrder,
      foreign: this.#foreign,
    };
  }

  #openGap(from: number, to: number): void {
    this.#gaps.push({ from, to });
    if (this.#gaps.length <= GAPS_MAX) return;
    const oldest = this.#gaps.shift();
    if (oldest !== undefined) this.#lostForGood += oldest.to - oldest.from + 1;
  }

  /** @returns false if the seq was in no gap */
  #takeFromGap(seq: number): boolean {
    const index = this.#gaps.findIndex((gap) => gap.from <= seq && seq <= gap.to);
    const gap = this.#gaps[index];
    if (gap === undefined) return false;
    const rest = [
      { from: gap.from, to: seq - 1 },
      { from: seq + 1, to: gap.to },
    ].filter(({ from, to }) => from <= to);
    this.#gaps.splice(index, 1, ...rest);
    return true;
  }

  #remember(entry: Entry): void {
    this.#delivered++;
    this.#contents.set(entry.seq, { content: contentOf(entry), words: wordsOf(entry) });
    if (this.#contents.size <= this.#entriesMax) return;
    for (const oldest of this.#contents.keys()) {
      this.#contents.delete(oldest);
      this.#floor = Math.max(this.#floor, oldest);
      break;
    }
  }
}
