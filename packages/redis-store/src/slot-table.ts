/** Which primary of a Redis Cluster owns which slot. Pure: time is an argument. */
import { parseHost } from './address.ts';
import { addressOf, hostOf } from './topology.ts';

export const SLOTS = 16_384;

/** A line of the answer to `CLUSTER SLOTS`. */
export type SlotRange = [
  first: number,
  last: number,
  primary: [host: string | null, port: number, ...unknown[]],
  ...unknown[],
];

/**
 * For this time, a redirection takes precedence over `CLUSTER SLOTS`. The node that we ask may
 * learn about the move later than the node that redirected us.
 */
const MOVED_HOLDS_MS = 2_000;

export class SlotTable {
  readonly #owners: Array<string | undefined> = Array.from({ length: SLOTS });
  readonly #moved = new Map<number, { address: string; untilMs: number }>();
  #primaries: ReadonlySet<string> = new Set();
  #isCovered = false;

  get primaries(): ReadonlySet<string> {
    return this.#primaries;
  }

  get isCovered(): boolean {
    return this.#isCovered;
  }

  ownerOf(slot: number): string | undefined {
    return this.#owners[slot];
  }

  /** Applies the answer of the node `askedHost`. Returns whether an owner changed. */
  update(ranges: SlotRange[], askedHost: string, now: number): boolean {
    const next: Array<string | undefined> = Array.from({ length: SLOTS });
    for (const [first, last, [host, port]] of ranges) {
      // An answer without a host means the node itself.
      next.fill(addressOf({ host: host || askedHost, port }), first, last + 1);
    }
    for (const [slot, { address, untilMs }] of this.#moved) {
      if (untilMs < now) this.#moved.delete(slot);
      else next[slot] = address;
    }
    let isChanged = false;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#owners[slot] === next[slot]) continue;
      this.#owners[slot] = next[slot];
      isChanged = true;
    }
    if (isChanged) this.#summarize();
    return isChanged;
  }

  /**
   * Applies a redirection by the node `from`. `address` may have no host. Returns whether the owner
   * changed.
   */
  move(slot: number, address: string, from: string, now: number): boolean {
    const target = parseHost(address.startsWith(':') ? hostOf(from).host + address : address, 0);
    if (target === undefined || !Number.isInteger(slot) || slot < 0 || slot >= SLOTS) return false;
    const owner = addressOf(target);
    this.#moved.set(slot, { address: owner, untilMs: now + MOVED_HOLDS_MS });
    if (this.#owners[slot] === owner) return false;
    this.#owners[slot] = owner;
    this.#summarize();
    return true;
  }

  #summarize(): void {
    this.#primaries = new Set(this.#owners.filter((owner) => owner !== undefined));
    this.#isCovered = this.#owners.every((owner) => owner !== undefined);
  }
}
