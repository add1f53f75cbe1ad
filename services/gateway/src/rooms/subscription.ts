/** A connection's presence in a room's live delivery. */
export class Subscription {
  #attached: Promise<void> | undefined;
  #resolve: ((attached: Promise<void>) => void) | undefined;

  /**
   * Resolves when live delivery has begun. The promise is created on demand, because few callers
   * need it.
   */
  get attached(): Promise<void> {
    this.#attached ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#attached;
  }

  /** Live delivery is starting. */
  attach(attached: Promise<void>): void {
    this.#resolve?.(attached);
    this.#resolve = undefined;
    this.#attached = attached;
  }
}
