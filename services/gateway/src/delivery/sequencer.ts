/**
 * The order of one room on one node: a pure state machine. It takes what the live channel announced and what was read from
 * the log, in whatever order, doubled or with losses, and says what to deliver: every `seq` once, in order.
 *
 * It does not know sockets, Redis or time. The caller carries out each effect in the order given, and answers
 * every `fill` with exactly one `filled` or `fillFailed`.
 */
import { epochNumber } from '../log/seen-positions.ts';

/** An entry ready for sockets; what it holds is not this module's matter. */
export interface SequencedEntry {
  seq: number;
  epoch: string;
}

export type SequencerEvent<E extends SequencedEntry> =
  | { type: 'announced'; entry: E }
  /** Any look at the log, also the announcement of a new epoch (`head` is then its base). */
  | { type: 'observed'; epoch: string; base: number; head: number }
  | { type: 'filled'; epoch: string; base: number; head: number; first: number; entries: E[] }
  | { type: 'fillFailed' };

export type SequencerEffect<E extends SequencedEntry> =
  | { type: 'deliver'; entry: E }
  | { type: 'fill'; after: number }
  /** The same after a pause: what was announced is not in the log yet, or never will be. */
  | { type: 'fillLater'; after: number }
  /** Tell every member that a new life of the log began, with what survived. */
  | { type: 'newEpoch'; epoch: string; head: number }
  /** A hole that can no longer be read: members have to resume, and will be told. */
  | { type: 'lost'; upTo: number };

/** Entries held ahead of a hole. More are dropped: the fill brings them. */
const HELD_MAX = 512;
const FRUITLESS_FILLS_MAX = 3;

export class Sequencer<E extends SequencedEntry> {
  epoch: string;
  /** All up to and including this `seq` was given out. */
  delivered: number;
  /** Announced ahead of a hole, by seq. */
  readonly held = new Map<number, E>();
  filling = false;
  /** Fills in a row that brought nothing although more was announced. */
  #fruitless = 0;

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
        if (this.#enter(event, effects) && event.head > this.delivered) this.#fill(effects);
        break;
      case 'filled':
        this.filling = false;
        if (!this.#enter(event, effects)) break;
        this.#filled(event, effects);
        break;
      case 'fillFailed':
        this.filling = false;
        break;
    }
    return effects;
  }

  /** Asks for the hole again, after a failed fill. */
  retry(): Array<SequencerEffect<E>> {
    const effects: Array<SequencerEffect<E>> = [];
    this.#fill(effects);
    return effects;
  }

  #announced(entry: E, effects: Array<SequencerEffect<E>>): void {
    if (entry.epoch !== this.epoch) {
      // Entries of an older life are late; those of a newer one need its base, which a read tells.
      if (epochNumber(entry.epoch) >= epochNumber(this.epoch)) this.#fill(effects);
      return;
    }
    if (entry.seq <= this.delivered) return;
    if (entry.seq === this.delivered + 1) {
      this.#deliver(entry, effects);
      this.#drainHeld(effects);
      return;
    }
    if (this.held.size < HELD_MAX) this.held.set(entry.seq, entry);
    this.#fill(effects);
  }

  #filled(event: Extract<SequencerEvent<E>, { type: 'filled' }>, effects: Array<SequencerEffect<E>>): void {
    const before = this.delivered;
    if (event.first > this.delivered + 1) {
      this.delivered = event.first - 1;
      effects.push({ type: 'lost', upTo: this.delivered });
    }
    for (const entry of event.entries) if (entry.seq === this.delivered + 1) this.#deliver(entry, effects);
    this.#drainHeld(effects);
    if (this.delivered > before) this.#fruitless = 0;
    else if (this.held.size > 0 && ++this.#fruitless > FRUITLESS_FILLS_MAX) {
      // Announced, but not in the log however often one looks: forged, or of a life that is gone.
      this.held.clear();
      this.#fruitless = 0;
    }
    if (event.head > this.delivered && this.delivered > before) this.#fill(effects);
    else if (this.held.size > 0 || event.head > this.delivered) {
      this.filling = true;
      effects.push({ type: 'fillLater', after: this.delivered });
    }
  }

  /** Follows the log into a newer life. False where the look is of an older one than this feed is in. */
  #enter(look: { epoch: string; base: number }, effects: Array<SequencerEffect<E>>): boolean {
    if (look.epoch === this.epoch) return true;
    if (epochNumber(look.epoch) < epochNumber(this.epoch)) return false;
    // A life that nobody here saw lies between: what survived it is unknown, so members have to ask.
    if (epochNumber(look.epoch) > epochNumber(this.epoch) + 1) effects.push({ type: 'lost', upTo: look.base });
    this.epoch = look.epoch;
    this.delivered = Math.min(this.delivered, look.base);
    this.held.clear();
    effects.push({ type: 'newEpoch', epoch: look.epoch, head: look.base });
    return true;
  }

  #deliver(entry: E, effects: Array<SequencerEffect<E>>): void {
    this.delivered = entry.seq;
    effects.push({ type: 'deliver', entry });
  }

  #drainHeld(effects: Array<SequencerEffect<E>>): void {
    for (let next = this.held.get(this.delivered + 1); next !== undefined; next = this.held.get(this.delivered + 1)) {
      this.held.delete(next.seq);
      this.#deliver(next, effects);
    }
    if (this.held.size > 0) for (const seq of this.held.keys()) if (seq <= this.delivered) this.held.delete(seq);
  }

  #fill(effects: Array<SequencerEffect<E>>): void {
    if (this.filling) return;
    this.filling = true;
    effects.push({ type: 'fill', after: this.delivered });
  }
}
