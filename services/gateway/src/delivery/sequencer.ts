/**
 * Orders the entries of one room on one node. A pure state machine: it takes announcements and
 * reads of the log in any order, doubled or with losses, and delivers every `seq` once, in order.
 *
 * It does not know sockets, Redis or time. The caller MUST carry out the effects in the given
 * order, and MUST answer every `backfill` with exactly one `backfilled` or `backfillFailed`.
 */
import { epochNumber } from '../log/entry-codec.ts';

/** An entry ready for sockets. The sequencer uses only its position. */
export interface SequencedEntry {
  seq: number;
  epoch: string;
}

export type SequencerEvent<E extends SequencedEntry> =
  | { type: 'announced'; entry: E }
  /** A read of the room's state, or the announcement of a new epoch (then `head` is its base). */
  | { type: 'observed'; epoch: string; base: number; head: number }
  | { type: 'backfilled'; epoch: string; base: number; head: number; first: number; entries: E[] }
  | { type: 'backfillFailed' }
  /** The entry with this `seq`, announced or not, deletes the text of an earlier one. */
  | { type: 'erased'; epoch: string; seq: number };

export type SequencerEffect<E extends SequencedEntry> =
  | { type: 'deliver'; entry: E }
  | { type: 'backfill'; after: number }
  /** The same after a pause: an announced entry is not in the log yet, or never will be. */
  | { type: 'backfillLater'; after: number }
  /** Announce to every member that a new epoch began, and up to which `seq` entries survived. */
  | { type: 'newEpoch'; epoch: string; head: number }
  /** The gap can no longer be read. Members have to resume. */
  | { type: 'lost'; upTo: number };

/** Entries held behind a gap. Further ones are dropped, because the backfill reads them. */
const HELD_MAX = 512;
const FRUITLESS_BACKFILLS_MAX = 3;
/** Consecutive backfills that are dropped because they were made before a deletion. */
const STALE_BACKFILLS_MAX = 3;

export class Sequencer<E extends SequencedEntry> {
  epoch: string;
  /** All entries up to and including this `seq` were delivered. */
  delivered: number;
  /** Announced entries behind a gap, by seq. */
  readonly held = new Map<number, E>();
  backfilling = false;
  /** Consecutive backfills that delivered nothing although entries were announced. */
  #fruitless = 0;
  /** The newest deletion of this epoch that is behind a gap; 0 for none. */
  #erased = 0;
  #stale = 0;

  constructor(start: { epoch: string; head: number }) {
    this.epoch = start.epoch;
    this.delivered = start.head;
  }

  step(event: SequencerEvent<E>): Array<SequencerEffect<E>> {
    const effects: Array<SequencerEffect<E>> = [];
    switch (event.type) {
      case 'announced':
        this.#announced(event.entry, effects);
        break;
      case 'observed':
        if (this.#enterEpoch(event, effects) && event.head > this.delivered) this.#backfill(effects);
        break;
      case 'backfilled':
        this.backfilling = false;
        if (!this.#enterEpoch(event, effects)) break;
        if (this.#isStale(event.head)) this.#backfill(effects);
        else this.#backfilled(event, effects);
        break;
      case 'erased':
        this.#erase(event);
        break;
      case 'backfillFailed':
        this.backfilling = false;
        break;
    }
    return effects;
  }

  /** Requests the gap again after a failed backfill. */
  retry(): Array<SequencerEffect<E>> {
    const effects: Array<SequencerEffect<E>> = [];
    this.#backfill(effects);
    return effects;
  }

  #announced(entry: E, effects: Array<SequencerEffect<E>>): void {
    if (entry.epoch !== this.epoch) {
      // An entry of an earlier epoch is late. For a later epoch the base is needed, which a read
      // gives.
      if (epochNumber(entry.epoch) >= epochNumber(this.epoch)) this.#backfill(effects);
      return;
    }
    if (entry.seq <= this.delivered) return;
    if (entry.seq === this.delivered + 1) {
      this.#deliver(entry, effects);
      this.#deliverHeld(effects);
      return;
    }
    if (this.held.size < HELD_MAX) this.held.set(entry.seq, entry);
    this.#backfill(effects);
  }

  /**
   * If the deleted message is behind a gap, its text must not be delivered any more. So the entries
   * before the deletion are read again: then they have no text.
   */
  #erase({ epoch, seq }: { epoch: string; seq: number }): void {
    if (epoch !== this.epoch || seq <= this.delivered) return;
    this.#erased = Math.max(this.#erased, seq);
    for (const held of this.held.keys()) if (held < seq) this.held.delete(held);
  }

  #isStale(head: number): boolean {
    if (head < this.#erased && this.#stale++ < STALE_BACKFILLS_MAX) return true;
    // A deletion that reads do not find is forged, or of an epoch that is gone.
    this.#erased = 0;
    this.#stale = 0;
    return false;
  }

  #backfilled(event: Extract<SequencerEvent<E>, { type: 'backfilled' }>, effects: Array<SequencerEffect<E>>): void {
    const before = this.delivered;
    if (event.first > this.delivered + 1) {
      this.delivered = event.first - 1;
      effects.push({ type: 'lost', upTo: this.delivered });
    }
    for (const entry of event.entries) if (entry.seq === this.delivered + 1) this.#deliver(entry, effects);
    this.#deliverHeld(effects);
    if (this.delivered > before) this.#fruitless = 0;
    else if (this.held.size > 0 && ++this.#fruitless > FRUITLESS_BACKFILLS_MAX) {
      // Announced, but repeated reads do not find it: forged, or of an epoch that is gone.
      this.held.clear();
      this.#fruitless = 0;
    }
    if (event.head > this.delivered && this.delivered > before) this.#backfill(effects);
    else if (this.held.size > 0 || event.head > this.delivered) {
      this.backfilling = true;
      effects.push({ type: 'backfillLater', after: this.delivered });
    }
  }

  /**
   * Follows the log into a later epoch. False if the read is of an earlier epoch than the current
   * one.
   */
  #enterEpoch(read: { epoch: string; base: number }, effects: Array<SequencerEffect<E>>): boolean {
    if (read.epoch === this.epoch) return true;
    if (epochNumber(read.epoch) < epochNumber(this.epoch)) return false;
    // This node missed an epoch in between. What survived it is unknown, so members have to resume.
    if (epochNumber(read.epoch) > epochNumber(this.epoch) + 1) effects.push({ type: 'lost', upTo: read.base });
    this.epoch = read.epoch;
    this.delivered = Math.min(this.delivered, read.base);
    this.held.clear();
    this.#erased = 0;
    effects.push({ type: 'newEpoch', epoch: read.epoch, head: read.base });
    return true;
  }

  #deliver(entry: E, effects: Array<SequencerEffect<E>>): void {
    this.delivered = entry.seq;
    effects.push({ type: 'deliver', entry });
  }

  #deliverHeld(effects: Array<SequencerEffect<E>>): void {
    for (let next = this.held.get(this.delivered + 1); next !== undefined; next = this.held.get(this.delivered + 1)) {
      this.held.delete(next.seq);
      this.#deliver(next, effects);
    }
    if (this.held.size > 0) for (const seq of this.held.keys()) if (seq <= this.delivered) this.held.delete(seq);
  }

  #backfill(effects: Array<SequencerEffect<E>>): void {
    if (this.backfilling) return;
    this.backfilling = true;
    effects.push({ type: 'backfill', after: this.delivered });
  }
}
