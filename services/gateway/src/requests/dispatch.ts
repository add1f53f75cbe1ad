/**
 * From a client's event to its acknowledgement: limit, validate, hold during a resume, handle,
 * answer.
 */
import {
  type Ack,
  type ClientEventName,
  type ErrorBody,
  MaruError,
  parsePayload,
  type RequestName,
  type RequestOf,
  requestSchemas,
} from '@maru/protocol';
import type { Logger } from '@maru/service-kit';
import type { PauseGate } from '../cluster/pause-gate.ts';
import { TOO_DEEP } from '../edge/packet-parser.ts';
import { ackPacket } from '../edge/packets.ts';
import { encodeAnswer, type Reply } from '../rooms/reply.ts';
import type { Session } from '../sessions/session.ts';
import type { Handlers } from './handler.ts';

/**
 * Requests held while a resume is answered. They were validated, so each is at most as large as a
 * message.
 */
const HELD_REQUESTS_MAX = 64;

/** Requests of a node that wait after a pause of the process, see `PauseGate`. */
const WAITING_REQUESTS_MAX = 1_000;

/** A client is asked to wait this long for the answers to its earlier requests. */
const REQUESTS_RETRY_MS = 1_000;

/** Limits of a connection that refuse a request. A metric label. */
export const CONNECTION_LIMITS = ['events', 'bytes', 'requests', 'held'] as const;
export type ConnectionLimit = (typeof CONNECTION_LIMITS)[number];

export interface DispatcherOptions {
  handlers: Handlers;
  onLimited: (limit: ConnectionLimit) => void;
  gate: Pick<PauseGate, 'isOpen' | 'whenOpen'>;
  /** `outcome` is `ok` or the error's code. */
  onRequest: (event: string, outcome: string, seconds: number) => void;
  logger: Logger;
  now: () => number;
}

/** A request that may run, or its refusal. `label` is a bounded name for metrics. */
type Call = { label: string } & ({ work: () => Promise<Reply<unknown>> } | { refusal: ErrorBody });

const isRequestName = (event: unknown): event is ClientEventName =>
  typeof event === 'string' && Object.hasOwn(requestSchemas, event);

export class Dispatcher {
  readonly #options: DispatcherOptions;
  #waiting = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Bound, so that the edge calls it directly. */
  readonly dispatch = (
    session: Session,
    event: unknown,
    payloads: unknown[],
    ackId: number | undefined,
    bytes: number,
  ): void => {
    if (session.closed) return;
    const { state } = session;
    const call = this.#prepare(session, event, payloads, bytes);
    if (state.phase !== 'resuming') void this.#run(session, call, ackId);
    // Held requests start in the turn in which `session` is sent, in order. Later requests start
    // after them.
    else {
      state.answered.then(
        () => void this.#run(session, call, ackId),
        () => {
          // The connection ends: see `Sessions`.
        },
      );
    }
  };

  /** Checks limits and the payload immediately, so a refused request does not stay in memory. */
  #prepare(session: Session, event: unknown, payloads: unknown[], bytes: number): Call {
    const label = isRequestName(event) ? event : 'unknown';
    try {
      this.#takeRates(session, bytes);
      const { state } = session;
      if (state.phase === 'resuming' && ++state.held > HELD_REQUESTS_MAX)
        throw this.#limited('held', 'unavailable', 'the connection is still being resumed', 1_000);
      const work = this.#validate(session, event, payloads);
      if (!session.beginRequest())
        throw this.#limited('requests', 'rate_limited', 'too many requests in progress', REQUESTS_RETRY_MS);
      return { label, work };
    } catch (error) {
      // Keep the answer, not the error: an error's stack keeps the packet in memory.
      return { label, refusal: this.#toErrorBody(error, session, label) };
    }
  }

  #takeRates(session: Session, bytes: number): void {
    const nowMs = this.#options.now();
    const eventMs = session.takeEvent(nowMs);
    if (eventMs > 0) throw this.#limited('events', 'rate_limited', 'too many events on this connection', eventMs);
    if (bytes === 0) return;
    const bytesMs = session.takeBytes(bytes, nowMs);
    if (bytesMs > 0) throw this.#limited('bytes', 'rate_limited', 'too many bytes on this connection', bytesMs);
  }

  #limited(limit: ConnectionLimit, code: 'rate_limited' | 'unavailable', message: string, retryAfterMs: number) {
    this.#options.onLimited(limit);
    return new MaruError(code, message, { retryAfterMs });
  }

  #validate(session: Session, event: unknown, payloads: unknown[]): () => Promise<Reply<unknown>> {
    if (!isRequestName(event)) throw new MaruError('invalid', 'there is no such event');
    const [payload] = payloads;
    if (payload === TOO_DEEP) throw new MaruError('invalid', 'the payload is nested too deeply');
    if (payloads.length !== 1)
      throw new MaruError('invalid', 'an event takes one object and an acknowledgement callback');
    return bind(this.#options.handlers, session, event, payload);
  }

  async #run(session: Session, call: Call, ackId: number | undefined): Promise<void> {
    const { gate } = this.#options;
    const startedAt = performance.now();
    let ack: Ack<unknown>;
    let afterwards: (() => void) | undefined;
    try {
      if (!gate.isOpen()) await this.#waitForGate();
      if (session.revoked) return;
      if ('refusal' in call) ack = { ok: false, error: call.refusal };
      else {
        const reply = await call.work();
        ack = { ok: true, data: reply.data };
        afterwards = reply.afterwards;
        if (!gate.isOpen()) await gate.whenOpen();
      }
    } catch (error) {
      ack = { ok: false, error: this.#toErrorBody(error, session, call.label) };
    }
    if ('work' in call) session.endRequest();
    // After DISCONNECT nothing may follow.
    if (ackId !== undefined && !session.closed) session.send(ackPacket(ackId, encodeAck(ack)));
    afterwards?.();
    this.#options.onRequest(call.label, ack.ok ? 'ok' : ack.error.code, (performance.now() - startedAt) / 1_000);
  }

  async #waitForGate(): Promise<void> {
    if (this.#waiting >= WAITING_REQUESTS_MAX)
      throw new MaruError('unavailable', 'this node was paused', { retryAfterMs: 1_000 });
    this.#waiting++;
    await this.#options.gate.whenOpen();
    this.#waiting--;
  }

  #toErrorBody(error: unknown, session: Session, label: string): ErrorBody {
    if (error instanceof MaruError) return error.toBody();
    this.#options.logger.error({ err: error, event: label, connection: session.id }, 'a request failed');
    return new MaruError('internal', 'something went wrong here').toBody();
  }
}

const encodeAck = (ack: Ack<unknown>): string =>
  ack.ok ? `{"ok":true,"data":${encodeAnswer(ack.data)}}` : JSON.stringify(ack);

function bind<N extends RequestName>(handlers: Handlers, session: Session, event: N, payload: unknown) {
  const request = parsePayload(requestSchemas[event], payload) as RequestOf<N>;
  return () => handlers[event](session, request);
}
