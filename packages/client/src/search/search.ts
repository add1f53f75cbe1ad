/**
 * Sends the query after a pause in typing, and holds the hits. Answers to earlier queries are
 * ignored.
 */
import { type ErrorBody, MaruError } from '@maru/protocol/errors';
import type { SearchData } from '@maru/protocol/events';
import { mayRetry } from '../backoff.ts';
import type { ChatClient } from '../chat-client.ts';
import { type Scheduler, systemScheduler } from '../scheduler.ts';
import { addHits, applyEntries, dropHits, HITS_MAX } from './hits.ts';
import type { Hit, Search, SearchQuery, SearchState, SearchView } from './types.ts';

/** How long a pause in typing must be. */
const TYPING_MS = 250;
/**
 * A page may be empty although more follow, because hits that the user may not read are omitted.
 */
const EMPTY_PAGES_MAX = 5;

export interface SearchOptions {
  client: Pick<ChatClient, 'on' | 'search' | 'features' | 'user'>;
  scheduler?: Scheduler;
}

export function createSearch({ client, scheduler = systemScheduler }: SearchOptions): Search {
  return new ArchiveSearch(client, scheduler);
}

/** Its methods are bound, so hosts can pass them on as functions. */
class ArchiveSearch implements Search {
  readonly #client: SearchOptions['client'];
  readonly #scheduler: Scheduler;
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: Array<() => void>;
  #query: SearchQuery = { text: '' };
  #state: SearchState = { kind: 'idle' };
  #hits: readonly Hit[] = [];
  #cursor: string | undefined;
  #more: SearchView['more'] = { isLoading: false, error: null };
  /** Identifies the current query. Answers and timers of earlier ones are ignored. */
  #current = {};
  #view: SearchView | null = null;

  constructor(client: SearchOptions['client'], scheduler: Scheduler) {
    this.#client = client;
    this.#scheduler = scheduler;
    this.#unsubscribe = [
      client.on('session', () => this.#onSession()),
      client.on('entries', ({ room, entries }) => this.#setHits(applyEntries(this.#hits, room, entries))),
      client.on('rollback', ({ room, head }) => this.#setHits(dropHits(this.#hits, room, head))),
      client.on('room', ({ room, status }) => {
        if (status === 'removed' || status === 'refused') this.#setHits(dropHits(this.#hits, room));
      }),
    ];
  }

  readonly get = (): SearchView => {
    this.#view ??= {
      query: this.#query,
      state: this.#isOff ? { kind: 'off' } : this.#state,
      hits: this.#hits,
      hasMore: this.#cursor !== undefined && this.#hits.length < HITS_MAX,
      isFull: this.#hits.length >= HITS_MAX,
      more: this.#more,
    };
    return this.#view;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly set = (change: Partial<SearchQuery>): void => {
    const before = this.#query;
    this.#query = { ...before, ...change };
    const isTyped = before.text.trim() !== this.#query.text.trim();
    if (JSON.stringify({ ...before, text: '' }) !== JSON.stringify({ ...this.#query, text: '' })) this.#begin(0);
    else if (isTyped) this.#begin(TYPING_MS);
    this.#changed();
  };

  readonly more = (): void => {
    if (this.#more.isLoading || !this.get().hasMore || this.#state.kind !== 'ready') return;
    this.#more = { isLoading: true, error: null };
    this.#changed();
    this.#ask(this.#cursor);
  };

  readonly retry = (): void => {
    if (this.#state.kind === 'failed') this.#begin(0);
    else if (this.#more.error !== null) this.more();
  };

  readonly close = (): void => {
    this.#current = {};
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#listeners.clear();
  };

  get #isOff(): boolean {
    return this.#client.user !== null && !this.#client.features.includes('archive');
  }

  #onSession(): void {
    if (this.#state.kind === 'failed' && mayRetry(this.#state.error)) this.#begin(0);
    this.#changed();
  }

  #begin(delayMs: number): void {
    const now = {};
    this.#current = now;
    this.#more = { isLoading: false, error: null };
    this.#cursor = undefined;
    if (this.#query.text.trim() === '') {
      this.#state = { kind: 'idle' };
      this.#hits = [];
    } else {
      this.#state = { kind: 'searching' };
      this.#later(delayMs, () => this.#ask(undefined));
    }
    this.#changed();
  }

  #later(delayMs: number, task: () => void): void {
    const now = this.#current;
    this.#scheduler.after(delayMs, () => {
      if (this.#current === now) task();
    });
  }

  #ask(cursor: string | undefined, emptyPages = 0): void {
    if (this.#isOff) return;
    const now = this.#current;
    this.#client.search({ ...requestOf(this.#query), ...(cursor === undefined ? {} : { cursor }) }).then(
      (data) => {
        if (this.#current === now) this.#onPage(data, cursor, emptyPages);
      },
      (reason: unknown) => {
        if (this.#current === now) this.#onError(reason, cursor);
      },
    );
  }

  #onPage(data: SearchData, asked: string | undefined, emptyPages: number): void {
    // The hits of the previous query stay until there are new ones.
    const hits = this.#state.kind === 'ready' ? this.#hits : [];
    const { messages, cursor } = data;
    const isSkipped = messages.length === 0 && cursor !== undefined && cursor !== asked;
    if (isSkipped && emptyPages < EMPTY_PAGES_MAX) {
      this.#ask(cursor, emptyPages + 1);
      return;
    }
    this.#hits = addHits(hits, messages);
    this.#cursor = cursor;
    this.#state = { kind: 'ready' };
    this.#more = { isLoading: false, error: null };
    this.#changed();
  }

  #onError(reason: unknown, cursor: string | undefined): void {
    const error: ErrorBody = (
      reason instanceof MaruError ? reason : new MaruError('internal', String(reason))
    ).toBody();
    if (error.code === 'rate_limited') {
      this.#later(error.retryAfterMs ?? TYPING_MS, () => this.#ask(cursor));
      return;
    }
    if (this.#state.kind === 'ready') this.#more = { isLoading: false, error };
    else {
      this.#state = { kind: 'failed', error };
      this.#hits = [];
    }
    this.#changed();
  }

  #setHits(hits: readonly Hit[]): void {
    if (hits === this.#hits) return;
    this.#hits = hits;
    this.#changed();
  }

  #changed(): void {
    this.#view = null;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Omits members that are not set. */
function requestOf({ text, room, from, before, after }: SearchQuery) {
  return {
    query: text.trim(),
    ...(room === undefined ? {} : { room }),
    ...(from === undefined ? {} : { from }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}
