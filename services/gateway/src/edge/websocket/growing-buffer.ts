const LEAST_BYTES = 256;

/**
 * Bytes that come in pieces. Its memory is at most twice what it holds, or `LEAST_BYTES`, however small the pieces are, and each byte is copied a bounded
 * number of times. Memory of its own (`Slow`): a slice of Node.js' pool would keep all of that alive.
 */
export class GrowingBuffer {
  #space: Buffer;
  #length = 0;

  constructor(first: Buffer) {
    this.#space = Buffer.allocUnsafeSlow(Math.max(LEAST_BYTES, first.length));
    this.append(first);
  }

  get length(): number {
    return this.#length;
  }

  append(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#space.length) {
      const space = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#space.length));
      this.#space.copy(space, 0, 0, this.#length);
      this.#space = space;
    }
    piece.copy(this.#space, this.#length);
    this.#length = length;
  }

  /** What it holds; not to be used after the next `append`. */
  bytes(): Buffer {
    return this.#space.subarray(0, this.#length);
  }
}
