/**
 * When the entries of a room are written. One that comes alone is written at the end of its turn of the event loop. A room in which several come in
 * one turn, or one within `HOT_JOIN_MS` of the last write, is hot: what comes then waits a little for others, so that a socket is written to
 * once for many entries.
 */

/** The longest that an entry waits for others after a write. */
const HOT_JOIN_MS = 4;
/** Several that came in one turn wait so long for those of the same burst that other gateways append: a flush of the store's disk, about. */
const BURST_JOIN_MS = 2;
/** So much is not joined further: a write that a stuck transport does not take is memory. */
const JOINED_CHARS_MAX = 65_536;

export class WriteCoalescer {
  readonly #write: (packets: string[]) => void;
  readonly #now: () => number;
  #packets: string[] = [];
  #chars = 0;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** `write` is given what is joined, in order, and never nothing. */
  constructor(write: (packets: string[]) => void, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  push(packet: string): void {
    this.#chars += packet.length;
    if (this.#packets.push(packet) === 1) this.#schedule();
    if (this.#chars > JOINED_CHARS_MAX) this.flush();
  }

  /** Writes what waits, at once: before anything that must come after it. */
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
    const coolInMs = this.#writtenAtMs + HOT_JOIN_MS - this.#now();
    if (coolInMs > 0) this.#timer = setTimeout(() => this.flush(), coolInMs);
    else process.nextTick(() => this.#endTurn());
  }

  /** What has been flushed by then is not written twice: there is nothing left, or something later of the same turn. */
  #endTurn(): void {
    if (this.#packets.length < 2) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BURST_JOIN_MS);
  }
}
