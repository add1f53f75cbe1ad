/**
 * What a connection needs of Socket.IO: one session on one transport, never opened again. Two
 * implementations: `stock-wire.ts` is socket.io-client, `web-wire.ts` is for browsers. Both MUST
 * call nothing before `openWire` returns, and nothing after `close`.
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
  /** Anything arrived, pings included. */
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
  /** Only while it is connected. */
  emit: (name: string, payload: object, ack: (answer: unknown) => void) => void;
  /** Drops the event if earlier ones are still to be sent. */
  emitVolatile: (name: string, payload: object) => void;
  /** Parts of a frame included; null if the platform does not say. */
  receivedBytes: () => number | null;
  close: () => void;
}
