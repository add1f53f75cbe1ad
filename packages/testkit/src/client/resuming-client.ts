/**
 * Keeps one client connected, like a good client: it reconnects with its positions after a random
 * back-off, leaves a node when a notice asks for that, and gives up only if the server refuses it.
 * It does not know rooms and checks nothing.
 */
import type { ClientEventName, ClientRequests, Entry, Position, RoomEvent, SessionData } from '@maru/protocol/events';
import { type AnswerOf, type Connection, type Ending, GONE, OpenFailed, openConnection } from './connection.ts';
import { pause, type Runtime } from './runtime.ts';

export interface ResumingClientOptions {
  url: string;
  token: string;
  runtime: Runtime;
  openTimeoutMs: number;
  ackTimeoutMs: number;
  /** The client does not reconnect after this time. */
  untilMs: number;
  /** The positions to resume from. Called for each new connection. */
  positions(): Record<string, Position>;
  /** Called for every session, before any of its entries. `startedAtMs`: when the attempt began. */
  onSession(data: SessionData, startedAtMs: number): void;
  onEntry(entry: Entry, receivedAtMs: number): void;
  onRoomEvent(event: RoomEvent): void;
  /** The connection ended or did not open, without a request of the client. */
  onFailure(ending: Ending): void;
}

const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_MS_MAX = 5_000;

/** Connects immediately. */
export class ResumingClient {
  readonly #options: ResumingClientOptions;
  #state: 'active' | 'given_up' | 'closed' = 'active';
  #current: Connection | undefined;
  #connections = 0;
  #failures = 0;
  #awayMs: number | undefined;
  #leaveTimer: number | undefined;
  #waiting: Array<(ready: boolean) => void> = [];

  constructor(options: ResumingClientOptions) {
    this.#options = options;
    void this.#connect();
  }

  /** The number of the newest connection, from 1; 0 before the first. */
  get connection(): number {
    return this.#connections;
  }

  /**
   * Waits for an open connection.
   * @returns false if there will be none: the server refused the client, the client is closed, or
   *   `untilMs` has passed
   */
  ready(): Promise<boolean> {
    if (this.#current !== undefined) return Promise.resolve(true);
    if (this.#state !== 'active') return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /**
   * Waits for a connection and sends a request. Resolves with `gone` if there is none or it ends.
   */
  async request<N extends ClientEventName>(
    name: N,
    payload: ClientRequests[N][0],
    onAnswer?: (answer: AnswerOf<N>) => void,
  ): Promise<AnswerOf<N>> {
    await this.ready();
    return this.#current === undefined ? GONE : this.#current.request(name, payload, onAnswer);
  }

  /**
   * Drops the connection without warning and reconnects after `awayMs`. Does nothing without a
   * connection.
   */
  drop(awayMs: number): void {
    if (this.#current === undefined || this.#state !== 'active') return;
    this.#awayMs = awayMs;
    this.#current.close();
  }

  close(): void {
    this.#state = 'closed';
    this.#cancelLeave();
    this.#current?.close();
    this.#current = undefined;
    this.#release(false);
  }

  async #connect(): Promise<void> {
    const options = this.#options;
    const startedAtMs = options.runtime.now();
    const positions = options.positions();
    try {
      const opened = await openConnection({
        ...options,
        ...(Object.keys(positions).length > 0 && { resume: positions }),
        onSession: (data) => {
          this.#connections++;
          options.onSession(data, startedAtMs);
        },
        onNotice: ({ reconnectInMs }) => this.#leaveIn(reconnectInMs),
        onEnded: (ending) => this.#onEnded(ending),
      });
      // It may have ended between its session event and here.
      if (opened.ending !== undefined) return;
      if (this.#state === 'closed') return opened.close();
      this.#failures = 0;
      this.#current = opened;
      this.#release(true);
    } catch (error) {
      if (!(error instanceof OpenFailed)) throw error;
      this.#onEnded(error.ending);
    }
  }

  #onEnded(ending: Ending): void {
    const { runtime, untilMs } = this.#options;
    this.#current = undefined;
    this.#cancelLeave();
    if (this.#state !== 'active') return;
    const delayMs = this.#reconnectDelayMs(ending);
    this.#awayMs = undefined;
    const isFinal = ending.kind === 'refused' || ending.kind === 'disconnected';
    if (isFinal || runtime.now() + delayMs >= untilMs) {
      this.#state = 'given_up';
      this.#release(false);
    } else void this.#reconnectAfter(delayMs);
  }

  #reconnectDelayMs(ending: Ending): number {
    if (ending.kind === 'left') return this.#awayMs ?? 0;
    this.#options.onFailure(ending);
    const backOffMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_FIRST_MS * 2 ** this.#failures++);
    return backOffMs * (0.5 + Math.random() / 2);
  }

  async #reconnectAfter(delayMs: number): Promise<void> {
    await pause(this.#options.runtime, delayMs);
    if (this.#state === 'active') await this.#connect();
  }

  #leaveIn(delayMs: number | undefined): void {
    if (delayMs === undefined || this.#leaveTimer !== undefined) return;
    this.#leaveTimer = this.#options.runtime.setTimeout(() => this.drop(0), delayMs);
  }

  #cancelLeave(): void {
    if (this.#leaveTimer !== undefined) this.#options.runtime.clearTimeout(this.#leaveTimer);
    this.#leaveTimer = undefined;
  }

  #release(ready: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(ready);
  }
}
