/**
 * The requests of one connection, and the decision whether it is dead. A request waits as long as
 * the connection lives, so a late answer is still used. If an answer takes long, the link sends a
 * probe: a small request that the server answers immediately. If nothing comes back, the connection
 * is silent.
 *
 * It does not know sockets. Time comes from the scheduler.
 */
import type { ClientEventName, ClientRequests } from '@maru/protocol/events';
import { type Result, resultOfAck, unavailable } from './ack.ts';
import type { ClientLimits } from './limits.ts';
import type { Scheduler } from './scheduler.ts';
import { Silence } from './silence.ts';

export interface LinkOptions {
  /** Sends an event. `ack` is called at most once. */
  send: (name: string, payload: object, ack: (answer: unknown) => void) => void;
  /**
   * Bytes received so far, including parts of a frame. Null if the platform does not provide it.
   */
  receivedBytes: () => number | null;
  /** The connection is dead. Called at most once. */
  onSilent: (how: { arrives: boolean }) => void;
  scheduler: Scheduler;
  limits: Pick<ClientLimits, 'probeAfterMs' | 'probeTimeoutMs' | 'probeTimeoutMaxMs' | 'requestTimeoutMs'>;
}

interface Pending {
  readonly sentAtMs: number;
  /** When a later probe was answered. */
  overtakenAtMs: number | null;
  readonly done: (result: Result<never>) => void;
}

interface Probe {
  readonly sentAtMs: number;
  readonly silence: Silence;
}

/**
 * Every server answers this immediately with `invalid` and changes nothing, because no room has
 * this id. So it works with all versions of the server.
 */
const PROBE = { name: 'room:leave', payload: { room: '' } } as const;

export class Link {
  readonly #options: LinkOptions;
  /** In the order sent. */
  readonly #pending = new Set<Pending>();
  #probe: Probe | null = null;
  #probedAtMs = Number.NEGATIVE_INFINITY;
  #hasAnswered = false;
  #closed = false;
  #isWaiting = false;
  #cancelWait = () => {};

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /**
   * Whether the server has answered a request or a probe, or sent a ping. Then the transport works.
   */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** The server sent a ping. */
  pinged(): void {
    this.#hasAnswered = true;
  }

  /** The connection has switched to another transport, which has answered nothing yet. */
  forgetAnswers(): void {
    this.#hasAnswered = false;
  }

  request<N extends ClientEventName>(
    name: N,
    payload: ClientRequests[N][0],
    done: (result: Result<ClientRequests[N][1]>) => void,
  ): void {
    const pending: Pending = { sentAtMs: this.#options.scheduler.now(), overtakenAtMs: null, done };
    this.#pending.add(pending);
    this.#options.send(name, payload, (answer) => {
      this.#hasAnswered = true;
      if (this.#pending.delete(pending)) done(resultOfAck(answer));
    });
    if (!this.#isWaiting && this.#probe === null) this.#wait(this.#options.limits.probeAfterMs);
  }

  /** A packet arrived. */
  heard(): void {
    this.#probe?.silence.heard();
  }

  /** Checks the connection now. If a probe is already in progress, the shorter timeout applies. */
  probe(timeoutMs: number): void {
    if (this.#closed) return;
    if (this.#probe !== null) {
      this.#probe.silence.shorten(timeoutMs);
      return;
    }
    const { scheduler, receivedBytes, onSilent, send, limits } = this.#options;
    const timeoutMaxMs = limits.probeTimeoutMaxMs;
    const silence = new Silence({ scheduler, timeoutMs, timeoutMaxMs, receivedBytes, onSilent });
    const probe: Probe = { sentAtMs: scheduler.now(), silence };
    this.#probe = probe;
    this.#stopWaiting();
    send(PROBE.name, PROBE.payload, () => this.#onProbeAnswer(probe));
  }

  /** Answers all waiting requests with `unavailable`, because their outcome is unknown. */
  close(): void {
    this.#closed = true;
    this.#stopWaiting();
    this.#probe?.silence.stop();
    this.#probe = null;
    this.#fail([...this.#pending], 'the connection ended');
  }

  #wait(delayMs: number): void {
    this.#stopWaiting();
    if (this.#closed) return;
    this.#isWaiting = true;
    this.#cancelWait = this.#options.scheduler.after(delayMs, () => {
      this.#isWaiting = false;
      this.#check();
    });
  }

  #stopWaiting(): void {
    this.#isWaiting = false;
    this.#cancelWait();
  }

  /** Sends a probe if the oldest request has waited too long. */
  #check(): void {
    const { scheduler, limits } = this.#options;
    const now = scheduler.now();
    const isOver = ({ overtakenAtMs }: Pending) =>
      overtakenAtMs !== null && now - overtakenAtMs >= limits.requestTimeoutMs;
    this.#fail([...this.#pending].filter(isOver), 'no answer');
    const [oldest] = this.#pending;
    if (oldest === undefined || this.#closed) return;
    const dueInMs = Math.max(oldest.sentAtMs, this.#probedAtMs) + limits.probeAfterMs - now;
    if (dueInMs <= 0) this.probe(limits.probeTimeoutMs);
    else this.#wait(dueInMs);
  }

  #onProbeAnswer(probe: Probe): void {
    this.#hasAnswered = true;
    if (this.#probe !== probe) return;
    const now = this.#options.scheduler.now();
    probe.silence.stop();
    this.#probe = null;
    this.#probedAtMs = now;
    for (const pending of this.#pending) {
      if (pending.sentAtMs <= probe.sentAtMs) pending.overtakenAtMs ??= now;
    }
    if (this.#pending.size > 0) this.#wait(this.#options.limits.probeAfterMs);
  }

  #fail(pendings: readonly Pending[], why: string): void {
    for (const pending of pendings) if (this.#pending.delete(pending)) pending.done(unavailable(why));
  }
}
