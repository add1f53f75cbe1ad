/**
 * The own presence status. The server forgets it when the user has been in no room for some
 * seconds, so it is sent again on each connection. At most one request is in flight. After it, the
 * newest status is sent.
 */
import type { MaruError } from '@maru/protocol/errors';
import type { Status } from '@maru/protocol/events';
import { type Request, unavailable } from './ack.ts';
import { backoffMs, mayRetry, REQUEST_BACKOFF } from './backoff.ts';
import type { Scheduler } from './scheduler.ts';

interface Wanted {
  readonly payload: { status: Status; text?: string };
  isStored: boolean;
  readonly resolve: () => void;
  readonly reject: (error: MaruError) => void;
}

export class OwnStatus {
  readonly #request: Request;
  readonly #scheduler: Scheduler;
  #wanted: Wanted | null = null;
  #isOnline = false;
  #inFlight: object | null = null;
  #failedTries = 0;
  #cancelRetry = () => {};

  constructor({ request, scheduler }: { request: Request; scheduler: Scheduler }) {
    this.#request = request;
    this.#scheduler = scheduler;
  }

  /** Resolves when it is stored, or when a later status replaces it. Rejects if it is refused. */
  readonly set = (status: Status, text?: string): Promise<void> =>
    new Promise((resolve, reject) => {
      this.#wanted?.resolve();
      const payload = text === undefined ? { status } : { status, text };
      this.#wanted = { payload, isStored: false, resolve, reject };
      this.#failedTries = 0;
      this.#send();
    });

  onSession(): void {
    this.#isOnline = true;
    this.#failedTries = 0;
    if (this.#wanted !== null) this.#wanted.isStored = false;
    this.#send();
  }

  onLost(): void {
    this.#isOnline = false;
    this.#inFlight = null;
    this.#cancelRetry();
  }

  close(): void {
    this.onLost();
    this.#wanted?.reject(unavailable('the client is closed').error);
    this.#wanted = null;
  }

  #send(): void {
    const wanted = this.#wanted;
    if (wanted === null || wanted.isStored || !this.#isOnline || this.#inFlight !== null) return;
    this.#cancelRetry();
    const sent = {};
    this.#inFlight = sent;
    this.#request('presence:set', wanted.payload, (result) => {
      if (this.#inFlight !== sent) return;
      this.#inFlight = null;
      if (this.#wanted !== wanted) return this.#send();
      if (result.ok) {
        wanted.isStored = true;
        return wanted.resolve();
      }
      if (!mayRetry(result.error)) {
        this.#wanted = null;
        return wanted.reject(result.error);
      }
      const random = this.#scheduler.random();
      const atLeastMs = result.error.retryAfterMs;
      const delayMs = backoffMs({ attempt: this.#failedTries++, random, bounds: REQUEST_BACKOFF, atLeastMs });
      this.#cancelRetry = this.#scheduler.after(delayMs, () => this.#send());
    });
  }
}
