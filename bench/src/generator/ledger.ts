/**
 * Every delivery that must happen, by client and by (room, number): what is missing, what came twice, and what nobody should have got.
 * Pure.
 */

const CHUNK_BITS = 8_192;

/** What one client has received, of one room. */
export class Receipts {
  #bits = new Uint32Array(CHUNK_BITS / 32);
  received = 0;
  doubled = 0;

  /** Counts one delivery; false where it came before. */
  take(number: number): boolean {
    const word = number >>> 5;
    if (word >= this.#bits.length) {
      const grown = new Uint32Array(Math.max(this.#bits.length * 2, word + 1));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    const bit = 1 << (number & 31);
    const old = this.#bits[word] as number;
    if ((old & bit) !== 0) {
      this.doubled++;
      return false;
    }
    this.#bits[word] = old | bit;
    this.received++;
    return true;
  }
}

export interface Verdict {
  /** Deliveries that had to happen: each stored message to each member. */
  expected: number;
  received: number;
  missing: number;
  doubled: number;
  /** Deliveries of a room that the client is not in, or of a message that nobody sent. */
  strays: number;
  /** Sends that were refused or never answered. */
  unacknowledged: number;
  /** Connections that ended by themselves. */
  lostConnections: number;
}

/** Why no figure of this run counts; empty where all was exact. */
export function whyVoid(verdict: Verdict): string[] {
  const reasons: string[] = [];
  const say = (count: number, what: string) => {
    if (count > 0) reasons.push(`${count} ${what}`);
  };
  say(verdict.missing, 'deliveries missing');
  say(verdict.doubled, 'deliveries doubled');
  say(verdict.strays, 'stray deliveries');
  say(verdict.unacknowledged, 'sends not acknowledged');
  say(verdict.lostConnections, 'connections lost');
  if (verdict.expected === 0) reasons.push('nothing was sent');
  return reasons;
}
