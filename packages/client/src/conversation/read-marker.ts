/**
 * The own read position in one room. It asks for the position first, so that the unread line
 * appears where it was. At most one request is in flight. After it, the newest position is sent.
 */

import { MaruError } from '@maru/protocol/errors';
import type { ReadData, ReadPosition } from '@maru/protocol/events';
import { backoffMs, mayRetry, REQUEST_BACKOFF } from '../backoff.ts';
import type { ChatClient } from '../chat-client.ts';
import type { Scheduler } from '../scheduler.ts';

/** After that, the next connection or the next position tries again. */
const RETRIES_MAX = 6;

export interface ReadMarkerOptions {
  client: Pick<ChatClient, 'request'>;
  room: string;
  scheduler: Scheduler;
  /** The answer to a request, or a position that another device has set. */
  onPosition: (data: ReadData) => void;
}

export class ReadMarker {
  readonly #options: ReadMarkerOptions;
  #known: ReadPosition | null = null;
  #wanted = 0;
  #isAsking = false;
  #hasFailed = false;
  #failedTries = 0;
  #cancelRetry = () => {};
  #isClosed = false;

  constructor(options: ReadMarkerOptions) {
    this.#options = options;
  }

  get known(): ReadPosition | null {
    return this.#known;
  }

  /** `n`: the number of messages up to `seq`, if known. Then the position is shown immediately. */
  mark(seq: number, n: number | null): void {
    if (seq <= Math.max(this.#wanted, this.#known?.seq ?? 0)) return;
    this.#wanted = seq;
    if (this.#known !== null && n !== null) this.#known = { seq, n };
    this.send();
  }

  /** Asks for the position if it is unknown. */
  learn(): void {
    if (this.#known === null && !this.#hasFailed) this.#ask(0);
  }

  /** A new connection. What other devices read since the last one is not delivered: it asks. */
  restart(): void {
    this.#cancelRetry();
    this.#hasFailed = false;
    this.#failedTries = 0;
    if (this.#known !== null) this.#ask(this.#wanted);
    else if (this.#wanted > 0) this.send();
  }

  /** Sends unconfirmed positions. */
  send(): void {
    if (this.#known === null) this.#ask(0);
    else if (this.#wanted > 0) this.#ask(this.#wanted);
  }

  /** A position of 0 only reads. */
  #ask(seq: number): void {
    if (this.#isAsking || this.#isClosed) return;
    const { client, room } = this.#options;
    this.#isAsking = true;
    client.request('room:read', { room, seq }).then(
      (data) => {
        this.#isAsking = false;
        this.#failedTries = 0;
        if (this.#wanted <= seq) this.#wanted = 0;
        this.note(data);
        this.send();
      },
      (reason: unknown) => {
        this.#isAsking = false;
        this.#hasFailed = true;
        if (reason instanceof MaruError && mayRetry(reason)) this.#retry(reason.retryAfterMs);
      },
    );
  }

  #retry(atLeastMs: number | undefined): void {
    if (this.#isClosed || this.#failedTries >= RETRIES_MAX) return;
    const { scheduler } = this.#options;
    const random = scheduler.random();
    const delayMs = backoffMs({ attempt: this.#failedTries++, random, bounds: REQUEST_BACKOFF, atLeastMs });
    this.#cancelRetry();
    this.#cancelRetry = scheduler.after(delayMs, () => this.send());
  }

  /** A position never goes back. */
  note(data: ReadData): void {
    if (this.#isClosed || data.seq < (this.#known?.seq ?? 0)) return;
    this.#known = { seq: data.seq, n: data.n };
    this.#options.onPosition(data);
  }

  /** The log is read again, so the position must be requested again. */
  forget(): void {
    this.#known = null;
    this.#wanted = 0;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
  }
}
