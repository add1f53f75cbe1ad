/**
 * The public keys of the identity provider. They are fetched when a token needs them, one fetch at
 * a time. A wrong answer of the provider (none, an error, a page instead of JSON, an empty set)
 * changes nothing: known keys stay valid, and tokens with unknown keys are retried later.
 */
import {
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose';

/** Known keys are fetched again after this time, so that withdrawn keys become invalid. */
const REFRESH_MS = 10 * 60_000;
/** Minimum time between fetches of known keys while the provider fails. */
const REFRESH_RETRY_MS = 30_000;
/**
 * Minimum time between two fetches for unknown keys, because anyone can invent a key id. An earlier
 * token waits for the next fetch and shares it with all others. So a new key works within this time
 * plus one fetch. That is less than the 10 s that a client has to sign in.
 */
const COOL_DOWN_MS = 3_000;
const FETCH_TIMEOUT_MS = 3_000;
/**
 * A missing key may have been withdrawn, or the newer set may be incomplete. For this time its
 * tokens get a retryable refusal, afterwards a final one.
 */
const MISSING_MS = 10 * 60_000;

/**
 * The key of a token cannot be found now. This is temporary, so it must not cause a final refusal.
 */
export class KeysUnavailable extends Error {}

export const FETCH_OUTCOMES = ['ok', 'failed'] as const;
export type FetchOutcome = (typeof FETCH_OUTCOMES)[number];

export interface KeySetOptions {
  /** Locates the key set. Called before each fetch. */
  locate: () => Promise<URL> | URL;
  /** Known keys are valid for this time after the last successful fetch. */
  staleMaxMs: number;
  /** Milliseconds of a monotonic clock. */
  now: () => number;
  /** Called once for each fetch, with its error if it failed. */
  onFetch: (outcome: FetchOutcome, error?: unknown) => void;
  /** Tests use a shorter time. */
  coolDownMs?: number;
  fetchTimeoutMs?: number;
}

type Keys = ReturnType<typeof createLocalJWKSet>;

export class KeySet {
  readonly #options: KeySetOptions;
  #keys: Keys | undefined;
  #keyIds = new Set<string>();
  /** Key ids that earlier sets had and the current one does not, with the time since when. */
  readonly #missing = new Map<string, number>();
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  /** A fetch that has not started. */
  #next: Promise<void> | undefined;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /** Rejects with KeysUnavailable, or with jose's error if the token is not valid. */
  async verify(token: string, { kid }: ProtectedHeaderParameters, options: JWTVerifyOptions): Promise<JWTPayload> {
    try {
      return await verifyWith(await this.#known(), token, options);
    } catch (error) {
      // Without a key id, an invalid signature may mean that there is a new key.
      const isUnknownKey =
        error instanceof errors.JWKSNoMatchingKey ||
        (kid === undefined && error instanceof errors.JWSSignatureVerificationFailed);
      if (!isUnknownKey) throw error;
    }
    await this.#fetchNext();
    try {
      return await verifyWith(await this.#known(), token, options);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey && kid !== undefined && this.#isMissing(kid))
        throw new KeysUnavailable('the key is missing in the newest key set', { cause: error });
      throw error;
    }
  }

  async #known(): Promise<Keys> {
    const { now, staleMaxMs } = this.#options;
    const ageMs = now() - this.#fetchedAtMs;
    if (ageMs > staleMaxMs) this.#keys = undefined;
    // Without any keys, a fetch in flight is as good as a new one.
    if (this.#keys === undefined) await (this.#fetching ?? this.#fetchNext());
    else if (ageMs > REFRESH_MS && now() - this.#startedAtMs > REFRESH_RETRY_MS) this.#fetchNext().catch(() => {});
    if (this.#keys === undefined) throw new KeysUnavailable('there are no keys');
    return this.#keys;
  }

  #isMissing(kid: string): boolean {
    const sinceMs = this.#missing.get(kid);
    return sinceMs !== undefined && this.#options.now() - sinceMs < MISSING_MS;
  }

  /** Resolves after a successful fetch that starts from now on. Rejects with KeysUnavailable. */
  #fetchNext(): Promise<void> {
    this.#next ??= this.#waitForTurn().then(() => {
      this.#next = undefined;
      this.#fetching = this.#fetch().finally(() => {
        this.#fetching = undefined;
      });
      return this.#fetching;
    });
    return this.#next;
  }

  async #waitForTurn(): Promise<void> {
    await this.#fetching?.catch(() => {});
    const { now, coolDownMs = COOL_DOWN_MS } = this.#options;
    const waitMs = this.#startedAtMs + coolDownMs - now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }

  async #fetch(): Promise<void> {
    const { locate, now, onFetch, fetchTimeoutMs = FETCH_TIMEOUT_MS } = this.#options;
    this.#startedAtMs = now();
    try {
      const response = await fetch(await locate(), {
        headers: { accept: 'application/json, application/jwk-set+json' },
        redirect: 'error',
        signal: AbortSignal.timeout(fetchTimeoutMs),
      });
      if (response.status !== 200) throw new Error(`the key set was answered with status ${response.status}`);
      this.#replace((await response.json()) as JSONWebKeySet);
      this.#fetchedAtMs = now();
      onFetch('ok');
    } catch (error) {
      onFetch('failed', error);
      throw new KeysUnavailable('the key set cannot be fetched', { cause: error });
    }
  }

  #replace(set: JSONWebKeySet): void {
    const keys = createLocalJWKSet(set);
    if (set.keys.length === 0) throw new Error('the key set is empty');
    const keyIds = new Set(set.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid])));
    const nowMs = this.#options.now();
    for (const [kid, sinceMs] of this.#missing)
      if (keyIds.has(kid) || nowMs - sinceMs >= MISSING_MS) this.#missing.delete(kid);
    for (const kid of this.#keyIds) if (!keyIds.has(kid)) this.#missing.set(kid, nowMs);
    this.#keys = keys;
    this.#keyIds = keyIds;
  }
}

/** Tries each matching key, because a token without a key id may match several. */
async function verifyWith(keys: Keys, token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) {
      for await (const key of error) {
        try {
          return (await jwtVerify(token, key, options)).payload;
        } catch (mismatch) {
          if (!(mismatch instanceof errors.JWSSignatureVerificationFailed)) throw mismatch;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
    throw isAboutToken(error) ? error : new KeysUnavailable('a key cannot be used', { cause: error });
  }
}

/** All other errors are about the key, which is a mistake of the provider. */
function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JOSEError && !(error instanceof errors.JWKInvalid) && !(error instanceof errors.JWKSInvalid)
  );
}
