/**
 * The users whose tokens were revoked, with the time. Pure. A revocation is never undone: the user
 * returns with a token that was issued later.
 */

/** The data of a token that decides about its revocation. */
export interface TokenOf {
  userId: string;
  /** Seconds since 1970. Undefined if the token does not contain it. */
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

  /** When the user was last revoked. Undefined if never. */
  at(userId: string): number | undefined {
    return this.#atMs.get(userId);
  }

  /**
   * A token is revoked if it was issued before the revocation or in the same second. A token
   * without a time of issue is revoked too.
   */
  isRevoked({ userId, issuedAtS }: TokenOf): boolean {
    const atMs = this.#atMs.get(userId);
    return atMs !== undefined && (issuedAtS === undefined || issuedAtS * 1_000 <= atMs);
  }
}
