/** The checker: which expected deliveries are missing, duplicated or unexpected. Pure. */

const INITIAL_BITS = 8_192;

/** The messages that one client received in its room, as a bit for each message number. */
export class Receipts {
  #bits = new Uint32Array(INITIAL_BITS / 32);
  received = 0;
  duplicated = 0;

  /** Counts one delivery. False if it is a duplicate. */
  add(number: number): boolean {
    const word = number >>> 5;
    if (word >= this.#bits.length) {
      const grown = new Uint32Array(Math.max(this.#bits.length * 2, word + 1));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    const bit = 1 << (number & 31);
    const old = this.#bits[word] as number;
    if ((old & bit) !== 0) {
      this.duplicated++;
      return false;
    }
    this.#bits[word] = old | bit;
    this.received++;
    return true;
  }
}

export interface CheckResult {
  /** Each message must reach each member of its room once. */
  expected: number;
  received: number;
  missing: number;
  duplicated: number;
  /** Deliveries from another room, or of a message that was never sent. */
  unexpected: number;
  /** Sends that were refused or not answered. */
  unacknowledged: number;
  /** Connections that the bench did not close. */
  lostConnections: number;
}

/** Why the figures of a run do not count. Empty if they do. */
export function voidReasonsOf(result: CheckResult): string[] {
  const reasons: string[] = [];
  const add = (count: number, what: string) => {
    if (count > 0) reasons.push(`${count} ${what}`);
  };
  add(result.missing, 'deliveries missing');
  add(result.duplicated, 'deliveries duplicated');
  add(result.unexpected, 'deliveries unexpected');
  add(result.unacknowledged, 'sends not acknowledged');
  add(result.lostConnections, 'connections lost');
  if (result.expected === 0) reasons.push('nothing was sent');
  return reasons;
}
