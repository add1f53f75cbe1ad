/**
 * Reference counts of the open parts of a room. The first holder opens a part, the last one closes
 * it.
 */
export class OpenParts {
  readonly #holders = new Map<number | 'pins', number>();

  /** Returns a function that closes the part. Further calls of it do nothing. */
  open(part: number | 'pins', { first, last }: { first: () => void; last: () => void }): () => void {
    const before = this.#holders.get(part) ?? 0;
    this.#holders.set(part, before + 1);
    if (before === 0) first();
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const others = (this.#holders.get(part) ?? 1) - 1;
      this.#holders.set(part, others);
      if (others === 0) last();
    };
  }
}
