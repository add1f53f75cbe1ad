/**
 * Texts that survive a reload. The host stores each as one string, for example in `localStorage` or
 * in a file.
 */
import { type ClientLogger, describeError } from './logger.ts';

/**
 * The storage of one such string, which contains texts of the user. The host MUST use a separate
 * place for each user, so that texts of one user are not shown or sent as another. Clients that run
 * at the same time MUST NOT share a place, because the last one to save would win.
 */
export interface KeptText {
  load(): string | null;
  /** @throws if it cannot be stored, for example because the device is full */
  save(value: string): void;
  /**
   * Calls `take` with each string that an ended client of the same user left elsewhere, now or
   * later. True: the string is now part of this storage, so the other place can be emptied. Returns
   * a function that stops watching.
   */
  watchLeft?(take: (value: string) => boolean): () => void;
}

/** The version of every format below. A string of another version is ignored and left as it is. */
export const KEPT_VERSION = 1;

export interface KeptItems {
  load(): unknown[];
  /** Returns false if the storage refused the items. */
  save(items: readonly unknown[]): boolean;
  /** Like `KeptText.watchLeft`. */
  watchLeft(take: (items: unknown[]) => boolean): () => void;
}

const NOWHERE: KeptItems = { load: () => [], save: () => true, watchLeft: () => () => {} };

export interface KeptOptions {
  place: KeptText | null;
  /** For logs: the kind of stored text. */
  what: string;
  logger: ClientLogger;
}

export const keptItems = ({ place, ...options }: KeptOptions): KeptItems =>
  place === null ? NOWHERE : new PlacedItems({ place, ...options });

class PlacedItems implements KeptItems {
  readonly #place: KeptText;
  readonly #what: string;
  readonly #logger: ClientLogger;
  /** The stored string was written by another version of the program, and is not replaced. */
  #isForeign = false;
  #saved: string | null = null;

  constructor({ place, what, logger }: KeptOptions & { place: KeptText }) {
    this.#place = place;
    this.#what = what;
    this.#logger = logger;
  }

  load(): unknown[] {
    const stored = this.#read(() => this.#place.load());
    this.#isForeign = stored === 'foreign';
    return stored === 'foreign' ? [] : stored;
  }

  save(items: readonly unknown[]): boolean {
    if (this.#isForeign) return true;
    const value = JSON.stringify({ v: KEPT_VERSION, items });
    if (value === this.#saved) return true;
    try {
      this.#place.save(value);
    } catch (error) {
      this.#logger.warn(`${this.#what}: could not be stored`, { error: describeError(error) });
      return false;
    }
    this.#saved = value;
    return true;
  }

  watchLeft(take: (items: unknown[]) => boolean): () => void {
    const stop = this.#place.watchLeft?.((value) => {
      const stored = this.#read(() => value);
      return stored !== 'foreign' && !this.#isForeign && take(stored);
    });
    return stop ?? (() => {});
  }

  #read(load: () => string | null): unknown[] | 'foreign' {
    try {
      const value = load();
      const stored = (value === null ? null : JSON.parse(value)) as { v?: unknown; items?: unknown } | null;
      if (stored === null) return [];
      if (stored.v === KEPT_VERSION && Array.isArray(stored.items)) return stored.items;
      this.#logger.warn(`${this.#what}: stored by another version; left unchanged`, { version: String(stored.v) });
      return 'foreign';
    } catch (error) {
      this.#logger.warn(`${this.#what}: cannot be read; it is lost`, { error: describeError(error) });
      return [];
    }
  }
}
