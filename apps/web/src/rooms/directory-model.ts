/** Reads the list of all public rooms page by page: on request, or to its end for a search. */
import type { Scheduler } from '@maru/client';
import type { HttpResult, ListedRoom, RoomsPage } from '@maru/client/http';
import { createStore, type Store } from '../model/store.ts';

/** The largest page that the server returns. */
export const PAGE_ROOMS = 200;
/** Maximum rooms to read for a search. */
export const ROOMS_MAX = 5_000;
/** Wait after a page that the server refused temporarily, if it does not say how long to wait. */
const PAUSE_MS = 1_000;

export interface DirectoryView {
  /** Ordered by id. */
  rooms: readonly ListedRoom[];
  /** `full`: more rooms exist than this list holds. */
  state: 'reading' | 'more' | 'complete' | 'full' | 'failed';
}

export interface DirectoryOptions {
  list: (page: { cursor?: string; limit: number }) => Promise<HttpResult<RoomsPage>>;
  scheduler: Scheduler;
}

export class Directory {
  readonly #options: DirectoryOptions;
  readonly #store: Store<DirectoryView>;
  #cursor: string | undefined;
  #readsOn = false;
  #isReading = false;
  #isClosed = false;
  #cancelPause = () => {};

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#store = createStore<DirectoryView>({ rooms: [], state: 'more' }, options.scheduler);
    this.more();
  }

  readonly get = (): DirectoryView => this.#store.get();

  readonly subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);

  /** Reads the next page, also after a failure. */
  readonly more = (): void => {
    const { state } = this.get();
    if (this.#isReading || (state !== 'more' && state !== 'failed')) return;
    void this.#read();
  };

  /** Starts or stops reading to the end, for a search. */
  readonly readOn = (isWanted: boolean): void => {
    this.#readsOn = isWanted;
    if (isWanted && this.get().state === 'more') this.more();
  };

  close(): void {
    this.#isClosed = true;
    this.#cancelPause();
    this.#store.close();
  }

  async #read(): Promise<void> {
    const { rooms } = this.get();
    this.#isReading = true;
    this.#store.set({ rooms, state: 'reading' });
    const cursor = this.#cursor;
    const page = await this.#options.list({ limit: PAGE_ROOMS, ...(cursor === undefined ? {} : { cursor }) });
    this.#isReading = false;
    if (this.#isClosed) return;
    if (!page.ok) {
      const { code, retryAfterMs = PAUSE_MS } = page.error;
      if (code !== 'rate_limited') this.#store.set({ rooms, state: 'failed' });
      else this.#cancelPause = this.#options.scheduler.after(retryAfterMs, () => void this.#read());
      return;
    }
    this.#cursor = page.data.cursor;
    const all = [...rooms, ...page.data.rooms];
    const isFull = all.length >= ROOMS_MAX;
    this.#store.set({ rooms: all, state: this.#cursor === undefined ? 'complete' : isFull ? 'full' : 'more' });
    if (this.#readsOn) this.more();
  }
}
