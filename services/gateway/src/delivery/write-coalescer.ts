/**
 * Decides when the entries of a room are written. A single entry is written at the end of its event
 * loop turn. A room is hot if several entries arrive in one turn, or one within `HOT_WAIT_MS` of
 * the last write. Entries of a hot room wait briefly for others, so that each socket gets one write
 * for many entries.
 */

/** The longest time that an entry waits for others after a write. */
const HOT_WAIT_MS = 4;
/**
 * Entries of one turn wait for the rest of a burst from other gateways. About one disk flush of
 * Redis.
 */
const BURST_WAIT_MS = 2;
/** Larger writes are not coalesced further: a transport that is stuck keeps them in memory. */
const COALESCED_CHARS_MAX = 65_536;

export class WriteCoalescer {
  readonly #write: (packets: string[]) => void;
  readonly #now: () => number;
  #packets: string[] = [];
  #chars = 0;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** `write` receives the packets in order, at least one. */
  constructor(write: (packets: string[]) => void, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  push(packet: string): void {
    this.#chars += packet.length;
    if (this.#packets.push(packet) === 1) this.#schedule();
    if (this.#chars > COALESCED_CHARS_MAX) this.flush();
  }

  /** Writes waiting packets now. Call this before sending anything that must come after them. */
  flush(): void {
    if (this.#packets.length === 0) return;
    const packets = this.#packets;
    this.clear();
    this.#writtenAtMs = this.#now();
    this.#write(packets);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#packets = [];
    this.#chars = 0;
  }

  #schedule(): void {
    const waitMs = this.#writtenAtMs + HOT_WAIT_MS - this.#now();
    if (waitMs > 0) this.#timer = setTimeout(() => this.flush(), waitMs);
    else process.nextTick(() => this.#endTurn());
  }

  /** If `flush` ran in this turn, nothing is left, or only packets that came after it. */
  #endTurn(): void {
    if (this.#packets.length < 2) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BURST_WAIT_MS);
  }
}
