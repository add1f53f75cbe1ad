/**
 * Sends the reads that a model needs, a few at a time. After a failure or an unusable answer, a
 * read waits before it is sent again. A refused read waits for the next connection.
 */
import { type ErrorBody, MaruError } from '@maru/protocol/errors';
import type { MessagesData } from '@maru/protocol/events';
import { LIMITS } from '@maru/protocol/limits';
import { backoffMs, mayRetry, REQUEST_BACKOFF } from '../backoff.ts';
import type { ChatClient, MessagesRequest } from '../chat-client.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Read } from './model-state.ts';

const IN_FLIGHT_MAX = 2;
/** Many members see the same change, so their reads are spread over this time. */
const LAZY_MS = 2_000;

export interface ReadQueueOptions {
  client: Pick<ChatClient, 'readMessages'>;
  room: string;
  scheduler: Scheduler;
  needed: () => Array<{ read: Read; isLazy: boolean }>;
  onAsked: () => { generation: number };
  /** Returns whether the answer could be used. */
  onAnswer: (answer: { generation: number; read: Read; data: MessagesData }) => boolean;
  onFailed: (failure: { generation: number; read: Read; error: ErrorBody }) => void;
}

export class ReadQueue {
  readonly #options: ReadQueueOptions;
  /** Reads that are in flight or wait to be sent, with a function that cancels the wait. */
  readonly #busy = new Map<string, () => void>();
  #inFlight = 0;
  #failedTries = 0;
  #isClosed = false;

  constructor(options: ReadQueueOptions) {
    this.#options = options;
  }

  isReading(read: Read): boolean {
    return this.#busy.has(keyOf(read));
  }

  pump(): void {
    if (this.#isClosed) return;
    for (const { read, isLazy } of this.#options.needed()) {
      if (this.#busy.has(keyOf(read))) continue;
      if (isLazy) this.#wait(read, this.#options.scheduler.random() * LAZY_MS, () => this.#send(read));
      else if (this.#inFlight < IN_FLIGHT_MAX) this.#send(read);
    }
  }

  /** Call it on a new connection: retries waiting and refused reads. */
  restart(): void {
    for (const cancel of this.#busy.values()) cancel();
    this.#failedTries = 0;
    this.pump();
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#busy.values()) cancel();
  }

  #wait(read: Read, delayMs: number, then: () => void): void {
    const key = keyOf(read);
    const cancel = this.#options.scheduler.after(delayMs, () => {
      this.#busy.delete(key);
      then();
    });
    this.#busy.set(key, () => {
      cancel();
      this.#busy.delete(key);
    });
  }

  #send(read: Read): void {
    const { client, room, onAsked, onAnswer, onFailed } = this.#options;
    const key = keyOf(read);
    const { generation } = onAsked();
    this.#inFlight++;
    this.#busy.set(key, () => {});
    const end = () => {
      this.#inFlight--;
      this.#busy.delete(key);
      return !this.#isClosed;
    };
    client.readMessages(requestOf(room, read)).then(
      (data) => {
        if (!end()) return;
        if (onAnswer({ generation, read, data })) this.#failedTries = 0;
        else this.#again(read);
        this.pump();
      },
      (reason: unknown) => {
        if (!end()) return;
        const error = (reason instanceof MaruError ? reason : new MaruError('internal', String(reason))).toBody();
        onFailed({ generation, read, error });
        if (mayRetry(error)) this.#again(read, error.retryAfterMs);
        else if (this.#needs(key)) this.#busy.set(key, () => void this.#busy.delete(key));
        this.pump();
      },
    );
  }

  /** A failed read of the host is no longer needed. The host may request it again. */
  #needs(key: string): boolean {
    return this.#options.needed().some(({ read }) => keyOf(read) === key);
  }

  #again(read: Read, atLeastMs?: number): void {
    const random = this.#options.scheduler.random();
    const delayMs = backoffMs({ attempt: this.#failedTries++, random, bounds: REQUEST_BACKOFF, atLeastMs });
    this.#wait(read, delayMs, () => this.pump());
  }
}

const keyOf = (read: Read): string => JSON.stringify(read);

const before = (seq: number | null) => (seq === null ? {} : { before: seq });

function requestOf(room: string, read: Read): MessagesRequest {
  switch (read.kind) {
    case 'newest':
      return { room };
    case 'around':
      return { room, around: read.seq };
    case 'at':
      return { room, at: read.ts };
    case 'one':
      return { room, around: read.seq, limit: 1 };
    case 'older':
      return { room, before: read.seq };
    case 'newer':
      return { room, after: read.seq };
    case 'pins':
      return { room, pinned: true, limit: LIMITS.pageEntriesMax, ...before(read.before) };
    case 'thread':
      return { room, thread: read.root, ...before(read.before) };
  }
}
