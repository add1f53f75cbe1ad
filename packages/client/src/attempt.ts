/** The current attempt to be connected. The public `ConnectionState` is derived for the host. */
import type { SocketConnection } from './socket-connection.ts';

export type Attempt =
  /** Before `connect`, during the wait for a retry, and after the end. */
  | { phase: 'idle' }
  | { phase: 'token' }
  /** The socket is opening, or the session has not begun. */
  | { phase: 'handshake'; socket: SocketConnection; token: string; sinceMs: number }
  | { phase: 'session'; socket: SocketConnection; token: string; sinceMs: number };

export const IDLE: Attempt = { phase: 'idle' };
