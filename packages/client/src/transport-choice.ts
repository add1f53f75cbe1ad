/**
 * Chooses the transports of the next connection. Some proxies let a WebSocket hang: it neither
 * opens nor fails, or it opens and drops all data. Then the client tries polling, and uses it
 * for a while if it works. Pure: time is an argument.
 */
export type Transport = 'websocket' | 'polling';

type Websocket =
  | { kind: 'trusted' }
  /** It hung. Only a working polling connection proves that the network was not the reason. */
  | { kind: 'suspected' }
  | { kind: 'avoided'; untilMs: number };

/** After this many silent WebSockets that had a session, polling is tried. */
const SILENCES_MAX = 2;

export class TransportChoice {
  readonly #transports: readonly Transport[];
  readonly #pollingForMs: number;
  #websocket: Websocket = { kind: 'trusted' };
  /** Consecutive silent WebSockets. */
  #silences = 0;

  constructor(transports: readonly Transport[], pollingForMs: number) {
    this.#transports = transports;
    this.#pollingForMs = pollingForMs;
  }

  next(nowMs: number): Transport[] {
    if (this.#websocket.kind === 'avoided' && nowMs >= this.#websocket.untilMs) this.#websocket = { kind: 'trusted' };
    const avoids = this.#websocket.kind !== 'trusted' && this.#transports.includes('polling');
    return avoids ? ['polling'] : [...this.#transports];
  }

  /**
   * A connection fell silent without an answer to any request. If it had a session, the first
   * answer may have been too large for the link, so WebSocket gets another attempt with a smaller
   * page.
   */
  hung(transport: Transport, { hadSession }: { hadSession: boolean }): void {
    if (transport !== 'websocket') {
      this.failed();
      return;
    }
    this.#silences++;
    if (!hadSession || this.#silences >= SILENCES_MAX) this.#websocket = { kind: 'suspected' };
  }

  /** Requests were answered before the connection ended. */
  worked(): void {
    this.#silences = 0;
  }

  /** A connection failed in another way. */
  failed(): void {
    if (this.#websocket.kind === 'suspected') this.#websocket = { kind: 'trusted' };
  }

  /** A session began. */
  connected(nowMs: number): void {
    if (this.#websocket.kind !== 'suspected') return;
    this.#silences = 0;
    this.#websocket = { kind: 'avoided', untilMs: nowMs + this.#pollingForMs };
  }
}
