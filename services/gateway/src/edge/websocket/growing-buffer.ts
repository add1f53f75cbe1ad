const BYTES_MIN = 256;

/**
 * Collects chunks of bytes. It allocates at most twice what it holds, or `BYTES_MIN`, for chunks of
 * any size, and copies each byte a bounded number of times. It uses `allocUnsafeSlow`, because a
 * slice of Node's buffer pool would keep the whole pool alive.
 */
export class GrowingBuffer {
  #space: Buffer;
  #length = 0;

  constructor(first: Buffer) {
    this.#space = Buffer.allocUnsafeSlow(Math.max(BYTES_MIN, first.length));
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

  /** The collected bytes. Invalid after the next `append`. */
  bytes(): Buffer {
    return this.#space.subarray(0, this.#length);
  }
}
