/**
 * The part of Socket.IO that a connection needs: one session on one transport, never reopened.
 * There are two implementations: `stock-wire.ts` uses socket.io-client, `web-wire.ts` is for
 * browsers. Both MUST NOT call a callback before `openWire` returns, or after `close`.
 */
import type { ConnectFailure } from '../refusal.ts';
import type { Transport } from '../transport-choice.ts';

export interface WireOptions {
  url: string;
  path: string;
  /** The first one that opens is used. */
  transports: readonly Transport[];
  /** Called when the transport is open. */
  auth: () => object;
  /** Something arrived, including pings. */
  onPacket: () => void;
  onPing: () => void;
  /**
   * The server sends something at least this often, and the wire does not end if it does not. Not
   * called by a wire that ends by itself then.
   */
  onPingsDue: (withinMs: number) => void;
  /** Another transport is used now. */
  onUpgrade: () => void;
  onEvent: (name: string, payload: unknown) => void;
  /** No session began. Called at most once, and never with `onClosed`. */
  onRefused: (failure: ConnectFailure) => void;
  /** Called at most once. `SERVER_DISCONNECT`: the server sent DISCONNECT. */
  onClosed: (reason: string) => void;
}

export const SERVER_DISCONNECT = 'io server disconnect';

export interface Wire {
  /** Whether the session can be used. */
  isConnected: () => boolean;
  transport: () => Transport;
  /** Call it only while connected. */
  emit: (name: string, payload: object, ack: (answer: unknown) => void) => void;
  /** Drops the event if earlier ones are still queued. */
  emitVolatile: (name: string, payload: object) => void;
  /** Includes parts of a frame. Null if the platform does not provide it. */
  receivedBytes: () => number | null;
  close: () => void;
}
