/**
 * Transports that have not signed in: the phases `handshake` and `authenticating`. Their number is
 * bounded.
 */
import type { Transport } from '../edge/server.ts';
import { AUTHENTICATING, type ConnectionState, HANDSHAKE } from './state.ts';

/** Half-open transports of a node. */
const HALF_OPEN_MAX = 2_000;

export class HalfOpenTransports {
  /** Oldest first. */
  readonly #states = new Map<Transport, ConnectionState>();
  readonly #onDropped: () => void;

  constructor(onDropped: () => void) {
    this.#onDropped = onDropped;
  }

  opened(transport: Transport): void {
    this.#states.set(transport, HANDSHAKE);
    // Drop the oldest, not the newest. Otherwise thousands of silent transports could keep clients
    // out.
    if (this.#states.size <= HALF_OPEN_MAX) return;
    const [oldest] = this.#states.keys();
    if (oldest === undefined) return;
    this.#onDropped();
    this.#states.delete(oldest);
    oldest.close(true);
  }

  /** False if the transport has ended, or its token is already being checked. */
  beginAuthentication(transport: Transport): boolean {
    if (this.#states.get(transport)?.phase !== 'handshake') return false;
    this.#states.set(transport, AUTHENTICATING);
    return true;
  }

  /** False if the transport ended while its token was checked. */
  isAuthenticating(transport: Transport): boolean {
    return this.#states.get(transport)?.phase === 'authenticating';
  }

  /** The client may try again. */
  refused(transport: Transport): void {
    if (this.#states.has(transport)) this.#states.set(transport, HANDSHAKE);
  }

  /** The transport has a session or is closed. */
  forget(transport: Transport): void {
    this.#states.delete(transport);
  }
}
