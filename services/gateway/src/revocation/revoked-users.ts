/**
 * Whose tokens are dead, and until which time of issue. Pure. A revocation is never taken back: a
 * user comes back with a token that was issued later.
 */

/** What a token says about its validity. */
export interface TokenOf {
  userId: string;
  /** Seconds since 1970; undefined if the token does not say it. */
  issuedAtS: number | undefined;
}

export class RevokedUsers {
  readonly #max: number;
  /** User id → milliseconds of the store's clock, in the order in which they were added. */
  readonly #atMs = new Map<string, number>();

  constructor(options: { max: number }) {
    this.#max = options.max;
  }

  get size(): number {
    return this.#atMs.size;
  }

  /** Keeps the latest revocation of each user. Above the maximum, it forgets the oldest one. */
  add(userId: string, atMs: number): void {
    if (this.#atMs.has(userId) && (this.#atMs.get(userId) ?? 0) >= atMs) return;
    this.#atMs.delete(userId);
    this.#atMs.set(userId, atMs);
    if (this.#atMs.size <= this.#max) return;
    for (const oldest of this.#atMs.keys()) {
      this.#atMs.delete(oldest);
      return;
    }
  }

  /** When the user was revoked last; undefined if never. */
  at(userId: string): number | undefined {
    return this.#atMs.get(userId);
  }

  /**
   * A token is dead if it was issued before the revocation, or in the same second. A token that
   * does not say when it was issued is dead, too.
   */
  isRevoked({ userId, issuedAtS }: TokenOf): boolean {
    const atMs = this.#atMs.get(userId);
    return atMs !== undefined && (issuedAtS === undefined || issuedAtS * 1_000 <= atMs);
  }
}
